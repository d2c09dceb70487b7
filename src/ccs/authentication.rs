//! The Authentication phase (r3 5.13.4.4, 7.7.4.4-7.7.4.6, 7.7.4.8a; readings R18, R21, R29-R32, R34; SPC-4 5.14.4.7,
//! readings S7, S8, S11, S12).
//!
//! Order of the checks of an authentication OUT: header; outer payloads; Encrypted framing; ICV; decryption; inner
//! payloads, their order, then each; AUTH METHOD; certificates that were asked for; AUTH data. Everything before the ICV uses
//! public bytes only, and SPC-4 refuses it otherwise, since anybody could have sent it.

use alloc::vec::Vec;
use core::ops::Range;

use super::key_exchange::{check_count, check_retained, check_transferred, requests, required};
use super::usage::Judged;
use super::{Sequence, Setting, Usage, usage};
use crate::capabilities::Offer;
use crate::crypto::{CryptoError, HAS_SIGNATURES, Identity, OwnChoice, Purpose, Random, Secret};
use crate::dialect::{Exchange, HAS_SPC4, PayloadType};
use crate::keys::{Denial, KeySet, OwnAuth, PeerCheck, Protection, SignedOctets, identity_code, open, seal};
use crate::memory;
use crate::sense::{Claimant, Refusal};
use crate::time::UnixTime;
use crate::wire::{
    Authentication, Body, Certificate, CertificateRequest, Chain, EmitError, Encrypted, Expected, Field, Header,
    Identification, MessageWriter, Notify, Payload, RawPayload, WireError, WireErrorKind, check_order, find,
};

/// What an authentication OUT asks for, its AUTH data not yet verified.
pub(crate) struct Claim {
    pub(crate) client: Claimant,
    pub(crate) initial_contact: bool,
    /// How we authenticate ourselves in the answer, as it suits the Certificate Requests.
    pub(crate) own: Option<OwnChoice>,
    /// What the association is for, where this message tells it.
    pub(crate) usage: Option<Usage>,
    /// Offset of the Encrypted payload, where every failure of authentication points.
    pub(crate) at: usize,
}

/// Checks an authentication OUT up to its AUTH data.
///
/// The list is opened in place; a refusal after that leaves plaintext in it, which is the sender's own.
pub(crate) fn plan_out<'a>(
    setting: &Setting,
    offer: &Offer,
    sequence: &Sequence,
    keys: &KeySet,
    list: &'a mut [u8],
    transfer_length: usize,
) -> Result<Asserted<'a>, Refusal> {
    let protection = Protection::new(&sequence.selection.suite, keys.sk_ei(), keys.sk_ai());
    let expected = Expected {
        exchange: Exchange::AuthenticationOut,
        ac_sai: Some(sequence.ac_sai),
        ds_sai: Some(sequence.ds_sai),
        message_id: 1,
        total: transfer_length,
    };
    let opened = open_list(setting, &protection, list, &expected)?;
    let list: &'a [u8] = list;
    let log = setting.logger(sequence.ac_sai, sequence.ds_sai);
    log.record("plaintext_i", list.get(opened.encrypted.text.clone()).unwrap_or(&[]));
    check_inner(setting, offer, sequence, opened.inner(setting, list), opened.encrypted.at)
}

/// Why a claim is not even looked into.
pub(crate) fn deny(setting: &Setting, offer: &Offer, sequence: &Sequence, asserted: &Asserted<'_>) -> Option<Denial> {
    let (selection, method) = (&sequence.selection, asserted.auth.method);
    let accepted = selection.lets_client_use(method) && offer.accepts(method) && setting.methods.can_accept(method);
    if !accepted {
        return Some(Denial::Method);
    }
    if asserted.has_too_many {
        return Some(Denial::TooManyCertificates);
    }
    if !setting.profile.rules().requests_demand {
        return None;
    }
    if asserted.presented.0 == 0 && requests(setting, selection).next().is_some() {
        return Some(Denial::NoCertificate);
    }
    // What is asked of us must be in the authentication IN, which may no longer say that it is not (SPC-4 5.14.4.3.3.4,
    // 7.7.3.9).
    let presents = asserted.own.is_some_and(|own| setting.credentials.certificates(own).next().is_some());
    (asserted.wishes().next().is_some() && !presents).then_some(Denial::CertificateRequest)
}

/// An opened list: where its Encrypted payload is, and where the inner payloads end.
pub(super) struct Opened {
    pub(super) encrypted: Encrypted,
    pub(super) inner_end: usize,
}

impl Opened {
    pub(super) fn inner<'a>(&self, setting: &Setting, list: &'a [u8]) -> Chain<'a> {
        let inner = list.get(..self.inner_end).unwrap_or(list);
        Chain::inner(setting.profile, inner, self.encrypted.text.start, self.encrypted.first, self.encrypted.at)
    }
}

/// Checks the header and the outer payloads, then opens the Encrypted payload in place.
pub(super) fn open_list(
    setting: &Setting,
    protection: &Protection<'_>,
    list: &mut [u8],
    expected: &Expected,
) -> Result<Opened, Refusal> {
    let (opened, outer) =
        open_unproved(setting, protection, list, expected).map_err(|refusal| setting.of_anybody(refusal))?;
    let inner = opened.inner(setting, list);
    check_count(setting, &inner, outer)?;
    check_order(&inner, expected.exchange, true)?;
    Ok(opened)
}

/// Everything up to the ICV and the padding, which anybody could have sent; gives the number of outer payloads besides.
fn open_unproved(
    setting: &Setting,
    protection: &Protection<'_>,
    list: &mut [u8],
    expected: &Expected,
) -> Result<(Opened, usize), Refusal> {
    let profile = setting.profile;
    let header = Header::parse(profile, list)?;
    header.check(profile, expected)?;
    check_transferred(list, expected.total)?;
    let chain = Chain::outer(profile, list, &header);
    let outer = check_count(setting, &chain, 0)?;
    check_order(&chain, expected.exchange, false)?;
    let encrypted = protection.divide(&required(&chain, PayloadType::Encrypted)?)?;
    let inner_end = open(profile, protection, list, &encrypted)?;
    Ok((Opened { encrypted, inner_end }, outer))
}

/// What an application client asserts.
pub(crate) struct Asserted<'a> {
    inner: Chain<'a>,
    identity: Identification<'a>,
    /// The ID payload's data as received, which is signed with its reserved bytes (reading R29).
    signed: &'a [u8],
    /// Empty without signatures, which are all that certificates serve.
    certificates: Vec<Certificate<'a>>,
    /// CERT payloads, and the bytes of their certificates.
    presented: (usize, usize),
    /// Certificates above the limit, which are not among those.
    has_too_many: bool,
    own: Option<OwnChoice>,
    usage: Option<Judged<'a>>,
    auth: Authentication<'a>,
    at: usize,
}

impl<'a> Asserted<'a> {
    /// The Certificate Requests.
    fn wishes(&self) -> impl Iterator<Item = CertificateRequest<'a>> + Clone + use<'a> {
        wishes(&self.inner)
    }

    /// What is kept of it until the answer is written, or until its job is done.
    fn retained(&self) -> impl Iterator<Item = usize> {
        let usage = self.usage.map_or(0, |usage| usage.raw.data.len());
        [self.presented.1, self.identity.data.len(), self.auth.data.len(), usage].into_iter()
    }

    /// Offset of the Encrypted payload.
    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn claimant(&self) -> Result<Claimant, CryptoError> {
        Ok(Claimant { identity: Identity::try_new(self.identity)?, method: self.auth.method })
    }

    /// What outlives the command.
    pub(crate) fn claim(&self) -> Result<Claim, CryptoError> {
        Ok(Claim {
            client: self.claimant()?,
            initial_contact: find(&self.inner, PayloadType::Notify).is_some(),
            own: self.own,
            usage: self.usage.map(|usage| usage.keep()).transpose()?,
            at: self.at,
        })
    }

    /// Writes what is signed in place of the identity into `code`, which has the length of the PRF's output.
    pub(crate) fn write_code(&self, sequence: &Sequence, keys: &KeySet, code: &mut [u8]) -> Result<(), CryptoError> {
        identity_code(sequence.selection.suite.prf, keys.sk_pi(), self.signed, code)
    }

    /// What it takes to check the AUTH data; `code` is what [`Asserted::write_code`] has written.
    pub(crate) fn check<'c>(
        &'c self,
        setting: &'c Setting,
        offer: &'c Offer,
        sequence: &'c Sequence,
        code: &'c [u8],
        at: Option<UnixTime>,
    ) -> PeerCheck<'c> {
        let capabilities = signed_capabilities(setting, offer, Exchange::AuthenticationOut);
        let nonce = sequence.part(&sequence.ds_nonce);
        let octets = SignedOctets::new(capabilities, sequence.key_exchange_out(), nonce, code);
        let log = setting.logger(sequence.ac_sai, sequence.ds_sai);
        octets.record(log, "octets_i");
        log.record("auth_i", self.auth.data);
        PeerCheck {
            provider: &setting.provider,
            prf: sequence.selection.suite.prf,
            pad: setting.profile.rules().key_pad,
            credentials: setting.credentials.judges.borrowed(),
            identity: self.identity,
            method: self.auth.method,
            certificates: &self.certificates,
            at,
            octets,
            auth: self.auth.data,
        }
    }
}

/// What the octets of an authentication begin with: the capabilities as they would be reported now (reading R29, reading S8).
fn signed_capabilities<'a>(setting: &Setting, offer: &'a Offer, exchange: Exchange) -> &'a [u8] {
    setting.profile.rules().signed_capabilities(exchange, offer.parameter_data())
}

/// The Certificate Requests among payloads that have been checked.
fn wishes<'a>(inner: &Chain<'a>) -> impl Iterator<Item = CertificateRequest<'a>> + Clone + use<'a> {
    let profile = inner.profile();
    let requests = inner.clone().map_while(Result::ok);
    requests
        .filter(|raw| raw.payload == Some(PayloadType::CertificateRequest))
        .filter_map(move |raw| raw.body(profile).ok())
}

/// Reads every inner payload in its order, then checks what no payload can tell alone.
fn check_inner<'a>(
    setting: &Setting,
    offer: &Offer,
    sequence: &Sequence,
    inner: Chain<'a>,
    at: usize,
) -> Result<Asserted<'a>, Refusal> {
    let mut found = (None, None);
    let mut certificates = Vec::new();
    let mut presented = (0, 0_usize);
    let mut has_too_many = false;
    let mut usage = None;
    for raw in inner.clone() {
        let raw = raw?;
        match Payload::parse(setting.profile, &raw)? {
            Payload::Identification(identity) => {
                if setting.profile.rules().names_need_certificates {
                    identity.check_presented(&inner, &raw)?;
                }
                found.0 = Some((identity, raw.data));
            }
            Payload::Certificate(_) if presented.0 >= setting.limits.certificates => has_too_many = true,
            Payload::Certificate(certificate) => {
                presented = (presented.0.wrapping_add(1), presented.1.wrapping_add(certificate.data.len()));
                if HAS_SIGNATURES {
                    memory::push(&mut certificates, certificate)?;
                }
            }
            Payload::Notify(notify) if notify.sai != sequence.ds_sai => {
                let sai_at = Notify::SAI_AT.wrapping_add(setting.profile.rules().sai_offset);
                return Err(raw.error(sai_at, Field::Sai, WireErrorKind::Invalid).into());
            }
            Payload::Authentication(auth) => found.1 = Some(auth),
            Payload::SaUsage(_) if HAS_SPC4 => {
                usage = Some(usage::check(setting, offer, &raw, Exchange::AuthenticationOut)?);
            }
            _ => {}
        }
    }
    let missing = WireError::new(at, Field::NextPayload, WireErrorKind::Missing);
    let (identity, signed) = found.0.ok_or(missing)?;
    let auth = found.1.ok_or(missing)?;
    let own = setting.credentials.choose(sequence.selection.authentication, wishes(&inner));
    let asserted = Asserted { inner, identity, signed, certificates, presented, has_too_many, own, usage, auth, at };
    check_retained(setting, [sequence.retained].into_iter().chain(asserted.retained()))?;
    Ok(asserted)
}

/// Bytes of the longest IV of a cipher that messages are written with.
const MAX_IV: usize = 64;

/// An authentication IN, written but for our AUTH data, which are still zeros, and not yet sealed.
pub(crate) struct Answer {
    message: Vec<u8>,
    encrypted: Encrypted,
    /// Where the ID payload's data are.
    identity: Range<usize>,
    /// Where AUTHENTICATION DATA are.
    auth: Range<usize>,
}

impl Answer {
    /// AUTHENTICATION DATA, to be written.
    pub(crate) fn auth_mut(&mut self) -> &mut [u8] {
        self.message.get_mut(self.auth.clone()).unwrap_or_default()
    }

    /// Takes AUTHENTICATION DATA that were made elsewhere.
    pub(crate) fn set_auth(&mut self, auth: &Secret) -> Result<(), CryptoError> {
        let place = self.auth_mut();
        if memory::copy(auth.expose(), place) { Ok(()) } else { Err(CryptoError::Length) }
    }

    /// Seals the message, and gives it.
    pub(crate) fn finish(self, setting: &Setting, sequence: &Sequence, keys: &KeySet) -> Result<Vec<u8>, Refusal> {
        let Self { mut message, encrypted, auth, .. } = self;
        let log = setting.logger(sequence.ac_sai, sequence.ds_sai);
        log.record("auth_r", message.get(auth).unwrap_or_default());
        log.record("plaintext_r", message.get(encrypted.text.clone()).unwrap_or_default());
        seal(&Protection::new(&sequence.selection.suite, keys.sk_er(), keys.sk_ar()), &mut message, &encrypted)?;
        Ok(message)
    }
}

/// Writes the authentication IN but for AUTH data (r3 5.13.4.4.3), and what is signed in place of the identity into `code`, which
/// has the length of the PRF's output.
pub(crate) fn plan_in(
    setting: &Setting,
    sequence: &Sequence,
    keys: &KeySet,
    own: OwnChoice,
    random: &mut dyn Random,
    code: &mut [u8],
) -> Result<Answer, Refusal> {
    let suite = &sequence.selection.suite;
    let mut iv = [0; MAX_IV];
    let iv = iv.get_mut(..suite.cipher.iv_length()).ok_or(CryptoError::Length)?;
    random.fill(Purpose::Iv, iv)?;
    let answer = write_in(setting, sequence, keys, own, iv)?;
    let identity = answer.message.get(answer.identity.clone()).unwrap_or_default();
    identity_code(suite.prf, keys.sk_pr(), identity, code)?;
    Ok(answer)
}

/// What it takes to make our AUTH data; `code` is what [`plan_in`] has written.
pub(crate) fn own_auth<'a>(
    setting: &'a Setting,
    offer: &'a Offer,
    sequence: &'a Sequence,
    own: OwnChoice,
    code: &'a [u8],
) -> Result<OwnAuth<'a>, Refusal> {
    let capabilities = signed_capabilities(setting, offer, Exchange::AuthenticationIn);
    let nonce = sequence.part(&sequence.ac_nonce);
    let octets = SignedOctets::new(capabilities, sequence.key_exchange_in(), nonce, code);
    octets.record(setting.logger(sequence.ac_sai, sequence.ds_sai), "octets_r");
    let by = setting.credentials.means(own).ok_or(Refusal::Internal)?;
    Ok(OwnAuth { prf: sequence.selection.suite.prf, pad: setting.profile.rules().key_pad, by, octets })
}

fn write_in(
    setting: &Setting,
    sequence: &Sequence,
    keys: &KeySet,
    own: OwnChoice,
    iv: &[u8],
) -> Result<Answer, EmitError> {
    let suite = &sequence.selection.suite;
    let protection = Protection::new(suite, keys.sk_er(), keys.sk_ar());
    let by = setting.credentials.means(own).ok_or(EmitError::TooLong)?;
    let auth_length = by.auth_length(suite.prf);
    let identity = setting.credentials.identity(own).unwrap_or(&setting.identity).as_payload();
    let certificates = || setting.credentials.certificates(own);
    // Only where the authentication OUT had it (SPC-4 5.14.4.7.3).
    let usage = sequence.usage.as_ref().filter(|_| HAS_SPC4).and_then(|usage| usage.echo.as_deref());
    let [.., method] = sequence.selection.authentication.to_be_bytes();
    let auth = Authentication { method, data: &[] };
    let ends = [identity.len(), auth.len().wrapping_add(auth_length)].into_iter();
    let lengths = certificates().map(|certificate| certificate.len()).chain(ends).chain(usage.map(<[u8]>::len));
    let inner = lengths.fold(0, |sum: usize, body| sum.wrapping_add(body).wrapping_add(RawPayload::HEADER_LEN));
    let padded = inner.wrapping_add(1).next_multiple_of(suite.cipher.alignment().max(1));
    let around = iv.len().wrapping_add(protection.icv_length());
    let total = (Header::LEN + RawPayload::HEADER_LEN).wrapping_add(padded).wrapping_add(around);
    let mut message = memory::zeroed(total)?;
    let sais = (sequence.ac_sai, sequence.ds_sai);
    let mut writer = MessageWriter::new(setting.profile, Exchange::AuthenticationIn, sais, 1, &mut message)?;
    writer.begin_encrypted(iv)?;
    writer.framed(PayloadType::IdDeviceServer, identity.head(), identity.data, 0)?;
    let identity = writer.at().wrapping_sub(identity.len())..writer.at();
    if let Some(echo) = usage {
        writer.echo(PayloadType::SaUsage, echo)?;
    }
    for certificate in certificates() {
        writer.payload(PayloadType::Certificate, &certificate)?;
    }
    writer.framed(PayloadType::Authentication, auth.head(), auth.data, auth_length)?;
    let auth = writer.at().wrapping_sub(auth_length)..writer.at();
    let encrypted = writer.end_encrypted(suite.cipher.alignment(), protection.icv_length())?;
    writer.finish()?;
    Ok(Answer { message, encrypted, identity, auth })
}
