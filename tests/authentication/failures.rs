//! Signing devices that fail, and signatures made and checked elsewhere (r3 5.13.7; readings R24, R40).

use std::sync::atomic::{AtomicUsize, Ordering};

use ikev2_scsi::ccs::SlowCrypto;
use ikev2_scsi::ccs::job::JobKind;
use ikev2_scsi::ccs::table::Phase;
use ikev2_scsi::client::{Command, Fault};
use ikev2_scsi::crypto::{CryptoError, PublicKey, SignatureScheme, Signer};

use super::*;
use crate::provider::EcdsaSigner;

/// A device that fails at first.
struct Moody {
    key: EcdsaSigner,
    failures: AtomicUsize,
}

impl Moody {
    fn new(pem: &Value, failures: usize) -> Arc<Self> {
        let der = pem_rfc7468::decode_vec(pem.as_str().unwrap().as_bytes()).unwrap().1;
        Arc::new(Self { key: EcdsaSigner::from_pkcs8_der(&der).unwrap(), failures: AtomicUsize::new(failures) })
    }
}

impl Signer for Moody {
    fn scheme(&self) -> SignatureScheme {
        self.key.scheme()
    }

    fn public_key(&self) -> PublicKey {
        self.key.public_key()
    }

    fn signature_length(&self) -> usize {
        self.key.signature_length()
    }

    fn sign(&self, message: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
        let failing = self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if failing.is_ok() { Err(CryptoError::Device) } else { self.key.sign(message, out) }
    }
}

fn step(client: &mut ApplicationClient, server: &mut DeviceServer, random: &mut Numbers) {
    let command = client.next_command(random).unwrap();
    let (sense, data_in) = send(server, NEXUS, &command, random);
    assert!(sense.is_none(), "{sense:?}");
    client.reply(Status::Good(&data_in)).unwrap();
}

/// INTERNAL TARGET FAILURE; the same command again succeeds.
#[test]
fn the_device_servers_key_is_away_for_a_while() {
    let moody = Moody::new(&recorded()["provisioning"]["device_server"]["keys"]["p256"], 2);
    let mut server = server_with(&Party { side: json!({}), ..Party::server() }, |builder| {
        builder.credential(Credential::new(moody))
    });
    let mut client = ApplicationClient::new(client(&Party::client(), PSK, P256));
    let mut random = Numbers(5);
    for _ in 0..4 {
        step(&mut client, &mut server, &mut random);
    }
    let command = client.next_command(&mut random).unwrap();
    for _ in 0..2 {
        let (sense, _) = send(&mut server, NEXUS, &command, &mut random);
        let sense = sense.unwrap();
        assert_eq!((sense.key.code(), sense.asc.code, sense.asc.qualifier), (4, 0x44, 0));
        assert!(server.sas().is_empty());
    }
    let (sense, data_in) = send(&mut server, NEXUS, &command, &mut random);
    assert!(sense.is_none() && server.sas().len() == 1);
    assert!(matches!(client.reply(Status::Good(&data_in)), Ok(Outcome::Established(_))));
}

#[test]
fn the_clients_key_is_away_for_a_while() {
    let moody = Moody::new(&recorded()["client"]["keys"]["p384"], 1);
    let config = client_with(&Party { side: json!({}), ..Party::client() }, P384, PSK, |builder| {
        builder.credential(Credential::new(moody))
    });
    let mut server = server(&Party::server());
    let mut client = ApplicationClient::new(config);
    let mut random = Numbers(5);
    for _ in 0..3 {
        step(&mut client, &mut server, &mut random);
    }
    let error = client.next_command(&mut random).unwrap_err();
    assert_eq!((error.step, error.fault), (Step::AuthenticationOut, Fault::Crypto(CryptoError::Device)));
    step(&mut client, &mut server, &mut random);
    let command = client.next_command(&mut random).unwrap();
    let (_, data_in) = send(&mut server, NEXUS, &command, &mut random);
    assert!(matches!(client.reply(Status::Good(&data_in)), Ok(Outcome::Established(_))));
}

/// Signatures are jobs of their own kinds; one that fails leaves the sequence where it was.
#[test]
fn signatures_are_made_and_checked_by_jobs() {
    let mut server = server_with(&Party::server().by_certificates(), |builder| {
        builder.policy(policy(|policy| policy.slow_crypto = SlowCrypto::Offload))
    });
    let mut client = ApplicationClient::new(client(&Party::client().by_certificates(), RSA, P521));
    client.set_unix_time(day());
    let mut random = Numbers(5);
    for _ in 0..3 {
        step(&mut client, &mut server, &mut random);
    }
    for kind in [JobKind::Verify, JobKind::Sign] {
        let command = client.next_command(&mut random).unwrap();
        for fails in [true, false] {
            let (job, mut data_in) = hold(&mut server, &command, &mut random);
            assert_eq!(job.kind(), kind);
            let done = if fails { job.fail() } else { job.run() };
            let (_, reply) = server.complete(done, &mut data_in, Instant::default()).unwrap();
            match reply {
                Reply::CheckCondition(sense) => assert!(fails && sense.asc.code == 0x44),
                Reply::Good { len } => {
                    assert!(!fails);
                    client.reply(Status::Good(&data_in[..len])).unwrap();
                }
                Reply::Held(_) => panic!("held twice"),
            }
        }
    }
    assert_eq!(server.sas().len(), 1);
}

/// A good signature that took too long proves nothing about whoever is on the nexus by then.
#[test]
fn a_late_proof_authenticates_nobody_else() {
    let mut server = server_with(&Party::server(), |builder| {
        builder.policy(policy(|policy| policy.slow_crypto = SlowCrypto::Offload))
    });
    let mut random = Numbers(5);
    let begin = |server: &mut DeviceServer, random: &mut Numbers| {
        let mut client = ApplicationClient::new(client(&Party::client(), P256, PSK));
        (0..3).for_each(|_| step(&mut client, server, random));
        client
    };
    let command = begin(&mut server, &mut random).next_command(&mut random).unwrap();
    let (job, mut data_in) = hold(&mut server, &command, &mut random);
    let later = Instant::from_millis(61_000);
    server.expire(later);
    let mut other = begin(&mut server, &mut random);
    assert_eq!(server.phase(NEXUS), Phase::KeyExchangeIn);
    let (nexus, reply) = server.complete(job.run(), &mut data_in, later).unwrap();
    let Reply::CheckCondition(sense) = reply else { panic!("{reply:?}") };
    assert_eq!((nexus, sense.asc.code, server.phase(NEXUS)), (NEXUS, 0x2C, Phase::KeyExchangeIn));
    // The other one goes on, and nobody is authenticated before it has signed itself.
    for _ in 0..2 {
        assert!(server.sas().is_empty());
        step(&mut other, &mut server, &mut random);
    }
    assert_eq!(server.sas().len(), 1);
}

fn hold(server: &mut DeviceServer, command: &Command, random: &mut Numbers) -> (ikev2_scsi::Job, Vec<u8>) {
    let (mut data_out, mut data_in) = (command.data_out.to_vec(), vec![0; 16_384]);
    let cdb = command.cdb.to_bytes();
    let request = Request { cdb: &cdb, data_out: &mut data_out, data_in: &mut data_in };
    assert!(matches!(server.execute(NEXUS, request, Instant::default(), random), Reply::Held(_)));
    (server.poll_job().unwrap(), data_in)
}
