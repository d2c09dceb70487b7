//! Instructions of a thousand operations on associations, of which a logical unit has few or many: what a machine's caches add to
//! them is measured in `benches/scale`, and is none of the algorithms'.
#![allow(unused_qualifications, reason = "gungraun's macros")]
#![allow(dead_code, reason = "modules of another bench are used in part")]

#[path = "../../../tests/support/cheap.rs"]
mod cheap;
#[path = "../../scale/unit.rs"]
mod unit;

use std::hint::black_box;

use gungraun::{Callgrind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};
use ikev2_scsi::NexusId;
use ikev2_scsi::sa::SaId;

use unit::{Numbers, Unit};

/// Operations of a benchmark.
const OPERATIONS: usize = 1000;

/// A logical unit, and the associations that the operations are about, by chance; none twice.
fn filled(associations: usize) -> (Unit, Vec<SaId>) {
    let mut unit = Unit::new(1);
    unit.fill(associations);
    // What is kept for repetition runs out sooner than an association, and is not what is counted.
    unit.server.nexus_lost(NexusId(1));
    let (mut targets, mut random) = (unit.ids.clone(), Numbers(7));
    for i in 0..OPERATIONS {
        let other = i + random.below(targets.len() - i);
        targets.swap(i, other);
    }
    targets.truncate(OPERATIONS);
    (unit, targets)
}

#[library_benchmark]
#[benches::associations(args = [1000, 10_000, 100_000], setup = filled)]
fn look_up((mut unit, targets): (Unit, Vec<SaId>)) -> Unit {
    let now = unit.now();
    for id in &targets {
        assert!(black_box(unit.server.sa(*id, now)).is_some());
    }
    unit
}

#[library_benchmark]
#[benches::associations(args = [1000, 10_000, 100_000], setup = filled)]
fn touch((mut unit, targets): (Unit, Vec<SaId>)) -> Unit {
    for id in &targets {
        unit.now += 1;
        let now = unit.now();
        assert!(unit.server.touch(*id, now));
    }
    unit
}

#[library_benchmark]
#[benches::associations(args = [1000, 10_000, 100_000], setup = filled)]
fn removal((mut unit, targets): (Unit, Vec<SaId>)) -> Unit {
    // Half of them, lest a small table shrinks to nothing and measures that.
    for id in targets.iter().take(OPERATIONS / 2) {
        assert!(unit.server.remove_sa(*id));
    }
    unit
}

#[library_benchmark]
#[benches::associations(args = [1000, 10_000, 100_000], setup = filled)]
fn insertion((mut unit, _): (Unit, Vec<SaId>)) -> Unit {
    (0..OPERATIONS).for_each(|_| unit.insert());
    unit
}

#[library_benchmark]
#[benches::associations(args = [1000, 10_000, 100_000], setup = filled)]
fn expiry((mut unit, _): (Unit, Vec<SaId>)) -> Unit {
    for _ in 0..OPERATIONS / 2 {
        let deadline = unit.server.next_deadline().unwrap();
        unit.server.expire(deadline.at);
    }
    unit
}

library_benchmark_group!(name = operations; benchmarks = look_up, touch, removal, insertion, expiry);
main!(
    // Filling a table takes valgrind long enough without its caches.
    config = LibraryBenchmarkConfig::default().tool(Callgrind::with_args(["--cache-sim=no"]));
    library_benchmark_groups = operations
);
