//! What an association and a command sequence take on the heap.

use ikev2_scsi::crypto::Identity;
use ikev2_scsi::server::Limits;

use crate::sequences::{STEPS, World};
use crate::unit::without_limits;
use crate::{Plan, Table, live};

pub(crate) fn measure(plan: &Plan) {
    let mut table = Table::default();
    let most = plan.sequences.iter().copied().max().unwrap_or(1);
    let mut world = World::record(most);
    for size in &plan.sequences {
        world.server = without_limits(most);
        let empty = live();
        for (step, name) in STEPS.iter().enumerate() {
            world.step(step, *size);
            table.add(&format!("bytes per sequence after {name}"), *size, per(live() - empty, *size));
        }
        // What was kept for repetition goes.
        world.now += 61_000;
        world.expire();
        assert_eq!(world.server.sas().len(), *size);
        table.add("bytes per association", *size, per(live() - empty, *size));
    }
    table.print("memory, by how many there are", &plan.sequences);
    let identity = Identity::key_id(b"host").data.len();
    println!(
        "stated: CCS_BYTES {}, SA_BYTES {} (+ nonces 32, identity {identity})",
        Limits::CCS_BYTES,
        Limits::SA_BYTES
    );
}

fn per(bytes: usize, count: usize) -> f64 {
    f64::from(u32::try_from(bytes).unwrap()) / f64::from(u32::try_from(count).unwrap())
}
