//! The Authentication phase (r3 5.13.4.4, 7.7.4.4-7.7.4.6, 7.7.4.8a; readings R18, R27, R29, R30, R34; SPC-4 5.14.4.7,
//! 5.14.4.3.3.4, 7.7.3.5.7; readings S8, S12, question Q35).
//!
//! Order of the checks of an authentication IN: header; outer payloads; Encrypted framing; ICV; decryption, in SPC-4 padding;
//! inner payloads, their order, then each, AUTH METHOD among them; in SPC-4 whether a certificate is there that we required;
//! identity; AUTH.

use alloc::boxed::Box;
use alloc::sync::Arc;
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
use crate::crypto::{CertificateWish, Identity, KeyKind, Random};
use crate::dialect::{Exchange, PayloadType};
use crate::keys::{OwnAuth, PeerCheck, SignedOctets};
use crate::time::UnixTime;
use crate::wire::{
    Authentication, Body, Certificate, CertificateEncoding, Chain, EmitError, Expected, Field, Identification,
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
        let means = config.credentials.means(self.own_method, &self.wishes).ok_or(Fault::NoOwnKey)?;
        if means.certificates(&self.wishes).is_empty() { Err(Fault::CertificateRequired) } else { Ok(()) }
    }

    /// Writes the authentication OUT: ID, in SPC-4 SAUT, certificates and requests for them, Initial Contact if configured,
    /// AUTH (r3 5.13.4.4.2, SPC-4 5.14.4.7.2).
    pub(super) fn write_claim(&self, config: &ClientConfig, random: &mut dyn Random) -> Result<Bytes, Fault> {
        let session = &self.session;
        let prf = session.choice.suite.prf;
        let log = config.logger(session.ac_sai, session.ds_sai);
        let means = config.credentials.means(self.own_method, &self.wishes).ok_or(Fault::NoOwnKey)?;
        let identity = means.identity().unwrap_or(&config.identity);
        let octets = SignedOctets::of_application_client(
            prf,
            self.capabilities(config, Exchange::AuthenticationOut),
            self.key_exchange_out.clone(),
            session.ds_nonce.clone(),
            &session.keys.sk_pi,
            &identity.to_payload_data()?,
        )?;
        octets.record(log, "octets_i");
        let pad = config.profile.rules().key_pad;
        let auth = OwnAuth { prf, pad, by: means.into(), octets }.run().map_err(Fault::of_own_key)?;
        log.record("auth_i", auth.expose());
        let claim = Claim {
            identity: identity.as_payload(),
            usage: session.usage.as_ref().map(|usage| usage.payload(config)),
            certificates: means.certificates(&self.wishes),
            requests: requests(config, session),
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
fn requests(config: &ClientConfig, session: &Session) -> Vec<CertificateWish> {
    if config.profile.rules().requests_demand && !session.choice.lets_server_sign() {
        return Vec::new();
    }
    config.credentials.wishes()
}

/// The inner payloads of an authentication OUT, in their order (r3 5.13.4.4.2, SPC-4 5.14.4.7.2).
struct Claim<'a> {
    identity: Identification<'a>,
    usage: Option<SaUsage<'a>>,
    certificates: Vec<(CertificateEncoding, Box<[u8]>)>,
    requests: Vec<CertificateWish>,
    notify: Option<Notify>,
    auth: Authentication<'a>,
}

impl Claim<'_> {
    fn certificates(&self) -> impl Iterator<Item = Certificate<'_>> {
        self.certificates.iter().map(|(encoding, data)| Certificate { encoding: *encoding, data })
    }

    /// Bytes of the payloads, their headers included.
    fn length(&self) -> usize {
        let usage = self.usage.map(|usage| usage.len());
        let notify = self.notify.map(|notify| notify.len());
        let ends = [Some(self.identity.len()), usage, notify, Some(self.auth.len())];
        let certificates = self.certificates().map(|certificate| certificate.len());
        let requests = self.requests.iter().map(|request| request.as_payload().len());
        let bodies = ends.into_iter().flatten().chain(certificates).chain(requests);
        bodies.fold(0, |sum: usize, body| sum.saturating_add(body).saturating_add(RawPayload::HEADER_LEN))
    }

    fn write(&self, writer: &mut MessageWriter<'_>) -> Result<(), EmitError> {
        writer.payload(PayloadType::IdApplicationClient, &self.identity)?;
        if let Some(usage) = &self.usage {
            writer.payload(PayloadType::SaUsage, usage)?;
        }
        for certificate in self.certificates() {
            writer.payload(PayloadType::Certificate, &certificate)?;
        }
        for request in &self.requests {
            writer.payload(PayloadType::CertificateRequest, &request.as_payload())?;
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
    certificates: Vec<(CertificateEncoding, Box<[u8]>)>,
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
                Payload::Certificate(Certificate { encoding, data }) => certificates.push((encoding, data.into())),
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
        if rules.requests_demand && certificates.is_empty() && !requests(config, session).is_empty() {
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
        let octets = SignedOctets::of_device_server(
            prf,
            self.signed_capabilities.clone(),
            self.key_exchange_in.clone(),
            session.ac_nonce.clone(),
            &session.keys.sk_pr,
            signed,
        )?;
        octets.record(log, "octets_r");
        log.record("auth_r", auth.data);
        let check = PeerCheck {
            provider: config.provider,
            prf,
            pad: config.profile.rules().key_pad,
            credentials: Arc::clone(&config.credentials),
            identity,
            method: auth.method,
            certificates,
            at,
            octets,
            auth: auth.data.to_vec(),
        };
        match check.run() {
            Ok(proof) => Ok(Peer { identity: check.identity, proof }),
            Err(error) => Err(Fault::of_peer(error, check.identity)),
        }
    }

    /// What the association is made of after [`Awaited::verify`], and deleted with without it.
    pub(super) fn into_session(self) -> Session {
        self.session
    }
}
