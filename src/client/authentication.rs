//! The Authentication phase (r3 5.13.4.4, 7.7.4.4-7.7.4.6, 7.7.4.8a; readings R18, R27, R29, R30, R34; SPC-4 5.14.4.7,
//! 5.14.4.3.3.4, 7.7.3.5.7; readings S8, S12, question Q35).
//!
//! Order of the checks of an authentication IN: header; outer payloads; Encrypted framing; ICV; decryption, in SPC-4 padding;
//! inner payloads, their order, then each, AUTH METHOD among them; in SPC-4 whether a certificate is there that we required;
//! identity; AUTH.

use alloc::vec::Vec;

use bytes::Bytes;

use super::Peer;
use super::config::ClientConfig;
use super::error::Fault;
use super::key_exchange::Keyed;
use super::preferences::method_of;
use super::sealed::{Opened, Outgoing};
use super::session::Session;
use super::usage::check_echo;
use crate::crypto::{CertificateWish, Identity, KeyKind, OwnChoice, Random, Secret};
use crate::dialect::{Exchange, PayloadType};
use crate::keys::{OwnAuth, PeerCheck, PrfOutput, SignedOctets, identity_code};
use crate::time::UnixTime;
use crate::wire::{
    Authentication, Body, Certificate, CertificateRequest, Chain, EmitError, Expected, Field, Identification,
    MessageWriter, Notify, Payload, RawPayload, SaUsage, WireError, WireErrorKind,
};

/// MESSAGE ID of the Authentication phase (reading R27; SPC-4 7.7.3.4).
const MESSAGE_ID: u32 = 1;

impl Keyed {
    /// Checks that we can show the certificate that the device server requires of one who signs (SPC-4 5.14.4.3.3.4, question
    /// Q35). Without one it would refuse us, so that it is not even asked.
    ///
    /// A shared key has no certificate, and what a device server does about that is its own affair.
    pub(super) fn check_certificate_required(&self, config: &ClientConfig) -> Result<(), Fault> {
        let is_required = config.profile.rules().requests_demand && !self.wishes.is_empty();
        if !is_required || KeyKind::of_auth_method(self.own_method).is_none() {
            return Ok(());
        }
        let shows_any = config.credentials.certificates(self.own(config)?).next().is_some();
        if shows_any { Ok(()) } else { Err(Fault::CertificateRequired) }
    }

    /// How we authenticate ourselves, as it suits the device server's Certificate Requests.
    fn own(&self, config: &ClientConfig) -> Result<OwnChoice, Fault> {
        let wishes = self.wishes.iter().map(CertificateWish::as_payload);
        config.credentials.choose(self.own_method, wishes).ok_or(Fault::NoOwnKey)
    }

    /// Writes the authentication OUT: ID, in SPC-4 SAUT, certificates and requests for them, Initial Contact if configured,
    /// AUTH (r3 5.13.4.4.2, SPC-4 5.14.4.7.2).
    pub(super) fn write_claim(&self, config: &ClientConfig, random: &mut dyn Random) -> Result<Bytes, Fault> {
        let session = &self.session;
        let prf = session.choice.suite.prf;
        let log = config.logger(session.ac_sai, session.ds_sai);
        let choice = self.own(config)?;
        let by = config.credentials.means(choice).ok_or(Fault::NoOwnKey)?;
        let identity = config.credentials.identity(choice).unwrap_or(&config.identity);
        let mut code = PrfOutput::room(prf.output_length())?;
        identity_code(prf, session.keys.sk_pi(), &identity.to_payload_data()?, code.expose_mut())?;
        let capabilities = self.capabilities(config, Exchange::AuthenticationOut);
        let octets = SignedOctets::new(&capabilities, &self.key_exchange_out, &session.ds_nonce, code.expose());
        octets.record(log, "octets_i");
        let pad = config.profile.rules().key_pad;
        let mut auth = Secret::try_zeroed(by.auth_length(prf))?;
        OwnAuth { prf, pad, by, octets }.run(auth.expose_mut()).map_err(Fault::of_own_key)?;
        log.record("auth_i", auth.expose());
        let claim = Claim {
            identity: identity.as_payload(),
            usage: session.usage.as_ref().map(|usage| usage.payload(config)),
            certificates: config.credentials.certificates(choice).collect(),
            requests: requests(config, session).collect(),
            notify: config.initial_contact.then_some(Notify { sai: session.ds_sai }),
            auth: Authentication { method: method_of(self.own_method), data: auth.expose() },
        };
        let outgoing = Outgoing {
            exchange: Exchange::AuthenticationOut,
            sais: (session.ac_sai, session.ds_sai),
            message_id: MESSAGE_ID,
            protection: session.outgoing(),
            plaintext: "plaintext_i",
            inner_length: claim.length(),
        };
        outgoing.write(config, random, |writer| claim.write(writer))
    }

    /// What the octets of an authentication begin with.
    fn capabilities(&self, config: &ClientConfig, exchange: Exchange) -> Bytes {
        Bytes::copy_from_slice(config.profile.rules().signed_capabilities(exchange, &self.parameter_data))
    }

    /// What the authentication IN is checked with.
    pub(super) fn into_awaited(self, config: &ClientConfig) -> Awaited {
        let signed_capabilities = self.capabilities(config, Exchange::AuthenticationIn);
        Awaited { session: self.session, signed_capabilities, key_exchange_in: self.key_exchange_in }
    }
}

/// The Certificate Requests that we send. Where they make a certificate mandatory, one who has no certificate is not asked
/// for it.
fn requests<'a>(config: &'a ClientConfig, session: &Session) -> impl Iterator<Item = CertificateRequest<'a>> + use<'a> {
    let asks = !config.profile.rules().requests_demand || session.choice.lets_server_sign();
    config.credentials.wishes().filter(move |_| asks)
}

/// The inner payloads of an authentication OUT, in their order (r3 5.13.4.4.2, SPC-4 5.14.4.7.2).
struct Claim<'a> {
    identity: Identification<'a>,
    usage: Option<SaUsage<'a>>,
    certificates: Vec<Certificate<'a>>,
    requests: Vec<CertificateRequest<'a>>,
    notify: Option<Notify>,
    auth: Authentication<'a>,
}

impl Claim<'_> {
    /// Bytes of the payloads, their headers included.
    fn length(&self) -> usize {
        let usage = self.usage.map(|usage| usage.len());
        let notify = self.notify.map(|notify| notify.len());
        let ends = [Some(self.identity.len()), usage, notify, Some(self.auth.len())];
        let certificates = self.certificates.iter().map(Body::len);
        let requests = self.requests.iter().map(Body::len);
        let bodies = ends.into_iter().flatten().chain(certificates).chain(requests);
        bodies.fold(0, |sum: usize, body| sum.saturating_add(body).saturating_add(RawPayload::HEADER_LEN))
    }

    fn write(&self, writer: &mut MessageWriter<'_>) -> Result<(), EmitError> {
        writer.payload(PayloadType::IdApplicationClient, &self.identity)?;
        if let Some(usage) = &self.usage {
            writer.payload(PayloadType::SaUsage, usage)?;
        }
        for certificate in &self.certificates {
            writer.payload(PayloadType::Certificate, certificate)?;
        }
        for request in &self.requests {
            writer.payload(PayloadType::CertificateRequest, request)?;
        }
        if let Some(notify) = &self.notify {
            writer.payload(PayloadType::Notify, notify)?;
        }
        writer.payload(PayloadType::Authentication, &self.auth)
    }
}

/// What a device server asserts.
struct Asserted<'a> {
    identity: Identification<'a>,
    /// The ID payload's data as received, which is signed with its reserved bytes (reading R29).
    signed: &'a [u8],
    certificates: Vec<Certificate<'a>>,
    auth: Authentication<'a>,
}

/// An authentication OUT was sent; the device server has not proved who it is.
pub(super) struct Awaited {
    session: Session,
    signed_capabilities: Bytes,
    key_exchange_in: Bytes,
}

impl Awaited {
    /// Checks the authentication IN, and tells who sent it. Nothing of the association may be used before this has succeeded.
    pub(super) fn verify(&self, config: &ClientConfig, data_in: &[u8], at: Option<UnixTime>) -> Result<Peer, Fault> {
        let session = &self.session;
        let expected = Expected {
            exchange: Exchange::AuthenticationIn,
            ac_sai: Some(session.ac_sai),
            ds_sai: Some(session.ds_sai),
            message_id: MESSAGE_ID,
            total: data_in.len(),
        };
        let opened = Opened::open(config.profile, &session.incoming(), &expected, data_in)?;
        config.logger(session.ac_sai, session.ds_sai).record("plaintext_r", opened.plaintext());
        let asserted = self.check_inner(config, &opened.inner(config.profile))?;
        self.check_auth(config, asserted, at)
    }

    /// Reads every inner payload in its order, then checks what no payload can tell alone.
    fn check_inner<'a>(&self, config: &ClientConfig, inner: &Chain<'a>) -> Result<Asserted<'a>, Fault> {
        let (rules, session) = (config.profile.rules(), &self.session);
        let mut found = (None, None);
        let mut certificates = Vec::new();
        for raw in inner.clone() {
            let raw = raw?;
            match Payload::parse(config.profile, &raw)? {
                Payload::Identification(identity) => {
                    if rules.names_need_certificates {
                        identity.check_presented(inner, &raw)?;
                    }
                    found.0 = Some((identity, raw.data));
                }
                Payload::Certificate(certificate) => certificates.push(certificate),
                Payload::Authentication(auth) => {
                    // The device server authenticates itself as it was told to (reading R18, SPC-4 7.7.3.5.7).
                    if auth.method != session.choice.auth_method() {
                        let error = raw.error(RawPayload::HEADER_LEN, Field::AuthMethod, WireErrorKind::Invalid);
                        return Err(error.into());
                    }
                    found.1 = Some(auth);
                }
                Payload::SaUsage(_) => {
                    if let Some(usage) = &session.usage {
                        check_echo(PayloadType::SaUsage, &raw, &usage.payload(config))?;
                    }
                }
                _ => {}
            }
        }
        let missing = WireError::new(inner.last_named_at(), Field::NextPayload, WireErrorKind::Missing);
        if rules.requests_demand && certificates.is_empty() && requests(config, session).next().is_some() {
            return Err(missing.into());
        }
        let (identity, signed) = found.0.ok_or(missing)?;
        Ok(Asserted { identity, signed, certificates, auth: found.1.ok_or(missing)? })
    }

    /// AUTH is over SSCC as read, in SPC-4 the whole capabilities parameter data | key exchange IN | Ni | prf(SK_pr, ID).
    fn check_auth(&self, config: &ClientConfig, asserted: Asserted<'_>, at: Option<UnixTime>) -> Result<Peer, Fault> {
        let Asserted { identity, signed, certificates, auth } = asserted;
        let session = &self.session;
        let prf = session.choice.suite.prf;
        let log = config.logger(session.ac_sai, session.ds_sai);
        let identity = Identity::new(identity.id_type, identity.data);
        if config.expected.as_ref().is_some_and(|expected| *expected != identity) {
            return Err(Fault::UnexpectedIdentity(identity));
        }
        let mut code = PrfOutput::room(prf.output_length())?;
        identity_code(prf, session.keys.sk_pr(), signed, code.expose_mut())?;
        let octets =
            SignedOctets::new(&self.signed_capabilities, &self.key_exchange_in, &session.ac_nonce, code.expose());
        octets.record(log, "octets_r");
        log.record("auth_r", auth.data);
        let check = PeerCheck {
            provider: &config.provider,
            prf,
            pad: config.profile.rules().key_pad,
            credentials: config.credentials.judges.borrowed(),
            identity: identity.as_payload(),
            method: auth.method,
            certificates: &certificates,
            at,
            octets,
            auth: auth.data,
        };
        match check.run() {
            Ok(proof) => Ok(Peer { identity, proof }),
            Err(error) => Err(Fault::of_peer(error, identity)),
        }
    }

    /// What the association is made of after [`Awaited::verify`], and deleted with without it.
    pub(super) fn into_session(self) -> Session {
        self.session
    }
}
