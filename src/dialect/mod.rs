//! Where the dialects of the protocol differ, as data.
//!
//! T10/06-449r3 and SPC-4 do not interoperate. Every number in which they differ is a field of one structure, `Rules`, filled once
//! in the dialect's own file; the rooms to the right read the field and hold no `if dialect`. [`Profile`] is what an
//! embedder chooses for a logical unit.
//!
//! What lives here: payload codes and orders, header bits, exchange types, additional sense codes. What does not:
//! algorithms (room `algorithm`) and layouts (room `wire`).

mod payloads;
mod r3;
mod sense_codes;

pub use payloads::PayloadType;
pub(crate) use payloads::{Count, Slot};
pub use sense_codes::{Asc, SenseCodes};

/// Which text of the protocol a logical unit speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Dialect {
    /// T10/06-449r3.
    #[default]
    R3,
}

/// Bit positions of byte 19 of the IKEv2-SCSI header (reading R1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum HeaderFlags {
    /// As r3 Table E1 prints them: INTTR 10h, VERSION 08h, RSPNS 04h.
    #[default]
    T10,
    /// As RFC 4306 3.1 has them: Initiator 08h, Version 10h, Response 20h; for peers made from an IKEv2 stack.
    Rfc4306,
}

impl HeaderFlags {
    /// Bit number of the INTTR bit.
    pub(crate) const fn initiator_bit(self) -> u8 {
        match self {
            Self::T10 => 4,
            Self::Rfc4306 => 3,
        }
    }

    /// Bit number of the VERSION bit.
    pub(crate) const fn version_bit(self) -> u8 {
        match self {
            Self::T10 => 3,
            Self::Rfc4306 => 4,
        }
    }

    /// Bit number of the RSPNS bit.
    pub(crate) const fn response_bit(self) -> u8 {
        match self {
            Self::T10 => 2,
            Self::Rfc4306 => 5,
        }
    }
}

/// How one logical unit speaks: a dialect, and what its text leaves to the embedder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Profile {
    /// The text.
    pub dialect: Dialect,
    /// Header bit positions (reading R1).
    pub header_flags: HeaderFlags,
    /// Additional sense codes (reading R20).
    pub sense_codes: SenseCodes,
}

impl Profile {
    /// T10/06-449r3 with its own header bits and the sense codes that it recommends.
    pub const R3: Self = Self { dialect: Dialect::R3, header_flags: HeaderFlags::T10, sense_codes: SenseCodes::R3 };

    pub(crate) const fn rules(self) -> &'static Rules {
        match self.dialect {
            Dialect::R3 => &r3::RULES,
        }
    }
}

/// The messages of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exchange {
    /// Key Exchange phase SECURITY PROTOCOL OUT (r3 5.13.4.3.2).
    KeyExchangeOut,
    /// Key Exchange phase SECURITY PROTOCOL IN (r3 5.13.4.3.3).
    KeyExchangeIn,
    /// Authentication phase SECURITY PROTOCOL OUT (r3 5.13.4.4.2).
    AuthenticationOut,
    /// Authentication phase SECURITY PROTOCOL IN (r3 5.13.4.4.3).
    AuthenticationIn,
    /// Delete (r3 5.13.5).
    DeleteOut,
}

impl Exchange {
    /// True for parameter data that the application client sends.
    #[must_use]
    pub const fn is_out(self) -> bool {
        matches!(self, Self::KeyExchangeOut | Self::AuthenticationOut | Self::DeleteOut)
    }
}

/// The numbers of one dialect.
#[derive(Debug)]
pub(crate) struct Rules {
    /// NEXT PAYLOAD codes (r3 Table G1).
    pub(crate) payload_codes: &'static [(u8, PayloadType)],
    /// EXCHANGE TYPE of key exchange, authentication, delete (r3 7.7.3.1.1).
    pub(crate) exchange_types: [u8; 3],
    /// What is added to a PRF's identifier to make KDF_ID (r3 5.13.4.5 d, reading R33).
    pub(crate) kdf_id_base: u32,
    /// The pad string of shared key authentication (r3 7.7.4.6 d).
    pub(crate) key_pad: &'static [u8],
    /// Payloads of each message in their order, those of [`Rules::inner`] excepted.
    pub(crate) outer: fn(Exchange) -> &'static [Slot],
    /// Payloads inside the Encrypted payload in their order.
    pub(crate) inner: fn(Exchange) -> &'static [Slot],
}

impl Rules {
    pub(crate) const fn exchange_type(&self, exchange: Exchange) -> u8 {
        let [key_exchange, authentication, delete] = self.exchange_types;
        match exchange {
            Exchange::KeyExchangeOut | Exchange::KeyExchangeIn => key_exchange,
            Exchange::AuthenticationOut | Exchange::AuthenticationIn => authentication,
            Exchange::DeleteOut => delete,
        }
    }

    /// The payload type of a NEXT PAYLOAD code; `None` if the dialect does not recognise the code.
    pub(crate) fn payload_type(&self, code: u8) -> Option<PayloadType> {
        self.payload_codes.iter().find(|(known, _)| *known == code).map(|(_, payload)| *payload)
    }

    /// The NEXT PAYLOAD code of a payload type; 00h (No Next Payload) for one that the dialect does not have.
    pub(crate) fn payload_code(&self, payload: PayloadType) -> u8 {
        self.payload_codes.iter().find(|(_, known)| *known == payload).map_or(0, |(code, _)| *code)
    }
}
