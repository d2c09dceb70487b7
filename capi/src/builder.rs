//! A device server to be.

use std::ffi::c_char;
use std::path::Path;
use std::sync::Arc;

use ikev2_scsi::crypto::{CertificateRequests, CertificateValidator, Identity, KnownKeys, MemoryKeys, PresharedKeys};
use ikev2_scsi::keys::KeyLog;
use ikev2_scsi::server::{Builder, DeviceServer, Limits};
use ikev2_scsi::wire::Descriptor;
use ikev2_scsi::x509::{ChainValidatorBuilder, IdentityMatch, Revocation};
use ikev2_scsi::{Policy, Profile, provider};
use ikev2_scsi_provisioning::Provisioning;

use crate::boundary::{Failure, call};
use crate::callbacks::{Clock, ClockCallbacks, KeyLogCallbacks, KeyStore, RandomCallbacks, Recorder, Source};
use crate::codes::{CallResult, DialectCode, IdTypeCode};
use crate::handles::{self, BuilderHandle, ServerHandle};
use crate::pointers::{self, Out};
use crate::server::Unit;

/// Everything that a device server is made of. What is given by calls takes the place of what a configuration says.
pub(crate) struct Plan {
    provisioning: Option<Provisioning>,
    pub(crate) profile: Profile,
    pub(crate) policy: Policy,
    pub(crate) limits: Limits,
    pub(crate) descriptor_sense: bool,
    pub(crate) report_refusals: Option<bool>,
    pub(crate) requests: Option<CertificateRequests>,
    pub(crate) other_protocols: Option<Vec<u8>>,
    pub(crate) usage_types_given: bool,
    pub(crate) rsa_hashes_given: bool,
    pub(crate) capabilities: Option<Vec<Descriptor>>,
    pub(crate) identity: Option<Identity>,
    pub(crate) keys: Option<MemoryKeys>,
    pub(crate) key_store: Option<KeyStore>,
    pub(crate) credentials: Vec<ikev2_scsi::crypto::Credential>,
    pub(crate) known: Option<KnownKeys>,
    pub(crate) chains: Option<ChainValidatorBuilder>,
    pub(crate) revocation: Revocation,
    pub(crate) identity_match: IdentityMatch,
    random: Source,
    clock: Option<Clock>,
    key_log: Option<Recorder>,
}

impl Plan {
    fn new(profile: Profile) -> Self {
        Self {
            provisioning: None,
            profile,
            policy: Policy::default(),
            limits: Limits::default(),
            descriptor_sense: false,
            report_refusals: None,
            requests: None,
            other_protocols: None,
            usage_types_given: false,
            rsa_hashes_given: false,
            capabilities: None,
            identity: None,
            keys: None,
            key_store: None,
            credentials: Vec::new(),
            known: None,
            chains: None,
            revocation: Revocation::default(),
            identity_match: IdentityMatch::default(),
            random: Source::System,
            clock: None,
            key_log: None,
        }
    }

    fn of(provisioning: Provisioning) -> Result<Self, Failure> {
        // What is not a device server's is refused now.
        drop(provisioning.device_server(provider::provider()).map_err(Failure::configuration)?);
        let mut plan = Self::new(provisioning.profile());
        plan.policy = provisioning.policy().clone();
        plan.limits = provisioning.limits();
        plan.descriptor_sense = provisioning.descriptor_sense();
        plan.provisioning = Some(provisioning);
        Ok(plan)
    }

    /// The one that decides about application clients that sign; `None` where nothing was given by calls.
    fn validator(&mut self) -> Result<Option<Arc<dyn CertificateValidator>>, Failure> {
        let (known, chains) = (self.known.take(), self.chains.take());
        if known.is_none() && chains.is_none() {
            return Ok(None);
        }
        let known = known.unwrap_or_default();
        let Some(chains) = chains else { return Ok(Some(Arc::new(known))) };
        let chains = chains
            .revocation(self.revocation)
            .identity_match(self.identity_match)
            .identity_map(Arc::new(known.clone()))
            .build()
            .map_err(Failure::configuration)?;
        Ok(Some(Arc::new(known.with_certificates(Arc::new(chains)))))
    }

    fn build(mut self) -> Result<Unit, Failure> {
        let provider = provider::provider();
        let validator = self.validator()?;
        let mut builder = match &self.provisioning {
            Some(provisioning) => provisioning.device_server(provider).map_err(Failure::configuration)?,
            None => DeviceServer::builder(provider),
        };
        builder = builder.profile(self.profile).policy(self.policy).limits(self.limits);
        if let Some(identity) = self.identity {
            builder = builder.identity(identity);
        }
        match (self.key_store, self.keys) {
            (Some(_), Some(_)) => {
                return Err(Failure::configuration("shared keys are given by callbacks and by calls"));
            }
            (Some(store), None) => builder = builder.preshared_keys(Arc::new(store) as Arc<dyn PresharedKeys>),
            (None, Some(keys)) => builder = builder.preshared_keys(Arc::new(keys)),
            (None, None) => {}
        }
        builder = self.credentials.into_iter().fold(builder, Builder::credential);
        if let Some(validator) = validator {
            builder = builder.validator(validator);
        }
        if let Some(requests) = self.requests {
            builder = builder.certificate_requests(requests);
        }
        if let Some(protocols) = self.other_protocols {
            builder = builder.other_protocols(&protocols);
        }
        if let Some(report) = self.report_refusals {
            builder = builder.report_refusals(report);
        }
        if let Some(descriptors) = self.capabilities {
            builder = builder.fixed_capabilities(&descriptors);
        }
        if let Some(log) = self.key_log {
            builder = builder.key_log(Arc::new(log) as Arc<dyn KeyLog>);
        }
        let server = builder.build().map_err(Failure::configuration)?;
        Ok(Unit::new(server, self.random, self.clock, self.descriptor_sense))
    }
}

/// Begins a device server with nothing decided: an ikev2_scsi_dialect, no identity, no keys.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_builder_new(dialect: u32, builder: *mut *mut BuilderHandle) -> CallResult {
    call(|| {
        // SAFETY: the caller of C keeps the rules of README.md.
        let out = unsafe { Out::new("builder", builder) }?;
        let profile = match DialectCode::of_code(dialect)? {
            DialectCode::R3 => Profile::R3,
            DialectCode::Spc4 => Profile::SPC4,
        };
        out.set(handles::give(Plan::new(profile))?);
        Ok(())
    })
}

/// Begins a device server with a provisioning file: JSON if its name ends in ".json", else TOML. The documentation of
/// ikev2-scsi-provisioning describes the members.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_builder_from_file(
    path: *const c_char,
    builder: *mut *mut BuilderHandle,
) -> CallResult {
    call(|| {
        // SAFETY: the caller of C keeps the rules of README.md.
        let out = unsafe { Out::new("builder", builder) }?;
        // SAFETY: likewise.
        let path = unsafe { pointers::path("path", path) }?;
        let provisioning = Provisioning::load(path).map_err(Failure::configuration)?;
        out.set(handles::give(Plan::of(provisioning)?)?);
        Ok(())
    })
}

type Read = fn(&str, &Path) -> Result<Provisioning, ikev2_scsi_provisioning::Error>;

/// # Safety
/// The rules of README.md.
unsafe fn from_text(
    text: *const c_char,
    length: usize,
    directory: *const c_char,
    builder: *mut *mut BuilderHandle,
    read: Read,
) -> CallResult {
    call(|| {
        // SAFETY: the promise of whoever calls this.
        let out = unsafe { Out::new("builder", builder) }?;
        // SAFETY: likewise.
        let text = unsafe { pointers::bytes("text", text.cast(), length) }?;
        // What is in it may be secret.
        let text = ikev2_scsi::crypto::Secret::from(text);
        let text = str::from_utf8(text.expose()).map_err(|_| Failure::argument("text is not UTF-8"))?;
        let directory = if directory.is_null() {
            Default::default()
        } else {
            // SAFETY: likewise.
            unsafe { pointers::path("directory", directory) }?
        };
        out.set(handles::give(Plan::of(read(text, &directory).map_err(Failure::configuration)?)?)?);
        Ok(())
    })
}

/// Begins a device server with a provisioning in TOML: `length` bytes of UTF-8. The files that it names are relative to
/// `directory`, NULL for the working directory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_builder_from_toml(
    text: *const c_char,
    length: usize,
    directory: *const c_char,
    builder: *mut *mut BuilderHandle,
) -> CallResult {
    // SAFETY: the caller of C keeps the rules of README.md.
    unsafe { from_text(text, length, directory, builder, |text, base| Provisioning::from_toml(text, base)) }
}

/// The same in JSON.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_builder_from_json(
    text: *const c_char,
    length: usize,
    directory: *const c_char,
    builder: *mut *mut BuilderHandle,
) -> CallResult {
    // SAFETY: the caller of C keeps the rules of README.md.
    unsafe { from_text(text, length, directory, builder, |text, base| Provisioning::from_json(text, base)) }
}

/// Who the device server is. `id_type` is an ikev2_scsi_id_type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_builder_identity(
    builder: *mut BuilderHandle,
    id_type: u32,
    id: *const u8,
    id_length: usize,
) -> CallResult {
    handles_with(builder, |plan| {
        // SAFETY: the caller of C keeps the rules of README.md.
        plan.identity = Some(unsafe { identity(id_type, id, id_length) }?);
        Ok(())
    })
}

/// # Safety
/// The identity can be read.
pub(crate) unsafe fn identity(id_type: u32, id: *const u8, id_length: usize) -> Result<Identity, Failure> {
    let id_type = IdTypeCode::of_code(id_type)?;
    // SAFETY: the promise of whoever calls this.
    let data = unsafe { pointers::bytes("id", id, id_length) }?;
    if data.is_empty() {
        return Err(Failure::argument("an identity has one byte at least"));
    }
    Ok(Identity::new(id_type.into(), &data))
}

/// A call that changes a plan.
pub(crate) fn handles_with(
    builder: *mut BuilderHandle,
    body: impl FnOnce(&mut Plan) -> Result<(), Failure>,
) -> CallResult {
    call(|| handles::with(builder, body))
}

/// A random source in place of the operating system's. The structure is copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_builder_random(
    builder: *mut BuilderHandle,
    callbacks: *const RandomCallbacks,
) -> CallResult {
    handles_with(builder, |plan| {
        // SAFETY: the caller of C keeps the rules of README.md.
        let callbacks = unsafe { pointers::value("callbacks", callbacks) }?;
        plan.random = Source::of(&callbacks)?;
        Ok(())
    })
}

/// A calendar, against which certificates are checked. Without one, ikev2_scsi_server_set_unix_time() tells the time; until it
/// is told, certificates are refused. The structure is copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_builder_clock(
    builder: *mut BuilderHandle,
    callbacks: *const ClockCallbacks,
) -> CallResult {
    handles_with(builder, |plan| {
        // SAFETY: the caller of C keeps the rules of README.md.
        let callbacks = unsafe { pointers::value("callbacks", callbacks) }?;
        plan.clock = Some(Clock::of(&callbacks)?);
        Ok(())
    })
}

/// Dangerous: records every secret of every exchange, for test benches and captures of one's own. The structure is copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_builder_key_log(
    builder: *mut BuilderHandle,
    callbacks: *const KeyLogCallbacks,
) -> CallResult {
    handles_with(builder, |plan| {
        // SAFETY: the caller of C keeps the rules of README.md.
        let callbacks = unsafe { pointers::value("callbacks", callbacks) }?;
        plan.key_log = Some(Recorder::of(&callbacks)?);
        Ok(())
    })
}

/// Makes the device server. The builder is used up, whatever the answer is, but for BUSY, INVALID_HANDLE and NULL_POINTER.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_builder_build(
    builder: *mut BuilderHandle,
    server: *mut *mut ServerHandle,
) -> CallResult {
    call(|| {
        // SAFETY: the caller of C keeps the rules of README.md.
        let out = unsafe { Out::new("server", server) }?;
        let plan: Plan = handles::take(builder, |_| Ok(()))?;
        out.set(handles::give(plan.build()?)?);
        Ok(())
    })
}

/// Frees a builder that was not built. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_builder_free(builder: *mut BuilderHandle) -> CallResult {
    call(|| handles::free::<Plan>(builder))
}
