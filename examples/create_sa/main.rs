//! Creates a security association from the first CDB to the last, shows every command, compares what both sides have,
//! and deletes it.
//!
//! A device server and an application client run in this one process; between them go CDBs, parameter data and statuses,
//! and nothing else. An embedder puts its transport there.

#[path = "../shim/association.rs"]
mod association;
mod capture;
#[path = "../shim/credentials.rs"]
mod credentials;
mod demonstration;
mod dissect;
#[allow(dead_code, reason = "the test bench reads bytes too")]
#[path = "../shim/hex.rs"]
mod hex;
#[allow(dead_code, reason = "the test bench reads more")]
#[path = "../shim/member.rs"]
mod member;
mod output;
mod pair;
mod provider;
mod report;
mod suite;

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use ikev2_scsi::Profile;
use ikev2_scsi::client::Step as ClientStep;
use ikev2_scsi::keys::SaParameters;

use output::{Failure, Output, end};
use pair::{Pair, Step};
use provider::Provider;
use suite::Suite;

const HELP: &str = "\
Creates an IKEv2-SCSI security association, shows every command, and deletes it.

Usage: create_sa [OPTIONS]

  --dialect NAME  speak `r3`, as without it, or `spc4`
  --list          name the suites of the dialect
  --suite NAME    take another suite than the first one
  --provider NAME whose cryptography both have: `rustcrypto`, as without it, or `aws-lc-rs`
  --hex           show the bytes of CDBs and parameter data too
  --quiet         show the last two lines only
  --capture FILE  write the exchange with its keys to FILE, as JSON
  --help          show this";

/// What is to be done.
struct Options {
    action: Action,
    profile: Profile,
    suite: &'static Suite,
    provider: Provider,
    with_bytes: bool,
    is_quiet: bool,
    capture: Option<PathBuf>,
}

#[derive(PartialEq, Eq)]
enum Action {
    Create,
    List,
    Help,
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = OsString>) -> Result<Self, Failure> {
        let mut options = Self {
            action: Action::Create,
            profile: Profile::R3,
            suite: Suite::standard(Profile::R3),
            provider: Provider::RustCrypto,
            with_bytes: false,
            is_quiet: false,
            capture: None,
        };
        let mut named = None;
        while let Some(argument) = arguments.next() {
            let mut value = |what: &str| {
                let usage = || Failure::Usage(format!("{} needs {what}", argument.to_string_lossy()));
                arguments.next().ok_or_else(usage)
            };
            match argument.to_str() {
                Some("--help") => options.action = Action::Help,
                Some("--list") if options.action == Action::Create => options.action = Action::List,
                Some("--list") => {}
                Some("--suite") => {
                    named = Some(value("the name of a suite")?);
                }
                Some("--dialect") => {
                    let name = value("`r3` or `spc4`")?;
                    options.profile = match name.to_str() {
                        Some("r3") => Profile::R3,
                        Some("spc4") => Profile::SPC4,
                        _ => return Err(Failure::Usage(format!("no dialect {name:?}: `r3` or `spc4`"))),
                    };
                }
                Some("--provider") => {
                    let name = value("`rustcrypto` or `aws-lc-rs`")?;
                    options.provider = Provider::find(&name.to_string_lossy()).map_err(Failure::Usage)?;
                }
                Some("--hex") => options.with_bytes = true,
                Some("--quiet") => options.is_quiet = true,
                Some("--capture") => options.capture = Some(value("the name of a file")?.into()),
                _ => return Err(Failure::Usage(format!("what is {argument:?}"))),
            }
        }
        options.suite = match named {
            None => Suite::standard(options.profile),
            Some(name) => {
                let found = name.to_str().and_then(|name| Suite::find(options.profile, name));
                found.ok_or_else(|| Failure::Usage(format!("no suite {name:?}: --list names them")))?
            }
        };
        Ok(options)
    }
}

/// Where the lines of an exchange go.
struct Narrator<'a> {
    output: &'a mut Output,
    options: &'a Options,
}

impl Narrator<'_> {
    fn step(&mut self, pair: &Pair, step: &Step) -> Result<(), Failure> {
        let number = pair.steps.len().saturating_add(1);
        self.details(&report::step(number, step, pair.suite.profile, &pair.keyring(), self.options.with_bytes))
    }

    fn details(&mut self, text: &str) -> Result<(), Failure> {
        if self.options.is_quiet { Ok(()) } else { self.output.lines(text) }
    }
}

fn main() -> ExitCode {
    let mut output = Output::default();
    end("create_sa", Options::read(env::args_os().skip(1)).and_then(|options| run(&options, &mut output)))
}

fn run(options: &Options, output: &mut Output) -> Result<(), Failure> {
    match options.action {
        Action::Help => output.lines(HELP),
        Action::List => Suite::all(options.profile)
            .try_for_each(|suite| output.lines(&format!("{:<32}{}", suite.name, suite.description()))),
        Action::Create => create(&mut Narrator { output, options }),
    }
}

fn create(narrator: &mut Narrator<'_>) -> Result<(), Failure> {
    let suite = narrator.options.suite;
    narrator.details(&format!("Suite {}: {}\n", suite.name, suite.description()))?;
    narrator.details(&format!("Cryptography of both: {}\n", narrator.options.provider.name()))?;
    let mut pair = Pair::new(suite, narrator.options.provider)?;
    if suite.is_abandoned {
        return give_up(&mut pair, narrator);
    }
    let parameters = pair.establish(|pair, step| narrator.step(pair, step))?;
    let sa = compare(&pair, &parameters, narrator)?;
    let created = format!(
        "SA created: AC_SAI {}, DS_SAI {}, the same parameters on both sides",
        association::sai(&parameters, parameters.ac_sai),
        association::sai(&parameters, parameters.ds_sai)
    );
    remove(&mut pair, parameters, narrator)?;
    if let Some(path) = &narrator.options.capture {
        capture::write(path, &pair, Some(&sa))?;
    }
    narrator.output.lines(&created)?;
    narrator.output.lines("SA deleted: the device server has none left")
}

/// A sequence that is given up before its authentication: nothing is left of it.
fn give_up(pair: &mut Pair, narrator: &mut Narrator<'_>) -> Result<(), Failure> {
    let given_up: Result<_, Failure> = pair.establish(|pair, step| narrator.step(pair, step));
    let last = pair.steps.last().ok_or("nothing was sent")?;
    if given_up.is_ok() || last.sense.is_some() || last.name != ClientStep::Delete.name() {
        return Err("the sequence was not given up by a Delete".into());
    }
    if pair.count_sas() > 0 || !pair.is_idle() {
        return Err("the device server has something left of the sequence".into());
    }
    if let Some(path) = &narrator.options.capture {
        capture::write(path, pair, None)?;
    }
    narrator.output.lines("Sequence given up before the authentication, by a Delete")?;
    narrator.output.lines("Nothing created: the device server has neither a sequence nor an SA")
}

/// Shows and compares what both sides have; gives the device server's association for a capture.
fn compare(pair: &Pair, parameters: &SaParameters, narrator: &mut Narrator<'_>) -> Result<serde_json::Value, Failure> {
    let sa = pair.server_sa(parameters).ok_or("the device server has no such association")?;
    narrator.details(&report::parameters("application client", parameters)?)?;
    narrator.details(&report::parameters("device server", &sa.parameters)?)?;
    if sa.parameters != *parameters {
        return Err("the SA parameters of both sides differ".into());
    }
    let peer = match &sa.application_client {
        Some(client) => format!("The device server knows its peer as {}.", report::identity(&client.identity)),
        None => "Neither side knows who the other one is.".into(),
    };
    narrator.details(&format!("The SA parameters of both sides agree. {peer}\n"))?;
    Ok(association::to_json(&sa.parameters))
}

/// Deletes the association, and shows by the same Delete once more that it is gone.
fn remove(pair: &mut Pair, parameters: SaParameters, narrator: &mut Narrator<'_>) -> Result<(), Failure> {
    let command = pair.make_delete(parameters)?;
    for is_first in [true, false] {
        if !is_first {
            narrator.details("The same Delete again, which finds nothing to delete:\n")?;
        }
        let step = pair.send(ClientStep::Delete, &command)?;
        narrator.step(pair, &step)?;
        match step.sense {
            Some(sense) if is_first => return Err(format!("delete: refused by the device server: {sense}").into()),
            None if !is_first => return Err("the association was deleted twice".into()),
            _ => {}
        }
        pair.steps.push(step);
    }
    match pair.count_sas() {
        0 => Ok(()),
        count => Err(format!("the device server has {count} associations left").into()),
    }
}
