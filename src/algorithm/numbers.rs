//! By which numbers a dialect knows the rows of [`super::TABLE`].
//!
//! The rows have r3's numbers, which are those of IANA's registry. SPC-4 numbers the same algorithms otherwise (SPC-4
//! 7.7.3.6), has fewer of them, and has two ALGORITHM TYPEs for authentication. The numbers are data of room `dialect`; here
//! is the one place that goes from a number on the wire to a row and back.

use super::{Algorithm, AlgorithmType};
use crate::dialect::{AlgorithmNumbers, Profile, Side};

/// An ALGORITHM TYPE of a dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberedType {
    /// The table that has its rows.
    pub algorithm_type: AlgorithmType,
    /// The abbreviation that the dialect prints.
    pub name: &'static str,
    /// True where the first attribute byte has the USE and ACCEPT bits (r3 Table K7).
    pub has_use_and_accept: bool,
}

/// An ALGORITHM IDENTIFIER of a dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number {
    /// The algorithm, with r3's identifier: what a crypto provider knows it by.
    pub row: &'static Algorithm,
    /// The name that the dialect prints.
    pub name: &'static str,
}

/// What a dialect calls an ALGORITHM TYPE; `None` for restricted and reserved values.
#[must_use]
pub fn numbered_type(profile: Profile, code: u8) -> Option<NumberedType> {
    let numbers = profile.rules().algorithm_type(code)?;
    let algorithm_type = AlgorithmType::from_code(numbers.table)?;
    Some(NumberedType { algorithm_type, name: numbers.name, has_use_and_accept: numbers.side == Side::Attributes })
}

/// The algorithm that a descriptor with this ALGORITHM TYPE and ALGORITHM IDENTIFIER names; `None` for numbers that the
/// dialect does not assign.
#[must_use]
pub fn numbered(profile: Profile, code: u8, identifier: u32) -> Option<Number> {
    let numbers = profile.rules().algorithm_type(code)?;
    let algorithm_type = AlgorithmType::from_code(numbers.table)?;
    let (wanted, name) = match numbers.identifiers {
        None => (identifier, None),
        Some(known) => known.iter().find(|known| known.wire == identifier).map(|known| (known.table, known.name))?,
    };
    let row = super::find(algorithm_type, wanted)?;
    Some(Number { row, name: name.unwrap_or(row.name) })
}

/// The ALGORITHM IDENTIFIER by which a dialect knows a row of [`super::TABLE`], given by its type and r3's identifier; `None` for
/// an algorithm that the dialect does not have.
#[must_use]
pub fn number_of(profile: Profile, algorithm_type: AlgorithmType, identifier: u32) -> Option<u32> {
    let row = super::find(algorithm_type, identifier)?;
    let of_type = |numbers: &&AlgorithmNumbers| numbers.table == algorithm_type.code();
    match profile.rules().algorithms.iter().find(of_type)?.identifiers {
        None => Some(row.identifier),
        Some(known) => known.iter().find(|known| known.table == row.identifier).map(|known| known.wire),
    }
}

/// The row's numbers for an ALGORITHM TYPE and ALGORITHM IDENTIFIER of a dialect, vendors' identifiers included: what a crypto
/// provider knows the algorithm by. `None` for values that the dialect reserves.
pub(crate) fn row_of(profile: Profile, code: u8, identifier: u32) -> Option<(AlgorithmType, u32)> {
    let numbers = profile.rules().algorithm_type(code)?;
    let algorithm_type = AlgorithmType::from_code(numbers.table)?;
    let Some(known) = numbers.identifiers else { return Some((algorithm_type, identifier)) };
    let assigned = known.iter().find(|known| known.wire == identifier).map(|known| known.table);
    let of_vendor = || {
        let (upper, least, most) = numbers.vendor?;
        let [u0, u1, l0, l1] = identifier.to_be_bytes();
        let lower = u16::from_be_bytes([l0, l1]);
        let is_vendors = upper == u32::from(u16::from_be_bytes([u0, u1])) && (least..=most).contains(&lower);
        is_vendors.then_some(u32::from(lower))
    };
    Some((algorithm_type, assigned.or_else(of_vendor)?))
}

/// The ALGORITHM IDENTIFIER by which a dialect knows an algorithm given by the row's numbers, vendors' identifiers included.
pub(crate) fn identifier_of(profile: Profile, algorithm_type: AlgorithmType, identifier: u32) -> Option<u32> {
    let of_type = |numbers: &&AlgorithmNumbers| numbers.table == algorithm_type.code();
    let numbers = profile.rules().algorithms.iter().find(of_type)?;
    let Some(known) = numbers.identifiers else { return Some(identifier) };
    let assigned = known.iter().find(|known| known.table == identifier).map(|known| known.wire);
    let of_vendor = || {
        let (upper, least, most) = numbers.vendor?;
        let lower = u16::try_from(identifier).ok().filter(|lower| (least..=most).contains(lower))?;
        Some(upper.unbounded_shl(16) | u32::from(lower))
    };
    assigned.or_else(of_vendor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithm::{self, TABLE};

    /// Typed from the tables of SPC-4: ALGORITHM TYPE, ALGORITHM IDENTIFIER, the row.
    const SPC4: &[(u8, u32, AlgorithmType, u32)] = &[
        (0x01, 0x8001_000B, AlgorithmType::Encryption, algorithm::ENCR_NULL.identifier),
        (0x01, 0x8001_000C, AlgorithmType::Encryption, algorithm::ENCR_AES_CBC.identifier),
        (0x01, 0x8001_0010, AlgorithmType::Encryption, algorithm::ENCR_AES_CCM_16.identifier),
        (0x01, 0x8001_0014, AlgorithmType::Encryption, algorithm::ENCR_AES_GCM_16.identifier),
        (0x02, 0x8002_0002, AlgorithmType::PseudoRandom, algorithm::PRF_HMAC_SHA1.identifier),
        (0x02, 0x8002_0004, AlgorithmType::PseudoRandom, algorithm::PRF_AES128_XCBC.identifier),
        (0x02, 0x8002_0005, AlgorithmType::PseudoRandom, algorithm::PRF_HMAC_SHA2_256.identifier),
        (0x02, 0x8002_0007, AlgorithmType::PseudoRandom, algorithm::PRF_HMAC_SHA2_512.identifier),
        (0x03, 0x8003_0002, AlgorithmType::Integrity, algorithm::AUTH_HMAC_SHA1_96.identifier),
        (0x03, 0x8003_000C, AlgorithmType::Integrity, algorithm::AUTH_HMAC_SHA2_256_128.identifier),
        (0x03, 0x8003_000E, AlgorithmType::Integrity, algorithm::AUTH_HMAC_SHA2_512_256.identifier),
        (0x03, 0xF003_0001, AlgorithmType::Integrity, algorithm::INTEG_NONE),
        (0x04, 0x8004_000E, AlgorithmType::DiffieHellman, algorithm::MODP_2048.identifier),
        (0x04, 0x8004_000F, AlgorithmType::DiffieHellman, algorithm::MODP_3072.identifier),
        (0x04, 0x8004_0010, AlgorithmType::DiffieHellman, algorithm::MODP_4096.identifier),
        (0x04, 0x8004_0013, AlgorithmType::DiffieHellman, algorithm::ECP_256.identifier),
        (0x04, 0x8004_0015, AlgorithmType::DiffieHellman, algorithm::ECP_521.identifier),
        (0xF9, 0x00F9_0000, AlgorithmType::Authentication, algorithm::IKE_AUTH_NONE),
        (0xF9, 0x00F9_0001, AlgorithmType::Authentication, algorithm::IKE_AUTH_RSA),
        (0xF9, 0x00F9_0002, AlgorithmType::Authentication, algorithm::IKE_AUTH_SHARED_KEY),
        (0xF9, 0x00F9_0009, AlgorithmType::Authentication, algorithm::IKE_AUTH_ECDSA_256),
        (0xF9, 0x00F9_000B, AlgorithmType::Authentication, algorithm::IKE_AUTH_ECDSA_521),
    ];

    #[test]
    fn spc4_numbers_are_those_of_its_tables() {
        for (code, wire, algorithm_type, identifier) in SPC4.iter().copied() {
            let row = algorithm::find(algorithm_type, identifier).unwrap();
            let number = numbered(Profile::SPC4, code, wire).unwrap();
            assert_eq!(number.row, row, "{wire:08X}h");
            assert_eq!(number_of(Profile::SPC4, algorithm_type, identifier), Some(wire), "{}", row.name);
            if code == 0xF9 {
                assert_eq!(numbered(Profile::SPC4, 0xFA, wire), Some(number), "SA_AUTH_IN");
            }
            assert_eq!(numbered(Profile::R3, code, wire), None, "{wire:08X}h is no number of r3");
        }
        let has = |row: &&Algorithm| number_of(Profile::SPC4, row.algorithm_type, row.identifier).is_some();
        assert_eq!(TABLE.iter().filter(has).count(), SPC4.len());
    }

    /// SPC-4 7.7.3.6: vendors' identifiers have the upper half of their type and the same lower halves as r3's, which IANA
    /// leaves to private use.
    #[test]
    fn vendors_identifiers_keep_their_lower_half() {
        let both = |code, wire, kind, row| {
            assert_eq!(row_of(Profile::SPC4, code, wire), Some((kind, row)), "{wire:08X}h");
            assert_eq!(identifier_of(Profile::SPC4, kind, row), Some(wire), "{wire:08X}h");
        };
        both(0x01, 0x8001_0400, AlgorithmType::Encryption, 0x0400);
        both(0x02, 0x8002_FFFF, AlgorithmType::PseudoRandom, 0xFFFF);
        both(0x04, 0x8004_0401, AlgorithmType::DiffieHellman, 0x0401);
        both(0xFA, 0x00F9_00C9, AlgorithmType::Authentication, 0xC9);
        both(0x03, 0xF003_0001, AlgorithmType::Integrity, algorithm::INTEG_NONE);
        for (code, identifier) in
            [(1, 0x8001_03FF), (1, 0x8002_0400), (1, 0x0400), (0xF9, 0x00F9_00C8), (0xF9, 0x00F9_0100)]
        {
            assert_eq!(row_of(Profile::SPC4, code, identifier), None, "{identifier:08X}h");
        }
        assert_eq!(identifier_of(Profile::SPC4, AlgorithmType::Encryption, 0x03), None, "3DES");
        assert_eq!(identifier_of(Profile::SPC4, AlgorithmType::Encryption, 0x1_0400), None);
        assert_eq!(row_of(Profile::R3, 1, 0x1234), Some((AlgorithmType::Encryption, 0x1234)));
        assert_eq!(identifier_of(Profile::R3, AlgorithmType::Encryption, 0x1234), Some(0x1234));
    }

    #[test]
    fn what_spc4_does_not_assign_is_not_known() {
        // Plain registry numbers, AUTH_COMBINED as the index prints it (question Q6), a type's number under another type.
        for (code, identifier) in
            [(1, 0x0C), (3, 0xF003_0000), (3, 0), (1, 0x8002_0002), (2, 0x8002_0006), (4, 0x8004_0014), (0xF9, 2)]
        {
            assert_eq!(numbered(Profile::SPC4, code, identifier), None, "{code:02X}h {identifier:08X}h");
        }
        for code in (0..=u8::MAX).filter(|code| ![1, 2, 3, 4, 0xF9, 0xFA].contains(code)) {
            assert_eq!(numbered_type(Profile::SPC4, code), None, "{code:02X}h");
        }
        assert_eq!(number_of(Profile::SPC4, AlgorithmType::Encryption, 0xFFFF), None);
    }

    #[test]
    fn r3_numbers_are_those_of_the_rows() {
        for row in TABLE {
            let number = Number { row, name: row.name };
            let code = row.algorithm_type.code();
            assert_eq!(numbered(Profile::R3, code, row.identifier), Some(number));
            assert_eq!(number_of(Profile::R3, row.algorithm_type, row.identifier), Some(row.identifier));
            assert_eq!(numbered_type(Profile::R3, code).unwrap().name, row.algorithm_type.name());
        }
        assert_eq!(numbered_type(Profile::R3, 0xFA), None);
    }

    #[test]
    fn names_are_the_dialects_own() {
        let name = |code, identifier| numbered(Profile::SPC4, code, identifier).unwrap().name;
        assert_eq!(name(3, 0xF003_0001), "AUTH_COMBINED");
        assert_eq!([name(0xF9, 0x00F9_0000), name(0xFA, 0x00F9_0000)], ["SA_AUTH_NONE"; 2]);
        assert_eq!(name(2, 0x8002_0004), "PRF_AES128_XCBC");
        let kind = |code| numbered_type(Profile::SPC4, code).map(|kind| (kind.name, kind.has_use_and_accept));
        assert_eq!([kind(0xF9), kind(0xFA)], [Some(("SA_AUTH_OUT", false)), Some(("SA_AUTH_IN", false))]);
        assert!(numbered_type(Profile::R3, 0xF9).unwrap().has_use_and_accept);
    }
}
