//! A provider that fails once, at each of its calls in turn: the command is refused with HARDWARE ERROR, changes nothing, and
//! succeeds when it is sent again (reading R40).

use std::cell::Cell;
use std::collections::BTreeSet;

use ikev2_scsi::SlowCrypto;
use ikev2_scsi::crypto::{Cipher, CryptoError, DhGroup, Integrity, Prf};

use super::*;
use crate::provider::{AES_CBC, AUTH_HMAC_SHA1_96, ECP_256, PRF_HMAC_SHA1};

thread_local! {
    /// The call that fails, counted from one; zero for none.
    static CALLS_LEFT: Cell<usize> = const { Cell::new(0) };
}

/// One call of the provider.
fn call() -> Result<(), CryptoError> {
    let left = CALLS_LEFT.get();
    CALLS_LEFT.set(left.saturating_sub(1));
    if left == 1 { Err(CryptoError::Device) } else { Ok(()) }
}

struct Failing<T: ?Sized + 'static>(&'static T);

impl Cipher for Failing<dyn Cipher> {
    fn identifier(&self) -> u32 {
        self.0.identifier()
    }
    fn key_lengths(&self) -> &'static [u16] {
        self.0.key_lengths()
    }
    fn iv_length(&self) -> usize {
        self.0.iv_length()
    }
    fn alignment(&self) -> usize {
        self.0.alignment()
    }
    fn block_length(&self) -> usize {
        self.0.block_length()
    }
    fn seal(&self, key: &[u8], iv: &[u8], head: &[u8], data: &mut [u8], icv: &mut [u8]) -> Result<(), CryptoError> {
        call()?;
        self.0.seal(key, iv, head, data, icv)
    }
    fn open(&self, key: &[u8], iv: &[u8], head: &[u8], data: &mut [u8], icv: &[u8]) -> Result<(), CryptoError> {
        call()?;
        self.0.open(key, iv, head, data, icv)
    }
}

impl Prf for Failing<dyn Prf> {
    fn identifier(&self) -> u32 {
        self.0.identifier()
    }
    fn output_length(&self) -> usize {
        self.0.output_length()
    }
    fn key_length(&self) -> usize {
        self.0.key_length()
    }
    fn compute(&self, key: &[u8], parts: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
        call()?;
        self.0.compute(key, parts, out)
    }
}

impl Integrity for Failing<dyn Integrity> {
    fn identifier(&self) -> u32 {
        self.0.identifier()
    }
    fn key_length(&self) -> usize {
        self.0.key_length()
    }
    fn icv_length(&self) -> usize {
        self.0.icv_length()
    }
    fn compute(&self, key: &[u8], parts: &[&[u8]], icv: &mut [u8]) -> Result<(), CryptoError> {
        call()?;
        self.0.compute(key, parts, icv)
    }
    fn verify(&self, key: &[u8], parts: &[&[u8]], icv: &[u8]) -> Result<(), CryptoError> {
        call()?;
        self.0.verify(key, parts, icv)
    }
}

impl DhGroup for Failing<dyn DhGroup> {
    fn identifier(&self) -> u32 {
        self.0.identifier()
    }
    fn public_length(&self) -> usize {
        self.0.public_length()
    }
    fn shared_length(&self) -> usize {
        self.0.shared_length()
    }
    fn private_length(&self) -> usize {
        self.0.private_length()
    }
    fn check_public(&self, public: &[u8]) -> Result<(), CryptoError> {
        call()?;
        self.0.check_public(public)
    }
    fn draw_private(&self, random: &mut dyn Random, out: &mut [u8]) -> Result<(), RandomError> {
        call().map_err(|_| RandomError)?;
        self.0.draw_private(random, out)
    }
    fn public(&self, private: &[u8], out: &mut [u8]) -> Result<(), CryptoError> {
        call()?;
        self.0.public(private, out)
    }
    fn agree(&self, private: &[u8], peer: &[u8], out: &mut [u8]) -> Result<(), CryptoError> {
        call()?;
        self.0.agree(private, peer, out)
    }
}

fn failing() -> CryptoProvider {
    CryptoProvider {
        ciphers: &[&Failing(AES_CBC)],
        prfs: &[&Failing(PRF_HMAC_SHA1)],
        integrity: &[&Failing(AUTH_HMAC_SHA1_96)],
        groups: &[&Failing(ECP_256)],
        verifiers: &[],
    }
}

/// The reply to a command, after all jobs that there are.
fn answer(unit: &mut Unit, command: &Command) -> (Reply, Vec<u8>) {
    let (mut reply, mut data_in) = unit.command(A, command);
    while let Some(job) = unit.server.poll_job() {
        let (mut late, now) = (vec![0; 4096], unit.instant());
        if let Some((_, held)) = unit.server.complete(job.run(), &mut late, now) {
            let len = if let Reply::Good { len } = held { len } else { 0 };
            late.truncate(len);
            (reply, data_in) = (held, late);
        }
    }
    (reply, data_in)
}

/// Sends a command until it succeeds, with one failure at most; tells whether it was refused.
fn succeed(unit: &mut Unit, command: &Command) -> (bool, Vec<u8>) {
    let before = (unit.server.phase(A), unit.server.sas().len());
    let (mut reply, mut data_in) = answer(unit, command);
    let mut was_refused = false;
    if let Reply::CheckCondition(sense) = reply {
        assert_eq!((codes(&sense), sense.specific), (INTERNAL, SenseKeySpecific::None));
        assert_eq!((unit.server.phase(A), unit.server.sas().len()), before);
        was_refused = true;
        (reply, data_in) = answer(unit, command);
    }
    assert!(matches!(reply, Reply::Good { .. }), "{reply:?}");
    (was_refused, data_in)
}

/// An exchange and its Delete with a provider whose `n`-th call fails; gives the command that was refused, if there was that
/// call: 1 is the key exchange OUT, 5 the Delete.
fn refused_at(slow_crypto: SlowCrypto, n: usize) -> Option<usize> {
    let slow = policy(|policy| policy.slow_crypto = slow_crypto);
    let mut unit = Unit::over(failing(), |builder| builder.policy(slow));
    let host = Host::first();
    let (mut client, mut refused) = (host.client(), Vec::new());
    CALLS_LEFT.set(n);
    for number in 0.. {
        let command = client.next_command(&mut unit.random).unwrap();
        let (was_refused, data_in) = succeed(&mut unit, &command);
        refused.extend(was_refused.then_some(number));
        if let Outcome::Established(parameters) = client.reply(Status::Good(&data_in)).unwrap() {
            assert_eq!((unit.server.sas().len(), number), (1, 4));
            let delete = client::delete(&host.0, *parameters, &mut unit.random).unwrap();
            refused.extend(succeed(&mut unit, &delete).0.then_some(5));
            break;
        }
    }
    assert!(unit.server.sas().is_empty());
    let is_blamed = |(_, kind): &(Option<NexusId>, EventKind)| matches!(kind, EventKind::AuthenticationFailed { .. });
    assert!(!unit.told().iter().any(is_blamed), "nobody is blamed for it");
    let was_called = CALLS_LEFT.replace(0) == 0;
    assert_eq!(refused.len(), usize::from(was_called), "call {n}");
    refused.pop()
}

#[test]
fn each_call_of_the_provider_may_fail() {
    let commands = |slow| -> BTreeSet<usize> { (1..).map_while(|n| refused_at(slow, n)).collect() };
    assert_eq!(commands(SlowCrypto::Inline), [1, 3, 4, 5].into());
    // The key exchange OUT is answered before its calculation, and the key exchange IN is told.
    assert_eq!(commands(SlowCrypto::Offload), [1, 2, 3, 4, 5].into());
}
