//! A security association in a file, so that a later command can show it and delete it.
//!
//! **The file has the association's keys in it.** Whoever reads it can do with the association what its owner can, so that it
//! is made for its owner alone (mode 0600), and refused where others may read it. It is lines of text:
//!
//! ```text
//! NAME VALUE
//! ```
//!
//! by the standard's names, in lower case; bytes are hexadecimal digits. Lines that begin with `#` say nothing. No password of
//! a target is in it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ikev2_scsi::algorithm::IKE_AUTH_NONE;
use ikev2_scsi::client::{ClientConfig, ClientConfigError, Preferences};
use ikev2_scsi::crypto::{CryptoError, Identity, Secret};
use ikev2_scsi::keys::{MgmtData, SaBlock, SaBytes, SaParameters, UsageAlgorithms};
use ikev2_scsi::provider;
use ikev2_scsi::wire::{IdType, Sai};
use ikev2_scsi::{HeaderFlags, Profile, SenseCodes};
use thiserror::Error;
use zeroize::Zeroizing;

/// What the first line says.
const FORMAT: &str = "format ikev2-scsi-association-1";
/// Bytes of a file, at most: four times what the longest association takes.
const LONGEST: u64 = 1 << 20;

/// What is kept of a security association besides its parameters.
#[derive(Debug, PartialEq, Eq)]
pub struct Saved {
    /// Where the logical unit is, without passwords.
    pub target: String,
    /// How it speaks.
    pub profile: Profile,
    /// When the association was created, in seconds since 1970.
    pub created: u64,
    /// Who the device server proved to be.
    pub device_server: Option<Identity>,
    /// The standard's parameters, with the keys.
    pub parameters: SaParameters,
}

/// Why an association cannot be kept or read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SavedError {
    /// The file.
    #[error("{path}: {error}", path = path.display())]
    File {
        /// Its name.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Others than its owner may read the file, and so have the keys.
    #[error("{}: others may read it (mode {mode:03o}), and it has keys in it; make it yours alone (chmod 600)", path.display())]
    Open {
        /// Its name.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It is no file of this format.
    #[error("{}: not a saved association of this format", .0.display())]
    Format(PathBuf),
    /// A line is missing or wrong.
    #[error("{path}: {name} is missing or wrong", path = path.display())]
    Line {
        /// The file's name.
        path: PathBuf,
        /// The line's name.
        name: &'static str,
    },
    /// The parameters cannot be kept in memory.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// A file that is there, for its owner alone, and empty: made before the association is, so that nothing is created that
/// could not be kept.
#[derive(Debug)]
pub struct Reserved {
    path: PathBuf,
    file: Option<File>,
}

impl Reserved {
    /// Makes the file. One that is there already is left alone.
    ///
    /// # Errors
    /// [`SavedError::File`].
    pub fn make(path: &Path) -> Result<Self, SavedError> {
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let file = made.map_err(|error| SavedError::File { path: path.into(), error })?;
        Ok(Self { path: path.into(), file: Some(file) })
    }

    /// Writes the association.
    ///
    /// # Errors
    /// [`SavedError::File`].
    pub fn write(mut self, saved: &Saved) -> Result<(), SavedError> {
        let text = saved.to_text();
        let written = self.file.as_mut().map_or(Ok(()), |file| file.write_all(text.as_bytes()));
        let written = written.and_then(|()| self.file.as_mut().map_or(Ok(()), |file| file.sync_all()));
        let failed = |error| SavedError::File { path: self.path.clone(), error };
        written.map_err(failed)?;
        // Nothing to clean up any more.
        self.file = None;
        Ok(())
    }
}

impl Drop for Reserved {
    /// No association came of it.
    fn drop(&mut self) {
        if self.file.take().is_some() {
            // The file is empty; if it stays, the next one says so.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

impl Saved {
    /// What is to be kept of an association that has just been created.
    #[must_use]
    pub fn new(target: String, profile: Profile, device_server: Option<Identity>, parameters: SaParameters) -> Self {
        let created = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Self { target, profile, created, device_server, parameters }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`SavedError`].
    pub fn load(path: &Path) -> Result<Self, SavedError> {
        let failed = |error| SavedError::File { path: path.into(), error };
        let file = File::open(path).map_err(failed)?;
        let about = file.metadata().map_err(failed)?;
        let mode = about.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(SavedError::Open { path: path.into(), mode });
        }
        let capacity = usize::try_from(about.len().min(LONGEST)).unwrap_or(0).saturating_add(1);
        // Read into room that is there already: a string that grows leaves a copy behind.
        let mut text = Zeroizing::new(String::with_capacity(capacity));
        file.take(LONGEST).read_to_string(&mut text).map_err(failed)?;
        Self::from_text(&text, path)
    }

    /// What it takes to make the Delete: the dialect, and no keys but the association's own.
    ///
    /// # Errors
    /// [`ClientConfigError`], which would be a fault of this crate.
    pub fn deleting_config(&self) -> Result<ClientConfig, ClientConfigError> {
        let provider = provider::provider();
        let mut preferences = Preferences::strongest_first(&provider);
        // Nobody authenticates anything in a Delete: without keys, this is the configuration that can be.
        preferences.authentication = vec![IKE_AUTH_NONE];
        ClientConfig::builder(provider, Identity::key_id(b""))
            .profile(self.profile)
            .preferences(preferences)
            .allow_no_authentication(true)
            .build()
    }

    fn to_text(&self) -> Zeroizing<String> {
        let sa = &self.parameters;
        let mut text = Lines(Zeroizing::new(String::with_capacity(1 << 16)));
        text.say(FORMAT);
        text.say("# This file has keys in it: whoever reads it can use and delete the association.");
        text.word("target", &self.target);
        text.word("dialect", dialect_name(self.profile));
        text.word("header_flags", if self.profile.header_flags == HeaderFlags::T10 { "t10" } else { "rfc4306" });
        let assigned = self.profile.sense_codes != SenseCodes::R3;
        text.word("sense_codes", if assigned { "assigned" } else { "r3" });
        text.number("created", self.created);
        if let Some(Identity { id_type, data }) = &self.device_server {
            text.number("device_server_id_type", id_type.code().into());
            text.bytes("device_server_id", data);
        }
        text.bytes("ac_sai", &sa.ac_sai.0.to_be_bytes());
        text.bytes("ds_sai", &sa.ds_sai.0.to_be_bytes());
        text.number("timeout", sa.timeout.into());
        text.number("ac_sqn", sa.ac_sqn);
        text.number("ds_sqn", sa.ds_sqn);
        text.number("kdf_id", sa.kdf_id.into());
        text.number("usage_type", sa.usage_type.into());
        if let Some(usage) = sa.usage_algorithms {
            text.number("usage_encr", usage.encr.into());
            text.number("usage_key_length", usage.key_length.into());
            text.number("usage_integ", usage.integ.into());
        }
        text.number("encr", sa.mgmt_data.encr.into());
        text.number("key_length", sa.mgmt_data.key_length.into());
        text.number("integ", sa.mgmt_data.integ.into());
        text.number("next_message_id", sa.mgmt_data.next_message_id.into());
        for (name, bytes) in byte_parameters(sa) {
            text.bytes(name, bytes);
        }
        text.0
    }

    fn from_text(text: &str, path: &Path) -> Result<Self, SavedError> {
        if text.lines().next() != Some(FORMAT) {
            return Err(SavedError::Format(path.into()));
        }
        let values = Values { text, path };
        let sa_number = |name| values.number(name);
        let usage_algorithms = match values.find("usage_encr") {
            None => None,
            Some(_) => Some(UsageAlgorithms {
                encr: values.small("usage_encr")?,
                key_length: values.small("usage_key_length")?,
                integ: values.small("usage_integ")?,
            }),
        };
        let mgmt_data = MgmtData {
            encr: values.small("encr")?,
            key_length: values.small("key_length")?,
            integ: values.small("integ")?,
            next_message_id: values.small("next_message_id")?,
        };
        let keymat = values.bytes("keymat")?;
        let key_seed = values.bytes("key_seed")?;
        let (sk_ei, sk_ai) = (values.bytes("sk_ei")?, values.bytes("sk_ai")?);
        let (sk_er, sk_ar) = (values.bytes("sk_er")?, values.bytes("sk_ar")?);
        let (ac_nonce, ds_nonce) = (values.bytes("ac_nonce")?, values.bytes("ds_nonce")?);
        let usage_data = values.bytes("usage_data")?;
        let block = SaBlock::new(&SaBytes {
            keymat: keymat.expose(),
            key_seed: key_seed.expose(),
            sk_ei: sk_ei.expose(),
            sk_ai: sk_ai.expose(),
            sk_er: sk_er.expose(),
            sk_ar: sk_ar.expose(),
            ac_nonce: ac_nonce.expose(),
            ds_nonce: ds_nonce.expose(),
            usage_data: usage_data.expose(),
        })?;
        let parameters = SaParameters {
            ac_sai: values.sai("ac_sai")?,
            ds_sai: values.sai("ds_sai")?,
            timeout: values.small("timeout")?,
            ac_sqn: sa_number("ac_sqn")?,
            ds_sqn: sa_number("ds_sqn")?,
            kdf_id: values.small("kdf_id")?,
            usage_type: values.small("usage_type")?,
            usage_algorithms,
            mgmt_data,
            block,
        };
        let (target, created) = (values.word("target")?.to_owned(), sa_number("created")?);
        Ok(Self { target, profile: values.profile()?, created, device_server: values.device_server()?, parameters })
    }
}

/// How people write the dialect.
#[must_use]
pub fn dialect_name(profile: Profile) -> &'static str {
    if profile.dialect == ikev2_scsi::Dialect::R3 { "r3" } else { "spc4" }
}

/// The parameters that are bytes, by the names of a file. All but the nonces and USAGE DATA are secret.
pub(crate) fn byte_parameters(sa: &SaParameters) -> [(&'static str, &[u8]); 9] {
    [
        ("keymat", sa.keymat()),
        ("key_seed", sa.key_seed()),
        ("sk_ei", sa.sk_ei()),
        ("sk_ai", sa.sk_ai()),
        ("sk_er", sa.sk_er()),
        ("sk_ar", sa.sk_ar()),
        ("ac_nonce", sa.ac_nonce()),
        ("ds_nonce", sa.ds_nonce()),
        ("usage_data", sa.usage_data()),
    ]
}

/// Appends bytes as hexadecimal digits.
pub(crate) fn push_hex(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        for digit in [byte.unbounded_shr(4), byte & 0x0F] {
            text.push(char::from_digit(digit.into(), 16).unwrap_or('0'));
        }
    }
}

/// A text in the making.
struct Lines(Zeroizing<String>);

impl Lines {
    fn say(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    fn word(&mut self, name: &str, value: &str) {
        self.0.push_str(name);
        self.0.push(' ');
        self.say(value);
    }

    fn number(&mut self, name: &str, value: u64) {
        self.word(name, &value.to_string());
    }

    fn bytes(&mut self, name: &str, bytes: &[u8]) {
        self.0.push_str(name);
        self.0.push(' ');
        push_hex(&mut self.0, bytes);
        self.0.push('\n');
    }
}

/// The lines of a file, by name.
struct Values<'a> {
    text: &'a str,
    path: &'a Path,
}

impl<'a> Values<'a> {
    fn find(&self, name: &str) -> Option<&'a str> {
        let lines = self.text.lines().filter(|line| !line.starts_with('#'));
        lines.filter_map(|line| line.split_once(' ')).find(|(found, _)| *found == name).map(|(_, value)| value)
    }

    fn wrong(&self, name: &'static str) -> SavedError {
        SavedError::Line { path: self.path.into(), name }
    }

    fn word(&self, name: &'static str) -> Result<&'a str, SavedError> {
        self.find(name).ok_or_else(|| self.wrong(name))
    }

    fn number(&self, name: &'static str) -> Result<u64, SavedError> {
        self.word(name)?.parse().map_err(|_| self.wrong(name))
    }

    fn small<T: TryFrom<u64>>(&self, name: &'static str) -> Result<T, SavedError> {
        T::try_from(self.number(name)?).map_err(|_| self.wrong(name))
    }

    fn bytes(&self, name: &'static str) -> Result<Secret, SavedError> {
        Secret::from_hex(self.word(name)?).map_err(|_| self.wrong(name))
    }

    fn sai(&self, name: &'static str) -> Result<Sai, SavedError> {
        let bytes = self.bytes(name)?;
        let bytes = bytes.expose().try_into().map_err(|_| self.wrong(name))?;
        Ok(Sai(u64::from_be_bytes(bytes)))
    }

    fn profile(&self) -> Result<Profile, SavedError> {
        let mut profile = match self.word("dialect")? {
            "r3" => Profile::R3,
            "spc4" => return Ok(Profile::SPC4),
            _ => return Err(self.wrong("dialect")),
        };
        profile.header_flags = match self.word("header_flags")? {
            "t10" => HeaderFlags::T10,
            "rfc4306" => HeaderFlags::Rfc4306,
            _ => return Err(self.wrong("header_flags")),
        };
        profile.sense_codes = match self.word("sense_codes")? {
            "r3" => SenseCodes::R3,
            "assigned" => SenseCodes::Assigned,
            _ => return Err(self.wrong("sense_codes")),
        };
        Ok(profile)
    }

    fn device_server(&self) -> Result<Option<Identity>, SavedError> {
        if self.find("device_server_id_type").is_none() {
            return Ok(None);
        }
        let code = self.small("device_server_id_type")?;
        let id_type = IdType::from_code(code).ok_or_else(|| self.wrong("device_server_id_type"))?;
        Ok(Some(Identity::new(id_type, self.bytes("device_server_id")?.expose())))
    }
}

#[cfg(test)]
mod tests;
