//! Command sequences at a time: what each command of one costs while so many others run.

use ikev2_scsi::{DeviceServer, Instant, NexusId, Reply, Request};

use crate::cheap::{Draws, Exchange};
use crate::unit::{KEY_EXCHANGE_IN, KEY_EXCHANGE_OUT, cdb_out, without_limits};
use crate::{Plan, Table, time};

/// The commands of a sequence.
pub(crate) const STEPS: [&str; 4] = ["key exchange OUT", "key exchange IN", "authentication OUT", "authentication IN"];

const AUTHENTICATION_OUT: [u8; 4] = [0xB5, 0x41, 1, 3];
const AUTHENTICATION_IN: [u8; 12] = [0xA2, 0x41, 1, 3, 0, 0, 0, 0, 0x40, 0, 0, 0];

/// A device server, and the recorded commands of so many clients, all of one identity.
pub(crate) struct World {
    pub(crate) server: DeviceServer,
    exchanges: Vec<Exchange>,
    pub(crate) now: u64,
    buffer: Vec<u8>,
}

impl World {
    pub(crate) fn record(count: usize) -> Self {
        let exchanges = (0..count).map(Exchange::authenticated).collect();
        Self { server: without_limits(count), exchanges, now: 0, buffer: vec![0; 4096] }
    }

    /// One command of the first so many clients.
    pub(crate) fn step(&mut self, step: usize, count: usize) {
        for client in 0..count {
            self.command(step, client);
        }
    }

    fn command(&mut self, step: usize, client: usize) {
        let exchange = &mut self.exchanges[client];
        let (cdb, data_out): ([u8; 12], &mut [u8]) = match step {
            0 => (cdb_out(KEY_EXCHANGE_OUT, &exchange.key_exchange_out), &mut exchange.key_exchange_out),
            1 => (KEY_EXCHANGE_IN, &mut []),
            // It is opened in place; without a cipher that changes nothing.
            2 => (cdb_out(AUTHENTICATION_OUT, &exchange.authentication_out), &mut exchange.authentication_out),
            _ => (AUTHENTICATION_IN, &mut []),
        };
        let request = Request { cdb: &cdb, data_out, data_in: &mut self.buffer };
        let nexus = NexusId(u64::try_from(client).unwrap());
        let reply = self.server.execute(nexus, request, Instant::from_millis(self.now), &mut Draws::of(client));
        assert!(matches!(reply, Reply::Good { .. }), "{}: {reply:?}", STEPS[step]);
    }

    pub(crate) fn expire(&mut self) {
        self.server.expire(Instant::from_millis(self.now));
    }

    /// So many sequences side by side, from the first command to the protocol timeout.
    fn measure(&mut self, table: &mut Table, size: usize, repetitions: usize) {
        let mut spent = [0.0; STEPS.len()];
        for _ in 0..repetitions {
            for (step, spent) in spent.iter_mut().enumerate() {
                *spent += time(size * repetitions, || self.step(step, size));
            }
            self.server.reset();
        }
        for (name, spent) in STEPS.iter().zip(spent) {
            table.add(name, size, spent);
        }
        let (mut loss, mut timeout) = (0.0, 0.0);
        for _ in 0..repetitions {
            self.step(0, size);
            self.step(1, size);
            loss += time(size * repetitions, || {
                (0..size).for_each(|client| self.server.nexus_lost(NexusId(u64::try_from(client).unwrap())));
            });
            for client in 0..size {
                self.now += 1;
                self.command(0, client);
            }
            timeout += time(size * repetitions, || {
                while let Some(deadline) = self.server.next_deadline() {
                    self.now = deadline.at.as_millis();
                    self.expire();
                }
            });
        }
        table.add("I_T nexus loss", size, loss);
        table.add("protocol timeout", size, timeout);
    }
}

pub(crate) fn measure(plan: &Plan) {
    let most = plan.sequences.iter().copied().max().unwrap_or(1);
    let mut world = World::record(most);
    let mut table = Table::default();
    for round in 0..=plan.rounds {
        for size in &plan.sequences {
            let mut nobodys = Table::default();
            let table = if round == 0 { &mut nobodys } else { &mut table };
            world.measure(table, *size, (most / size).min(plan.operations / 40).max(1));
        }
    }
    table.print("so many command sequences of one identity at a time: ns of processor time", &plan.sequences);
}
