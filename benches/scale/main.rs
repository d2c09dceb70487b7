//! What each operation costs, however much a device server holds: up to 1 000 000 associations and 10 000 command sequences.
//!
//! It prints a table, and a line `scale,OPERATION,SIZE,VALUE` for each figure, for scripts. Values are nanoseconds of processor time
//! (of elapsed time where the system does not tell), medians of rounds in which the sizes take turns, so that a
//! machine's moods meet all sizes alike; or bytes, or associations per second, as the name says.
//!
//! The algorithms of the device server are those of `tests/support/cheap.rs`, which cost next to nothing: what is left is ours. Only the
//! part about calculations on other cores has real ones.
//!
//! `cargo bench --bench scale -- --test` shows with small sizes that it works.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a bench that goes wrong should stop where it does"
)]

#[path = "../../tests/support/cheap.rs"]
mod cheap;
mod farm;
mod memory;
mod offload;
mod sequences;
mod unit;

use std::alloc::System;
use std::collections::BTreeMap;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Bytes on the heap.
fn live() -> usize {
    let stats = HEAP.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

/// How much is measured.
struct Plan {
    /// Associations of one logical unit.
    sas: Vec<usize>,
    /// Associations of all logical units together, in the measurement that no cache can help.
    all: usize,
    /// Command sequences at a time.
    sequences: Vec<usize>,
    rounds: usize,
    /// Operations of a round.
    operations: usize,
    /// Associations made with real algorithms.
    offloaded: usize,
}

impl Plan {
    fn whole() -> Self {
        let sas = vec![1, 1000, 10_000, 100_000, 1_000_000];
        Self { sas, all: 1_000_000, sequences: vec![1, 1000, 10_000], rounds: 9, operations: 20_000, offloaded: 400 }
    }

    fn short() -> Self {
        let (sas, sequences) = (vec![1, 100, 1000], vec![1, 100]);
        Self { sas, all: 2000, sequences, rounds: 2, operations: 200, offloaded: 8 }
    }
}

/// A monotonic clock of this thread's processor time, in nanoseconds.
fn processor_time() -> u64 {
    // Linux brings its account up to date when a thread gives way.
    std::thread::yield_now();
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let spent = told.and_then(|told| told.split_whitespace().next()?.parse().ok());
    spent.unwrap_or_else(|| {
        static BEGUN: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
        let begun = BEGUN.get_or_init(std::time::Instant::now);
        u64::try_from(begun.elapsed().as_nanos()).unwrap()
    })
}

/// The nanoseconds that each of `count` operations takes.
#[expect(clippy::cast_precision_loss, reason = "a bench's figures are no longer than that")]
fn time(count: usize, work: impl FnOnce()) -> f64 {
    let before = processor_time();
    work();
    (processor_time() - before) as f64 / count.max(1) as f64
}

/// Figures by operation and size.
#[derive(Default)]
struct Table {
    /// Operations in the order of their first figures.
    names: Vec<String>,
    figures: BTreeMap<(String, usize), Vec<f64>>,
}

impl Table {
    fn add(&mut self, name: &str, size: usize, figure: f64) {
        if !self.names.iter().any(|known| known == name) {
            self.names.push(name.into());
        }
        self.figures.entry((name.into(), size)).or_default().push(figure);
    }

    fn median(&self, name: &str, size: usize) -> Option<f64> {
        let mut figures = self.figures.get(&(name.into(), size))?.clone();
        figures.sort_unstable_by(f64::total_cmp);
        figures.get(figures.len() / 2).copied()
    }

    /// Prints it; the last column is the largest figure from 1000 on over that at 1000.
    fn print(&self, title: &str, sizes: &[usize]) {
        println!("\n{title}");
        let heads: String = sizes.iter().map(|size| format!("{size:>11}")).collect();
        println!("{:<44}{heads}{:>9}", "", "growth");
        for name in &self.names {
            let row: Vec<Option<f64>> = sizes.iter().map(|size| self.median(name, *size)).collect();
            let cell = |figure: &Option<f64>| figure.map_or("          -".into(), |figure| format!("{figure:>11.0}"));
            let cells: String = row.iter().map(cell).collect();
            println!(
                "{name:<44}{cells}{:>9}",
                self.growth(name, sizes).map_or("-".into(), |growth| format!("{growth:.2}"))
            );
        }
        for name in &self.names {
            for size in sizes {
                if let Some(figure) = self.median(name, *size) {
                    println!("scale,{name},{size},{figure:.1}");
                }
            }
        }
    }

    fn growth(&self, name: &str, sizes: &[usize]) -> Option<f64> {
        let base = self.median(name, 1000)?;
        let large = sizes.iter().filter(|size| **size > 1000).filter_map(|size| self.median(name, *size));
        Some(large.max_by(f64::total_cmp)? / base)
    }
}

fn main() {
    let plan = if std::env::args().any(|argument| argument == "--test") { Plan::short() } else { Plan::whole() };
    memory::measure(&plan);
    farm::measure(&plan);
    sequences::measure(&plan);
    offload::measure(&plan);
}
