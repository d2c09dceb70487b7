//! For one method and one shape of message, every denial takes the same verifications and gives the same answer.

use std::cell::RefCell;
use std::sync::{LazyLock, Mutex};

use ikev2_scsi::client::Fault;
use ikev2_scsi::crypto::{
    CryptoError, CryptoProvider, HashKind, KeyKind, KnownKeys, Presentation, PublicKey, SignatureScheme, Signer,
    Verifier,
};
use ikev2_scsi::keys::{Denial, KeyLog};
use ikev2_scsi::wire::Sai;
use num_bigint::BigUint;

use super::methods::rsa_key;
use crate::provider::{EcdsaSigner, RsaSigner};
use ikev2_scsi::server::EventKind;

use super::*;

/// Kind of key, bytes of key and signature, and whether a signature of RSA is below the modulus: what the work depends on.
type Note = (KeyKind, usize, usize, bool);

thread_local! {
    static MADE: RefCell<Vec<Note>> = const { RefCell::new(Vec::new()) };
    static OUT_OF_ORDER: RefCell<bool> = const { RefCell::new(false) };
}

/// Passes on to a verifier of the provider, and takes note.
#[derive(Debug)]
struct Noting(&'static dyn Verifier);

impl Verifier for Noting {
    fn scheme(&self) -> SignatureScheme {
        self.0.scheme()
    }

    fn verify(&self, public_key: &[u8], message: &[&[u8]], signature: &[u8]) -> Result<(), CryptoError> {
        let kind = self.scheme().key;
        let below = kind != KeyKind::Rsa || BigUint::from_bytes_be(signature) < modulus(public_key);
        MADE.with_borrow_mut(|made| made.push((kind, public_key.len(), signature.len(), below)));
        if OUT_OF_ORDER.with_borrow(|it| *it) {
            return Err(CryptoError::Device);
        }
        self.0.verify(public_key, message, signature)
    }
}

/// The modulus of an RSAPublicKey with an exponent of three bytes.
fn modulus(der: &[u8]) -> BigUint {
    BigUint::from_bytes_be(&der[8..der.len() - 5])
}

fn noting() -> CryptoProvider {
    static VERIFIERS: LazyLock<&'static [&'static dyn Verifier]> = LazyLock::new(|| {
        let leaked = provider::provider().verifiers.iter().map(|v| &*Box::leak(Box::new(Noting(*v))) as &dyn Verifier);
        Vec::leak(leaked.collect())
    });
    CryptoProvider { verifiers: *VERIFIERS, ..provider::provider() }
}

/// A device server over verifiers that take note.
fn noting_server(party: &Party, hashes: &[HashKind]) -> DeviceServer {
    let signatures = party.signatures();
    let builder = DeviceServer::builder(noting())
        .identity(drive())
        .validator(signatures.validator)
        .preshared_keys(keys(b"drive's key", &host(), b"host's key"))
        .policy(policy(|policy| policy.rsa_hashes = hashes.to_vec().into()));
    let mut server = builder.build().unwrap();
    server.set_unix_time(day(), Instant::default());
    server
}

/// The verifications that an authentication OUT takes, in order of kind, and what is answered and told.
fn work(config: &Arc<ClientConfig>, server: &mut DeviceServer) -> (Vec<Note>, Result<(), Denial>) {
    let mut client = ApplicationClient::new(Arc::clone(config));
    let mut random = Numbers(0xC0_FFEE);
    for _ in 0..3 {
        let command = client.next_command(&mut random).unwrap();
        let (sense, data_in) = send(server, NEXUS, &command, &mut random);
        assert!(sense.is_none());
        client.reply(Status::Good(&data_in)).unwrap();
    }
    let command = client.next_command(&mut random).unwrap();
    events(server);
    MADE.take();
    let (sense, _) = send(server, NEXUS, &command, &mut random);
    let mut made = MADE.take();
    made.sort_unstable();
    let told = events(server);
    server.nexus_lost(NEXUS);
    let outcome = match sense {
        None => Ok(()),
        Some(sense) => {
            assert_eq!(sense.to_fixed().as_ref(), FAILED);
            let [Event { kind: EventKind::AuthenticationFailed { why, .. }, .. }] = &told[..] else {
                panic!("{told:?}")
            };
            Err(*why)
        }
    };
    (made, outcome)
}

fn signed(signer: &dyn Signer, message: &[&[u8]]) -> Vec<u8> {
    let mut signature = vec![0; signer.signature_length()];
    signer.sign(message, &mut signature).unwrap();
    signature
}

/// Signs by a closure.
struct Says<F>(KeyKind, F);

impl<F: Fn(&[&[u8]]) -> Vec<u8> + Send + Sync> Signer for Says<F> {
    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::of_auth(self.0)
    }

    fn public_key(&self) -> PublicKey {
        PublicKey::decoy(self.0, 256)
    }

    fn signature_length(&self) -> usize {
        self.1(&[]).len()
    }

    fn sign(&self, message: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
        out.copy_from_slice(&self.1(message));
        Ok(())
    }
}

/// A client without certificates whose AUTH is made by a closure.
fn saying(kind: KeyKind, says: impl Fn(&[&[u8]]) -> Vec<u8> + Send + Sync + 'static) -> Arc<ClientConfig> {
    let bare = Party { side: json!({}), ..Party::client() };
    client_with(&bare, kind.auth_method(), PSK, |builder| {
        builder.credential(Credential::new(Arc::new(Says(kind, says))))
    })
}

/// A client that signs what is asked for with the decoy of its kind, to which anybody has the private key.
fn signing_with_the_decoy(kind: KeyKind) -> Arc<ClientConfig> {
    match kind {
        KeyKind::Rsa => {
            let real = RsaSigner::from_pkcs8_der(&rsa_key(), HashKind::Sha1).unwrap();
            let n = modulus(&real.public_key().bytes);
            let (decoy, d) = decoy_rsa();
            saying(kind, move |message| {
                let signature = BigUint::from_bytes_be(&signed(&real, message));
                let forged = signature.modpow(&BigUint::from(65_537_u32), &n).modpow(&d, &decoy).to_bytes_be();
                [vec![0; 256 - forged.len()], forged].concat()
            })
        }
        _ => {
            let signer = EcdsaSigner::from_pkcs8_der(&key_of_one(kind)).unwrap();
            assert_eq!(signer.public_key(), PublicKey::decoy(kind, 0));
            saying(kind, move |message| signed(&signer, message))
        }
    }
}

/// Modulus and private exponent: 2^2048 - 1 is the product of eleven Fermat numbers, whose factors are known.
fn decoy_rsa() -> (BigUint, BigUint) {
    let one = BigUint::from(1_u8);
    let fermat = |n: u32| (&one << (1_u32 << n)) + &one;
    let known = [
        (5, ["641"].as_slice()),
        (6, &["274177"]),
        (7, &["59649589127497217"]),
        (8, &["1238926361552897"]),
        (9, &["2424833", "7455602825647884208337395736200454918783366342657"]),
        (10, &["45592577", "6487031809", "4659775785220018543264560743076778192897"]),
    ];
    let mut primes: Vec<BigUint> = (0..5).map(fermat).collect();
    for (n, factors) in known {
        let factors = factors.iter().map(|text| text.parse::<BigUint>().unwrap());
        let mut rest = fermat(n);
        for factor in factors {
            assert_eq!(&rest % &factor, BigUint::ZERO);
            rest /= &factor;
            primes.push(factor);
        }
        primes.push(rest);
    }
    let product = primes.iter().fold(one.clone(), |product, prime| product * prime);
    let totient = primes.iter().fold(one.clone(), |product, prime| product * (prime - &one));
    assert_eq!(product, modulus(&PublicKey::decoy(KeyKind::Rsa, 256).bytes));
    (product, BigUint::from(65_537_u32).modinv(&totient).unwrap())
}

/// PrivateKeyInfo of the private value one.
fn key_of_one(kind: KeyKind) -> Vec<u8> {
    let curve: &[u8] = match kind {
        KeyKind::P256 => &[6, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 7],
        KeyKind::P384 => &[6, 5, 0x2B, 0x81, 4, 0, 0x22],
        _ => &[6, 5, 0x2B, 0x81, 4, 0, 0x23],
    };
    let element = |tag: u8, parts: &[&[u8]]| {
        let content = parts.concat();
        [&[tag, u8::try_from(content.len()).unwrap()], content.as_slice()].concat()
    };
    let field = kind.field_length().unwrap();
    let value = [vec![0; field - 1], vec![1]].concat();
    let key = element(0x30, &[&[2, 1, 1], &element(4, &[&value])]);
    let algorithm = element(0x30, &[&[6, 7, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 2, 1], curve]);
    element(0x30, &[&[2, 1, 0], &algorithm, &element(4, &[&key])])
}

/// The known keys of a server, in place of the recorded ones.
fn knowing(keys: &[(Identity, PublicKey)], hashes: &[HashKind]) -> DeviceServer {
    let mut known = KnownKeys::new();
    keys.iter().for_each(|(identity, key)| known.set(identity.clone(), key.clone()));
    let builder = DeviceServer::builder(noting()).identity(drive()).validator(Arc::new(known));
    let policy = policy(|policy| policy.rsa_hashes = hashes.to_vec().into());
    builder.preshared_keys(self::keys(b"drive's key", &host(), b"host's key")).policy(policy).build().unwrap()
}

const HASHES: [HashKind; 4] = [HashKind::Sha1, HashKind::Sha256, HashKind::Sha384, HashKind::Sha512];

/// Whoever is unknown costs what a wrong signature costs, whatever the signature is made of.
#[test]
fn whether_an_identity_is_known_takes_no_time() {
    let recorded = Party::client().signatures().own;
    for kind in KeyKind::ALL {
        let key = recorded.iter().map(Credential::public_key).find(|key| key.kind == kind).unwrap();
        let length = kind.field_length().map_or(256, |field| 2 * field);
        let fixed = |bytes: Vec<u8>| saying(kind, move |_| bytes.clone());
        let mut highest = vec![0xFF; length];
        highest[length - 1] = 0xFE;
        let clients = [
            ("wrong", fixed(vec![1; length])),
            ("zero", fixed(vec![0; length])),
            ("all ones", fixed(vec![0xFF; length])),
            ("above most moduli", fixed(highest)),
            ("empty", fixed(vec![])),
            ("short", fixed(vec![1; length - 1])),
            ("long", fixed(vec![1; length + 1])),
            ("very long", fixed(vec![1; 4096])),
            ("of the decoy", signing_with_the_decoy(kind)),
        ];
        for (name, config) in clients {
            for hashes in [&HASHES[..1], &HASHES] {
                let mut known = knowing(&[(host(), key.clone())], hashes);
                let mut unknown = knowing(&[], hashes);
                let (made, outcome) = work(&config, &mut known);
                assert_eq!(outcome, Err(Denial::WrongAuth), "{kind:?} {name}");
                let (also_made, outcome) = work(&config, &mut unknown);
                assert!(matches!(outcome, Err(Denial::Certificate(_))), "{kind:?} {name}");
                assert_eq!(made, also_made, "{kind:?} {name} with {} hashes", hashes.len());
                assert!(!made.is_empty());
            }
        }
    }
}

/// Keys of RSA have many lengths; whoever is unknown might have any of them.
#[test]
fn how_long_a_known_key_is_takes_no_time() {
    for length in [256, 384, 512, 1024] {
        let mut key = PublicKey::decoy(KeyKind::Rsa, length);
        let last = key.bytes.len() - 6;
        key.bytes[last] = 0xFD;
        let config = saying(KeyKind::Rsa, move |_| vec![1; length]);
        let (made, outcome) = work(&config, &mut knowing(&[(host(), key)], &HASHES));
        assert_eq!((made.len(), made[0].2, outcome), (4, length, Err(Denial::WrongAuth)));
        assert_eq!(work(&config, &mut knowing(&[], &HASHES)).0, made);
    }
}

/// Takes note of the client's AUTH.
struct Listening(Arc<Mutex<Vec<u8>>>);

impl KeyLog for Listening {
    fn record(&self, _: Sai, _: Sai, name: &'static str, value: &[u8]) {
        if name == "auth_i" {
            *self.0.lock().unwrap() = value.to_vec();
        }
    }
}

/// What the client signed is no signature of the device server's, even where both have one key.
#[test]
fn a_reflected_signature_proves_nothing() {
    let said: Arc<Mutex<Vec<u8>>> = Arc::default();
    for kind in KeyKind::ALL {
        let own = Party::client().signatures().own.into_iter();
        let own =
            own.map(|own| own.presenting(Presentation::Nothing)).find(|own| own.public_key().kind == kind).unwrap();
        let key = own.public_key();
        let mut both = KnownKeys::new();
        both.set(drive(), key.clone());
        let bare = Party { side: json!({}), ..Party::client() };
        let config = client_with(&bare, kind.auth_method(), kind.auth_method(), |builder| {
            builder.credential(own).validator(Arc::new(both)).certificate_requests(CertificateRequests::Nothing)
        });
        let auth = Arc::clone(&said);
        let reflecting = Says(kind, move |_: &[&[u8]]| auth.lock().unwrap().clone());
        let mut known = KnownKeys::new();
        known.set(host(), key);
        let log = Arc::new(Listening(Arc::clone(&said)));
        let builder = DeviceServer::builder(provider::provider()).identity(drive()).key_log(log);
        let builder = builder.validator(Arc::new(known)).credential(Credential::new(Arc::new(reflecting)));
        let error = run(&config, &mut builder.build().unwrap(), NEXUS, Some(day())).unwrap_err();
        assert_eq!((error.step, error.fault), (Step::AuthenticationIn, Fault::AuthenticationFailed), "{kind:?}");
        assert!(!said.lock().unwrap().is_empty());
    }
}

/// Anybody can sign with a decoy, so that it proves nothing even where somebody has configured it.
#[test]
fn a_decoy_proves_nothing() {
    for kind in KeyKind::ALL {
        let decoy = PublicKey::decoy(kind, 256);
        let mut server = knowing(&[(host(), decoy)], &HASHES);
        assert_eq!(work(&signing_with_the_decoy(kind), &mut server).1, Err(Denial::WrongAuth), "{kind:?}");
        assert!(work(&signing_with_the_decoy(kind), &mut knowing(&[], &HASHES)).1.is_err());
    }
}

/// A device that cannot verify with a decoy does not tell who is known by its failure.
#[test]
fn a_device_that_fails_with_decoys_tells_nothing() {
    let key = Party::client().signatures().own[0].public_key();
    let short = saying(KeyKind::Rsa, |_| vec![1; 300]);
    OUT_OF_ORDER.replace(true);
    for known in [vec![(host(), key)], vec![]] {
        assert!(work(&short, &mut knowing(&known, &HASHES)).1.is_err());
    }
    OUT_OF_ORDER.replace(false);
}

fn with_keys_of_the_device_server(mut party: Party) -> Party {
    party.side["keys"] = recorded()["provisioning"]["device_server"]["keys"].clone();
    party
}

/// A chain that is good, and everything that may be wrong with who sends it.
#[test]
fn what_is_wrong_with_a_certificate_takes_no_time() {
    let certified = || Party::client().by_certificates();
    let believing = || Party::server().by_certificates();
    let vectors = support::read_json(&support::project_file("vectors/certificates/certificates.json"));
    let rogue = || Party { trust_anchors: json!([vectors["der"][0]]), ..believing() };
    let matching = || Party { identity_match: IdentityMatch::Required, ..believing() };
    for kind in KeyKind::ALL {
        let config = client(&certified(), kind.auth_method(), PSK);
        let wrong = client(&with_keys_of_the_device_server(certified()), kind.auth_method(), PSK);
        let mut server = noting_server(&believing(), &HASHES[..1]);
        let (honest, outcome) = work(&config, &mut server);
        assert_eq!(outcome, Ok(()), "{kind:?}");
        let denied = |config: &Arc<ClientConfig>, server: &mut DeviceServer, what: &str| {
            let (made, outcome) = work(config, server);
            assert!(outcome.is_err(), "{kind:?} {what}");
            assert_eq!(made, honest, "{kind:?} {what}");
        };
        denied(&wrong, &mut server, "signed by another key");
        for (seconds, what) in [(9_000_000_000, "expired"), (1_000_000_000, "early")] {
            server.set_unix_time(UnixTime(seconds), Instant::default());
            denied(&config, &mut server, what);
            denied(&wrong, &mut server, what);
        }
        for (party, what) in [(rogue(), "rogue"), (matching(), "mismatch")] {
            denied(&config, &mut noting_server(&party, &HASHES[..1]), what);
            denied(&wrong, &mut noting_server(&party, &HASHES[..1]), what);
        }
    }
}
