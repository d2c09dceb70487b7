//! Each algorithm beside the same of OpenSSL and, by our provider over it, of AWS-LC.

use std::hint::black_box;

use ikev2_scsi::algorithm::{
    AUTH_HMAC_SHA1_96, AUTH_HMAC_SHA2_256_128, AUTH_HMAC_SHA2_512_256, Algorithm, ECP_256, ECP_384, ECP_521,
    ENCR_AES_CBC, ENCR_AES_CCM_16, ENCR_AES_GCM_16, MODP_2048, MODP_3072, MODP_4096, MODP_6144, MODP_8192,
};
use ikev2_scsi::crypto::{CryptoProvider, HashKind, Signer};
use openssl::bn::{BigNum, BigNumContext};
use openssl::cipher::{self, CipherRef};
use openssl::cipher_ctx::CipherCtx;
use openssl::derive::Deriver;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::symm::{Cipher, Crypter, Mode};

use crate::harness::{Comparison, Effort};
use crate::openssl_bn::Modulus;
use crate::provider::Provider;

/// Bytes of messages.
const SIZES: [usize; 4] = [64, 256, 1024, 4096];
const OPENSSL: &str = "openssl";

/// Runs the candidates, of which one is OpenSSL, and prints a line `primitive,<operation>,<candidate>,<ns>,<times OpenSSL>` for
/// each.
fn report(operation: &str, comparison: Comparison<'_>) {
    let times = comparison.run();
    let anchor = times.iter().find(|time| time.name == OPENSSL).unwrap();
    for time in &times {
        println!("primitive,{operation},{},{:.0},{:.3}", time.name, time.nanoseconds(), time.ratio(anchor));
    }
}

fn providers() -> [(&'static str, Provider, CryptoProvider); 2] {
    [
        (Provider::RustCrypto.name(), Provider::RustCrypto, Provider::RustCrypto.algorithms()),
        (Provider::AwsLc.name(), Provider::AwsLc, ikev2_scsi::aws_lc::everything()),
    ]
}

pub(crate) fn run(effort: Effort) {
    for group in [MODP_2048, MODP_3072, MODP_4096, MODP_6144, MODP_8192] {
        modp(&group, effort);
    }
    for (group, nid) in [(ECP_256, Nid::X9_62_PRIME256V1), (ECP_384, Nid::SECP384R1), (ECP_521, Nid::SECP521R1)] {
        ecdh(&group, nid, effort);
    }
    for kind in ["p256", "p384", "p521", "rsa"] {
        signatures(kind, effort);
    }
    for size in SIZES {
        hmac("HMAC-SHA1-96", AUTH_HMAC_SHA1_96, MessageDigest::sha1(), size, effort);
        hmac("HMAC-SHA256-128", AUTH_HMAC_SHA2_256_128, MessageDigest::sha256(), size, effort);
        hmac("HMAC-SHA512-256", AUTH_HMAC_SHA2_512_256, MessageDigest::sha512(), size, effort);
        cbc(size, effort);
        combined("AES-128-GCM", ENCR_AES_GCM_16, cipher::Cipher::aes_128_gcm(), size, effort);
        combined("AES-128-CCM", ENCR_AES_CCM_16, cipher::Cipher::aes_128_ccm(), size, effort);
    }
}

/// Both exponentiations of one side with the private value's length that we draw.
fn modp(row: &Algorithm, effort: Effort) {
    let group = Provider::RustCrypto.algorithms().group(row.identifier).unwrap();
    let private = vec![0x7A; group.private_length()];
    let (mut public, mut shared) = (vec![0; group.public_length()], vec![0; group.shared_length()]);
    let mut peer = vec![0; group.public_length()];
    group.public(&vec![0x35; group.private_length()], &mut peer).unwrap();
    let prime = match group.public_length() {
        256 => BigNum::get_rfc3526_prime_2048(),
        384 => BigNum::get_rfc3526_prime_3072(),
        512 => BigNum::get_rfc3526_prime_4096(),
        768 => BigNum::get_rfc3526_prime_6144(),
        _ => BigNum::get_rfc3526_prime_8192(),
    };
    let prime = prime.unwrap();
    let mut modulus = Modulus::new(&prime.to_vec());
    let (exponent, base) = (BigNum::from_slice(&private).unwrap(), BigNum::from_u32(2).unwrap());
    let theirs = BigNum::from_slice(&peer).unwrap();
    let (mut first, mut second) = (BigNum::new().unwrap(), BigNum::new().unwrap());
    // The same values by both, before they are timed.
    group.exchange(&private, &peer, &mut public, &mut shared).unwrap();
    modulus.power(&mut first, &base, &exponent);
    modulus.power(&mut second, &theirs, &exponent);
    let length = i32::try_from(public.len()).unwrap();
    assert_eq!(
        (first.to_vec_padded(length).unwrap(), second.to_vec_padded(length).unwrap()),
        (public.clone(), shared.clone())
    );
    let mut comparison = Comparison::new(effort);
    comparison.add(OPENSSL, || {
        modulus.power(&mut first, &base, black_box(&exponent));
        modulus.power(&mut second, &theirs, black_box(&exponent));
    });
    comparison.add("rustcrypto", || group.exchange(black_box(&private), &peer, &mut public, &mut shared).unwrap());
    report(&format!("{} both powers", row.name), comparison);
}

/// A key pair and the agreement.
fn ecdh(row: &Algorithm, nid: Nid, effort: Effort) {
    let curve = EcGroup::from_curve_name(nid).unwrap();
    let theirs = EcKey::generate(&curve).unwrap();
    let mut context = BigNumContext::new().unwrap();
    let form = openssl::ec::PointConversionForm::UNCOMPRESSED;
    let peer = theirs.public_key().to_bytes(&curve, form, &mut context).unwrap();
    let theirs = PKey::from_ec_key(theirs).unwrap();
    let mut comparison = Comparison::new(effort);
    comparison.add(OPENSSL, || {
        let own = EcKey::generate(&curve).unwrap();
        let public = own.public_key().to_bytes(&curve, form, &mut context).unwrap();
        let own = PKey::from_ec_key(own).unwrap();
        let mut deriver = Deriver::new(&own).unwrap();
        deriver.set_peer(&theirs).unwrap();
        (public, deriver.derive_to_vec().unwrap())
    });
    for (name, _, provider) in providers() {
        let group = provider.group(row.identifier).unwrap();
        let peer = peer[1..].to_vec();
        let mut private = vec![0x7A; group.private_length()];
        if private.len() == 66 {
            private[0] = 0;
        }
        let (mut public, mut shared) = (vec![0; group.public_length()], vec![0; group.shared_length()]);
        comparison.add(name, move || group.exchange(black_box(&private), &peer, &mut public, &mut shared).unwrap());
    }
    report(&format!("{} key pair and agreement", row.name), comparison);
}

/// The device server's key of that kind in a transcript, PKCS#8.
fn private_key(kind: &str) -> Vec<u8> {
    let source = include_str!("../../../vectors/transcripts/r3-rsa-chain-certreq.json");
    let json: serde_json::Value = serde_json::from_str(source).unwrap();
    let pem = json["provisioning"]["device_server"]["keys"][kind].as_str().unwrap();
    pem_rfc7468::decode_vec(pem.as_bytes()).unwrap().1
}

fn signatures(kind: &str, effort: Effort) {
    let der = private_key(kind);
    let key = PKey::private_key_from_pkcs8(&der).unwrap();
    let message = [0x61; 512];
    let hash = match kind {
        "p384" => (HashKind::Sha384, MessageDigest::sha384()),
        "p521" => (HashKind::Sha512, MessageDigest::sha512()),
        _ => (HashKind::Sha256, MessageDigest::sha256()),
    };
    let name = if kind == "rsa" { format!("RSA-{} with SHA-256", key.bits()) } else { format!("ECDSA {kind}") };
    let openssl_signature = openssl::sign::Signer::new(hash.1, &key).unwrap().sign_oneshot_to_vec(&message).unwrap();
    let (mut signing, mut verifying) = (Comparison::new(effort), Comparison::new(effort));
    signing.add(OPENSSL, || openssl::sign::Signer::new(hash.1, &key).unwrap().sign_oneshot_to_vec(&message).unwrap());
    verifying.add(OPENSSL, || {
        let mut verifier = openssl::sign::Verifier::new(hash.1, &key).unwrap();
        assert!(verifier.verify_oneshot(&openssl_signature, &message).unwrap());
    });
    for (name, whose, provider) in providers() {
        let signers = whose.signers();
        let made = if kind == "rsa" { (signers.rsa)(&der, hash.0) } else { (signers.ecdsa)(&der) };
        let signer: std::sync::Arc<dyn Signer> = made.unwrap();
        let verifier = provider.verifier(signer.scheme()).unwrap();
        let public_key = signer.public_key();
        let mut signature = vec![0; signer.signature_length()];
        signer.sign(&[&message], &mut signature).unwrap();
        let kept = signature.clone();
        signing.add(name, move || signer.sign(&[&message], &mut signature).unwrap());
        verifying.add(name, move || verifier.verify(&public_key.bytes, &[&message], &kept).unwrap());
    }
    report(&format!("{name} sign"), signing);
    report(&format!("{name} verify"), verifying);
}

/// A fresh key for each message, as an exchange has it.
fn hmac(name: &str, row: Algorithm, digest: MessageDigest, size: usize, effort: Effort) {
    let message = vec![0x61; size];
    let length = Provider::RustCrypto.algorithms().integrity(row.identifier).unwrap().key_length();
    let key = vec![0x0B; length];
    let mut comparison = Comparison::new(effort);
    comparison.add(OPENSSL, || {
        let key = PKey::hmac(&key).unwrap();
        openssl::sign::Signer::new(digest, &key).unwrap().sign_oneshot_to_vec(&message).unwrap()
    });
    for (name, _, provider) in providers() {
        let integrity = provider.integrity(row.identifier).unwrap();
        let mut icv = vec![0; integrity.icv_length()];
        let (key, message) = (&key, &message);
        comparison.add(name, move || integrity.compute(key, &[message], &mut icv).unwrap());
    }
    report(&format!("{name} {size} bytes"), comparison);
}

fn cbc(size: usize, effort: Effort) {
    let (key, iv) = ([0x1D; 16], [0x33; 16]);
    for mode in ["seal", "open"] {
        let (text, mut out) = (vec![0x61; size], vec![0; size + 16]);
        let mut comparison = Comparison::new(effort);
        let direction = if mode == "seal" { Mode::Encrypt } else { Mode::Decrypt };
        comparison.add(OPENSSL, || {
            let mut crypter = Crypter::new(Cipher::aes_128_cbc(), direction, &key, Some(&iv)).unwrap();
            crypter.pad(false);
            crypter.update(&text, &mut out).unwrap()
        });
        for (name, _, provider) in providers() {
            let cipher = provider.cipher(ENCR_AES_CBC.identifier, 16).unwrap();
            let mut data = vec![0x61; size];
            comparison.add(name, move || match direction {
                Mode::Encrypt => cipher.seal(&key, &iv, &[], &mut data, &mut []).unwrap(),
                Mode::Decrypt => cipher.open(&key, &iv, &[], &mut data, &[]).unwrap(),
            });
        }
        report(&format!("AES-128-CBC {mode} {size} bytes"), comparison);
    }
}

fn combined(name: &str, row: Algorithm, theirs: &CipherRef, size: usize, effort: Effort) {
    let (text, associated) = (vec![0x61; size], [0x62; 32]);
    let is_ccm = row.identifier == ENCR_AES_CCM_16.identifier;
    let salt = if is_ccm { 3 } else { 4 };
    let nonce = vec![0x33; 8 + salt];
    let key = vec![0x1D; 16];
    let mut tag = [0; 16];
    let (mut out, mut end) = (vec![0; size + 16], [0; 16]);
    let mut comparison = Comparison::new(effort);
    comparison.add(OPENSSL, || {
        let mut context = CipherCtx::new().unwrap();
        context.encrypt_init(Some(theirs), None, None).unwrap();
        context.set_iv_length(nonce.len()).unwrap();
        if is_ccm {
            context.set_tag_length(tag.len()).unwrap();
        }
        context.encrypt_init(None, Some(&key), Some(&nonce)).unwrap();
        if is_ccm {
            context.set_data_len(size).unwrap();
        }
        context.cipher_update(&associated, None).unwrap();
        context.cipher_update(&text, Some(&mut out)).unwrap();
        context.cipher_final(&mut end).unwrap();
        context.tag(&mut tag).unwrap();
    });
    for (name, _, provider) in providers() {
        let cipher = provider.cipher(row.identifier, 16).unwrap();
        let (mut data, mut icv) = (text.clone(), [0; 16]);
        let material = vec![0x1D; cipher.key_material_length(16)];
        comparison.add(name, move || cipher.seal(&material, &[0x33; 8], &associated, &mut data, &mut icv).unwrap());
    }
    report(&format!("{name} seal {size} bytes"), comparison);
}
