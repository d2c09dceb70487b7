//! What an administrator decides about a device server to be.

use ikev2_scsi::ccs::UsageType;
use ikev2_scsi::crypto::{CertificateRequests, KeyKind};
use ikev2_scsi::wire::{Descriptor, Descriptors};
use ikev2_scsi::x509::IdentityMatch;
use ikev2_scsi::{HeaderFlags, SenseCodes, SlowCrypto};

use crate::boundary::Failure;
use crate::builder::{Plan, handles_with};
use crate::codes::{AlgorithmTypeCode, CallResult, HashCode, LimitCode, PolicyCode, RevocationCode};
use crate::handles::BuilderHandle;
use crate::pointers;

fn number<T: TryFrom<u64>>(value: u64) -> Result<T, Failure> {
    T::try_from(value).map_err(|_| Failure::argument(format!("{value} is too large")))
}

fn switch(value: u64) -> Result<bool, Failure> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Failure::argument(format!("{value} is neither 0 nor 1"))),
    }
}

fn decide(plan: &mut Plan, what: PolicyCode, value: u64) -> Result<(), Failure> {
    let policy = &mut plan.policy;
    match what {
        PolicyCode::MaxProtocolTimeout => policy.max_protocol_timeout = number(value)?,
        PolicyCode::MaxInactivityTimeout => policy.max_inactivity_timeout = number(value)?,
        PolicyCode::NonceLength => policy.nonce_length = number(value)?,
        PolicyCode::AllowTripleDes => policy.allow_triple_des = switch(value)?,
        PolicyCode::AllowNoAuthentication => policy.allow_no_authentication = switch(value)?,
        PolicyCode::WaiveCompleteRow => policy.waive_complete_row = switch(value)?,
        PolicyCode::OneSequence => policy.one_sequence = switch(value)?,
        PolicyCode::Offload => {
            policy.slow_crypto = if switch(value)? { SlowCrypto::Offload } else { SlowCrypto::Inline };
        }
        PolicyCode::ExpectedCalculationMs => policy.expected_calculation_ms = number(value)?,
        PolicyCode::ReportRefusals => plan.report_refusals = Some(switch(value)?),
        PolicyCode::DescriptorSense => plan.descriptor_sense = switch(value)?,
        PolicyCode::Rfc4306HeaderFlags => {
            plan.profile.header_flags = if switch(value)? { HeaderFlags::Rfc4306 } else { HeaderFlags::T10 };
        }
        PolicyCode::AssignedSenseCodes => {
            plan.profile.sense_codes = if switch(value)? { SenseCodes::Assigned } else { SenseCodes::R3 };
        }
        PolicyCode::RequestCertificates => {
            let requests =
                if switch(value)? { CertificateRequests::TrustAnchors } else { CertificateRequests::Nothing };
            plan.requests = Some(requests);
        }
        PolicyCode::IdentityMatch => {
            plan.identity_match = if switch(value)? { IdentityMatch::Required } else { IdentityMatch::Off };
        }
        PolicyCode::Revocation => plan.revocation = RevocationCode::of_code(number::<u32>(value)?)?.into(),
    }
    Ok(())
}

/// Decides one thing: `what` is an ikev2_scsi_policy, which says what `value` may be. IDENTITY_MATCH and REVOCATION are about
/// the trust anchors that are given by calls.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_builder_policy(builder: *mut BuilderHandle, what: u32, value: u64) -> CallResult {
    handles_with(builder, |plan| decide(plan, PolicyCode::of_code(what)?, value))
}

/// Sets a bound: `what` is an ikev2_scsi_limit.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_builder_limit(builder: *mut BuilderHandle, what: u32, value: u64) -> CallResult {
    handles_with(builder, |plan| {
        let limits = &mut plan.limits;
        match LimitCode::of_code(what)? {
            LimitCode::Nexuses => limits.nexuses = number(value)?,
            LimitCode::Sequences => limits.sequences = number(value)?,
            LimitCode::Sas => limits.sas = number(value)?,
            LimitCode::SasPerIdentity => limits.sas_per_identity = number(value)?,
            LimitCode::Retained => limits.retained = number(value)?,
            LimitCode::ParameterList => limits.parameter_list = number(value)?,
            LimitCode::Payloads => limits.payloads = number(value)?,
            LimitCode::Certificates => limits.certificates = number(value)?,
            LimitCode::AuthFailures => limits.auth_failures = number(value)?,
            LimitCode::Jobs => limits.jobs = number(value)?,
            LimitCode::Events => limits.events = number(value)?,
        }
        Ok(())
    })
}

/// Adds a use of associations that is accepted: SECURITY ASSOCIATION TYPE, in SPC-4 SA TYPE, and most bytes of USAGE DATA. The
/// first one takes the place of those that there were: tape data encryption (81h), or what a configuration says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_builder_usage_type(
    builder: *mut BuilderHandle,
    code: u16,
    max_data: usize,
) -> CallResult {
    handles_with(builder, |plan| {
        let types = plan.policy.usage_types.to_mut();
        if !plan.usage_types_given {
            types.clear();
        }
        plan.usage_types_given = true;
        types.push(UsageType { code, max_data });
        Ok(())
    })
}

/// Hides an algorithm of an ikev2_scsi_algorithm_type, by its ALGORITHM IDENTIFIER in r3 Tables K2 to K6, with all its key
/// lengths.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_builder_hide(
    builder: *mut BuilderHandle,
    algorithm_type: u32,
    identifier: u32,
) -> CallResult {
    handles_with(builder, |plan| {
        let kind = AlgorithmTypeCode::of_code(algorithm_type)?;
        plan.policy.hidden_algorithms.push((kind.into(), identifier));
        Ok(())
    })
}

/// Adds an ikev2_scsi_hash that is accepted in RSA signatures of application clients. The first one takes the place of those
/// that there were: SHA-1, or what a configuration says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_builder_rsa_hash(builder: *mut BuilderHandle, hash: u32) -> CallResult {
    handles_with(builder, |plan| {
        let hash = HashCode::of_code(hash)?.of(KeyKind::Rsa);
        let hashes = plan.policy.rsa_hashes.to_mut();
        if !plan.rsa_hashes_given {
            hashes.clear();
        }
        plan.rsa_hashes_given = true;
        hashes.push(hash);
        Ok(())
    })
}

/// Adds a SECURITY PROTOCOL that the embedder serves itself, such as 20h, to the supported list.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_builder_other_protocol(builder: *mut BuilderHandle, protocol: u8) -> CallResult {
    handles_with(builder, |plan| {
        plan.other_protocols.get_or_insert_default().push(protocol);
        Ok(())
    })
}

/// Reports exactly these capabilities, `count` cryptographic algorithm descriptors of 12 bytes each. For test benches.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_builder_fixed_capabilities(
    builder: *mut BuilderHandle,
    descriptors: *const u8,
    count: usize,
) -> CallResult {
    handles_with(builder, |plan| {
        // SAFETY: the caller of C keeps the rules of README.md.
        plan.capabilities = Some(unsafe { read_descriptors(descriptors, count) }?);
        Ok(())
    })
}

/// # Safety
/// The descriptors can be read.
pub(crate) unsafe fn read_descriptors(descriptors: *const u8, count: usize) -> Result<Vec<Descriptor>, Failure> {
    let length = count.checked_mul(Descriptors::EACH);
    let length = length.ok_or_else(|| Failure::argument(format!("there cannot be {count} descriptors")))?;
    // SAFETY: the promise of whoever calls this.
    let bytes = unsafe { pointers::bytes("descriptors", descriptors, length) }?;
    let (all, _) = bytes.as_chunks::<{ Descriptors::EACH }>();
    let read = |bytes: &[u8; Descriptors::EACH]| {
        let descriptor = Descriptor::from_bytes(bytes);
        let is_exact = descriptor.to_bytes() == *bytes;
        is_exact.then_some(descriptor).ok_or_else(|| Failure::argument("a descriptor has reserved bytes that are set"))
    };
    all.iter().map(read).collect()
}
