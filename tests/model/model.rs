//! A second device server's turns, of plain data, written from the readings and not from the code (R20-R28, R31, R31a, R32,
//! R35, R37, R39). It knows commands by what they are, exchanges by their number, and no cryptography.

use super::cdbs::BAD_CDBS;
use Turn::{Busy, Go, Same, Sequence, Value};

/// What can happen to a device server. `Own`, `Others` and `Gone` tell whose security association a Delete names: the newest
/// that the nexus made, the newest that another one made, the one that went last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    Capabilities,
    KeyExchangeOut,
    /// It selects IKE_AUTH_NONE.
    OpenKeyExchangeOut,
    /// Its IKEV2-SCSI PROTOCOL TIMEOUT is zero.
    BadKeyExchangeOut,
    KeyExchangeIn,
    AuthenticationOut,
    /// Its AUTH is that of another key.
    WrongAuthenticationOut,
    /// Its SAIs are another nexus's, or nobody's.
    ForeignAuthenticationOut,
    AuthenticationIn,
    DeleteOwn,
    DeleteOthers,
    DeleteGone,
    /// As `DeleteOwn`, its ICV wrong.
    CorruptDeleteOwn,
    /// One of [`BAD_CDBS`].
    BadCdb(usize),
    Tick(u64),
    NexusLoss,
    Reset,
}

/// The n-th exchange, and whether it is without an Authentication phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exchange {
    pub(crate) number: usize,
    pub(crate) is_open: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Data {
    None,
    Capabilities,
    KeyExchangeIn(Exchange),
    AuthenticationIn(Exchange),
}

/// Sense key specific sense data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pointer {
    Cdb(u16),
    List(u16),
    Progress(u16),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Good(Data),
    /// CHECK CONDITION: sense key, ASC, ASCQ.
    Refused(u8, u8, u8, Pointer),
    None,
}

/// Where a nexus is: the columns of [`TURNS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Nowhere,
    /// The key exchange OUT was accepted, and so on.
    Asked,
    Answered,
    Claimed,
    Done,
    OpenDone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    Go,
    Same,
    Busy,
    Sequence,
    Value,
}

pub(crate) type Turns = [[Turn; 6]; 7];

/// Readings R24, R25, R26.
pub(crate) const TURNS: Turns = [
    [Go, Busy, Busy, Busy, Go, Go],                      // key exchange OUT
    [Sequence, Go, Same, Busy, Sequence, Same],          // key exchange IN
    [Sequence, Busy, Go, Busy, Sequence, Sequence],      // authentication OUT of the exchange that runs
    [Sequence, Busy, Busy, Busy, Sequence, Sequence],    // authentication OUT of another
    [Sequence, Busy, Busy, Go, Same, Sequence],          // authentication IN
    [Go, Go, Go, Go, Go, Go],                            // Delete of what lives
    [Sequence, Value, Value, Value, Sequence, Sequence], // Delete of what does not
];

/// What the readings fix in numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) turns: Turns,
    /// Failed authentications that end an exchange (reading R23).
    pub(crate) failures: u8,
    /// Milliseconds.
    pub(crate) protocol_timeout: u64,
    pub(crate) inactivity_timeout: u64,
    /// A repeated IN restarts the protocol timer: it does not (reading R28).
    pub(crate) repeating_restarts: bool,
    /// Nexus loss removes the associations that the nexus made: it does not (reading R37).
    pub(crate) loss_removes: bool,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Nexus {
    pub(crate) place: Place,
    /// The last exchange that it began.
    pub(crate) exchange: Option<Exchange>,
    failures: u8,
    until: u64,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Association {
    pub(crate) exchange: Exchange,
    maker: usize,
    until: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct Model {
    rules: Rules,
    pub(crate) now: u64,
    /// Exchanges begun so far.
    pub(crate) begun: usize,
    pub(crate) nexuses: [Nexus; 3],
    pub(crate) associations: Vec<Association>,
    gone: Option<Exchange>,
    /// How often each cell of the table was asked.
    pub(crate) asked: [[u64; 6]; 7],
}

const NOWHERE: Nexus = Nexus { place: Place::Nowhere, exchange: None, failures: 0, until: 0 };

impl Model {
    pub(crate) const fn new(rules: Rules) -> Self {
        let asked = [[0; 6]; 7];
        Self { rules, now: 0, begun: 0, nexuses: [NOWHERE; 3], associations: Vec::new(), gone: None, asked }
    }

    /// The exchange whose association a Delete of this kind names; `None` for one that never was.
    pub(crate) fn deleted(&self, nexus: usize, command: Command) -> Option<Exchange> {
        let newest = |wanted: &dyn Fn(usize) -> bool| {
            self.associations.iter().rev().find(|sa| wanted(sa.maker)).map(|sa| sa.exchange)
        };
        match command {
            Command::DeleteOwn | Command::CorruptDeleteOwn => newest(&|maker| maker == nexus),
            Command::DeleteOthers => newest(&|maker| maker != nexus),
            _ => self.gone,
        }
    }

    /// When something runs out next, and whether that is a protocol timeout.
    pub(crate) fn deadline(&self) -> Option<(u64, bool)> {
        let kept = self.nexuses.iter().filter(|nexus| nexus.place != Place::Nowhere).map(|nexus| (nexus.until, true));
        kept.chain(self.associations.iter().map(|sa| (sa.until, false))).min_by_key(|(until, _)| *until)
    }

    pub(crate) fn step(&mut self, nexus: usize, command: Command) -> Answer {
        let row = match command {
            Command::Capabilities => return Answer::Good(Data::Capabilities),
            Command::BadCdb(which) => return Answer::Refused(5, 0x24, 0, Pointer::Cdb(BAD_CDBS[which].1)),
            Command::Tick(milliseconds) => return self.tick(milliseconds),
            Command::NexusLoss => return self.lose(nexus, false),
            Command::Reset => return self.lose(nexus, true),
            Command::KeyExchangeOut | Command::OpenKeyExchangeOut | Command::BadKeyExchangeOut => 0,
            Command::KeyExchangeIn => 1,
            Command::AuthenticationOut | Command::WrongAuthenticationOut => 2,
            Command::ForeignAuthenticationOut => 3,
            Command::AuthenticationIn => 4,
            _ => {
                let named = self.deleted(nexus, command);
                if self.associations.iter().any(|sa| Some(sa.exchange) == named) { 5 } else { 6 }
            }
        };
        let column = self.nexuses[nexus].place as usize;
        self.asked[row][column] += 1;
        match self.rules.turns[row][column] {
            Go => self.go(nexus, command),
            Same => self.repeat(nexus, command),
            Busy => Answer::Refused(2, 0, 0x1E, Pointer::Progress(self.progress(nexus))),
            // A Delete is at fault itself, every other command's CDB (reading R39).
            Sequence => Answer::Refused(5, 0x2C, 0, if row > 4 { Pointer::List(0) } else { Pointer::Cdb(2) }),
            Value => Answer::Refused(5, 0x74, 0x30, Pointer::List(0)),
        }
    }

    /// Commands done of those that the exchange has, in 65 536ths.
    fn progress(&self, nexus: usize) -> u16 {
        let Nexus { place, exchange, .. } = self.nexuses[nexus];
        let of = if exchange.is_some_and(|exchange| exchange.is_open) { 2 } else { 4 };
        u16::try_from(place as u32 * 65_536 / of).unwrap_or(u16::MAX)
    }

    fn repeat(&mut self, nexus: usize, command: Command) -> Answer {
        if self.rules.repeating_restarts {
            self.nexuses[nexus].until = self.now + self.rules.protocol_timeout;
        }
        let exchange = self.nexuses[nexus].exchange.unwrap_or(Exchange { number: 0, is_open: false });
        Answer::Good(match command {
            Command::KeyExchangeIn => Data::KeyExchangeIn(exchange),
            _ => Data::AuthenticationIn(exchange),
        })
    }

    fn go(&mut self, nexus: usize, command: Command) -> Answer {
        match command {
            Command::KeyExchangeOut => self.begin(nexus, false),
            Command::OpenKeyExchangeOut => self.begin(nexus, true),
            // IKEV2-SCSI PROTOCOL TIMEOUT in the first payload (reading R28).
            Command::BadKeyExchangeOut => Answer::Refused(5, 0x74, 0x30, Pointer::List(28 + 8)),
            Command::KeyExchangeIn => {
                let is_open = self.nexuses[nexus].exchange.is_some_and(|exchange| exchange.is_open);
                self.advance(nexus, if is_open { Place::OpenDone } else { Place::Answered });
                if is_open {
                    self.associate(nexus);
                }
                self.repeat(nexus, command)
            }
            Command::AuthenticationOut => self.advance(nexus, Place::Claimed),
            Command::WrongAuthenticationOut => {
                self.nexuses[nexus].failures += 1;
                if self.nexuses[nexus].failures >= self.rules.failures {
                    self.nexuses[nexus].place = Place::Nowhere;
                }
                Answer::Refused(5, 0x74, 0x40, Pointer::List(28))
            }
            Command::AuthenticationIn => {
                self.advance(nexus, Place::Done);
                self.associate(nexus);
                self.repeat(nexus, command)
            }
            Command::CorruptDeleteOwn => Answer::Refused(5, 0x74, 0x30, Pointer::List(28)),
            _ => {
                let named = self.deleted(nexus, command);
                self.remove(|sa| Some(sa.exchange) == named);
                Answer::Good(Data::None)
            }
        }
    }

    fn begin(&mut self, nexus: usize, is_open: bool) -> Answer {
        let exchange = Some(Exchange { number: self.begun, is_open });
        self.nexuses[nexus] = Nexus { exchange, ..NOWHERE };
        self.begun += 1;
        self.advance(nexus, Place::Asked)
    }

    fn advance(&mut self, nexus: usize, place: Place) -> Answer {
        self.nexuses[nexus].place = place;
        self.nexuses[nexus].until = self.now + self.rules.protocol_timeout;
        Answer::Good(Data::None)
    }

    fn associate(&mut self, maker: usize) {
        let until = self.now + self.rules.inactivity_timeout;
        let association = self.nexuses[maker].exchange.map(|exchange| Association { exchange, maker, until });
        self.associations.extend(association);
    }

    fn remove(&mut self, is_removed: impl Fn(&Association) -> bool) {
        let last = self.associations.iter().rev().find(|sa| is_removed(sa)).map(|sa| sa.exchange);
        self.gone = last.or(self.gone);
        self.associations.retain(|sa| !is_removed(sa));
    }

    fn tick(&mut self, milliseconds: u64) -> Answer {
        self.now += milliseconds;
        let now = self.now;
        for nexus in &mut self.nexuses {
            if nexus.until <= now {
                nexus.place = Place::Nowhere;
            }
        }
        self.remove(|sa| sa.until <= now);
        Answer::None
    }

    /// Nexus loss, or with `is_reset` what ends everything (reading R37).
    fn lose(&mut self, lost: usize, is_reset: bool) -> Answer {
        let nexuses = self.nexuses.iter_mut().enumerate().filter(|(nexus, _)| is_reset || *nexus == lost);
        nexuses.for_each(|(_, nexus)| nexus.place = Place::Nowhere);
        let loss_removes = self.rules.loss_removes;
        self.remove(|sa| is_reset || (loss_removes && sa.maker == lost));
        Answer::None
    }
}
