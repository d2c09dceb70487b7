//! The Key Exchange phase (r3 5.13.4.3; readings R2, R4-R8, R15, R17, R28, R34, R38, R39; SPC-4 5.14.4.6, readings S1-S5).
//!
//! What lives here: every check of a key exchange OUT, the draws of nonce, private value and SAI, the key exchange IN.
//! What does not: the Diffie-Hellman calculation itself (`job`).

use core::ops::Range;

use zeroize::Zeroize;

use super::job::KeyExchangeWork;
use super::{Sequence, Setting, Usage, usage};
use crate::capabilities::{Offer, Selected, Selection, select};
use crate::crypto::{CryptoError, DhGroup, KeyKind, Purpose, Random, Secret, Suite, draw_sai};
use crate::dialect::{Exchange, HAS_SPC4, PayloadType};
use crate::keys::KeySet;
use crate::memory::{self, OutOfMemory};
use crate::sense::{Limit, Refusal};
use crate::wire::{
    Algorithms, Body, CertificateRequest, Chain, EmitError, Expected, Field, Header, KeyExchange, MessageWriter, Nonce,
    RawPayload, SaAlgorithms, Sai, Timeouts, WireError, WireErrorKind, check_order, find,
};

/// What a key exchange OUT leads to, nothing of it done yet: the key exchange IN is written but for our public value.
pub(crate) struct Plan {
    pub(crate) sequence: Sequence,
    secrets: Secrets,
}

/// Our private value, the shared secret, and the keys that will be made of it, one after the other in one block.
pub(crate) struct Secrets {
    block: Secret,
    private: usize,
    shared: usize,
}

impl Secrets {
    /// Draws the private value.
    fn draw(suite: &Suite, random: &mut dyn Random) -> Result<Self, Refusal> {
        let private = random.dh_private_length(suite.group.private_length());
        let shared = suite.group.shared_length();
        // The embedder's random source and group say how long theirs are.
        let total = private.checked_add(shared).and_then(|length| length.checked_add(KeySet::length(suite)));
        let mut block = Secret::try_zeroed(total.ok_or(OutOfMemory)?)?;
        suite.group.draw_private(random, block.expose_mut().get_mut(..private).unwrap_or_default())?;
        Ok(Self { block, private, shared })
    }

    #[cfg(test)]
    pub(super) fn expose(&self) -> &[u8] {
        self.block.expose()
    }

    /// Calculates our public value and the shared secret.
    pub(super) fn exchange(&mut self, group: &dyn DhGroup, peer: &[u8], public: &mut [u8]) -> Result<(), CryptoError> {
        let divided = self.block.expose_mut().split_at_mut_checked(self.private);
        let (private, rest) = divided.ok_or(CryptoError::Length)?;
        group.exchange(private, peer, public, rest.get_mut(..self.shared).ok_or(CryptoError::Length)?)
    }
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
    let retained = check_retained(setting, [list.len(), answer].into_iter())?;
    let total = list.len().wrapping_add(answer);
    let mut messages = memory::with_capacity(total)?;
    memory::append(&mut messages, list)?;

    let mut ds_nonce = [0; Nonce::MAX];
    let ds_nonce = ds_nonce.get_mut(..setting.policy.nonce_length).ok_or(Refusal::Internal)?;
    random.fill(Purpose::Nonce, ds_nonce)?;
    let secrets = Secrets::draw(&selection.suite, random)?;
    let ds_sai = draw_sai(profile, random, Purpose::DsSai, is_taken)?;
    let mut sequence = Sequence {
        ac_sai: header.ac_sai,
        ds_sai,
        timeouts,
        selection,
        usage,
        messages,
        answer_at: list.len(),
        ac_nonce: place(raw_nonce.at.wrapping_add(RawPayload::HEADER_LEN), nonce.data),
        ds_nonce: 0..0,
        ac_public: place(ke.at.wrapping_add(KeyExchange::PUBLIC_AT), public),
        ds_public: 0..0,
        retained,
        failures: 0,
    };
    memory::extend_zeroed(&mut sequence.messages, answer)?;
    write_in(setting, &mut sequence, &echo, ds_nonce)?;
    Ok(Plan { sequence, secrets })
}

/// Where these bytes are that begin at `at`.
const fn place(at: usize, bytes: &[u8]) -> Range<usize> {
    at..at.wrapping_add(bytes.len())
}

/// No more payloads are read than the limit (reading R40); gives how many there are, `before` with them.
pub(super) fn check_count(setting: &Setting, chain: &Chain<'_>, before: usize) -> Result<usize, Refusal> {
    let limit = setting.limits.payloads;
    let count = chain.clone().map_while(Result::ok).take(limit.saturating_add(1)).count().wrapping_add(before);
    if count > limit { Err(Refusal::InsufficientResources { limit: Limit::Payloads }) } else { Ok(count) }
}

/// No more is kept than the limit (reading R40); gives how much that is.
pub(super) fn check_retained(setting: &Setting, parts: impl Iterator<Item = usize>) -> Result<usize, Refusal> {
    let retained = parts.fold(0, usize::wrapping_add);
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

/// What of a key exchange OUT is returned (SPC-4 5.14.4.6.3, reading S1).
struct Echo<'a> {
    /// One payload, in SPC-4 two.
    payloads: [(PayloadType, &'a [u8]); 2],
    /// Whether the first has a SAI, in the place of which ours is returned (r3 5.13.4.3.3).
    has_said: bool,
}

impl<'a> Echo<'a> {
    /// The payloads that there are.
    fn payloads(&self) -> impl Iterator<Item = &(PayloadType, &'a [u8])> + Clone {
        // Neither is ever empty.
        self.payloads.iter().filter(|(_, data)| !data.is_empty())
    }

    /// Bytes of each payload's data.
    fn lengths(&self) -> impl Iterator<Item = usize> + Clone {
        self.payloads().map(|(_, data)| data.len())
    }

    /// Writes what the key exchange IN begins with.
    fn write(&self, writer: &mut MessageWriter<'_>, ds_sai: Sai) -> Result<(), EmitError> {
        let at = writer.at();
        for (payload, data) in self.payloads() {
            writer.echo(*payload, data)?;
        }
        if self.has_said { writer.patch(at.wrapping_add(Algorithms::SAID_AT), &ds_sai.0.to_be_bytes()) } else { Ok(()) }
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
    if !HAS_SPC4 || kind == PayloadType::Algorithms {
        let (sca, selection) = check_algorithms(setting, offer, &raw, ac_sai)?;
        let data = place(raw.at.wrapping_add(Algorithms::USAGE_DATA_AT), sca.usage_data);
        let usage = Usage { sa_type: u16::from(sca.sa_type), suite: None, echo: None, data };
        let echo = Echo { payloads: [(kind, raw.data), (kind, &[])], has_said: true };
        return Ok(Proposed { selection, usage: Some(usage), echo });
    }
    let payload: SaAlgorithms<'a> = raw.body(setting.profile)?;
    let selected = Selected::of_sa_algorithms(&payload, raw.at);
    let selection = select(offer, setting.methods, &setting.provider, &selected)?;
    let for_usage = find(chain, PayloadType::SaUsage);
    let usage =
        for_usage.as_ref().map(|raw| usage::check(setting, offer, raw, Exchange::KeyExchangeOut)).transpose()?;
    let second = for_usage.map_or(&[][..], |raw| raw.data);
    let usage = usage.map(|judged| judged.in_key_exchange());
    let echo = Echo { payloads: [(kind, raw.data), (PayloadType::SaUsage, second)], has_said: false };
    Ok(Proposed { selection, usage, echo })
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

impl Plan {
    /// Does the Diffie-Hellman calculation at once, and derives the keys.
    pub(crate) fn calculate(self, setting: &Setting) -> Result<(Sequence, KeySet), Refusal> {
        let Self { mut sequence, mut secrets } = self;
        let (received, answer) = sequence.messages.split_at_mut_checked(sequence.answer_at).ok_or(Refusal::Internal)?;
        let peer = received.get(sequence.ac_public.clone()).unwrap_or_default();
        let Range { start, end } = sequence.ds_public;
        let ours = start.wrapping_sub(sequence.answer_at)..end.wrapping_sub(sequence.answer_at);
        let public = answer.get_mut(ours).ok_or(Refusal::Internal)?;
        secrets.exchange(sequence.selection.suite.group, peer, public)?;
        let keys = derive(setting, &sequence, secrets).map_err(|(error, _)| error)?;
        Ok((sequence, keys))
    }

    /// The calculation, to be done elsewhere.
    pub(crate) fn into_work(self) -> Result<(Sequence, KeyExchangeWork), CryptoError> {
        let Self { sequence, secrets } = self;
        let group = sequence.selection.suite.group;
        let work = KeyExchangeWork::new(group, secrets, sequence.part(&sequence.ac_public))?;
        Ok((sequence, work))
    }
}

/// Derives the keys from what the Diffie-Hellman calculation gave, and puts our public value into the key exchange IN.
///
/// The work comes back when that fails, so that it can be tried again (reading R40).
pub(crate) fn finish(
    setting: &Setting,
    sequence: &mut Sequence,
    work: KeyExchangeWork,
) -> Result<KeySet, KeyExchangeWork> {
    let place = sequence.messages.get_mut(sequence.ds_public.clone()).unwrap_or_default();
    if !memory::copy(&work.public, place) {
        return Err(work);
    }
    let KeyExchangeWork { group, secrets, peer, public } = work;
    derive(setting, sequence, secrets).map_err(|(_, secrets)| KeyExchangeWork { group, secrets, peer, public })
}

fn derive(setting: &Setting, sequence: &Sequence, secrets: Secrets) -> Result<KeySet, (CryptoError, Secrets)> {
    let Secrets { block, private, shared } = secrets;
    let log = setting.logger(sequence.ac_sai, sequence.ds_sai);
    let (suite, context) = (&sequence.selection.suite, sequence.context());
    let place = private..private.wrapping_add(shared);
    let keys = KeySet::derive_in_place(setting.profile, suite, block, place, &context, log);
    keys.map_err(|(error, block)| (error, Secrets { block, private, shared }))
}

/// The Certificate Requests that go with a selection: in SPC-4 they make a certificate mandatory, so that there are none when the
/// application client does not sign (SPC-4 5.14.4.2, 5.14.4.3.3.4, question Q13).
pub(super) fn requests<'a>(
    setting: &'a Setting,
    selection: &Selection,
) -> impl Iterator<Item = CertificateRequest<'a>> + use<'a> {
    let signs = selection.client_authentication.is_some_and(|method| KeyKind::of_auth_method(method).is_some());
    let asks = signs || !setting.profile.rules().requests_demand;
    setting.credentials.wishes().filter(move |_| asks)
}

/// Bytes of the key exchange IN; both public values have one length.
fn answer_length(
    setting: &Setting,
    selection: &Selection,
    echo: impl Iterator<Item = usize>,
    public_length: usize,
) -> usize {
    let requests = requests(setting, selection).map(|request| request.len());
    let key_exchange = public_length.wrapping_add(KeyExchange::PUBLIC_AT.wrapping_sub(RawPayload::HEADER_LEN));
    let bodies = requests.chain(echo).chain([key_exchange, setting.policy.nonce_length]);
    bodies.fold(Header::LEN, |sum, body| sum.wrapping_add(body).wrapping_add(RawPayload::HEADER_LEN))
}

/// What was selected echoed, KE, NONCE, CERTREQs (r3 5.13.4.3.3, SPC-4 5.14.4.6.3). Our public value is calculated later: there are
/// zeros in its place.
fn write_in(setting: &Setting, sequence: &mut Sequence, echo: &Echo<'_>, ds_nonce: &[u8]) -> Result<(), EmitError> {
    let (selection, answer_at) = (&sequence.selection, sequence.answer_at);
    let sais = (sequence.ac_sai, sequence.ds_sai);
    let (received, answer) = sequence.messages.split_at_mut_checked(answer_at).ok_or(EmitError::BufferTooSmall)?;
    let public = received.get(sequence.ac_public.clone()).unwrap_or_default();
    let mut writer = MessageWriter::new(setting.profile, Exchange::KeyExchangeIn, sais, 0, answer)?;
    echo.write(&mut writer, sequence.ds_sai)?;
    // Each ends with what is looked for.
    let before = |end: usize, bytes: &[u8]| {
        let end = answer_at.wrapping_add(end);
        end.wrapping_sub(bytes.len())..end
    };
    let ours = KeyExchange { group: selection.suite.group_number(), public };
    writer.framed(PayloadType::KeyExchange, ours.head(), ours.public, 0)?;
    sequence.ds_public = before(writer.at(), public);
    writer.echo(PayloadType::Nonce, ds_nonce)?;
    sequence.ds_nonce = before(writer.at(), ds_nonce);
    for request in requests(setting, selection) {
        writer.payload(PayloadType::CertificateRequest, &request)?;
    }
    let written = writer.finish()?;
    // The application client's, of the same length, has kept the place.
    let Range { start, end } = sequence.ds_public;
    let place = start.wrapping_sub(answer_at)..end.wrapping_sub(answer_at);
    written.get_mut(place).unwrap_or_default().zeroize();
    Ok(())
}
