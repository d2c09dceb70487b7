//! The numbers of SPC-4, typed from the digest of its tables, and what follows from them.

use std::vec::Vec;

use super::{Exchange, PayloadType, Profile, SenseCodes};

#[test]
fn spc4_header_numbers() {
    let rules = Profile::SPC4.rules();
    let exchanges = [Exchange::KeyExchangeOut, Exchange::AuthenticationIn, Exchange::DeleteOut];
    assert_eq!(exchanges.map(|exchange| rules.exchange_type(exchange)), [0; 3]);
    assert_eq!(exchanges.map(|exchange| rules.message_id(exchange)), [Some(0), Some(1), Some(2)]);
    assert_eq!(exchanges.map(|exchange| Profile::R3.rules().message_id(exchange)), [None; 3]);
    for rules in [rules, Profile::R3.rules()] {
        let unused = u32::try_from(rules.sai_offset).unwrap() * 8;
        assert_eq!(rules.sai_mask, u64::MAX >> unused, "the mask is what stands behind the offset");
    }
}

/// SPC-4 7.7.3.4: every code of 21h to 30h is known, and 80h to 83h.
#[test]
fn spc4_payload_codes() {
    let rules = Profile::SPC4.rules();
    let known: Vec<u8> = (0..=u8::MAX).filter(|code| rules.payload_type(*code).is_some()).collect();
    assert_eq!(known, (0x21..=0x30).chain(0x80..=0x83).collect::<Vec<_>>());
    for code in [0x21, 0x2B, 0x2C, 0x2D, 0x2F, 0x30] {
        assert_eq!(rules.payload_type(code), Some(PayloadType::Prohibited), "{code:02X}h");
        assert!(rules.payload_name(code).is_some());
    }
    assert_eq!(rules.payload_code(PayloadType::Timeouts), 0x83);
    assert_eq!(rules.payload_code(PayloadType::SaUsage), 0x82);
    assert_eq!(rules.payload_code(PayloadType::SaAlgorithms), 0x81);
    assert_eq!(rules.payload_code(PayloadType::VendorId), 0, "nothing of the kind");
    assert_eq!(rules.payload_code(PayloadType::Algorithms), 0, "r3's only");
}

#[test]
fn spc4_knows_only_the_assigned_sense_codes() {
    let profile = Profile { sense_codes: SenseCodes::R3, ..Profile::SPC4 };
    assert_eq!([profile.codes(), Profile::SPC4.codes()], [SenseCodes::Spc4; 2]);
    let r3 = Profile::R3;
    assert_eq!(
        [SenseCodes::R3, SenseCodes::Assigned, SenseCodes::Spc4]
            .map(|codes| Profile { sense_codes: codes, ..r3 }.codes()),
        [SenseCodes::R3, SenseCodes::Assigned, SenseCodes::Assigned]
    );
}
