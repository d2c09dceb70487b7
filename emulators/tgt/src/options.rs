//! What an administrator says about a logical unit: `name=value` pairs with semicolons between them.
//!
//! They stand in `--bsopts` of the logical unit; what does not stand there is taken from the environment variable `IKEV2SCSI`
//! of tgtd, which has the same form. tgtadm splits its parameters at commas, hence the semicolons, and no value has a comma.

use std::path::PathBuf;

use ikev2_scsi::SlowCrypto;

/// The environment variable with what no logical unit says itself.
pub(crate) const VARIABLE: &str = "IKEV2SCSI";

/// Which of the standards is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    R3,
    Spc4,
}

/// Options of a logical unit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// `provisioning`: the file that says who the device server is, and whom it knows.
    pub(crate) provisioning: Option<PathBuf>,
    /// `profile`: `r3` or `spc4`, instead of what the provisioning file says.
    pub(crate) dialect: Option<Dialect>,
    /// `crypto`: `offload` to worker threads, as it is unless said otherwise, or `inline`, which holds up tgtd's event loop.
    pub(crate) crypto: Option<SlowCrypto>,
    /// `threads`: worker threads of the process, counted when the first logical unit is made.
    pub(crate) threads: Option<usize>,
    /// `store`: the backing store that keeps the blocks.
    pub(crate) store: Option<String>,
    /// `log`: `all` events, or only those about `sas` and failed authentications.
    pub(crate) logs_all: Option<bool>,
    /// `wrap`: `all` adds the commands to logical units of every backing store. In the environment only.
    pub(crate) wraps_all: bool,
}

impl Options {
    /// Reads a list.
    ///
    /// # Errors
    /// A sentence that names the pair.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut options = Self::default();
        for pair in text.split(';').map(str::trim).filter(|pair| !pair.is_empty()) {
            let Some((name, value)) = pair.split_once('=') else {
                return Err(format!("\"{pair}\" is not name=value"));
            };
            options.set(name.trim(), value.trim()).map_err(|why| format!("\"{pair}\": {why}"))?;
        }
        Ok(options)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), &'static str> {
        match (name, value) {
            (_, "") => return Err("there is no value"),
            ("provisioning", path) => self.provisioning = Some(path.into()),
            ("profile", "r3") => self.dialect = Some(Dialect::R3),
            ("profile", "spc4") => self.dialect = Some(Dialect::Spc4),
            ("profile", _) => return Err("profiles are r3 and spc4"),
            ("crypto", "offload") => self.crypto = Some(SlowCrypto::Offload),
            ("crypto", "inline") => self.crypto = Some(SlowCrypto::Inline),
            ("crypto", _) => return Err("crypto is offload or inline"),
            ("threads", count) => {
                let count = count.parse().ok().filter(|count| (1..=256).contains(count));
                self.threads = Some(count.ok_or("threads are 1 to 256")?);
            }
            ("store", name) => self.store = Some(name.into()),
            ("log", "all") => self.logs_all = Some(true),
            ("log", "sas") => self.logs_all = Some(false),
            ("log", _) => return Err("log is all or sas"),
            ("wrap", "all") => self.wraps_all = true,
            ("wrap", "none") => self.wraps_all = false,
            ("wrap", _) => return Err("wrap is all or none"),
            _ => return Err("options are provisioning, profile, crypto, threads, store, log and wrap"),
        }
        Ok(())
    }

    /// These options, and what they do not say from `others`.
    #[must_use]
    pub(crate) fn or(self, others: &Self) -> Self {
        Self {
            provisioning: self.provisioning.or_else(|| others.provisioning.clone()),
            dialect: self.dialect.or(others.dialect),
            crypto: self.crypto.or(others.crypto),
            threads: self.threads.or(others.threads),
            store: self.store.or_else(|| others.store.clone()),
            logs_all: self.logs_all.or(others.logs_all),
            wraps_all: self.wraps_all || others.wraps_all,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read() {
        let text = "provisioning=/etc/drive 9.toml; profile=spc4;crypto=inline;threads=3;store=aio;log=sas;wrap=all;";
        let read = Options {
            provisioning: Some("/etc/drive 9.toml".into()),
            dialect: Some(Dialect::Spc4),
            crypto: Some(SlowCrypto::Inline),
            threads: Some(3),
            store: Some("aio".into()),
            logs_all: Some(false),
            wraps_all: true,
        };
        assert_eq!(Options::parse(text), Ok(read.clone()));
        assert_eq!(Options::parse(" "), Ok(Options::default()));
        let own = Options::parse("profile=r3").unwrap();
        assert_eq!(own.or(&read), Options { dialect: Some(Dialect::R3), ..read });
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, why) in [
            ("profile", "\"profile\" is not name=value"),
            ("threads=2;profile=spc5", "\"profile=spc5\": profiles are r3 and spc4"),
            ("crypto=slow", "\"crypto=slow\": crypto is offload or inline"),
            ("threads=0", "\"threads=0\": threads are 1 to 256"),
            ("threads=many", "\"threads=many\": threads are 1 to 256"),
            ("log=none", "\"log=none\": log is all or sas"),
            ("wrap=some", "\"wrap=some\": wrap is all or none"),
            ("provisioning=", "\"provisioning=\": there is no value"),
            (
                "provision=/x",
                "\"provision=/x\": options are provisioning, profile, crypto, threads, store, log and wrap",
            ),
        ] {
            assert_eq!(Options::parse(text), Err(why.into()), "{text}");
        }
    }
}
