//! Parameter data as lines of text, Encrypted payloads opened where there are keys for them.

use std::fmt::Display;

use ikev2_scsi::algorithm::{self, AlgorithmType};
use ikev2_scsi::crypto::{Cipher, Integrity, Secret};
use ikev2_scsi::dialect::PayloadType;
use ikev2_scsi::keys::{ProtectError, Protection, open};
use ikev2_scsi::wire::{
    Capabilities, CapabilityFormats, Cdb, CertificateData, Direction, Encrypted, Message, RawPayload,
    SupportedProtocols, WireError, find, protocol, specific,
};
use ikev2_scsi::{Profile, provider};

use super::hex;

/// Bytes in one line of hexadecimal.
const PER_LINE: usize = 32;

/// The algorithms that protect Encrypted payloads.
#[derive(Clone, Copy)]
pub(crate) struct Algorithms {
    profile: Profile,
    cipher: &'static dyn Cipher,
    integrity: Option<&'static dyn Integrity>,
}

impl Algorithms {
    /// Looks them up, by the profile's numbers, among those of this build; the error says what is missing.
    pub(crate) fn find(profile: Profile, encryption: u32, key_length: u16, integrity: u32) -> Result<Self, String> {
        let lacks = |kind: AlgorithmType, identifier: u32| {
            let number = algorithm::numbered(profile, kind.code(), identifier);
            let name = number.map_or(String::new(), |number| format!(" ({})", number.name));
            format!("this build lacks {} {identifier:08X}h{name}", kind.name())
        };
        let row = |kind: AlgorithmType, identifier| {
            algorithm::numbered(profile, kind.code(), identifier).map(|number| number.row.identifier)
        };
        let cipher = row(AlgorithmType::Encryption, encryption)
            .and_then(|identifier| provider::provider().cipher(identifier, key_length))
            .ok_or_else(|| format!("{} with KEY LENGTH {key_length}", lacks(AlgorithmType::Encryption, encryption)))?;
        let integrity = match row(AlgorithmType::Integrity, integrity) {
            Some(algorithm::INTEG_NONE) => None,
            known => {
                let found = known.and_then(|identifier| provider::provider().integrity(identifier));
                Some(found.ok_or_else(|| lacks(AlgorithmType::Integrity, integrity))?)
            }
        };
        Ok(Self { profile, cipher, integrity })
    }
}

/// The keys of one exchange, of both directions.
pub(crate) struct Keys {
    algorithms: Algorithms,
    /// SK_ei and SK_ai.
    outgoing: (Secret, Secret),
    /// SK_er and SK_ar.
    incoming: (Secret, Secret),
}

impl Keys {
    /// Takes the keys by the names that a key log has for them; `None` while there are none. Integrity keys may be
    /// missing: a combined mode has none.
    pub(crate) fn collect(algorithms: Algorithms, value: impl Fn(&str) -> Option<Secret>) -> Option<Self> {
        let pair =
            |encryption, integrity| Some((value(encryption)?, value(integrity).unwrap_or_else(|| Secret::zeroed(0))));
        Some(Self { algorithms, outgoing: pair("SK_ei", "SK_ai")?, incoming: pair("SK_er", "SK_ar")? })
    }

    fn protection(&self, direction: Direction) -> Protection<'_> {
        let Algorithms { cipher, integrity, .. } = self.algorithms;
        let (cipher_key, integrity_key) = match direction {
            Direction::Out => &self.outgoing,
            Direction::In => &self.incoming,
        };
        Protection { cipher, cipher_key: cipher_key.expose(), integrity, integrity_key: integrity_key.expose() }
    }

    /// The message with its Encrypted payload opened in place, and where that is.
    fn open(
        &self,
        direction: Direction,
        bytes: &[u8],
        raw: &RawPayload<'_>,
    ) -> Result<(Vec<u8>, Encrypted), ProtectError> {
        let protection = self.protection(direction);
        let encrypted = protection.divide(raw)?;
        let mut opened = bytes.to_vec();
        open(self.algorithms.profile, &protection, &mut opened, &encrypted)?;
        Ok((opened, encrypted))
    }
}

/// What Encrypted payloads are opened with, or why they are not.
pub(crate) type Keyring = Result<Vec<Keys>, String>;

/// Writes parameter data as text: long opaque bytes shortened, or in full.
#[derive(Clone, Copy)]
pub(crate) struct Dissector<'a> {
    pub(crate) profile: Profile,
    pub(crate) keyring: &'a Keyring,
    pub(crate) in_full: bool,
}

impl Dissector<'_> {
    /// The parameter data of a command.
    pub(crate) fn parameter_data(&self, cdb: &Cdb, data: &[u8]) -> String {
        match (cdb.direction, cdb.protocol, cdb.specific) {
            (Direction::In, protocol::INFORMATION, specific::SUPPORTED_LIST) => {
                self.parsed(SupportedProtocols::parse(data), data)
            }
            (Direction::In, protocol::INFORMATION, specific::CERTIFICATE_DATA) => {
                self.parsed(CertificateData::parse(data), data)
            }
            (Direction::In, protocol::SA_CREATION_CAPABILITIES, specific::CAPABILITY_FORMATS) => {
                self.parsed(CapabilityFormats::parse(data), data)
            }
            (Direction::In, protocol::SA_CREATION_CAPABILITIES, _) => {
                self.parsed(Capabilities::parse_parameter_data(self.profile, data), data)
            }
            (_, protocol::IKEV2_SCSI, _) => self.message(cdb.direction, data),
            _ => hex_lines(data),
        }
    }

    /// A message that went in the direction.
    pub(crate) fn message(&self, direction: Direction, data: &[u8]) -> String {
        let parsed = Message::parse(self.profile, data);
        let encrypted = parsed.ok().and_then(|message| find(&message.payloads(), PayloadType::Encrypted));
        let Some(encrypted) = encrypted else { return self.parsed(parsed, data) };
        let why = match self.keyring {
            Err(why) => why.clone(),
            Ok(keys) => {
                let mut why = String::new();
                for keys in keys {
                    match keys.open(direction, data, &encrypted) {
                        Ok((opened, at)) => return self.opened(&opened, &at),
                        Err(error) => why = error.to_string(),
                    }
                }
                why
            }
        };
        format!("{}\nnot opened: {why}", self.parsed(parsed, data))
    }

    fn opened(&self, message: &[u8], encrypted: &Encrypted) -> String {
        let parsed = Message::parse(self.profile, message).and_then(|message| message.with_opened(encrypted));
        self.parsed(parsed, message)
    }

    /// What was read, or the bytes and why they were not.
    pub(crate) fn parsed(&self, parsed: Result<impl Display, WireError>, data: &[u8]) -> String {
        match parsed {
            Ok(value) if self.in_full => format!("{value:#}"),
            Ok(value) => value.to_string(),
            Err(error) if data.is_empty() => format!("error: {error}"),
            Err(error) => format!("{}\nerror: {error}", hex_lines(data)),
        }
    }
}

/// Bytes in lines of hexadecimal.
pub(crate) fn hex_lines(bytes: &[u8]) -> String {
    bytes.chunks(PER_LINE).map(hex::encode).collect::<Vec<_>>().join("\n")
}

/// The lines of a text, each two columns further to the right.
pub(crate) fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}
