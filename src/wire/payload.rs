//! The payload chain (r3 7.7.3.1.1 Table F1, 7.7.4.1 Table G1; readings R6-R8).
//!
//! ```text
//! byte  0             1              2..3            4..
//!       NEXT PAYLOAD  CRIT|reserved  PAYLOAD LENGTH  data
//! ```
//!
//! What lives here: the walk, and payloads of whatever type. What does not: which payloads a message has (`order`).

use super::{
    Algorithms, Authentication, Body, Capabilities, Certificate, CertificateRequest, Delete, Field, Header,
    Identification, KeyExchange, Nonce, Notify, Reader, SaAlgorithms, SaUsage, Timeouts, VendorId, WireError,
    WireErrorKind,
};
use crate::dialect::{HAS_SPC4, PayloadType, Profile};

/// One payload of a chain, its data not yet read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawPayload<'a> {
    /// Code by which the preceding NEXT PAYLOAD field names it.
    pub code: u8,
    /// What the dialect calls it; `None` when the dialect does not recognise the code.
    pub payload: Option<PayloadType>,
    /// CRIT bit.
    pub critical: bool,
    /// Its own NEXT PAYLOAD field.
    pub next: u8,
    /// Offset in the message of its first byte.
    pub at: usize,
    /// Offset in the message of the NEXT PAYLOAD field that names it.
    pub named_at: usize,
    /// Its data, after the four-byte payload header.
    pub data: &'a [u8],
}

impl<'a> RawPayload<'a> {
    /// Bytes of a payload header.
    pub const HEADER_LEN: usize = 4;

    /// A reader over the data that blames PAYLOAD LENGTH.
    #[must_use]
    pub const fn reader(&self) -> Reader<'a> {
        let data_at = self.at.wrapping_add(Self::HEADER_LEN);
        Reader::new(self.data, data_at, self.at.wrapping_add(2), Field::PayloadLength)
    }

    /// Reads the data as one kind of payload.
    ///
    /// # Errors
    /// [`WireError`] with the first wrong byte.
    pub fn body<B: Body<'a>>(&self, profile: Profile) -> Result<B, WireError> {
        B::parse(profile, self.reader())
    }

    /// A fault of a field of this payload, `offset` bytes after its first byte.
    #[must_use]
    pub const fn error(&self, offset: usize, field: Field, kind: WireErrorKind) -> WireError {
        WireError::new(self.at.wrapping_add(offset), field, kind)
    }
}

/// A walk over the payloads of a message.
///
/// It ends at NEXT PAYLOAD 00h or behind an Encrypted payload, and gives an error, then nothing, when the payloads do
/// not tile the message exactly (reading R8).
#[derive(Debug, Clone)]
pub struct Chain<'a> {
    pub(super) profile: Profile,
    message: &'a [u8],
    at: usize,
    next: u8,
    named_at: usize,
    done: bool,
}

impl<'a> Chain<'a> {
    /// The payloads behind the header of `message`.
    #[must_use]
    pub const fn outer(profile: Profile, message: &'a [u8], header: &Header) -> Self {
        Self {
            profile,
            message,
            at: Header::LEN,
            next: header.next_payload,
            named_at: Header::NEXT_PAYLOAD_AT,
            done: false,
        }
    }

    /// The payloads of an opened Encrypted payload: `message` ends where the padding begins, `start` is the offset of
    /// the first inner payload, `first` its code, found at offset `named_at`.
    #[must_use]
    pub const fn inner(profile: Profile, message: &'a [u8], start: usize, first: u8, named_at: usize) -> Self {
        Self { profile, message, at: start, next: first, named_at, done: false }
    }

    /// How the logical unit speaks.
    #[must_use]
    pub const fn profile(&self) -> Profile {
        self.profile
    }

    /// Offset of the NEXT PAYLOAD field that the walk read last; at the end, the one that ended the chain.
    #[must_use]
    pub const fn last_named_at(&self) -> usize {
        self.named_at
    }

    /// The next payload, if one is named and fits.
    #[inline]
    fn take(&mut self) -> Option<RawPayload<'a>> {
        let rest = self.message.get(self.at..)?;
        let (&[next, flags, l0, l1], _) = rest.split_first_chunk::<4>()?;
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        let data = rest.get(RawPayload::HEADER_LEN..length)?;
        let payload = self.profile.rules().payload_type(self.next);
        let is_last = payload == Some(PayloadType::Encrypted);
        if is_last && length != rest.len() {
            return None;
        }
        let critical = flags & 0x80 != 0;
        let raw = RawPayload { code: self.next, payload, critical, next, at: self.at, named_at: self.named_at, data };
        self.next = next;
        if is_last {
            self.close();
        } else {
            self.named_at = self.at;
            self.at = self.at.wrapping_add(length);
        }
        Some(raw)
    }

    /// Nothing more is named.
    const fn close(&mut self) {
        self.next = 0;
        self.done = true;
    }

    /// Where the payload at offset `at` is not all there, `left` bytes before the end of the message.
    #[cold]
    #[inline(never)]
    const fn does_not_fit(named_at: usize, at: usize, left: usize) -> WireError {
        if left < RawPayload::HEADER_LEN {
            return WireError::new(named_at, Field::NextPayload, WireErrorKind::Length);
        }
        WireError::new(at.wrapping_add(2), Field::PayloadLength, WireErrorKind::Length)
    }
}

impl<'a> Iterator for Chain<'a> {
    type Item = Result<RawPayload<'a>, WireError>;

    // Faults are made elsewhere, so that payloads that fit stay in registers: that takes half the time.
    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (at, left) = (self.at, self.message.len().saturating_sub(self.at));
        if self.next == 0 {
            let is_surplus = !self.done && at != self.message.len();
            self.close();
            return is_surplus.then(|| Err(Self::does_not_fit(self.named_at, at, 0)));
        }
        match self.take() {
            Some(raw) => Some(Ok(raw)),
            None => {
                self.close();
                Some(Err(Self::does_not_fit(self.named_at, at, left)))
            }
        }
    }
}

/// A payload with its data read, of whatever type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Payload<'a> {
    /// KE.
    KeyExchange(KeyExchange<'a>),
    /// ID, of either side.
    Identification(Identification<'a>),
    /// CERT.
    Certificate(Certificate<'a>),
    /// CERTREQ.
    CertificateRequest(CertificateRequest<'a>),
    /// AUTH.
    Authentication(Authentication<'a>),
    /// NONCE.
    Nonce(Nonce<'a>),
    /// N.
    Notify(Notify),
    /// D.
    Delete(Delete),
    /// V.
    VendorId(VendorId<'a>),
    /// E, unopened: IV, ciphertext and ICV.
    Encrypted(&'a [u8]),
    /// SSCC.
    Capabilities(Capabilities<'a>),
    /// SCA.
    Algorithms(Algorithms<'a>),
    /// STV.
    Timeouts(Timeouts),
    /// Algorithms that make and manage an SA, in SPC-4.
    SaAlgorithms(SaAlgorithms<'a>),
    /// SAUT.
    SaUsage(SaUsage<'a>),
    /// A payload that the dialect does not recognise, or prohibits.
    Unrecognised(&'a [u8]),
}

impl<'a> Payload<'a> {
    /// Reads the data of a payload.
    ///
    /// # Errors
    /// [`WireError`] with the first wrong byte.
    pub fn parse(profile: Profile, raw: &RawPayload<'a>) -> Result<Self, WireError> {
        let Some(payload) = raw.payload else { return Ok(Self::Unrecognised(raw.data)) };
        Ok(match payload {
            PayloadType::KeyExchange => Self::KeyExchange(raw.body(profile)?),
            PayloadType::IdApplicationClient | PayloadType::IdDeviceServer => Self::Identification(raw.body(profile)?),
            PayloadType::Certificate => Self::Certificate(raw.body(profile)?),
            PayloadType::CertificateRequest => Self::CertificateRequest(raw.body(profile)?),
            PayloadType::Authentication => Self::Authentication(raw.body(profile)?),
            PayloadType::Nonce => Self::Nonce(raw.body(profile)?),
            PayloadType::Notify => Self::Notify(raw.body(profile)?),
            PayloadType::Delete => Self::Delete(raw.body(profile)?),
            PayloadType::VendorId => Self::VendorId(raw.body(profile)?),
            PayloadType::Encrypted => Self::Encrypted(raw.data),
            PayloadType::Capabilities => Self::Capabilities(raw.body(profile)?),
            PayloadType::Algorithms => Self::Algorithms(raw.body(profile)?),
            PayloadType::Timeouts => Self::Timeouts(raw.body(profile)?),
            PayloadType::SaAlgorithms if HAS_SPC4 => Self::SaAlgorithms(raw.body(profile)?),
            PayloadType::SaUsage if HAS_SPC4 => Self::SaUsage(raw.body(profile)?),
            PayloadType::SaAlgorithms | PayloadType::SaUsage | PayloadType::Prohibited => Self::Unrecognised(raw.data),
        })
    }
}
