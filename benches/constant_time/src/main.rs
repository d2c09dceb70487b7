//! Whether secrets decide branches, addresses or times (`CONTRIBUTING.md`, "Constant time").
//!
//! `constant-time memory [GROUP..]` runs operations with their secrets marked as undefined, under valgrind's memcheck, which
//! reports each branch and each address that depends on one. `constant-time statistics SECONDS` measures them for
//! two classes of secrets and compares the times. Both run variants that leak beside the real ones, and fail when one of
//! those is not found. The script `check` runs both.

mod leaky;
mod memory;
mod pair;
mod statistics;
mod valgrind;
mod watch;

use std::env;
use std::process::ExitCode;

const USAGE: &str = "usage: constant-time memory [GROUP..] | statistics SECONDS [all-groups]";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let passed = match arguments[..] {
        ["memory", ref groups @ ..] => memory::run(groups),
        ["statistics", seconds, ref which @ ..]
            if let (Ok(seconds), [] | ["all-groups"]) = (seconds.parse(), which) =>
        {
            statistics::run(seconds, !which.is_empty())
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
