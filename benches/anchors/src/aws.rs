//! AWS-LC called directly by `aws-lc-rs`: the sum that our provider over it is compared with.

use std::hint::black_box;

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, ECDH_P384, ECDH_P521, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::hmac::{self, Context, HMAC_SHA256, HMAC_SHA384, HMAC_SHA512, Key};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING,
    EcdsaKeyPair, EcdsaVerificationAlgorithm,
};
use ikev2_scsi::Profile;
use ikev2_scsi::algorithm::{
    ECP_256, ECP_384, ECP_521, ENCR_AES_GCM_16, PRF_HMAC_SHA2_256, PRF_HMAC_SHA2_384, PRF_HMAC_SHA2_512,
};
use ikev2_scsi::crypto::{HashKind, KeyKind, SignatureScheme};

use crate::bare::{BEFORE_IV, KEY_PAD, Needs, private_key};
use crate::exchange::{CLIENT_KEY, Exchange, SERVER_KEY};

/// Bytes of IV and of ICV of AES-GCM in IKE.
const IV: usize = 8;
const ICV: usize = 16;

pub(crate) const fn version() -> &'static str {
    "aws-lc-rs 1.19"
}

fn agreement_of(group: u32) -> Option<&'static aws_lc_rs::agreement::Algorithm> {
    let curves = [(ECP_256, &ECDH_P256), (ECP_384, &ECDH_P384), (ECP_521, &ECDH_P521)];
    curves.into_iter().find(|(row, _)| row.identifier == group).map(|(_, algorithm)| algorithm)
}

fn hmac_of(prf: u32) -> Option<hmac::Algorithm> {
    let hashes = [(PRF_HMAC_SHA2_256, HMAC_SHA256), (PRF_HMAC_SHA2_384, HMAC_SHA384), (PRF_HMAC_SHA2_512, HMAC_SHA512)];
    hashes.into_iter().find(|(row, _)| row.identifier == prf).map(|(_, algorithm)| algorithm)
}

fn verification_of(scheme: SignatureScheme) -> Option<&'static EcdsaVerificationAlgorithm> {
    Some(match (scheme.key, scheme.hash) {
        (KeyKind::P256, HashKind::Sha256) => &signature::ECDSA_P256_SHA256_FIXED,
        (KeyKind::P384, HashKind::Sha384) => &signature::ECDSA_P384_SHA384_FIXED,
        (KeyKind::P521, HashKind::Sha512) => &signature::ECDSA_P521_SHA512_FIXED,
        _ => return None,
    })
}

fn code(key: &Key, parts: &[&[u8]]) -> hmac::Tag {
    let mut context = Context::with_key(key);
    parts.iter().for_each(|part| context.update(part));
    context.sign()
}

/// prf+ as far as `out` goes.
fn expand(key: &Key, seed: &[u8], out: &mut [u8]) {
    let mut before: Option<hmac::Tag> = None;
    for (i, block) in out.chunks_mut(key.algorithm().tag_len()).enumerate() {
        let tag = code(key, &[before.as_ref().map_or(&[], hmac::Tag::as_ref), seed, &[i as u8 + 1]]);
        block.copy_from_slice(&tag.as_ref()[..block.len()]);
        before = Some(tag);
    }
}

/// An Encrypted payload of AES-GCM.
struct Sealed {
    associated: [u8; BEFORE_IV],
    text: Vec<u8>,
    icv: [u8; ICV],
}

struct Gcm {
    key: [u8; 32],
    length: usize,
}

impl Gcm {
    fn prepared(&self) -> (LessSafeKey, Nonce) {
        let algorithm = if self.length == 16 { &AES_128_GCM } else { &AES_256_GCM };
        let key = UnboundKey::new(algorithm, &self.key[..self.length]).unwrap();
        (LessSafeKey::new(key), Nonce::assume_unique_for_key([0x33; 12]))
    }

    fn seal(&self, sealed: &mut Sealed) {
        let (key, nonce) = self.prepared();
        let aad = Aad::from(&sealed.associated);
        key.seal_in_place_scatter(nonce, aad, &mut sealed.text, &[], &mut sealed.icv).unwrap();
    }

    fn open(&self, sealed: &Sealed, text: &mut Vec<u8>) {
        text.clear();
        text.extend_from_slice(&sealed.text);
        let (key, nonce) = self.prepared();
        key.open_in_place_separate_tag(nonce, Aad::from(&sealed.associated), &sealed.icv, text).unwrap();
    }

    fn sealed(&self, message: &[u8]) -> Sealed {
        let associated = message[..BEFORE_IV].try_into().unwrap();
        let mut sealed = Sealed { associated, text: vec![0x44; message.len() - BEFORE_IV - IV - ICV], icv: [0; ICV] };
        self.seal(&mut sealed);
        sealed
    }
}

/// The key of a signing device server; `None` where it does not sign by ECDSA.
fn key_pair(exchange: &Exchange) -> Option<EcdsaKeyPair> {
    let (kind, der) = private_key(exchange, exchange.suite.authentication)?;
    let algorithm = match kind {
        "p256" => &ECDSA_P256_SHA256_FIXED_SIGNING,
        "p384" => &ECDSA_P384_SHA384_FIXED_SIGNING,
        "p521" => &ECDSA_P521_SHA512_FIXED_SIGNING,
        _ => return None,
    };
    EcdsaKeyPair::from_pkcs8(algorithm, &der).ok()
}

/// What an exchange needs, of AWS-LC alone; `None` where AWS-LC does not have all of it.
pub(crate) fn direct(exchange: &Exchange) -> Option<Box<dyn FnMut()>> {
    let ids = exchange.suite.identifiers();
    let (group, digest) = (agreement_of(ids.group)?, hmac_of(ids.pseudo_random)?);
    if ids.encryption != ENCR_AES_GCM_16.identifier || exchange.suite.is_unauthenticated() {
        return None;
    }
    let gcm = Gcm { key: [0x1D; 32], length: usize::from(ids.key_length) };
    let signs = private_key(exchange, exchange.suite.authentication).is_some();
    let own = key_pair(exchange);
    if signs != own.is_some() {
        return None;
    }
    let verified: Option<Vec<_>> =
        exchange.verified.iter().map(|v| verification_of(v.scheme).map(|algorithm| (algorithm, v.clone()))).collect();
    let verified = verified?;
    let needs = Needs::of(exchange, 0);
    let profile = exchange.suite.profile;
    let (seed, is_spc4) = (needs.seed(profile), profile == Profile::SPC4);
    let peer = [&[0x04][..], &needs.peer].concat();
    let nonces = [&needs.nonces.0[..], &needs.nonces.1].concat();
    let length = digest.tag_len();
    let keys = 2 * (gcm.length + 4);
    let (mut material, mut keymat, mut text) = (vec![0; 3 * length + keys], vec![0; keys], Vec::new());
    let opened: Vec<Sealed> = [3, 5].map(|step| gcm.sealed(&exchange.steps[step].data_out)).into();
    let mut answer = gcm.sealed(&exchange.steps[4].data_in);
    Some(Box::new(move || {
        let key = PrivateKey::generate(group).unwrap();
        black_box(key.compute_public_key().unwrap());
        let skeyseed = agree(&key, UnparsedPublicKey::new(group, &peer), (), |shared| {
            Ok(code(&Key::new(digest, &nonces), &[shared]))
        });
        expand(&Key::new(digest, skeyseed.unwrap().as_ref()), &seed, &mut material);
        opened.iter().for_each(|message| gcm.open(message, &mut text));
        let proof_key = Key::new(digest, &material[..length]);
        let client = code(&proof_key, &[&needs.client_identity]);
        if verified.is_empty() {
            let inner = code(&Key::new(digest, CLIENT_KEY), &[KEY_PAD]);
            black_box(code(
                &Key::new(digest, inner.as_ref()),
                &[&needs.client_octets, &needs.nonces.1, client.as_ref()],
            ));
        }
        for (algorithm, v) in &verified {
            signature::UnparsedPublicKey::new(*algorithm, &v.public_key).verify(&v.message, &v.signature).unwrap();
        }
        let server = code(&Key::new(digest, &material[..length]), &[&needs.server_identity]);
        let octets: [&[u8]; 3] = [&needs.server_octets, &needs.nonces.0, server.as_ref()];
        match &own {
            Some(own) => {
                black_box(own.sign(&SystemRandom::new(), &octets.concat()).unwrap());
            }
            None => {
                let inner = code(&Key::new(digest, SERVER_KEY), &[KEY_PAD]);
                black_box(code(&Key::new(digest, inner.as_ref()), &octets));
            }
        }
        if is_spc4 {
            expand(&Key::new(digest, &material[..length]), &seed, &mut keymat);
        }
        gcm.seal(&mut answer);
    }))
}
