//! Instructions, which do not drift as times do: counted by valgrind through gungraun, whose runner must have the same version.
//!
//! `whole` is a whole exchange of a device server, `sum` the bare cryptography that it needs; what is between them is ours, and
//! memory.
#![allow(unused_qualifications, reason = "gungraun's macros")]
#![allow(dead_code, reason = "modules of the examples and of the program are used in part")]

#[path = "../src/aws.rs"]
mod aws;
#[path = "../src/bare.rs"]
mod bare;
#[path = "../../../examples/shim/credentials.rs"]
mod credentials;
#[path = "../../../examples/create_sa/demonstration.rs"]
mod demonstration;
#[path = "../src/exchange.rs"]
mod exchange;
#[path = "../../../examples/shim/hex.rs"]
mod hex;
#[path = "../../../examples/shim/member.rs"]
mod member;
#[path = "../src/message.rs"]
mod message;
#[path = "../../../examples/create_sa/provider.rs"]
mod provider;
#[path = "../../../examples/create_sa/suite.rs"]
mod suite;

use std::hint::black_box;

use gungraun::{library_benchmark, library_benchmark_group, main};
use ikev2_scsi::Profile;

use exchange::Exchange;
use provider::Provider;
use suite::Suite;

fn recorded(profile: Profile, name: &str, provider: &str) -> Exchange {
    let provider = Provider::find(provider).unwrap();
    let mut exchange = Exchange::record(Suite::find(profile, name).unwrap(), provider);
    exchange.run();
    exchange
}

fn r3(name: &str, provider: &str) -> Exchange {
    recorded(Profile::R3, name, provider)
}

fn spc4(name: &str, provider: &str) -> Exchange {
    recorded(Profile::SPC4, name, provider)
}

fn bare_of(exchange: Exchange) -> Box<dyn FnMut()> {
    let mut sum = bare::bare(&exchange);
    sum();
    Box::new(sum)
}

fn r3_direct(name: &str) -> Box<dyn FnMut()> {
    let mut direct = aws::direct(&r3(name, "aws-lc-rs")).unwrap();
    direct();
    direct
}

fn r3_sum(name: &str, provider: &str) -> Box<dyn FnMut()> {
    bare_of(r3(name, provider))
}

fn spc4_sum(name: &str, provider: &str) -> Box<dyn FnMut()> {
    bare_of(spc4(name, provider))
}

#[library_benchmark]
#[bench::r3_modp2048_cbc_psk_rustcrypto(r3("mandatory", "rustcrypto"))]
#[bench::r3_p256_gcm_psk_rustcrypto(r3("gcm-128-sha256-ecp256-psk", "rustcrypto"))]
#[bench::r3_p256_gcm_psk_aws_lc(r3("gcm-128-sha256-ecp256-psk", "aws-lc-rs"))]
#[bench::r3_p256_gcm_ecdsa_aws_lc(r3("gcm-128-sha256-ecp256-ecdsa256", "aws-lc-rs"))]
#[bench::spc4_modp2048_cbc_psk_rustcrypto(spc4("cbc128-sha1-modp2048-psk", "rustcrypto"))]
#[bench::spc4_p256_gcm_ecdsa_aws_lc(spc4("client-ecdsa256-server-psk", "aws-lc-rs"))]
fn whole(mut exchange: Exchange) -> Exchange {
    exchange.run();
    exchange
}

#[library_benchmark]
#[bench::r3_modp2048_cbc_psk_rustcrypto(r3_sum("mandatory", "rustcrypto"))]
#[bench::r3_p256_gcm_psk_rustcrypto(r3_sum("gcm-128-sha256-ecp256-psk", "rustcrypto"))]
#[bench::r3_p256_gcm_psk_aws_lc(r3_sum("gcm-128-sha256-ecp256-psk", "aws-lc-rs"))]
#[bench::r3_p256_gcm_ecdsa_aws_lc(r3_sum("gcm-128-sha256-ecp256-ecdsa256", "aws-lc-rs"))]
#[bench::spc4_modp2048_cbc_psk_rustcrypto(spc4_sum("cbc128-sha1-modp2048-psk", "rustcrypto"))]
#[bench::spc4_p256_gcm_ecdsa_aws_lc(spc4_sum("client-ecdsa256-server-psk", "aws-lc-rs"))]
fn sum(mut sum: Box<dyn FnMut()>) -> Box<dyn FnMut()> {
    sum();
    sum
}

// The same of AWS-LC, called directly.
#[library_benchmark]
#[bench::r3_p256_gcm_psk_aws_lc(r3_direct("gcm-128-sha256-ecp256-psk"))]
#[bench::r3_p256_gcm_ecdsa_aws_lc(r3_direct("gcm-128-sha256-ecp256-ecdsa256"))]
fn direct(mut direct: Box<dyn FnMut()>) -> Box<dyn FnMut()> {
    direct();
    direct
}

#[library_benchmark]
#[bench::r3_key_exchange_out(Profile::R3, message::recorded("r3-mandatory"))]
#[bench::spc4_key_exchange_out(Profile::SPC4, message::recorded("spc4-table82-row1"))]
fn parse(profile: Profile, message: Vec<u8>) -> (u64, Vec<u8>) {
    (black_box(message::read(profile, black_box(&message))), message)
}

/// A message of this many bytes to be sealed or opened.
fn text(bytes: usize) -> Vec<u8> {
    vec![0x61; bytes]
}

fn gcm(data: &mut [u8]) -> [u8; 16] {
    let cipher =
        Provider::RustCrypto.algorithms().cipher(ikev2_scsi::algorithm::ENCR_AES_GCM_16.identifier, 16).unwrap();
    let mut icv = [0; 16];
    cipher.seal(&[0x1D; 20], &[0x33; 8], &[0x62; 32], data, &mut icv).unwrap();
    icv
}

#[library_benchmark]
#[bench::gcm_256_bytes(text(256))]
#[bench::gcm_4096_bytes(text(4096))]
fn seal(mut data: Vec<u8>) -> Vec<u8> {
    black_box(gcm(black_box(&mut data)));
    data
}

library_benchmark_group!(name = all; benchmarks = whole, sum, direct, parse, seal);
main!(library_benchmark_groups = all);
