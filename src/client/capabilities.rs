//! The capabilities as an application client has read them (r3 5.13.4.2, 7.7.4.11; readings R3, R18, R29; SPC-4 5.14.4.5,
//! 7.7.3.5.12; reading S8).

use alloc::vec::Vec;

use bytes::Bytes;

use super::error::{ClientError, Fault, Step};
use crate::algorithm::{self, AlgorithmType};
use crate::dialect::{Profile, Side};
use crate::wire::{Capabilities, Descriptor};

/// What a device server offers, with the bytes that it said it in: its AUTH covers them, in SPC-4 ours does too (reading R29;
/// SPC-4 7.7.3.5.7).
///
/// One reading may serve several exchanges (r3 5.13.4.1, SPC-4 5.14.4.1). Memory: the parameter data, and twice 12 bytes for
/// each descriptor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceCapabilities {
    parameter_data: Bytes,
    /// As they were read.
    descriptors: Vec<Descriptor>,
    /// Those that the dialect assigns, by the numbers of room `algorithm`.
    known: Vec<Descriptor>,
    /// Whether each side's way to authenticate is selected by a descriptor of its own (SPC-4 7.7.3.6.6).
    selects_own_method: bool,
}

impl DeviceCapabilities {
    /// Reads the parameter data of protocol 40h, SPECIFIC 0101h.
    ///
    /// # Errors
    /// [`Fault::Data`]; [`Fault::NoneOfType`] when a required type is absent, after which no key exchange may follow.
    pub fn parse(profile: Profile, parameter_data: &[u8]) -> Result<Self, ClientError> {
        Self::read(profile, parameter_data).map_err(|fault| ClientError::new(Step::Capabilities, fault))
    }

    pub(super) fn read(profile: Profile, parameter_data: &[u8]) -> Result<Self, Fault> {
        let rules = profile.rules();
        let payload = Capabilities::parse_parameter_data(profile, parameter_data)?;
        let descriptors: Vec<Descriptor> = payload.descriptors.iter().collect();
        let is_absent = |code: &&u8| !descriptors.iter().any(|d| d.algorithm_type == **code);
        let absent = rules.selected_types.iter().find(is_absent);
        if let Some(kind) = absent.and_then(|code| algorithm::numbered_type(profile, *code)) {
            return Err(Fault::NoneOfType(kind.algorithm_type));
        }
        Ok(Self {
            parameter_data: Bytes::copy_from_slice(parameter_data),
            known: descriptors.iter().filter_map(|d| d.known(profile)).collect(),
            descriptors,
            selects_own_method: rules.algorithms.iter().any(|numbers| numbers.side == Side::ApplicationClient),
        })
    }

    /// The descriptors in the device server's order, by the dialect's numbers.
    #[must_use]
    pub fn descriptors(&self) -> &[Descriptor] {
        &self.descriptors
    }

    /// All of it, as read.
    pub(super) fn parameter_data(&self) -> Bytes {
        self.parameter_data.clone()
    }

    /// True if an SCA payload may select the algorithm, in SPC-4 one of its two successors (reading R18).
    ///
    /// An IKE authentication algorithm is what the device server is to use, so its USE bit must be set; in SPC-4 it is a
    /// SA_AUTH_IN algorithm. There authentication can be omitted only where both directions offer that (SPC-4 5.14.4.3.4).
    pub(super) fn offers(&self, wanted: &Descriptor) -> bool {
        self.same_algorithm(wanted).any(|d| match AlgorithmType::from_code(d.algorithm_type) {
            Some(AlgorithmType::Encryption) => d.key_length() == wanted.key_length(),
            Some(AlgorithmType::Authentication) => d.may_use() && self.may_be_selected_alone(d.identifier),
            _ => true,
        })
    }

    /// True if we may authenticate ourselves by the IKE authentication algorithm, in SPC-4 a SA_AUTH_OUT algorithm (reading
    /// R18).
    pub(super) fn accepts(&self, identifier: u32) -> bool {
        let wanted = Descriptor::new(AlgorithmType::Authentication, identifier);
        self.same_algorithm(&wanted).any(|d| d.accept())
    }

    /// False for authentication omitted in the device server's direction alone.
    fn may_be_selected_alone(&self, identifier: u32) -> bool {
        !self.selects_own_method || identifier != algorithm::IKE_AUTH_NONE || self.accepts(identifier)
    }

    fn same_algorithm<'a>(&'a self, wanted: &Descriptor) -> impl Iterator<Item = &'a Descriptor> {
        let (kind, identifier) = (wanted.algorithm_type, wanted.identifier);
        self.known.iter().filter(move |d| d.algorithm_type == kind && d.identifier == identifier)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::algorithm;
    use crate::wire::{Descriptors, WireErrorKind, Writer};

    fn shared_key(may_use: bool, accept: bool) -> Descriptor {
        Descriptor::authentication(algorithm::IKE_AUTH_SHARED_KEY, may_use, accept)
    }

    fn list(authentication: &[Descriptor]) -> Vec<Descriptor> {
        let mut list = vec![
            Descriptor::encryption(algorithm::ENCR_AES_CBC.identifier, 16),
            Descriptor::new(AlgorithmType::PseudoRandom, algorithm::PRF_HMAC_SHA1.identifier),
            Descriptor::new(AlgorithmType::Integrity, algorithm::AUTH_HMAC_SHA1_96.identifier),
            Descriptor::new(AlgorithmType::DiffieHellman, algorithm::MODP_2048.identifier),
        ];
        list.extend(authentication);
        list
    }

    fn parameter_data(list: &[Descriptor]) -> Vec<u8> {
        let descriptors: Vec<_> = list.iter().map(Descriptor::to_bytes).collect();
        let sscc = Capabilities { profile: Profile::R3, descriptors: Descriptors::new(&descriptors) };
        let mut bytes = vec![0; sscc.parameter_data_len()];
        sscc.emit_parameter_data(&mut Writer::new(&mut bytes)).unwrap();
        bytes
    }

    fn read(list: &[Descriptor]) -> Result<DeviceCapabilities, ClientError> {
        DeviceCapabilities::parse(Profile::R3, &parameter_data(list))
    }

    #[test]
    fn a_missing_type_forbids_the_key_exchange() {
        let full = list(&[shared_key(true, true)]);
        assert_eq!(read(&full).unwrap().descriptors(), full);
        for (index, kind) in AlgorithmType::ALL.iter().enumerate() {
            let mut short = full.clone();
            short.remove(index);
            let error = read(&short).unwrap_err();
            assert_eq!((error.step, error.fault), (Step::Capabilities, Fault::NoneOfType(*kind)));
        }
    }

    /// Reading R3: Table 11 as printed has four more bytes before the descriptors. They are signed as read.
    #[test]
    fn both_layouts_are_read_and_kept_as_read() {
        let full = list(&[shared_key(true, true)]);
        let mut bytes = parameter_data(&full);
        assert_eq!(DeviceCapabilities::read(Profile::R3, &bytes).unwrap().parameter_data(), bytes);
        bytes.splice(12..12, [0; 4]);
        bytes[3] += 4;
        bytes[7] += 4;
        let printed = DeviceCapabilities::read(Profile::R3, &bytes).unwrap();
        assert_eq!(printed.descriptors(), full);
        assert_eq!(printed.parameter_data(), bytes);
    }

    #[test]
    fn every_truncation_is_refused() {
        let bytes = parameter_data(&list(&[shared_key(true, true)]));
        for length in 0..bytes.len() {
            let Err(Fault::Data(error)) = DeviceCapabilities::read(Profile::R3, &bytes[..length]) else {
                panic!("{length} bytes");
            };
            assert_eq!(error.kind, WireErrorKind::Length);
        }
    }

    #[test]
    fn authentication_needs_use_for_the_server_and_accept_for_us() {
        let wanted = shared_key(false, false);
        for (may_use, accept) in [(false, false), (false, true), (true, false), (true, true)] {
            let capabilities = read(&list(&[shared_key(may_use, accept)])).unwrap();
            assert_eq!(capabilities.offers(&wanted), may_use);
            assert_eq!(capabilities.accepts(algorithm::IKE_AUTH_SHARED_KEY), accept);
            assert!(!capabilities.accepts(algorithm::IKE_AUTH_RSA));
        }
        let none = Descriptor::authentication(algorithm::IKE_AUTH_NONE, true, true);
        assert!(read(&list(&[none, shared_key(true, false)])).unwrap().offers(&none));
        assert!(!read(&list(&[shared_key(true, true)])).unwrap().offers(&none));
    }

    /// SPC-4 7.7.3.6.6: SA_AUTH_OUT is ours, SA_AUTH_IN the device server's.
    #[test]
    fn each_side_has_its_own_descriptors_in_spc4() {
        let raw = |algorithm_type, identifier| Descriptor { algorithm_type, identifier, attributes: [0; 4] };
        let mut full = vec![
            Descriptor { attributes: [0, 0, 0, 16], ..raw(0x01, 0x8001_000C) },
            raw(0x02, 0x8002_0002),
            raw(0x03, 0x8003_0002),
            raw(0x03, 0xF003_0000),
            raw(0x04, 0x8004_000E),
            raw(0xF9, 0x00F9_0000),
            raw(0xF9, 0x00F9_0009),
            raw(0xFA, 0x00F9_0002),
        ];
        let parse = |list: &[Descriptor]| {
            let descriptors: Vec<_> = list.iter().map(Descriptor::to_bytes).collect();
            let payload = Capabilities { profile: Profile::SPC4, descriptors: Descriptors::new(&descriptors) };
            let mut bytes = vec![0; payload.parameter_data_len()];
            payload.emit_parameter_data(&mut Writer::new(&mut bytes)).unwrap();
            DeviceCapabilities::parse(Profile::SPC4, &bytes)
        };
        let read = parse(&full).unwrap();
        assert_eq!(read.descriptors(), full, "by the dialect's numbers, those that it reserves included");
        assert!(read.offers(&Descriptor::encryption(algorithm::ENCR_AES_CBC.identifier, 16)));
        assert!(!read.offers(&Descriptor::encryption(algorithm::ENCR_AES_CBC.identifier, 32)));
        let none = Descriptor::new(AlgorithmType::Integrity, algorithm::INTEG_NONE);
        assert!(!read.offers(&none), "F003 0000h is refused (reading S6)");
        assert!(read.accepts(algorithm::IKE_AUTH_ECDSA_256) && read.offers(&shared_key(false, false)));
        assert!(!read.accepts(algorithm::IKE_AUTH_SHARED_KEY));
        let unauthenticated = Descriptor::new(AlgorithmType::Authentication, algorithm::IKE_AUTH_NONE);
        assert!(!read.offers(&unauthenticated), "in one direction only");
        full.push(raw(0xFA, 0x00F9_0000));
        assert!(parse(&full).unwrap().offers(&unauthenticated));
        full.remove(5);
        assert!(!parse(&full).unwrap().offers(&unauthenticated), "in the other direction only");
        for code in [1, 2, 3, 4, 0xF9, 0xFA] {
            let short: Vec<_> = full.iter().filter(|d| d.algorithm_type != code).copied().collect();
            let kind = algorithm::numbered_type(Profile::SPC4, code).unwrap().algorithm_type;
            assert_eq!(parse(&short).unwrap_err().fault, Fault::NoneOfType(kind), "{code:02X}h");
        }
    }

    #[test]
    fn an_encryption_algorithm_is_offered_with_its_key_length() {
        let capabilities = read(&list(&[shared_key(true, true)])).unwrap();
        assert!(capabilities.offers(&Descriptor::encryption(algorithm::ENCR_AES_CBC.identifier, 16)));
        assert!(!capabilities.offers(&Descriptor::encryption(algorithm::ENCR_AES_CBC.identifier, 32)));
    }
}
