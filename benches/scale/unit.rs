//! A logical unit, whose device server is filled with associations by command sequences like those of an initiator.

use ikev2_scsi::crypto::{Purpose, Random, RandomError};
use ikev2_scsi::sa::SaId;
use ikev2_scsi::server::{EventKind, Limits};
use ikev2_scsi::wire::Timeouts;
use ikev2_scsi::{DeviceServer, Instant, NexusId, Policy, Reply, Request};

use crate::cheap;

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
    pub(crate) ids: Vec<SaId>,
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
    pub(crate) fn new(seed: u64) -> Self {
        let server = without_limits(4);
        Self { server, now: 0, ids: Vec::new(), random: Numbers(seed), message: message(), buffer: vec![0; 1024] }
    }

    pub(crate) fn now(&self) -> Instant {
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
    pub(crate) fn made(&mut self) -> SaId {
        core::iter::from_fn(|| self.server.poll_event())
            .filter_map(|event| if let EventKind::SaCreated { id } = event.kind { Some(id) } else { None })
            .last()
            .unwrap()
    }

    /// As many as are missing, a millisecond apart.
    pub(crate) fn fill(&mut self, len: usize) {
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

    pub(crate) fn any(&mut self) -> SaId {
        self.ids[self.random.below(self.ids.len())]
    }
}
