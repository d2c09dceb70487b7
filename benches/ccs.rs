//! A device server's whole work for one association, of each recorded suite, beside the exponentiations in it.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a bench that goes wrong should stop where it does"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use ikev2_scsi::provider::MODP_2048;
use support::unit::Unit;

/// Both exponentiations of one side, with private values of `length` bytes.
fn exponentiations(length: usize, peer: &[u8]) -> [u8; 256] {
    let (mut public, mut shared) = ([0; 256], [0; 256]);
    MODP_2048.exchange(&vec![0xA7; length], black_box(peer), &mut public, &mut shared).unwrap();
    shared
}

fn benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("device server");
    let transcripts = support::transcripts();
    let peer = support::bytes(&transcripts[0].json["ccs"][0]["dh_public_i"]);
    // Recorded private values have 384 bits, drawn ones 256.
    for bits in [256, 384] {
        let name = format!("2048-bit MODP, both exponentiations, {bits}-bit exponent");
        group.bench_function(name, |b| b.iter(|| exponentiations(bits / 8, &peer)));
    }
    for transcript in &transcripts {
        let (provisioning, steps) = (transcript.provisioning(), transcript.steps());
        let name = format!("{} ({} commands, 384-bit exponent)", transcript.name, steps.len());
        group.bench_function(name, |b| {
            let fresh = || Unit::new(&provisioning, |builder| builder).unwrap();
            b.iter_batched(fresh, |mut unit| replay(&mut unit, &steps), BatchSize::SmallInput);
        });
    }
    group.finish();
}

fn replay(unit: &mut Unit, steps: &[support::Step]) {
    for step in steps {
        let answer = unit.execute(&step.nexus, &step.cdb, &step.data_out);
        assert_eq!(answer.status(), step.status);
    }
}

criterion_group!(ccs, benches);
criterion_main!(ccs);
