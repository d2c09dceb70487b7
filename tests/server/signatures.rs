//! Which key signs, and where certificates and their requests stand (r3 5.13.4.3.3, 5.13.4.4.2, 5.13.4.4.3, 7.7.4.11.1;
//! reading R18). The signatures are none: whoever knows the public key can make them. What is tested is around them.

use std::sync::Mutex;

use ikev2_scsi::algorithm::{IKE_AUTH_ECDSA_256, PRF_HMAC_SHA2_512};
use ikev2_scsi::crypto::{
    AuthorityHash, CertificateError, CertificateValidator, Credential, CryptoError, KeyKind, PeerClaim, Proof,
    PublicKey, SignatureScheme, Signer, Verifier,
};
use ikev2_scsi::keys::KeyLog;
use ikev2_scsi::wire::{Message, Sai};

use super::*;

const SCHEME: SignatureScheme = SignatureScheme::of_auth(KeyKind::P256);

/// As long as a signature on P-256.
fn toy_signature(public_key: &[u8], message: &[&[u8]]) -> Vec<u8> {
    let mut signature = vec![0; 64];
    let prf = provider::provider().prf(PRF_HMAC_SHA2_512.identifier).unwrap();
    prf.compute(public_key, message, &mut signature).unwrap();
    signature
}

struct ToySigner(&'static [u8]);

impl Signer for ToySigner {
    fn scheme(&self) -> SignatureScheme {
        SCHEME
    }

    fn public_key(&self) -> PublicKey {
        PublicKey::new(KeyKind::P256, self.0)
    }

    fn signature_length(&self) -> usize {
        64
    }

    fn sign(&self, message: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
        out.copy_from_slice(&toy_signature(self.0, message));
        Ok(())
    }
}

#[derive(Debug)]
struct ToyVerifier;

impl Verifier for ToyVerifier {
    fn scheme(&self) -> SignatureScheme {
        SCHEME
    }

    fn verify(&self, public_key: &[u8], message: &[&[u8]], signature: &[u8]) -> Result<(), CryptoError> {
        if toy_signature(public_key, message) == signature { Ok(()) } else { Err(CryptoError::Refused) }
    }
}

fn toy_provider() -> CryptoProvider {
    CryptoProvider { verifiers: &[&ToyVerifier], ..provider::provider() }
}

/// Takes the first certificate for the key, and remembers all.
#[derive(Default)]
struct First(Mutex<Vec<Vec<u8>>>);

impl CertificateValidator for First {
    fn validate(&self, claim: &PeerClaim<'_>) -> Result<PublicKey, CertificateError> {
        *self.0.lock().unwrap() = claim.certificates.iter().map(|certificate| certificate.data.to_vec()).collect();
        let first = claim.certificates.first().ok_or(CertificateError::Unknown)?;
        Ok(PublicKey::new(claim.kind, first.data))
    }

    fn authorities(&self) -> &[AuthorityHash] {
        &[[9; 20]]
    }
}

/// What was inside the Encrypted payloads: NEXT PAYLOAD of each payload.
#[derive(Default)]
struct Inside(Mutex<Vec<(&'static str, Vec<u8>)>>);

impl KeyLog for Inside {
    fn record(&self, _: Sai, _: Sai, name: &'static str, value: &[u8]) {
        if !name.starts_with("plaintext") {
            return;
        }
        let (mut at, mut codes) = (0, Vec::new());
        while codes.last() != Some(&0) {
            codes.push(value[at]);
            at += usize::from(u16::from_be_bytes([value[at + 2], value[at + 3]]));
        }
        self.0.lock().unwrap().push((name, codes));
    }
}

/// A device server and an application client that both have shared keys as well, and select ECDSA on P-256.
fn both(client_chain: [&'static [u8]; 2], log: &Arc<Inside>) -> (Unit, Host, [Arc<First>; 2]) {
    let validators = [Arc::new(First::default()), Arc::new(First::default())];
    let drive = Credential::with_certificates(Arc::new(ToySigner(b"drive")), &[b"drive", b"drive's CA"]);
    let unit = Unit::over(toy_provider(), |builder| {
        builder.credential(drive).validator(Arc::clone(&validators[0]) as Arc<dyn CertificateValidator>)
    });
    let mut preferences = client::Preferences::strongest_first(&toy_provider());
    preferences.authentication = vec![IKE_AUTH_ECDSA_256];
    let config = ClientConfig::builder(toy_provider(), Identity::key_id(b"host-0"))
        .preshared_keys(keys(b"key 0", &[(DRIVE, b"drive's key")]))
        .credential(Credential::with_certificates(Arc::new(ToySigner(b"host")), &client_chain))
        .validator(Arc::clone(&validators[1]) as Arc<dyn CertificateValidator>)
        .preferences(preferences)
        .own_methods(&[IKE_AUTH_ECDSA_256])
        .initial_contact(true)
        .key_log(Arc::clone(log) as Arc<dyn KeyLog>);
    (unit, Host(Arc::new(config.build().unwrap())), validators)
}

#[test]
fn who_is_told_to_sign_signs_and_certificates_stand_in_their_places() {
    let log = Arc::new(Inside::default());
    let (mut unit, host, [of_server, of_client]) = both([b"host", b"host's CA"], &log);
    let mut client = unit.client_before(A, &host, 2);
    let key_exchange_in = unit.send(A, &KEY_EXCHANGE_IN, &[]).1;
    let message = Message::parse(Profile::R3, &key_exchange_in).unwrap();
    let outer: Vec<u8> = message.payloads().map(|raw| raw.unwrap().code).collect();
    assert_eq!(outer, [0x81, 0x22, 0x28, 0x26], "SCA, KE, NONCE, CERTREQ");
    assert!(unit.step(A, &mut client).is_none());
    assert!(unit.step(A, &mut client).is_some());
    assert_eq!(*of_server.0.lock().unwrap(), [b"host".to_vec(), b"host's CA".to_vec()]);
    assert_eq!(*of_client.0.lock().unwrap(), [b"drive".to_vec(), b"drive's CA".to_vec()]);
    // After ID: CERT, CERT, CERTREQ, N, AUTH; and CERT, CERT, AUTH.
    let expected = [("plaintext_i", vec![0x25, 0x25, 0x26, 0x29, 0x27, 0]), ("plaintext_r", vec![0x25, 0x25, 0x27, 0])];
    assert_eq!(*log.0.lock().unwrap(), expected);
    let sa = unit.server.sas().iter().next().unwrap();
    let by = sa.application_client.as_ref().unwrap();
    assert_eq!(by.method, 9);
    assert_eq!(by.proof, Proof::PublicKey(PublicKey::new(KeyKind::P256, b"host")));
}

/// The key of another certificate than the first is not looked for.
#[test]
fn a_key_behind_another_certificate_is_not_accepted() {
    let log = Arc::new(Inside::default());
    let (mut unit, host, _) = both([b"host's CA", b"host"], &log);
    let mut client = unit.client_before(A, &host, 2);
    let command = client.next_command(&mut unit.random).unwrap();
    let sense = unit.refused(A, &command.cdb.to_bytes(), &command.data_out);
    assert_eq!((codes(&sense), sense.specific), (AUTHENTICATION, in_list(28)));
}
