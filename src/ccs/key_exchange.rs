//! The Key Exchange phase (r3 5.13.4.3; readings R2, R4-R8, R15, R17, R28, R34, R38, R39; SPC-4 5.14.4.6, readings S1-S5).
//!
//! What lives here: every check of a key exchange OUT, the draws of nonce, private value and SAI, the key exchange IN.
//! What does not: the Diffie-Hellman calculation itself (`job`).

use alloc::vec;
use alloc::vec::Vec;

use bytes::Bytes;

use super::job::{Agreed, KeyExchangeWork};
use super::{Keyed, Sequence, Setting, Usage, usage};
use crate::capabilities::{Offer, Selected, Selection, select};
use crate::crypto::{CertificateWish, CryptoError, KeyKind, Purpose, Random, Secret, draw_sai};
use crate::dialect::{Exchange, PayloadType};
use crate::keys::Skeyseed;
use crate::sense::{Limit, Refusal};
use crate::wire::{
    Algorithms, Body, Chain, Expected, Field, Header, KeyExchange, MessageWriter, Nonce, RawPayload, SaAlgorithms, Sai,
    Timeouts, WireError, WireErrorKind, Writer, check_order, find,
};

/// What a key exchange OUT leads to, nothing of it done yet.
pub(crate) struct Plan {
    pub(crate) sequence: Sequence,
    pub(crate) work: KeyExchangeWork,
}

/// Checks a key exchange OUT and draws what it takes to answer it.
///
/// `offer` is what is offered to the nexus; `transfer_length` is the CDB's; `is_taken` tells the SAIs that a live association or a running sequence has.
pub(crate) fn plan(
    setting: &Setting,
    offer: &Offer,
    list: &[u8],
    transfer_length: usize,
    random: &mut dyn Random,
    is_taken: impl Fn(Sai) -> bool,
) -> Result<Plan, Refusal> {
    let profile = setting.profile;
    let header = Header::parse(profile, list)?;
    let expected = Expected {
        exchange: Exchange::KeyExchangeOut,
        ac_sai: None,
        ds_sai: Some(Sai::ZERO),
        message_id: 0,
        total: transfer_length,
    };
    header.check(profile, &expected)?;
    check_transferred(list, transfer_length)?;
    let chain = Chain::outer(profile, list, &header);
    check_count(setting, &chain, 0)?;
    check_order(&chain, Exchange::KeyExchangeOut, false)?;

    let stv = required(&chain, PayloadType::Timeouts)?;
    let timeouts = check_timeouts(setting, &stv)?;
    let Proposed { selection, usage, echo } = check_proposed(setting, offer, &chain, header.ac_sai)?;
    let ke = required(&chain, PayloadType::KeyExchange)?;
    let public = check_public(setting, &ke, &selection)?;
    let raw_nonce = required(&chain, PayloadType::Nonce)?;
    let nonce = check_nonce(setting, &raw_nonce, &selection)?;

    let answer = answer_length(setting, &selection, echo.lengths(), public.len());
    let parts = [usage.as_ref().map_or(0, |usage| usage.data.len()), nonce.data.len(), public.len()];
    let kept = [list.len(), setting.policy.nonce_length, answer];
    let retained = check_retained(setting, parts.into_iter().chain(echo.lengths()).chain(kept))?;

    let mut ds_nonce = vec![0; setting.policy.nonce_length];
    random.fill(Purpose::Nonce, &mut ds_nonce)?;
    let group = selection.suite.group;
    let mut private = Secret::zeroed(random.dh_private_length(group.private_length()));
    group.draw_private(random, private.expose_mut())?;
    let ds_sai = draw_sai(profile, random, Purpose::DsSai, is_taken)?;
    let sequence = Sequence {
        ac_sai: header.ac_sai,
        ds_sai,
        timeouts,
        selection,
        usage,
        echo: echo.with(ds_sai)?,
        ac_nonce: Bytes::copy_from_slice(nonce.data),
        ds_nonce: Bytes::from(ds_nonce),
        message: Bytes::copy_from_slice(list),
        retained,
        failures: 0,
    };
    let work = KeyExchangeWork { group, private, peer: Bytes::copy_from_slice(public) };
    Ok(Plan { sequence, work })
}

/// No more payloads are read than the limit (reading R40); gives how many there are, `before` with them.
pub(super) fn check_count(setting: &Setting, chain: &Chain<'_>, before: usize) -> Result<usize, Refusal> {
    let limit = setting.limits.payloads;
    let count = chain.clone().map_while(Result::ok).take(limit.saturating_add(1)).count().saturating_add(before);
    if count > limit { Err(Refusal::InsufficientResources { limit: Limit::Payloads }) } else { Ok(count) }
}

/// No more is kept than the limit (reading R40); gives how much that is.
pub(super) fn check_retained(setting: &Setting, parts: impl Iterator<Item = usize>) -> Result<usize, Refusal> {
    let retained = parts.fold(0, usize::saturating_add);
    if retained > setting.limits.retained {
        return Err(Refusal::InsufficientResources { limit: Limit::Retained });
    }
    Ok(retained)
}

/// Data-Out that is shorter than TRANSFER LENGTH is a fault of LENGTH (reading R39).
pub(super) fn check_transferred(list: &[u8], transfer_length: usize) -> Result<(), WireError> {
    if list.len() == transfer_length {
        return Ok(());
    }
    Err(WireError::new(Header::LENGTH_AT, Field::Length, WireErrorKind::Length))
}

/// A payload that `check_order` has found.
pub(super) fn required<'a>(chain: &Chain<'a>, payload: PayloadType) -> Result<RawPayload<'a>, WireError> {
    let missing = WireError::new(Header::NEXT_PAYLOAD_AT, Field::NextPayload, WireErrorKind::Missing);
    find(chain, payload).ok_or(missing)
}

/// Zero and more than the maximum are refused (r3 7.7.4.13, reading R28); in SPC-4 zero stands for ten seconds (SPC-4
/// 7.7.3.5.15, reading S4).
fn check_timeouts(setting: &Setting, raw: &RawPayload<'_>) -> Result<Timeouts, WireError> {
    let Timeouts { protocol, inactivity } = raw.body(setting.profile)?;
    let policy = &setting.policy;
    // The standard's own value is no wish of the application client's that the policy could refuse.
    let judged = |seconds: u32, most: u32| match (seconds, setting.profile.rules().zero_timeout) {
        (0, meant) => meant,
        _ => (seconds <= most).then_some(seconds),
    };
    let wrong = |at, field| raw.error(at, field, WireErrorKind::Invalid);
    Ok(Timeouts {
        protocol: judged(protocol, policy.max_protocol_timeout)
            .ok_or(wrong(Timeouts::PROTOCOL_AT, Field::ProtocolTimeout))?,
        inactivity: judged(inactivity, policy.max_inactivity_timeout)
            .ok_or(wrong(Timeouts::INACTIVITY_AT, Field::InactivityTimeout))?,
    })
}

/// What a key exchange OUT proposes.
struct Proposed<'a> {
    selection: Selection,
    /// What the association is for, where this message tells it.
    usage: Option<Usage>,
    echo: Echo<'a>,
}

/// What of a key exchange OUT is returned.
enum Echo<'a> {
    /// An SCA payload, with our SAI in the place of the application client's (r3 5.13.4.3.3).
    Algorithms(Algorithms<'a>),
    /// Payloads as they came (SPC-4 5.14.4.6.3, reading S1).
    Payloads([Option<(PayloadType, &'a [u8])>; 2]),
}

impl Echo<'_> {
    /// Bytes of each payload's data.
    fn lengths(&self) -> impl Iterator<Item = usize> + Clone {
        let lengths = match self {
            Self::Algorithms(sca) => [Some(sca.len()), None],
            Self::Payloads(payloads) => payloads.map(|payload| payload.map(|(_, data)| data.len())),
        };
        lengths.into_iter().flatten()
    }

    fn with(&self, ds_sai: Sai) -> Result<Vec<(PayloadType, Bytes)>, Refusal> {
        match self {
            Self::Algorithms(sca) => {
                let sca = Algorithms { said: ds_sai, ..*sca };
                let mut bytes = vec![0; sca.len()];
                sca.emit(&mut Writer::new(&mut bytes))?;
                Ok(vec![(PayloadType::Algorithms, Bytes::from(bytes))])
            }
            Self::Payloads(payloads) => {
                let payloads = payloads.iter().flatten();
                Ok(payloads.map(|(kind, data)| (*kind, Bytes::copy_from_slice(data))).collect())
            }
        }
    }
}

/// Judges what selects algorithms and tells what the association is for: in SPC-4 two payloads, of which the second comes here
/// only where authentication is omitted.
fn check_proposed<'a>(
    setting: &Setting,
    offer: &Offer,
    chain: &Chain<'a>,
    ac_sai: Sai,
) -> Result<Proposed<'a>, Refusal> {
    let kind = setting.profile.rules().algorithms_payload;
    let raw = required(chain, kind)?;
    if kind == PayloadType::Algorithms {
        let (sca, selection) = check_algorithms(setting, offer, &raw, ac_sai)?;
        let data = Bytes::copy_from_slice(sca.usage_data);
        let usage = Usage { sa_type: u16::from(sca.sa_type), data, suite: None, echo: Bytes::new() };
        return Ok(Proposed { selection, usage: Some(usage), echo: Echo::Algorithms(sca) });
    }
    let payload: SaAlgorithms<'a> = raw.body(setting.profile)?;
    let selected = Selected::of_sa_algorithms(&payload, raw.at);
    let selection = select(offer, setting.methods, &setting.provider, &selected)?;
    let for_usage = find(chain, PayloadType::SaUsage);
    let usage =
        for_usage.as_ref().map(|raw| usage::check(setting, offer, raw, Exchange::KeyExchangeOut)).transpose()?;
    let second = for_usage.map(|raw| (PayloadType::SaUsage, raw.data));
    Ok(Proposed { selection, usage, echo: Echo::Payloads([Some((kind, raw.data)), second]) })
}

fn check_algorithms<'a>(
    setting: &Setting,
    offer: &Offer,
    raw: &RawPayload<'a>,
    ac_sai: Sai,
) -> Result<(Algorithms<'a>, Selection), WireError> {
    let sca: Algorithms<'a> = raw.body(setting.profile)?;
    let Some(usage) = setting.policy.usage_type(u16::from(sca.sa_type)) else {
        return Err(raw.error(Algorithms::SA_TYPE_AT, Field::SecurityAssociationType, WireErrorKind::NotOffered));
    };
    if sca.usage_data.len() > usage.max_data {
        return Err(raw.error(Algorithms::USAGE_LENGTH_AT, Field::UsageDataLength, WireErrorKind::NotOffered));
    }
    if sca.said != ac_sai {
        return Err(raw.error(Algorithms::SAID_AT, Field::Said, WireErrorKind::Invalid));
    }
    let selected = Selected::of_algorithms(&sca, raw.at);
    let selection = select(offer, setting.methods, &setting.provider, &selected)?;
    Ok((sca, selection))
}

/// The KE payload's group is the selected one, its public value has the group's length and range (readings R15, R17).
fn check_public<'a>(setting: &Setting, raw: &RawPayload<'a>, selection: &Selection) -> Result<&'a [u8], Refusal> {
    let ke: KeyExchange<'a> = raw.body(setting.profile)?;
    let group = selection.suite.group;
    if ke.group != selection.suite.group_number() {
        return Err(raw.error(KeyExchange::GROUP_AT, Field::GroupNumber, WireErrorKind::Invalid).into());
    }
    match group.check_public(ke.public) {
        Ok(()) => Ok(ke.public),
        Err(CryptoError::Length) => Err(raw.reader().length_error().into()),
        Err(CryptoError::Refused) => {
            Err(raw.error(KeyExchange::PUBLIC_AT, Field::KeyExchangeData, WireErrorKind::Invalid).into())
        }
        Err(error) => Err(error.into()),
    }
}

/// At least half the key of the selected PRF (reading R38).
fn check_nonce<'a>(setting: &Setting, raw: &RawPayload<'a>, selection: &Selection) -> Result<Nonce<'a>, WireError> {
    let nonce: Nonce<'a> = raw.body(setting.profile)?;
    if nonce.data.len() < selection.suite.prf.key_length().div_ceil(2) {
        return Err(WireError { kind: WireErrorKind::Invalid, ..raw.reader().length_error() });
    }
    Ok(nonce)
}

/// Derives the keys and writes the key exchange IN from what the Diffie-Hellman calculation gave.
///
/// The work comes back with the refusal, so that it can be tried again (reading R40).
pub(crate) fn finish(
    setting: &Setting,
    sequence: &Sequence,
    agreed: Agreed,
) -> Result<Keyed, (Refusal, KeyExchangeWork)> {
    let Agreed { public, shared, work } = agreed;
    derive(setting, sequence, &public, shared).map_err(|refusal| (refusal, work))
}

fn derive(setting: &Setting, sequence: &Sequence, public: &[u8], shared: Secret) -> Result<Keyed, Refusal> {
    let suite = &sequence.selection.suite;
    let log = setting.logger(sequence.ac_sai, sequence.ds_sai);
    let key_exchange_in = write_in(setting, sequence, public)?;
    let context = sequence.context();
    let keys = Skeyseed::new(suite, shared, &context, log)?.derive(setting.profile, suite, &context, log)?;
    Ok(Keyed { keys, key_exchange_in })
}

/// The Certificate Requests that go with a selection: in SPC-4 they make a certificate mandatory, so that there are none when the
/// application client does not sign (SPC-4 5.14.4.2, 5.14.4.3.3.4, question Q13).
pub(super) fn requests(setting: &Setting, selection: &Selection) -> Vec<CertificateWish> {
    let signs = selection.client_authentication.is_some_and(|method| KeyKind::of_auth_method(method).is_some());
    if setting.profile.rules().requests_demand && !signs { Vec::new() } else { setting.credentials.wishes() }
}

/// Bytes of the key exchange IN; both public values have one length.
fn answer_length(
    setting: &Setting,
    selection: &Selection,
    echo: impl Iterator<Item = usize>,
    public_length: usize,
) -> usize {
    let requests = requests(setting, selection).into_iter().map(|wish| wish.as_payload().len());
    let key_exchange = public_length.saturating_add(KeyExchange::PUBLIC_AT.saturating_sub(RawPayload::HEADER_LEN));
    let bodies = requests.chain(echo).chain([key_exchange, setting.policy.nonce_length]);
    bodies.fold(Header::LEN, |sum, body| sum.saturating_add(body).saturating_add(RawPayload::HEADER_LEN))
}

/// What was selected echoed, KE, NONCE, CERTREQs (r3 5.13.4.3.3, SPC-4 5.14.4.6.3).
fn write_in(setting: &Setting, sequence: &Sequence, public: &[u8]) -> Result<Bytes, Refusal> {
    let selection = &sequence.selection;
    let ke = KeyExchange { group: selection.suite.group_number(), public };
    let nonce = Nonce { data: &sequence.ds_nonce };
    let echo = sequence.echo.iter().map(|(_, data)| data.len());
    let mut buffer = vec![0; answer_length(setting, selection, echo, public.len())];
    let sais = (sequence.ac_sai, sequence.ds_sai);
    let mut writer = MessageWriter::new(setting.profile, Exchange::KeyExchangeIn, sais, 0, &mut buffer)?;
    for (payload, data) in &sequence.echo {
        writer.echo(*payload, data)?;
    }
    writer.payload(PayloadType::KeyExchange, &ke)?;
    writer.payload(PayloadType::Nonce, &nonce)?;
    for wish in requests(setting, selection) {
        writer.payload(PayloadType::CertificateRequest, &wish.as_payload())?;
    }
    writer.finish()?;
    Ok(Bytes::from(buffer))
}
