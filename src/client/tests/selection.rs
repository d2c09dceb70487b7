//! What is selected: payloads 81h and 82h of SPC-4, and what a configuration may ask for.

use super::*;
use crate::algorithm::{
    AUTH_HMAC_SHA1_96, AUTH_HMAC_SHA2_256_128, AUTH_HMAC_SHA2_384_192, AlgorithmType, ENCR_AES_CBC, ENCR_AES_CCM_8,
    ENCR_AES_GCM_16, ENCR_NULL, INTEG_NONE,
};
use crate::dialect::Profile;
use crate::wire::{Chain, Descriptor, Header, SaAlgorithms, SaUsage, Timeouts, find};

const PSK: &str = "spc4-cbc128-sha1-modp2048-psk";
const NONE: &str = "spc4-auth-none-gcm";

const NULL_WITH_SHA1: UsageIdentifiers =
    UsageIdentifiers { encryption: ENCR_NULL.identifier, key_length: 0, integrity: AUTH_HMAC_SHA1_96.identifier };

fn refused(builder: ClientConfigBuilder) -> ClientConfigError {
    builder.build().unwrap_err()
}

/// The payload of the key exchange OUT that a configuration makes of the recorded capabilities.
fn sent<T>(
    transcript: &Transcript,
    builder: ClientConfigBuilder,
    payload: PayloadType,
    read: impl Fn(&crate::wire::RawPayload<'_>) -> T,
) -> T {
    let mut random = transcript.script();
    let mut client = ApplicationClient::new(builder.build().unwrap());
    let _ = client.next_command(&mut random).unwrap();
    client.reply(Status::Good(&unhex(&transcript.steps()[0]["data_in"]))).unwrap();
    let message = client.next_command(&mut random).unwrap().data_out;
    let header = Header::parse(Profile::SPC4, &message).unwrap();
    read(&find(&Chain::outer(Profile::SPC4, &message, &header), payload).unwrap())
}

/// Reading S1.
#[test]
fn the_selection_has_the_printed_form_unless_the_short_one_is_asked_for() {
    let transcript = Transcript::read(PSK);
    for (short, length) in [(false, 93), (true, 92)] {
        let builder = transcript.builder().short_algorithms(short);
        let (found, types) = sent(&transcript, builder, PayloadType::SaAlgorithms, |raw| {
            let body: SaAlgorithms<'_> = raw.body(Profile::SPC4).unwrap();
            let types: Vec<_> = body.descriptors.iter().map(|d| (d.algorithm_type, d.identifier)).collect();
            (raw.data.len() + 4, types)
        });
        assert_eq!(found, length);
        let expected = [
            (0x01, 0x8001_000C),
            (0x02, 0x8002_0002),
            (0x03, 0x8003_0002),
            (0x04, 0x8004_000E),
            (0xF9, 0x00F9_0002),
            (0xFA, 0x00F9_0002),
        ];
        assert_eq!(types, expected);
    }
}

/// SPC-4 7.7.3.5.14, 5.14.4.8.6: the keys for the use are those of SAUT's algorithms.
#[test]
fn an_association_is_used_by_algorithms_of_its_own() {
    let transcript = Transcript::read(NONE);
    let builder = || transcript.builder().usage_algorithms(NULL_WITH_SHA1);
    let descriptors = sent(&transcript, builder(), PayloadType::SaUsage, |raw| {
        let body: SaUsage<'_> = raw.body(Profile::SPC4).unwrap();
        assert_eq!((body.sa_type, body.usage_data), (0x81, &[][..]));
        body.descriptors.iter().collect::<Vec<_>>()
    });
    let raw = |algorithm_type, identifier| Descriptor { algorithm_type, identifier, attributes: [0; 4] };
    assert_eq!(descriptors, [raw(1, 0x8001_000B), raw(3, 0x8003_0002)]);

    // The device server's answer, as it would be to this message; its keys are those that were recorded.
    let mut random = transcript.script();
    let mut client = ApplicationClient::new(builder().build().unwrap());
    let _ = client.next_command(&mut random).unwrap();
    client.reply(Status::Good(&unhex(&transcript.steps()[0]["data_in"]))).unwrap();
    let out = client.next_command(&mut random).unwrap().data_out;
    client.reply(Status::Good(&[])).unwrap();
    let _ = client.next_command(&mut random).unwrap();
    let mut data_in = unhex(&transcript.steps()[2]["data_in"]);
    let usage_at = 28 + 93;
    data_in[usage_at..usage_at + 44].copy_from_slice(&out[16 + usage_at..16 + usage_at + 44]);
    let Ok(Outcome::Established(parameters)) = client.reply(Status::Good(&data_in)) else { panic!() };
    assert_eq!(parameters.keymat().len(), 2 * 20, "SK_ai and SK_ar");
    assert_eq!(parameters.usage_data_parameter(), [0x80, 1, 0, 0x0B, 0, 0, 0x80, 3, 0, 2]);
    assert_eq!((parameters.mgmt_data.encr, parameters.mgmt_data.integ), (0x8001_0014, 0xF003_0001));
    let recorded = unhex(&transcript.0["sa"][0]["KEYMAT"]);
    let common = recorded.len().min(40);
    assert_eq!(parameters.keymat()[..common], recorded[..common], "the same bytes, otherwise divided");
}

/// SPC-4 5.14.4.6.2: what is not offered is not proposed, also where it is the Authentication step that says it.
#[test]
fn algorithms_for_the_use_are_offered_too() {
    let transcript = Transcript::read(PSK);
    let capabilities = unhex(&transcript.steps()[0]["data_in"]);
    let null = Descriptor { algorithm_type: 1, identifier: 0x8001_000B, attributes: [0; 4] }.to_bytes();
    let sha1 = Descriptor { algorithm_type: 3, identifier: 0x8003_0002, attributes: [0; 4] }.to_bytes();
    let gcm = UsageIdentifiers { encryption: ENCR_AES_GCM_16.identifier, key_length: 16, integrity: INTEG_NONE };
    let combined = Descriptor { algorithm_type: 3, identifier: 0xF003_0001, attributes: [0; 4] }.to_bytes();
    for (absent, usage, kind) in [
        (null, NULL_WITH_SHA1, Some(AlgorithmType::Encryption)),
        (sha1, NULL_WITH_SHA1, Some(AlgorithmType::Integrity)),
        (combined, gcm, Some(AlgorithmType::Integrity)),
        (null, gcm, None),
    ] {
        let mut random = transcript.script();
        // ENCR and INTEG of the exchange are other ones.
        let suite = SuiteIdentifiers { integrity: AUTH_HMAC_SHA2_256_128.identifier, ..transcript.suite() };
        let builder = transcript.builder().preferences(Preferences::exactly(suite)).usage_algorithms(usage);
        let mut client = ApplicationClient::new(builder.build().unwrap());
        let _ = client.next_command(&mut random).unwrap();
        let at = capabilities.windows(12).position(|window| window == absent).unwrap();
        let mut fewer = capabilities.clone();
        fewer[at..at + 12].copy_from_slice(&capabilities[at + 12..at + 24]);
        client.reply(Status::Good(&fewer)).unwrap();
        let refusal = client.next_command(&mut random).map(|_| ()).map_err(|error| error.fault);
        assert_eq!(refusal, kind.map_or(Ok(()), |kind| Err(Fault::NothingInCommon(kind))));
    }
}

/// SPC-4 7.7.3.5.15: the device server counts ten seconds; the message has the zeros.
#[test]
fn a_timeout_of_zero_is_ten_seconds() {
    let transcript = Transcript::read(NONE);
    let zeros = || transcript.builder().timeouts(Timeouts { protocol: 0, inactivity: 0 });
    let timeouts: Timeouts = sent(&transcript, zeros(), PayloadType::Timeouts, |raw| raw.body(Profile::SPC4).unwrap());
    assert_eq!(timeouts, Timeouts { protocol: 0, inactivity: 0 });
    let mut random = transcript.script();
    let mut client = ApplicationClient::new(zeros().build().unwrap());
    for step in &transcript.steps()[..3] {
        let command = client.next_command(&mut random).unwrap();
        assert_eq!(command.cdb.to_bytes().to_vec(), unhex(&step["cdb"]));
        let data_in = if step["op"] == "in" { unhex(&step["data_in"]) } else { Vec::new() };
        if let Outcome::Established(parameters) = client.reply(Status::Good(&data_in)).unwrap() {
            assert_eq!(parameters.timeout, 10);
            return;
        }
    }
    panic!("no association");
}

#[test]
fn what_cannot_be_selected_is_refused_at_once() {
    use ClientConfigError as E;
    let (psk, none) = (Transcript::read(PSK), Transcript::read(NONE));
    let suite = psk.suite();
    let with = |suite| refused(psk.builder().preferences(Preferences::exactly(suite)));
    let null = SuiteIdentifiers { encryption: ENCR_NULL.identifier, key_length: 0, ..suite };
    assert_eq!(with(null), E::NullEncryption, "7.7.3.5.13");
    let short_tag = SuiteIdentifiers { encryption: ENCR_AES_CCM_8.identifier, integrity: INTEG_NONE, ..suite };
    assert_eq!(with(short_tag), E::NothingUsable(AlgorithmType::Encryption), "not an algorithm of SPC-4");
    let sha384 = SuiteIdentifiers { integrity: AUTH_HMAC_SHA2_384_192.identifier, ..suite };
    assert_eq!(with(sha384), E::NothingUsable(AlgorithmType::Integrity));
    let p384 = SuiteIdentifiers { authentication: crate::algorithm::IKE_AUTH_ECDSA_384, ..suite };
    assert_eq!(with(p384), E::NothingUsable(AlgorithmType::Authentication));
    assert_eq!(refused(psk.builder().own_methods(&[10])), E::NoOwnKey);

    let usage = |usage| refused(psk.builder().usage_algorithms(usage));
    let unequal = UsageIdentifiers { integrity: INTEG_NONE, ..NULL_WITH_SHA1 };
    assert_eq!(usage(unequal), E::NothingUsable(AlgorithmType::Integrity), "table 547");
    let gcm = UsageIdentifiers { encryption: ENCR_AES_GCM_16.identifier, key_length: 16, ..NULL_WITH_SHA1 };
    assert_eq!(usage(gcm), E::NothingUsable(AlgorithmType::Integrity));
    let long = UsageIdentifiers { encryption: ENCR_AES_CBC.identifier, key_length: 24, ..NULL_WITH_SHA1 };
    assert_eq!(usage(long), E::NothingUsable(AlgorithmType::Encryption));
    let ccm_8 = UsageIdentifiers { encryption: ENCR_AES_CCM_8.identifier, key_length: 16, integrity: INTEG_NONE };
    assert_eq!(usage(ccm_8), E::NothingUsable(AlgorithmType::Encryption));
    assert!(psk.builder().usage_algorithms(NULL_WITH_SHA1).build().is_ok());

    for usage_type in [0x0081, 0x8001] {
        assert_eq!(refused(psk.builder().usage(usage_type, &[1])), E::UsageWithoutData(usage_type), "table 74");
    }
    assert!(psk.builder().usage(0xC123, &[1, 2, 3]).build().is_ok());
    for (usage_type, takes_authentication) in [(0x7FFF, false), (0x8000, true), (0xBFFF, true), (0xC000, false)] {
        assert!(psk.builder().usage(usage_type, &[]).build().is_ok());
        let refusal = none.builder().usage(usage_type, &[]).build().err();
        assert_eq!(refusal, takes_authentication.then_some(E::UsageNeedsAuthentication(usage_type)));
    }
}

#[test]
fn r3_has_a_byte_for_the_type_and_no_algorithms_for_the_use() {
    use ClientConfigError as E;
    let r3 = Transcript::read("r3-mandatory");
    assert_eq!(refused(r3.builder().usage(0x100, &[])), E::UsageType(0x100));
    assert!(r3.builder().usage(0xFF, &[]).build().is_ok());
    assert_eq!(refused(r3.builder().usage_algorithms(NULL_WITH_SHA1)), E::NoUsageAlgorithms);
    let null = SuiteIdentifiers { encryption: ENCR_NULL.identifier, key_length: 0, ..r3.suite() };
    assert!(r3.builder().preferences(Preferences::exactly(null)).build().is_ok());
}
