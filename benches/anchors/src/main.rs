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
mod message;
mod openssl_bn;
mod parse;
mod primitives;
mod tables;

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
       anchors tables LINES README
       anchors check LINES

Without names of parts all of them run. `--test` runs everything once, to see that it works; `--only` leaves out exchanges that do
not have the text in their name. `tables` writes the tables of a run's lines into a document, `check` compares them with the targets.";

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// `tables` and `check`; false if the arguments ask for neither.
fn evaluate(arguments: &[String]) -> bool {
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["tables", lines, document] => {
            let tables = tables::Lines::read(&read(lines)).tables();
            let text = tables::replaced(&read(document), &tables).expect("the document has no marks for the tables");
            std::fs::write(document, text).unwrap_or_else(|error| panic!("{document}: {error}"));
            true
        }
        ["check", lines] => {
            let targets = tables::Lines::read(&read(lines)).targets();
            for (is_met, target) in &targets {
                println!("{} {target}", if *is_met { "met   " } else { "MISSED" });
            }
            if targets.iter().any(|(is_met, _)| !is_met) {
                std::process::exit(1);
            }
            true
        }
        _ => false,
    }
}

fn main() {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    if evaluate(&arguments) {
        return;
    }
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
