//! This crate's work beside other implementations', and beside the sum of the cryptography in it.
//!
//! A machine drifts: its clock, its neighbours, its caches. So candidates that are compared run in turn, a batch of some milliseconds
//! each, round after round in one process, by the CPU time of the thread. A time is the median of the rounds; a ratio is the median of
//! the rounds' ratios, whose two batches ran one after the other.
//!
//! Every result is a line of comma-separated values on the standard output; `benches/report` makes tables of them.
#![allow(dead_code, reason = "modules of the examples are used in part")]

mod allocations;
mod aws;
mod bare;
mod exchange;
mod exchanges;
mod harness;
mod openssl_bn;
mod parse;
mod primitives;

#[path = "../../../examples/shim/credentials.rs"]
mod credentials;
#[path = "../../../examples/create_sa/demonstration.rs"]
mod demonstration;
#[path = "../../../examples/shim/hex.rs"]
mod hex;
#[path = "../../../examples/shim/member.rs"]
mod member;
#[path = "../../../examples/create_sa/provider.rs"]
mod provider;
#[path = "../../../examples/create_sa/suite.rs"]
mod suite;

use harness::Effort;

#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;

const HELP: &str = "\
Usage: anchors [--test] [--only TEXT] [parse] [exchanges] [primitives]

Without names of parts all of them run. `--test` runs everything once, to see that it works; `--only` leaves out exchanges that do
not have the text in their name.";

fn main() {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let only = arguments.iter().position(|argument| argument == "--only").map_or(String::new(), |at| {
        let taken: Vec<String> = arguments.drain(at..(at + 2).min(arguments.len())).collect();
        taken.last().cloned().unwrap_or_default()
    });
    let is_test = arguments.iter().any(|argument| argument == "--test");
    let effort = if is_test { Effort::Once } else { Effort::Full };
    let parts: Vec<&str> = arguments.iter().map(String::as_str).filter(|argument| *argument != "--test").collect();
    let known = ["parse", "exchanges", "primitives"];
    if parts.iter().any(|part| !known.contains(part)) {
        eprintln!("{HELP}");
        std::process::exit(2);
    }
    let wanted = |part| parts.is_empty() || parts.contains(&part);
    println!("version,OpenSSL,{}", openssl::version::version());
    println!("version,AWS-LC,{}", aws::version());
    if wanted("parse") {
        parse::run(effort);
    }
    if wanted("exchanges") {
        exchanges::run(effort, &only);
    }
    if wanted("primitives") {
        primitives::run(effort);
    }
}
