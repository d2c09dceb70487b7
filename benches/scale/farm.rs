//! Associations: what it costs to look one up, to use it, to let it expire, to make and to remove one.
//!
//! Each operation is measured twice. *Warm*: one logical unit alone, which fits the processor's caches while it is small. *Cold*: among so many
//! logical units of that size that all have as many associations together as the largest one has, taken at random, so that the
//! caches help a small logical unit no more than a large one. Growth from one size to the next is ours in the cold figures, and in the
//! warm ones also the machine's.

use std::hint::black_box;

use ikev2_scsi::crypto::{Purpose, Random, RandomError};
use ikev2_scsi::sa::SaId;
use ikev2_scsi::server::{EventKind, Limits};
use ikev2_scsi::wire::Timeouts;
use ikev2_scsi::{DeviceServer, Instant, NexusId, Policy, Reply, Request};

use crate::{Plan, Table, cheap, time};

/// Different bytes each time.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound).unwrap()).unwrap()
    }
}

impl Random for Numbers {
    fn fill(&mut self, _: Purpose, out: &mut [u8]) -> Result<(), RandomError> {
        for chunk in out.chunks_mut(8) {
            let bytes = self.next().to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
        Ok(())
    }
}

pub(crate) const KEY_EXCHANGE_OUT: [u8; 4] = [0xB5, 0x41, 1, 2];
pub(crate) const KEY_EXCHANGE_IN: [u8; 12] = [0xA2, 0x41, 1, 2, 0, 0, 0, 0, 0x40, 0, 0, 0];

pub(crate) fn cdb_out(command: [u8; 4], data_out: &[u8]) -> [u8; 12] {
    let [l0, l1, l2, l3] = u32::try_from(data_out.len()).unwrap().to_be_bytes();
    let [c0, c1, c2, c3] = command;
    [c0, c1, c2, c3, 0, 0, l0, l1, l2, l3, 0, 0]
}

/// A logical unit, its clock, and the associations that it has.
pub(crate) struct Unit {
    pub(crate) server: DeviceServer,
    pub(crate) now: u64,
    ids: Vec<SaId>,
    random: Numbers,
    message: Vec<u8>,
    buffer: Vec<u8>,
}

/// A policy and limits that stop nobody here.
pub(crate) fn without_limits(sequences: usize) -> DeviceServer {
    let mut policy = Policy::default();
    (policy.allow_no_authentication, policy.nonce_length) = (true, 16);
    let mut limits = Limits::default();
    (limits.nexuses, limits.sequences, limits.jobs) = (sequences, sequences, sequences);
    (limits.sas, limits.sas_per_identity, limits.events) = (usize::MAX, usize::MAX, 4);
    cheap::builder().policy(policy).limits(limits).build().unwrap()
}

/// A key exchange OUT of a client that omits the Authentication phase. A device server answers the same bytes as often as they
/// come, each time with another DS_SAI.
pub(crate) fn message() -> Vec<u8> {
    cheap::key_exchange_out(Timeouts { protocol: 60, inactivity: 86_400 })
}

impl Unit {
    fn new(seed: u64) -> Self {
        let server = without_limits(4);
        Self { server, now: 0, ids: Vec::new(), random: Numbers(seed), message: message(), buffer: vec![0; 1024] }
    }

    fn now(&self) -> Instant {
        Instant::from_millis(self.now)
    }

    /// A whole command sequence of two commands.
    pub(crate) fn insert(&mut self) {
        let now = self.now();
        let cdb = cdb_out(KEY_EXCHANGE_OUT, &self.message);
        for (cdb, data_out) in [(&cdb, self.message.as_mut_slice()), (&KEY_EXCHANGE_IN, &mut [])] {
            let request = Request { cdb, data_out, data_in: &mut self.buffer };
            let reply = self.server.execute(NexusId(1), request, now, &mut self.random);
            assert!(matches!(reply, Reply::Good { .. }), "{reply:?}");
        }
    }

    /// The association that was made last.
    fn made(&mut self) -> SaId {
        core::iter::from_fn(|| self.server.poll_event())
            .filter_map(|event| if let EventKind::SaCreated { id } = event.kind { Some(id) } else { None })
            .last()
            .unwrap()
    }

    /// As many as are missing, a millisecond apart.
    fn fill(&mut self, len: usize) {
        while self.server.sas().len() < len {
            self.now += 1;
            self.insert();
            let id = self.made();
            self.ids.push(id);
        }
        // What has expired is no longer there.
        let server = &self.server;
        self.ids.retain(|id| server.sas().get(*id).is_some());
        assert_eq!(self.ids.len(), len);
    }

    fn any(&mut self) -> SaId {
        self.ids[self.random.below(self.ids.len())]
    }
}

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
