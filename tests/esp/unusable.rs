//! Associations that cannot be used with ESP-SCSI.

use ikev2_scsi::algorithm::AlgorithmType;
use ikev2_scsi::esp::{BuildError, CBCS, OpenError, Unusable};

use super::*;

const AES_CBC: u32 = 0x8001_000C;
const AES_GCM: u32 = 0x8001_0014;
const NULL: u32 = 0x8001_000B;
const SHA1: u32 = 0x8003_0002;
const COMBINED: u32 = 0xF003_0001;

/// Neither builds nor opens, for the same reason, and is left as it is.
fn unusable(esp: EspScsi<'_>, change: impl Fn(&mut SaParameters)) -> Unusable {
    let association = Association::named("gcm128");
    let parameters = || {
        let mut sa = association.parameters(1);
        change(&mut sa);
        sa
    };
    let mut reasons = Vec::new();
    for flow in FLOWS {
        let mut sa = parameters();
        match esp.build(flow, &mut sa, b"x", Form::WithLength, &mut NoRandom) {
            Err(BuildError::Unusable(why)) => reasons.push(why),
            other => panic!("{other:?}"),
        }
        let mut descriptor = association.build(flow, Form::WithLength, 1, b"x");
        let (bytes, sai) = (descriptor.clone(), if flow == Flow::Out { sa.ds_sai } else { sa.ac_sai });
        if sai.0 <= u64::from(u32::MAX) {
            match esp.open(flow, &mut sa, &mut descriptor, Form::WithLength) {
                Err(OpenError::Unusable(why)) => reasons.push(why),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((sa, descriptor), (parameters(), bytes));
    }
    assert!(reasons.iter().all(|why| *why == reasons[0]), "{reasons:?}");
    reasons[0]
}

#[test]
fn an_association_is_used_for_what_it_was_made() {
    assert_eq!(unusable(esp(), |sa| sa.usage_type = CBCS), Unusable::UsageType(CBCS));
    assert_eq!(unusable(esp(), |sa| sa.usage_type = 0), Unusable::UsageType(0));
    let none = EspScsi::new(Profile::SPC4, provider::provider(), &[]);
    assert_eq!(unusable(none, |_| ()), Unusable::UsageType(TAPE_DATA_ENCRYPTION));
    let vendors = EspScsi::new(Profile::SPC4, provider::provider(), &[CBCS, 0xC001]);
    assert_eq!(unusable(vendors, |_| ()), Unusable::UsageType(TAPE_DATA_ENCRYPTION));
    let mut sa = Association::named("gcm128").parameters(1);
    sa.usage_type = 0xC001;
    assert!(vendors.build(Flow::Out, &mut sa, b"x", Form::WithLength, &mut NoRandom).is_ok());
}

#[test]
fn integrity_is_mandatory() {
    let pair = |encr, key_length, integ| {
        let algorithms = UsageAlgorithms { encr, key_length, integ };
        unusable(esp(), move |sa| sa.usage_algorithms = Some(algorithms))
    };
    assert_eq!(pair(AES_CBC, 16, COMBINED), Unusable::Pairing);
    assert_eq!(pair(NULL, 0, COMBINED), Unusable::Pairing);
    assert_eq!(pair(AES_GCM, 16, SHA1), Unusable::Pairing);
    assert_eq!(pair(AES_GCM, 24, COMBINED), Unusable::Algorithm(AlgorithmType::Encryption));
    assert_eq!(pair(0x14, 16, COMBINED), Unusable::Algorithm(AlgorithmType::Encryption));
    assert_eq!(pair(AES_CBC, 16, 0xF003_0000), Unusable::Algorithm(AlgorithmType::Integrity));
    assert_eq!(pair(AES_CBC, 16, 0), Unusable::Algorithm(AlgorithmType::Integrity));
    assert_eq!(pair(AES_CBC, 16, 0x8003_0400), Unusable::Algorithm(AlgorithmType::Integrity));
}

#[test]
fn what_r3_makes_has_no_keys_for_its_use() {
    assert_eq!(unusable(esp(), |sa| sa.usage_algorithms = None), Unusable::NoAlgorithms);
}

#[test]
fn keys_have_their_length() {
    for length in [0, 1, 39, 41, 80] {
        let keymat = vec![0; length];
        let bytes = SaBytes { keymat: &keymat, ..SaBytes::default() };
        let why = unusable(esp(), |sa| sa.block = SaBlock::new(&bytes).unwrap());
        assert_eq!(why, Unusable::Keymat, "{length}");
    }
}

#[test]
fn an_index_has_four_bytes() {
    let why = unusable(esp(), |sa| (sa.ac_sai, sa.ds_sai) = (Sai(1 << 32), Sai(u64::MAX)));
    assert_eq!(why, Unusable::Sai);
}

#[test]
fn an_algorithm_that_is_not_listed_is_not_there() {
    let mut provider = provider::provider();
    provider.ciphers = &[provider::NULL];
    let esp = EspScsi::new(Profile::SPC4, provider, &[TAPE_DATA_ENCRYPTION]);
    assert_eq!(unusable(esp, |_| ()), Unusable::Algorithm(AlgorithmType::Encryption));
}
