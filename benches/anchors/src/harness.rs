//! The timing itself.

use std::hint::black_box;

use rustix::time::{ClockId, clock_gettime};

/// Rounds of a comparison: an odd number, which has a middle.
const ROUNDS: usize = 15;
/// Nanoseconds of one batch.
const BATCH: u64 = 15_000_000;

/// CPU time of this thread in nanoseconds.
fn now() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    u64::try_from(time.tv_sec).unwrap() * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap()
}

/// How much is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// Every candidate once: does it run?
    Once,
    /// All rounds.
    Full,
}

/// A piece of work with a name.
struct Candidate<'a> {
    name: String,
    /// Does the work so many times and gives the nanoseconds.
    batch: Box<dyn FnMut(u64) -> u64 + 'a>,
    iterations: u64,
    times: Vec<f64>,
}

/// Candidates that are compared with each other.
pub(crate) struct Comparison<'a> {
    effort: Effort,
    candidates: Vec<Candidate<'a>>,
}

/// What a candidate took.
#[derive(Clone)]
pub(crate) struct Time {
    pub(crate) name: String,
    /// Nanoseconds of each round.
    rounds: Vec<f64>,
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

impl Time {
    /// Nanoseconds, the median of the rounds.
    pub(crate) fn nanoseconds(&self) -> f64 {
        median(self.rounds.clone())
    }

    /// Times `other`, the median of the rounds.
    pub(crate) fn ratio(&self, other: &Self) -> f64 {
        median(self.rounds.iter().zip(&other.rounds).map(|(own, other)| own / other).collect())
    }
}

impl<'a> Comparison<'a> {
    pub(crate) fn new(effort: Effort) -> Self {
        Self { effort, candidates: Vec::new() }
    }

    /// Adds a candidate; what `work` gives counts as used.
    pub(crate) fn add<T>(&mut self, name: impl Into<String>, mut work: impl FnMut() -> T + 'a) {
        let batch = move |count| {
            let start = now();
            for _ in 0..count {
                black_box(work());
            }
            now() - start
        };
        self.candidates.push(Candidate { name: name.into(), batch: Box::new(batch), iterations: 1, times: Vec::new() });
    }

    /// Runs all candidates; their times are in the order in which they were added.
    pub(crate) fn run(mut self) -> Vec<Time> {
        if self.effort == Effort::Full {
            self.candidates.iter_mut().for_each(Candidate::calibrate);
        }
        for _ in 0..if self.effort == Effort::Full { ROUNDS } else { 1 } {
            for candidate in &mut self.candidates {
                let nanoseconds = (candidate.batch)(candidate.iterations);
                candidate.times.push(nanoseconds as f64 / candidate.iterations as f64);
            }
        }
        self.candidates.into_iter().map(|candidate| Time { name: candidate.name, rounds: candidate.times }).collect()
    }
}

impl Candidate<'_> {
    /// Finds how often the work fits into a batch, which also warms it up.
    fn calibrate(&mut self) {
        loop {
            let time = (self.batch)(self.iterations).max(1);
            if time >= BATCH / 4 {
                self.iterations = (self.iterations * BATCH / time).max(1);
                return;
            }
            self.iterations *= 4;
        }
    }
}
