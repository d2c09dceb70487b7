//! Each primitive that AWS-LC has, by both providers: `cargo bench --features aws-lc-rs --bench providers`.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "a bench that goes wrong should stop where it does"
)]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use ikev2_scsi::crypto::{Cipher, CryptoProvider, HashKind, Signer};
use ikev2_scsi::{aws_lc, provider as rustcrypto};
use serde_json::Value;

/// Whose keys are signed with.
const SOURCE: &str = include_str!("../vectors/transcripts/r3-rsa-chain-certreq.json");
/// Bytes of a message: an ICV, a small and a large Authentication message, a long chain of certificates.
const SIZES: [usize; 4] = [64, 256, 1024, 4096];

fn providers() -> [(&'static str, CryptoProvider); 2] {
    [("rustcrypto", rustcrypto::provider()), ("aws_lc", aws_lc::provider())]
}

/// What a device server does for a key exchange.
fn exchanges(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ECDH, both halves");
    for name in [19, 20, 21] {
        for (provider, all) in providers() {
            let ecp = all.group(name).unwrap();
            // Above zero and below each order.
            let private = [vec![0], vec![0x11; ecp.private_length() - 1]].concat();
            let (mut public, mut shared) = (vec![0; ecp.public_length()], vec![0; ecp.shared_length()]);
            let mut peer = public.clone();
            ecp.public(&[vec![0], vec![0x22; ecp.private_length() - 1]].concat(), &mut peer).unwrap();
            group.bench_function(BenchmarkId::new(provider, name), |b| {
                b.iter(|| ecp.exchange(black_box(&private), black_box(&peer), &mut public, &mut shared).unwrap());
            });
        }
    }
    group.finish();
}

fn signatures(criterion: &mut Criterion) {
    let source: Value = serde_json::from_str(SOURCE).unwrap();
    let der = |name: &str| {
        let pem = source.pointer(&format!("/provisioning/device_server/keys/{name}")).and_then(Value::as_str).unwrap();
        pem_rfc7468::decode_vec(pem.as_bytes()).unwrap().1
    };
    let mut signers: Vec<(&str, Box<dyn Signer>)> = Vec::new();
    for name in ["p256", "p384", "p521"] {
        signers.push(("rustcrypto", Box::new(rustcrypto::EcdsaSigner::from_pkcs8_der(&der(name)).unwrap())));
        signers.push(("aws_lc", Box::new(aws_lc::EcdsaSigner::from_pkcs8_der(&der(name)).unwrap())));
    }
    for hash in [HashKind::Sha1, HashKind::Sha256] {
        signers.push(("rustcrypto", Box::new(rustcrypto::RsaSigner::from_pkcs8_der(&der("rsa"), hash).unwrap())));
        signers.push(("aws_lc", Box::new(aws_lc::RsaSigner::from_pkcs8_der(&der("rsa"), hash).unwrap())));
    }
    let message = [0x5A; 512];
    let mut group = criterion.benchmark_group("signatures");
    for (provider, signer) in signers {
        let scheme = signer.scheme();
        let mut signature = vec![0; signer.signature_length()];
        group.bench_function(format!("{provider}: sign, {:?} with {:?}", scheme.key, scheme.hash), |b| {
            b.iter(|| signer.sign(&[black_box(&message)], &mut signature).unwrap());
        });
        let (_, all) = providers().into_iter().find(|(name, _)| *name == provider).unwrap();
        let (verifier, key) = (all.verifier(scheme).unwrap(), signer.public_key());
        group.bench_function(format!("{provider}: verify, {:?} with {:?}", scheme.key, scheme.hash), |b| {
            b.iter(|| verifier.verify(black_box(&key.bytes), &[black_box(&message)], &signature).unwrap());
        });
    }
    group.finish();
}

/// With a fresh key each time, as the traits have it. The objects, for `provider()` may list another.
fn keyed(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("keyed");
    for size in SIZES {
        let message = vec![0x5A; size];
        for (provider, prf) in [("rustcrypto", rustcrypto::PRF_HMAC_SHA2_256), ("aws_lc", aws_lc::PRF_HMAC_SHA2_256)] {
            let mut out = vec![0; prf.output_length()];
            group.bench_function(format!("{provider}: PRF_HMAC_SHA2_256, {size}"), |b| {
                b.iter(|| prf.compute(black_box(&[7; 32]), &[black_box(&message)], &mut out).unwrap());
            });
        }
        for (provider, hmac) in [("rustcrypto", rustcrypto::AUTH_HMAC_SHA1_96), ("aws_lc", aws_lc::AUTH_HMAC_SHA1_96)] {
            let mut icv = vec![0; hmac.icv_length()];
            group.bench_function(format!("{provider}: AUTH_HMAC_SHA1_96, {size}"), |b| {
                b.iter(|| hmac.compute(black_box(&[7; 20]), &[black_box(&message)], &mut icv).unwrap());
            });
        }
        let of_rustcrypto = [rustcrypto::AES_CBC, rustcrypto::AES_GCM_16].map(|cipher| ("rustcrypto", cipher));
        let of_aws_lc = [aws_lc::AES_CBC, aws_lc::AES_GCM_16].map(|cipher| ("aws_lc", cipher));
        for (provider, cipher) in of_rustcrypto.into_iter().chain(of_aws_lc) {
            seal_and_open(&mut group, provider, cipher, message.clone());
        }
    }
    group.finish();
}

fn seal_and_open(
    group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>,
    provider: &str,
    cipher: &'static dyn Cipher,
    mut data: Vec<u8>,
) {
    let (key, iv) = (vec![7; cipher.key_material_length(16)], vec![1; cipher.iv_length()]);
    let (mut icv, size) = (vec![0; cipher.icv_length()], data.len());
    group.bench_function(format!("{provider}: seal, {cipher:?}, {size}"), |b| {
        b.iter(|| cipher.seal(black_box(&key), &iv, &[], &mut data, &mut icv).unwrap());
    });
    cipher.seal(&key, &iv, &[], &mut data, &mut icv).unwrap();
    let sealed = data.clone();
    group.bench_function(format!("{provider}: open, {cipher:?}, {size}"), |b| {
        b.iter(|| {
            data.copy_from_slice(&sealed);
            cipher.open(black_box(&key), &iv, &[], &mut data, &icv).unwrap();
        });
    });
}

criterion_group!(benches, exchanges, signatures, keyed);
criterion_main!(benches);
