//! Dissects IKEv2-SCSI commands: packets of iSCSI, a capture as `create_sa --capture` writes it, or hexadecimal bytes.
//!
//! A capture has the keys of its exchange, and its Encrypted payloads are shown opened; for packets a key log has them.

mod bytes;
mod capture;
mod connection;
#[path = "../create_sa/dissect.rs"]
mod dissect;
#[path = "../shim/hex.rs"]
mod hex;
mod iscsi;
mod key_log;
mod lines;
#[allow(dead_code, reason = "the test bench asks more of it")]
#[path = "../shim/member.rs"]
mod member;
mod network;
#[path = "../create_sa/output.rs"]
mod output;
mod packet;
mod pcap;
mod step;
mod tcp;
mod wireshark;

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use ikev2_scsi::Profile;
use serde_json::Value;

use dissect::Dissector;
use iscsi::Digests;
use key_log::{Exchanges, KeyLog};
use network::{Network, Told};
use output::{Failure, Output, end};
use wireshark::Export;

const HELP: &str = "\
Dissects IKEv2-SCSI commands.

Usage: inspect [OPTIONS] [FILE]

  FILE    what to dissect; without it, or with `-`, standard input
  --full             show all of long opaque fields
  --dialect DIALECT  r3 (T10/06-449r3) or spc4 (SPC-4); without it, a capture and the messages in packets tell, and
                     hexadecimal bytes are r3
  --keys FILE        open what is encrypted in packets with the keys of this key log or of this capture
  --port PORT        of iSCSI targets besides 3260, for connections whose beginning is not in FILE; may be repeated
  --digests WHICH    `header`, `data` or `both`: those of connections whose beginning is not in FILE
  --wireshark FOLDER write there the messages of packets or of a capture as UDP datagrams, and the keys for Wireshark
  --help             show this

The input is a file of packets (pcap, pcapng) with iSCSI in it; or a capture as `create_sa --capture` writes it; or
hexadecimal bytes: CDBs, capabilities parameter data and messages, one in a line. An input that does not end with its
line goes on in the next one, up to an empty line.

A key log has lines of a name (SK_ei, SK_er, SK_ai or SK_ar), the SAIs of the application client and of the device
server as 16 hexadecimal digits, and the key. Whoever reads it reads and forges what the keys protect.

What --wireshark writes is shown by
  WIRESHARK_CONFIG_DIR=FOLDER/in tshark -r FOLDER/messages.pcap -V
with FOLDER/out for messages to the device server, since T10 has flags where IKE has others.";

/// The dialects by their names in captures.
const DIALECTS: [(&str, Profile); 2] = [("r3", Profile::R3), ("spc4", Profile::SPC4)];

/// The dialect with this name.
fn profile_of(name: &str) -> Option<Profile> {
    DIALECTS.iter().find(|(known, _)| *known == name).map(|(_, profile)| *profile)
}

/// Longest input that is read, but for packets, of which only one is in memory at once.
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
    keys: Option<PathBuf>,
    told: Told,
    wireshark: Option<PathBuf>,
    file: Option<PathBuf>,
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = OsString>) -> Result<Self, Failure> {
        let mut options = Self::default();
        while let Some(argument) = arguments.next() {
            let name = argument.to_str().unwrap_or_default();
            let mut value = |what: &str| {
                let value = arguments.next().ok_or_else(|| Failure::Usage(format!("{name} needs {what}")))?;
                Ok::<_, Failure>((value.clone(), value.into_string().unwrap_or_default()))
            };
            match name {
                "--help" => options.wants_help = true,
                "--full" => options.in_full = true,
                "--dialect" => {
                    let (name, text) = value("a name")?;
                    let wrong = || Failure::Usage(format!("no dialect is called {}", name.display()));
                    options.profile = Some(profile_of(&text).ok_or_else(wrong)?);
                }
                "--keys" => options.keys = Some(value("a file")?.0.into()),
                "--wireshark" => options.wireshark = Some(value("a folder")?.0.into()),
                "--port" => {
                    let (name, text) = value("a number")?;
                    let wrong = |_| Failure::Usage(format!("{} is no port", name.display()));
                    options.told.ports.insert(text.parse().map_err(wrong)?);
                }
                "--digests" => {
                    let (name, text) = value("`header`, `data` or `both`")?;
                    options.told.digests = match text.as_str() {
                        "header" => Digests { header: true, data: false },
                        "data" => Digests { header: false, data: true },
                        "both" => Digests { header: true, data: true },
                        _ => return Err(Failure::Usage(format!("no digests are called {}", name.display()))),
                    };
                }
                option if option.starts_with("--") => {
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
    let (name, mut input) = open(options.file.as_deref())?;
    let mut start = Vec::new();
    input.by_ref().take(4).read_to_end(&mut start).map_err(|error| format!("cannot read {name}: {error}"))?;
    if pcap::is_capture(&start) {
        return packets(start.chain(input), options, output);
    }
    if options.keys.is_some() {
        return Err(Failure::Usage(
            "--keys is for packets: a capture has its keys, and hexadecimal bytes no SAIs".into(),
        ));
    }
    let text = text(&name, start.chain(input))?;
    if text.trim_start().starts_with('{') {
        let json: Value = serde_json::from_str(&text).map_err(|error| format!("the JSON is wrong: {error}"))?;
        capture::show(&json, options, output)?;
        return options.wireshark.as_deref().map_or(Ok(()), |folder| exported(&json, folder, options, output));
    }
    if options.wireshark.is_some() {
        return Err(Failure::Usage("--wireshark is for packets and captures".into()));
    }
    lines::lines(&text, options, output)
}

/// A file by its name, or standard input.
fn open(file: Option<&Path>) -> Result<(String, Box<dyn Read>), String> {
    match file.filter(|file| file.as_os_str() != "-") {
        Some(path) => {
            let name = path.display().to_string();
            let file = File::open(path).map_err(|error| format!("cannot read {name}: {error}"))?;
            Ok((name, Box::new(BufReader::new(file))))
        }
        None => Ok(("standard input".into(), Box::new(BufReader::new(io::stdin())))),
    }
}

fn text(name: &str, input: impl Read) -> Result<String, String> {
    let mut bytes = Vec::new();
    input.take(LONGEST).read_to_end(&mut bytes).map_err(|error| format!("cannot read {name}: {error}"))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length < LONGEST) {
        return String::from_utf8(bytes)
            .map_err(|_| format!("{name}: neither packets nor JSON nor hexadecimal digits"));
    }
    Err(format!("{name}: longer than {} MiB", LONGEST >> 20))
}

/// The keys of a file: a key log, or a capture.
fn keys(path: &Path) -> Result<KeyLog, String> {
    let (name, input) = open(Some(path))?;
    let text = text(&name, input)?;
    let wrong = |why: String| format!("{name}: {why}");
    if !text.trim_start().starts_with('{') {
        return KeyLog::parse(&text).map_err(wrong);
    }
    let json = serde_json::from_str(&text).map_err(|error| wrong(format!("the JSON is wrong: {error}")))?;
    capture::key_log(&json).map_err(|fault| wrong(fault.to_string()))
}

/// The commands of a file of packets.
fn packets(input: impl Read, options: &Options, output: &mut Output) -> Result<(), Failure> {
    let log = options.keys.as_deref().map(keys).transpose()?;
    let mut exchanges = Exchanges::new(log.as_ref(), options.profile);
    let mut export = options.wireshark.as_deref().map(Export::create).transpose()?;
    let mut number = 0_u64;
    let mut remarks = Network::new(&options.told).read::<Failure>(input, &mut |step| {
        number = number.saturating_add(1);
        let (profile, keyring) = exchanges.look(&step);
        let text = step.text(&Dissector { profile, keyring, in_full: options.in_full });
        if let Some(export) = &mut export {
            export.add(&step)?;
        }
        output.lines(&format!("Command {number}{text}\n"))
    })?;
    if number == 0 {
        remarks.push("no SECURITY PROTOCOL command".into());
    }
    if let Some(export) = export {
        remarks.extend(export.finish(&exchanges, log.as_ref().unwrap_or(&KeyLog::default()))?);
    }
    remarks.iter().try_for_each(|remark| output.lines(&format!("Remark: {remark}")))
}

/// A capture for Wireshark.
fn exported(json: &Value, folder: &Path, options: &Options, output: &mut Output) -> Result<(), Failure> {
    let log = capture::key_log(json).map_err(|fault| format!("the capture is wrong: {fault}"))?;
    let mut exchanges = Exchanges::new(Some(&log), options.profile);
    let mut export = Export::create(folder)?;
    for step in capture::commands(json).map_err(|fault| format!("the capture is wrong: {fault}"))? {
        exchanges.look(&step);
        export.add(&step)?;
    }
    let remarks = export.finish(&exchanges, &log)?;
    remarks.iter().try_for_each(|remark| output.lines(&format!("Remark: {remark}")))
}
