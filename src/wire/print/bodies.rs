//! The fields of every payload, in the order of the bytes.

use core::fmt;

use super::super::notice::{INITIAL_CONTACT, PROTOCOL_ID, SAI_SIZE};
use super::super::{
    Algorithms, Authentication, Capabilities, Certificate, CertificateEncoding, CertificateRequest, Delete, Descriptor,
    Descriptors, Field, Identification, KeyExchange, Nonce, Notify, Payload, Timeouts, VendorId,
};
use super::{Print, Tree};
use crate::algorithm::{self, AlgorithmType};

/// Gives types that can be printed as lines their `Display`.
macro_rules! display {
    ($($name:ty),* $(,)?) => {
        $(impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.print(&mut Tree::new(f))
            }
        })*
    };
}

display!(
    Algorithms<'_>,
    Authentication<'_>,
    Certificate<'_>,
    CertificateRequest<'_>,
    Delete,
    Descriptors<'_>,
    Identification<'_>,
    KeyExchange<'_>,
    Nonce<'_>,
    Notify,
    Payload<'_>,
    Timeouts,
    VendorId<'_>,
);

/// What stands behind a number that has a name.
struct Named(Option<&'static str>);

impl Named {
    fn algorithm(algorithm_type: AlgorithmType, identifier: u32) -> Self {
        Self(algorithm::find(algorithm_type, identifier).map(|algorithm| algorithm.name))
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |name| write!(f, ", {name}"))
    }
}

/// Bytes that happen to be text, as text beside the hexadecimal; nothing for other bytes.
fn print_text(bytes: &[u8], tree: &mut Tree<'_, '_>) -> fmt::Result {
    let printable = !bytes.is_empty() && bytes.iter().all(|byte| matches!(byte, b' '..=b'~'));
    match core::str::from_utf8(bytes) {
        Ok(text) if printable => tree.deeper(|tree| tree.line(format_args!("\"{text}\""))),
        _ => Ok(()),
    }
}

/// One line: the attributes that the type of algorithm defines, and reserved ones only where they are not zero.
impl fmt::Display for Descriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [i0, i1, i2, i3] = self.identifier.to_be_bytes();
        let known = AlgorithmType::from_code(self.algorithm_type);
        let name = Named(known.map(AlgorithmType::name));
        write!(f, "{} {:02X}h{name}; ", Field::AlgorithmType, self.algorithm_type)?;
        let name = known.map_or(Named(None), |known| Named::algorithm(known, self.identifier));
        write!(f, "{} {i0:02X}{i1:02X} {i2:02X}{i3:02X}h{name}", Field::AlgorithmIdentifier)?;
        let [a0, a1, a2, a3] = self.attributes;
        let reserved = match known {
            Some(AlgorithmType::Encryption) => {
                write!(f, "; {} {}", Field::KeyLength, self.key_length())?;
                (a0, a1) != (0, 0)
            }
            Some(AlgorithmType::Authentication) => {
                write!(f, "; USE {}; ACCEPT {}", u8::from(self.may_use()), u8::from(self.accept()))?;
                (a0 & !(Self::USE | Self::ACCEPT), a1, a2, a3) != (0, 0, 0, 0)
            }
            _ => self.attributes != [0; 4],
        };
        if reserved { write!(f, "; ALGORITHM ATTRIBUTES {a0:02x}{a1:02x}{a2:02x}{a3:02x}") } else { Ok(()) }
    }
}

impl Print for Descriptors<'_> {
    fn print(&self, tree: &mut Tree<'_, '_>) -> fmt::Result {
        self.iter().try_for_each(|descriptor| tree.line(format_args!("{descriptor}")))
    }
}

fn print_descriptors(descriptors: Descriptors<'_>, tree: &mut Tree<'_, '_>) -> fmt::Result {
    tree.line(format_args!("ALGORITHM DESCRIPTORS:"))?;
    tree.deeper(|tree| descriptors.print(tree))
}

impl Print for Capabilities<'_> {
    fn print(&self, tree: &mut Tree<'_, '_>) -> fmt::Result {
        tree.field(Field::NumberOfTransforms, self.descriptors.len())?;
        print_descriptors(self.descriptors, tree)
    }
}

impl Print for Algorithms<'_> {
    fn print(&self, tree: &mut Tree<'_, '_>) -> fmt::Result {
        tree.field(Field::NumberOfTransforms, self.descriptors.len())?;
        tree.field(Field::SecurityAssociationType, format_args!("{:02X}h", self.sa_type))?;
        tree.field(Field::UsageDataLength, self.usage_data.len())?;
        tree.field(Field::Said, self.said)?;
        if !self.usage_data.is_empty() {
            tree.bytes(Field::UsageData, self.usage_data)?;
        }
        print_descriptors(self.descriptors, tree)
    }
}

impl Print for Timeouts {
    fn print(&self, tree: &mut Tree<'_, '_>) -> fmt::Result {
        tree.field(Field::NumberOfTimeoutValues, Self::COUNT)?;
        tree.field(Field::ProtocolTimeout, self.protocol)?;
        tree.field(Field::InactivityTimeout, self.inactivity)
    }
}

impl Print for KeyExchange<'_> {
    fn print(&self, tree: &mut Tree<'_, '_>) -> fmt::Result {
        let name = Named::algorithm(AlgorithmType::DiffieHellman, u32::from(self.group));
        tree.field(Field::GroupNumber, format_args!("{:04X}h{name}", self.group))?;
        tree.bytes(Field::KeyExchangeData, self.public)
    }
}

impl Print for Nonce<'_> {
    fn print(&self, tree: &mut Tree<'_, '_>) -> fmt::Result {
        tree.bytes(Field::NonceData, self.data)
    }
}

impl Print for Identification<'_> {
    fn print(&self, tree: &mut Tree<'_, '_>) -> fmt::Result {
        tree.field(Field::IdType, format_args!("{}, {}", self.id_type.code(), self.id_type.name()))?;
        tree.bytes(Field::IdentificationData, self.data)?;
        print_text(self.data, tree)
    }
}

fn print_encoding(encoding: CertificateEncoding, tree: &mut Tree<'_, '_>) -> fmt::Result {
    tree.field(Field::CertificateEncoding, format_args!("{:02X}h, {}", encoding.code(), encoding.name()))
}

impl Print for Certificate<'_> {
    fn print(&self, tree: &mut Tree<'_, '_>) -> fmt::Result {
        print_encoding(self.encoding, tree)?;
        tree.bytes("CERTIFICATE DATA", self.data)
    }
}

impl Print for CertificateRequest<'_> {
    fn print(&self, tree: &mut Tree<'_, '_>) -> fmt::Result {
        print_encoding(self.encoding, tree)?;
        self.authorities.iter().try_for_each(|authority| tree.bytes("CERTIFICATION AUTHORITY", authority))
    }
}

impl Print for Authentication<'_> {
    fn print(&self, tree: &mut Tree<'_, '_>) -> fmt::Result {
        let name = Named::algorithm(AlgorithmType::Authentication, u32::from(self.method));
        tree.field(Field::AuthMethod, format_args!("{}{name}", self.method))?;
        tree.bytes(Field::AuthenticationData, self.data)
    }
}

fn print_frame(tree: &mut Tree<'_, '_>) -> fmt::Result {
    tree.field(Field::ProtocolId, PROTOCOL_ID)?;
    tree.field(Field::SaiSize, SAI_SIZE)
}

impl Print for Notify {
    fn print(&self, tree: &mut Tree<'_, '_>) -> fmt::Result {
        print_frame(tree)?;
        tree.field(Field::NotifyMessageType, format_args!("{INITIAL_CONTACT}, Initial Contact"))?;
        tree.field(Field::Sai, self.sai)
    }
}

impl Print for Delete {
    fn print(&self, tree: &mut Tree<'_, '_>) -> fmt::Result {
        print_frame(tree)?;
        tree.field(Field::NumberOfSais, Self::NUMBER_OF_SAIS)?;
        tree.field(Field::DeletedSai, self.ac_sai)
    }
}

impl Print for VendorId<'_> {
    fn print(&self, tree: &mut Tree<'_, '_>) -> fmt::Result {
        tree.bytes("VENDOR ID", self.data)?;
        print_text(self.data, tree)
    }
}

impl Print for Payload<'_> {
    fn print(&self, tree: &mut Tree<'_, '_>) -> fmt::Result {
        match self {
            Self::KeyExchange(body) => body.print(tree),
            Self::Identification(body) => body.print(tree),
            Self::Certificate(body) => body.print(tree),
            Self::CertificateRequest(body) => body.print(tree),
            Self::Authentication(body) => body.print(tree),
            Self::Nonce(body) => body.print(tree),
            Self::Notify(body) => body.print(tree),
            Self::Delete(body) => body.print(tree),
            Self::VendorId(body) => body.print(tree),
            Self::Encrypted(data) => print_unopened(data, tree),
            Self::Capabilities(body) => body.print(tree),
            Self::Algorithms(body) => body.print(tree),
            Self::Timeouts(body) => body.print(tree),
            Self::Unrecognised(data) => tree.bytes("PAYLOAD DATA", data),
        }
    }
}

/// Without the algorithms nobody knows where the parts of an Encrypted payload begin.
fn print_unopened(data: &[u8], tree: &mut Tree<'_, '_>) -> fmt::Result {
    let name = "INITIALIZATION VECTOR, ciphertext and INTEGRITY CHECKSUM DATA";
    if tree.f.alternate() { tree.bytes(name, data) } else { tree.field(name, format_args!("{} bytes", data.len())) }
}
