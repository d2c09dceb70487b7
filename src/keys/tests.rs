//! The room's own rules; whole key schedules are compared with recorded ones in `tests/vectors.rs`.

use alloc::vec;
use alloc::vec::Vec;

use super::*;
use crate::crypto::{CryptoError, Identity, Prf, Secret, Suite};
use crate::dialect::{Exchange, PayloadType, Profile};
use crate::tested::{self as provider, AES_CBC, AES_CCM_16, NULL, PRF_HMAC_SHA1};
use crate::wire::{Chain, Delete, Encrypted, Field, Header, MessageWriter, Sai, WireError, WireErrorKind, find};

/// RFC 4306 2.13: the counter has one byte.
#[test]
fn prf_plus_has_255_blocks() {
    let mut out = vec![0; 255 * 20];
    PRF_HMAC_SHA1.expand(b"key", &[b"seed"], &mut out).unwrap();
    assert_ne!(out[254 * 20..], [0; 20]);
    let mut more = vec![0; 255 * 20 + 1];
    assert_eq!(PRF_HMAC_SHA1.expand(b"key", &[b"seed"], &mut more), Err(CryptoError::Length));
}

/// T1 = prf(K, S | 01h), T2 = prf(K, T1 | S | 02h): by the definition, not by the function under test.
#[test]
fn prf_plus_chains_its_blocks() {
    let mut out = [0; 30];
    PRF_HMAC_SHA1.expand(b"key", &[b"seed"], &mut out).unwrap();
    let (mut t1, mut t2) = ([0; 20], [0; 20]);
    PRF_HMAC_SHA1.compute(b"key", &[b"seed", &[1]], &mut t1).unwrap();
    PRF_HMAC_SHA1.compute(b"key", &[&t1, b"seed", &[2]], &mut t2).unwrap();
    assert_eq!((&out[..20], &out[20..]), (&t1[..], &t2[..10]));
}

/// A PRF with a key of fixed length, like AES128-XCBC (reading R14).
struct FixedKey;

impl Prf for FixedKey {
    fn identifier(&self) -> u32 {
        0x0400
    }
    fn output_length(&self) -> usize {
        20
    }
    fn key_length(&self) -> usize {
        16
    }
    fn nonce_share(&self) -> Option<usize> {
        Some(8)
    }
    fn compute(&self, key: &[u8], parts: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
        PRF_HMAC_SHA1.compute(key, parts, out)
    }
}

fn suite(cipher: usize) -> Suite {
    let p = provider::provider();
    let (cipher, key_length, integrity) = match cipher {
        0 => (NULL, 0, Some(provider::AUTH_HMAC_SHA1_96)),
        1 => (AES_CBC, 16, Some(provider::AUTH_HMAC_SHA1_96)),
        _ => (AES_CCM_16, 32, None),
    };
    Suite { cipher, key_length, prf: PRF_HMAC_SHA1, integrity, group: p.groups[0] }
}

#[derive(Default)]
struct Log(std::sync::Mutex<Vec<(&'static str, Vec<u8>)>>);

impl KeyLog for Log {
    fn record(&self, _: Sai, _: Sai, name: &'static str, value: &[u8]) {
        self.0.lock().unwrap().push((name, value.to_vec()));
    }
}

#[test]
fn a_prf_of_fixed_key_takes_eight_bytes_of_each_nonce() {
    static FIXED: FixedKey = FixedKey;
    let suite = Suite { prf: &FIXED, ..suite(1) };
    let (ac_nonce, ds_nonce) = ([0x11; 32], [0x22; 16]);
    let context = SaContext { ac_nonce: &ac_nonce, ds_nonce: &ds_nonce, ac_sai: Sai(1), ds_sai: Sai(2) };
    let log = Log::default();
    let logger = KeyLogger { log: Some(&log), ac_sai: Sai(1), ds_sai: Sai(2) };
    KeySet::derive(Profile::R3, &suite, b"shared", &context, logger).unwrap();
    let mut expected = [0; 20];
    PRF_HMAC_SHA1.compute(&[[0x11; 8], [0x22; 8]].concat(), &[b"shared"], &mut expected).unwrap();
    assert_eq!(log.0.lock().unwrap()[1], ("SKEYSEED", expected.to_vec()));
}

/// A sealed Delete and where its Encrypted payload is.
fn sealed(suite: &Suite, key_e: &Secret, key_a: &Secret) -> (Vec<u8>, Encrypted) {
    let protection = Protection::new(suite, key_e.expose(), key_a.expose());
    let mut buffer = vec![0; 256];
    let sais = (Sai(0x1111), Sai(0x2222));
    let mut writer = MessageWriter::new(Profile::R3, Exchange::DeleteOut, sais, 2, &mut buffer).unwrap();
    writer.begin_encrypted(&vec![7; suite.cipher.iv_length()]).unwrap();
    writer.payload(PayloadType::Delete, &Delete { ac_sai: Sai(0x1111), ds_sai: None }).unwrap();
    let encrypted = writer.end_encrypted(suite.cipher.alignment(), protection.icv_length()).unwrap();
    let message = writer.finish().unwrap();
    seal(&protection, message, &encrypted).unwrap();
    let message = message.to_vec();
    let header = Header::parse(Profile::R3, &message).unwrap();
    let chain = Chain::outer(Profile::R3, &message, &header);
    let divided = protection.divide(&find(&chain, PayloadType::Encrypted).unwrap()).unwrap();
    assert_eq!((divided.text.clone(), divided.icv.clone()), (encrypted.text, encrypted.icv));
    (message, divided)
}

fn keys(suite: &Suite) -> (Secret, Secret) {
    let integrity = suite.integrity.map_or(0, crate::crypto::Integrity::key_length);
    (Secret::from(vec![3; suite.key_material_length()]), Secret::from(vec![4; integrity]))
}

#[test]
fn what_is_sealed_opens_and_nothing_else_does() {
    for number in 0..3 {
        let suite = suite(number);
        let (key_e, key_a) = keys(&suite);
        let protection = Protection::new(&suite, key_e.expose(), key_a.expose());
        let (message, encrypted) = sealed(&suite, &key_e, &key_a);
        let mut opened = message.clone();
        let end = open(Profile::R3, &protection, &mut opened, &encrypted).unwrap();
        // The Delete payload of r3 Table H4: 16 bytes, NEXT PAYLOAD 00h, CRIT.
        let delete = [&[0, 0x80, 0, 16, 1, 8, 0, 1][..], &0x1111_u64.to_be_bytes()].concat();
        assert_eq!(opened[encrypted.text.start..end], delete);
        let bad = WireError::new(28, Field::IntegrityChecksumData, WireErrorKind::Invalid);
        for bit in 0..message.len() * 8 {
            let mut flipped = message.clone();
            flipped[bit / 8] ^= 0x80 >> (bit % 8);
            let error = open(Profile::R3, &protection, &mut flipped, &encrypted).unwrap_err();
            assert_eq!(error, ProtectError::Wire(bad), "cipher {number}, bit {bit}");
            let text = &flipped[encrypted.text.start..encrypted.text.start + 16];
            assert!(number == 0 || text != delete, "plaintext of a message that was refused");
        }
    }
}

#[test]
fn a_pad_length_longer_than_the_text_is_refused_after_the_icv() {
    let suite = suite(0);
    let (key_e, key_a) = keys(&suite);
    let protection = Protection::new(&suite, key_e.expose(), key_a.expose());
    let (mut message, encrypted) = sealed(&suite, &key_e, &key_a);
    let pad_length_at = encrypted.text.end - 1;
    message[pad_length_at] = 17;
    seal(&protection, &mut message, &encrypted).unwrap();
    let fault = WireError::new(pad_length_at, Field::PadLength, WireErrorKind::Length);
    assert_eq!(open(Profile::R3, &protection, &mut message, &encrypted), Err(ProtectError::Wire(fault)));
    message[pad_length_at] = 16;
    seal(&protection, &mut message, &encrypted).unwrap();
    assert_eq!(open(Profile::R3, &protection, &mut message, &encrypted), Ok(encrypted.text.start));
}

#[test]
fn auth_data_of_another_length_or_content_is_refused() {
    let id = Identity::key_id(b"me");
    let mut code = [0; 20];
    identity_code(PRF_HMAC_SHA1, &[5; 20], &id.to_payload_data().unwrap(), &mut code).unwrap();
    let octets = SignedOctets::new(&[], b"message", b"nonce", &code);
    let padded = [6; 20];
    let mut auth = [0; 20];
    shared_key_auth(PRF_HMAC_SHA1, &padded, &octets, &mut auth).unwrap();
    let verify = |received: &[u8]| verify_shared_key_auth(PRF_HMAC_SHA1, &padded, &octets, received);
    assert_eq!(verify(&auth), Ok(()));
    assert_eq!(verify(&auth[..19]), Err(CryptoError::Refused));
    assert_eq!(verify(&[]), Err(CryptoError::Refused));
    assert_eq!(verify(&[&auth[..], &[0]].concat()), Err(CryptoError::Refused));
    let mut wrong = auth;
    wrong[0] ^= 1;
    assert_eq!(verify(&wrong), Err(CryptoError::Refused));
}

/// Reading R10: a combined mode authenticates all from the header to the Encrypted payload's own header, payloads skipped
/// in between included, and a receiver takes any alignment; R13: any padding.
#[test]
fn what_a_combined_mode_authenticates() {
    let suite = suite(2);
    let (key_e, key_a) = keys(&suite);
    let protection = Protection::new(&suite, key_e.expose(), key_a.expose());
    let mut message = vec![0x55; 28];
    message[16] = 0x2B;
    message.extend([0x2E, 0, 0, 7, 1, 2, 3]);
    let at = message.len();
    let (iv, delete) = ([9; 8], [0xDD; 16]);
    let mut text = [delete.as_slice(), &[0xEE, 1]].concat();
    message.extend([0x2A, 0x80, 0, u8::try_from(4 + iv.len() + text.len() + 16).unwrap()]);
    let mut icv = [0; 16];
    suite.cipher.seal(key_e.expose(), &iv, &message, &mut text, &mut icv).unwrap();
    message.extend([iv.as_slice(), &text, &icv].concat());
    let header = Header::parse(Profile::R3, &message).unwrap();
    let chain = Chain::outer(Profile::R3, &message, &header);
    let encrypted = protection.divide(&find(&chain, PayloadType::Encrypted).unwrap()).unwrap();
    assert_eq!(encrypted.at, at);
    let mut changed = message.clone();
    changed[at - 1] ^= 1;
    let bad = WireError::new(at, Field::IntegrityChecksumData, WireErrorKind::Invalid);
    assert_eq!(open(Profile::R3, &protection, &mut changed, &encrypted), Err(ProtectError::Wire(bad)));
    let end = open(Profile::R3, &protection, &mut message, &encrypted).unwrap();
    assert_eq!(message[encrypted.text.start..end], delete);
}

/// A logger prints whether it records, and nothing of what it did.
#[test]
fn a_logger_tells_whether_it_is_on() {
    let log = Log::default();
    let on = KeyLogger { log: Some(&log), ac_sai: Sai(1), ds_sai: Sai(2) };
    on.record("SK_d", b"secret");
    assert_eq!(alloc::format!("{on:?}"), "KeyLogger(on)");
    assert_eq!(alloc::format!("{:?}", KeyLogger { log: None, ..on }), "KeyLogger(off)");
}

/// MGMT_DATA that names algorithms which the dialect or the provider does not have: no Delete can be checked or made.
#[test]
fn a_delete_takes_the_algorithms_of_its_association() {
    use crate::algorithm::AlgorithmType;
    use crate::keys::MgmtData;
    let of = |profile, encr, integ| {
        let parameters = SaParameters {
            ac_sai: Sai(256),
            ds_sai: Sai(257),
            timeout: 1,
            ac_sqn: 1,
            ds_sqn: 1,
            kdf_id: 0x8002_0002,
            usage_type: 0x81,
            usage_algorithms: None,
            mgmt_data: MgmtData { encr, key_length: 16, integ, next_message_id: 2 },
            block: SaBlock::new(&SaBytes { sk_ei: &[0; 16], sk_ai: &[0; 20], ..SaBytes::default() }).unwrap(),
        };
        let found = Protection::of_delete(profile, &provider::provider(), &parameters).map(|_| ());
        found.map_err(AlgorithmType::code)
    };
    assert_eq!(of(Profile::SPC4, 0x8001_000C, 0x8003_0002), Ok(()));
    assert_eq!(of(Profile::SPC4, 0x000C, 0x8003_0002), Err(1), "r3's number");
    assert_eq!(of(Profile::SPC4, 0x8001_000C, 0xF003_0000), Err(3), "question Q6");
    assert_eq!(of(Profile::SPC4, 0x8001_0400, 0x8003_0002), Err(1), "a vendor's, which the provider does not have");
    assert_eq!(of(Profile::R3, 0x000C, 0x7777), Err(3));
}
