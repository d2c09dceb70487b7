//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use ikev2_scsi::Profile;
use thiserror::Error;

use crate::open::Options;
use crate::target::{Target, TargetError};

/// What `--help` prints.
pub(super) const HELP: &str = "\
Creates, shows and deletes IKEv2-SCSI security associations.

  ikev2-scsi-initiator TARGET capabilities
  ikev2-scsi-initiator TARGET create --provisioning FILE [--save FILE] [--delete]
  ikev2-scsi-initiator show FILE
  ikev2-scsi-initiator [TARGET] delete FILE
  ikev2-scsi-initiator TARGET bench COUNT --provisioning FILE

TARGET is one of
  iscsi://[USER%PASSWORD@]HOST[:PORT]/TARGETNAME/LUN    (as libiscsi has it; others may see a password there: rather
                                                       set LIBISCSI_CHAP_USERNAME and LIBISCSI_CHAP_PASSWORD)
  iscsi:[SERVER]:[PROTOCOL]:[PORT]:[LUN]:TARGETNAME     (a root path of RFC 4173)
  /dev/sgN                                             (or another device that takes SG_IO)

  --provisioning FILE     who we are and whom we know
  --dialect r3|spc4       how the logical unit speaks, if not as the provisioning file says
  --save FILE             keeps the association, with its keys, for `show` and `delete`; the file is made (mode 0600)
  --delete                deletes the association as soon as it is there
  --keylog FILE           DANGEROUS: appends the secrets of exchanges, for dissectors; who has them reads all
  --show-secrets          prints keys
  --timeout SECONDS       how long a command may take (30)
  --patience SECONDS      how long a command may be put off by NOT READY (60)
  --initiator-name NAME   our iSCSI name
  --json                  prints one JSON object
  --verbose               tells each command
  --help, --version

Exit status: 0 done, 1 refused or failed, 2 wrong command line.
";

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Action {
    Help,
    Version,
    Capabilities(Target),
    Create { target: Target, save: Option<PathBuf>, delete: bool },
    Show(PathBuf),
    Delete { target: Option<Target>, file: PathBuf },
    Bench { target: Target, count: usize },
}

/// A command line that was understood.
#[derive(Debug)]
pub(super) struct Arguments {
    pub(super) action: Action,
    pub(super) options: Options,
    pub(super) patience: Duration,
    pub(super) provisioning: Option<PathBuf>,
    pub(super) profile: Option<Profile>,
    pub(super) key_log: Option<PathBuf>,
    pub(super) show_secrets: bool,
    pub(super) is_json: bool,
    pub(super) is_verbose: bool,
}

/// Why a command line is not understood.
#[derive(Debug, PartialEq, Eq, Error)]
pub(super) enum Usage {
    #[error("{0} needs a value")]
    NoValue(String),
    #[error("there is no option {0}")]
    UnknownOption(String),
    #[error("{option} {value}: {expected} expected")]
    Value { option: &'static str, value: String, expected: &'static str },
    #[error("{0} is given twice")]
    Twice(&'static str),
    #[error("there is no command {0}: capabilities, create, show, delete and bench are there")]
    UnknownCommand(String),
    #[error("{0} expected")]
    Missing(&'static str),
    #[error("{0}: one word too many")]
    TooMany(String),
    #[error("--save keeps what --delete deletes: one of them")]
    SaveAndDelete,
    #[error("{0} goes with create only")]
    CreateOnly(&'static str),
    #[error("--keylog goes with create and bench only")]
    NothingToLog,
    #[error(transparent)]
    Target(#[from] TargetError),
}

/// What the options say, and the words between them.
#[derive(Debug, Default)]
struct Read {
    words: Vec<String>,
    values: Vec<(&'static str, String)>,
    flags: Vec<&'static str>,
}

/// Options with a value, and those without.
const WITH_VALUE: [&str; 7] =
    ["--provisioning", "--dialect", "--save", "--keylog", "--timeout", "--patience", "--initiator-name"];
const FLAGS: [&str; 6] = ["--delete", "--show-secrets", "--json", "--verbose", "--help", "--version"];

impl Read {
    fn new(arguments: impl IntoIterator<Item = String>) -> Result<Self, Usage> {
        let mut read = Self::default();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let (name, inline) = match argument.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name.to_owned(), Some(value.to_owned())),
                _ => (argument.clone(), None),
            };
            if let Some(option) = WITH_VALUE.into_iter().find(|option| *option == name) {
                let value = inline.or_else(|| arguments.next()).ok_or(Usage::NoValue(name))?;
                if read.values.iter().any(|(known, _)| *known == option) {
                    return Err(Usage::Twice(option));
                }
                read.values.push((option, value));
            } else if let Some(flag) = FLAGS.into_iter().find(|flag| *flag == argument) {
                read.flags.push(flag);
            } else if argument.starts_with('-') {
                return Err(Usage::UnknownOption(name));
            } else {
                read.words.push(argument);
            }
        }
        Ok(read)
    }

    fn value(&self, option: &str) -> Option<&str> {
        self.values.iter().find(|(known, _)| *known == option).map(|(_, value)| value.as_str())
    }

    fn path(&self, option: &str) -> Option<PathBuf> {
        self.value(option).map(PathBuf::from)
    }

    fn has(&self, flag: &str) -> bool {
        self.flags.contains(&flag)
    }

    fn seconds(&self, option: &'static str, otherwise: Duration) -> Result<Duration, Usage> {
        let Some(value) = self.value(option) else { return Ok(otherwise) };
        let seconds = value.parse().ok().filter(|seconds| (1..=86_400).contains(seconds));
        let wrong = Usage::Value { option, value: value.to_owned(), expected: "a number of seconds, 1 to 86400" };
        seconds.map(Duration::from_secs).ok_or(wrong)
    }

    fn profile(&self) -> Result<Option<Profile>, Usage> {
        let option = "--dialect";
        match self.value(option) {
            None => Ok(None),
            Some("r3") => Ok(Some(Profile::R3)),
            Some("spc4" | "spc-4") => Ok(Some(Profile::SPC4)),
            Some(value) => Err(Usage::Value { option, value: value.to_owned(), expected: "r3 or spc4" }),
        }
    }

    /// The words: a target, a command, and what the command takes.
    fn action(&self) -> Result<Action, Usage> {
        if self.has("--help") {
            return Ok(Action::Help);
        }
        if self.has("--version") {
            return Ok(Action::Version);
        }
        let mut words = self.words.iter().map(String::as_str).peekable();
        let is_command = |word: &&str| matches!(*word, "capabilities" | "create" | "show" | "delete" | "bench");
        let target = words.next_if(|word| !is_command(word)).map(str::parse::<Target>).transpose()?;
        let command = words.next().ok_or(Usage::Missing("a command"))?;
        // The target may also come last.
        let needed = |target: Option<Target>, last: Option<&str>| match (target, last) {
            (Some(target), None) => Ok(target),
            (Some(_), Some(word)) => Err(Usage::TooMany(word.to_owned())),
            (None, Some(word)) => Ok(word.parse()?),
            (None, None) => Err(Usage::Missing("a target")),
        };
        let action = match command {
            "capabilities" => Action::Capabilities(needed(target, words.next())?),
            "create" => Action::Create {
                target: needed(target, words.next())?,
                save: self.path("--save"),
                delete: self.has("--delete"),
            },
            "show" => Action::Show(words.next().ok_or(Usage::Missing("a file that --save made"))?.into()),
            "delete" => {
                let file = words.next().ok_or(Usage::Missing("a file that --save made"))?.into();
                Action::Delete { target, file }
            }
            "bench" => {
                let word = words.next().ok_or(Usage::Missing("a number of associations"))?;
                let count = word.parse().ok().filter(|count| (1..=1_000_000).contains(count));
                let value = || Usage::Value { option: "bench", value: word.to_owned(), expected: "1 to 1000000" };
                let count = count.ok_or_else(value)?;
                Action::Bench { target: needed(target, words.next())?, count }
            }
            other => return Err(Usage::UnknownCommand(other.to_owned())),
        };
        if let Some(word) = words.next() {
            return Err(Usage::TooMany(word.to_owned()));
        }
        let is_create = matches!(action, Action::Create { .. });
        let foreign = [("--save", self.value("--save").is_some()), ("--delete", self.has("--delete"))];
        match foreign.into_iter().find(|(_, given)| *given && !is_create) {
            Some((option, _)) => Err(Usage::CreateOnly(option)),
            None if foreign.iter().all(|(_, given)| *given) => Err(Usage::SaveAndDelete),
            None => Ok(action),
        }
    }
}

impl Arguments {
    /// Reads a command line, without the program's name.
    pub(super) fn read(arguments: impl IntoIterator<Item = String>) -> Result<Self, Usage> {
        let read = Read::new(arguments)?;
        let otherwise = Options::default();
        let action = read.action()?;
        let takes_keys = matches!(action, Action::Create { .. } | Action::Bench { .. });
        if takes_keys && read.value("--provisioning").is_none() {
            return Err(Usage::Missing("--provisioning FILE"));
        }
        if !takes_keys && read.value("--keylog").is_some() {
            return Err(Usage::NothingToLog);
        }
        Ok(Self {
            action,
            options: Options {
                timeout: read.seconds("--timeout", otherwise.timeout)?,
                initiator_name: read.value("--initiator-name").map_or(otherwise.initiator_name, str::to_owned),
            },
            patience: read.seconds("--patience", Duration::from_secs(60))?,
            provisioning: read.path("--provisioning"),
            profile: read.profile()?,
            key_log: read.path("--keylog"),
            show_secrets: read.has("--show-secrets"),
            is_json: read.has("--json"),
            is_verbose: read.has("--verbose"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Arguments, Usage> {
        Arguments::read(line.split_whitespace().map(str::to_owned))
    }

    fn target(text: &str) -> Target {
        text.parse().unwrap()
    }

    #[test]
    fn actions() {
        let url = "iscsi://host/iqn.x/1";
        let action = |line: &str| read(line).unwrap().action;
        assert_eq!(action(&format!("{url} capabilities")), Action::Capabilities(target(url)));
        assert_eq!(action("/dev/sg3 capabilities --dialect spc4"), Action::Capabilities(target("/dev/sg3")));
        let create =
            |save: Option<&str>, delete| Action::Create { target: target(url), save: save.map(PathBuf::from), delete };
        assert_eq!(action(&format!("{url} --save f create --provisioning=p")), create(Some("f"), false));
        assert_eq!(action(&format!("--delete {url} create --provisioning p")), create(None, true));
        assert_eq!(action(&format!("create --provisioning p {url}")), create(None, false));
        assert_eq!(action("show f --show-secrets"), Action::Show("f".into()));
        assert_eq!(action("delete f"), Action::Delete { target: None, file: "f".into() });
        let elsewhere = Action::Delete { target: Some(target("iscsi:h::::iqn.x")), file: "f".into() };
        assert_eq!(action("iscsi:h::::iqn.x delete f"), elsewhere);
        let bench = Action::Bench { target: target(url), count: 50 };
        assert_eq!(action(&format!("{url} bench 50 --provisioning p")), bench);
        assert_eq!((action("--help"), action("x --version")), (Action::Help, Action::Version));
    }

    #[test]
    fn options() {
        let line = "--timeout 5 --patience=7 --initiator-name iqn.me --keylog k --json --verbose create /dev/sg1 --dialect r3 \
                    --provisioning p";
        let read = read(line).unwrap();
        assert_eq!((read.options.timeout, read.patience), (Duration::from_secs(5), Duration::from_secs(7)));
        assert_eq!((read.options.initiator_name.as_str(), read.key_log), ("iqn.me", Some("k".into())));
        assert_eq!((read.is_json, read.is_verbose, read.show_secrets), (true, true, false));
        assert_eq!(read.profile, Some(Profile::R3));
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (line, told) in [
            ("", "a command expected"),
            ("create --provisioning p", "a target expected"),
            ("/dev/sg1 create /dev/sg2 --provisioning p", "/dev/sg2: one word too many"),
            ("/dev/sg1", "a command expected"),
            ("/dev/sg1 create", "--provisioning FILE expected"),
            ("/dev/sg1 explode", "there is no command explode: capabilities, create, show, delete and bench are there"),
            ("explode", "target, character 1: expected iscsi://..., iscsi:<server>:..., or the path of a device"),
            ("show", "a file that --save made expected"),
            ("show f g", "g: one word too many"),
            ("show f --save g", "--save goes with create only"),
            ("delete f --delete", "--delete goes with create only"),
            ("/dev/sg1 create --provisioning p --save f --delete", "--save keeps what --delete deletes: one of them"),
            ("show f --keylog g", "--keylog goes with create and bench only"),
            ("show f --bogus", "there is no option --bogus"),
            ("show f --json=yes", "there is no option --json"),
            ("show f --timeout", "--timeout needs a value"),
            ("show f --timeout 0", "--timeout 0: a number of seconds, 1 to 86400 expected"),
            ("show f --timeout 1 --timeout 2", "--timeout is given twice"),
            ("show f --dialect r4", "--dialect r4: r3 or spc4 expected"),
            ("/dev/sg1 bench 0 --provisioning p", "bench 0: 1 to 1000000 expected"),
            (
                "iscsi://h/iqn.x/z create",
                "target, character 17: a logical unit number in a URL is a decimal number from 0 to 16383",
            ),
        ] {
            assert_eq!(read(line).unwrap_err().to_string(), told, "{line}");
        }
    }

    /// The help names every option there is.
    #[test]
    fn the_help_is_complete() {
        for option in WITH_VALUE.iter().chain(&FLAGS) {
            assert!(HELP.contains(option), "{option}");
        }
        assert!(HELP.lines().all(|line| line.len() <= 120));
    }
}
