//! An embedder's provider with algorithms of its own, under the identifiers that r3 Tables K2 to K5 leave to vendors: they are
//! reported, selected and used like any other.
#![cfg(all(feature = "client", feature = "rustcrypto"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may panic"
)]

#[path = "client/pair.rs"]
#[allow(dead_code, reason = "this test program uses a part of it")]
mod pair;
#[path = "support/provider.rs"]
mod provider;

use std::sync::Arc;

use ikev2_scsi::algorithm::{AlgorithmType, Assignment, INTEG_NONE, assignment};
use ikev2_scsi::client::{ApplicationClient, ClientConfig, Preferences, SuiteIdentifiers, delete};
use ikev2_scsi::crypto::{Cipher, CryptoError, CryptoProvider, DhGroup, Integrity, Prf, Random, RandomError};
use ikev2_scsi::wire::{Capabilities, Descriptor};
use ikev2_scsi::{DeviceServer, Instant, Profile, Reply, Request};
use pair::*;
use provider::{AES_CBC, AUTH_HMAC_SHA2_512_256, ECP_256, MODP_2048, NULL, PRF_HMAC_SHA2_512};

/// HMAC-SHA2-512 of everything: what the toys below are made of.
fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 64] {
    let mut out = [0; 64];
    PRF_HMAC_SHA2_512.compute(key, parts, &mut out).unwrap();
    out
}

/// A stream cipher, by itself or as a combined mode with a salt and a tag. Its sizes are those of no row of Table K2.
struct Stream {
    identifier: u32,
    salt: usize,
    icv: usize,
}

const STREAM: &dyn Cipher = &Stream { identifier: 0x0400, salt: 0, icv: 0 };
const SEALED: &dyn Cipher = &Stream { identifier: 0xFFFF, salt: 5, icv: 10 };

impl Stream {
    fn check(&self, key: &[u8], iv: &[u8], icv: &[u8]) -> Result<(), CryptoError> {
        let has_key = [24, 40].iter().any(|length| length + self.salt == key.len());
        if has_key && iv.len() == 12 && icv.len() == self.icv { Ok(()) } else { Err(CryptoError::Length) }
    }

    fn apply(key: &[u8], iv: &[u8], data: &mut [u8]) {
        for (number, chunk) in (0_u32..).zip(data.chunks_mut(64)) {
            let stream = hmac(key, &[b"stream", iv, &number.to_be_bytes()]);
            chunk.iter_mut().zip(stream).for_each(|(byte, other)| *byte ^= other);
        }
    }
}

impl Cipher for Stream {
    fn identifier(&self) -> u32 {
        self.identifier
    }

    fn key_lengths(&self) -> &'static [u16] {
        &[24, 40]
    }

    fn salt_length(&self) -> usize {
        self.salt
    }

    fn iv_length(&self) -> usize {
        12
    }

    fn alignment(&self) -> usize {
        1
    }

    fn block_length(&self) -> usize {
        1
    }

    fn icv_length(&self) -> usize {
        self.icv
    }

    fn seal(&self, key: &[u8], iv: &[u8], aad: &[u8], data: &mut [u8], icv: &mut [u8]) -> Result<(), CryptoError> {
        self.check(key, iv, icv)?;
        Self::apply(key, iv, data);
        let tag = hmac(key, &[b"tag", iv, &aad.len().to_be_bytes(), aad, data]);
        icv.copy_from_slice(&tag[..self.icv]);
        Ok(())
    }

    fn open(&self, key: &[u8], iv: &[u8], aad: &[u8], data: &mut [u8], icv: &[u8]) -> Result<(), CryptoError> {
        self.check(key, iv, icv)?;
        let tag = hmac(key, &[b"tag", iv, &aad.len().to_be_bytes(), aad, data]);
        if tag[..self.icv] != *icv {
            return Err(CryptoError::Refused);
        }
        Self::apply(key, iv, data);
        Ok(())
    }
}

/// 40 bytes of output, so that no key is cut where an output ends, and a fixed share of each nonce.
struct Forty;

impl Prf for Forty {
    fn identifier(&self) -> u32 {
        0x0401
    }

    fn output_length(&self) -> usize {
        40
    }

    fn key_length(&self) -> usize {
        40
    }

    fn nonce_share(&self) -> Option<usize> {
        Some(20)
    }

    fn compute(&self, key: &[u8], parts: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
        let out: &mut [u8; 40] = out.try_into().map_err(|_| CryptoError::Length)?;
        out.copy_from_slice(&hmac(key, parts)[..40]);
        Ok(())
    }
}

/// A tag of 17 bytes under a key of 19.
struct Seventeen;

impl Integrity for Seventeen {
    fn identifier(&self) -> u32 {
        0xABCD
    }

    fn key_length(&self) -> usize {
        19
    }

    fn icv_length(&self) -> usize {
        17
    }

    fn compute(&self, key: &[u8], parts: &[&[u8]], icv: &mut [u8]) -> Result<(), CryptoError> {
        if (key.len(), icv.len()) != (19, 17) {
            return Err(CryptoError::Length);
        }
        icv.copy_from_slice(&hmac(key, parts)[..17]);
        Ok(())
    }

    fn verify(&self, key: &[u8], parts: &[&[u8]], icv: &[u8]) -> Result<(), CryptoError> {
        let mut expected = vec![0; icv.len()];
        self.compute(key, parts, &mut expected)?;
        if expected == icv { Ok(()) } else { Err(CryptoError::Refused) }
    }
}

/// P-256 with a byte before its public values, as SEC 1 has it and reading R15 has not.
struct WithFormat;

fn without_format(public: &[u8]) -> Result<&[u8], CryptoError> {
    match public {
        _ if public.len() != 65 => Err(CryptoError::Length),
        [4, point @ ..] => Ok(point),
        _ => Err(CryptoError::Refused),
    }
}

impl DhGroup for WithFormat {
    fn identifier(&self) -> u32 {
        0x8001
    }

    fn public_length(&self) -> usize {
        65
    }

    fn shared_length(&self) -> usize {
        32
    }

    fn private_length(&self) -> usize {
        32
    }

    fn check_public(&self, public: &[u8]) -> Result<(), CryptoError> {
        ECP_256.check_public(without_format(public)?)
    }

    fn draw_private(&self, random: &mut dyn Random, out: &mut [u8]) -> Result<(), RandomError> {
        ECP_256.draw_private(random, out)
    }

    fn public(&self, private: &[u8], out: &mut [u8]) -> Result<(), CryptoError> {
        let (format, point) = out.split_first_mut().ok_or(CryptoError::Length)?;
        *format = 4;
        ECP_256.public(private, point)
    }

    fn agree(&self, private: &[u8], peer: &[u8], out: &mut [u8]) -> Result<(), CryptoError> {
        ECP_256.agree(private, without_format(peer)?, out)
    }
}

/// The embedder's algorithms before those of this crate: the order of a list means nothing.
const fn vendors_provider() -> CryptoProvider {
    CryptoProvider {
        ciphers: &[SEALED, STREAM, AES_CBC, NULL],
        prfs: &[&Forty, PRF_HMAC_SHA2_512],
        integrity: &[&Seventeen, AUTH_HMAC_SHA2_512_256],
        groups: &[&WithFormat, MODP_2048],
        ..provider::provider()
    }
}

const SEPARATE: SuiteIdentifiers = SuiteIdentifiers {
    encryption: 0x0400,
    key_length: 24,
    pseudo_random: 0x0401,
    integrity: 0xABCD,
    group: 0x8001,
    ..MANDATORY
};
const COMBINED: SuiteIdentifiers =
    SuiteIdentifiers { encryption: 0xFFFF, key_length: 40, integrity: INTEG_NONE, ..SEPARATE };

fn vendors_server() -> DeviceServer {
    DeviceServer::builder(vendors_provider())
        .identity(drive())
        .preshared_keys(keys(SERVER_KEY, &host(), CLIENT_KEY))
        .build()
        .unwrap()
}

fn vendors_client(preferences: Preferences) -> Arc<ClientConfig> {
    let builder = ClientConfig::builder(vendors_provider(), host());
    let keys = keys(CLIENT_KEY, &drive(), SERVER_KEY);
    Arc::new(builder.preshared_keys(keys).preferences(preferences).build().unwrap())
}

/// The last rows of r3 Tables K2 to K5; 7.7.4.11: ascending by type, identifier and key length.
#[test]
fn they_are_reported_in_the_standards_order() {
    for (kind, identifier) in [
        (AlgorithmType::Encryption, 0x0400),
        (AlgorithmType::Encryption, 0xFFFF),
        (AlgorithmType::PseudoRandom, 0x0401),
        (AlgorithmType::Integrity, 0xABCD),
        (AlgorithmType::DiffieHellman, 0x8001),
    ] {
        assert_eq!(assignment(kind, identifier), Assignment::VendorSpecific);
    }
    let mut data_in = vec![0; 16_384];
    let cdb = [0xA2, 0x40, 1, 1, 0, 0, 0, 0, 0x40, 0, 0, 0];
    let request = Request { cdb: &cdb, data_out: &mut [], data_in: &mut data_in };
    let reply = vendors_server().execute(NEXUS, request, Instant::from_millis(0), &mut Numbers(1));
    let Reply::Good { len } = reply else { panic!("{reply:?}") };
    let listed = Capabilities::parse_parameter_data(Profile::R3, &data_in[..len]).unwrap().descriptors;
    let listed: Vec<_> = listed.iter().map(|d| (d.algorithm_type, d.identifier, d.key_length())).collect();
    // The attributes of IKE-AUTH are bits, not a key length.
    let shared_key = Descriptor::authentication(2, true, true).key_length();
    let expected = [
        (0x01, 0x000B, 0),
        (0x01, 0x000C, 16),
        (0x01, 0x000C, 32),
        (0x01, 0x0400, 24),
        (0x01, 0x0400, 40),
        (0x01, 0xFFFF, 24),
        (0x01, 0xFFFF, 40),
        (0x02, 0x0007, 0),
        (0x02, 0x0401, 0),
        (0x03, 0x0000, 0),
        (0x03, 0x000E, 0),
        (0x03, 0xABCD, 0),
        (0x04, 0x000E, 0),
        (0x04, 0x8001, 0),
        (0xF9, 0x0002, shared_key),
    ];
    assert_eq!(listed, expected);
}

#[test]
fn they_make_an_association_and_delete_it() {
    let mut server = vendors_server();
    let mut random = Numbers(2);
    for suite in [SEPARATE, SuiteIdentifiers { key_length: 40, ..SEPARATE }, COMBINED] {
        let config = vendors_client(Preferences::exactly(suite));
        let mut client = ApplicationClient::new(config.clone());
        let parameters = run(&mut client, &mut server, &mut random).unwrap();
        assert_shared(&server, &parameters);
        // Reading R33; r3 5.13.4.5 g.
        assert_eq!(parameters.kdf_id, 0x0002_0401);
        assert_eq!(parameters.key_seed().len(), 40);
        let data = &parameters.mgmt_data;
        assert_eq!((data.encr, data.key_length, data.integ), (suite.encryption, suite.key_length, suite.integrity));
        let command = delete(&config, *parameters, &mut random).unwrap();
        assert!(send(&mut server, &command, &mut random).unwrap().good);
        assert!(server.sas().is_empty());
    }
}

/// An algorithm of a vendor is ranked by its sizes like any other.
#[test]
fn they_are_preferred_by_their_sizes() {
    let preferences = Preferences::strongest_first(&vendors_provider());
    // 40 bytes of key, then 32, then 24; a tag of 10 bytes comes after integrity algorithms of 12 or more.
    assert_eq!(preferences.encryption[..3], [(0x0400, 40), (0xFFFF, 40), (AES_CBC.identifier(), 32)]);
    let mut server = vendors_server();
    let mut client = ApplicationClient::new(vendors_client(preferences));
    let parameters = run(&mut client, &mut server, &mut Numbers(3)).unwrap();
    assert_shared(&server, &parameters);
    assert_eq!((parameters.mgmt_data.encr, parameters.mgmt_data.key_length), (0x0400, 40));
}

/// A device server that lacks them does not offer them, and a client that wants nothing else says so.
#[test]
fn they_are_not_used_with_whom_lacks_them() {
    let mut client = ApplicationClient::new(vendors_client(Preferences::exactly(SEPARATE)));
    let error = run(&mut client, &mut server(), &mut Numbers(4)).unwrap_err();
    assert!(error.to_string().contains("ENCR"), "{error}");
}
