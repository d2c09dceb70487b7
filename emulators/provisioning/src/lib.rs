//! One file that says who a device server or an application client is, in TOML or JSON, for emulators, initiators and the C
//! interface of `ikev2-scsi`.
//!
//! ```toml
//! profile = "r3"                     # or "spc4"; "r3" unless said otherwise
//! sense = "fixed"                    # or "descriptor"; of device servers
//!
//! [own]                              # who we are
//! identity = { type = "key_id", text = "iqn.2007-04.org.example:drive-9" }
//! preshared_key = { text = "the key of drive-9" }   # or hex = "..." or file = "drive-9.key"
//!
//! [[own.credential]]                 # a key to sign with; several may be there
//! key = "drive-9.key.pem"            # PKCS#8, PEM or DER: RSA, P-256, P-384, P-521
//! certificates = ["drive-9.pem"]     # its own first; without any, the peer knows the key
//!
//! [[peer]]                           # whom we know
//! identity = { type = "key_id", text = "iqn.2007-04.org.example:host-1" }
//! preshared_key = { text = "the key of host-1" }
//! public_key = "host-1.pem"          # SubjectPublicKeyInfo, or a certificate that has the key
//!
//! [trust]                            # whose certificates we believe
//! anchors = ["ca.pem"]
//! revocation_lists = ["ca.crl"]
//!
//! [policy]                           # what an administrator decides for a device server
//! max_protocol_timeout = 60
//!
//! [limits]                           # bounds of a device server
//! sas = 1024
//! ```
//!
//! A file of JSON has the same members. Members that are not known are refused. Names of files are relative to the
//! provisioning file; where a key or a certificate is asked for, its PEM text may stand in place of a name.
//!
//! # Members of both ends
//!
//! | member | what it is |
//! | --- | --- |
//! | `profile` | `"r3"` or `"spc4"` |
//! | `header_flags` | `"t10"` or `"rfc4306"`: bit positions of the header |
//! | `sense_codes` | of r3 `"r3"` or `"assigned"`: those that it recommends, or those that hosts' tables know |
//! | `own.identity`, `peer.identity` | `type` is `"key_id"`, `"fc_name"`, `"der_asn1_dn"` or `"der_asn1_gn"`; the data is one of `text`, `hex`, and of the latter two `certificate`, whose subject or first subjectAltName it is |
//! | `own.preshared_key`, `peer.preshared_key` | one of `text`, `hex`, and `file`, which has the key as its one line |
//! | `own.credential` | `key`; `certificates`; `hash`, of RSA, `"sha1"` unless said otherwise; `shows`, one of `"nothing"`, `"on_request"`, `"certificates"`, `"raw_key"`; `identity`, where it is not `own.identity` |
//! | `peer.public_key` | the key with which the peer signs; one that has keys of several kinds stands there several times |
//! | `trust.anchors`, `.revocation_lists` | PEM or DER; a file of PEM may have several |
//! | `trust.revocation` | `"required"` (default), `"when_listed"`, `"off"` |
//! | `trust.identity_match` | whether an identity must be the certificate's, `true` unless said otherwise |
//! | `trust.extended_use` | `"ike"` (default) or `"any"`: for what certificates may be |
//! | `trust.request_certificates` | whether Certificate Requests are sent, `true` unless said otherwise |
//! | `trust.rsa_hashes` | hashes accepted in RSA signatures, `["sha1"]` unless said otherwise |
//!
//! # Members of a device server
//!
//! `sense`; `policy`, whose members are those of [`Policy`] by name, and besides `hidden_algorithms` (a table of lists
//! `encryption`, `prf`, `integrity`, `group`, `authentication`), `usage_types` (a list of `{ code, max_data }`), `slow_crypto`
//! (`"inline"` or `"offload"`), `other_protocols` (a list of SECURITY PROTOCOL codes) and `report_refusals`; `limits`, whose
//! members are those of [`Limits`].
//!
//! # Members of an application client
//!
//! All are in `preferences`: `device_server`, the identity of the only one to talk to; the lists `encryption`, `prf`,
//! `integrity`, `group` and `authentication` (how the device server authenticates itself) with the best first, else the
//! strongest are; `own_authentication`; `protocol_timeout`, `inactivity_timeout` (seconds); `usage`, with `type`, `data`
//! (hexadecimal), and in SPC-4 `encryption` and `integrity`; `short_algorithms`, `nonce_length`, `initial_contact`,
//! `allow_no_authentication`, `allocation_length`.
//!
//! # Names of algorithms
//!
//! | of | names |
//! | --- | --- |
//! | `encryption` | `aes-gcm-16-256`, `aes-gcm-16-128`, `aes-ccm-16-256`, `aes-ccm-16-128`, `aes-ccm-8-256`, `aes-ccm-8-128`, `aes-cbc-256`, `aes-cbc-128`, `3des`, `null` |
//! | `prf` | `hmac-sha512`, `hmac-sha384`, `hmac-sha256`, `hmac-sha1`, `aes-xcbc` |
//! | `integrity` | `hmac-sha512-256`, `hmac-sha384-192`, `hmac-sha256-128`, `hmac-sha1-96`, `aes-xcbc-96`, `none` |
//! | `group` | `ecp-521`, `ecp-384`, `ecp-256`, `modp-8192`, `modp-6144`, `modp-4096`, `modp-3072`, `modp-2048` |
//! | `authentication` | `ecdsa-521`, `ecdsa-384`, `ecdsa-256`, `shared-key`, `rsa`, `none` |
//!
//! What lives here: reading. What does not: the calendar's time, which the embedder tells
//! ([`DeviceServer::set_unix_time`](ikev2_scsi::DeviceServer::set_unix_time)). Secrets that stand in the text itself are
//! wiped as far as they can be: a parser may have copied them, so keep those that matter in files.

mod ends;
mod error;
mod files;
mod members;
mod names;
mod random;
mod sides;

use std::path::Path;
use std::sync::Arc;

use ikev2_scsi::client::{ClientConfig, ClientConfigBuilder};
use ikev2_scsi::crypto::{CertificateValidator, CryptoProvider, Identity, PresharedKeys};
use ikev2_scsi::server::{Builder, DeviceServer, Limits};
use ikev2_scsi::{HeaderFlags, Policy, Profile, SenseCodes};
use zeroize::Zeroizing;

pub use error::{Error, Fault};
pub use random::SystemRandom;

use ends::{Decisions, Wishes};
use files::Files;
use sides::Sides;

/// A provisioning: everything that its files say has been read and checked.
#[derive(Debug)]
pub struct Provisioning {
    profile: Profile,
    descriptor_sense: bool,
    sides: Sides,
    decisions: Decisions,
    wishes: Wishes,
    /// A member of the other end, if there is one.
    of_device_server: Option<&'static str>,
    of_application_client: Option<&'static str>,
}

impl Provisioning {
    /// Reads a file, of JSON if its name ends in `.json`, else of TOML.
    ///
    /// # Errors
    /// [`Error`].
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let base = path.parent().unwrap_or(Path::new(""));
        let read = std::fs::read_to_string(path);
        let text = read.map_err(|error| Error::new("", Fault::File { path: path.into(), error }))?;
        let text = Zeroizing::new(text);
        let is_json = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("json"));
        if is_json { Self::from_json(&text, base) } else { Self::from_toml(&text, base) }
    }

    /// Reads TOML; the files that it names are relative to `base`.
    ///
    /// # Errors
    /// [`Error`].
    pub fn from_toml(text: &str, base: impl AsRef<Path>) -> Result<Self, Error> {
        // What toml prints of an error repeats the line, which may have a secret in it.
        let place = |error: &toml::de::Error| {
            let line = |at: usize| text.bytes().take(at).filter(|byte| *byte == b'\n').count().saturating_add(1);
            let line = error.span().map(|span| format!(" at line {}", line(span.start)));
            format!("{}{}", error.message(), line.unwrap_or_default())
        };
        let toml = toml::Deserializer::parse(text).map_err(|error| Error::new("", Fault::Syntax(place(&error))))?;
        Self::read(&members(toml, place)?, base.as_ref())
    }

    /// Reads JSON; the files that it names are relative to `base`.
    ///
    /// # Errors
    /// [`Error`].
    pub fn from_json(text: &str, base: impl AsRef<Path>) -> Result<Self, Error> {
        let mut json = serde_json::Deserializer::from_str(text);
        let root = members(&mut json, serde_json::Error::to_string)?;
        json.end().map_err(|error| Error::new("", Fault::Syntax(error.to_string())))?;
        Self::read(&root, base.as_ref())
    }

    fn read(root: &members::Root, base: &Path) -> Result<Self, Error> {
        let files = Files::below(base);
        Ok(Self {
            profile: profile(root)?,
            descriptor_sense: root.sense == Some(members::SenseFormat::Descriptor),
            sides: Sides::read(&files, root)?,
            decisions: Decisions::read(root)?,
            wishes: Wishes::read(&files, root)?,
            of_device_server: [
                root.sense.map(|_| "sense"),
                root.policy.as_ref().map(|_| "policy"),
                root.limits.as_ref().map(|_| "limits"),
            ]
            .into_iter()
            .find_map(|member| member),
            of_application_client: root.preferences.as_ref().map(|_| "preferences"),
        })
    }

    /// How the logical unit speaks.
    #[must_use]
    pub const fn profile(&self) -> Profile {
        self.profile
    }

    /// Who we are.
    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.sides.identity
    }

    /// Whether a device server's sense data is wished in descriptor format.
    #[must_use]
    pub const fn descriptor_sense(&self) -> bool {
        self.descriptor_sense
    }

    /// What an administrator has decided for a device server.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.decisions.policy
    }

    /// Bounds of a device server.
    #[must_use]
    pub const fn limits(&self) -> Limits {
        self.decisions.limits
    }

    /// A device server over a provider's algorithms.
    ///
    /// # Errors
    /// [`Error`] when the provisioning is an application client's: it has `preferences`.
    pub fn device_server(&self, provider: CryptoProvider) -> Result<Builder, Error> {
        if let Some(member) = self.of_application_client {
            return Err(Error::value(member, "is for application clients, and a device server is wanted"));
        }
        let sides = &self.sides;
        let mut builder = DeviceServer::builder(provider)
            .profile(self.profile)
            .policy(self.decisions.policy.clone())
            .limits(self.decisions.limits)
            .identity(sides.identity.clone())
            .certificate_requests(sides.requests.clone())
            .other_protocols(&self.decisions.other_protocols)
            .report_refusals(self.decisions.report_refusals);
        if let Some(keys) = &sides.keys {
            builder = builder.preshared_keys(Arc::clone(keys) as Arc<dyn PresharedKeys>);
        }
        if let Some(validator) = &sides.validator {
            builder = builder.validator(Arc::clone(validator) as Arc<dyn CertificateValidator>);
        }
        Ok(sides.credentials.iter().cloned().fold(builder, Builder::credential))
    }

    /// An application client over a provider's algorithms.
    ///
    /// # Errors
    /// [`Error`] when the provisioning is a device server's: it has `sense`, `policy` or `limits`.
    pub fn application_client(&self, provider: CryptoProvider) -> Result<ClientConfigBuilder, Error> {
        if let Some(member) = self.of_device_server {
            return Err(Error::value(member, "is for device servers, and an application client is wanted"));
        }
        let sides = &self.sides;
        let mut builder = ClientConfig::builder(provider, sides.identity.clone())
            .profile(self.profile)
            .certificate_requests(sides.requests.clone());
        if let Some(keys) = &sides.keys {
            builder = builder.preshared_keys(Arc::clone(keys) as Arc<dyn PresharedKeys>);
        }
        if let Some(validator) = &sides.validator {
            builder = builder.validator(Arc::clone(validator) as Arc<dyn CertificateValidator>);
        }
        if let Some(hashes) = &sides.rsa_hashes {
            builder = builder.rsa_hashes(hashes);
        }
        let builder = self.wishes.apply(&provider, builder);
        Ok(sides.credentials.iter().cloned().fold(builder, ClientConfigBuilder::credential))
    }
}

/// The members, each error with the path of the member that it is about.
fn members<'de, D>(deserializer: D, told: impl Fn(&D::Error) -> String) -> Result<members::Root, Error>
where
    D: serde::Deserializer<'de>,
{
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let path = error.path().to_string();
        let member = if path == "." { String::new() } else { path };
        Error::new(member, Fault::Syntax(told(error.inner())))
    })
}

fn profile(root: &members::Root) -> Result<Profile, Error> {
    let mut profile = match root.profile {
        members::Dialect::R3 => Profile::R3,
        members::Dialect::Spc4 => Profile::SPC4,
    };
    profile.header_flags = match root.header_flags {
        None | Some(members::HeaderFlags::T10) => HeaderFlags::T10,
        Some(members::HeaderFlags::Rfc4306) => HeaderFlags::Rfc4306,
    };
    profile.sense_codes = match (root.sense_codes, root.profile) {
        (None, _) => profile.sense_codes,
        (Some(_), members::Dialect::Spc4) => return Err(Error::value("sense_codes", "is for r3: SPC-4 has its own")),
        (Some(members::SenseCodes::R3), _) => SenseCodes::R3,
        (Some(members::SenseCodes::Assigned), _) => SenseCodes::Assigned,
    };
    Ok(profile)
}
