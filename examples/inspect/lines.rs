//! Commands in lines of hexadecimal digits.

use ikev2_scsi::Profile;
use ikev2_scsi::wire::{Capabilities, Cdb, Direction, Header, Message, protocol, specific};

use super::Options;
use super::dissect::Dissector;
use super::hex;
use super::output::{Failure, Output};

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
pub(crate) fn lines(text: &str, options: &Options, output: &mut Output) -> Result<(), Failure> {
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
