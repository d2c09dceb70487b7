//! What is inside an Encrypted payload (r3 5.13.4.4.2, 5.13.5, 7.7.4.4-7.7.4.8b; readings R6, R18, R29, R32, R34, R39).
//!
//! The messages are written here byte by byte and sealed with the keys of a real exchange.

use std::collections::BTreeMap;
use std::slice::from_ref as one;
use std::sync::Mutex;

use ikev2_scsi::algorithm::{AUTH_HMAC_SHA1_96, ENCR_AES_CBC, IKE_AUTH_SHARED_KEY, MODP_2048, PRF_HMAC_SHA1};
use ikev2_scsi::client::{Preferences, SuiteIdentifiers};
use ikev2_scsi::crypto::Prf;
use ikev2_scsi::keys::KeyLog;
use ikev2_scsi::wire::Sai;

use super::*;

/// Offset of the first inner payload: header, payload header, IV.
const INNER: u16 = 28 + 4 + 16;
const NOT_SUPPORTED: (u8, u8, u8) = (5, 0x74, 0x31);
const INCOMPLETE: (u8, u8, u8) = (5, 0x26, 0x13);

/// Code, CRIT and reserved bits, data.
pub(crate) type Inner = (u8, u8, Vec<u8>);

#[derive(Default)]
struct Secrets(Mutex<BTreeMap<&'static str, Vec<u8>>>);

impl KeyLog for Secrets {
    fn record(&self, _: Sai, _: Sai, name: &'static str, value: &[u8]) {
        self.0.lock().unwrap().insert(name, value.to_vec());
    }
}

impl Secrets {
    fn get(&self, name: &str) -> Vec<u8> {
        self.0.lock().unwrap()[name].clone()
    }
}

/// The mandatory suite: AES-CBC, HMAC-SHA1.
pub(crate) fn mandatory_host(
    configure: impl FnOnce(client::ClientConfigBuilder) -> client::ClientConfigBuilder,
) -> Host {
    let suite = SuiteIdentifiers {
        encryption: ENCR_AES_CBC.identifier,
        key_length: 16,
        pseudo_random: PRF_HMAC_SHA1.identifier,
        integrity: AUTH_HMAC_SHA1_96.identifier,
        group: MODP_2048.identifier,
        authentication: IKE_AUTH_SHARED_KEY,
    };
    Host::with(b"host-0", b"key 0", |builder| configure(builder.preferences(Preferences::exactly(suite))))
}

/// Links payloads; gives the code of the first and the bytes.
fn chain(payloads: &[Inner]) -> (u8, Vec<u8>) {
    let code = |index: usize| payloads.get(index).map_or(0, |payload| payload.0);
    let mut bytes = Vec::new();
    for (index, (_, flags, data)) in payloads.iter().enumerate() {
        let length = u16::try_from(data.len() + 4).unwrap().to_be_bytes();
        bytes.extend([code(index + 1), *flags, length[0], length[1]]);
        bytes.extend(data);
    }
    (code(0), bytes)
}

/// An exchange that a forger takes over.
pub(crate) struct Forger {
    pub(crate) unit: Unit,
    secrets: Arc<Secrets>,
    /// The honest message that the forger replaces.
    honest: Command,
    pub(crate) client: Option<ApplicationClient>,
    ds_sai: [u8; 8],
}

impl Forger {
    /// Before the authentication OUT.
    fn before_authentication() -> Self {
        Self::in_unit(Unit::new(|builder| builder))
    }

    /// Before the authentication OUT, with a device server of one's own.
    pub(crate) fn in_unit(mut unit: Unit) -> Self {
        let secrets = Arc::new(Secrets::default());
        let host = mandatory_host(|builder| builder.key_log(Arc::clone(&secrets) as Arc<dyn KeyLog>));
        let mut client = unit.client_before(A, &host, 2);
        let honest = client.next_command(&mut unit.random).unwrap();
        let ds_sai = honest.data_out[8..16].try_into().unwrap();
        Self { unit, secrets, honest, client: Some(client), ds_sai }
    }

    /// Before the Delete.
    fn before_delete() -> Self {
        let mut forger = Self::before_authentication();
        let mut client = forger.client.take().unwrap();
        assert!(forger.unit.step(A, &mut client).is_none());
        let parameters = forger.unit.step(A, &mut client).unwrap();
        let config = mandatory_host(|builder| builder).0;
        forger.honest = client::delete(&config, parameters, &mut forger.unit.random).unwrap();
        forger
    }

    /// The message with other payloads, `before` in front of the Encrypted payload.
    pub(crate) fn seal(&self, before: &[Inner], inner: &[Inner]) -> Vec<u8> {
        let provider = provider::provider();
        let (first, mut text) = chain(inner);
        let padding = 15 - text.len() % 16;
        text.extend(1..=u8::try_from(padding).unwrap());
        text.push(u8::try_from(padding).unwrap());
        let iv = [0x1F; 16];
        let cipher = provider.cipher(ENCR_AES_CBC.identifier, 16).unwrap();
        cipher.seal(&self.secrets.get("SK_ei"), &iv, &[], &mut text, &mut []).unwrap();
        let encrypted = [&iv, text.as_slice(), &[0; 12]].concat();
        let outer: Vec<Inner> = before.iter().cloned().chain([(0x2E, 0x80, encrypted)]).collect();
        let (outer_first, payloads) = chain(&outer);
        let mut message = [&self.honest.data_out[..28], &payloads].concat();
        message[16] = outer_first;
        let at = message.len() - (4 + 16 + text.len() + 12);
        message[at] = first;
        let length = u32::try_from(message.len()).unwrap().to_be_bytes();
        message[24..28].copy_from_slice(&length);
        let (covered, icv) = message.split_at_mut(payloads.len() + 28 - 12);
        let integrity = provider.integrity(AUTH_HMAC_SHA1_96.identifier).unwrap();
        integrity.compute(&self.secrets.get("SK_ai"), &[covered], icv).unwrap();
        message
    }

    pub(crate) fn send(&mut self, message: &[u8]) -> Reply {
        let specific = self.honest.cdb.to_bytes()[3];
        self.unit.send(A, &out(specific, message.len()), message).0
    }

    fn expect(&mut self, before: &[Inner], inner: &[Inner], asc: (u8, u8, u8), at: u16) {
        let message = self.seal(before, inner);
        let Reply::CheckCondition(sense) = self.send(&message) else { panic!("{inner:02x?} is accepted") };
        assert_eq!((codes(&sense), sense.specific), (asc, in_list(at)), "{before:02x?} {inner:02x?}");
    }

    /// AUTHENTICATION DATA over an ID payload's data (r3 7.7.4.6, reading R29).
    fn auth_over(&self, id: &[u8]) -> Vec<u8> {
        let prf = |key: &[u8], parts: &[&[u8]]| {
            let prf: &dyn Prf = provider::provider().prf(PRF_HMAC_SHA1.identifier).unwrap();
            let mut value = vec![0; 20];
            prf.compute(key, parts, &mut value).unwrap();
            value
        };
        let octets = self.secrets.get("octets_i");
        let message_and_nonce = &octets[..octets.len() - 20];
        let identity = prf(&self.secrets.get("SK_pi"), &[id]);
        prf(&prf(b"key 0", &[b"Key Pad for IKEv2-SCSI"]), &[message_and_nonce, &identity])
    }

    pub(crate) fn id(&self) -> Inner {
        (0x23, 0x80, [&[11, 0, 0, 0], b"host-0".as_slice()].concat())
    }

    pub(crate) fn auth(&self) -> Inner {
        (0x27, 0x80, [&[2, 0, 0, 0], self.auth_over(&self.id().2).as_slice()].concat())
    }

    pub(crate) fn notify(&self) -> Inner {
        (0x29, 0x80, [&[1, 8, 0x40, 0], self.ds_sai.as_slice()].concat())
    }
}

fn with(payload: &Inner, at: usize, value: u8) -> Inner {
    let mut changed = payload.clone();
    changed.2[at] = value;
    changed
}

/// Each fault points into the list as if the ciphertext were the plaintext, and leaves no trace.
#[test]
fn faults_inside_an_authentication_out() {
    let mut forger = Forger::before_authentication();
    let (id, notify, auth) = (forger.id(), forger.notify(), forger.auth());
    let certificate: Inner = (0x25, 0x80, vec![0x0C, 1, 2, 3]);
    let (at_second, after_id) = (INNER, INNER + 14);
    let unknown: Inner = (0x21, 0x80, vec![7; 3]);
    let mut check = |inner: &[Inner], asc, at| forger.expect(&[], inner, asc, at);
    check(&[], INCOMPLETE, 28);
    check(one(&id), INCOMPLETE, at_second);
    check(one(&auth), INCOMPLETE, INNER);
    check(&[auth.clone(), id.clone()], VALUE, 28);
    check(&[id.clone(), auth.clone(), auth.clone()], VALUE, after_id);
    check(&[id.clone(), notify.clone(), notify.clone(), auth.clone()], VALUE, after_id);
    check(&[id.clone(), auth.clone(), notify.clone()], VALUE, after_id);
    check(&[unknown.clone(), id.clone(), auth.clone()], NOT_SUPPORTED, 28);
    check(&[id.clone(), unknown.clone(), auth.clone()], NOT_SUPPORTED, at_second);
    check(&[(0x24, 0x80, id.2.clone()), id.clone(), auth.clone()], VALUE, 28);
    for forbidden in [1, 2, 3, 5, 9, 10, 13] {
        check(&[with(&id, 0, forbidden), auth.clone()], VALUE, INNER + 4);
    }
    for (field, at) in [(0, 4), (1, 5), (2, 6), (3, 6), (4, 8), (11, 8)] {
        let wrong = with(&notify, field, notify.2[field] ^ 2);
        check(&[id.clone(), wrong, auth.clone()], VALUE, after_id + at);
    }
    check(&[id.clone(), (0x29, 0x80, notify.2[..11].to_vec()), auth.clone()], VALUE, after_id + 2);
    check(&[id.clone(), certificate.clone(), auth.clone()], VALUE, after_id + 4);
    check(&[id.clone(), (0x26, 0x80, vec![4; 20]), auth.clone()], VALUE, after_id + 2);
    check(&[(0x23, 0x80, vec![11, 0, 0]), auth.clone()], VALUE, INNER + 2);
    // An unrecognised payload in front moves the Encrypted payload (reading R32).
    let skipped: Inner = (0xC0, 0, vec![9; 5]);
    forger.expect(one(&skipped), &[with(&id, 0, 1), auth.clone()], VALUE, INNER + 4 + 9);
    forger.expect(&[skipped.clone(), (0x2B, 0, vec![])], one(&id), INCOMPLETE, INNER + 9 + 4);
    assert_eq!(forger.unit.told().iter().filter(|e| matches!(e.1, EventKind::AuthenticationFailed { .. })).count(), 0);
    // What may be skipped or ignored is; CRIT zero on a recognised payload is accepted (reading R6).
    let lenient = [(0x2B, 0x80, vec![]), skipped.clone(), (0x23, 0, id.2), (0x30, 0, vec![]), notify, auth, skipped];
    let message = forger.seal(&[(0x7F, 0x7F, vec![])], &lenient);
    assert_eq!(forger.send(&message), Reply::Good { len: 0 });
}

/// Readings R18, R32, R34: no cause of a failed authentication is told from another.
#[test]
fn failed_authentications_look_alike() {
    let mut forger = Forger::before_authentication();
    let id = forger.id();
    let auth = forger.auth();
    for method in [0, 1, 3, 9] {
        let mut forger = Forger::before_authentication();
        forger.expect(&[], &[id.clone(), with(&auth, 0, method)], AUTHENTICATION, 28);
    }
    forger.expect(&[], &[id.clone(), with(&auth, 23, auth.2[23] ^ 1)], AUTHENTICATION, 28);
    forger.expect(&[(0xC0, 0, vec![])], &[id, (0x27, 0x80, vec![2, 0, 0, 0])], AUTHENTICATION, 32);
}

/// Reserved bytes are ignored on receipt (reading R7), and the ID payload is signed as it was sent (reading R29: RESERVED
/// is among the octets, RFC 4718 and r3 7.7.4.6 e).
#[test]
fn the_reserved_bytes_of_an_identification_are_signed_as_sent() {
    let mut forger = Forger::before_authentication();
    let id: Inner = (0x23, 0x80, [&[11, 0x5A, 0, 1], b"host-0".as_slice()].concat());
    let auth: Inner = (0x27, 0x80, [&[2, 7, 7, 7], forger.auth_over(&id.2).as_slice()].concat());
    let message = forger.seal(&[], &[id, auth]);
    assert_eq!(forger.send(&message), Reply::Good { len: 0 });
    let mut client = forger.client.take().unwrap();
    client.reply(Status::Good(&[])).unwrap();
    assert!(forger.unit.step(A, &mut client).is_some());
}

/// r3 7.7.4.8b, reading R31.
#[test]
fn faults_inside_a_delete() {
    let mut forger = Forger::before_delete();
    let ac_sai = &forger.honest.data_out[..8];
    let delete: Inner = (0x2A, 0x80, [&[1, 8, 0, 1], ac_sai].concat());
    for (field, at) in [(0, 4), (1, 5), (2, 6), (3, 6), (4, 8), (11, 8)] {
        let wrong = with(&delete, field, delete.2[field] ^ 2);
        forger.expect(&[], &[wrong], VALUE, INNER + at);
    }
    forger.expect(&[], &[], INCOMPLETE, 28);
    forger.expect(&[], &[delete.clone(), delete.clone()], VALUE, INNER);
    forger.expect(&[], &[delete.clone(), (0x21, 0x80, vec![])], NOT_SUPPORTED, INNER);
    forger.expect(&[], &[(0x2A, 0x80, delete.2[..11].to_vec())], VALUE, INNER + 2);
    assert_eq!(forger.unit.server.sas().len(), 1);
    let message = forger.seal(&[], &[delete]);
    assert_eq!(forger.send(&message), Reply::Good { len: 0 });
    assert!(forger.unit.server.sas().is_empty());
}

/// r3 7.7.4.4 a, 7.7.4.5, Table H2; readings R6, R34.
#[test]
fn certificates_inside_an_authentication_out() {
    let mut forger = Forger::before_authentication();
    let (id, auth) = (forger.id(), forger.auth());
    let after_id = INNER + 14;
    let cert = |encoding: u8| -> Inner { (0x25, 0x80, vec![encoding, 0x30, 0]) };
    let request = |encoding: u8| -> Inner { (0x26, 0x80, [vec![encoding], vec![7; 40]].concat()) };
    for encoding in (0..=0xFF).filter(|encoding| ![0x04, 0x0B].contains(encoding)) {
        forger.expect(&[], &[id.clone(), cert(encoding), auth.clone()], VALUE, after_id + 4);
        forger.expect(&[], &[id.clone(), request(encoding), auth.clone()], VALUE, after_id + 4);
        forger.expect(&[], &[id.clone(), cert(4), cert(encoding), auth.clone()], VALUE, after_id + 7 + 4);
    }
    // Hashes have 20 bytes; an empty payload has no encoding.
    for length in [0, 2, 20, 22, 40, 42] {
        let odd: Inner = (0x26, 0x80, vec![4; length]);
        forger.expect(&[], &[id.clone(), odd, auth.clone()], VALUE, after_id + 2);
    }
    forger.expect(&[], &[id.clone(), (0x25, 0x80, vec![]), auth.clone()], VALUE, after_id + 2);
    // Certificates come before requests, both before AUTH.
    forger.expect(&[], &[id.clone(), request(4), cert(4), auth.clone()], VALUE, after_id);
    forger.expect(&[], &[cert(4), id.clone(), auth.clone()], VALUE, 28);
    // A certificate's name without one; a raw key is none.
    for id_type in [9, 10] {
        let name = with(&id, 0, id_type);
        forger.expect(&[], &[name.clone(), auth.clone()], VALUE, INNER + 4);
        forger.expect(&[], &[name.clone(), cert(0x0B), auth.clone()], VALUE, INNER + 4);
        let mut forger = Forger::before_authentication();
        forger.expect(&[], &[name, cert(0x0B), cert(4), auth.clone()], AUTHENTICATION, 28);
    }
    // Beside a shared key they are not looked at.
    let inner = [id, cert(4), cert(0x0B), cert(4), request(4), request(0x0B), auth];
    let message = forger.seal(&[], &inner);
    assert_eq!(forger.send(&message), Reply::Good { len: 0 });
}
