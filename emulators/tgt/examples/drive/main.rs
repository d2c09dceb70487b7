//! Drives a logical unit of tgtd with the plugin: `check` tries everything that an initiator can do to it, `bench` counts security
//! associations. `emulators/tgt/check` and `emulators/tgt/bench` run it; it finds the logical unit in `$ISCSI_URL` and the
//! application client's provisioning file in `$CLIENT_PROVISIONING`.
#![allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test program may panic, and prints"
)]

mod attacks;
mod client;
mod iscsi;
mod rules;

use std::env;
use std::process::ExitCode;

use iscsi::{Result, Url};

/// What the checks work with.
pub(crate) struct Bench {
    pub(crate) url: Url,
    pub(crate) provisioning: String,
    pub(crate) is_spc4: bool,
}

impl Bench {
    fn from_environment() -> Result<Self> {
        let variable =
            |name: &str| env::var(name).map_err(|_| format!("{name} is not set: see emulators/tgt/run --once"));
        let url = variable("ISCSI_URL")?;
        let provisioning = variable("CLIENT_PROVISIONING")?;
        let is_spc4 = std::fs::read_to_string(&provisioning)?.contains("\nprofile = \"spc4\"");
        Ok(Self {
            url: Url::parse(&url).ok_or(format!("{url} is not iscsi://host:port/target/LUN"))?,
            provisioning,
            is_spc4,
        })
    }
}

/// Compares what was seen with what has to be.
pub(crate) fn same<T: PartialEq + std::fmt::Debug>(what: &str, seen: &T, wanted: &T) -> Result<()> {
    if seen == wanted { Ok(()) } else { Err(format!("{what}: {seen:02x?}, and not {wanted:02x?}").into()) }
}

/// A check: its name, and what it does.
pub(crate) type Check = (&'static str, fn(&Bench) -> Result<()>);

fn check(bench: &Bench) -> ExitCode {
    let mut failures = 0;
    for (name, check) in rules::CHECKS.iter().chain(attacks::CHECKS) {
        let begun = std::time::Instant::now();
        match check(bench) {
            Ok(()) => println!("ok    {name} ({} ms)", begun.elapsed().as_millis()),
            Err(why) => {
                failures += 1;
                println!("FAILS {name}: {why}");
            }
        }
    }
    println!("{} checks, {failures} failures", rules::CHECKS.len() + attacks::CHECKS.len());
    if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn main() -> ExitCode {
    let bench = match Bench::from_environment() {
        Ok(bench) => bench,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
    };
    match env::args().nth(1).as_deref() {
        Some("check") => check(&bench),
        _ => {
            eprintln!("usage: drive check|bench");
            ExitCode::from(2)
        }
    }
}
