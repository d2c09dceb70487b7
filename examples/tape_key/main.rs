//! Delivers the key of a tape under a security association of SPC-4, and takes data back: ESP-SCSI in both directions.
//!
//! The drive is a `DeviceServer`; the host has made an association with it as an `ApplicationClient` and keeps its parameters. What goes between them is a Set Data Encryption page of the SSC standards (SECURITY PROTOCOL OUT, SECURITY
//! PROTOCOL 20h, 0010h) whose key is an ESP-SCSI descriptor. Its length is KEY LENGTH, so the descriptor has none of its own.
//! The clock is the program's own, so that an hour takes no time. No key is shown.

mod association;
#[path = "../create_sa/output.rs"]
mod output;
mod page;

use std::env;
use std::error::Error;
use std::process::ExitCode;

use ikev2_scsi::crypto::{Purpose, Random, RandomError, Secret};
use ikev2_scsi::esp::{EspScsi, Flow, Form, Place, TAPE_DATA_ENCRYPTION};
use ikev2_scsi::keys::SaParameters;
use ikev2_scsi::sa::SaId;
use ikev2_scsi::sense::Sense;
use ikev2_scsi::server::{EspCommand, EventKind};
use ikev2_scsi::{DeviceServer, Instant, Profile, provider};

use output::{Failure, Output, end};

/// What this drive is keyed by.
const USES: &[u16] = &[TAPE_DATA_ENCRYPTION];
/// Bytes of a tape's key, AES-256.
const KEY_LENGTH: usize = 32;

/// The operating system's random source.
struct System;

impl Random for System {
    fn fill(&mut self, _: Purpose, out: &mut [u8]) -> Result<(), RandomError> {
        getrandom::fill(out).map_err(|_| RandomError)
    }
}

/// The host: the application client's side of the association.
struct Host {
    sa: SaParameters,
}

impl Host {
    const fn esp() -> EspScsi<'static> {
        EspScsi::new(Profile::SPC4, provider::provider(), USES)
    }

    /// A Set Data Encryption page with this key in it.
    fn page(&mut self, key: &Secret) -> Result<Vec<u8>, Box<dyn Error>> {
        let built = Self::esp().build(Flow::Out, &mut self.sa, key.expose(), Form::WithoutLength, &mut System)?;
        page::set_data_encryption(&built.descriptor)
    }

    fn read(&mut self, mut answer: Vec<u8>) -> Result<Vec<u8>, Box<dyn Error>> {
        let opened = Self::esp().open(Flow::In, &mut self.sa, &mut answer, Form::WithLength)?;
        Ok(answer.get(opened.data).unwrap_or_default().to_vec())
    }
}

/// The tape drive: the device server, its clock, and the key it writes with.
struct Drive {
    server: DeviceServer,
    now: u32,
    key: Option<Secret>,
}

impl Drive {
    fn now(&self) -> Instant {
        Instant::from_millis(0).after_seconds(self.now)
    }

    /// Processes a Set Data Encryption page. The key moves at once from the buffer to memory that is wiped.
    fn set_data_encryption(&mut self, mut page: Vec<u8>) -> Result<SaId, Sense> {
        let now = self.now();
        let at = page::KEY_AT;
        let command = EspCommand { usage_types: USES, form: Form::WithoutLength, place: Place::ParameterList(at) };
        let descriptor = page::key(&mut page).unwrap_or_default();
        let opened = self.server.open_data_out(descriptor, command, now)?;
        let key = descriptor.get_mut(opened.data).unwrap_or_default();
        self.key = Some(Secret::copy_of(key));
        key.fill(0);
        Ok(opened.id)
    }

    /// What a command that names the association by both SAIs, at byte 4 of its parameter list, is answered with.
    fn status(&mut self, id: SaId) -> Result<Vec<u8>, Sense> {
        let command = EspCommand { usage_types: USES, form: Form::WithLength, place: Place::ParameterList(4) };
        let text: &[u8] = if self.key.is_some() { b"keyed" } else { b"no key" };
        let now = self.now();
        self.server.build_data_in(id, text, command, now, &mut System)
    }

    /// When the inactivity timer runs out.
    fn runs_out(&self) -> String {
        let seconds = |at: Instant| format!("runs out at {} s", at.as_millis().checked_div(1000).unwrap_or(0));
        self.server.next_deadline().map_or_else(|| "gone".into(), |deadline| seconds(deadline.at))
    }
}

const HELP: &str = "\
Delivers a tape's key by ESP-SCSI under a security association of SPC-4, and takes data back.

Usage: tape_key [--help]";

fn main() -> ExitCode {
    let output = &mut Output::default();
    let result = match env::args_os().nth(1) {
        None => demonstrate(output),
        Some(argument) if argument == "--help" => output.lines(HELP),
        Some(argument) => Err(Failure::Usage(format!("unknown argument {}", argument.display()))),
    };
    end("tape_key", result)
}

fn demonstrate(output: &mut Output) -> Result<(), Failure> {
    let (server, sa) = association::make()?;
    let id = SaId { ac_sai: sa.ac_sai, ds_sai: sa.ds_sai };
    let (mut host, mut drive) = (Host { sa }, Drive { server, now: 61, key: None });
    // What was kept for the repetition of the last command is gone by then, and its timer.
    drive.server.expire(drive.now());
    while drive.server.poll_event().is_some() {}
    output.lines(&format!(
        "SA {id}, USAGE_TYPE {:04X}h, TIMEOUT {} s, AC_SQN {}, DS_SQN {}; {}",
        host.sa.usage_type,
        host.sa.timeout,
        host.sa.ac_sqn,
        host.sa.ds_sqn,
        drive.runs_out(),
    ))?;

    let mut key = Secret::zeroed(KEY_LENGTH);
    System.fill(Purpose::Nonce, key.expose_mut())?;
    deliver(output, &mut host, &mut drive, &key)?;
    answer(output, &mut host, &mut drive, id)?;

    drive.now = drive.now.saturating_add(host.sa.timeout);
    drive.server.expire(drive.now());
    while let Some(event) = drive.server.poll_event() {
        if matches!(event.kind, EventKind::SaRemoved { .. }) {
            output.lines(&event.to_string())?;
        }
    }
    let page = host.page(&key)?;
    refused(output, &mut drive, "the next page", page)
}

/// The page goes over, and once more; then one that was changed on its way.
fn deliver(output: &mut Output, host: &mut Host, drive: &mut Drive, key: &Secret) -> Result<(), Failure> {
    drive.now = 1800;
    let page = host.page(key)?;
    output.lines(&format!(
        "{} s: host: Set Data Encryption page, {} bytes: key of {} bytes as a descriptor of {}, DS_SQN {}",
        drive.now,
        page.len(),
        key.len(),
        page.len().saturating_sub(page::KEY_AT),
        host.sa.ds_sqn,
    ))?;
    if page.windows(KEY_LENGTH).any(|window| window == key.expose()) {
        return Err("the key is in the page in clear".into());
    }
    let by = drive.set_data_encryption(page.clone()).map_err(|sense| sense.to_string())?;
    if drive.key.as_ref() != Some(key) {
        return Err("the drive has another key".into());
    }
    output.lines(&format!(
        "{} s: drive: GOOD, keyed by SA {by} with the key that was sent; {}",
        drive.now,
        drive.runs_out(),
    ))?;
    drive.now = 2000;
    refused(output, drive, "the same page again", page)?;
    let mut changed = host.page(key)?;
    if let Some(last) = changed.last_mut() {
        *last ^= 1;
    }
    refused(output, drive, "a page with one bit changed", changed)
}

fn answer(output: &mut Output, host: &mut Host, drive: &mut Drive, id: SaId) -> Result<(), Failure> {
    drive.now = 2400;
    let answer = drive.status(id).map_err(|sense| sense.to_string())?;
    let (length, runs_out) = (answer.len(), drive.runs_out());
    let text = host.read(answer)?;
    output.lines(&format!(
        "{} s: drive: Data-In descriptor of {length} bytes; host: AC_SQN {}, \"{}\"; {runs_out}",
        drive.now,
        host.sa.ac_sqn,
        text.escape_ascii(),
    ))?;
    let stranger = SaId { ac_sai: id.ds_sai, ..id };
    match drive.status(stranger) {
        Ok(_) => Err("data for SAIs that name nothing".into()),
        Err(sense) => output.lines(&format!("{} s: drive: SA {stranger} for Data-In: {sense}", drive.now)),
    }
}

/// A page that must be refused, and must leave the timer and the drive's key alone.
fn refused(output: &mut Output, drive: &mut Drive, what: &str, page: Vec<u8>) -> Result<(), Failure> {
    let before = drive.runs_out();
    match drive.set_data_encryption(page) {
        Ok(_) => Err(format!("{what} was accepted").into()),
        Err(_) if drive.runs_out() != before => Err(format!("{what} restarted the timer").into()),
        Err(sense) => output.lines(&format!("{} s: drive: {what}: {sense}; {before}", drive.now)),
    }
}
