//! The key that stands in for one that nobody has: it costs what a key costs, and whoever signs with it is nobody (readings R32, R34).

use std::cell::Cell;

use ikev2_scsi::crypto::{
    CryptoError, CryptoProvider, HashKind, KeyKind, KnownKeys, PublicKey, SignatureScheme, Signer, Verifier,
};
use num_bigint::BigUint;
use sha1::{Digest, Sha1};

use super::*;

thread_local! {
    static MADE: Cell<usize> = const { Cell::new(0) };
}

/// Passes on to a verifier of the provider, and counts.
#[derive(Debug)]
struct Counting(&'static dyn Verifier);

impl Verifier for Counting {
    fn scheme(&self) -> SignatureScheme {
        self.0.scheme()
    }

    fn verify(&self, public_key: &[u8], message: &[&[u8]], signature: &[u8]) -> Result<(), CryptoError> {
        MADE.set(MADE.get() + 1);
        self.0.verify(public_key, message, signature)
    }
}

fn counting() -> CryptoProvider {
    let all = provider::provider();
    let verifiers: Vec<&'static dyn Verifier> =
        all.verifiers.iter().map(|verifier| &*Box::leak(Box::new(Counting(*verifier))) as _).collect();
    CryptoProvider { verifiers: Vec::leak(verifiers), ..all }
}

/// Verifications that a device server makes of one exchange, and whether the client is believed.
fn work(provider: CryptoProvider, party: &Party, config: &Arc<ClientConfig>, at: UnixTime) -> (usize, bool) {
    let builder = DeviceServer::builder(provider)
        .identity(drive())
        .preshared_keys(keys(b"drive's key", &host(), b"host's key"))
        .validator(party.signatures().validator)
        .certificate_requests(CertificateRequests::Nothing);
    let mut server = builder.build().unwrap();
    server.set_unix_time(at, Instant::default());
    MADE.set(0);
    let outcome = run(config, &mut server, NEXUS, Some(day()));
    let step = outcome.as_ref().map_err(|error| error.step).err();
    assert!(matches!(step, None | Some(Step::AuthenticationOut)), "{step:?}");
    (MADE.get(), outcome.is_ok())
}

/// One verification of AUTH, and one for each certificate.
#[test]
fn every_refusal_takes_the_work_of_an_acceptance() {
    let provider = counting();
    let stranger = Party { public_keys: json!([]), ..Party::server() };
    let believing = || Party::server().by_certificates();
    let unknowing = Party { trust_anchors: json!([]), ..believing() };
    let strict = Party { identity_match: IdentityMatch::Required, ..believing() };
    for method in [RSA, P256, P384, P521] {
        let known = client(&Party::client(), method, PSK);
        assert_eq!(work(provider, &Party::server(), &known, day()), (1, true), "{method}");
        assert_eq!(work(provider, &stranger, &known, day()), (1, false), "{method}");
        let mut other = Party::client();
        other.side["keys"] = recorded()["provisioning"]["device_server"]["keys"].clone();
        let other = client(&other, method, PSK);
        assert_eq!(work(provider, &Party::server(), &other, day()), (1, false), "{method}");
        let certified = client(&Party::client().by_certificates(), method, PSK);
        let chain = recorded()["client"]["certs"][["rsa", "p256", "p384", "p521"][place(method)]].clone();
        let all = chain.as_array().unwrap().len() + 1;
        assert_eq!(work(provider, &believing(), &certified, day()), (all, true), "{method}");
        assert_eq!(work(provider, &believing(), &certified, UnixTime(1)), (all, false), "{method}");
        assert_eq!(work(provider, &strict, &certified, day()), (all, false), "{method}");
        // Without a trust anchor certificates are not looked at, whoever sends them.
        assert_eq!(work(provider, &unknowing, &certified, day()), (1, false), "{method}");
    }
}

fn place(method: u32) -> usize {
    [RSA, P256, P384, P521].iter().position(|other| *other == method).unwrap()
}

/// 2^2048 - 1, the modulus of a decoy for signatures of 256 bytes, is the product of the Fermat numbers F0 to F10, which have
/// been factored (the small factors of each; the last one is what is left).
fn decoy_factors() -> Vec<BigUint> {
    let small: [&[&str]; 11] = [
        &[],
        &[],
        &[],
        &[],
        &[],
        &["641"],
        &["274177"],
        &["59649589127497217"],
        &["1238926361552897"],
        &["2424833", "7455602825647884208337395736200454918783366342657"],
        &["45592577", "6487031809", "4659775785220018543264560743076778192897"],
    ];
    let mut factors = Vec::new();
    for (number, small) in small.iter().enumerate() {
        let mut left = (BigUint::from(1_u8) << (1_usize << number)) + 1_u8;
        for factor in small.iter().map(|digits| digits.parse::<BigUint>().unwrap()) {
            assert_eq!(&left % &factor, BigUint::ZERO);
            left /= &factor;
            factors.push(factor);
        }
        factors.push(left);
    }
    factors
}

/// Signs with the private key of a decoy, RSA with SHA-1.
struct Forger {
    exponent: BigUint,
    modulus: BigUint,
}

impl Forger {
    fn new() -> Self {
        let factors = decoy_factors();
        let modulus: BigUint = factors.iter().product();
        assert_eq!(modulus, (BigUint::from(1_u8) << 2048_usize) - 1_u8);
        let order: BigUint = factors.iter().map(|factor| factor - 1_u8).product();
        Self { exponent: BigUint::from(65_537_u32).modinv(&order).unwrap(), modulus }
    }
}

impl Signer for Forger {
    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::new(KeyKind::Rsa, HashKind::Sha1)
    }

    fn public_key(&self) -> PublicKey {
        PublicKey::decoy(KeyKind::Rsa, 256)
    }

    fn signature_length(&self) -> usize {
        256
    }

    /// EMSA-PKCS1-v1_5 (RFC 8017 9.2).
    fn sign(&self, message: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
        let info = [0x30, 0x21, 0x30, 9, 6, 5, 0x2B, 0x0E, 3, 2, 0x1A, 5, 0, 4, 20];
        let hash = Sha1::digest(message.concat());
        let mut encoded = vec![0xFF; 256 - 1 - info.len() - hash.len()];
        (encoded[0], encoded[1]) = (0, 1);
        encoded.push(0);
        encoded.extend(info);
        encoded.extend(hash);
        let bytes = BigUint::from_bytes_be(&encoded).modpow(&self.exponent, &self.modulus).to_bytes_be();
        out.copy_from_slice(&[vec![0; 256 - bytes.len()], bytes].concat());
        Ok(())
    }
}

/// Whoever signs with a decoy's key is refused: as somebody unknown, and as somebody whose key is of another length.
#[test]
fn a_decoys_signature_proves_nothing() {
    let forger = Arc::new(Forger::new());
    let message: &[&[u8]] = &[b"whatever"];
    let mut signature = vec![0; 256];
    forger.sign(message, &mut signature).unwrap();
    assert_eq!(provider::RSA_PKCS1_SHA1.verify(&forger.public_key().bytes, message, &signature), Ok(()));
    let config = client_with(&Party { side: json!({}), ..Party::client() }, RSA, PSK, |builder| {
        builder.credential(Credential::new(forger.clone()))
    });
    let mut longer = KnownKeys::new();
    longer.set(host(), PublicKey::decoy(KeyKind::Rsa, 384));
    for known in [KnownKeys::new(), longer] {
        let mut server = server_with(&Party::server(), |builder| builder.validator(Arc::new(known)));
        let error = run(&config, &mut server, NEXUS, Some(day())).unwrap_err();
        assert_eq!(error.step, Step::AuthenticationOut);
        assert!(server.sas().is_empty());
    }
}
