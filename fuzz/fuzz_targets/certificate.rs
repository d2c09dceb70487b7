//! Whatever a peer sends as certificates, and whatever is configured as keys, lists and trust anchors, is taken or refused:
//! nothing panics, a certificate that was changed is not believed, and verifications keep to their limit.
#![no_main]

use std::cell::Cell;
use std::sync::LazyLock;

use arbitrary::Arbitrary;
use ikev2_scsi::crypto::{
    CertificateValidator, CryptoError, HashKind, Identity, KeyKind, PeerClaim, PublicKey, SignatureScheme, Signer, Verifier,
};
use ikev2_scsi::provider::{self, EcdsaSigner, RsaSigner};
use ikev2_scsi::time::UnixTime;
use ikev2_scsi::wire::{Certificate, CertificateEncoding, IdType};
use ikev2_scsi::x509::{
    ChainValidator, ExtendedUse, IdentityMatch, Limits, Revocation, authority_hash, public_key_from_spki, subject,
    subject_alt_names,
};
use libfuzzer_sys::fuzz_target;

/// Each certificate is followed by a list, and each of both is verified once or twice.
const LIMITS: Limits = Limits { certificates: 4, signatures: 12, steps: 32 };

#[derive(Arbitrary, Debug)]
enum Input {
    Signer(Object),
    Verifier { which: u8, key: Object, signature: Vec<u8> },
    Readers(Object),
    Chain(Chain),
}

/// An object of the vectors, perhaps changed, or any bytes.
#[derive(Arbitrary, Debug)]
enum Object {
    Known { which: u8, edits: Vec<(u16, u8)>, cut: Option<u16> },
    Any(Vec<u8>),
}

#[derive(Arbitrary, Debug)]
struct Chain {
    /// Of the bench, whose chains are whole: a kind of key. Else the objects.
    bench: Option<u8>,
    anchors: Vec<Object>,
    certificates: Vec<(bool, Object)>,
    lists: Vec<Object>,
    identity: Option<Vec<u8>>,
    id_type: u8,
    kind: u8,
    at: Option<u64>,
    revocation: u8,
    any_use: bool,
    any_identity: bool,
}

fuzz_target!(|input: Input| {
    match input {
        Input::Signer(key) => sign(&key.bytes(&KEYS)),
        Input::Verifier { which, key, signature } => verify(which, &key.bytes(&SUBJECT_KEYS), &signature),
        Input::Readers(object) => read(&object.bytes(&POOL)),
        Input::Chain(chain) => follow(&chain),
    }
});

/// The values in DER, in hexadecimal, of a file of the vectors.
fn objects(file: &str) -> Vec<Vec<u8>> {
    let digits = |text: &&str| text.len() > 60 && text.starts_with("30") && text.bytes().all(|c| c.is_ascii_hexdigit());
    file.split('"').filter(digits).map(hex).collect()
}

fn hex(text: &str) -> Vec<u8> {
    text.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// The private keys of a transcript, which are PEM inside JSON.
fn private_keys(file: &str) -> Vec<Vec<u8>> {
    let after = file.split("-----BEGIN PRIVATE KEY-----").skip(1);
    after.filter_map(|text| Some(base64(&text.split_once("-----END")?.0.replace("\\n", "")))).collect()
}

fn base64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.bytes().filter_map(|c| DIGITS.iter().position(|digit| *digit == c));
    let (mut bytes, mut bits, mut have) = (Vec::new(), 0_usize, 0);
    for digit in digits {
        bits = (bits << 6 | digit) & 0xFFFF;
        have += 6;
        if have >= 8 {
            have -= 8;
            bytes.push((bits >> have & 0xFF) as u8);
        }
    }
    bytes
}

static KEYS: LazyLock<Vec<Vec<u8>>> =
    LazyLock::new(|| private_keys(include_str!("../../vectors/transcripts/r3-auth-none-cbc.json")));
static BENCH: LazyLock<Vec<Vec<u8>>> =
    LazyLock::new(|| objects(include_str!("../../vectors/certificates/bench.json")));
static POOL: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let others = objects(include_str!("../../vectors/certificates/certificates.json"));
    BENCH.iter().cloned().chain(others).collect()
});
static SUBJECT_KEYS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let keys = BENCH.iter().filter_map(|der| public_key_from_spki(der).ok());
    let decoys = [256, 384, 1024].map(|length| PublicKey::decoy(KeyKind::Rsa, length)).into_iter();
    keys.chain(decoys).map(|key| key.bytes.into()).collect()
});

impl Object {
    fn bytes(&self, pool: &[Vec<u8>]) -> Vec<u8> {
        match self {
            Self::Any(bytes) => bytes.clone(),
            Self::Known { which, edits, cut } => {
                let mut bytes = pool[usize::from(*which) % pool.len()].clone();
                for (at, xor) in edits {
                    let at = usize::from(*at) % bytes.len();
                    bytes[at] ^= xor;
                }
                bytes.truncate(cut.map_or(usize::MAX, usize::from));
                bytes
            }
        }
    }
}

/// A private key that is taken signs, or says that it cannot; what it gives away verifies.
fn sign(der: &[u8]) {
    let ecdsa = EcdsaSigner::from_pkcs8_der(der).map(|signer| Box::new(signer) as Box<dyn Signer>);
    let rsa = RsaSigner::from_pkcs8_der(der, HashKind::Sha256).map(|signer| Box::new(signer) as Box<dyn Signer>);
    for signer in [ecdsa, rsa].into_iter().flatten() {
        let (key, scheme) = (signer.public_key(), signer.scheme());
        let mut signature = vec![0; signer.signature_length()];
        if signer.sign(&[b"octets"], &mut signature).is_err() {
            continue;
        }
        let verifier = provider::provider().verifier(scheme).unwrap();
        assert_eq!(verifier.verify(&key.bytes, &[b"octets"], &signature), Ok(()));
        assert!(verifier.verify(&key.bytes, &[b"other"], &signature).is_err());
    }
}

fn verify(which: u8, key: &[u8], signature: &[u8]) {
    let verifiers = provider::provider().verifiers;
    let verifier = verifiers[usize::from(which) % verifiers.len()];
    let _ = verifier.verify(key, &[signature, b"octets"], signature);
    let _ = verifier.verify(signature, &[b"octets"], key);
}

/// The helpers read what the validator reads.
fn read(der: &[u8]) {
    let _ = (public_key_from_spki(der), authority_hash(der));
    let names = subject(der).into_iter().chain(subject_alt_names(der).unwrap_or_default());
    assert!(names.into_iter().all(|name| !name.data.is_empty()));
    for revocation in [Revocation::Required, Revocation::Off] {
        let builder = ChainValidator::builder().trust_anchor(der).revocation_list(der).revocation(revocation);
        let _ = builder.build();
        let _ = ChainValidator::builder().trust_anchor(&BENCH[0]).revocation_list(der).build();
    }
}

thread_local! {
    static MADE: Cell<usize> = const { Cell::new(0) };
}

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

static COUNTING: LazyLock<Vec<&'static dyn Verifier>> = LazyLock::new(|| {
    let verifiers = provider::provider().verifiers.iter();
    verifiers.map(|verifier| &*Box::leak(Box::new(Counting(*verifier))) as &dyn Verifier).collect()
});

fn validator(chain: &Chain) -> Option<ChainValidator> {
    let mut builder = ChainValidator::builder().limits(LIMITS).revocation(match chain.revocation % 3 {
        0 => Revocation::Off,
        1 => Revocation::WhenListed,
        _ => Revocation::Required,
    });
    if chain.any_use {
        builder = builder.extended_use(ExtendedUse::Any);
    }
    if chain.any_identity {
        builder = builder.identity_match(IdentityMatch::Off);
    }
    if chain.bench.is_some() {
        builder = builder.trust_anchor(&BENCH[0]);
    }
    for anchor in chain.anchors.iter().take(3) {
        builder = builder.trust_anchor(&anchor.bytes(&POOL));
    }
    for list in chain.lists.iter().take(3) {
        builder = builder.revocation_list(&list.bytes(&POOL));
    }
    builder.build().ok()
}

/// The chain of the bench for a kind, then the others.
fn certificates(chain: &Chain) -> Vec<(CertificateEncoding, Vec<u8>)> {
    let mut found = Vec::new();
    if let Some(kind) = chain.bench {
        let first = 1 + 2 * usize::from(kind % 4);
        found.extend(BENCH[first..first + 2].iter().map(|der| (CertificateEncoding::X509Signature, der.clone())));
    }
    for (is_raw, object) in chain.certificates.iter().take(5) {
        let encoding = if *is_raw { CertificateEncoding::RawRsaKey } else { CertificateEncoding::X509Signature };
        found.push((encoding, object.bytes(&POOL)));
    }
    found
}

fn follow(chain: &Chain) {
    let Some(validator) = validator(chain) else { return };
    let found = certificates(chain);
    let certificates: Vec<_> =
        found.iter().map(|(encoding, data)| Certificate { encoding: *encoding, data }).collect();
    let id_type = [IdType::DerAsn1Dn, IdType::DerAsn1Gn, IdType::KeyId, IdType::FcName][usize::from(chain.id_type % 4)];
    let own = || certificates.first().and_then(|first| subject(first.data).ok()).map(|name| name.data.to_vec());
    let data = chain.identity.clone().or_else(own).unwrap_or_default();
    let identity = Identity::new(id_type, &data);
    let claim = PeerClaim {
        identity: identity.as_payload(),
        kind: KeyKind::ALL[usize::from(chain.kind % 4)],
        certificates: &certificates,
        at: Some(UnixTime(chain.at.unwrap_or(1_767_225_600))),
        verifiers: &COUNTING,
    };
    MADE.set(0);
    let outcome = validator.validate(&claim);
    assert!(MADE.get() <= LIMITS.signatures, "{} verifications", MADE.get());
    if let Ok(key) = outcome {
        assert_eq!(key.kind, claim.kind);
        // Who is believed has a certificate that somebody made, unless the fuzzer's own bytes are a trust anchor.
        let anchors_are_known = chain.anchors.iter().all(|anchor| POOL.contains(&anchor.bytes(&POOL)));
        assert!(!anchors_are_known || POOL.contains(&found[0].1), "a changed certificate is believed");
    }
}
