//! Times of operations for two classes of secrets: one fixed, chosen to differ from others as much as it can, and random ones.
//!
//! Both classes are mixed at random, use the same buffers, and prepare their inputs before the clock starts. A difference shows
//! in Welch's t, which grows with the square root of the number of measurements where there is one. No difference found is no
//! proof; a difference found is one.

mod auth;
mod subjects;
mod welch;

use std::hint::black_box;
use std::time::{Duration, Instant};

use welch::{Sample, greatest_t};

/// |t| from which the times of the classes differ. Tables of the t-distribution say 4.5; other work on the machine, which is
/// not independent from measurement to measurement, and several crops ask for more.
const THRESHOLD: f64 = 10.0;
/// How often an operation that seems to leak is measured: other work on the machine may favour one class once.
const TRIES: usize = 3;
/// Measurements that come before those that count: caches, clocks.
const WARM_UP: usize = 50;
/// Measurements that there are at least, however slow an operation is.
const FEWEST: usize = 1000;

/// What is done with a secret; the answer keeps the compiler from leaving it out.
type Work = Box<dyn FnMut(&[u8]) -> bool>;

/// An operation to be measured.
pub struct Subject {
    name: String,
    leaks: bool,
    /// The secret of the fixed class; random ones are as long.
    fixed: Vec<u8>,
    /// Makes a random secret one that the operation takes.
    fit: fn(&mut [u8]),
    work: Work,
}

/// A random generator for inputs (xorshift).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn fill(&mut self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            let bytes = self.next().to_be_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
    }
}

fn measure(subject: &mut Subject, for_time: Duration, noise: &mut Noise) -> Vec<Sample> {
    let (mut random, mut input) = (vec![0; subject.fixed.len()], vec![0; subject.fixed.len()]);
    let mut samples = Vec::new();
    let started = Instant::now();
    while started.elapsed() < for_time || samples.len() < FEWEST + WARM_UP {
        noise.fill(&mut random);
        (subject.fit)(&mut random);
        // No branch on the class comes before the clock starts: its prediction would be part of what is measured.
        let class = noise.next().to_be_bytes()[0] & 1;
        let mask = black_box(class.wrapping_neg());
        for ((to, random), fixed) in input.iter_mut().zip(&random).zip(&subject.fixed) {
            *to = (random & mask) | (fixed & !mask);
        }
        let secret = black_box(input.as_slice());
        let before = Instant::now();
        black_box((subject.work)(secret));
        let time = before.elapsed().as_nanos();
        samples.push((class == 1, u64::try_from(time).unwrap_or(u64::MAX)));
    }
    samples.split_off(WARM_UP)
}

struct Row {
    name: String,
    leaks: bool,
    measurements: usize,
    tries: usize,
    t: f64,
}

impl Row {
    fn of(mut subject: Subject, for_time: Duration, noise: &mut Noise) -> Self {
        let (mut tries, mut t, mut measurements) = (0, f64::INFINITY, 0);
        while tries < TRIES && (tries == 0 || (!subject.leaks && t >= THRESHOLD)) {
            let samples = measure(&mut subject, for_time, noise);
            (tries, measurements, t) = (tries + 1, samples.len(), greatest_t(&samples));
        }
        Self { name: subject.name, leaks: subject.leaks, measurements, tries, t }
    }

    fn is_as_expected(&self) -> bool {
        self.leaks == (self.t >= THRESHOLD)
    }

    fn verdict(&self) -> &'static str {
        match (self.leaks, self.t >= THRESHOLD) {
            (false, false) => "even",
            (false, true) => "LEAK",
            (true, true) => "leak found",
            (true, false) => "LEAK MISSED",
        }
    }
}

/// Measures everything in about so many seconds, one group of each kind or all; tells whether all was as it should be.
pub fn run(seconds: u32, all_groups: bool) -> bool {
    let subjects = subjects::all(all_groups);
    let for_time = Duration::from_secs(seconds.into()) / u32::try_from(subjects.len()).unwrap_or(1);
    let mut noise = Noise(0x9E37_79B9_7F4A_7C15);
    println!("{:<62} {:<11} {:>9} {:>5} {:>9}", "operation", "verdict", "measured", "tries", "|t|");
    let mut rows = Vec::new();
    for subject in subjects {
        let row = Row::of(subject, for_time, &mut noise);
        let Row { name, measurements, tries, t, .. } = &row;
        println!("{name:<62} {:<11} {measurements:>9} {tries:>5} {t:>9.1}", row.verdict());
        rows.push(row);
    }
    for row in &rows {
        println!("ct,{},statistics,{}", row.name, row.verdict());
    }
    rows.iter().all(Row::is_as_expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(leaks: bool, t: f64) -> (bool, &'static str) {
        let row = Row { name: String::new(), leaks, measurements: 1000, tries: 1, t };
        (row.is_as_expected(), row.verdict())
    }

    #[test]
    fn a_leak_that_is_not_found_fails_as_one_that_is() {
        assert_eq!(row(false, 9.0), (true, "even"));
        assert_eq!(row(false, 11.0), (false, "LEAK"));
        assert_eq!(row(true, 11.0), (true, "leak found"));
        assert_eq!(row(true, 9.0), (false, "LEAK MISSED"));
    }

    /// Both classes occur, and warming up is left out.
    #[test]
    fn both_classes_are_measured() {
        let work = Box::new(|secret: &[u8]| secret[0] == 0);
        let mut subject = Subject { name: String::new(), leaks: false, fixed: vec![0; 4], fit: |_| (), work };
        let samples = measure(&mut subject, Duration::ZERO, &mut Noise(1));
        let random = samples.iter().filter(|(is_random, _)| *is_random).count();
        assert_eq!(samples.len(), FEWEST);
        assert!((400..600).contains(&random), "{random}");
    }
}
