//! Messages taken apart and put together again, right or wrong (r3 7.7.3.1, 7.7.4.1; SPC-4 7.7.3.4, 7.7.3.5.1).
//!
//! What lives here: payloads as codes, flags and bytes, and the offsets at which they stand. What does not: any judgement of
//! them; a message that is to be refused is written as easily as a right one.

/// NEXT PAYLOAD codes that both dialects share.
pub(super) mod code {
    pub(crate) const KEY_EXCHANGE: u8 = 0x22;
    pub(crate) const ID_CLIENT: u8 = 0x23;
    pub(crate) const ID_SERVER: u8 = 0x24;
    pub(crate) const CERTIFICATE: u8 = 0x25;
    pub(crate) const CERTIFICATE_REQUEST: u8 = 0x26;
    pub(crate) const AUTHENTICATION: u8 = 0x27;
    pub(crate) const NONCE: u8 = 0x28;
    pub(crate) const NOTIFY: u8 = 0x29;
    pub(crate) const DELETE: u8 = 0x2A;
    pub(crate) const VENDOR_ID: u8 = 0x2B;
    pub(crate) const ENCRYPTED: u8 = 0x2E;
    pub(crate) const ALGORITHMS: u8 = 0x81;
    /// SPC-4 only.
    pub(crate) const USAGE: u8 = 0x82;
    /// A code that neither dialect recognises.
    pub(crate) const UNKNOWN: u8 = 0xC8;
}

/// CRIT, the first bit of a payload's second byte.
pub(super) const CRIT: u8 = 0x80;
/// Bytes of a message's header.
pub(super) const HEADER: usize = 28;
/// Bytes of a payload's header.
pub(super) const PAYLOAD_HEADER: usize = 4;

/// Replaces bytes; what lies behind the end is left out.
pub(super) fn put(bytes: &mut [u8], at: usize, new: &[u8]) {
    let place = bytes.get_mut(at..).unwrap_or_default();
    place.iter_mut().zip(new).for_each(|(to, from)| *to = *from);
}

/// Changes bits of one byte.
pub(super) fn flip(bytes: &mut [u8], at: usize, bits: u8) {
    bytes.get_mut(at).into_iter().for_each(|byte| *byte ^= bits);
}

/// The byte at an offset, zero behind the end.
pub(super) fn byte(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).copied().unwrap_or(0)
}

/// A field of so many bytes; zeros where the bytes end.
pub(super) fn field<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or([0; N])
}

/// Bytes of a part, as many as there are.
pub(super) fn part_of(bytes: &[u8], from: usize, to: usize) -> &[u8] {
    let to = to.min(bytes.len());
    bytes.get(from.min(to)..to).unwrap_or_default()
}

/// A payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// The NEXT PAYLOAD code that names it.
    pub(super) code: u8,
    /// Its second byte: CRIT and reserved bits.
    pub(super) flags: u8,
    /// What follows its header.
    pub(super) data: Vec<u8>,
}

impl Part {
    /// With CRIT set to one.
    pub(super) fn new(code: u8, data: &[u8]) -> Self {
        Self { code, flags: CRIT, data: data.to_vec() }
    }

    /// With CRIT set to zero.
    pub(super) fn not_critical(code: u8, data: &[u8]) -> Self {
        Self { flags: 0, ..Self::new(code, data) }
    }

    const fn len(&self) -> usize {
        self.data.len().saturating_add(PAYLOAD_HEADER)
    }
}

/// Bytes of payloads that follow one another.
pub(super) fn length_of(parts: &[Part]) -> usize {
    parts.iter().fold(0, |sum, part| sum.saturating_add(part.len()))
}

/// The code of the first payload, and all of them, each with the code of the next; `after` is the code behind the last.
pub(super) fn link(parts: &[Part], after: u8) -> (u8, Vec<u8>) {
    let mut bytes = Vec::new();
    let codes = parts.iter().skip(1).map(|part| part.code).chain([after]);
    for (part, next) in parts.iter().zip(codes) {
        let [high, low] = u16::try_from(part.len()).unwrap_or(u16::MAX).to_be_bytes();
        bytes.extend([next, part.flags, high, low]);
        bytes.extend(&part.data);
    }
    (parts.first().map_or(after, |first| first.code), bytes)
}

/// The payloads of a chain, up to its end or to an Encrypted payload, whose NEXT PAYLOAD names what is inside; `None` if they do
/// not tile the bytes.
pub(super) fn unlink(mut code: u8, mut bytes: &[u8]) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    while code != 0 {
        let &[next, flags, high, low] = bytes.first_chunk()?;
        let length = usize::from(u16::from_be_bytes([high, low]));
        let data = bytes.get(PAYLOAD_HEADER..length)?;
        parts.push(Part { code, flags, data: data.to_vec() });
        bytes = bytes.get(length..)?;
        code = if code == code::ENCRYPTED { 0 } else { next };
    }
    bytes.is_empty().then_some(parts)
}

/// A message whose payloads are not sealed.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) header: Vec<u8>,
    pub(super) parts: Vec<Part>,
}

impl Message {
    /// Takes a message apart; `None` if its payloads do not tile it.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (header, payloads) = bytes.split_at_checked(HEADER)?;
        Some(Self { header: header.to_vec(), parts: unlink(byte(header, 16), payloads)? })
    }

    /// The message, NEXT PAYLOAD and LENGTH written anew.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let (first, payloads) = link(&self.parts, 0);
        let mut message = [self.header.as_slice(), &payloads].concat();
        put(&mut message, 16, &[first]);
        write_length(&mut message);
        message
    }

    /// Which payload has the code, the first of them.
    pub(super) fn index(&self, code: u8) -> Option<usize> {
        self.parts.iter().position(|part| part.code == code)
    }

    /// The first payload with the code.
    pub(super) fn part(&self, code: u8) -> Option<&Part> {
        self.parts.iter().find(|part| part.code == code)
    }

    /// The same, to be changed.
    pub(super) fn part_mut(&mut self, code: u8) -> Option<&mut Part> {
        self.parts.iter_mut().find(|part| part.code == code)
    }

    /// Offset of a payload's first byte.
    pub(super) fn at(&self, index: usize) -> usize {
        HEADER.saturating_add(length_of(self.parts.get(..index).unwrap_or(&self.parts)))
    }

    /// Offset of the first byte of the payload with the code.
    pub(super) fn at_code(&self, code: u8) -> usize {
        self.at(self.index(code).unwrap_or(self.parts.len()))
    }

    /// Offset of the NEXT PAYLOAD field that names a payload, or ends the chain.
    pub(super) fn named_at(&self, index: usize) -> usize {
        index.checked_sub(1).map_or(16, |before| self.at(before))
    }

    /// Offset of the NEXT PAYLOAD field that ends the chain.
    pub(super) fn ended_at(&self) -> usize {
        self.named_at(self.parts.len())
    }
}

/// Writes the LENGTH field.
pub(super) fn write_length(message: &mut [u8]) {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    put(message, 24, &length.to_be_bytes());
}

/// How a plaintext ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Padding {
    /// 01h, 02h and so on up to the alignment.
    Right,
    /// So many alignments more.
    More(usize),
    /// As right, but counted from this byte.
    From(u8),
    /// PAD LENGTH is this.
    Length(u8),
}

/// A message with an Encrypted payload, opened.
#[derive(Debug, Clone)]
pub(super) struct Plain {
    pub(super) header: Vec<u8>,
    /// Payloads in front of the Encrypted payload.
    pub(super) before: Vec<Part>,
    /// Those inside.
    pub(super) inner: Vec<Part>,
    pub(super) padding: Padding,
    /// Bytes of the initialization vector.
    pub(super) iv: usize,
}

impl Plain {
    /// Offset of the Encrypted payload.
    pub(super) fn encrypted_at(&self) -> usize {
        HEADER.saturating_add(length_of(&self.before))
    }

    /// Offset of an inner payload's first byte.
    pub(super) fn at(&self, index: usize) -> usize {
        let first = self.encrypted_at().saturating_add(PAYLOAD_HEADER).saturating_add(self.iv);
        first.saturating_add(length_of(self.inner.get(..index).unwrap_or(&self.inner)))
    }

    /// Offset of the NEXT PAYLOAD field that names an inner payload, or ends the inner chain.
    pub(super) fn named_at(&self, index: usize) -> usize {
        index.checked_sub(1).map_or_else(|| self.encrypted_at(), |before| self.at(before))
    }

    /// Offset of the NEXT PAYLOAD field that ends the inner chain.
    pub(super) fn ended_at(&self) -> usize {
        self.named_at(self.inner.len())
    }

    pub(super) fn index(&self, code: u8) -> Option<usize> {
        self.inner.iter().position(|part| part.code == code)
    }

    /// Offset of the first byte of the inner payload with the code.
    pub(super) fn at_code(&self, code: u8) -> usize {
        self.at(self.index(code).unwrap_or(self.inner.len()))
    }

    pub(super) fn part_mut(&mut self, code: u8) -> Option<&mut Part> {
        self.inner.iter_mut().find(|part| part.code == code)
    }

    /// Puts a payload before the one at an index.
    pub(super) fn insert(&mut self, index: usize, part: Part) {
        self.inner.insert(index.min(self.inner.len()), part);
    }

    /// The plaintext: payloads, padding, PAD LENGTH.
    pub(super) fn text(&self, alignment: usize) -> (u8, Vec<u8>) {
        let (first, mut text) = link(&self.inner, 0);
        let alignment = alignment.max(1);
        let room = if let Padding::More(times) = self.padding { times.saturating_mul(alignment) } else { 0 };
        let needs_a_byte = usize::from(matches!(self.padding, Padding::From(_)));
        let least = text.len().saturating_add(1).saturating_add(needs_a_byte).saturating_add(room);
        let padding = least.next_multiple_of(alignment).saturating_sub(text.len()).saturating_sub(1);
        let begin = if let Padding::From(begin) = self.padding { begin } else { 1 };
        text.extend((0..padding).map(|index| begin.wrapping_add(u8::try_from(index).unwrap_or(u8::MAX))));
        let told = if let Padding::Length(length) = self.padding { Some(length) } else { None };
        text.push(told.unwrap_or(u8::try_from(padding).unwrap_or(u8::MAX)));
        (first, text)
    }
}
