//! The Authentication phase (r3 5.13.4.4, 7.7.4.4-7.7.4.6, 7.7.4.8a; readings R18, R27, R29, R30, R34).
//!
//! Order of the checks of an authentication IN: header; outer payloads; Encrypted framing; ICV; decryption; inner payloads,
//! their order, then each; identity; AUTH METHOD; AUTH.

use bytes::Bytes;

use super::config::ClientConfig;
use super::error::Fault;
use super::key_exchange::{Keyed, Session};
use super::sealed::{Opened, Outgoing};
use crate::algorithm;
use crate::crypto::{CryptoError, Identity, Random, Secret};
use crate::dialect::{Exchange, PayloadType};
use crate::keys::{SaParameters, SignedOctets, shared_key_auth, verify_shared_key_auth};
use crate::wire::{
    Authentication, Body, Chain, Expected, Field, Identification, Notify, Payload, RawPayload, WireError,
    WireErrorKind, find,
};

/// MESSAGE ID of the Authentication phase (reading R27).
const MESSAGE_ID: u32 = 1;

impl Keyed {
    /// Writes the authentication OUT: ID, Initial Contact if configured, AUTH (r3 5.13.4.4.2).
    pub(super) fn write_claim(&self, config: &ClientConfig, random: &mut dyn Random) -> Result<Bytes, Fault> {
        let session = &self.session;
        let prf = session.choice.suite.prf;
        let log = config.logger(session.ac_sai, session.ds_sai);
        let identity = config.identity.as_payload();
        let octets = SignedOctets::of_application_client(
            prf,
            self.key_exchange_out.clone(),
            session.ds_nonce.clone(),
            &session.keys.sk_pi,
            &config.identity.to_payload_data()?,
        )?;
        octets.record(log, "octets_i");
        let mut padded = Secret::zeroed(prf.output_length());
        let pad = config.profile.rules().key_pad;
        config.keys.own(prf, pad, padded.expose_mut()).map_err(|error| Fault::of_key_store(error, None))?;
        let auth = shared_key_auth(prf, &padded, &octets)?;
        log.record("auth_i", auth.expose());
        let [.., method] = algorithm::IKE_AUTH_SHARED_KEY.to_be_bytes();
        let auth = Authentication { method, data: auth.expose() };
        let notify = config.initial_contact.then_some(Notify { sai: session.ds_sai });
        let bodies = [Some(identity.len()), notify.map(|notify| notify.len()), Some(auth.len())];
        let inner_length = bodies
            .iter()
            .flatten()
            .fold(0_usize, |sum, body| sum.saturating_add(*body).saturating_add(RawPayload::HEADER_LEN));
        let outgoing = Outgoing {
            exchange: Exchange::AuthenticationOut,
            sais: (session.ac_sai, session.ds_sai),
            message_id: MESSAGE_ID,
            protection: session.outgoing(),
            plaintext: "plaintext_i",
            inner_length,
        };
        outgoing.write(config, random, |writer| {
            writer.payload(PayloadType::IdApplicationClient, &identity)?;
            if let Some(notify) = &notify {
                writer.payload(PayloadType::Notify, notify)?;
            }
            writer.payload(PayloadType::Authentication, &auth)
        })
    }

    /// What the authentication IN is checked with.
    pub(super) fn into_awaited(self) -> Awaited {
        Awaited { session: self.session, sscc: self.sscc, key_exchange_in: self.key_exchange_in }
    }
}

/// What a device server asserts.
struct Asserted<'a> {
    identity: Identification<'a>,
    /// The ID payload's data as received, which is signed with its reserved bytes (reading R29).
    signed: &'a [u8],
    auth: Authentication<'a>,
}

/// An authentication OUT was sent; the device server has not proved who it is.
pub(super) struct Awaited {
    session: Session,
    sscc: Bytes,
    key_exchange_in: Bytes,
}

impl Awaited {
    /// Checks the authentication IN. Nothing of the association may be used before this has succeeded.
    pub(super) fn verify(&self, config: &ClientConfig, data_in: &[u8]) -> Result<(), Fault> {
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
        self.check_auth(config, &asserted)
    }

    /// Reads every inner payload in its order, then checks what no payload can tell alone.
    fn check_inner<'a>(&self, config: &ClientConfig, inner: &Chain<'a>) -> Result<Asserted<'a>, WireError> {
        let mut found = (None, None);
        let has_certificate = find(inner, PayloadType::Certificate).is_some();
        for raw in inner.clone() {
            let raw = raw?;
            match Payload::parse(config.profile, &raw)? {
                Payload::Identification(identity) => {
                    if identity.id_type.needs_certificate() && !has_certificate {
                        return Err(raw.error(Identification::TYPE_AT, Field::IdType, WireErrorKind::Invalid));
                    }
                    found.0 = Some((identity, raw.data));
                }
                Payload::Authentication(auth) => {
                    // The device server authenticates itself as the SCA payload told it to (reading R18).
                    if auth.method != self.session.choice.auth_method() {
                        return Err(raw.error(RawPayload::HEADER_LEN, Field::AuthMethod, WireErrorKind::Invalid));
                    }
                    found.1 = Some(auth);
                }
                _ => {}
            }
        }
        let missing = WireError::new(inner.last_named_at(), Field::NextPayload, WireErrorKind::Missing);
        let (identity, signed) = found.0.ok_or(missing)?;
        Ok(Asserted { identity, signed, auth: found.1.ok_or(missing)? })
    }

    /// AUTH = prf(prf(secret of the device server, pad), SSCC as read | key exchange IN | Ni | prf(SK_pr, ID)).
    fn check_auth(&self, config: &ClientConfig, asserted: &Asserted<'_>) -> Result<(), Fault> {
        let Asserted { identity, signed, auth } = *asserted;
        let session = &self.session;
        let prf = session.choice.suite.prf;
        let log = config.logger(session.ac_sai, session.ds_sai);
        let asserted = Identity::new(identity.id_type, identity.data);
        if config.expected.as_ref().is_some_and(|expected| *expected != asserted) {
            return Err(Fault::UnexpectedIdentity(asserted));
        }
        let octets = SignedOctets::of_device_server(
            prf,
            self.sscc.clone(),
            self.key_exchange_in.clone(),
            session.ac_nonce.clone(),
            &session.keys.sk_pr,
            signed,
        )?;
        octets.record(log, "octets_r");
        log.record("auth_r", auth.data);
        let mut padded = Secret::zeroed(prf.output_length());
        let pad = config.profile.rules().key_pad;
        config
            .keys
            .peer(identity, prf, pad, padded.expose_mut())
            .map_err(|error| Fault::of_key_store(error, Some(asserted)))?;
        verify_shared_key_auth(prf, &padded, &octets, auth.data).map_err(|error| match error {
            CryptoError::Refused => Fault::AuthenticationFailed,
            other => Fault::Crypto(other),
        })
    }

    /// The parameters of the association: to be used after [`Awaited::verify`], to be deleted without it.
    pub(super) fn into_parameters(self, config: &ClientConfig) -> SaParameters {
        self.session.into_parameters(config)
    }
}
