//! The device server and the model side by side.

use std::sync::Arc;

use ikev2_scsi::sense::{Sense, SenseKeySpecific};
use ikev2_scsi::server::DeadlineReason;
use ikev2_scsi::wire::Sai;
use ikev2_scsi::{DeviceServer, Instant, NexusId, Reply, Request};

use super::cdbs::BAD_CDBS;
use super::cheap::{self, Draws};
use super::model::{Answer, Command, Data, Exchange, Model, Pointer, Rules};

/// The messages of every exchange that a test can begin, and those of one more, which never begins.
pub(crate) struct Messages {
    capabilities: Vec<u8>,
    authenticated: Vec<cheap::Exchange>,
    open: Vec<cheap::Exchange>,
    never: cheap::Exchange,
}

impl Messages {
    pub(crate) fn new(exchanges: usize) -> Arc<Self> {
        Arc::new(Self {
            capabilities: cheap::capabilities(),
            authenticated: (0..exchanges).map(cheap::Exchange::authenticated).collect(),
            open: (0..exchanges).map(cheap::Exchange::unauthenticated).collect(),
            never: cheap::Exchange::authenticated(exchanges),
        })
    }

    fn of(&self, exchange: Option<Exchange>) -> &cheap::Exchange {
        match exchange {
            None => &self.never,
            Some(Exchange { number, is_open: true }) => &self.open[number],
            Some(Exchange { number, is_open: false }) => &self.authenticated[number],
        }
    }
}

/// What is sent.
enum Sent {
    Command([u8; 4], Vec<u8>),
    Nothing,
}

const fn command_in(specific: u8) -> Sent {
    Sent::Command([0xA2, 0x41, 1, specific], Vec::new())
}

const fn command_out(specific: u8, data_out: Vec<u8>) -> Sent {
    Sent::Command([0xB5, 0x41, 1, specific], data_out)
}

pub(crate) struct Bench {
    messages: Arc<Messages>,
    server: DeviceServer,
    pub(crate) model: Model,
    /// The server's clock when the model's was zero.
    epoch: u64,
    data_in: Vec<u8>,
}

impl Bench {
    pub(crate) fn new(messages: &Arc<Messages>, rules: Rules) -> Self {
        let server = cheap::builder().build().unwrap();
        let messages = Arc::clone(messages);
        Self { messages, server, model: Model::new(rules), epoch: 0, data_in: vec![0; 1024] }
    }

    /// Begins anew: a reset drops everything, and only the clock goes on.
    pub(crate) fn begin_anew(&mut self, rules: Rules) {
        self.epoch += self.model.now;
        self.server.reset();
        let asked = self.model.asked;
        self.model = Model::new(rules);
        self.model.asked = asked;
    }

    /// One command to both, a millisecond after the last; tells where they differ.
    pub(crate) fn step(&mut self, nexus: usize, command: Command) -> Result<(), String> {
        self.model.step(nexus, Command::Tick(1));
        let sent = self.prepare(nexus, command);
        let draws = Draws::of(self.model.begun);
        let expected = self.model.step(nexus, command);
        let id = NexusId(u64::try_from(nexus).unwrap());
        let now = Instant::from_millis(self.epoch + self.model.now);
        match command {
            Command::NexusLoss => self.server.nexus_lost(id),
            Command::Reset => self.server.reset(),
            // At odd times the server learns of it with what comes next.
            Command::Tick(_) if now.as_millis() % 2 == 1 => return Ok(()),
            _ => {}
        }
        if let Sent::Command(head, mut data_out) = sent {
            let reply = self.execute(id, head, &mut data_out, now, draws);
            self.compare(reply, expected)?;
        } else {
            self.server.expire(now);
        }
        self.compare_state()
    }

    fn execute(&mut self, id: NexusId, head: [u8; 4], list: &mut [u8], now: Instant, mut draws: Draws) -> Reply {
        let [operation, protocol, s0, s1] = head;
        let length = if operation == 0xA2 { 1024 } else { list.len() };
        let [l2, l3] = u16::try_from(length).unwrap().to_be_bytes();
        let cdb = [operation, protocol, s0, s1, 0, 0, 0, 0, l2, l3, 0, 0];
        let request = Request { cdb: &cdb, data_out: list, data_in: &mut self.data_in };
        self.server.execute(id, request, now, &mut draws)
    }

    /// The bytes of a command, in the model's present state.
    fn prepare(&self, nexus: usize, command: Command) -> Sent {
        let messages = &self.messages;
        let next = |is_open| messages.of(Some(Exchange { number: self.model.begun, is_open }));
        let last = self.model.nexuses[nexus].exchange;
        // A claim has the SAIs of its exchange, which are the same with and without an Authentication phase.
        let claim = messages.of(last.map(|last| Exchange { is_open: false, ..last }));
        match command {
            Command::Capabilities => Sent::Command([0xA2, 0x40, 1, 1], Vec::new()),
            Command::KeyExchangeOut => command_out(2, next(false).key_exchange_out.clone()),
            Command::OpenKeyExchangeOut => command_out(2, next(true).key_exchange_out.clone()),
            Command::BadKeyExchangeOut => {
                let mut list = next(false).key_exchange_out.clone();
                list[36..40].fill(0);
                command_out(2, list)
            }
            Command::KeyExchangeIn => command_in(2),
            Command::AuthenticationOut => command_out(3, claim.authentication_out.clone()),
            Command::WrongAuthenticationOut => command_out(3, claim.wrong_authentication_out.clone()),
            Command::ForeignAuthenticationOut => {
                let mut others = self.model.nexuses.iter().filter_map(|other| other.exchange);
                let other = others.rfind(|other| Some(other.number) != last.map(|last| last.number));
                let other = messages.of(other.map(|other| Exchange { is_open: false, ..other }));
                command_out(3, other.authentication_out.clone())
            }
            Command::AuthenticationIn => command_in(3),
            Command::DeleteOwn | Command::DeleteOthers | Command::DeleteGone => {
                command_out(4, messages.of(self.model.deleted(nexus, command)).delete.clone())
            }
            Command::CorruptDeleteOwn => {
                let mut list = messages.of(self.model.deleted(nexus, command)).delete.clone();
                *list.last_mut().unwrap() ^= 1;
                command_out(4, list)
            }
            Command::BadCdb(which) => Sent::Command(BAD_CDBS[which].0, Vec::new()),
            Command::Tick(_) | Command::NexusLoss | Command::Reset => Sent::Nothing,
        }
    }

    fn compare(&self, reply: Reply, expected: Answer) -> Result<(), String> {
        let is_same = match (reply, expected) {
            (Reply::Good { len }, Answer::Good(data)) => self.data_in[..len] == *self.bytes(data),
            (Reply::CheckCondition(sense), Answer::Refused(..)) => of_sense(&sense) == Some(expected),
            _ => false,
        };
        if is_same { Ok(()) } else { Err(format!("{reply:?} and not {expected:?}")) }
    }

    fn bytes(&self, data: Data) -> &[u8] {
        match data {
            Data::None => &[],
            Data::Capabilities => &self.messages.capabilities,
            Data::KeyExchangeIn(exchange) => &self.messages.of(Some(exchange)).key_exchange_in,
            Data::AuthenticationIn(exchange) => &self.messages.of(Some(exchange)).authentication_in,
        }
    }

    /// The live associations and the next deadline.
    fn compare_state(&self) -> Result<(), String> {
        let mut live: Vec<Sai> = self.server.sas().iter().map(|sa| sa.id().ds_sai).collect();
        let of_model = self.model.associations.iter().map(|sa| self.messages.of(Some(sa.exchange)).ds_sai);
        let mut expected: Vec<Sai> = of_model.collect();
        expected.sort_unstable();
        live.sort_unstable();
        if live != expected {
            return Err(format!("{live:?} live and not {expected:?}"));
        }
        let deadline = self.server.next_deadline();
        let deadline = deadline.map(|next| (next.at.as_millis() - self.epoch, next.reason == DeadlineReason::Protocol));
        if deadline == self.model.deadline() {
            return Ok(());
        }
        Err(format!("deadline {deadline:?} and not {:?}", self.model.deadline()))
    }
}

fn of_sense(sense: &Sense) -> Option<Answer> {
    let pointer = match sense.specific {
        SenseKeySpecific::Field { in_cdb: true, byte, bit: None } => Pointer::Cdb(byte),
        SenseKeySpecific::Field { in_cdb: false, byte, bit: None } => Pointer::List(byte),
        SenseKeySpecific::Progress(progress) => Pointer::Progress(progress),
        _ => return None,
    };
    Some(Answer::Refused(sense.key.code(), sense.asc.code, sense.asc.qualifier, pointer))
}
