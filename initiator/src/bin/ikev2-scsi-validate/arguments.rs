//! The command line.

use std::path::PathBuf;

use ikev2_scsi::Profile;

/// What `--help` prints.
pub(crate) const USAGE: &str = "\
ikev2-scsi-validate TARGET --provisioning FILE [options]
ikev2-scsi-validate --in-process [options]

Runs numbered assertions about IKEv2-SCSI against a device server, and says of each what was expected and seen.

TARGET is iscsi://..., a root path of RFC 4173, or a device such as /dev/sg3.
--in-process         a device server of this process, with a clock that costs no time: that of --device-server, or
                     one for demonstration

--provisioning FILE  who the application client is and whom it knows (TOML or JSON)
--device-server FILE the provisioning of the device server in process
--dialect r3|spc4    how the logical unit speaks; else as the provisioning says, else r3
--only A101,A206     these assertions, or whole groups: A1xx
--except A1211       all but these
--slow               also those that wait for timeouts, where time is real
--junit FILE         writes the reports as JUnit XML
--list               prints the assertions as a table and does nothing else
--verbose            prints those that passed, too
--timeout SECONDS    how long a command may take (30)

The exit status is 0 if all passed or were skipped, 1 if one failed, 2 if nothing could be run.

Associations are made and deleted again. An Initial Contact (A934) removes other associations of the same identity.
";

/// What was asked for.
#[derive(Debug, Default)]
pub(crate) struct Arguments {
    pub(crate) target: Option<String>,
    pub(crate) in_process: bool,
    pub(crate) provisioning: Option<PathBuf>,
    pub(crate) device_server: Option<PathBuf>,
    pub(crate) dialect: Option<Profile>,
    pub(crate) only: Vec<Numbers>,
    pub(crate) except: Vec<Numbers>,
    pub(crate) slow: bool,
    pub(crate) junit: Option<PathBuf>,
    pub(crate) list: bool,
    pub(crate) verbose: bool,
    pub(crate) help: bool,
    pub(crate) timeout: Option<u64>,
}

/// One assertion, or a group of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbers {
    One(u16),
    Hundred(u16),
}

impl Numbers {
    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text}: an assertion is written A101, a group A1xx");
        let number = text.strip_prefix('A').ok_or_else(wrong)?;
        match number.strip_suffix("xx") {
            Some(group) => group.parse().map(Self::Hundred).map_err(|_| wrong()),
            None => number.parse().map(Self::One).map_err(|_| wrong()),
        }
    }

    fn list(text: &str) -> Result<Vec<Self>, String> {
        text.split(',').map(str::trim).map(Self::parse).collect()
    }

    /// Whether an assertion is meant.
    pub(crate) const fn has(self, number: u16) -> bool {
        match self {
            Self::One(one) => one == number,
            Self::Hundred(group) => match number.checked_div(100) {
                Some(of) => of == group,
                None => false,
            },
        }
    }
}

impl Arguments {
    /// Reads the arguments behind the program's name.
    pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut found = Self::default();
        let mut rest = arguments.into_iter();
        while let Some(argument) = rest.next() {
            let mut value = || rest.next().ok_or_else(|| format!("{argument} wants a value"));
            match argument.as_str() {
                "--in-process" => found.in_process = true,
                "--provisioning" => found.provisioning = Some(value()?.into()),
                "--device-server" => found.device_server = Some(value()?.into()),
                "--dialect" => found.dialect = Some(dialect(&value()?)?),
                "--only" => found.only.extend(Numbers::list(&value()?)?),
                "--except" => found.except.extend(Numbers::list(&value()?)?),
                "--slow" => found.slow = true,
                "--junit" => found.junit = Some(value()?.into()),
                "--list" => found.list = true,
                "--verbose" => found.verbose = true,
                "--timeout" => {
                    let seconds = value()?;
                    let seconds = seconds.parse().map_err(|_| format!("--timeout {seconds}: a number of seconds"))?;
                    found.timeout = Some(seconds);
                }
                "--help" | "-h" => found.help = true,
                option if option.starts_with("--") => return Err(format!("{option} is no option; see --help")),
                _ if found.target.is_some() => return Err(format!("{argument}: there is one target already")),
                _ => found.target = Some(argument),
            }
        }
        found.check()
    }

    fn check(self) -> Result<Self, String> {
        let wrong = if self.help || self.list {
            None
        } else if self.in_process == self.target.is_some() {
            Some("a target or --in-process is wanted, and not both")
        } else if self.device_server.is_some() && !self.in_process {
            Some("--device-server is for --in-process")
        } else if self.device_server.is_some() != self.provisioning.is_some() && self.in_process {
            Some("in process, --provisioning and --device-server go together")
        } else if self.provisioning.is_none() && !self.in_process {
            Some("--provisioning is wanted: who is the application client?")
        } else {
            None
        };
        wrong.map_or(Ok(self), |wrong| Err(wrong.to_owned()))
    }

    /// Whether an assertion is to be run.
    pub(crate) fn wants(&self, number: u16) -> bool {
        let has = |list: &[Numbers]| list.iter().any(|numbers| numbers.has(number));
        (self.only.is_empty() || has(&self.only)) && !has(&self.except)
    }
}

fn dialect(name: &str) -> Result<Profile, String> {
    match name {
        "r3" => Ok(Profile::R3),
        "spc4" => Ok(Profile::SPC4),
        other => Err(format!("--dialect {other}: r3 or spc4")),
    }
}
