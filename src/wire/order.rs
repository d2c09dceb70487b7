//! Which payloads a message has, in which order and number, and what is done with payloads that nobody recognises (r3
//! 7.7.3.1.1, 7.7.4.1, reading R6; SPC-4 7.7.3.4, question Q12, reading S3).
//!
//! What lives here: the rule. What does not: the lists, which are the dialect's ([`Slots`]).

use super::{Chain, Field, Header, Payload, RawPayload, SaAlgorithms, WireError, WireErrorKind};
use crate::algorithm::{self, AlgorithmType};
use crate::dialect::{Count, Exchange, HAS_SPC4, Order, PayloadType, Slot, Slots};

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
    let open = if !HAS_SPC4 || slots.open == 0 { Presence::Forbidden } else { presence_without_authentication(chain) };
    let required = slots.required | if open == Presence::Required { slots.open } else { 0 };
    let allowed = slots.allowed | if open == Presence::Forbidden { 0 } else { slots.open };
    if is_as_sent(chain, slots.list, required) {
        return Ok(());
    }
    let found = walk(chain, rules.order, slots, allowed)?;
    let fault = |named_at, kind| Err(WireError::new(named_at, Field::NextPayload, kind));
    // What has no place at all is blamed before what it stands in the place of.
    if let Some(named_at) = found.without_place {
        return fault(named_at, WireErrorKind::OutOfPlace);
    }
    if required & found.set != required {
        return fault(found.ended_at, WireErrorKind::Missing);
    }
    found.misplaced.map_or(Ok(()), |named_at| fault(named_at, WireErrorKind::OutOfPlace))
}

/// Whether a chain holds what is required in the order in which it is sent, and nothing else: nearly every message does.
fn is_as_sent(chain: &Chain<'_>, slots: &[Slot], required: u32) -> bool {
    let mut walk = chain.clone();
    let mut required = slots.iter().filter(|slot| required & slot.payload.bit() != 0);
    required.all(|slot| matches!(walk.next(), Some(Ok(raw)) if raw.payload == Some(slot.payload)))
        && walk.next().is_none()
}

/// What a walk over a chain finds; a payload by the offset of the NEXT PAYLOAD field that names it.
struct Found {
    /// A bit for each type of payload.
    set: u32,
    /// The first payload that has no place in the message, where the order is free.
    without_place: Option<usize>,
    /// The first payload that is repeated or, where there is an order, out of it.
    misplaced: Option<usize>,
    /// Offset of the NEXT PAYLOAD field that ended the chain.
    ended_at: usize,
}

/// Walks a chain; it shall tile, and hold nothing that is not recognised and has CRIT set to one.
///
/// `allowed` are the types that have a place in it.
fn walk(chain: &Chain<'_>, order: Order, slots: &'static Slots, allowed: u32) -> Result<Found, WireError> {
    let mut places = Places { slots: slots.list, used: false };
    let mut found = Found { set: 0, without_place: None, misplaced: None, ended_at: 0 };
    let mut walk = chain.clone();
    let mut is_first = true;
    for raw in walk.by_ref() {
        let raw = raw?;
        let bit = raw.payload.map_or(0, PayloadType::bit);
        let (has_place, is_misplaced) = match (order, raw.payload) {
            (_, None) if raw.critical => {
                return Err(WireError::new(raw.named_at, Field::NextPayload, WireErrorKind::UnrecognisedCritical));
            }
            (Order::Listed, None | Some(PayloadType::VendorId)) => (true, false),
            (Order::Listed, Some(payload)) => (true, !places.take(payload)),
            (Order::Free, None) => (raw.named_at != Header::NEXT_PAYLOAD_AT, false),
            (Order::Free, Some(_)) => (allowed & bit != 0, found.set & !slots.any & bit != 0),
        };
        if !has_place {
            if is_first {
                // By what is named first everything behind it is read.
                return Err(WireError::new(raw.named_at, Field::NextPayload, WireErrorKind::OutOfPlace));
            }
            found.without_place.get_or_insert(raw.named_at);
        }
        if is_misplaced {
            found.misplaced.get_or_insert(raw.named_at);
        }
        found.set |= bit;
        is_first = false;
    }
    found.ended_at = walk.last_named_at();
    Ok(found)
}

/// How often a payload may be in one given message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    Required,
    Allowed,
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
