//! The algorithm tables of r3 (7.7.4.11.1, Tables K1 to K6), each number once (readings R5, R9, R10, R14, R15).
//!
//! What lives here: identifiers, names, and sizes in bytes; in `numbers`, by which numbers a dialect knows the rows. What does not: implementations (room `provider`), and which of
//! them a device server offers (room `capabilities`).

mod numbers;

pub use numbers::{Number, NumberedType, number_of, numbered, numbered_type};
pub(crate) use numbers::{identifier_of, row_of};

/// ALGORITHM TYPE (r3 Table K1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlgorithmType {
    /// 01h, Table K2.
    Encryption,
    /// 02h, Table K3.
    PseudoRandom,
    /// 03h, Table K4.
    Integrity,
    /// 04h, Table K5.
    DiffieHellman,
    /// F9h, Table K6.
    Authentication,
}

impl AlgorithmType {
    /// Every type, by ascending code.
    pub const ALL: [Self; 5] =
        [Self::Encryption, Self::PseudoRandom, Self::Integrity, Self::DiffieHellman, Self::Authentication];

    /// The value on the wire.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Encryption => 0x01,
            Self::PseudoRandom => 0x02,
            Self::Integrity => 0x03,
            Self::DiffieHellman => 0x04,
            Self::Authentication => 0xF9,
        }
    }

    /// The type with this value; `None` for restricted and reserved values.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The abbreviation that Table K1 prints.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Encryption => "ENCR",
            Self::PseudoRandom => "PRF",
            Self::Integrity => "INTEG",
            Self::DiffieHellman => "D-H",
            Self::Authentication => "IKE-AUTH",
        }
    }
}

/// What every row of Tables K2 to K6 tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Algorithm {
    /// The table that the row is in.
    pub algorithm_type: AlgorithmType,
    /// ALGORITHM IDENTIFIER.
    pub identifier: u32,
    /// The name: the table's, or the registry's where the table describes.
    pub name: &'static str,
    /// True for "Mandatory".
    pub mandatory: bool,
    /// The document that the table refers to.
    pub reference: &'static str,
    /// Sizes in bytes.
    pub sizes: Sizes,
}

/// Sizes of an algorithm, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sizes {
    /// Of an encryption algorithm.
    Encryption(EncryptionSizes),
    /// Of a pseudo-random function.
    PseudoRandom {
        /// Output, which is also the length of SK_d, SK_pi and SK_pr.
        output: usize,
        /// Preferred key.
        key: usize,
    },
    /// Of an integrity algorithm.
    Integrity {
        /// Key.
        key: usize,
        /// INTEGRITY CHECKSUM DATA.
        icv: usize,
    },
    /// Of a Diffie-Hellman group.
    DiffieHellman {
        /// KEY EXCHANGE DATA.
        public: usize,
        /// Shared secret; r3's column "Key Size".
        shared: usize,
    },
    /// Of an IKE authentication algorithm: none.
    Authentication,
}

/// Sizes of an encryption algorithm, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncryptionSizes {
    /// KEY LENGTH values, ascending.
    pub key_lengths: &'static [u16],
    /// Key, where its length is not KEY LENGTH (3DES, reading R9).
    pub fixed_key: Option<usize>,
    /// Salt that follows the key in the key material.
    pub salt: usize,
    /// INITIALIZATION VECTOR.
    pub iv: usize,
    /// What the sender pads the plaintext to.
    pub alignment: usize,
    /// What a received ciphertext must be a multiple of.
    pub block: usize,
    /// ICV that the algorithm makes itself; zero if it is no combined mode.
    pub icv: usize,
}

impl EncryptionSizes {
    /// Bytes of key material that one direction takes for a KEY LENGTH: the key, then the salt (readings R9, R10).
    #[must_use]
    pub fn key_material(&self, key_length: u16) -> usize {
        self.fixed_key.unwrap_or(usize::from(key_length)).saturating_add(self.salt)
    }
}

const AES_KEYS: &[u16] = &[0x10, 0x20];

/// A row of Table K2.
const fn encryption(identifier: u32, name: &'static str, reference: &'static str, sizes: EncryptionSizes) -> Algorithm {
    let (algorithm_type, sizes) = (AlgorithmType::Encryption, Sizes::Encryption(sizes));
    Algorithm { algorithm_type, identifier, name, mandatory: false, reference, sizes }
}

/// The sizes of a combined mode of AES.
const fn combined(salt: usize, icv: usize) -> EncryptionSizes {
    EncryptionSizes { key_lengths: AES_KEYS, fixed_key: None, salt, iv: 8, alignment: 4, block: 1, icv }
}

/// A row of Table K3.
const fn prf(identifier: u32, name: &'static str, reference: &'static str, output: usize) -> Algorithm {
    let (algorithm_type, sizes) = (AlgorithmType::PseudoRandom, Sizes::PseudoRandom { output, key: output });
    Algorithm { algorithm_type, identifier, name, mandatory: false, reference, sizes }
}

/// A row of Table K4.
const fn integrity(identifier: u32, name: &'static str, reference: &'static str, key: usize, icv: usize) -> Algorithm {
    let (algorithm_type, sizes) = (AlgorithmType::Integrity, Sizes::Integrity { key, icv });
    Algorithm { algorithm_type, identifier, name, mandatory: false, reference, sizes }
}

/// A row of Table K5 with a MODP group of `length` bytes.
const fn modp(identifier: u32, name: &'static str, length: usize) -> Algorithm {
    let sizes = Sizes::DiffieHellman { public: length, shared: length };
    let algorithm_type = AlgorithmType::DiffieHellman;
    Algorithm { algorithm_type, identifier, name, mandatory: false, reference: "RFC 3526", sizes }
}

/// A row of Table K5 with a curve of `coordinate` bytes; the public value is x and y (reading R15).
const fn ecp(identifier: u32, name: &'static str, public: usize, coordinate: usize) -> Algorithm {
    let sizes = Sizes::DiffieHellman { public, shared: coordinate };
    let algorithm_type = AlgorithmType::DiffieHellman;
    Algorithm { algorithm_type, identifier, name, mandatory: false, reference: "RFC 4753", sizes }
}

/// A row of Table K6.
const fn authentication(identifier: u32, name: &'static str, reference: &'static str) -> Algorithm {
    let (algorithm_type, sizes) = (AlgorithmType::Authentication, Sizes::Authentication);
    Algorithm { algorithm_type, identifier, name, mandatory: false, reference, sizes }
}

impl Algorithm {
    const fn mandatory(self) -> Self {
        Self { mandatory: true, ..self }
    }

    /// The sizes of an encryption algorithm; `None` for a row of another table.
    #[must_use]
    pub const fn encryption_sizes(&self) -> Option<EncryptionSizes> {
        match self.sizes {
            Sizes::Encryption(sizes) => Some(sizes),
            _ => None,
        }
    }
}

/// ENCR_3DES: KEY LENGTH 0Eh on the wire, 24 bytes of key material (reading R9).
pub const ENCR_3DES: Algorithm = encryption(
    0x03,
    "ENCR_3DES",
    "RFC 2451",
    EncryptionSizes { key_lengths: &[0x0E], fixed_key: Some(24), salt: 0, iv: 8, alignment: 8, block: 8, icv: 0 },
);
/// ENCR_NULL.
pub const ENCR_NULL: Algorithm = encryption(
    0x0B,
    "ENCR_NULL",
    "RFC 2410",
    EncryptionSizes { key_lengths: &[0], fixed_key: None, salt: 0, iv: 0, alignment: 1, block: 1, icv: 0 },
)
.mandatory();
/// ENCR_AES_CBC.
pub const ENCR_AES_CBC: Algorithm = encryption(
    0x0C,
    "ENCR_AES_CBC",
    "RFC 3602",
    EncryptionSizes { key_lengths: AES_KEYS, fixed_key: None, salt: 0, iv: 16, alignment: 16, block: 16, icv: 0 },
)
.mandatory();
/// ENCR_AES_CCM_8.
pub const ENCR_AES_CCM_8: Algorithm = encryption(0x0E, "ENCR_AES_CCM_8", "RFC 4309", combined(3, 8));
/// ENCR_AES_CCM_16.
pub const ENCR_AES_CCM_16: Algorithm = encryption(0x10, "ENCR_AES_CCM_16", "RFC 4309", combined(3, 16)).mandatory();
/// AES_GCM with a 16 octet ICV.
pub const ENCR_AES_GCM_16: Algorithm = encryption(0x14, "AES_GCM with a 16 octet ICV", "RFC 4106", combined(4, 16));

/// PRF_HMAC_SHA1.
pub const PRF_HMAC_SHA1: Algorithm = prf(0x02, "PRF_HMAC_SHA1", "FIPS 198a", 20).mandatory();
/// AES-128 XCBC, which r3 prints as PRF_AES128_CBC.
pub const PRF_AES128_XCBC: Algorithm = prf(0x04, "PRF_AES128_CBC", "RFC 4434", 16);
/// PRF_HMAC_SHA2_256.
pub const PRF_HMAC_SHA2_256: Algorithm = prf(0x05, "PRF_HMAC_SHA2_256", "RFC TBD", 32);
/// PRF_HMAC_SHA2_384.
pub const PRF_HMAC_SHA2_384: Algorithm = prf(0x06, "PRF_HMAC_SHA2_384", "RFC TBD", 48);
/// PRF_HMAC_SHA2_512.
pub const PRF_HMAC_SHA2_512: Algorithm = prf(0x07, "PRF_HMAC_SHA2_512", "RFC TBD", 64);

/// Identifier of integrity algorithm NONE (reading R5).
pub const INTEG_NONE: u32 = 0x00;
/// NONE, which goes with combined modes; Table K4 has no row for it (reading R5).
pub const AUTH_NONE: Algorithm = integrity(INTEG_NONE, "NONE", "7.7.4.11.1", 0, 0);
/// AUTH_HMAC_SHA1_96.
pub const AUTH_HMAC_SHA1_96: Algorithm = integrity(0x02, "AUTH_HMAC_SHA1_96", "RFC 2404", 20, 12).mandatory();
/// AUTH_AES_XCBC_96.
pub const AUTH_AES_XCBC_96: Algorithm = integrity(0x05, "AUTH_AES_XCBC_96", "RFC 3566", 16, 12);
/// AUTH_HMAC_SHA2_256_128.
pub const AUTH_HMAC_SHA2_256_128: Algorithm = integrity(0x0C, "AUTH_HMAC_SHA2_256_128", "RFC TBD", 32, 16);
/// AUTH_HMAC_SHA2_384_192.
pub const AUTH_HMAC_SHA2_384_192: Algorithm = integrity(0x0D, "AUTH_HMAC_SHA2_384_192", "RFC TBD", 48, 24);
/// AUTH_HMAC_SHA2_512_256.
pub const AUTH_HMAC_SHA2_512_256: Algorithm = integrity(0x0E, "AUTH_HMAC_SHA2_512_256", "RFC TBD", 64, 32);

/// 2048-bit MODP group.
pub const MODP_2048: Algorithm = modp(0x0E, "2048-bit MODP group", 256).mandatory();
/// 3072-bit MODP group.
pub const MODP_3072: Algorithm = modp(0x0F, "3072-bit MODP group", 384);
/// 4096-bit MODP group.
pub const MODP_4096: Algorithm = modp(0x10, "4096-bit MODP group", 512);
/// 6144-bit MODP group.
pub const MODP_6144: Algorithm = modp(0x11, "6144-bit MODP group", 768);
/// 8192-bit MODP group.
pub const MODP_8192: Algorithm = modp(0x12, "8192-bit MODP group", 1024);
/// P-256.
pub const ECP_256: Algorithm = ecp(0x13, "256-bit prime elliptic curve field P-256", 64, 32);
/// P-384.
pub const ECP_384: Algorithm = ecp(0x14, "384-bit prime elliptic curve field P-384", 96, 48);
/// P-521.
pub const ECP_521: Algorithm = ecp(0x15, "521-bit prime elliptic curve field P-521", 132, 66);

/// Identifier of IKE_AUTH_NONE (reading R19).
pub const IKE_AUTH_NONE: u32 = 0x00;
/// Identifier of RSA Digital Signature.
pub const IKE_AUTH_RSA: u32 = 0x01;
/// Identifier of Shared Key Message Integrity Code.
pub const IKE_AUTH_SHARED_KEY: u32 = 0x02;
/// Identifier of ECDSA with SHA-256 on the P-256 curve.
pub const IKE_AUTH_ECDSA_256: u32 = 0x09;
/// Identifier of ECDSA with SHA-384 on the P-384 curve.
pub const IKE_AUTH_ECDSA_384: u32 = 0x0A;
/// Identifier of ECDSA with SHA-512 on the P-521 curve.
pub const IKE_AUTH_ECDSA_521: u32 = 0x0B;

/// Every row of Tables K2 to K6, in the standard's order, and NONE of reading R5.
pub static TABLE: &[Algorithm] = &[
    ENCR_3DES,
    ENCR_NULL,
    ENCR_AES_CBC,
    ENCR_AES_CCM_8,
    ENCR_AES_CCM_16,
    ENCR_AES_GCM_16,
    PRF_HMAC_SHA1,
    PRF_AES128_XCBC,
    PRF_HMAC_SHA2_256,
    PRF_HMAC_SHA2_384,
    PRF_HMAC_SHA2_512,
    AUTH_NONE,
    AUTH_HMAC_SHA1_96,
    AUTH_AES_XCBC_96,
    AUTH_HMAC_SHA2_256_128,
    AUTH_HMAC_SHA2_384_192,
    AUTH_HMAC_SHA2_512_256,
    MODP_2048,
    MODP_3072,
    MODP_4096,
    MODP_6144,
    MODP_8192,
    ECP_256,
    ECP_384,
    ECP_521,
    authentication(IKE_AUTH_NONE, "IKE_AUTH_NONE", "7.7.4.11.6"),
    authentication(IKE_AUTH_RSA, "RSA Digital Signature", "RFC 4306"),
    authentication(IKE_AUTH_SHARED_KEY, "Shared Key Message Integrity Code", "RFC 4306").mandatory(),
    authentication(IKE_AUTH_ECDSA_256, "ECDSA with SHA-256 on the P-256 curve", "RFC 4754"),
    authentication(IKE_AUTH_ECDSA_384, "ECDSA with SHA-384 on the P-384 curve", "RFC 4754"),
    authentication(IKE_AUTH_ECDSA_521, "ECDSA with SHA-512 on the P-521 curve", "RFC 4754"),
];

/// The row of an identifier in the table of its type.
#[must_use]
pub fn find(algorithm_type: AlgorithmType, identifier: u32) -> Option<&'static Algorithm> {
    TABLE.iter().find(|row| row.algorithm_type == algorithm_type && row.identifier == identifier)
}

/// What the tables say of an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Assignment {
    /// A row of its own.
    Assigned,
    /// For vendors.
    VendorSpecific,
    /// Reserved for T10.
    Reserved,
    /// Left to IANA's registry.
    Restricted,
}

/// What the last rows of Tables K2 to K6 say of an identifier.
#[must_use]
pub fn assignment(algorithm_type: AlgorithmType, identifier: u32) -> Assignment {
    if find(algorithm_type, identifier).is_some() {
        return Assignment::Assigned;
    }
    match (algorithm_type, identifier) {
        (AlgorithmType::Authentication, 0xC9..=0xFF) => Assignment::VendorSpecific,
        (AlgorithmType::Authentication, 0x0001_0100..) => Assignment::Reserved,
        (AlgorithmType::Authentication, _) => Assignment::Restricted,
        (_, 0x0400..=0xFFFF) => Assignment::VendorSpecific,
        (_, 0x0001_0000..) => Assignment::Reserved,
        _ => Assignment::Restricted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Typed from the tables of the document: type, identifier, "M" or "O".
    const DOCUMENT: &[(u8, u32, char)] = &[
        (0x01, 0x0000_0003, 'O'),
        (0x01, 0x0000_000B, 'M'),
        (0x01, 0x0000_000C, 'M'),
        (0x01, 0x0000_000E, 'O'),
        (0x01, 0x0000_0010, 'M'),
        (0x01, 0x0000_0014, 'O'),
        (0x02, 0x0000_0002, 'M'),
        (0x02, 0x0000_0004, 'O'),
        (0x02, 0x0000_0005, 'O'),
        (0x02, 0x0000_0006, 'O'),
        (0x02, 0x0000_0007, 'O'),
        (0x03, 0x0000_0000, 'O'),
        (0x03, 0x0000_0002, 'M'),
        (0x03, 0x0000_0005, 'O'),
        (0x03, 0x0000_000C, 'O'),
        (0x03, 0x0000_000D, 'O'),
        (0x03, 0x0000_000E, 'O'),
        (0x04, 0x0000_000E, 'M'),
        (0x04, 0x0000_000F, 'O'),
        (0x04, 0x0000_0010, 'O'),
        (0x04, 0x0000_0011, 'O'),
        (0x04, 0x0000_0012, 'O'),
        (0x04, 0x0000_0013, 'O'),
        (0x04, 0x0000_0014, 'O'),
        (0x04, 0x0000_0015, 'O'),
        (0xF9, 0x0000_0000, 'O'),
        (0xF9, 0x0000_0001, 'O'),
        (0xF9, 0x0000_0002, 'M'),
        (0xF9, 0x0000_0009, 'O'),
        (0xF9, 0x0000_000A, 'O'),
        (0xF9, 0x0000_000B, 'O'),
    ];

    #[test]
    fn the_rows_are_those_of_the_document() {
        let rows: std::vec::Vec<_> = TABLE
            .iter()
            .map(|row| (row.algorithm_type.code(), row.identifier, if row.mandatory { 'M' } else { 'O' }))
            .collect();
        assert_eq!(rows, DOCUMENT);
    }

    /// Table K2's column and footnotes, Table K5's column "Key Size" (the coordinate, reading R15).
    #[test]
    fn sizes_are_those_of_the_document() {
        let cipher = |row: Algorithm| row.encryption_sizes().unwrap();
        assert_eq!(cipher(ENCR_3DES).key_lengths, [0x0E]);
        assert_eq!(cipher(ENCR_NULL).key_lengths, [0]);
        for row in [ENCR_AES_CBC, ENCR_AES_CCM_8, ENCR_AES_CCM_16, ENCR_AES_GCM_16] {
            assert_eq!(cipher(row).key_lengths, [0x10, 0x20], "{}", row.name);
        }
        assert_eq!([ENCR_AES_CCM_8, ENCR_AES_CCM_16, ENCR_AES_GCM_16].map(|row| cipher(row).salt), [3, 3, 4]);
        assert_eq!([ENCR_AES_CCM_8, ENCR_AES_CCM_16, ENCR_AES_GCM_16].map(|row| cipher(row).icv), [8, 16, 16]);
        assert_eq!(cipher(ENCR_AES_CBC).icv, 0);
        let material = |row: Algorithm| cipher(row).key_lengths.iter().map(move |l| cipher(row).key_material(*l)).sum();
        let rows = [ENCR_3DES, ENCR_NULL, ENCR_AES_CBC, ENCR_AES_CCM_8, ENCR_AES_CCM_16, ENCR_AES_GCM_16];
        let sums: [usize; 6] = rows.map(material);
        assert_eq!(sums, [24, 0, 16 + 32, 19 + 35, 19 + 35, 20 + 36], "reading R9; Table K2's footnotes");
        let key_sizes: std::vec::Vec<_> = TABLE
            .iter()
            .filter_map(|row| match row.sizes {
                Sizes::DiffieHellman { shared, .. } => Some(shared),
                _ => None,
            })
            .collect();
        assert_eq!(key_sizes, [256, 384, 512, 768, 1024, 32, 48, 66]);
    }

    #[test]
    fn ranges_are_those_of_the_last_rows() {
        use AlgorithmType::{Authentication, DiffieHellman, Encryption};
        use Assignment::{Assigned, Reserved, Restricted, VendorSpecific};
        for (kind, identifier, expected) in [
            (Encryption, 0x0C, Assigned),
            (Encryption, 0x0D, Restricted),
            (Encryption, 0x03FF, Restricted),
            (Encryption, 0x0400, VendorSpecific),
            (Encryption, 0xFFFF, VendorSpecific),
            (Encryption, 0x0001_0000, Reserved),
            (DiffieHellman, 0x0D, Restricted),
            (DiffieHellman, 0xFFFF_FFFF, Reserved),
            (Authentication, 0xC8, Restricted),
            (Authentication, 0xC9, VendorSpecific),
            (Authentication, 0xFF, VendorSpecific),
            (Authentication, 0x0100, Restricted),
            (Authentication, 0x0001_00FF, Restricted),
            (Authentication, 0x0001_0100, Reserved),
        ] {
            assert_eq!(assignment(kind, identifier), expected, "{kind:?} {identifier:#x}");
        }
    }

    #[test]
    fn types_are_those_of_table_k1() {
        for kind in AlgorithmType::ALL {
            assert_eq!(AlgorithmType::from_code(kind.code()), Some(kind));
        }
        assert_eq!(AlgorithmType::ALL.map(AlgorithmType::code), [1, 2, 3, 4, 0xF9]);
        assert!([0, 5, 0xF0, 0xF8, 0xFA].iter().all(|code| AlgorithmType::from_code(*code).is_none()));
    }
}
