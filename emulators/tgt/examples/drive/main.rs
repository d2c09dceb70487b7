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
mod bench;
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

/// A check: its name, what it is for, and what it does.
pub(crate) type Check = (&'static str, For, fn(&Bench) -> Result<()>);

/// For which logical units a check is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum For {
    All,
    /// Not for tgtd's tapes, which have neither blocks by number nor reservations.
    Disks,
}

fn check(bench: &Bench) -> Result<bool> {
    let inquiry = rules::session(bench)?.command(&iscsi::Task::of(&[0x12, 0, 0, 0, 36, 0]).room(36))?;
    let is_disk = inquiry.data_in.first().is_some_and(|byte| byte & 31 == 0);
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for (name, whom, check) in rules::CHECKS.iter().chain(attacks::CHECKS) {
        if *whom == For::Disks && !is_disk {
            skipped += 1;
            println!("skip  {name}: for disks");
            continue;
        }
        let begun = std::time::Instant::now();
        match check(bench) {
            Ok(()) => {
                passed += 1;
                println!("ok    {name} ({} ms)", begun.elapsed().as_millis());
            }
            Err(why) => {
                failed += 1;
                println!("FAILS {name}: {why}");
            }
        }
    }
    println!("{passed} checks passed, {failed} failed, {skipped} skipped");
    Ok(failed == 0)
}

fn main() -> ExitCode {
    let bench = match Bench::from_environment() {
        Ok(bench) => bench,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
    };
    let result = match env::args().nth(1).as_deref() {
        Some("check") => check(&bench),
        Some("bench") => bench::measure(&bench).map(|()| true),
        _ => Err("usage: drive check|bench".into()),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}
