//! The fields of every payload, in the order of the bytes.

use core::fmt;

use super::super::notice::{INITIAL_CONTACT, PROTOCOL_ID, SAI_SIZE};
use super::super::{
    Algorithms, Authentication, Body, Capabilities, Certificate, CertificateEncoding, CertificateRequest, Delete,
    Descriptor, Descriptors, Field, Identification, KeyExchange, Nonce, Notify, Payload, SaAlgorithms, SaUsage,
    Timeouts, VendorId,
};
use super::{Print, Shown, Tree};
use crate::algorithm::{self, AlgorithmType};
use crate::dialect::Profile;

/// Gives types that can be printed as lines their `Display`, by the names of one dialect; a whole message knows its own.
macro_rules! display {
    ($profile:expr; $($name:ty),* $(,)?) => {
        $(impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.print(&mut Tree::new(f, $profile))
            }
        })*
    };
}

display!(Profile::R3;
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
#[cfg(any(test, feature = "spc4"))]
display!(Profile::SPC4; SaAlgorithms<'_>, SaUsage<'_>);

/// What stands behind a number that has a name.
struct Named(Option<&'static str>);

impl Named {
    /// A number that is the low half of an ALGORITHM IDENTIFIER: it is the row's in every dialect that has the algorithm.
    fn low_half(profile: Profile, algorithm_type: AlgorithmType, identifier: u32) -> Self {
        let wire = algorithm::number_of(profile, algorithm_type, identifier);
        let number = wire.and_then(|wire| algorithm::numbered(profile, algorithm_type.code(), wire));
        Self(number.map(|number| number.name))
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

/// A descriptor by r3's numbers and names.
impl fmt::Display for Descriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Described(Profile::R3, *self).fmt(f)
    }
}

/// A descriptor by the numbers and names of a dialect.
struct Described(Profile, Descriptor);

/// One line: the attributes that the type of algorithm defines, and reserved ones only where they are not zero.
impl fmt::Display for Described {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(profile, descriptor) = self;
        let Descriptor { algorithm_type, identifier, attributes } = *descriptor;
        let [i0, i1, i2, i3] = identifier.to_be_bytes();
        let known = algorithm::numbered_type(*profile, algorithm_type);
        let name = Named(known.map(|known| known.name));
        write!(f, "{} {algorithm_type:02X}h{name}; ", Field::AlgorithmType)?;
        let name = Named(algorithm::numbered(*profile, algorithm_type, identifier).map(|number| number.name));
        write!(f, "{} {i0:02X}{i1:02X} {i2:02X}{i3:02X}h{name}", Field::AlgorithmIdentifier)?;
        let [a0, a1, a2, a3] = attributes;
        let reserved = match known {
            Some(known) if known.algorithm_type == AlgorithmType::Encryption => {
                write!(f, "; {} {}", Field::KeyLength, descriptor.key_length())?;
                (a0, a1) != (0, 0)
            }
            Some(known) if known.has_use_and_accept => {
                write!(f, "; USE {}; ACCEPT {}", u8::from(descriptor.may_use()), u8::from(descriptor.accept()))?;
                (a0 & !(Descriptor::USE | Descriptor::ACCEPT), a1, a2, a3) != (0, 0, 0, 0)
            }
            _ => attributes != [0; 4],
        };
        if reserved { write!(f, "; ALGORITHM ATTRIBUTES {a0:02x}{a1:02x}{a2:02x}{a3:02x}") } else { Ok(()) }
    }
}

impl Print for Descriptors<'_> {
    fn print(&self, tree: &mut Tree<'_, '_>) -> fmt::Result {
        let profile = tree.profile;
        self.iter().try_for_each(|descriptor| tree.line(format_args!("{}", Described(profile, descriptor))))
    }
}

fn print_descriptors(descriptors: Descriptors<'_>, tree: &mut Tree<'_, '_>) -> fmt::Result {
    tree.line(format_args!("ALGORITHM DESCRIPTORS:"))?;
    tree.deeper(|tree| descriptors.print(tree))
}

impl Print for Capabilities<'_> {
    fn print(&self, tree: &mut Tree<'_, '_>) -> fmt::Result {
        tree.field(Field::count_of_descriptors(self.profile), self.descriptors.len())?;
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

impl Print for SaAlgorithms<'_> {
    fn print(&self, tree: &mut Tree<'_, '_>) -> fmt::Result {
        tree.field(Field::UsageDataLength, 0)?;
        tree.field(Field::NumberOfDescriptors, self.descriptors.len())?;
        print_descriptors(self.descriptors, tree)
    }
}

impl Print for SaUsage<'_> {
    fn print(&self, tree: &mut Tree<'_, '_>) -> fmt::Result {
        tree.field(Field::SaType, format_args!("{:04X}h", self.sa_type))?;
        tree.field(Field::UsageDataLength, self.usage_data.len())?;
        if !self.usage_data.is_empty() {
            tree.bytes(Field::UsageData, self.usage_data)?;
        }
        tree.field(Field::NumberOfDescriptors, self.descriptors.len())?;
        print_descriptors(self.descriptors, tree)
    }
}

impl Timeouts {
    /// The fields of a payload that was received with `data`, which may hold values that nobody looks at.
    pub(super) fn print_all(self, data: &[u8], tree: &mut Tree<'_, '_>) -> fmt::Result {
        let (fields, further) = data.split_at_checked(Body::len(&self)).unwrap_or((data, &[]));
        let count = fields.get(3).copied().unwrap_or(Self::COUNT);
        tree.field(Field::NumberOfTimeoutValues, count)?;
        tree.field(Field::ProtocolTimeout, self.protocol)?;
        tree.field(Field::InactivityTimeout, self.inactivity)?;
        if further.is_empty() { Ok(()) } else { tree.bytes("further TIMEOUT VALUES", further) }
    }
}

impl Print for Timeouts {
    fn print(&self, tree: &mut Tree<'_, '_>) -> fmt::Result {
        self.print_all(&[], tree)
    }
}

impl Print for KeyExchange<'_> {
    fn print(&self, tree: &mut Tree<'_, '_>) -> fmt::Result {
        let name = Named::low_half(tree.profile, AlgorithmType::DiffieHellman, u32::from(self.group));
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
        let name = Named::low_half(tree.profile, AlgorithmType::Authentication, u32::from(self.method));
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
        let sai = Shown(tree.profile, self.sai);
        tree.field(Field::Sai, sai)
    }
}

impl Print for Delete {
    fn print(&self, tree: &mut Tree<'_, '_>) -> fmt::Result {
        print_frame(tree)?;
        tree.field(Field::NumberOfSais, self.number_of_sais())?;
        let shown = |sai| Shown(tree.profile, sai);
        let (ac_sai, ds_sai) = (shown(self.ac_sai), self.ds_sai.map(shown));
        let Some(ds_sai) = ds_sai else { return tree.field(Field::DeletedSai, ac_sai) };
        tree.field(Field::DeletedAcSai, ac_sai)?;
        tree.field(Field::DeletedDsSai, ds_sai)
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
            Self::SaAlgorithms(body) => body.print(tree),
            Self::SaUsage(body) => body.print(tree),
            Self::Unrecognised(data) => tree.bytes("PAYLOAD DATA", data),
        }
    }
}

/// Without the algorithms nobody knows where the parts of an Encrypted payload begin.
fn print_unopened(data: &[u8], tree: &mut Tree<'_, '_>) -> fmt::Result {
    let name = "INITIALIZATION VECTOR, ciphertext and INTEGRITY CHECKSUM DATA";
    if tree.f.alternate() { tree.bytes(name, data) } else { tree.field(name, format_args!("{} bytes", data.len())) }
}
