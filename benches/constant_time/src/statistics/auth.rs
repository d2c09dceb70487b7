//! A whole authentication OUT with a wrong AUTH: nearly right, or random.
//!
//! What the device server computes as the right AUTH is chosen here, so that it differs from what the client sent in one bit or
//! anywhere: its pseudo-random function computes, and then gives what was chosen for the key that stands for a shared key.

use std::sync::{Arc, Mutex, PoisonError};

use ikev2_scsi::Profile;
use ikev2_scsi::client::{ApplicationClient, Command, Outcome, Status};
use ikev2_scsi::crypto::{
    CryptoError, CryptoProvider, KeyVersion, PresharedKeys, Prf, PskError, Purpose, Random, RandomError,
};
use ikev2_scsi::provider::{PRF_HMAC_SHA2_256, provider};
use ikev2_scsi::wire::Identification;

use super::subjects::any;
use super::{Noise, Subject};
use crate::pair::{COMBINED, Pair};

/// Bytes of AUTH.
const LENGTH: usize = 32;
/// prf(shared key, pad) of every shared key here.
const PADDED: [u8; LENGTH] = [0x3C; LENGTH];
/// What the client sends.
const SENT: [u8; LENGTH] = [0x5A; LENGTH];
/// Failures of one sequence, before a new one is begun.
const FAILURES: u8 = 200;

static AUTH: Mutex<[u8; LENGTH]> = Mutex::new(SENT);

fn choose(auth: [u8; LENGTH]) {
    *AUTH.lock().unwrap_or_else(PoisonError::into_inner) = auth;
}

#[derive(Debug)]
struct Chosen;

impl Prf for Chosen {
    fn identifier(&self) -> u32 {
        PRF_HMAC_SHA2_256.identifier()
    }

    fn output_length(&self) -> usize {
        LENGTH
    }

    fn key_length(&self) -> usize {
        PRF_HMAC_SHA2_256.key_length()
    }

    fn compute(&self, key: &[u8], parts: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
        PRF_HMAC_SHA2_256.compute(key, parts, out)?;
        if key == PADDED {
            out.copy_from_slice(&*AUTH.lock().unwrap_or_else(PoisonError::into_inner));
        }
        Ok(())
    }
}

#[derive(Debug)]
struct Keys;

impl PresharedKeys for Keys {
    fn own(&self, _: &dyn Prf, _: &[u8], out: &mut [u8]) -> Result<KeyVersion, PskError> {
        out.copy_from_slice(&PADDED);
        Ok(KeyVersion(1))
    }

    fn peer(&self, _: Identification<'_>, _: &dyn Prf, _: &[u8], out: &mut [u8]) -> Result<KeyVersion, PskError> {
        out.copy_from_slice(&PADDED);
        Ok(KeyVersion(1))
    }
}

impl Random for Noise {
    fn fill(&mut self, _: Purpose, out: &mut [u8]) -> Result<(), RandomError> {
        Self::fill(self, out);
        Ok(())
    }
}

/// A device server that waits for the authentication OUT, and the command.
fn waiting(seed: u64) -> (Pair<Noise>, Command) {
    let provider = CryptoProvider { prfs: &[&Chosen], ..provider() };
    let keys = || -> Arc<dyn PresharedKeys> { Arc::new(Keys) };
    let mut pair = Pair::new(provider, (Profile::R3, COMBINED), [keys(), keys()], Noise(seed), Noise(seed + 1));
    let mut client = ApplicationClient::new(Arc::clone(&pair.config));
    for _ in 0..3 {
        let command = client.next_command(&mut pair.client_draws).unwrap();
        let data_in = pair.execute(&command).unwrap();
        assert_eq!(client.reply(Status::Good(&data_in)), Ok(Outcome::Continue));
    }
    choose(SENT);
    let command = client.next_command(&mut pair.client_draws).unwrap();
    (pair, command)
}

pub fn all() -> [Subject; 1] {
    let mut fixed = SENT;
    fixed[LENGTH - 1] ^= 1;
    let (mut failures, mut seed) = (0, 1);
    let (mut pair, mut command) = waiting(seed);
    let work = move |auth: &[u8]| {
        if failures == FAILURES {
            (failures, seed) = (0, seed + 2);
            (pair, command) = waiting(seed);
        }
        failures += 1;
        choose(auth.try_into().unwrap_or(SENT));
        let refused = pair.execute(&command).is_err();
        while pair.server.poll_event().is_some() {}
        assert!(refused);
        refused
    };
    let name = "device server: wrong AUTH; nearly right or random".into();
    [Subject { name, leaks: false, fixed: fixed.into(), fit: any, work: Box::new(work) }]
}
