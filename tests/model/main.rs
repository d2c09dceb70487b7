//! The device server against a model of its turns: every order of commands up to a length, on one nexus and on two, and long
//! random ones on three. The model is plain data and knows nothing of the library (`model.rs`).
//!
//! A server cannot be copied, so each sequence is run from its beginning, after a reset; none is left out because another one
//! came to the same place. Every command's status, sense data and Data-In, the live associations and the next deadline are
//! those of the model.
#![cfg(all(feature = "client", feature = "rustcrypto"))]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a test may panic, and prints what it counted"
)]

mod bench;
mod cdbs;
#[path = "../support/cheap.rs"]
mod cheap;
mod model;

use std::sync::Arc;

use bench::{Bench, Messages};
use cdbs::BAD_CDBS;
use model::{Command, Place, Rules, TURNS, Turn};

const RULES: Rules = Rules {
    turns: TURNS,
    failures: 3,
    protocol_timeout: 60_000,
    inactivity_timeout: 200_000,
    repeating_restarts: false,
    loss_removes: false,
};

/// Beyond the protocol timeout.
const TICK: Command = Command::Tick(60_001);

type Letter = (usize, Command);

/// Counts of the cells of the table that were asked.
type Asked = [[u64; 6]; 7];

/// Everything that one nexus can do.
const ALL: [Command; 17] = [
    Command::KeyExchangeOut,
    Command::OpenKeyExchangeOut,
    Command::KeyExchangeIn,
    Command::AuthenticationOut,
    Command::WrongAuthenticationOut,
    Command::AuthenticationIn,
    Command::DeleteOwn,
    TICK,
    Command::ForeignAuthenticationOut,
    Command::DeleteOthers,
    Command::NexusLoss,
    Command::CorruptDeleteOwn,
    Command::DeleteGone,
    Command::BadKeyExchangeOut,
    Command::Capabilities,
    // One letter stands for every CDB that nobody serves: which of them it is goes round.
    Command::BadCdb(0),
    Command::Reset,
];

/// Sequences to run: each beginning, and after it all sequences of so many letters.
struct Plan {
    beginnings: Vec<Vec<Letter>>,
    letters: Vec<Letter>,
    length: u32,
}

impl Plan {
    fn on(nexuses: usize, commands: &[Command], length: u32) -> Self {
        let letters = (0..nexuses).flat_map(|nexus| commands.iter().map(move |command| (nexus, *command)));
        Self { beginnings: vec![Vec::new()], letters: letters.collect(), length }
    }

    fn total(&self) -> usize {
        self.beginnings.len() * self.letters.len().pow(self.length)
    }

    fn sequence(&self, number: usize) -> impl Iterator<Item = Letter> + '_ {
        let mut digits = number / self.beginnings.len();
        let varying = (0..self.length as usize).map(move |place| {
            let (nexus, command) = self.letters[digits % self.letters.len()];
            digits /= self.letters.len();
            match command {
                Command::BadCdb(_) => (nexus, Command::BadCdb((number / 7 + place) % BAD_CDBS.len())),
                _ => (nexus, command),
            }
        });
        self.beginnings[number % self.beginnings.len()].iter().copied().chain(varying)
    }

    /// Runs the sequences whose number leaves the remainder `share` when divided by `shares`.
    fn run_share(&self, messages: &Arc<Messages>, share: usize, shares: usize) -> (usize, Asked) {
        let mut bench = Bench::new(messages, RULES);
        let mut sequences = 0;
        for number in (share..self.total()).step_by(shares) {
            bench.begin_anew(RULES);
            for (nexus, command) in self.sequence(number) {
                if let Err(difference) = bench.step(nexus, command) {
                    let whole: Vec<_> = self.sequence(number).collect();
                    panic!("{whole:?}: nexus {nexus}, {command:?}: {difference}");
                }
            }
            sequences += 1;
        }
        (sequences, bench.model.asked)
    }

    /// Runs all sequences; those of varying letters have all the shorter ones as their beginnings.
    fn run(&self, name: &str) -> Asked {
        let longest = self.beginnings.iter().map(Vec::len).max().unwrap();
        let messages = Messages::new(longest + self.length as usize);
        let shares = std::thread::available_parallelism().map_or(1, usize::from);
        let (mut sequences, mut asked) = (0, [[0; 6]; 7]);
        std::thread::scope(|scope| {
            let run = |share| {
                let messages = &messages;
                scope.spawn(move || self.run_share(messages, share, shares))
            };
            let threads: Vec<_> = (0..shares).map(run).collect();
            for thread in threads {
                let (run, more) = thread.join().unwrap();
                sequences += run;
                asked.iter_mut().flatten().zip(more.iter().flatten()).for_each(|(cell, more)| *cell += more);
            }
        });
        assert_eq!(sequences, self.total());
        println!("{name}: {sequences} sequences; cells asked: {asked:?}");
        asked
    }
}

#[test]
fn every_order_of_six_commands_on_one_nexus() {
    let plan = Plan::on(1, &ALL[..8], 6);
    assert_eq!(plan.total(), 262_144);
    plan.run("six commands of eight on one nexus");
}

#[test]
fn every_order_of_four_commands_of_all_on_one_nexus() {
    let plan = Plan::on(1, &ALL, 4);
    assert_eq!(plan.total(), 83_521);
    plan.run("four commands of seventeen on one nexus");
}

#[test]
fn every_interleaving_of_four_commands_on_two_nexuses() {
    let plan = Plan::on(2, &ALL[..10], 4);
    assert_eq!(plan.total(), 160_000);
    plan.run("four commands of ten on two nexuses");
}

/// From wherever two nexuses can be, with an association of a third one, any two commands of either.
#[test]
fn every_two_commands_from_every_pair_of_places() {
    let honest =
        [Command::KeyExchangeOut, Command::KeyExchangeIn, Command::AuthenticationOut, Command::AuthenticationIn];
    let open = vec![Command::OpenKeyExchangeOut, Command::KeyExchangeIn];
    let mut places: Vec<Vec<Command>> = (0..=honest.len()).map(|length| honest[..length].to_vec()).collect();
    places.push(open.clone());
    let mut plan = Plan::on(2, &ALL, 2);
    plan.beginnings.clear();
    for first in &places {
        for second in &places {
            // Without its sequence, whose timer would be the next to run out and hide the others.
            let third = open.iter().chain([&Command::NexusLoss]).map(|command| (2, *command));
            let first = first.iter().map(|command| (0, *command));
            let second = second.iter().map(|command| (1, *command));
            plan.beginnings.push(third.chain(first).chain(second).collect());
        }
    }
    assert_eq!(plan.total(), 36 * 34 * 34);
    let asked = plan.run("two commands of seventeen on two nexuses from 36 beginnings");
    assert!(asked.iter().flatten().all(|count| *count > 0), "every cell of the table was asked");
}

/// Long sequences on three nexuses: what comes next in an exchange as often as anything else.
fn run_long(messages: &Arc<Messages>, rules: Rules, sequences: usize) -> Result<Asked, String> {
    let mut state = 0x5EED_u64;
    let mut choose = |of: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 20).unwrap() % of
    };
    let mut bench = Bench::new(messages, rules);
    for sequence in 0..sequences {
        bench.begin_anew(rules);
        for place in 0..LONG {
            let nexus = choose(3);
            let command = match (choose(2), bench.model.nexuses[nexus].place) {
                (0, Place::Asked) => Command::KeyExchangeIn,
                (0, Place::Answered) => [Command::AuthenticationOut, Command::WrongAuthenticationOut][choose(2)],
                (0, Place::Claimed) => Command::AuthenticationIn,
                (0, _) => [Command::KeyExchangeOut, Command::OpenKeyExchangeOut][choose(2)],
                _ => match ALL[choose(ALL.len())] {
                    Command::Tick(_) => Command::Tick([1, 999, 20_000, 59_999, 60_000, 60_001, 140_000][choose(7)]),
                    Command::BadCdb(_) => Command::BadCdb(choose(BAD_CDBS.len())),
                    // A reset now and then leaves something to be reset.
                    Command::Reset if choose(4) > 0 => Command::WrongAuthenticationOut,
                    other => other,
                },
            };
            let why = |difference| format!("sequence {sequence} at {place}, nexus {nexus}, {command:?}: {difference}");
            bench.step(nexus, command).map_err(why)?;
        }
    }
    Ok(bench.model.asked)
}

/// Commands of a long sequence.
const LONG: usize = 60;

#[test]
fn long_random_sequences_on_three_nexuses() {
    let asked = run_long(&Messages::new(LONG), RULES, 2000).unwrap();
    println!("2000 sequences of {LONG} commands on three nexuses; cells asked: {asked:?}");
    assert!(asked.iter().flatten().all(|count| *count > 0), "every cell of the table was asked");
}

/// A model that is wrong anywhere differs from the device server: each cell of the table, made each other thing, and each
/// other rule.
#[test]
fn a_wrong_model_is_caught() {
    let messages = Messages::new(LONG);
    let mut wrong = vec![
        ("failures", Rules { failures: 2, ..RULES }),
        ("failures", Rules { failures: 4, ..RULES }),
        ("protocol timeout", Rules { protocol_timeout: 60_001, ..RULES }),
        ("inactivity timeout", Rules { inactivity_timeout: 199_999, ..RULES }),
        ("repetition", Rules { repeating_restarts: true, ..RULES }),
        ("nexus loss", Rules { loss_removes: true, ..RULES }),
    ];
    for (row, cells) in TURNS.iter().enumerate() {
        for (column, right) in cells.iter().enumerate() {
            for turn in [Turn::Go, Turn::Same, Turn::Busy, Turn::Sequence, Turn::Value] {
                let mut rules = RULES;
                rules.turns[row][column] = turn;
                if turn != *right {
                    wrong.push(("turn", rules));
                }
            }
        }
    }
    assert_eq!(wrong.len(), 6 + 42 * 4);
    for (what, rules) in &wrong {
        assert!(run_long(&messages, *rules, 300).is_err(), "{what}: {rules:?}");
    }
    println!("{} wrong models caught", wrong.len());
}
