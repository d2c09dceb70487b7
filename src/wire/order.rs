//! Which payloads a message has, in which order and number, and what is done with payloads that nobody recognises (r3
//! 7.7.3.1.1, 7.7.4.1, reading R6; SPC-4 7.7.3.4, question Q12, reading S3).
//!
//! What lives here: the rule. What does not: the lists, which are the dialect's ([`Slot`]).

use super::{Chain, Field, Header, Payload, RawPayload, SaAlgorithms, WireError, WireErrorKind};
use crate::algorithm::{self, AlgorithmType};
use crate::dialect::{Count, Exchange, Order, PayloadType, Slot};

/// Checks that a chain holds the payloads of a message in their order and number (reading R6).
///
/// Faults in this order: the first payload that does not fit the message, or that is not recognised and has CRIT set to
/// one; a required payload is absent; a payload is out of its place or repeated. When the payloads do not tile the message,
/// and one before the place where that shows has a PAYLOAD LENGTH that its format does not have, that one is blamed.
///
/// In SPC-4 the order is free (reading S3): a payload is out of its place when it has none in the message, or is not recognised and
/// comes first, which is blamed before an absent one (SPC-4 7.7.3.4); and when it is repeated. Whether a key exchange has a SAUT
/// Cryptographic Algorithms payload follows from the authentication algorithms that the message itself selects.
///
/// # Errors
/// [`WireError`]; an absent payload is blamed on the NEXT PAYLOAD field that ended the chain (reading R39), every other
/// fault of order on the NEXT PAYLOAD field that names the payload.
pub fn check_order(chain: &Chain<'_>, exchange: Exchange, inside_encrypted: bool) -> Result<(), WireError> {
    check_places(chain, exchange, inside_encrypted).map_err(|fault| match fault.kind {
        WireErrorKind::Length => first_wrong_length(chain).unwrap_or(fault),
        _ => fault,
    })
}

/// The first payload whose own format says that its PAYLOAD LENGTH is wrong; what follows it is read from a wrong place.
fn first_wrong_length(chain: &Chain<'_>) -> Option<WireError> {
    let profile = chain.profile;
    let mut faults = chain.clone().filter_map(Result::ok).filter_map(|raw| Payload::parse(profile, &raw).err());
    faults.find(|fault| fault.field == Field::PayloadLength && fault.kind == WireErrorKind::Length)
}

fn check_places(chain: &Chain<'_>, exchange: Exchange, inside_encrypted: bool) -> Result<(), WireError> {
    let rules = chain.profile.rules();
    let slots = if inside_encrypted { (rules.inner)(exchange) } else { (rules.outer)(exchange) };
    // Asked for once: whoever repeats a payload as often as a message holds it shall not have the chain walked as often.
    let is_open = slots.iter().any(|slot| slot.count == Count::Unauthenticated);
    let unauthenticated = if is_open { presence_without_authentication(chain) } else { Presence::Forbidden };
    let count_of = |slot: &Slot| match slot.count {
        Count::Unauthenticated => unauthenticated,
        Count::One => Presence::Required,
        Count::Optional => Presence::Allowed,
        Count::Any => Presence::Any,
    };
    let presence = |payload| slots.iter().find(|slot| slot.payload == payload).map(count_of);
    let has_place = |raw: &RawPayload<'_>| match raw.payload {
        Some(payload) => !matches!(presence(payload), None | Some(Presence::Forbidden)),
        None => raw.critical || raw.named_at != Header::NEXT_PAYLOAD_AT,
    };
    if rules.order == Order::Free
        && let Some(Ok(first)) = chain.clone().next()
        && !has_place(&first)
    {
        // By what is named first everything behind it is read.
        return Err(WireError::new(first.named_at, Field::NextPayload, WireErrorKind::OutOfPlace));
    }
    let found = recognised(chain)?;
    if rules.order == Order::Free {
        // What has no place at all is blamed before what it stands in the place of.
        each_in_place(chain, has_place)?;
    }
    if slots.iter().any(|slot| found.set & bit_of(slot.payload) == 0 && count_of(slot) == Presence::Required) {
        return Err(WireError::new(found.ended_at, Field::NextPayload, WireErrorKind::Missing));
    }
    match rules.order {
        Order::Listed => {
            let mut places = Places { slots, used: false };
            each_in_place(chain, |raw| match raw.payload {
                None | Some(PayloadType::VendorId) => true,
                Some(payload) => places.take(payload),
            })
        }
        Order::Free => {
            let mut before = 0_u32;
            each_in_place(chain, |raw| {
                let Some(payload) = raw.payload else { return true };
                let is_repeated = before & bit_of(payload) != 0;
                before |= bit_of(payload);
                !is_repeated || presence(payload) == Some(Presence::Any)
            })
        }
    }
}

/// What a first walk over a chain finds.
struct Found {
    /// A bit for each type of payload.
    set: u32,
    /// Offset of the NEXT PAYLOAD field that ended the chain.
    ended_at: usize,
}

/// Walks a chain; it shall tile, and hold nothing that is not recognised and has CRIT set to one.
fn recognised(chain: &Chain<'_>) -> Result<Found, WireError> {
    let mut walk = chain.clone();
    let mut set = 0;
    for raw in walk.by_ref() {
        let raw = raw?;
        match raw.payload {
            Some(payload) => set |= bit_of(payload),
            None if raw.critical => {
                return Err(WireError::new(raw.named_at, Field::NextPayload, WireErrorKind::UnrecognisedCritical));
            }
            None => {}
        }
    }
    Ok(Found { set, ended_at: walk.last_named_at() })
}

fn each_in_place(chain: &Chain<'_>, mut is_in_place: impl FnMut(&RawPayload<'_>) -> bool) -> Result<(), WireError> {
    for raw in chain.clone() {
        let raw = raw?;
        if !is_in_place(&raw) {
            return Err(WireError::new(raw.named_at, Field::NextPayload, WireErrorKind::OutOfPlace));
        }
    }
    Ok(())
}

const fn bit_of(payload: PayloadType) -> u32 {
    1_u32.unbounded_shl(payload as u32)
}

/// How often a payload may be in one given message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    Required,
    Allowed,
    Any,
    Forbidden,
}

/// How often a payload of exchanges without authentication is in this one.
///
/// Both directions without authentication make it required, both with it forbidden. One of each, or algorithms that cannot
/// be read, are a fault of their own, which this one is not to hide.
fn presence_without_authentication(chain: &Chain<'_>) -> Presence {
    let Some(Ok(algorithms)) =
        find(chain, PayloadType::SaAlgorithms).map(|raw| raw.body::<SaAlgorithms<'_>>(chain.profile))
    else {
        return Presence::Allowed;
    };
    let method = |code, identifier| {
        let number = algorithm::numbered(chain.profile, code, identifier);
        number.map(|number| number.row).filter(|row| row.algorithm_type == AlgorithmType::Authentication)
    };
    let mut methods = algorithms.descriptors.iter().filter_map(|d| method(d.algorithm_type, d.identifier));
    match (methods.next(), methods.next(), methods.next()) {
        (Some(first), Some(second), None) => {
            match (first.identifier == algorithm::IKE_AUTH_NONE, second.identifier == algorithm::IKE_AUTH_NONE) {
                (true, true) => Presence::Required,
                (false, false) => Presence::Forbidden,
                _ => Presence::Allowed,
            }
        }
        _ => Presence::Allowed,
    }
}

/// The places of a message that payloads may still take, in their order.
struct Places {
    slots: &'static [Slot],
    used: bool,
}

impl Places {
    /// Takes the place of one payload; false if it may not stand here.
    fn take(&mut self, payload: PayloadType) -> bool {
        loop {
            let Some((slot, later)) = self.slots.split_first() else { return false };
            if slot.payload == payload {
                let free = !self.used || slot.count == Count::Any;
                self.used = true;
                return free;
            }
            if slot.count == Count::One && !self.used {
                return false;
            }
            self.slots = later;
            self.used = false;
        }
    }
}

/// The first payload of one type in a chain that [`check_order`] has accepted.
#[must_use]
pub fn find<'a>(chain: &Chain<'a>, payload: PayloadType) -> Option<RawPayload<'a>> {
    chain.clone().filter_map(Result::ok).find(|raw| raw.payload == Some(payload))
}
