//! Bytes and nothing else: what goes over SECURITY PROTOCOL IN and OUT (r3 7.7.2-7.7.4, 7.7.6).
//!
//! Every format has a type that borrows what it read, and the same type writes: `parse`, `len`, `emit`, `Display`.
//! Nothing here allocates, keeps state or knows a key. Every error tells the byte that is wrong ([`WireError`]), which
//! becomes the FIELD POINTER of the sense data.
//!
//! | file | format | clause |
//! | --- | --- | --- |
//! | `cdb` | SECURITY PROTOCOL IN and OUT, parameter data of protocol 00h | r3 6.29, 6.30, 7.7.3.0b, 7.7.6.2 |
//! | `header` | the 28-byte IKEv2-SCSI header | r3 7.7.3.1 |
//! | `payload` | the payload chain, CRIT rule, order and number of payloads | r3 7.7.3.1, 7.7.4.1, reading R6 |
//! | `capabilities` | Device Server Capabilities parameter data, SSCC | r3 7.7.2.2, 7.7.4.11 |
//! | `algorithms` | SCA, algorithm descriptors | r3 7.7.4.11.1, 7.7.4.12 |
//! | `timeouts` | STV | r3 7.7.4.13 |
//! | `key_exchange` | KE, NONCE | r3 7.7.4.3, 7.7.4.7 |
//! | `identity` | ID, CERT, CERTREQ, AUTH | r3 7.7.4.4-7.7.4.6 |
//! | `notice` | Notify, Delete, Vendor ID | r3 7.7.4.8a-7.7.4.9 |
//! | `encrypted` | Encrypted: framing, padding | r3 7.7.4.10 |
//! | `message` | a whole message, to be written or printed | r3 7.7.3.1 |
//! | `print` | `Display` of all of these | |

mod algorithms;
mod capabilities;
mod cdb;
mod codec;
mod encrypted;
mod error;
mod header;
mod identity;
mod key_exchange;
mod message;
mod notice;
mod payload;
mod print;
mod timeouts;

#[cfg(test)]
mod tests;

pub use algorithms::{Algorithms, Descriptor, Descriptors};
pub use capabilities::Capabilities;
pub use cdb::{Cdb, CertificateData, Direction, SupportedProtocols, protocol, specific};
pub use codec::{Body, EmitError, Reader, Writer};
pub use encrypted::{Encrypted, pad_length_for};
pub use error::{Field, WireError, WireErrorKind};
pub use header::{Expected, Header, Sai};
pub use identity::{Authentication, Certificate, CertificateEncoding, CertificateRequest, IdType, Identification};
pub use key_exchange::{KeyExchange, Nonce};
pub use message::{Message, MessageWriter};
pub use notice::{Delete, Notify, VendorId};
pub use payload::{Chain, Payload, RawPayload, check_order, find};
pub use timeouts::Timeouts;
