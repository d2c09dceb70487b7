//! Signatures: published values.

use ikev2_scsi::crypto::{CryptoError, HashKind, KeyKind, PublicKey, SignatureScheme, Signer, Verifier};
use num_bigint::BigUint;
use serde_json::Value;

use crate::provider::{self, EcdsaSigner, IS_AWS_LC, RsaSigner};
use crate::{der, hex, read, records};

pub(crate) fn hash_kind(name: &Value) -> HashKind {
    match name.as_str().unwrap() {
        "sha1" => HashKind::Sha1,
        "sha256" => HashKind::Sha256,
        "sha384" => HashKind::Sha384,
        "sha512" => HashKind::Sha512,
        other => panic!("an unknown hash: {other}"),
    }
}

pub(crate) fn verifier(key: KeyKind, hash: HashKind) -> &'static dyn Verifier {
    provider::provider().verifier(SignatureScheme::new(key, hash)).unwrap()
}

/// The private keys of `rsa_sign.json`: PrivateKeyInfo, modulus, and the record.
pub(crate) fn rsa_keys() -> Vec<(Vec<u8>, BigUint, Value)> {
    let key = |record: Value| {
        let number = |name: &str| BigUint::parse_bytes(record[name].as_str().unwrap().as_bytes(), 16).unwrap();
        let key = der::rsa_private(&number("n"), &number("e"), &number("d"), &number("p"), &number("q"));
        (der::rsa_pkcs8(&key), number("n"), record)
    };
    records(&read("rsa_sign"), "keys").into_iter().map(key).collect()
}

/// Runs the groups of a file and counts what was verified, and what was refused.
fn run(name: &str, kind: KeyKind) -> (usize, usize) {
    let mut counts = (0, 0);
    for group in records(&read(name), "groups") {
        let (key, verifier) = (hex(&group["key"]), verifier(kind, hash_kind(&group["hash"])));
        for record in records(&group, "verified") {
            let (msg, mut sig) = (hex(&record["msg"]), hex(&record["sig"]));
            let context = format!("{name}, {}, {}", group["origin"], record["origin"]);
            assert_eq!(verifier.verify(&key, &[&msg], &sig), Ok(()), "{context}");
            counts.0 += 1;
            // Each costs as much as the record itself.
            if counts.0 % 8 != 1 {
                continue;
            }
            let (head, tail) = msg.split_at(msg.len() / 3);
            assert_eq!(verifier.verify(&key, &[head, &[], tail], &sig), Ok(()), "in parts: {context}");
            let refused = Err(CryptoError::Refused);
            assert_eq!(verifier.verify(&key, &[&msg, &[0]], &sig), refused, "longer message: {context}");
            assert_eq!(verifier.verify(&key, &[&msg], &sig[1..]), refused, "shorter: {context}");
            sig.push(0);
            assert_eq!(verifier.verify(&key, &[&msg], &sig), refused, "longer: {context}");
            let middle = sig.len() / 2;
            sig.pop();
            sig[middle] ^= 1;
            assert_eq!(verifier.verify(&key, &[&msg], &sig), refused, "changed: {context}");
        }
        for record in records(&group, "refused") {
            let result = verifier.verify(&key, &[&hex(&record["msg"])], &hex(&record["sig"]));
            assert_eq!(result, Err(CryptoError::Refused), "{name}, {}, {}", group["origin"], record["origin"]);
            counts.1 += 1;
        }
    }
    println!("{name}: {} verified, {} refused", counts.0, counts.1);
    counts
}

#[test]
fn ecdsa_verification() {
    assert_eq!(run("ecdsa256", KeyKind::P256), (247, 149));
    assert_eq!(run("ecdsa384", KeyKind::P384), (267, 144));
    assert_eq!(run("ecdsa521", KeyKind::P521), (246, 123));
}

#[test]
fn rsa_verification() {
    assert_eq!(run("rsa_sha1", KeyKind::Rsa), (6, 36));
    assert_eq!(run("rsa_sha256", KeyKind::Rsa), (15, 311));
    assert_eq!(run("rsa_sha384", KeyKind::Rsa), (7, 116));
    assert_eq!(run("rsa_sha512", KeyKind::Rsa), (13, 304));
}

/// The signature of the parts one after another.
pub(crate) fn sign(signer: &dyn Signer, message: &[&[u8]]) -> Result<Vec<u8>, CryptoError> {
    let mut signature = vec![0; signer.signature_length()];
    signer.sign(message, &mut signature).map(|()| signature)
}

/// Signs, and has the verifier of the signer's scheme check it with the signer's public key.
fn signed(signer: &dyn Signer, msg: &[u8]) -> Vec<u8> {
    let (head, tail) = msg.split_at(msg.len() / 2);
    let signature = sign(signer, &[head, tail]).unwrap();
    // The k of RFC 6979 and the padding of PKCS#1 v1.5 are functions of key and message; AWS-LC draws its k.
    let is_drawn = IS_AWS_LC && signer.scheme().key != KeyKind::Rsa;
    assert_eq!(sign(signer, &[msg]).unwrap() != signature, is_drawn);
    for wrong in [0, signature.len() - 1, signature.len() + 1] {
        assert_eq!(signer.sign(&[msg], &mut vec![0; wrong]), Err(CryptoError::Length), "{wrong} bytes");
    }
    let (SignatureScheme { key, hash }, public) = (signer.scheme(), signer.public_key());
    assert_eq!(public.kind, key);
    let of_rustcrypto = ikev2_scsi::provider::provider().verifier(signer.scheme()).unwrap();
    for verifier in [verifier(key, hash), of_rustcrypto] {
        assert_eq!(verifier.verify(&public.bytes, &[msg], &signature), Ok(()));
    }
    signature
}

#[test]
fn ecdsa_signatures_are_those_of_rfc_6979() {
    let mut count = 0;
    for (name, curve, kind) in [
        ("ecdsa256", der::SECP256R1, KeyKind::P256),
        ("ecdsa384", der::SECP384R1, KeyKind::P384),
        ("ecdsa521", der::SECP521R1, KeyKind::P521),
    ] {
        for record in records(&read(name), "signed") {
            let (private, public) = (hex(&record["private"]), hex(&record["public"]));
            for public_key in [Some(public.as_slice()), None] {
                let signer = EcdsaSigner::from_pkcs8_der(&der::ec_pkcs8(curve, &private, public_key)).unwrap();
                assert_eq!(signer.scheme(), SignatureScheme::of_auth(kind));
                assert_eq!(signer.public_key(), PublicKey::new(kind, &public));
                let is_published = signed(&signer, &hex(&record["msg"])) == hex(&record["sig"]);
                assert_eq!(is_published, !IS_AWS_LC);
                assert_eq!(format!("{signer:?}"), format!("EcdsaSigner({kind:?})"));
            }
            count += 1;
        }
    }
    assert_eq!(count, 6);
}

#[test]
fn rsa_signatures_are_the_published_ones() {
    let mut counts = [0; 4];
    for (der, modulus, record) in rsa_keys() {
        let exponent = BigUint::from(65537_u32);
        for record in records(&record, "signed") {
            let hash = hash_kind(&record["hash"]);
            let signer = RsaSigner::from_pkcs8_der(&der, hash).unwrap();
            assert_eq!(signer.scheme(), SignatureScheme::new(KeyKind::Rsa, hash));
            assert_eq!(*signer.public_key().bytes, der::rsa_public(&modulus, &exponent));
            assert_eq!(signed(&signer, &hex(&record["msg"])), hex(&record["sig"]));
            assert_eq!(format!("{signer:?}"), format!("RsaSigner({hash:?}, {} bytes)", modulus.bits() / 8));
            counts[hash as usize] += 1;
        }
    }
    println!("RSA signatures by hash: {counts:?}");
    assert_eq!(counts, [14; 4]);
}

/// Nobody has signed with them, but they cost the same.
#[test]
fn decoys_are_keys() {
    for kind in KeyKind::ALL {
        let decoy = PublicKey::decoy(kind, 256);
        let verifier = verifier(kind, kind.auth_hash());
        let length = kind.field_length().map_or(256, |field| 2 * field);
        let signature: Vec<u8> = (0..length).map(|i| u8::from(i % 16 == 15)).collect();
        assert_eq!(verifier.verify(&decoy.bytes, &[b"text"], &signature), Err(CryptoError::Refused));
    }
}
