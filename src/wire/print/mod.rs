//! Printing: what a protocol analyser shows, one field per line, by the names that the standard prints.
//!
//! ```text
//! Payload 82h: SCSI Timeout Values (STV), byte 28
//!   NEXT PAYLOAD: 81h, SCSI Cryptographic Algorithms (SCA)
//!   CRIT: 1
//!   PAYLOAD LENGTH: 16
//!   NUMBER OF TIMEOUT VALUES: 2
//!   IKEV2-SCSI PROTOCOL TIMEOUT: 60
//! ```
//!
//! `{}` shortens long opaque bytes, `{:#}` prints all of them. Printing takes any bytes: data that do not parse are
//! printed as they are, with the error. What lives here: the tree of lines, headers and messages; in `bodies`, the
//! payloads' fields. What does not: secrets, of which this room has none but an opened plaintext that the caller put
//! there.

mod bodies;

use core::fmt;

use super::message::Opened;
use super::{Body, Capabilities, Chain, Field, Header, Message, Payload, RawPayload, Sai, WireError, WireErrorKind};
use crate::dialect::{PayloadType, Profile};

/// Most opaque bytes in one line.
const PER_LINE: usize = 32;

/// Lines, each indented by its depth; the last one is not ended, as `Display` has it.
struct Tree<'a, 'f> {
    f: &'a mut fmt::Formatter<'f>,
    /// Whose names and numbers these are.
    profile: Profile,
    depth: usize,
    begun: bool,
}

impl<'a, 'f> Tree<'a, 'f> {
    const fn new(f: &'a mut fmt::Formatter<'f>, profile: Profile) -> Self {
        Self { f, profile, depth: 0, begun: false }
    }

    /// One line.
    fn line(&mut self, text: fmt::Arguments<'_>) -> fmt::Result {
        if self.begun {
            self.f.write_str("\n")?;
        }
        self.begun = true;
        for _ in 0..self.depth {
            self.f.write_str("  ")?;
        }
        self.f.write_fmt(text)
    }

    /// The lines that `lines` writes, one level deeper.
    fn deeper(&mut self, lines: impl FnOnce(&mut Self) -> fmt::Result) -> fmt::Result {
        self.depth = self.depth.saturating_add(1);
        let result = lines(self);
        self.depth = self.depth.saturating_sub(1);
        result
    }

    /// A field and its value.
    fn field(&mut self, name: impl fmt::Display, value: impl fmt::Display) -> fmt::Result {
        self.line(format_args!("{name}: {value}"))
    }

    /// A field of opaque bytes: in one line, or all of them in lines of their own when `{:#}` asks for that.
    fn bytes(&mut self, name: impl fmt::Display, bytes: &[u8]) -> fmt::Result {
        let count = bytes.len();
        let Some((begin, _)) = bytes.split_at_checked(PER_LINE).filter(|(_, rest)| !rest.is_empty()) else {
            return if count == 0 { self.field(name, "0 bytes") } else { self.field(name, Hex(bytes)) };
        };
        if !self.f.alternate() {
            return self.line(format_args!("{name}: {}.. ({count} bytes)", Hex(begin)));
        }
        self.line(format_args!("{name}: {count} bytes"))?;
        self.deeper(|tree| bytes.chunks(PER_LINE).try_for_each(|line| tree.line(format_args!("{}", Hex(line)))))
    }

    /// A fault of the fields printed before.
    fn error(&mut self, error: WireError) -> fmt::Result {
        self.line(format_args!("error: {error}"))
    }
}

/// Bytes in hexadecimal.
struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What can be printed as lines of a tree.
trait Print {
    fn print(&self, tree: &mut Tree<'_, '_>) -> fmt::Result;
}

/// What a dialect calls a payload.
struct Called(Profile, u8, PayloadType);

impl fmt::Display for Called {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(profile, code, payload) = *self;
        match profile.rules().payload_name(code) {
            Some(name) => f.write_str(name),
            None => payload.fmt(f),
        }
    }
}

/// The SAI of an eight-byte field, its restricted bytes left out.
struct Shown(Profile, Sai);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(profile, Sai(sai)) = *self;
        let digits = 16_usize.saturating_sub(profile.rules().sai_offset.saturating_mul(2));
        write!(f, "{sai:0digits$x}")
    }
}

/// A NEXT PAYLOAD code and what a dialect calls it.
struct Next(Profile, u8);

impl fmt::Display for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(profile, code) = *self;
        match profile.rules().payload_type(code) {
            Some(payload) => write!(f, "{code:02X}h, {}", Called(profile, code, payload)),
            None if code == 0 => write!(f, "00h, No Next Payload"),
            None => write!(f, "{code:02X}h, not recognised"),
        }
    }
}

/// The fields of a header; with a profile, codes are followed by their names.
fn print_header(header: &Header, profile: Option<Profile>, tree: &mut Tree<'_, '_>) -> fmt::Result {
    let shown = |sai| Shown(tree.profile, sai);
    let (ac_sai, ds_sai) = (shown(header.ac_sai), shown(header.ds_sai));
    tree.field(Field::AcSai, ac_sai)?;
    tree.field(Field::DsSai, ds_sai)?;
    match profile {
        Some(profile) => tree.field(Field::NextPayload, Next(profile, header.next_payload))?,
        None => tree.field(Field::NextPayload, format_args!("{:02X}h", header.next_payload))?,
    }
    tree.field(Field::MajorVersion, header.major_version)?;
    tree.field("MINOR VERSION", header.minor_version)?;
    let name = profile.and_then(|profile| exchange_name(profile, header.exchange_type));
    let (comma, name) = name.map_or(("", ""), |name| (", ", name));
    tree.field(Field::ExchangeType, format_args!("{:02X}h{comma}{name}", header.exchange_type))?;
    tree.field(Field::Inttr, u8::from(header.initiator))?;
    tree.field("VERSION", u8::from(header.version))?;
    tree.field(Field::Rspns, u8::from(header.response))?;
    tree.field(Field::MessageId, header.message_id)?;
    tree.field(Field::Length, header.length)
}

/// The names of r3 7.7.3.1.1's list of exchange types, or that the dialect has none.
fn exchange_name(profile: Profile, code: u8) -> Option<&'static str> {
    let names = ["Key Exchange phase", "Authentication phase", "Delete operation"];
    let Some(types) = profile.rules().exchange_types else { return Some("reserved") };
    let mut named = types.iter().zip(names);
    named.find(|(known, _)| **known == code).map(|(_, name)| name)
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print_header(self, None, &mut Tree::new(f, Profile::default()))
    }
}

/// The line above a payload's fields.
fn print_title(code: u8, payload: Option<PayloadType>, at: usize, tree: &mut Tree<'_, '_>) -> fmt::Result {
    match payload.map(|payload| Called(tree.profile, code, payload)) {
        Some(called) => tree.line(format_args!("Payload {code:02X}h: {called}, byte {at}")),
        None => tree.line(format_args!("Payload {code:02X}h: not recognised, byte {at}")),
    }
}

impl Message<'_> {
    fn print_payloads(&self, chain: Chain<'_>, opened: Option<&Opened>, tree: &mut Tree<'_, '_>) -> fmt::Result {
        for raw in chain {
            match raw {
                Ok(raw) => self.print_payload(&raw, opened, tree)?,
                Err(error) => tree.error(error)?,
            }
        }
        Ok(())
    }

    fn print_payload(&self, raw: &RawPayload<'_>, opened: Option<&Opened>, tree: &mut Tree<'_, '_>) -> fmt::Result {
        print_title(raw.code, raw.payload, raw.at, tree)?;
        tree.deeper(|tree| {
            tree.field(Field::NextPayload, Next(self.profile, raw.next))?;
            tree.field("CRIT", u8::from(raw.critical))?;
            tree.field(Field::PayloadLength, raw.data.len().saturating_add(RawPayload::HEADER_LEN))?;
            if let Some(opened) = opened.filter(|opened| opened.at == raw.at) {
                return self.print_opened(opened, tree);
            }
            match Payload::parse(self.profile, raw) {
                Ok(Payload::Timeouts(timeouts)) => timeouts.print_all(raw.data, tree),
                Ok(payload) => payload.print(tree),
                Err(error) => {
                    tree.bytes("PAYLOAD DATA", raw.data)?;
                    tree.error(error)
                }
            }
        })
    }

    /// The fields of an opened Encrypted payload, by the names of RFC 4306 3.14.
    fn print_opened(&self, opened: &Opened, tree: &mut Tree<'_, '_>) -> fmt::Result {
        let part = |from: usize, to: usize| self.bytes.get(from..to).unwrap_or_default();
        let iv_at = opened.at.saturating_add(RawPayload::HEADER_LEN);
        tree.bytes(Field::InitializationVector, part(iv_at, opened.text_at))?;
        if let Some(chain) = self.inner_payloads() {
            self.print_payloads(chain, None, tree)?;
        }
        let padding = part(opened.inner_end, opened.icv_at.saturating_sub(1));
        tree.bytes("PADDING", padding)?;
        tree.field(Field::PadLength, padding.len())?;
        if let Some(error) = opened.wrong_padding {
            tree.error(error)?;
        }
        tree.bytes(Field::IntegrityChecksumData, part(opened.icv_at, self.bytes.len()))
    }
}

impl fmt::Display for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tree = &mut Tree::new(f, self.profile);
        tree.line(format_args!("IKEv2-SCSI header, byte 0"))?;
        tree.deeper(|tree| {
            print_header(&self.header, Some(self.profile), tree)?;
            if usize::try_from(self.header.length) == Ok(self.bytes.len()) {
                return Ok(());
            }
            tree.error(WireError::new(Header::LENGTH_AT, Field::Length, WireErrorKind::Length))
        })?;
        self.print_payloads(self.payloads(), self.opened.as_ref(), tree)
    }
}

/// The whole parameter data of the Device Server Capabilities phase, its lengths as
/// [`Capabilities::emit_parameter_data`] writes them.
impl fmt::Display for Capabilities<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tree = &mut Tree::new(f, self.profile);
        let payload_length = Body::len(self).saturating_add(RawPayload::HEADER_LEN);
        tree.line(format_args!("IKEv2-SCSI Device Server Capabilities parameter data, byte 0"))?;
        tree.deeper(|tree| tree.field(Field::ParameterDataLength, payload_length))?;
        let code = self.profile.rules().payload_code(PayloadType::Capabilities);
        let called = Called(self.profile, code, PayloadType::Capabilities);
        tree.line(format_args!("Payload: {called}, byte {}", Self::PAYLOAD_AT))?;
        tree.deeper(|tree| {
            tree.field(Field::NextPayload, "00h, No Next Payload")?;
            tree.field(Field::PayloadLength, payload_length)?;
            self.print(tree)
        })
    }
}
