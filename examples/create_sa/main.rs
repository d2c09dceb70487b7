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
mod report;
mod suite;

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use ikev2_scsi::client::Step as ClientStep;
use ikev2_scsi::keys::SaParameters;

use output::{Failure, Output, end};
use pair::{Pair, Step};
use suite::Suite;

const HELP: &str = "\
Creates an IKEv2-SCSI security association, shows every command, and deletes it.

Usage: create_sa [OPTIONS]

  --list          name the suites
  --suite NAME    take another suite than `mandatory`
  --hex           show the bytes of CDBs and parameter data too
  --quiet         show the last two lines only
  --capture FILE  write the exchange with its keys to FILE, as JSON
  --help          show this";

/// What is to be done.
struct Options {
    action: Action,
    suite: &'static Suite,
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
            suite: Suite::standard(),
            with_bytes: false,
            is_quiet: false,
            capture: None,
        };
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
                    let name = value("the name of a suite")?;
                    let found = name.to_str().and_then(Suite::find);
                    let usage = || Failure::Usage(format!("no suite {name:?}: --list names them"));
                    options.suite = found.ok_or_else(usage)?;
                }
                Some("--hex") => options.with_bytes = true,
                Some("--quiet") => options.is_quiet = true,
                Some("--capture") => options.capture = Some(value("the name of a file")?.into()),
                _ => return Err(Failure::Usage(format!("what is {argument:?}"))),
            }
        }
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
        self.details(&report::step(number, step, &pair.keyring(), self.options.with_bytes))
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
        Action::List => {
            Suite::all().try_for_each(|suite| output.lines(&format!("{:<32}{}", suite.name, suite.description())))
        }
        Action::Create => create(&mut Narrator { output, options }),
    }
}

fn create(narrator: &mut Narrator<'_>) -> Result<(), Failure> {
    let suite = narrator.options.suite;
    narrator.details(&format!("Suite {}: {}\n", suite.name, suite.description()))?;
    let mut pair = Pair::new(suite)?;
    let parameters = pair.establish(|pair, step| narrator.step(pair, step))?;
    let sa = compare(&pair, &parameters, narrator)?;
    let created = format!(
        "SA created: AC_SAI {}, DS_SAI {}, the same parameters on both sides",
        parameters.ac_sai, parameters.ds_sai
    );
    remove(&mut pair, parameters, narrator)?;
    if let Some(path) = &narrator.options.capture {
        let json = serde_json::to_string_pretty(&capture::to_json(&pair, &sa)?)?;
        capture::write(path, &(json + "\n"))?;
    }
    narrator.output.lines(&created)?;
    narrator.output.lines("SA deleted: the device server has none left")
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
