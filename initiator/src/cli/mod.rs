//! The program `ikev2-scsi-initiator`, with everything that it touches as an argument.

mod arguments;
mod describe;

use std::error::Error as StdError;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use ikev2_scsi::Profile;
use ikev2_scsi::client::{ClientConfig, DeviceCapabilities};
use ikev2_scsi::crypto::Identity;
use ikev2_scsi::provider;
use ikev2_scsi_provisioning::{Provisioning, SystemRandom};
use serde_json::{Map, Value, json};

use crate::bench::{Summary, create_and_delete};
use crate::error::Error;
use crate::exchange::{Exchanges, Patience};
use crate::key_log::KeyLogFile;
use crate::open::Options;
use crate::progress::Progress;
use crate::saved::{Reserved, Saved};
use crate::sense::{Named, key_name};
use crate::target::Target;
use crate::transport::{Transport, TransportError};
use arguments::{Action, Arguments, HELP};
use describe::Facts;

/// How a target becomes a transport.
pub type Open<'a> = &'a mut dyn FnMut(Target, &Options) -> Result<Box<dyn Transport>, TransportError>;

/// What the program touches.
pub struct Surroundings<'a> {
    /// Standard output.
    pub out: &'a mut dyn Write,
    /// Standard error.
    pub err: &'a mut dyn Write,
    /// Whether standard error is a terminal.
    pub err_is_terminal: bool,
    /// [`crate::open`], or what a test has in its place.
    pub open: Open<'a>,
}

impl std::fmt::Debug for Surroundings<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Surroundings").field("err_is_terminal", &self.err_is_terminal).finish_non_exhaustive()
    }
}

type Failure = Box<dyn StdError>;

/// Runs a command line, without the program's name. The result is the exit status.
pub fn run(arguments: impl IntoIterator<Item = String>, around: &mut Surroundings<'_>) -> u8 {
    let arguments = match Arguments::read(arguments) {
        Ok(arguments) => arguments,
        Err(usage) => {
            // Nobody is left to be told that this failed.
            let _ = writeln!(around.err, "ikev2-scsi-initiator: {usage}\nTry ikev2-scsi-initiator --help.");
            return 2;
        }
    };
    match act(&arguments, around) {
        Ok(()) => 0,
        Err(failure) => {
            let _ = writeln!(around.err, "ikev2-scsi-initiator: {failure}");
            if arguments.is_json {
                let _ = writeln!(around.out, "{}", failure_json(failure.as_ref()));
            }
            1
        }
    }
}

/// A failure for programs.
fn failure_json(failure: &(dyn StdError + 'static)) -> Value {
    let mut object = Map::new();
    object.insert("error".into(), failure.to_string().into());
    if let Some(error) = failure.downcast_ref::<Error>() {
        object.insert("step".into(), error.step.name().into());
        if let Some(sense) = error.sense() {
            let named = Named { sense, dialect: Some(error.dialect) };
            let sense = json!({
                "key": sense.key,
                "key_name": key_name(sense.key),
                "asc": sense.asc.code,
                "ascq": sense.asc.qualifier,
                "name": named.asc_name(),
                "text": named.to_string(),
            });
            object.insert("sense".into(), sense);
        }
    }
    Value::Object(object)
}

fn act(arguments: &Arguments, around: &mut Surroundings<'_>) -> Result<(), Failure> {
    match &arguments.action {
        Action::Help => Ok(around.out.write_all(HELP.as_bytes())?),
        Action::Version => Ok(writeln!(around.out, "ikev2-scsi-initiator {}", env!("CARGO_PKG_VERSION"))?),
        Action::Capabilities(target) => capabilities(arguments, target, around),
        Action::Create { target, save, delete } => create(arguments, target, save.as_deref(), *delete, around),
        Action::Show(file) => {
            let facts = describe::saved(&Saved::load(file)?, arguments.show_secrets);
            Ok(tell(arguments, around.out, "Security association", facts)?)
        }
        Action::Delete { target, file } => delete(arguments, target.as_ref(), file, around),
        Action::Bench { target, count } => bench(arguments, target, *count, around),
    }
}

fn tell(arguments: &Arguments, out: &mut dyn Write, title: &str, facts: Facts) -> io::Result<()> {
    if arguments.is_json {
        writeln!(out, "{}", Value::Object(facts.json()))
    } else {
        write!(out, "{title}\n{}", facts.text())
    }
}

impl Arguments {
    fn patience(&self) -> Patience {
        Patience { not_ready: self.patience, ..Patience::default() }
    }

    fn open(&self, target: &Target, around: &mut Surroundings<'_>) -> Result<Box<dyn Transport>, TransportError> {
        (around.open)(target.again(), &self.options)
    }

    /// The provisioning file, if one is named.
    fn provisioning(&self) -> Result<Option<Provisioning>, Failure> {
        let Some(path) = &self.provisioning else { return Ok(None) };
        let read = Provisioning::load(path);
        Ok(Some(read.map_err(|error| format!("{}: {error}", path.display()))?))
    }

    /// Who we are, and how associations are made.
    fn client(&self) -> Result<(Identity, Arc<ClientConfig>), Failure> {
        let provisioning = self.provisioning()?.ok_or("--provisioning FILE is needed")?;
        let mut builder = provisioning.application_client(provider::provider())?;
        if let Some(profile) = self.profile {
            builder = builder.profile(profile);
        }
        if let Some(path) = &self.key_log {
            let log = KeyLogFile::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
            builder = builder.key_log(Arc::new(log));
        }
        let identity = provisioning.identity().clone();
        Ok((identity, Arc::new(builder.build()?)))
    }
}

fn capabilities(arguments: &Arguments, target: &Target, around: &mut Surroundings<'_>) -> Result<(), Failure> {
    let provisioned = arguments.provisioning()?.map(|provisioning| provisioning.profile());
    let said = arguments.profile.or(provisioned);
    let mut transport = arguments.open(target, around)?;
    let profile = said.unwrap_or(Profile::R3);
    let bytes = {
        let mut progress =
            Progress::new(&mut *around.err, around.err_is_terminal, arguments.is_verbose, profile.dialect);
        let mut exchanges = Exchanges::new(transport.as_mut(), profile, arguments.patience(), &mut progress);
        exchanges.capabilities()?
    };
    // The two dialects have the number of descriptors at different places, so that each refuses the other's.
    let candidates = said.map_or(vec![Profile::R3, Profile::SPC4], |profile| vec![profile]);
    let read = |profile: &Profile| DeviceCapabilities::parse(*profile, &bytes).map(|read| (*profile, read));
    let found = candidates.iter().find_map(|profile| read(profile).ok());
    let (profile, read) = match (found, candidates.first()) {
        (Some(found), _) => found,
        (None, Some(first)) => read(first)?,
        (None, None) => return Err("no dialect to read them in".into()),
    };
    let facts = describe::capabilities(profile, read.descriptors());
    Ok(tell(arguments, around.out, "SA creation capabilities", facts)?)
}

fn create(
    arguments: &Arguments,
    target: &Target,
    save: Option<&Path>,
    delete: bool,
    around: &mut Surroundings<'_>,
) -> Result<(), Failure> {
    let (own, config) = arguments.client()?;
    // Before anything is created that could not be kept.
    let reserved = save.map(Reserved::make).transpose()?;
    let mut transport = arguments.open(target, around)?;
    let profile = config.profile();
    let mut progress = Progress::new(&mut *around.err, around.err_is_terminal, arguments.is_verbose, profile.dialect);
    let mut exchanges = Exchanges::new(transport.as_mut(), profile, arguments.patience(), &mut progress);
    let created = exchanges.create(&config, None, &mut SystemRandom)?;
    let mut facts = describe::created(profile, &own, &created, arguments.show_secrets);
    let mut parameters = created.parameters;
    if let Some(reserved) = reserved {
        let peer = created.device_server.map(|peer| peer.identity);
        let saved = Saved::new(target.to_string(), profile, peer, parameters);
        if let Err(error) = reserved.write(&saved) {
            // What cannot be kept is not left behind.
            exchanges.delete(&config, saved.parameters, &mut SystemRandom)?;
            return Err(error.into());
        }
        parameters = saved.parameters;
    }
    if delete {
        let timing = exchanges.delete(&config, parameters, &mut SystemRandom)?;
        facts.deleted(timing);
    }
    let title = if delete { "Security association created and deleted" } else { "Security association created" };
    Ok(tell(arguments, around.out, title, facts)?)
}

fn delete(
    arguments: &Arguments,
    target: Option<&Target>,
    file: &Path,
    around: &mut Surroundings<'_>,
) -> Result<(), Failure> {
    let saved = Saved::load(file)?;
    let config = saved.deleting_config()?;
    let mut transport = match target {
        Some(target) => arguments.open(target, around)?,
        None => arguments.open(&saved.target.parse()?, around)?,
    };
    let profile = saved.profile;
    let id = (saved.parameters.ac_sai.0, saved.parameters.ds_sai.0);
    let timing = {
        let mut progress =
            Progress::new(&mut *around.err, around.err_is_terminal, arguments.is_verbose, profile.dialect);
        let mut exchanges = Exchanges::new(transport.as_mut(), profile, arguments.patience(), &mut progress);
        exchanges.delete(&config, saved.parameters, &mut SystemRandom)?
    };
    std::fs::remove_file(file).map_err(|error| format!("deleted, but {} is still there: {error}", file.display()))?;
    let facts = describe::deleted(profile, id, timing);
    Ok(tell(arguments, around.out, "Security association deleted", facts)?)
}

fn bench(arguments: &Arguments, target: &Target, count: usize, around: &mut Surroundings<'_>) -> Result<(), Failure> {
    let (_, config) = arguments.client()?;
    let mut transport = arguments.open(target, around)?;
    let rounds = create_and_delete(transport.as_mut(), &config, &mut SystemRandom, count)?;
    let summary = Summary::of(&rounds).ok_or("nothing was measured")?;
    Ok(tell(arguments, around.out, "Security associations created and deleted", describe::summary(&summary))?)
}

#[cfg(test)]
mod tests;
