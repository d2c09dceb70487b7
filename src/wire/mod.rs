//! Bytes and nothing else: what goes over SECURITY PROTOCOL IN and OUT (r3 7.7.2-7.7.4, 7.7.6; SPC-4 7.7.2, 7.7.3).
//!
//! Every format has a type that borrows what it read, and the same type writes: `parse`, `len`, `emit`, `Display`.
//! Nothing here allocates, keeps state or knows a key. Every error tells the byte that is wrong ([`WireError`]), which
//! becomes the FIELD POINTER of the sense data.
//!
//! | file | format | clause |
//! | --- | --- | --- |
//! | `cdb` | SECURITY PROTOCOL IN and OUT, parameter data of protocol 00h | r3 6.29, 6.30, 7.7.3.0b, 7.7.6.2 |
//! | `header` | the 28-byte IKEv2-SCSI header | r3 7.7.3.1 |
//! | `payload` | the payload chain | r3 7.7.3.1, 7.7.4.1 |
//! | `order` | CRIT rule, order and number of payloads | r3 7.7.3.1, 7.7.4.1, reading R6; SPC-4 7.7.3.4, reading S3 |
//! | `capabilities` | Device Server Capabilities parameter data, SSCC, list of formats | r3 7.7.2.2, 7.7.4.11, SPC-4 7.7.2.3 |
//! | `algorithms` | SCA, algorithm descriptors | r3 7.7.4.11.1, 7.7.4.12 |
//! | `sa_payloads` | SA Cryptographic Algorithms, SAUT Cryptographic Algorithms | SPC-4 7.7.3.5.13, 7.7.3.5.14 |
//! | `timeouts` | STV | r3 7.7.4.13 |
//! | `key_exchange` | KE, NONCE | r3 7.7.4.3, 7.7.4.7 |
//! | `identity` | ID, CERT, CERTREQ, AUTH | r3 7.7.4.4-7.7.4.6 |
//! | `notice` | Notify, Delete, Vendor ID | r3 7.7.4.8a-7.7.4.9, SPC-4 7.7.3.5.9, 7.7.3.5.10 |
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
mod order;
mod payload;
mod print;
mod sa_payloads;
mod timeouts;

#[cfg(test)]
mod tests;

pub use algorithms::{Algorithms, Descriptor, Descriptors};
pub use capabilities::{Capabilities, CapabilityFormats};
pub use cdb::{Cdb, CertificateData, Direction, SupportedProtocols, protocol, specific};
pub use codec::{Body, EmitError, Reader, Writer};
pub use encrypted::{Encrypted, pad_length_for};
pub use error::{Field, WireError, WireErrorKind};
pub use header::{Expected, Header, Sai};
pub use identity::{Authentication, Certificate, CertificateEncoding, CertificateRequest, IdType, Identification};
pub use key_exchange::{KeyExchange, Nonce};
pub use message::{Message, MessageWriter};
pub use notice::{Delete, Notify, VendorId};
pub use order::{check_order, find};
pub use payload::{Chain, Payload, RawPayload};
pub use sa_payloads::{SaAlgorithms, SaUsage};
pub use timeouts::Timeouts;
