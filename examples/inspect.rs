//! Dissects IKEv2-SCSI commands: a capture as `create_sa --capture` writes it, or hexadecimal bytes.
//!
//! A capture has the keys of its exchange, and its Encrypted payloads are shown opened.

#[path = "create_sa/dissect.rs"]
mod dissect;
#[path = "shim/hex.rs"]
mod hex;
#[allow(dead_code, reason = "the test bench asks more of it")]
#[path = "shim/member.rs"]
mod member;
#[path = "create_sa/output.rs"]
mod output;

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::process::ExitCode;

use ikev2_scsi::Profile;
use ikev2_scsi::client::DeviceSense;
use ikev2_scsi::crypto::Secret;
use ikev2_scsi::wire::{Capabilities, Cdb, Direction, Header, Message, protocol, specific};
use serde_json::Value;

use dissect::{Algorithms, Dissector, Keyring, Keys, hex_lines, indented};
use member::{Fault, Member};
use output::{Failure, Output, end};

const HELP: &str = "\
Dissects IKEv2-SCSI commands.

Usage: inspect [OPTIONS] [FILE]

  FILE    what to dissect; without it, or with `-`, standard input
  --full             show all of long opaque fields
  --dialect DIALECT  r3 (T10/06-449r3) or spc4 (SPC-4); without it, a capture tells, and hexadecimal bytes are r3
  --help             show this

The input is a capture as `create_sa --capture` writes it, or hexadecimal bytes: CDBs, capabilities parameter data and
messages, one in a line. An input that does not end with its line goes on in the next one, up to an empty line.";

/// The dialects by their names in captures.
const DIALECTS: [(&str, Profile); 2] = [("r3", Profile::R3), ("spc4", Profile::SPC4)];

/// The dialect with this name.
fn profile_of(name: &str) -> Option<Profile> {
    DIALECTS.iter().find(|(known, _)| *known == name).map(|(_, profile)| *profile)
}

/// Longest input that is read.
const LONGEST: u64 = 64 << 20;

fn main() -> ExitCode {
    let mut output = Output::default();
    end("inspect", Options::read(env::args_os().skip(1)).and_then(|options| run(&options, &mut output)))
}

#[derive(Default)]
struct Options {
    wants_help: bool,
    in_full: bool,
    profile: Option<Profile>,
    file: Option<PathBuf>,
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = OsString>) -> Result<Self, Failure> {
        let mut options = Self::default();
        while let Some(argument) = arguments.next() {
            match argument.to_str() {
                Some("--help") => options.wants_help = true,
                Some("--full") => options.in_full = true,
                Some("--dialect") => {
                    let name = arguments.next().ok_or_else(|| Failure::Usage("--dialect needs a name".into()))?;
                    let profile = name.to_str().and_then(profile_of);
                    let wrong = || Failure::Usage(format!("no dialect is called {}", name.display()));
                    options.profile = Some(profile.ok_or_else(wrong)?);
                }
                Some(option) if option.starts_with("--") => {
                    return Err(Failure::Usage(format!("what is {option:?}")));
                }
                _ if options.file.is_some() => return Err(Failure::Usage("more than one file".into())),
                _ => options.file = Some(argument.into()),
            }
        }
        Ok(options)
    }
}

fn run(options: &Options, output: &mut Output) -> Result<(), Failure> {
    if options.wants_help {
        return output.lines(HELP);
    }
    let text = read(options)?;
    if text.trim_start().starts_with('{') {
        let json: Value = serde_json::from_str(&text).map_err(|error| format!("the JSON is wrong: {error}"))?;
        return capture(&json, options, output);
    }
    lines(&text, options, output)
}

fn read(options: &Options) -> Result<String, String> {
    let mut bytes = Vec::new();
    let name = match options.file.as_ref().filter(|file| file.as_os_str() != "-") {
        Some(file) => {
            let wrong = |error| format!("cannot read {}: {error}", file.display());
            File::open(file).and_then(|file| file.take(LONGEST).read_to_end(&mut bytes)).map_err(wrong)?;
            file.display().to_string()
        }
        None => {
            let wrong = |error| format!("cannot read standard input: {error}");
            io::stdin().take(LONGEST).read_to_end(&mut bytes).map_err(wrong)?;
            "standard input".into()
        }
    };
    if u64::try_from(bytes.len()).is_ok_and(|length| length < LONGEST) {
        return String::from_utf8(bytes).map_err(|_| format!("{name}: neither JSON nor hexadecimal digits"));
    }
    Err(format!("{name}: longer than {} MiB", LONGEST >> 20))
}

/// Every command of a capture.
fn capture(json: &Value, options: &Options, output: &mut Output) -> Result<(), Failure> {
    let wrong = |fault: Fault| format!("the capture is wrong: {fault}");
    let root = Member::root(json).map_err(wrong)?;
    let named = root.get("profile");
    let recorded = match named.read::<String>().map_err(wrong)? {
        Some(name) => profile_of(&name).ok_or_else(|| wrong(named.fault("is not known to this build")))?,
        None => Profile::R3,
    };
    let profile = options.profile.unwrap_or(recorded);
    let keyring = keyring(profile, &root).map_err(wrong)?;
    let dissector = Dissector { profile, keyring: &keyring, in_full: options.in_full };
    let steps = root.get("steps").present().and_then(|steps| steps.elements()).map_err(wrong)?;
    for (number, step) in (1_usize..).zip(&steps) {
        let text = command(step, &dissector).map_err(wrong)?;
        output.lines(&format!("Command {number}{text}\n"))?;
    }
    Ok(())
}

/// The keys of a capture. A member that is wrong is an error; keys or algorithms that are not there are none.
fn keyring(profile: Profile, root: &Member<'_>) -> Result<Keyring, Fault> {
    let identifiers = root.get("identifiers").object()?;
    let identifier = |name: &str| {
        let member = identifiers.get(name);
        let wrong = || member.fault("is no identifier in hexadecimal");
        let text = member.read::<String>()?;
        text.map(|text| u32::from_str_radix(&text, 16).map_err(|_| wrong())).transpose()
    };
    let key_length = identifiers.get("KEY LENGTH");
    let numbers = (identifier("ENCR")?, key_length.read::<u32>()?, identifier("INTEG")?);
    let (Some(encryption), Some(length), Some(integrity)) = numbers else {
        return Ok(Err("the capture does not name its algorithms".into()));
    };
    let length = u16::try_from(length).map_err(|_| key_length.fault("is no number of 16 bits"))?;
    let algorithms = match Algorithms::find(profile, encryption, length, integrity) {
        Ok(algorithms) => algorithms,
        Err(lacks) => return Ok(Err(lacks)),
    };
    let mut all = Vec::new();
    for exchange in root.get("ccs").elements()? {
        for name in ["SK_ei", "SK_ai", "SK_er", "SK_ar"] {
            exchange.get(name).read::<Vec<u8>>()?;
        }
        let value = |name: &str| exchange.get(name).read::<Vec<u8>>().ok().flatten().map(Secret::from);
        all.extend(Keys::collect(algorithms, value));
    }
    Ok(if all.is_empty() { Err("the capture has no keys".into()) } else { Ok(all) })
}

/// One command of a capture, from the end of its title's number on.
fn command(step: &Member<'_>, dissector: &Dissector<'_>) -> Result<String, Fault> {
    let bytes = step.get("cdb").need::<Vec<u8>>()?;
    let cdb = Cdb::parse(&bytes);
    let mut lines = vec![dissector.parsed(cdb, &bytes)];
    for (member, name) in [("data_out", "Data-Out"), ("data_in", "Data-In")] {
        let data = step.get(member).read::<Vec<u8>>()?.unwrap_or_default();
        if data.is_empty() {
            continue;
        }
        lines.push(format!("{name}: {} bytes", data.len()));
        lines.push(indented(&cdb.map_or_else(|_| hex_lines(&data), |cdb| dissector.parameter_data(&cdb, &data))));
    }
    if let Some(status) = step.get("status").read::<u8>()? {
        let sense = step.get("sense").read::<Vec<u8>>()?.unwrap_or_default();
        let sense = DeviceSense::parse(&sense).map_or_else(|| hex_lines(&sense), |sense| sense.to_string());
        lines.push(match status {
            0 => "Status: GOOD".into(),
            2 => format!("Status: CHECK CONDITION: {sense}"),
            other => format!("Status: {other:02X}h"),
        });
    }
    let name = step.get("command").read::<String>()?.map_or(String::new(), |name| format!(": {name}"));
    let nexus = step.get("nexus").read::<String>()?.map_or(String::new(), |nexus| format!(", I_T nexus {nexus}"));
    Ok(format!("{name}{nexus}\n{}", lines.join("\n")))
}

/// One input in hexadecimal, and the line that it begins in.
struct Input {
    line: usize,
    bytes: Vec<u8>,
}

/// What bytes can be taken for without being told.
enum Kind {
    Cdb(Cdb),
    Capabilities,
    Message,
    Unknown,
}

impl Kind {
    /// What these bytes are from their first to their last one.
    fn of(profile: Profile, bytes: &[u8]) -> Self {
        if let Some(cdb) = Cdb::parse(bytes).ok().filter(|_| bytes.len() == Cdb::LEN) {
            return Self::Cdb(cdb);
        }
        if Capabilities::parse_parameter_data(profile, bytes).is_ok() {
            return Self::Capabilities;
        }
        match Header::parse(profile, bytes) {
            Ok(header) if usize::try_from(header.length) == Ok(bytes.len()) => Self::Message,
            _ => Self::Unknown,
        }
    }

    const fn is_known(&self) -> bool {
        !matches!(self, Self::Unknown)
    }
}

/// Every input in hexadecimal lines.
fn lines(text: &str, options: &Options, output: &mut Output) -> Result<(), Failure> {
    let profile = options.profile.unwrap_or(Profile::R3);
    let mut pending: Option<Input> = None;
    let mut last_cdb = None;
    let mut is_empty = true;
    for (line, text) in (1_usize..).zip(text.lines()) {
        let digits: String = text.split_whitespace().collect();
        let bytes = hex::decode(&digits).ok_or_else(|| format!("line {line}: {}", wrong_digits(&digits)))?;
        is_empty &= bytes.is_empty();
        // An empty line, or a line that is something by itself, ends what goes before.
        if (bytes.is_empty() || Kind::of(profile, &bytes).is_known())
            && let Some(input) = pending.take()
        {
            show(&input, &mut last_cdb, options, output)?;
        }
        if bytes.is_empty() {
            continue;
        }
        let mut input = pending.take().unwrap_or(Input { line, bytes: Vec::new() });
        input.bytes.extend(bytes);
        if Kind::of(profile, &input.bytes).is_known() {
            show(&input, &mut last_cdb, options, output)?;
        } else {
            pending = Some(input);
        }
    }
    match pending {
        Some(input) => show(&input, &mut last_cdb, options, output),
        None if is_empty => Err("the input is empty".into()),
        None => Ok(()),
    }
}

fn wrong_digits(digits: &str) -> String {
    match digits.chars().find(|digit| !digit.is_ascii_hexdigit()) {
        Some(wrong) => format!("{wrong:?} is no hexadecimal digit"),
        None => "an odd number of hexadecimal digits".into(),
    }
}

/// Whether a command asks for the list of capability formats, which no byte of the list tells.
const fn lists_formats(cdb: &Cdb) -> bool {
    cdb.protocol == protocol::SA_CREATION_CAPABILITIES && cdb.specific == specific::CAPABILITY_FORMATS
}

/// Shows one input. A CDB tells what the input after it is.
fn show(input: &Input, last_cdb: &mut Option<Cdb>, options: &Options, output: &mut Output) -> Result<(), Failure> {
    let keyring = Err("no keys".into());
    let profile = options.profile.unwrap_or(Profile::R3);
    let dissector = Dissector { profile, keyring: &keyring, in_full: options.in_full };
    let Input { line, bytes } = input;
    let before = last_cdb.take();
    let text = match Kind::of(profile, bytes) {
        Kind::Cdb(cdb) => {
            *last_cdb = Some(cdb);
            dissector.parsed(Ok(cdb), bytes)
        }
        Kind::Capabilities => dissector.parsed(Capabilities::parse_parameter_data(profile, bytes), bytes),
        Kind::Message => dissector.message(Direction::Out, bytes),
        Kind::Unknown => match before {
            Some(cdb) if cdb.protocol == protocol::INFORMATION || lists_formats(&cdb) => {
                dissector.parameter_data(&cdb, bytes)
            }
            _ if Message::parse(profile, bytes).is_ok() => dissector.message(Direction::Out, bytes),
            _ => {
                let count = bytes.len();
                return Err(format!("line {line}: {count} bytes are no CDB, no capabilities and no message").into());
            }
        },
    };
    output.lines(&format!("{text}\n"))
}
