//! The capabilities as an application client has read them (r3 5.13.4.2, 7.7.4.11; readings R3, R18, R29).

use alloc::vec::Vec;

use bytes::Bytes;

use super::error::{ClientError, Fault, Step};
use crate::algorithm::AlgorithmType;
use crate::dialect::Profile;
use crate::wire::{Capabilities, Descriptor};

/// What a device server offers, with the bytes that it said it in: its AUTH covers them (reading R29).
///
/// One reading may serve several exchanges (r3 5.13.4.1). Memory: the payload, and 12 bytes for each descriptor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceCapabilities {
    parameter_data: Bytes,
    descriptors: Vec<Descriptor>,
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
        let sscc = Capabilities::parse_parameter_data(profile, parameter_data)?;
        let descriptors: Vec<Descriptor> = sscc.descriptors.iter().collect();
        let is_absent = |kind: &&AlgorithmType| !descriptors.iter().any(|d| d.algorithm_type == kind.code());
        if let Some(kind) = AlgorithmType::ALL.iter().find(is_absent) {
            return Err(Fault::NoneOfType(*kind));
        }
        Ok(Self { parameter_data: Bytes::copy_from_slice(parameter_data), descriptors })
    }

    /// The descriptors in the device server's order.
    #[must_use]
    pub fn descriptors(&self) -> &[Descriptor] {
        &self.descriptors
    }

    /// All of it, as read.
    pub(super) fn parameter_data(&self) -> Bytes {
        self.parameter_data.clone()
    }

    /// True if an SCA payload may select the algorithm (reading R18).
    ///
    /// An IKE authentication algorithm is what the device server is to use, so its USE bit must be set.
    pub(super) fn offers(&self, wanted: &Descriptor) -> bool {
        let same = |d: &&Descriptor| d.algorithm_type == wanted.algorithm_type && d.identifier == wanted.identifier;
        self.descriptors.iter().filter(same).any(|d| match AlgorithmType::from_code(d.algorithm_type) {
            Some(AlgorithmType::Encryption) => d.key_length() == wanted.key_length(),
            Some(AlgorithmType::Authentication) => d.may_use(),
            _ => true,
        })
    }

    /// True if we may authenticate ourselves by the IKE authentication algorithm (reading R18).
    pub(super) fn accepts(&self, identifier: u32) -> bool {
        let wanted = Descriptor::new(AlgorithmType::Authentication, identifier);
        let same = |d: &&Descriptor| d.algorithm_type == wanted.algorithm_type && d.identifier == wanted.identifier;
        self.descriptors.iter().filter(same).any(Descriptor::accept)
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

    #[test]
    fn an_encryption_algorithm_is_offered_with_its_key_length() {
        let capabilities = read(&list(&[shared_key(true, true)])).unwrap();
        assert!(capabilities.offers(&Descriptor::encryption(algorithm::ENCR_AES_CBC.identifier, 16)));
        assert!(!capabilities.offers(&Descriptor::encryption(algorithm::ENCR_AES_CBC.identifier, 32)));
    }
}
