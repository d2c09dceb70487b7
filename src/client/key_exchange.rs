//! The Key Exchange phase (r3 5.13.4.3; readings R2, R4, R15, R17, R27, R38).
//!
//! What lives here: the draws, the key exchange OUT, every check of the key exchange IN, the keys. What does not: which
//! algorithms are selected (`preferences`).

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use bytes::Bytes;

use super::DeviceCapabilities;
use super::config::ClientConfig;
use super::error::Fault;
use super::preferences::Choice;
use super::sealed::required;
use crate::algorithm::{self, AlgorithmType};
use crate::crypto::{CertificateWish, CryptoError, DhExchange, Purpose, Random, draw_sai};
use crate::dialect::{Exchange, PayloadType};
use crate::keys::{KeySet, Protection, SaContext, SaParameters, SaSource, Skeyseed};
use crate::wire::{
    Algorithms, Body, CertificateRequest, Chain, Descriptor, Descriptors, Expected, Field, Header, KeyExchange,
    MessageWriter, Nonce, RawPayload, Sai, WireError, WireErrorKind, check_order,
};

/// What a key exchange OUT proposes. Its private value is used up by [`Proposal::finish`].
pub(super) struct Proposal {
    choice: Choice,
    /// The IKE authentication algorithm by which we authenticate ourselves.
    own_method: u32,
    ac_sai: Sai,
    ac_nonce: Bytes,
    exchange: Box<dyn DhExchange>,
    /// The capabilities as read: what is signed begins with them.
    parameter_data: Bytes,
    /// The whole key exchange OUT, which we sign.
    pub(super) message: Bytes,
}

impl Proposal {
    /// Selects algorithms from the capabilities, draws what is random, and writes the key exchange OUT.
    pub(super) fn make(
        config: &ClientConfig,
        capabilities: &DeviceCapabilities,
        random: &mut dyn Random,
    ) -> Result<Self, Fault> {
        let offers = |wanted: &Descriptor| capabilities.offers(wanted);
        let choice = config.choose(offers).map_err(Fault::NothingInCommon)?;
        let own_method = match choice.is_unauthenticated() {
            true => algorithm::IKE_AUTH_NONE,
            false => {
                let accepts = |identifier| capabilities.accepts(identifier);
                config.own_method(accepts).ok_or(Fault::NothingInCommon(AlgorithmType::Authentication))?
            }
        };
        let ac_sai = draw_sai(config.profile, random, Purpose::AcSai, |_| false)?;
        let mut nonce = vec![0; config.nonce_length];
        random.fill(Purpose::Nonce, &mut nonce)?;
        let exchange = choice.suite.group.start(choice.suite.group.draw_private(random)?)?;
        let message = write_out(config, &choice, ac_sai, exchange.public(), &nonce)?;
        let parameter_data = capabilities.parameter_data();
        Ok(Self { choice, own_method, ac_sai, ac_nonce: Bytes::from(nonce), exchange, parameter_data, message })
    }

    /// True if the Authentication phase is to be omitted.
    pub(super) const fn is_unauthenticated(&self) -> bool {
        self.choice.is_unauthenticated()
    }

    /// Checks the key exchange IN and derives the keys.
    pub(super) fn finish(self, config: &ClientConfig, data_in: &[u8]) -> Result<Keyed, Fault> {
        let profile = config.profile;
        let header = Header::parse(profile, data_in)?;
        let expected = Expected {
            exchange: Exchange::KeyExchangeIn,
            ac_sai: Some(self.ac_sai),
            ds_sai: None,
            message_id: 0,
            total: data_in.len(),
        };
        header.check(profile, &expected)?;
        let chain = Chain::outer(profile, data_in, &header);
        check_order(&chain, Exchange::KeyExchangeIn, false)?;
        self.check_algorithms(config, &required(&chain, PayloadType::Algorithms)?, header.ds_sai)?;
        let ke = required(&chain, PayloadType::KeyExchange)?;
        let public = self.check_public(config, &ke)?;
        let ds_nonce = self.check_nonce(config, &required(&chain, PayloadType::Nonce)?)?;
        let wishes = read_wishes(config, &chain)?;

        let suite = self.choice.suite;
        let shared = self.exchange.agree(public).map_err(|error| match error {
            CryptoError::Refused => Fault::Data(invalid_public(&ke)),
            other => Fault::Crypto(other),
        })?;
        let context = SaContext { ac_nonce: &self.ac_nonce, ds_nonce, ac_sai: self.ac_sai, ds_sai: header.ds_sai };
        let log = config.logger(self.ac_sai, header.ds_sai);
        let keys = Skeyseed::new(&suite, shared, &context, log)?.derive(profile, &suite, &context, log)?;
        let ds_nonce = Bytes::copy_from_slice(ds_nonce);
        let session = Session {
            choice: self.choice,
            ac_sai: self.ac_sai,
            ds_sai: header.ds_sai,
            ac_nonce: self.ac_nonce,
            ds_nonce,
            keys,
        };
        Ok(Keyed {
            session,
            own_method: self.own_method,
            wishes,
            parameter_data: self.parameter_data,
            key_exchange_out: self.message,
            key_exchange_in: Bytes::copy_from_slice(data_in),
        })
    }

    /// What is for the SA, and which algorithms, is as we sent it (r3 5.13.4.3.3); SAID is the header's.
    fn check_algorithms(&self, config: &ClientConfig, raw: &RawPayload<'_>, ds_sai: Sai) -> Result<(), WireError> {
        let sca: Algorithms<'_> = raw.body(config.profile)?;
        if sca.sa_type != config.usage_type {
            let field = Field::SecurityAssociationType;
            return Err(raw.error(Algorithms::SA_TYPE_AT, field, WireErrorKind::Invalid));
        }
        if sca.said != ds_sai {
            return Err(raw.error(Algorithms::SAID_AT, Field::Said, WireErrorKind::Invalid));
        }
        if *sca.usage_data != *config.usage_data {
            return Err(raw.error(Algorithms::USAGE_DATA_AT, Field::UsageData, WireErrorKind::Invalid));
        }
        let sent = self.choice.descriptors();
        if !sca.descriptors.iter().eq(Descriptors::new(&sent).iter()) {
            return Err(raw.error(sca.descriptors_at(), Field::AlgorithmIdentifier, WireErrorKind::Invalid));
        }
        Ok(())
    }

    fn check_public<'a>(&self, config: &ClientConfig, raw: &RawPayload<'a>) -> Result<&'a [u8], Fault> {
        let ke: KeyExchange<'a> = raw.body(config.profile)?;
        let group = self.choice.suite.group;
        if ke.group != self.choice.suite.group_number() {
            return Err(raw.error(KeyExchange::GROUP_AT, Field::GroupNumber, WireErrorKind::Invalid).into());
        }
        match group.check_public(ke.public) {
            Ok(()) => Ok(ke.public),
            Err(CryptoError::Length) => Err(raw.reader().length_error().into()),
            Err(CryptoError::Refused) => Err(invalid_public(raw).into()),
            Err(CryptoError::Device) => Err(CryptoError::Device.into()),
        }
    }

    /// At least half the key of the selected PRF (reading R38).
    fn check_nonce<'a>(&self, config: &ClientConfig, raw: &RawPayload<'a>) -> Result<&'a [u8], WireError> {
        let nonce: Nonce<'a> = raw.body(config.profile)?;
        if nonce.data.len() < self.choice.suite.prf.key_length().div_ceil(2) {
            return Err(WireError { kind: WireErrorKind::Invalid, ..raw.reader().length_error() });
        }
        Ok(nonce.data)
    }
}

/// The Certificate Request payloads (r3 5.13.4.3.3).
fn read_wishes(config: &ClientConfig, chain: &Chain<'_>) -> Result<Vec<CertificateWish>, WireError> {
    let mut requests = Vec::new();
    for raw in chain.clone() {
        let raw = raw?;
        if raw.payload == Some(PayloadType::CertificateRequest) {
            requests.push(raw.body::<CertificateRequest<'_>>(config.profile)?);
        }
    }
    Ok(CertificateWish::gather(&requests))
}

const fn invalid_public(raw: &RawPayload<'_>) -> WireError {
    raw.error(KeyExchange::PUBLIC_AT, Field::KeyExchangeData, WireErrorKind::Invalid)
}

/// STV, SCA, KE, NONCE (r3 5.13.4.3.2).
fn write_out(config: &ClientConfig, choice: &Choice, ac_sai: Sai, public: &[u8], nonce: &[u8]) -> Result<Bytes, Fault> {
    let descriptors = choice.descriptors();
    let sca = Algorithms {
        sa_type: config.usage_type,
        said: ac_sai,
        usage_data: &config.usage_data,
        descriptors: Descriptors::new(&descriptors),
    };
    let ke = KeyExchange { group: choice.suite.group_number(), public };
    let nonce = Nonce { data: nonce };
    let bodies = [config.timeouts.len(), sca.len(), ke.len(), nonce.len()];
    let total =
        bodies.iter().fold(Header::LEN, |sum, body| sum.saturating_add(*body).saturating_add(RawPayload::HEADER_LEN));
    let mut buffer = vec![0; total];
    let sais = (ac_sai, Sai::ZERO);
    let mut writer = MessageWriter::new(config.profile, Exchange::KeyExchangeOut, sais, 0, &mut buffer)?;
    writer.payload(PayloadType::Timeouts, &config.timeouts)?;
    writer.payload(PayloadType::Algorithms, &sca)?;
    writer.payload(PayloadType::KeyExchange, &ke)?;
    writer.payload(PayloadType::Nonce, &nonce)?;
    writer.finish()?;
    Ok(Bytes::from(buffer))
}

/// What both sides now share.
pub(super) struct Session {
    pub(super) choice: Choice,
    pub(super) ac_sai: Sai,
    pub(super) ds_sai: Sai,
    pub(super) ac_nonce: Bytes,
    pub(super) ds_nonce: Bytes,
    pub(super) keys: KeySet,
}

impl Session {
    /// SK_ei and SK_ai, for what we send.
    pub(super) const fn outgoing(&self) -> Protection<'_> {
        Protection::new(&self.choice.suite, &self.keys.sk_ei, &self.keys.sk_ai)
    }

    /// SK_er and SK_ar, for what we receive.
    pub(super) const fn incoming(&self) -> Protection<'_> {
        Protection::new(&self.choice.suite, &self.keys.sk_er, &self.keys.sk_ar)
    }

    /// The parameters of the security association (r3 5.13.4.5).
    pub(super) fn into_parameters(self, config: &ClientConfig) -> SaParameters {
        let source = SaSource {
            context: SaContext {
                ac_nonce: &self.ac_nonce,
                ds_nonce: &self.ds_nonce,
                ac_sai: self.ac_sai,
                ds_sai: self.ds_sai,
            },
            timeout: config.timeouts.inactivity,
            usage_type: u16::from(config.usage_type),
            usage_data: &config.usage_data,
            // Key exchange is 0, authentication 1; what comes next is the Delete (reading R27).
            next_message_id: if self.choice.is_unauthenticated() { 1 } else { 2 },
        };
        self.keys.into_parameters(config.profile, &self.choice.suite, &source, None)
    }
}

/// A finished key exchange.
pub(super) struct Keyed {
    pub(super) session: Session,
    pub(super) own_method: u32,
    /// The device server's Certificate Requests.
    pub(super) wishes: Vec<CertificateWish>,
    pub(super) parameter_data: Bytes,
    pub(super) key_exchange_out: Bytes,
    pub(super) key_exchange_in: Bytes,
}
