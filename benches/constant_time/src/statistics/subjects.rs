//! What is measured, and with which secrets.

use std::hint::black_box;
use std::sync::Arc;

use ikev2_scsi::Profile;
use ikev2_scsi::algorithm::{AlgorithmType, find};
use ikev2_scsi::crypto::{Cipher, DhGroup, Integrity, Prf, Secret};
use ikev2_scsi::keys::{Protection, open};
use ikev2_scsi::provider::{
    AES_CBC, AES_CCM_16, AES_GCM_16, AUTH_AES_XCBC_96, AUTH_HMAC_SHA1_96, AUTH_HMAC_SHA2_256_128, ECP_256, MODP_2048,
    PRF_AES128_XCBC, PRF_HMAC_SHA1, PRF_HMAC_SHA2_256, provider,
};
use ikev2_scsi::wire::Encrypted;

use super::{Subject, Work};
use crate::leaky;

/// Everything, with one group of each kind or with all.
pub fn all(all_groups: bool) -> Vec<Subject> {
    let integrity = [AUTH_HMAC_SHA1_96, AUTH_AES_XCBC_96, AUTH_HMAC_SHA2_256_128].map(verify);
    let combined = [AES_CCM_16, AES_GCM_16].map(open_combined);
    let shared_keys = [PRF_HMAC_SHA1, PRF_AES128_XCBC, PRF_HMAC_SHA2_256].map(shared_key);
    let groups = if all_groups { provider().groups } else { &[MODP_2048, ECP_256] };
    let groups = groups.iter().flat_map(|one| group(*one));
    let others = [equality(), padding(), leaky_comparison(), leaky_padding(), leaky_power(), leaky_table()];
    let all = integrity.into_iter().chain(combined).chain(shared_keys).chain(groups);
    all.chain(super::auth::all()).chain(others).collect()
}

pub fn any(_: &mut [u8]) {}

fn name(kind: AlgorithmType, identifier: u32) -> &'static str {
    find(kind, identifier).map_or("?", |row| row.name)
}

/// A code that is right but for its last bit: who stops at the first difference goes on to the end.
fn nearly(mut code: Vec<u8>) -> Vec<u8> {
    if let Some(last) = code.last_mut() {
        *last ^= 1;
    }
    code
}

fn verify(integrity: &'static dyn Integrity) -> Subject {
    let (key, message) = (vec![7; integrity.key_length()], [1; 64]);
    let mut icv = vec![0; integrity.icv_length()];
    integrity.compute(&key, &[&message], &mut icv).unwrap();
    Subject {
        name: format!("{}: wrong code; nearly right or random", name(AlgorithmType::Integrity, integrity.identifier())),
        leaks: false,
        fixed: nearly(icv),
        fit: any,
        work: Box::new(move |code| integrity.verify(&key, &[&message], code).is_ok()),
    }
}

fn open_combined(cipher: &'static dyn Cipher) -> Subject {
    let (key, iv) = (vec![7; cipher.key_material_length(16)], [8; 8]);
    let (mut sealed, mut icv) = ([1; 64], vec![0; cipher.icv_length()]);
    cipher.seal(&key, &iv, &[], &mut sealed, &mut icv).unwrap();
    Subject {
        name: format!("{}: wrong code; nearly right or random", name(AlgorithmType::Encryption, cipher.identifier())),
        leaks: false,
        fixed: nearly(icv),
        fit: any,
        work: Box::new(move |code| {
            let mut data = sealed;
            cipher.open(&key, &iv, &[], &mut data, code).is_ok()
        }),
    }
}

/// prf(prf(shared key, pad), octets): a key of zeros or a random one.
fn shared_key(prf: &'static dyn Prf) -> Subject {
    let (octets, mut padded, mut auth) = ([1; 500], vec![0; prf.output_length()], vec![0; prf.output_length()]);
    Subject {
        name: format!("{}: AUTH; key of zeros or random", name(AlgorithmType::PseudoRandom, prf.identifier())),
        leaks: false,
        fixed: vec![0; 32],
        fit: any,
        work: Box::new(move |key| {
            let padded_key = prf.compute(key, &[b"Key Pad for IKEv2-SCSI"], &mut padded);
            padded_key.and_then(|()| prf.compute(&padded, &[&octets], &mut auth)).is_ok()
        }),
    }
}

/// A private value with as few ones as the group takes, or a random one.
fn group(group: &'static dyn DhGroup) -> [Subject; 2] {
    let mut few = vec![0; group.private_length()];
    (few[1], few[group.private_length() - 1]) = (0x80, 1);
    let (mut public, mut shared) = (vec![0; group.public_length()], vec![0; group.shared_length()]);
    let mut peer = public.clone();
    group.public(&few, &mut peer).unwrap();
    let group_name = name(AlgorithmType::DiffieHellman, group.identifier());
    let group_name = group_name.replace("prime elliptic curve field ", "");
    let subject = |what: &str, work: Work| Subject {
        name: format!("{group_name} {what}: two ones or random"),
        leaks: false,
        fixed: few.clone(),
        // Below every order.
        fit: |private| private[0] = 0,
        work,
    };
    [
        subject("public value", Box::new(move |private| group.public(private, &mut public).is_ok())),
        subject("shared secret", Box::new(move |private| group.agree(private, &peer, &mut shared).is_ok())),
    ]
}

fn equality() -> Subject {
    let right = Secret::from(vec![7; 64]);
    Subject {
        name: "Secret equality: nearly equal or random".into(),
        leaks: false,
        fixed: nearly(vec![7; 64]),
        fit: any,
        // The copy takes the same time for both, and many make the difference of one visible.
        work: Box::new(move |bytes| {
            let other = Secret::copy_of(bytes);
            (0..16).fold(false, |any, _| any | (black_box(&right) == &other))
        }),
    }
}

const TEXT: usize = 256;

/// An Encrypted payload whose plaintext ends in fifteen bytes of good padding: IV, ciphertext, and no code yet.
fn padded() -> (Vec<u8>, Vec<u8>) {
    let (key, mut text) = (vec![7; 16], vec![1; TEXT]);
    text[TEXT - 16..].copy_from_slice(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 15]);
    AES_CBC.seal(&key, &[0; 16], &[], &mut text, &mut []).unwrap();
    (key, text)
}

/// A message with a wrong code, whose padding is good or random.
fn padding() -> Subject {
    let (key, fixed) = padded();
    let (cipher_key, integrity_key) = (Secret::from(key), Secret::from(vec![9; 20]));
    Subject {
        name: "open: wrong code; good padding or random".into(),
        leaks: false,
        fixed,
        fit: any,
        work: Box::new(move |text| {
            let protection = Protection {
                cipher: AES_CBC,
                cipher_key: cipher_key.expose(),
                integrity: Some(AUTH_HMAC_SHA1_96),
                integrity_key: integrity_key.expose(),
            };
            let (iv, text_at) = (40..56, 56..56 + TEXT);
            let encrypted = Encrypted { at: 36, first: 0, iv, icv: text_at.end..text_at.end + 12, text: text_at };
            let mut message = vec![0; encrypted.icv.end];
            message[encrypted.text.clone()].copy_from_slice(text);
            open(Profile::SPC4, &protection, &mut message, &encrypted).is_ok()
        }),
    }
}

/// The same by somebody who decrypts first, and answers bad padding at once.
fn leaky_padding() -> Subject {
    let (key, fixed) = padded();
    Subject {
        name: "leaky: padding before the code; good padding or random".into(),
        leaks: true,
        fixed,
        fit: any,
        work: Box::new(move |text| {
            let mut text = text.to_vec();
            AES_CBC.open(&key, &[0; 16], &[], &mut text, &[]).is_ok()
                && leaky::padding_is_good(&text)
                && AUTH_HMAC_SHA1_96.verify(&[9; 20], &[&text], &[0; 12]).is_ok()
        }),
    }
}

fn leaky_comparison() -> Subject {
    let (key, message, mut icv) = ([7; 32], [1; 64], [0; 16]);
    AUTH_HMAC_SHA2_256_128.compute(&key, &[&message], &mut icv).unwrap();
    Subject {
        name: "leaky: code compared byte by byte; nearly right or random".into(),
        leaks: true,
        fixed: nearly(icv.to_vec()),
        fit: any,
        work: Box::new(move |code| {
            let mut own = [0; 16];
            let computed = AUTH_HMAC_SHA2_256_128.compute(&key, &[&message], &mut own);
            computed.is_ok() && leaky::early_exit_equal(&own, code)
        }),
    }
}

fn leaky_power() -> Subject {
    Subject {
        name: "leaky: square and multiply: two ones or random".into(),
        leaks: true,
        fixed: [&[0x80], [0; 30].as_slice(), &[1]].concat(),
        fit: any,
        work: Box::new(|exponent| leaky::branching_power(3, exponent) == 0),
    }
}

/// Bytes of a table that is in no cache as a whole.
const TABLE: usize = 1 << 26;

fn leaky_table() -> Subject {
    let table: Arc<[u8]> = vec![1; TABLE].into();
    Subject {
        name: "leaky: table read at secret places: one place or random".into(),
        leaks: true,
        fixed: vec![0; 32],
        fit: any,
        work: Box::new(move |places| leaky::look_up(&table, places) == 0),
    }
}
