//! Associations: what it costs to look one up, to use it, to let it expire, to make and to remove one.
//!
//! Each operation is measured twice. *Warm*: one logical unit alone, which fits the processor's caches while it is small. *Cold*: among so many
//! logical units of that size that all have as many associations together as the largest one has, taken at random, so that the
//! caches help a small logical unit no more than a large one. Growth from one size to the next is ours in the cold figures, and in the
//! warm ones also the machine's.

use std::hint::black_box;

use ikev2_scsi::NexusId;
use ikev2_scsi::sa::SaId;

use crate::unit::{Numbers, Unit};
use crate::{Plan, Table, time};

/// Logical units with as many associations each.
struct Farm {
    size: usize,
    units: Vec<Unit>,
    random: Numbers,
}

impl Farm {
    fn new(size: usize, all: usize) -> Self {
        // Of logical units with one association so many that they take as much memory would say nothing more.
        let count = (all / size).clamp(1, 1000);
        let mut units: Vec<Unit> = (0..count).map(|seed| Unit::new(u64::try_from(seed).unwrap() << 32)).collect();
        units.iter_mut().for_each(|unit| unit.fill(size));
        Self { size, units, random: Numbers(7) }
    }

    /// Operations on associations chosen before the clock starts.
    fn targets(&mut self, count: usize, units: usize) -> Vec<(usize, SaId)> {
        let mut target = || {
            let unit = self.random.below(units);
            (unit, self.units[unit].any())
        };
        (0..count).map(|_| target()).collect()
    }

    fn measure(&mut self, table: &mut Table, operations: usize, is_warm: bool) {
        let (units, kind) = if is_warm { (1, "warm") } else { (self.units.len(), "cold") };
        let size = self.size;
        let mut add = |name: &str, figure: f64| table.add(&format!("{name} ({kind})"), size, figure);
        let targets = self.targets(operations, units);
        add(
            "look-up",
            time(operations, || {
                for (unit, id) in &targets {
                    let unit = &mut self.units[*unit];
                    let now = unit.now();
                    assert!(black_box(unit.server.sa(*id, now)).is_some());
                }
            }),
        );
        let targets = self.targets(operations, units);
        add(
            "use (touch)",
            time(operations, || {
                for (unit, id) in &targets {
                    let unit = &mut self.units[*unit];
                    unit.now += 1;
                    let now = unit.now();
                    assert!(unit.server.touch(*id, now));
                }
            }),
        );
        let targets = self.targets(operations, units);
        add(
            "tick without anything due (expire)",
            time(operations, || {
                for (unit, _) in &targets {
                    let unit = &mut self.units[*unit];
                    let now = unit.now();
                    unit.server.expire(now);
                    assert!(black_box(unit.server.next_deadline()).is_some());
                }
            }),
        );
        self.replace(operations, units, &mut add);
    }

    /// A tenth of a logical unit at most is removed and made again.
    fn replace(&mut self, operations: usize, units: usize, add: &mut impl FnMut(&str, f64)) {
        let size = self.size;
        let count = (operations / 4).min(units * size.div_ceil(10));
        let mut targets = self.targets(count, units);
        targets.sort_unstable();
        targets.dedup();
        targets.sort_unstable_by_key(|(_, id)| id.ds_sai);
        add(
            "removal (remove_sa)",
            time(targets.len(), || {
                for (unit, id) in &targets {
                    assert!(self.units[*unit].server.remove_sa(*id));
                }
            }),
        );
        add(
            "insertion (whole sequence of two commands)",
            time(targets.len(), || {
                for (unit, _) in &targets {
                    self.units[*unit].insert();
                    let id = self.units[*unit].made();
                    self.units[*unit].ids.push(id);
                }
            }),
        );
        self.units.iter_mut().take(units).for_each(|unit| unit.fill(size));
    }

    /// The first associations of logical units run out, few enough that most stay.
    fn expire(&mut self, table: &mut Table, operations: usize, is_warm: bool) {
        let (units, kind) = if is_warm { (1, "warm") } else { (self.units.len(), "cold") };
        let count = (operations / 4).min(units * self.size.div_ceil(40));
        let targets: Vec<usize> = (0..count).map(|_| self.random.below(units)).collect();
        // What is kept for repetition runs out first, and is not what is measured.
        self.units.iter_mut().for_each(|unit| unit.server.nexus_lost(NexusId(1)));
        let len = |units: &[Unit]| -> usize { units.iter().map(|unit| unit.server.sas().len()).sum() };
        let before = len(&self.units);
        let mut expire = || {
            for unit in &targets {
                let unit = &mut self.units[*unit];
                if let Some(deadline) = unit.server.next_deadline() {
                    unit.server.expire(deadline.at);
                    unit.now = unit.now.max(deadline.at.as_millis());
                }
            }
        };
        let spent = time(1, &mut expire);
        let expired = before - len(&self.units);
        if expired > 0 {
            table.add(&format!("expiry ({kind})"), self.size, spent / f64::from(u32::try_from(expired).unwrap()));
        }
    }
}

pub(crate) fn measure(plan: &Plan) {
    let mut farms: Vec<Farm> = plan.sas.iter().map(|size| Farm::new(*size, plan.all)).collect();
    let mut table = Table::default();
    for is_warm in [false, true] {
        // The first round is the caches', and nobody's measurement.
        farms.iter_mut().for_each(|farm| farm.measure(&mut Table::default(), plan.operations / 4, is_warm));
        for _ in 0..plan.rounds {
            farms.iter_mut().for_each(|farm| farm.measure(&mut table, plan.operations, is_warm));
        }
    }
    for is_warm in [false, true] {
        for _ in 0..plan.rounds {
            farms.iter_mut().for_each(|farm| farm.expire(&mut table, plan.operations, is_warm));
        }
    }
    table.print("one logical unit with so many associations: ns of processor time", &plan.sas);
}
