//! The Authentication phase (r3 5.13.4.4, 7.7.4.4-7.7.4.6, 7.7.4.8a; readings R18, R21, R29-R32, R34; SPC-4 5.14.4.7,
//! readings S7, S8, S11, S12).
//!
//! Order of the checks of an authentication OUT: header; outer payloads; Encrypted framing; ICV; decryption; inner
//! payloads, their order, then each; AUTH METHOD; certificates that were asked for; AUTH data. Everything before the ICV uses
//! public bytes only, and SPC-4 refuses it otherwise, since anybody could have sent it.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use bytes::Bytes;

use super::key_exchange::{check_count, check_retained, check_transferred, requests, required};
use super::{Keyed, Sequence, Setting, Usage, usage};
use crate::capabilities::Offer;
use crate::crypto::{CertificateWish, Identity, Purpose, Random, Secret};
use crate::dialect::{Exchange, PayloadType};
use crate::keys::{Denial, OwnAuth, PeerCheck, Protection, SignedOctets, open, seal};
use crate::sense::{Claimant, Refusal};
use crate::time::UnixTime;
use crate::wire::{
    Authentication, Body, Certificate, CertificateEncoding, Chain, Encrypted, Expected, Field, Header, Identification,
    MessageWriter, Notify, Payload, RawPayload, WireError, WireErrorKind, check_order, find,
};

/// What an authentication OUT asks for, its AUTH data not yet verified.
pub(crate) struct Claim {
    pub(crate) client: Box<Claimant>,
    pub(crate) initial_contact: bool,
    /// The Certificate Requests, which our answer honours.
    pub(crate) wishes: Vec<CertificateWish>,
    /// What the association is for, where this message tells it.
    pub(crate) usage: Option<Usage>,
    /// Offset of the Encrypted payload, where every failure of authentication points.
    pub(crate) at: usize,
}

/// Checks an authentication OUT up to its AUTH data.
///
/// The list is opened in place; a refusal after that leaves plaintext in it, which is the sender's own.
pub(crate) fn plan_out(
    setting: &Setting,
    offer: &Offer,
    sequence: &Sequence,
    keyed: &Keyed,
    list: &mut [u8],
    transfer_length: usize,
    at: Option<UnixTime>,
) -> Result<(Claim, Box<PeerCheck>), Refusal> {
    let suite = &sequence.selection.suite;
    let protection = Protection::new(suite, &keyed.keys.sk_ei, &keyed.keys.sk_ai);
    let expected = Expected {
        exchange: Exchange::AuthenticationOut,
        ac_sai: Some(sequence.ac_sai),
        ds_sai: Some(sequence.ds_sai),
        message_id: 1,
        total: transfer_length,
    };
    let opened = open_list(setting, &protection, list, &expected)?;
    let list: &[u8] = list;
    let log = setting.logger(sequence.ac_sai, sequence.ds_sai);
    log.record("plaintext_i", list.get(opened.encrypted.text.clone()).unwrap_or(&[]));
    let inner = opened.inner(setting, list);
    let asserted = check_inner(setting, offer, sequence, &inner, opened.encrypted.at)?;
    let auth = asserted.auth;
    let identity = Identity::new(asserted.identity.id_type, asserted.identity.data);
    if let Some(why) = deny(setting, offer, sequence, &asserted) {
        let client = Box::new(Claimant { identity, method: auth.method });
        return Err(Refusal::Authentication { at: opened.encrypted.at, client, why });
    }
    let octets = SignedOctets::of_application_client(
        suite.prf,
        signed_capabilities(setting, offer, Exchange::AuthenticationOut)?,
        sequence.message.clone(),
        sequence.ds_nonce.clone(),
        &keyed.keys.sk_pi,
        asserted.signed,
    )?;
    octets.record(log, "octets_i");
    log.record("auth_i", auth.data);
    let work = PeerCheck {
        provider: setting.provider,
        prf: suite.prf,
        pad: setting.profile.rules().key_pad,
        credentials: Arc::clone(&setting.credentials),
        identity: identity.clone(),
        method: auth.method,
        certificates: asserted.certificates,
        at,
        octets,
        auth: auth.data.to_vec(),
    };
    let initial_contact = find(&inner, PayloadType::Notify).is_some();
    let client = Box::new(Claimant { identity, method: auth.method });
    let claim =
        Claim { client, initial_contact, wishes: asserted.wishes, usage: asserted.usage, at: opened.encrypted.at };
    Ok((claim, Box::new(work)))
}

/// Why a claim is not even looked into.
fn deny(setting: &Setting, offer: &Offer, sequence: &Sequence, asserted: &Asserted<'_>) -> Option<Denial> {
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
    if asserted.certificates.is_empty() && !requests(setting, selection).is_empty() {
        return Some(Denial::NoCertificate);
    }
    // What is asked of us must be in the authentication IN, which may no longer say that it is not (SPC-4 5.14.4.3.3.4,
    // 7.7.3.9).
    let means = setting.credentials.means(selection.authentication, &asserted.wishes);
    let presents = means.is_some_and(|means| !means.certificates(&asserted.wishes).is_empty());
    (!asserted.wishes.is_empty() && !presents).then_some(Denial::CertificateRequest)
}

/// What the octets of an authentication begin with: the capabilities as they would be reported now (reading R29, reading S8).
fn signed_capabilities(setting: &Setting, offer: &Offer, exchange: Exchange) -> Result<Bytes, Refusal> {
    let parameter_data = offer.parameter_data()?;
    Ok(Bytes::copy_from_slice(setting.profile.rules().signed_capabilities(exchange, &parameter_data)))
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
struct Asserted<'a> {
    identity: Identification<'a>,
    /// The ID payload's data as received, which is signed with its reserved bytes (reading R29).
    signed: &'a [u8],
    certificates: Vec<(CertificateEncoding, Box<[u8]>)>,
    /// Certificates above the limit, which are not among those.
    has_too_many: bool,
    wishes: Vec<CertificateWish>,
    usage: Option<Usage>,
    auth: Authentication<'a>,
}

impl Asserted<'_> {
    /// What is kept of it until the answer is written.
    fn retained(&self) -> impl Iterator<Item = usize> {
        let certificates = self.certificates.iter().map(|(_, data)| data.len());
        let wishes = self.wishes.iter().map(|wish| {
            let hashes = size_of_val(&*wish.authorities);
            hashes.saturating_add(Self::WISH)
        });
        let usage = self.usage.as_ref().map_or(0, |usage| usage.data.len().saturating_add(usage.echo.len()));
        certificates.chain(wishes).chain([self.identity.data.len(), self.auth.data.len(), usage])
    }

    /// What a Certificate Request takes besides its hashes.
    const WISH: usize = 32;
}

/// Reads every inner payload in its order, then checks what no payload can tell alone.
fn check_inner<'a>(
    setting: &Setting,
    offer: &Offer,
    sequence: &Sequence,
    inner: &Chain<'a>,
    at: usize,
) -> Result<Asserted<'a>, Refusal> {
    let mut found = (None, None);
    let mut certificates = Vec::new();
    let mut has_too_many = false;
    let mut requests = Vec::new();
    let mut usage = None;
    for raw in inner.clone() {
        let raw = raw?;
        match Payload::parse(setting.profile, &raw)? {
            Payload::Identification(identity) => {
                if setting.profile.rules().names_need_certificates {
                    identity.check_presented(inner, &raw)?;
                }
                found.0 = Some((identity, raw.data));
            }
            Payload::Certificate(_) if certificates.len() >= setting.limits.certificates => has_too_many = true,
            Payload::Certificate(Certificate { encoding, data }) => certificates.push((encoding, Box::from(data))),
            Payload::CertificateRequest(request) => requests.push(request),
            Payload::Notify(notify) if notify.sai != sequence.ds_sai => {
                let sai_at = Notify::SAI_AT.saturating_add(setting.profile.rules().sai_offset);
                return Err(raw.error(sai_at, Field::Sai, WireErrorKind::Invalid).into());
            }
            Payload::Authentication(auth) => found.1 = Some(auth),
            Payload::SaUsage(_) => usage = Some(usage::check(setting, offer, &raw, Exchange::AuthenticationOut)?),
            _ => {}
        }
    }
    let missing = WireError::new(at, Field::NextPayload, WireErrorKind::Missing);
    let (identity, signed) = found.0.ok_or(missing)?;
    let auth = found.1.ok_or(missing)?;
    let wishes = CertificateWish::gather(&requests);
    let asserted = Asserted { identity, signed, certificates, has_too_many, wishes, usage, auth };
    check_retained(setting, [sequence.retained].into_iter().chain(asserted.retained()))?;
    Ok(asserted)
}

/// What the authentication IN takes besides our AUTH data.
pub(crate) struct Answer {
    iv: Bytes,
    identity: Identity,
    certificates: Vec<(CertificateEncoding, Box<[u8]>)>,
    method: u8,
}

/// Prepares the authentication IN: the octets that we sign, and the IV.
pub(crate) fn plan_in(
    setting: &Setting,
    offer: &Offer,
    sequence: &Sequence,
    keyed: &Keyed,
    wishes: &[CertificateWish],
    random: &mut dyn Random,
) -> Result<(Answer, Box<OwnAuth>), Refusal> {
    let suite = &sequence.selection.suite;
    let [.., method] = sequence.selection.authentication.to_be_bytes();
    let means = setting.credentials.means(sequence.selection.authentication, wishes).ok_or(Refusal::Internal)?;
    let identity = means.identity().unwrap_or(&setting.identity).clone();
    let mut iv = vec![0; suite.cipher.iv_length()];
    random.fill(Purpose::Iv, &mut iv)?;
    let octets = SignedOctets::of_device_server(
        suite.prf,
        signed_capabilities(setting, offer, Exchange::AuthenticationIn)?,
        keyed.key_exchange_in.clone(),
        sequence.ac_nonce.clone(),
        &keyed.keys.sk_pr,
        &identity.to_payload_data()?,
    )?;
    octets.record(setting.logger(sequence.ac_sai, sequence.ds_sai), "octets_r");
    let pad = setting.profile.rules().key_pad;
    let work = OwnAuth { prf: suite.prf, pad, by: means.into(), octets };
    let answer = Answer { iv: Bytes::from(iv), identity, certificates: means.certificates(wishes), method };
    Ok((answer, Box::new(work)))
}

/// Writes and seals the authentication IN (r3 5.13.4.4.3).
pub(crate) fn write_in(
    setting: &Setting,
    sequence: &Sequence,
    keyed: &Keyed,
    answer: &Answer,
    auth: &Secret,
) -> Result<Bytes, Refusal> {
    let suite = &sequence.selection.suite;
    let protection = Protection::new(suite, &keyed.keys.sk_er, &keyed.keys.sk_ar);
    let identity = answer.identity.as_payload();
    let certificates: Vec<_> =
        answer.certificates.iter().map(|(encoding, data)| Certificate { encoding: *encoding, data }).collect();
    let auth = Authentication { method: answer.method, data: auth.expose() };
    // Only where the authentication OUT had it (SPC-4 5.14.4.7.3).
    let usage = sequence.usage.as_ref().map(|usage| &usage.echo).filter(|echo| !echo.is_empty());
    let ends = [identity.len(), auth.len()].into_iter().chain(usage.map(|echo| echo.len()));
    let lengths = certificates.iter().map(Body::len).chain(ends);
    let inner = lengths.fold(0, |sum: usize, body| sum.saturating_add(body).saturating_add(RawPayload::HEADER_LEN));
    let padded = inner.saturating_add(1).next_multiple_of(suite.cipher.alignment().max(1));
    let around = suite.cipher.iv_length().saturating_add(protection.icv_length());
    let total = (Header::LEN + RawPayload::HEADER_LEN).saturating_add(padded).saturating_add(around);
    let mut buffer = vec![0; total];
    let sais = (sequence.ac_sai, sequence.ds_sai);
    let mut writer = MessageWriter::new(setting.profile, Exchange::AuthenticationIn, sais, 1, &mut buffer)?;
    writer.begin_encrypted(&answer.iv)?;
    writer.payload(PayloadType::IdDeviceServer, &identity)?;
    if let Some(echo) = usage {
        writer.echo(PayloadType::SaUsage, echo)?;
    }
    for certificate in &certificates {
        writer.payload(PayloadType::Certificate, certificate)?;
    }
    writer.payload(PayloadType::Authentication, &auth)?;
    let encrypted = writer.end_encrypted(suite.cipher.alignment(), protection.icv_length())?;
    let message = writer.finish()?;
    let log = setting.logger(sequence.ac_sai, sequence.ds_sai);
    log.record("auth_r", auth.data);
    log.record("plaintext_r", message.get(encrypted.text.clone()).unwrap_or(&[]));
    seal(&protection, message, &encrypted)?;
    Ok(Bytes::from(buffer))
}
