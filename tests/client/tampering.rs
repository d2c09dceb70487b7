//! A man in the middle: whatever he does to the Data-In, the client makes no association of it, and where the device
//! server had made one, it is deleted.

use ikev2_scsi::DeviceServer;
use ikev2_scsi::algorithm::PRF_HMAC_SHA2_512;
use ikev2_scsi::client::{ApplicationClient, ClientConfig, ClientError, Fault, Leftover, Step, SuiteIdentifiers};
use ikev2_scsi::keys::SaParameters;
use ikev2_scsi::wire::{Field, WireErrorKind};

use super::pair::*;

/// One exchange, the Data-In of one step changed by `change`.
fn tampered(
    config: ClientConfig,
    server: &mut DeviceServer,
    at: Step,
    change: impl Fn(&mut Vec<u8>),
) -> Result<Box<SaParameters>, ClientError> {
    let mut client = ApplicationClient::new(config);
    run_with(&mut client, server, &mut Numbers(99), |step, _, data_in| {
        if step == at {
            change(data_in);
        }
    })
}

/// The Data-In of one step when nobody changes it; with the same numbers drawn, it is the same each time.
fn honest(suite: SuiteIdentifiers, at: Step) -> Vec<u8> {
    let mut recorded = Vec::new();
    let mut client = ApplicationClient::new(client_builder(suite).build().unwrap());
    let result = run_with(&mut client, &mut server(), &mut Numbers(99), |step, _, data_in| {
        if step == at {
            recorded.clone_from(data_in);
        }
    });
    result.unwrap();
    recorded
}

/// With an Authentication phase, no change of any bit is survived, not even of those that r3 has a receiver ignore: the
/// device server's AUTH covers its capabilities and its key exchange IN, the ICV its authentication IN.
fn flip_every_bit(at: Step, bytes: impl IntoIterator<Item = usize>, check: impl Fn(&ClientError)) {
    for bit in bytes.into_iter().flat_map(|byte| byte * 8..byte * 8 + 8) {
        let mut server = server();
        let config = client_builder(MANDATORY).build().unwrap();
        let result = tampered(config, &mut server, at, |data_in| data_in[bit / 8] ^= 0x80 >> (bit % 8));
        let error = result.expect_err(&format!("{at} byte {} bit {}", bit / 8, 7 - bit % 8));
        assert!(server.sas().is_empty(), "{at} byte {}: {error}", bit / 8);
        let is_late = error.step == Step::AuthenticationIn;
        assert_eq!(error.leftover, if is_late { Leftover::Deleted } else { Leftover::Nothing }, "{error}");
        check(&error);
    }
}

#[test]
fn no_bit_of_the_capabilities_can_be_changed() {
    let length = honest(MANDATORY, Step::Capabilities).len();
    flip_every_bit(Step::Capabilities, 0..length, |_| {});
}

#[test]
fn no_bit_of_the_key_exchange_in_can_be_changed() {
    // One bit of the public value is as good as another; the first and the last eight bytes stand for all.
    let (public_at, nonce_at) = (28 + 76 + 8, 28 + 76 + 264);
    let bytes = (0..public_at + 8).chain(nonce_at - 8..nonce_at + 36);
    flip_every_bit(Step::KeyExchangeIn, bytes, |error| assert_ne!(error.step, Step::Capabilities));
}

#[test]
fn no_bit_of_the_authentication_in_can_be_changed() {
    let length = honest(MANDATORY, Step::AuthenticationIn).len();
    flip_every_bit(Step::AuthenticationIn, 0..length, |error| {
        assert_eq!(error.step, Step::AuthenticationIn);
        assert!(matches!(error.fault, Fault::Data(_)), "{error}");
    });
}

#[test]
fn data_in_that_is_cut_or_lengthened_makes_no_association() {
    for suite in [MANDATORY, UNAUTHENTICATED] {
        for at in [Step::Capabilities, Step::KeyExchangeIn, Step::AuthenticationIn] {
            if at == Step::AuthenticationIn && suite == UNAUTHENTICATED {
                continue;
            }
            let length = honest(suite, at).len();
            for changed in (0..length).chain([length + 1]) {
                let config = client_builder(suite).build().unwrap();
                let error = tampered(config, &mut server(), at, |data_in| data_in.resize(changed, 0)).unwrap_err();
                assert_eq!(error.step, at);
            }
        }
    }
}

/// Whether r3 has the receiver of a key exchange IN ignore a bit: MINOR VERSION, VERSION, CRIT, reserved (reading R7).
fn is_ignored(byte: usize, mask: u8) -> bool {
    const SCA: usize = 28;
    const KE: usize = SCA + 76;
    const NONCE: usize = KE + 264;
    match byte {
        17 => mask & 0x0F != 0,
        19 => mask & !0x14 != 0,
        _ if [SCA + 1, KE + 1, NONCE + 1, KE + 6, KE + 7].contains(&byte) => true,
        _ => (SCA + 16..KE).contains(&byte) && (byte - SCA - 16) % 12 == 1,
    }
}

/// Without an Authentication phase the checks of the bytes are all there is.
#[test]
fn without_authentication_only_ignored_bits_of_the_key_exchange_in_can_be_changed() {
    let length = honest(UNAUTHENTICATED, Step::KeyExchangeIn).len();
    assert_eq!(length, 28 + 76 + 264 + 36);
    // KEY EXCHANGE DATA and NONCE DATA change the keys and are not noticed.
    for bit in (0..(28 + 76 + 8) * 8).chain((28 + 76 + 264) * 8..(28 + 76 + 264 + 4) * 8) {
        let (byte, mask) = (bit / 8, 0x80 >> (bit % 8));
        let mut server = server();
        let config = client_builder(UNAUTHENTICATED).build().unwrap();
        let result = tampered(config, &mut server, Step::KeyExchangeIn, |data_in| data_in[byte] ^= mask);
        assert_eq!(result.is_ok(), is_ignored(byte, mask), "byte {byte} mask {mask:02x}");
        match result {
            Ok(parameters) => assert_shared(&server, &parameters),
            Err(error) => {
                assert_eq!((error.step, error.leftover), (Step::KeyExchangeIn, Leftover::PerhapsAssociation));
            }
        }
    }
}

/// r3 5.13.4.3.3: usage data is compared as the algorithms are.
#[test]
fn usage_data_that_is_not_ours_is_refused() {
    for byte in 44..52 {
        let config = client_builder(UNAUTHENTICATED).usage(0x81, &[1, 2, 3, 4, 5, 6, 7, 8]).build().unwrap();
        let error = tampered(config, &mut server(), Step::KeyExchangeIn, |data_in| data_in[byte] ^= 1).unwrap_err();
        assert!(matches!(error.fault, Fault::Data(fault) if fault.field == Field::UsageData), "{error}");
    }
}

/// Appends a payload to a key exchange IN, its type named by the NONCE payload.
fn append(data_in: &mut Vec<u8>, code: u8, flags: u8, data: &[u8]) {
    let nonce_at = data_in.len() - 36;
    data_in[nonce_at] = code;
    data_in.extend([0, flags, 0, u8::try_from(data.len() + 4).unwrap()]);
    data_in.extend(data);
    let length = u32::try_from(data_in.len()).unwrap();
    data_in[24..28].copy_from_slice(&length.to_be_bytes());
}

#[test]
fn payloads_that_are_not_known_are_refused_only_with_crit() {
    let authorities = [[0x04].as_slice(), &[7; 40]].concat();
    let cases: [(u8, u8, &[u8], Option<WireErrorKind>); 7] = [
        (0x85, 0x80, &[1, 2, 3], Some(WireErrorKind::UnrecognisedCritical)),
        (0x85, 0x00, &[1, 2, 3], None),
        (0x2B, 0x00, b"vendor", None),
        (0x2B, 0x80, b"vendor", None),
        (0x26, 0x80, &authorities, None),
        (0x28, 0x80, &[9; 32], Some(WireErrorKind::OutOfPlace)),
        (0x25, 0x80, &[4, 1, 1], Some(WireErrorKind::OutOfPlace)),
    ];
    for (code, flags, data, refused) in cases {
        let config = client_builder(UNAUTHENTICATED).build().unwrap();
        let result = tampered(config, &mut server(), Step::KeyExchangeIn, |data_in| append(data_in, code, flags, data));
        match (result, refused) {
            (Ok(_), None) => {}
            (Err(ClientError { fault: Fault::Data(fault), .. }), Some(kind)) => assert_eq!(fault.kind, kind),
            (result, _) => panic!("{code:02x}h {flags:02x}h: {result:?}"),
        }
    }
}

/// What single bits do not reach.
#[test]
fn values_that_r3_forbids_in_a_key_exchange_in_are_refused() {
    let mut prime_less_one = prime();
    prime_less_one[255] -= 1;
    let public_at = 28 + 76 + 8;
    let set =
        |at: usize, bytes: Vec<u8>| move |data_in: &mut Vec<u8>| data_in[at..at + bytes.len()].copy_from_slice(&bytes);
    let one = [vec![0; 255], vec![1]].concat();
    type Change = Box<dyn Fn(&mut Vec<u8>)>;
    let cases: [(Field, Change); 7] = [
        (Field::KeyExchangeData, Box::new(set(public_at, vec![0; 256]))),
        (Field::KeyExchangeData, Box::new(set(public_at, one))),
        (Field::KeyExchangeData, Box::new(set(public_at, prime_less_one))),
        (Field::KeyExchangeData, Box::new(set(public_at, prime()))),
        (Field::KeyExchangeData, Box::new(set(public_at, vec![0xFF; 256]))),
        (
            Field::DsSai,
            Box::new(|data_in: &mut Vec<u8>| {
                data_in[8..16].fill(0);
                data_in[36..44].fill(0);
            }),
        ),
        (Field::PayloadLength, Box::new(|data_in: &mut Vec<u8>| cut_nonce(data_in, 17))),
    ];
    for (field, change) in cases {
        for suite in [MANDATORY, UNAUTHENTICATED] {
            let config = client_builder(suite).build().unwrap();
            let error = tampered(config, &mut server(), Step::KeyExchangeIn, &change).unwrap_err();
            assert!(matches!(error.fault, Fault::Data(fault) if fault.field == field), "{field}: {error}");
        }
    }
}

/// Reading R38: a nonce has at least half the size of the PRF's key, 64 bytes here.
#[test]
fn a_nonce_too_short_for_the_prf_is_refused() {
    let suite = SuiteIdentifiers { pseudo_random: PRF_HMAC_SHA2_512.identifier, ..UNAUTHENTICATED };
    for (cut, is_refused) in [(0, false), (1, true)] {
        let config = client_builder(suite).build().unwrap();
        let result = tampered(config, &mut server(), Step::KeyExchangeIn, |data_in| cut_nonce(data_in, cut));
        assert_eq!(result.is_err(), is_refused);
        if let Err(error) = result {
            assert!(matches!(error.fault, Fault::Data(fault) if fault.field == Field::PayloadLength), "{error}");
        }
    }
}

/// Takes the last bytes of the nonce off a key exchange IN.
fn cut_nonce(data_in: &mut Vec<u8>, bytes: usize) {
    let nonce_at = data_in.len() - 36;
    data_in.truncate(data_in.len() - bytes);
    data_in[nonce_at + 3] = u8::try_from(36 - bytes).unwrap();
    let length = u16::try_from(data_in.len()).unwrap();
    data_in[26..28].copy_from_slice(&length.to_be_bytes());
}

/// The prime of the 2048-bit MODP group (RFC 3526 3).
fn prime() -> Vec<u8> {
    let hex = concat!(
        "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD",
        "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED",
        "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F",
        "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B",
        "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510",
        "15728E5A8AACAA68FFFFFFFFFFFFFFFF",
    );
    (0..256).map(|i| u8::from_str_radix(hex.get(2 * i..2 * i + 2).unwrap(), 16).unwrap()).collect()
}

/// r3 5.13.4.6: the client checks that Data-In is of its own sequence.
#[test]
fn data_in_of_another_exchange_is_refused() {
    for at in [Step::KeyExchangeIn, Step::AuthenticationIn] {
        let other = honest(MANDATORY, at);
        let mut server = server();
        let mut client = ApplicationClient::new(client_builder(MANDATORY).build().unwrap());
        let result = run_with(&mut client, &mut server, &mut Numbers(100), |step, _, data_in| {
            if step == at {
                data_in.clone_from(&other);
            }
        });
        let error = result.unwrap_err();
        assert!(matches!(error.fault, Fault::Data(fault) if fault.field == Field::AcSai), "{error}");
        assert_eq!(error.step, at);
        assert!(server.sas().is_empty());
    }
}
