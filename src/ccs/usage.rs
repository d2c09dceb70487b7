//! What an association is for, as SPC-4 asks for it: the SAUT payload (SPC-4 7.7.3.5.14; readings S1, S6).

use bytes::Bytes;

use super::Setting;
use crate::capabilities::{Offer, Selected, select_usage};
use crate::crypto::UsageSuite;
use crate::dialect::Exchange;
use crate::wire::{Field, RawPayload, SaUsage, WireError, WireErrorKind};

/// What an association is for.
#[derive(Debug, Clone)]
pub(crate) struct Usage {
    /// SECURITY ASSOCIATION TYPE, in SPC-4 SA TYPE.
    pub(crate) sa_type: u16,
    /// USAGE DATA.
    pub(crate) data: Bytes,
    /// The algorithms that use it; `None` in r3.
    pub(crate) suite: Option<UsageSuite>,
    /// The SAUT payload's data as received, which is echoed; nothing in r3.
    pub(crate) echo: Bytes,
}

/// Judges a SAUT payload that came with `exchange`.
///
/// Faults in this order: a type that the policy does not allow, or not without authentication; usage data that the type does
/// not have, or more than the policy allows; the descriptors.
pub(super) fn check(
    setting: &Setting,
    offer: &Offer,
    raw: &RawPayload<'_>,
    exchange: Exchange,
) -> Result<Usage, WireError> {
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
    Ok(Usage {
        sa_type: code,
        data: Bytes::copy_from_slice(payload.usage_data),
        suite: Some(suite),
        echo: Bytes::copy_from_slice(raw.data),
    })
}
