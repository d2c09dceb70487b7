//! The parameters of an association, and its keys, computed from the documents alone (SPC-4 5.14.2.2 table 73, 5.14.4.8, 5.14.4.9;
//! readings R10, S6; question Q19).

use std::sync::Mutex;

use super::client::{
    CBC, CCM, COMBINED, COMBINED_SUITE, GCM, NO_AUTH, NULL, SEPARATE_SUITE, SHA1_96, SHA512_256, descriptor, saut,
};
use super::*;
use ikev2_scsi::keys::{KeyLog, UsageAlgorithms};

/// Encryption and integrity for the use, and the bytes of KEYMAT: integrity keys of both directions, then encryption keys with their
/// salts (SPC-4 5.14.4.8.6, tables 81 and 547).
const USES: [(u32, u16, u32, usize); 7] = [
    (NULL, 0, SHA1_96, 2 * 20),
    (NULL, 0, SHA512_256, 2 * 64),
    (CBC, 16, SHA1_96, 2 * (20 + 16)),
    (CBC, 32, SHA512_256, 2 * (64 + 32)),
    (CCM, 16, COMBINED, 2 * (16 + 3)),
    (GCM, 16, COMBINED, 2 * (16 + 4)),
    (GCM, 32, COMBINED, 2 * (32 + 4)),
];

#[test]
fn each_parameter() {
    for suite in [COMBINED_SUITE, SEPARATE_SUITE] {
        for auth in [suite.auth, [NO_AUTH; 2]] {
            for (encr, key_length, integ, length) in USES {
                let mut bench = Bench::new();
                let mut client = bench.client(A, suite.with_auth(auth), 0x1234_5678);
                let (sa_type, data) = if encr == NULL { (0xC000, &b"usage"[..]) } else { (0x0081, &b""[..]) };
                client.usage = saut(sa_type, data, &[descriptor(1, encr, key_length), descriptor(3, integ, 0)]);
                bench.begin_and_finish(A, &mut client);
                let sa = bench.server.sas().get(id(&client)).unwrap();
                let parameters = &sa.parameters;
                assert_eq!((parameters.ac_sqn, parameters.ds_sqn), (1, 1));
                assert!(parameters.ac_nonce().is_empty() && parameters.ds_nonce().is_empty());
                assert!(parameters.key_seed().is_empty());
                assert_eq!(parameters.timeout, 600);
                assert_eq!(parameters.kdf_id, suite.prf);
                assert_eq!(parameters.usage_type, sa_type);
                assert_eq!(parameters.usage_algorithms, Some(UsageAlgorithms { encr, key_length, integ }));
                let usage_data = [&encr.to_be_bytes()[..], &key_length.to_be_bytes(), &integ.to_be_bytes(), data];
                assert_eq!(parameters.usage_data_parameter(), usage_data.concat());
                assert_eq!(parameters.keymat(), client.kdf(&client.keys.d, length), "{encr:x}");
                let management = &parameters.mgmt_data;
                assert_eq!(
                    (management.encr, management.key_length, management.integ),
                    (suite.encr.0, suite.encr.1, suite.integ)
                );
                let [ai, ar] = &client.keys.integrity;
                let [ei, er] = &client.keys.encryption;
                assert_eq!([parameters.sk_ai(), parameters.sk_ar()], [ai, ar]);
                assert_eq!([parameters.sk_ei(), parameters.sk_er()], [ei, er]);
                assert_eq!(management.next_message_id, 2);
                assert_eq!(sa.application_client.is_none(), auth == [NO_AUTH; 2]);
                // No parameter has SK_d or one of SK_pi and SK_pr.
                let all = [parameters.keymat(), ai, ar, ei, er].concat();
                for secret in [&client.keys.d, &client.keys.p[0], &client.keys.p[1]] {
                    assert!(!all.windows(secret.len()).any(|window| window == *secret));
                }
                bench.good(B, Command::Delete, &client.delete());
            }
        }
    }
}

#[derive(Default)]
struct Log(Mutex<Vec<(&'static str, usize)>>);

impl KeyLog for Log {
    fn record(&self, _: Sai, _: Sai, name: &'static str, value: &[u8]) {
        self.0.lock().unwrap().push((name, value.len()));
    }
}

/// SPC-4 5.14.4.6.4, 5.14.4.6.5: all keys are there before the key exchange IN is GOOD, the association with the last IN.
#[test]
fn when_keys_and_associations_come_into_being() {
    for auth in [COMBINED_SUITE.auth, [NO_AUTH; 2]] {
        let log = Arc::new(Log::default());
        let mut bench = Bench::with(|builder| builder.key_log(Arc::clone(&log) as Arc<dyn KeyLog>));
        let mut client = bench.client(A, COMBINED_SUITE.with_auth(auth), 0x1000);
        bench.step(A, &mut client);
        assert!(bench.server.sas().is_empty());
        bench.step(A, &mut client);
        let names: Vec<_> = log.0.lock().unwrap().iter().map(|(name, _)| *name).collect();
        for name in ["SKEYSEED", "SK_d", "SK_ei", "SK_er"] {
            assert!(names.contains(&name), "{name}");
        }
        if auth == [NO_AUTH; 2] {
            assert!(bench.has(&client));
            continue;
        }
        bench.step(A, &mut client);
        assert!(bench.server.sas().is_empty(), "not with the authentication OUT");
        bench.step(A, &mut client);
        assert!(bench.has(&client));
    }
}

/// SAIs from 0 to 255 and SAIs in use are drawn again; each sequence has its own, a nonce and a public value of its own.
#[test]
fn what_is_drawn_is_new() {
    let mut bench = Bench::new();
    let clients: Vec<Client> = (0..20).map(|n| bench.establish(A, COMBINED_SUITE, 0x1000 + n)).collect();
    for (index, client) in clients.iter().enumerate() {
        assert!(client.ds_sai > 255);
        assert_eq!(client.their_nonce.len(), 32);
        for other in &clients[index + 1..] {
            assert_ne!(client.ds_sai, other.ds_sai);
            assert_ne!(client.their_nonce, other.their_nonce);
            assert_ne!(client.answer[121..], other.answer[121..], "KE and NONCE");
        }
    }
}

struct Scripted(Vec<[u8; 4]>);

impl Random for Scripted {
    fn fill(&mut self, purpose: Purpose, out: &mut [u8]) -> Result<(), RandomError> {
        out.fill(0x11);
        if purpose == Purpose::DsSai {
            if self.0.is_empty() {
                return Err(RandomError);
            }
            out.copy_from_slice(&self.0.remove(0));
        }
        Ok(())
    }
}

#[test]
fn reserved_sais_and_those_in_use_are_not_taken() {
    let mut bench = Bench::new();
    let draws = [0_u32, 1, 255, 256].map(u32::to_be_bytes);
    let again = [256_u32, 0x0001_0000].map(u32::to_be_bytes);
    for (nexus, draws, expected) in [(A, draws.to_vec(), 256_u32), (B, again.to_vec(), 0x0001_0000)] {
        let mut list = Client::new(COMBINED_SUITE, 0x1000).key_exchange_out();
        let mut random = Scripted(draws);
        let cdb = Command::KeyExchangeOut.cdb(list.len());
        let request = Request { cdb: &cdb, data_out: &mut list, data_in: &mut [] };
        assert_eq!(bench.server.execute(nexus, request, Instant::from_millis(0), &mut random), Reply::Good { len: 0 });
        assert_eq!(bench.good(nexus, Command::KeyExchangeIn, &[])[12..16], expected.to_be_bytes());
    }
    // An association without a sequence has its SAI as well.
    let mut bench = Bench::new();
    let old = bench.establish(A, COMBINED_SUITE, 0x1000);
    bench.server.nexus_lost(A);
    let mut list = Client::new(COMBINED_SUITE, 0x2000).key_exchange_out();
    let mut random = Scripted(vec![old.ds_sai.to_be_bytes(), 0x0001_0000_u32.to_be_bytes()]);
    let cdb = Command::KeyExchangeOut.cdb(list.len());
    let request = Request { cdb: &cdb, data_out: &mut list, data_in: &mut [] };
    assert_eq!(bench.server.execute(B, request, Instant::from_millis(0), &mut random), Reply::Good { len: 0 });
    assert_eq!(bench.good(B, Command::KeyExchangeIn, &[])[12..16], 0x0001_0000_u32.to_be_bytes());
}
