//! The device server beside a model of its turns: plain data, written from SPC-4 table 556, table 83 and the readings, that knows
//! nothing of the library. Every two commands from every pair of places of two nexuses, and long random ones on three.

use super::client::{COMBINED_SUITE, DELETE, NO_AUTH, part};
use super::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Letter {
    KeyExchangeOut,
    Open,
    /// A key exchange OUT with a fault.
    Bad,
    KeyExchangeIn,
    AuthenticationOut,
    /// Signed with another key.
    Wrong,
    /// The same, its last byte changed: anybody could have sent it.
    Corrupt,
    AuthenticationIn,
    /// Of the last exchange of the nexus: its association, or its sequence.
    DeleteOwn,
    /// Of the last exchange of another nexus.
    DeleteOther,
    /// Of the last exchange of the nexus, a field inside wrong.
    DeleteBad,
    InvalidField,
    RequestSense,
    Loss,
    Tick(u64),
}

use Letter::*;

const LETTERS: [Letter; 15] = [
    KeyExchangeOut,
    Open,
    Bad,
    KeyExchangeIn,
    AuthenticationOut,
    Wrong,
    Corrupt,
    AuthenticationIn,
    DeleteOwn,
    DeleteOther,
    DeleteBad,
    InvalidField,
    RequestSense,
    Loss,
    Tick(60_000),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Nowhere,
    Asked,
    Answered,
    Claimed,
    Done,
    OpenDone,
}

use Place::{Answered, Asked, Claimed, Done, Nowhere, OpenDone};

#[derive(Debug, Clone, Copy)]
struct Nexus {
    place: Place,
    /// The last exchange, by its number.
    last: usize,
    is_open: bool,
    until: u64,
}

/// What the rules are; each may be made wrong, to see that it is noticed.
#[derive(Debug, Clone, Copy)]
struct Rules {
    sense_prolongs: bool,
    delete_forgets: bool,
    bad_delete_ends: bool,
    wrong_ends: bool,
    corrupt_ends: bool,
    busy_elsewhere: bool,
    window_from_out: bool,
    loss_removes: bool,
}

const RULES: Rules = Rules {
    sense_prolongs: true,
    delete_forgets: true,
    bad_delete_ends: true,
    wrong_ends: true,
    corrupt_ends: false,
    busy_elsewhere: true,
    window_from_out: true,
    loss_removes: false,
};

struct Model {
    rules: Rules,
    now: u64,
    begun: usize,
    nexuses: [Nexus; 3],
    /// Exchange, maker, and when it is unused for too long.
    live: Vec<(usize, usize, u64)>,
}

const PROTOCOL: u64 = 60_000;
const INACTIVITY: u64 = 150_000;

impl Model {
    fn new(rules: Rules) -> Self {
        let nowhere = Nexus { place: Nowhere, last: usize::MAX, is_open: false, until: 0 };
        Self { rules, now: 0, begun: 0, nexuses: [nowhere; 3], live: Vec::new() }
    }

    fn runs(&self, nexus: usize) -> bool {
        matches!(self.nexuses[nexus].place, Asked | Answered | Claimed)
    }

    fn go(&mut self, nexus: usize, place: Place) -> Option<Code> {
        self.nexuses[nexus].place = place;
        self.nexuses[nexus].until = self.now + PROTOCOL;
        None
    }

    fn end(&mut self, nexus: usize, told: Code) -> Option<Code> {
        self.nexuses[nexus].place = Nowhere;
        Some(told)
    }

    fn begin(&mut self, nexus: usize, is_open: bool) -> Option<Code> {
        self.nexuses[nexus] = Nexus { last: self.begun, is_open, ..self.nexuses[nexus] };
        self.begun += 1;
        self.go(nexus, Asked)
    }

    /// The exchange that a Delete names.
    fn named(&self, nexus: usize, letter: Letter) -> usize {
        match letter {
            DeleteOther => self.nexuses[(nexus + 1) % 3].last,
            _ => self.nexuses[nexus].last,
        }
    }

    /// What a command is told; nothing for GOOD.
    fn step(&mut self, nexus: usize, letter: Letter) -> Option<Code> {
        let place = self.nexuses[nexus].place;
        match letter {
            KeyExchangeOut | Open | Bad if self.runs(nexus) => Some(BUSY),
            Bad => Some(INVALID),
            KeyExchangeOut | Open => self.begin(nexus, letter == Open),
            KeyExchangeIn => match place {
                Nowhere => {
                    let is_elsewhere = (0..3).any(|other| other != nexus && self.runs(other));
                    Some(if is_elsewhere && self.rules.busy_elsewhere { BUSY } else { SEQUENCE })
                }
                Asked if self.nexuses[nexus].is_open => {
                    self.live.push((self.nexuses[nexus].last, nexus, self.now + INACTIVITY));
                    self.go(nexus, OpenDone)
                }
                Asked => self.go(nexus, Answered),
                Answered | OpenDone => None,
                Claimed | Done => Some(BUSY),
            },
            AuthenticationOut | Wrong | Corrupt => match place {
                Nowhere | OpenDone => Some(CDB),
                Asked | Claimed | Done => Some(BUSY),
                Answered if letter == AuthenticationOut => self.go(nexus, Claimed),
                Answered if letter == Wrong && self.rules.wrong_ends => self.end(nexus, DENIED),
                Answered if letter == Corrupt && self.rules.corrupt_ends => self.end(nexus, REJECTED),
                Answered => Some(if letter == Wrong { DENIED } else { REJECTED }),
            },
            AuthenticationIn => match place {
                Nowhere | OpenDone => Some(CDB),
                Asked | Answered => Some(BUSY),
                Claimed => {
                    self.live.push((self.nexuses[nexus].last, nexus, self.now + INACTIVITY));
                    let until = self.nexuses[nexus].until;
                    self.go(nexus, Done);
                    if self.rules.window_from_out {
                        self.nexuses[nexus].until = until;
                    }
                    None
                }
                Done => None,
            },
            DeleteOwn | DeleteOther | DeleteBad => self.delete(nexus, letter),
            InvalidField => Some(if self.runs(nexus) { BUSY } else { CDB }),
            RequestSense => {
                if self.runs(nexus) && self.rules.sense_prolongs {
                    self.nexuses[nexus].until = self.now + PROTOCOL;
                }
                None
            }
            Loss => {
                self.nexuses[nexus].place = Nowhere;
                let removes = self.rules.loss_removes;
                self.live.retain(|(_, maker, _)| !removes || *maker != nexus);
                None
            }
            Tick(milliseconds) => {
                self.tick(milliseconds);
                None
            }
        }
    }

    fn delete(&mut self, nexus: usize, letter: Letter) -> Option<Code> {
        let named = self.named(nexus, letter);
        let is_live = self.live.iter().any(|(exchange, ..)| *exchange == named);
        let is_mine = self.runs(nexus) && self.nexuses[nexus].last == named && self.nexuses[nexus].place != Asked;
        match (is_live || is_mine, letter) {
            (false, _) => Some(if self.runs(nexus) { REJECTED } else { LIST }),
            (true, DeleteBad) if self.runs(nexus) && self.rules.bad_delete_ends => self.end(nexus, INVALID),
            (true, DeleteBad) => Some(INVALID),
            (true, _) if is_live => {
                self.live.retain(|(exchange, ..)| *exchange != named);
                let forgets = self.rules.delete_forgets;
                let made = |nexus: &&mut Nexus| nexus.last == named && matches!(nexus.place, Done | OpenDone);
                self.nexuses.iter_mut().filter(|_| forgets).filter(made).for_each(|nexus| nexus.place = Nowhere);
                None
            }
            (true, _) => {
                self.nexuses[nexus].place = Nowhere;
                None
            }
        }
    }

    fn tick(&mut self, milliseconds: u64) {
        self.now += milliseconds;
        for nexus in &mut self.nexuses {
            if nexus.until <= self.now {
                nexus.place = Nowhere;
            }
        }
        let now = self.now;
        self.live.retain(|(.., until)| *until > now);
    }

    fn deadline(&self) -> Option<u64> {
        let timers = self.nexuses.iter().filter(|nexus| nexus.place != Nowhere).map(|nexus| nexus.until);
        timers.chain(self.live.iter().map(|(.., until)| *until)).min()
    }
}

/// Both, and the clients of the exchanges.
struct Pair {
    bench: Bench,
    model: Model,
    clients: Vec<Client>,
    capabilities: Vec<u8>,
    epoch: u64,
}

impl Pair {
    fn new() -> Self {
        let mut bench = Bench::new();
        let capabilities = bench.capabilities(A);
        Self { bench, model: Model::new(RULES), clients: Vec::new(), capabilities, epoch: 0 }
    }

    fn begin_anew(&mut self, rules: Rules) {
        self.epoch += self.model.now;
        self.bench.server.reset();
        self.model = Model::new(rules);
        self.clients.clear();
    }

    fn client(&self, exchange: usize) -> Client {
        self.clients.get(exchange).cloned().unwrap_or_else(|| Client::new(COMBINED_SUITE, 0x0DEA_D000))
    }

    /// The command, in the model's present state.
    fn prepare(&mut self, nexus: usize, letter: Letter) -> (Command, Vec<u8>) {
        let last = self.client(self.model.nexuses[nexus].last);
        match letter {
            KeyExchangeOut | Open | Bad => {
                let auth = if letter == Open { [NO_AUTH; 2] } else { COMBINED_SUITE.auth };
                let sai = 0x1000 + u32::try_from(self.model.begun).unwrap();
                let mut client = Client::new(COMBINED_SUITE.with_auth(auth), sai);
                client.capabilities.clone_from(&self.capabilities);
                client.timeouts = vec![if letter == Bad { 61 } else { 60 }, 150];
                let list = client.key_exchange_out();
                self.clients.truncate(self.model.begun);
                self.clients.push(client);
                (Command::KeyExchangeOut, list)
            }
            KeyExchangeIn => (Command::KeyExchangeIn, Vec::new()),
            AuthenticationIn => (Command::AuthenticationIn, Vec::new()),
            AuthenticationOut => (Command::AuthenticationOut, last.authentication_out()),
            Wrong => (Command::AuthenticationOut, Client { key: b"wrong".to_vec(), ..last }.authentication_out()),
            Corrupt => {
                let mut list = last.authentication_out();
                *list.last_mut().unwrap() ^= 1;
                (Command::AuthenticationOut, list)
            }
            DeleteOwn | DeleteOther => (Command::Delete, self.client(self.model.named(nexus, letter)).delete()),
            DeleteBad => {
                let mut data = last.deletion();
                data[3] = 1;
                (Command::Delete, last.sealed(2, &[part(DELETE, &data)]))
            }
            InvalidField | RequestSense | Loss | Tick(_) => (Command::Delete, Vec::new()),
        }
    }

    /// One letter to both, a millisecond after the last; tells where they differ.
    fn step(&mut self, nexus: usize, letter: Letter) -> Result<(), String> {
        self.model.tick(1);
        let (command, list) = self.prepare(nexus, letter);
        let was = self.model.nexuses[nexus];
        let expected = self.model.step(nexus, letter);
        self.bench.now = self.epoch + self.model.now;
        let (id, now) = (NexusId(u64::try_from(nexus).unwrap()), self.bench.instant());
        let (reply, data_in) = match letter {
            RequestSense => (Reply::CheckCondition(self.bench.server.request_sense(id, now)), Vec::new()),
            Loss => {
                // A loss tells no time.
                self.bench.server.expire(now);
                self.bench.server.nexus_lost(id);
                (Reply::Good { len: 0 }, Vec::new())
            }
            Tick(_) => {
                self.bench.server.expire(now);
                (Reply::Good { len: 0 }, Vec::new())
            }
            InvalidField => self.bench.execute(id, &[0xA2, 0x41, 1, 4, 0, 0, 0, 0, 0, 0, 0, 0], &[]),
            _ => self.bench.send(id, command, &list),
        };
        let told = match reply {
            Reply::CheckCondition(sense) if sense != Sense::NONE => Some(code(&sense)),
            _ => None,
        };
        if told != expected {
            return Err(format!("{told:x?} and not {expected:x?}"));
        }
        // The client checks what it gets.
        match (letter, was.place, told) {
            (KeyExchangeIn, Asked, None) => self.clients[was.last].read_key_exchange_in(&data_in),
            (KeyExchangeIn, _, None) => assert_eq!(data_in, self.clients[was.last].answer),
            (AuthenticationIn, _, None) => {
                self.clients[was.last].read_authentication_in(&data_in, b"drive's key");
            }
            _ => {}
        }
        self.compare()
    }

    fn compare(&self) -> Result<(), String> {
        let mut live: Vec<SaId> = self.bench.server.sas().iter().map(|sa| sa.id()).collect();
        let mut expected: Vec<SaId> =
            self.model.live.iter().map(|(exchange, ..)| id(&self.clients[*exchange])).collect();
        live.sort_unstable();
        expected.sort_unstable();
        let deadline = self.bench.server.next_deadline().map(|next| next.at.as_millis() - self.epoch);
        let is_same = live == expected && deadline == self.model.deadline();
        let both = || format!("{live:?} {deadline:?} and not {expected:?} {:?}", self.model.deadline());
        if is_same { Ok(()) } else { Err(both()) }
    }
}

#[test]
fn every_two_commands_from_every_pair_of_places() {
    let honest = [KeyExchangeOut, KeyExchangeIn, AuthenticationOut, AuthenticationIn];
    let open = vec![Open, KeyExchangeIn];
    let mut places: Vec<Vec<Letter>> = (0..=4).map(|length| honest[..length].to_vec()).collect();
    places.push(open.clone());
    let letters: Vec<(usize, Letter)> = (0..2).flat_map(|n| LETTERS.iter().map(move |l| (n, *l))).collect();
    let mut pair = Pair::new();
    let mut sequences = 0;
    for first in &places {
        for second in &places {
            for one in &letters {
                for two in &letters {
                    pair.begin_anew(RULES);
                    let third = open.iter().map(|letter| (2, *letter));
                    let first = first.iter().map(|letter| (0, *letter));
                    let second = second.iter().map(|letter| (1, *letter));
                    let whole: Vec<_> = third.chain(first).chain(second).chain([*one, *two]).collect();
                    for (nexus, letter) in &whole {
                        if let Err(difference) = pair.step(*nexus, *letter) {
                            panic!("{whole:?}: nexus {nexus}, {letter:?}: {difference}");
                        }
                    }
                    sequences += 1;
                }
            }
        }
    }
    println!("{sequences} sequences");
    assert_eq!(sequences, 36 * 30 * 30);
}

/// What comes next in an exchange as often as anything else.
fn run_long(pair: &mut Pair, rules: Rules, sequences: usize) -> Result<(), String> {
    let mut state = 0x5EED_u64;
    let mut choose = |of: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 20).unwrap() % of
    };
    for sequence in 0..sequences {
        pair.begin_anew(rules);
        for place in 0..50 {
            let nexus = choose(3);
            let letter = match (choose(2), pair.model.nexuses[nexus].place) {
                (0, Asked) => KeyExchangeIn,
                (0, Answered) => AuthenticationOut,
                (0, Claimed) => AuthenticationIn,
                (0, _) => [KeyExchangeOut, Open][choose(2)],
                _ => match LETTERS[choose(LETTERS.len())] {
                    Tick(_) => Tick([1, 20_000, 59_990, 59_999, 60_000, 90_000][choose(6)]),
                    other => other,
                },
            };
            let why = |difference| format!("sequence {sequence} at {place}, nexus {nexus}, {letter:?}: {difference}");
            pair.step(nexus, letter).map_err(why)?;
        }
    }
    Ok(())
}

#[test]
fn long_random_sequences_on_three_nexuses() {
    run_long(&mut Pair::new(), RULES, 1000).unwrap();
}

/// A model that is wrong in one rule differs from the device server.
#[test]
fn a_wrong_model_is_caught() {
    let wrong = [
        Rules { sense_prolongs: false, ..RULES },
        Rules { delete_forgets: false, ..RULES },
        Rules { bad_delete_ends: false, ..RULES },
        Rules { wrong_ends: false, ..RULES },
        Rules { corrupt_ends: true, ..RULES },
        Rules { busy_elsewhere: false, ..RULES },
        Rules { window_from_out: false, ..RULES },
        Rules { loss_removes: true, ..RULES },
    ];
    let mut pair = Pair::new();
    for rules in wrong {
        assert!(run_long(&mut pair, rules, 300).is_err(), "{rules:?}");
    }
}
