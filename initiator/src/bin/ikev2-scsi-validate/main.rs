//! Validates a device server of IKEv2-SCSI: `ikev2-scsi-validate --help`, `initiator/VALIDATOR.md`.

mod arguments;
mod demonstration;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use ikev2_scsi::client::ClientConfigBuilder;
use ikev2_scsi::provider::provider;
use ikev2_scsi::time::UnixTime;
use ikev2_scsi::{Instant, Profile};
use ikev2_scsi_initiator::target::Target;
use ikev2_scsi_initiator::validate::{Clock, RealTime, Report, Subject, Totals, assertions, junit, markdown, run};
use ikev2_scsi_initiator::{InProcess, Options, Transport, open};
use ikev2_scsi_provisioning::{Provisioning, SystemRandom};

use arguments::{Arguments, USAGE};
use demonstration::Demonstration;

/// The exit status when nothing could be run.
const NOT_RUN: u8 = 2;

fn main() -> ExitCode {
    match Arguments::parse(std::env::args().skip(1)).and_then(|arguments| validate(&arguments)) {
        Ok(status) => ExitCode::from(status),
        Err(why) => {
            // Whoever has closed the error output is told by the exit status.
            let _ = writeln!(io::stderr(), "ikev2-scsi-validate: {why}");
            ExitCode::from(NOT_RUN)
        }
    }
}

/// Who the application client is.
type Client = Box<dyn Fn() -> Result<ClientConfigBuilder, String>>;

/// The way to a device server, time, and who we are there.
struct Way {
    transport: Box<dyn Transport>,
    clock: Box<dyn Clock>,
    profile: Profile,
    client: Client,
}

fn validate(arguments: &Arguments) -> Result<u8, String> {
    let mut out = io::stdout().lock();
    let told = |result: io::Result<()>| result.map_err(|error| error.to_string());
    if arguments.help || arguments.list {
        told(write!(out, "{}", if arguments.help { USAGE.to_owned() } else { markdown() }))?;
        return Ok(0);
    }
    let unknown = arguments.only.iter().find(|numbers| !assertions().any(|assertion| numbers.has(assertion.number)));
    if let Some(unknown) = unknown {
        return Err(format!("--only: there is no assertion {unknown:?}; see --list"));
    }
    let Way { mut transport, mut clock, profile, client } = way(arguments)?;
    let mut subject = Subject {
        transport: transport.as_mut(),
        profile,
        provider: provider(),
        client: &*client,
        random: &mut SystemRandom,
        clock: clock.as_mut(),
    };
    let mut result = Ok(());
    let reports = run(
        &mut subject,
        |assertion| arguments.wants(assertion.number),
        |report: &Report| {
            if result.is_ok() && (arguments.verbose || !report.has_passed()) {
                result = writeln!(out, "{report}");
            }
        },
    );
    told(result)?;
    let totals = Totals::of(&reports);
    told(writeln!(out, "{} assertions: {totals}", reports.len()))?;
    if let Some(path) = &arguments.junit {
        let name = arguments.target.as_deref().unwrap_or("in process");
        std::fs::write(path, junit(name, &reports)).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(totals.exit_status())
}

fn way(arguments: &Arguments) -> Result<Way, String> {
    let provisioning = arguments.provisioning.as_ref().map(Provisioning::load).transpose();
    let provisioning = provisioning.map_err(|error| error.to_string())?;
    let told = provisioning.as_ref().map(Provisioning::profile);
    let profile = arguments.dialect.or(told).unwrap_or(Profile::R3);
    let Some(target) = &arguments.target else { return in_process(arguments, provisioning, profile) };
    let target: Target = target.parse().map_err(|error| format!("{target}: {error}"))?;
    let mut options = Options::default();
    if let Some(seconds) = arguments.timeout {
        options.timeout = Duration::from_secs(seconds);
    }
    let transport = open(target, &options).map_err(|error| error.to_string())?;
    let clock = Box::new(RealTime { slow: arguments.slow });
    let provisioning = provisioning.ok_or("no provisioning")?;
    Ok(Way { transport, clock, profile, client: client_of(provisioning) })
}

fn client_of(provisioning: Provisioning) -> Client {
    Box::new(move || provisioning.application_client(provider()).map_err(|error| error.to_string()))
}

/// A device server of this process.
fn in_process(arguments: &Arguments, provisioning: Option<Provisioning>, profile: Profile) -> Result<Way, String> {
    let mut descriptor_sense = false;
    let (mut server, client): (_, Client) = match (&arguments.device_server, provisioning) {
        (Some(path), Some(provisioning)) => {
            let device_server = Provisioning::load(path).map_err(|error| error.to_string())?;
            descriptor_sense = device_server.descriptor_sense();
            let builder = device_server.device_server(provider()).map_err(|error| error.to_string())?;
            let builder = builder.profile(profile);
            (builder.build().map_err(|error| error.to_string())?, client_of(provisioning))
        }
        _ => {
            let demonstration = Demonstration::new()?;
            (demonstration.device_server(profile)?, Box::new(move || Ok(demonstration.client())))
        }
    };
    if let Ok(now) = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
        server.set_unix_time(UnixTime(now.as_secs()), Instant::from_millis(0));
    }
    let unit = InProcess::new(server, Box::new(SystemRandom)).descriptor_sense(descriptor_sense);
    let clock = Box::new(unit.clock());
    Ok(Way { transport: Box::new(unit), clock, profile, client })
}
