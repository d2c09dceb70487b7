//! The Key Exchange phase (r3 5.13.4.3; readings R2, R4, R15, R17, R27, R38; SPC-4 5.14.4.6; readings S1, S3).
//!
//! What lives here: the draws, the key exchange OUT, every check of the key exchange IN, the keys. What does not: which
//! algorithms are selected (`preferences`, `usage`), and what comes of the keys (`session`).

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use bytes::Bytes;

use super::DeviceCapabilities;
use super::config::ClientConfig;
use super::error::Fault;
use super::preferences::Choice;
use super::sealed::required;
use super::session::Session;
use super::usage::{Usage, check_echo};
use crate::algorithm::{self, AlgorithmType};
use crate::crypto::{CertificateWish, CryptoError, Purpose, Random, Secret, draw_sai};
use crate::dialect::{Exchange, PayloadType};
use crate::wire::{
    Algorithms, Body, CertificateRequest, Chain, Descriptor, Descriptors, Expected, Field, Header, KeyExchange,
    MessageWriter, Nonce, RawPayload, SaAlgorithms, Sai, WireError, WireErrorKind, check_order,
};

/// What a key exchange OUT proposes. Its private value is used up by [`Proposal::finish`].
pub(super) struct Proposal {
    choice: Choice,
    /// The IKE authentication algorithm by which we authenticate ourselves.
    own_method: u32,
    /// The algorithms for the association's use, where the dialect selects them.
    usage: Option<Usage>,
    ac_sai: Sai,
    ac_nonce: Bytes,
    private: Secret,
    public: Vec<u8>,
    /// The capabilities as read: what is signed begins with them.
    parameter_data: Bytes,
    /// The whole key exchange OUT, which we sign.
    pub(super) message: Bytes,
}

/// Why a key exchange came to nothing, and its keys, if they could be made: with them the device server can be told to forget
/// it (SPC-4 5.14.4.10).
pub(super) struct Unfinished {
    pub(super) fault: Fault,
    pub(super) session: Option<Box<Session>>,
}

impl From<Fault> for Unfinished {
    fn from(fault: Fault) -> Self {
        Self { fault, session: None }
    }
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
        let usage = Usage::select(config, &choice, offers).map_err(Fault::NothingInCommon)?;
        let ac_sai = draw_sai(config.profile, random, Purpose::AcSai, |_| false)?;
        let mut nonce = vec![0; config.nonce_length];
        random.fill(Purpose::Nonce, &mut nonce)?;
        let group = choice.suite.group;
        let mut private = Secret::zeroed(random.dh_private_length(group.private_length()));
        group.draw_private(random, private.expose_mut())?;
        let mut public = vec![0; group.public_length()];
        group.public(private.expose(), &mut public)?;
        let mut proposal = Self {
            choice,
            own_method,
            usage,
            ac_sai,
            ac_nonce: Bytes::from(nonce),
            private,
            public,
            parameter_data: capabilities.parameter_data(),
            message: Bytes::new(),
        };
        proposal.message = proposal.write(config)?;
        Ok(proposal)
    }

    /// True if the Authentication phase is to be omitted.
    pub(super) const fn is_unauthenticated(&self) -> bool {
        self.choice.is_unauthenticated()
    }

    /// Timeouts, the selection, KE, NONCE (r3 5.13.4.3.2, SPC-4 5.14.4.6.2).
    fn write(&self, config: &ClientConfig) -> Result<Bytes, Fault> {
        let descriptors = self.choice.descriptors(config.profile, self.own_method);
        let algorithms = Selecting::new(config, &descriptors, self.ac_sai);
        let usage = self.usage_in_key_exchange().map(|usage| usage.payload(config));
        let ke = KeyExchange { group: self.choice.suite.group_number(), public: &self.public };
        let nonce = Nonce { data: &self.ac_nonce };
        let bodies = [config.timeouts.len(), algorithms.len(), ke.len(), nonce.len()];
        let bodies = bodies.into_iter().chain(usage.map(|usage| usage.len()));
        let total =
            bodies.fold(Header::LEN, |sum, body| sum.saturating_add(body).saturating_add(RawPayload::HEADER_LEN));
        let mut buffer = vec![0; total];
        let sais = (self.ac_sai, Sai::ZERO);
        let mut writer = MessageWriter::new(config.profile, Exchange::KeyExchangeOut, sais, 0, &mut buffer)?;
        writer.payload(PayloadType::Timeouts, &config.timeouts)?;
        match &algorithms {
            Selecting::Sca(sca) => writer.payload(PayloadType::Algorithms, sca)?,
            Selecting::Sa(algorithms) => writer.payload(PayloadType::SaAlgorithms, algorithms)?,
        }
        if let Some(usage) = &usage {
            writer.payload(PayloadType::SaUsage, usage)?;
        }
        writer.payload(PayloadType::KeyExchange, &ke)?;
        writer.payload(PayloadType::Nonce, &nonce)?;
        writer.finish()?;
        Ok(Bytes::from(buffer))
    }

    /// The algorithms for the association's use, if they are selected in the key exchange: with an Authentication step they
    /// are in it (SPC-4 5.14.4.1).
    fn usage_in_key_exchange(&self) -> Option<&Usage> {
        self.usage.as_ref().filter(|_| self.is_unauthenticated())
    }

    /// Checks the key exchange IN and derives the keys. Where a Delete ends a sequence, they are also derived for a message
    /// that is refused for something else than what they are made of.
    pub(super) fn finish(self, config: &ClientConfig, data_in: &[u8]) -> Result<Keyed, Unfinished> {
        let Checked { ds_sai, contribution, wishes, refusal } = self.check(config, data_in)?;
        let Self { choice, own_method, usage, ac_sai, ac_nonce, private, parameter_data, message, .. } = self;
        let derive = || {
            let group = choice.suite.group;
            let mut shared = Secret::zeroed(group.shared_length());
            group.agree(private.expose(), contribution.public, shared.expose_mut()).map_err(|error| match error {
                CryptoError::Refused => Fault::Data(invalid_public(&contribution.payload)),
                other => Fault::Crypto(other),
            })?;
            let ds_nonce = Bytes::copy_from_slice(contribution.nonce);
            Session::derive(config, choice, usage, &shared, (ac_sai, ds_sai), (ac_nonce, ds_nonce))
        };
        match (derive(), refusal) {
            (Ok(session), None) => Ok(Keyed {
                session,
                own_method,
                wishes,
                parameter_data,
                key_exchange_out: message,
                key_exchange_in: Bytes::copy_from_slice(data_in),
            }),
            (Ok(session), Some(fault)) => Err(Unfinished { fault, session: Some(Box::new(session)) }),
            (Err(_), Some(fault)) | (Err(fault), None) => Err(fault.into()),
        }
    }

    /// Header, order, selection, KE, NONCE, Certificate Requests.
    fn check<'a>(&self, config: &ClientConfig, data_in: &'a [u8]) -> Result<Checked<'a>, Fault> {
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
        let ds_sai = header.ds_sai;
        let checked = |contribution, wishes, refusal| Checked { ds_sai, contribution, wishes, refusal };
        let selection = self.check_selection(config, &chain, ds_sai);
        let contribution = self.check_contribution(config, &chain);
        match (selection, contribution, read_wishes(config, &chain)) {
            (Ok(()), Ok(contribution), Ok(wishes)) => Ok(checked(contribution, wishes, None)),
            (Err(fault), Ok(contribution), _) if profile.rules().delete_ends_sequences => {
                Ok(checked(contribution, Vec::new(), Some(fault)))
            }
            (Ok(()), Ok(contribution), Err(fault)) if profile.rules().delete_ends_sequences => {
                Ok(checked(contribution, Vec::new(), Some(fault.into())))
            }
            (Err(fault), ..) | (_, Err(fault), _) => Err(fault),
            (.., Err(fault)) => Err(fault.into()),
        }
    }

    /// What is for the SA, and which algorithms, is as we sent it (r3 5.13.4.3.3, SPC-4 5.14.4.6.3).
    fn check_selection(&self, config: &ClientConfig, chain: &Chain<'_>, ds_sai: Sai) -> Result<(), Fault> {
        let descriptors = self.choice.descriptors(config.profile, self.own_method);
        match Selecting::new(config, &descriptors, ds_sai) {
            Selecting::Sca(sent) => check_sca(config, &required(chain, PayloadType::Algorithms)?, &sent)?,
            Selecting::Sa(sent) => {
                check_echo(PayloadType::SaAlgorithms, &required(chain, PayloadType::SaAlgorithms)?, &sent)?;
            }
        }
        match self.usage_in_key_exchange() {
            Some(usage) => {
                let raw = required(chain, PayloadType::SaUsage)?;
                check_echo(PayloadType::SaUsage, &raw, &usage.payload(config))
            }
            None => Ok(()),
        }
    }

    fn check_contribution<'a>(&self, config: &ClientConfig, chain: &Chain<'a>) -> Result<Contribution<'a>, Fault> {
        let payload = required(chain, PayloadType::KeyExchange)?;
        let public = self.check_public(config, &payload)?;
        let nonce = self.check_nonce(config, &required(chain, PayloadType::Nonce)?)?;
        Ok(Contribution { payload, public, nonce })
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
            Err(error) => Err(error.into()),
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

/// What a key exchange IN contributes to the keys.
struct Contribution<'a> {
    /// The KE payload.
    payload: RawPayload<'a>,
    public: &'a [u8],
    nonce: &'a [u8],
}

/// A key exchange IN of which keys can be made.
struct Checked<'a> {
    ds_sai: Sai,
    contribution: Contribution<'a>,
    /// The device server's Certificate Requests.
    wishes: Vec<CertificateWish>,
    /// Why nothing more will come of it.
    refusal: Option<Fault>,
}

/// The payload in which algorithms are selected: one or the other, as the dialect has it.
enum Selecting<'a> {
    Sca(Algorithms<'a>),
    Sa(SaAlgorithms<'a>),
}

impl<'a> Selecting<'a> {
    /// `said` is the SAI of whoever sends it.
    fn new(config: &'a ClientConfig, descriptors: &'a [[u8; Descriptors::EACH]], said: Sai) -> Self {
        let descriptors = Descriptors::new(descriptors);
        match config.profile.rules().algorithms_payload {
            PayloadType::Algorithms => Self::Sca(Algorithms {
                // A greater one was refused with the configuration.
                sa_type: u8::try_from(config.usage_type).unwrap_or(u8::MAX),
                said,
                usage_data: &config.usage_data,
                descriptors,
            }),
            _ if config.short_algorithms => Self::Sa(SaAlgorithms::short(descriptors)),
            _ => Self::Sa(SaAlgorithms::new(descriptors)),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Sca(sca) => sca.len(),
            Self::Sa(algorithms) => algorithms.len(),
        }
    }
}

/// What is for the SA, and which algorithms, is as we sent it; SAID is the header's (r3 5.13.4.3.3).
fn check_sca(config: &ClientConfig, raw: &RawPayload<'_>, sent: &Algorithms<'_>) -> Result<(), WireError> {
    let sca: Algorithms<'_> = raw.body(config.profile)?;
    if sca.sa_type != sent.sa_type {
        let field = Field::SecurityAssociationType;
        return Err(raw.error(Algorithms::SA_TYPE_AT, field, WireErrorKind::Invalid));
    }
    if sca.said != sent.said {
        return Err(raw.error(Algorithms::SAID_AT, Field::Said, WireErrorKind::Invalid));
    }
    if sca.usage_data != sent.usage_data {
        return Err(raw.error(Algorithms::USAGE_DATA_AT, Field::UsageData, WireErrorKind::Invalid));
    }
    if !sca.descriptors.iter().eq(sent.descriptors.iter()) {
        return Err(raw.error(sca.descriptors_at(), Field::AlgorithmIdentifier, WireErrorKind::Invalid));
    }
    Ok(())
}

/// The Certificate Request payloads (r3 5.13.4.3.3, SPC-4 5.14.4.6.3).
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
