//! What an association is for, as SPC-4 asks for it: the SAUT payload (SPC-4 7.7.3.5.14; readings S1, S6).

use alloc::vec::Vec;
use core::ops::Range;

use super::Setting;
use crate::capabilities::{Offer, Selected, select_usage};
use crate::crypto::UsageSuite;
use crate::dialect::Exchange;
use crate::memory::{self, OutOfMemory};
use crate::wire::{Field, RawPayload, SaUsage, WireError, WireErrorKind};

/// What an association is for.
#[derive(Debug)]
pub(crate) struct Usage {
    /// SECURITY ASSOCIATION TYPE, in SPC-4 SA TYPE.
    pub(crate) sa_type: u16,
    /// The algorithms that use it; `None` in r3.
    pub(crate) suite: Option<UsageSuite>,
    /// The SAUT payload's data as received with an authentication OUT, which are echoed.
    pub(crate) echo: Option<Vec<u8>>,
    /// Where USAGE DATA stands: in those, or else in the key exchange OUT.
    pub(super) data: Range<usize>,
}

/// A SAUT payload that was found good.
#[derive(Debug, Clone, Copy)]
pub(super) struct Judged<'a> {
    sa_type: u16,
    suite: UsageSuite,
    pub(super) raw: RawPayload<'a>,
    data_length: usize,
}

impl Judged<'_> {
    /// USAGE DATA in a message in which the payload's data begin at `at`.
    fn data(&self, at: usize) -> Range<usize> {
        let start = at.wrapping_add(SaUsage::USAGE_DATA_AT.wrapping_sub(RawPayload::HEADER_LEN));
        start..start.wrapping_add(self.data_length)
    }

    /// What is kept of one that came with the key exchange OUT, which is kept itself.
    pub(super) fn in_key_exchange(&self) -> Usage {
        let data = self.data(self.raw.at.wrapping_add(RawPayload::HEADER_LEN));
        Usage { sa_type: self.sa_type, suite: Some(self.suite), echo: None, data }
    }

    /// What is kept of one that came with an authentication OUT.
    pub(super) fn keep(&self) -> Result<Usage, OutOfMemory> {
        let echo = Some(memory::copy_of(self.raw.data)?);
        Ok(Usage { sa_type: self.sa_type, suite: Some(self.suite), echo, data: self.data(0) })
    }
}

/// Judges a SAUT payload that came with `exchange`.
///
/// Faults in this order: a type that the policy does not allow, or not without authentication; usage data that the type does
/// not have, or more than the policy allows; the descriptors.
pub(super) fn check<'a>(
    setting: &Setting,
    offer: &Offer,
    raw: &RawPayload<'a>,
    exchange: Exchange,
) -> Result<Judged<'a>, WireError> {
    let rules = setting.profile.rules();
    let payload: SaUsage<'_> = raw.body(setting.profile)?;
    let code = payload.sa_type;
    let wrong_type = |kind| Err(raw.error(SaUsage::SA_TYPE_AT, Field::SaType, kind));
    let Some(allowed) = setting.policy.usage_type(code) else { return wrong_type(WireErrorKind::NotOffered) };
    let takes_authentication =
        rules.usage_after_authentication.is_some_and(|(least, most)| (least..=most).contains(&code));
    if takes_authentication && exchange == Exchange::KeyExchangeOut {
        return wrong_type(WireErrorKind::Invalid);
    }
    let wrong_length = |kind| Err(raw.error(SaUsage::USAGE_LENGTH_AT, Field::UsageDataLength, kind));
    if rules.usage_without_data.contains(&code) && !payload.usage_data.is_empty() {
        return wrong_length(WireErrorKind::Invalid);
    }
    if payload.usage_data.len() > allowed.max_data {
        return wrong_length(WireErrorKind::NotOffered);
    }
    let suite = select_usage(offer, &setting.provider, &Selected::of_sa_usage(&payload, raw.at))?;
    Ok(Judged { sa_type: code, suite, raw: *raw, data_length: payload.usage_data.len() })
}
