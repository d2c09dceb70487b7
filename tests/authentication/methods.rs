//! Every way to authenticate, in each direction independently.

use ikev2_scsi::client::ClientConfigError;
use ikev2_scsi::crypto::{CredentialError, HashKind, KeyKind, Presentation, Proof};
use ikev2_scsi::server::ConfigError;
use ikev2_scsi::wire::{Capabilities, Descriptor};
use ikev2_scsi::{Profile, ccs::SlowCrypto};

use super::*;
use crate::provider::RsaSigner;

const ALL: [u32; 5] = [RSA, PSK, P256, P384, P521];

/// Reading R18.
#[test]
fn each_side_by_its_own_method() {
    let (ours, theirs) = (Party::client(), Party::server());
    let (certified, certifying) = (Party::client().by_certificates(), Party::server().by_certificates());
    let mut known = server(&theirs);
    let mut believing = server_with(&certifying, |builder| {
        let policy = policy(|policy| policy.slow_crypto = SlowCrypto::Offload);
        builder.policy(policy)
    });
    for own in ALL {
        for peer in ALL {
            for (party, server) in [(&ours, &mut known), (&certified, &mut believing)] {
                let who = established(&client(party, own, peer), server);
                assert_eq!((who.identity, u32::from(who.method)), (host(), own));
                match who.proof {
                    Proof::SharedKey(_) => assert_eq!(own, PSK),
                    Proof::PublicKey(key) => assert_eq!(key.kind.auth_method(), own),
                    _ => panic!("{own} {peer}"),
                }
            }
        }
    }
}

fn offered(server: &mut DeviceServer) -> Vec<(u32, bool, bool)> {
    let cdb = [0xA2, 0x40, 1, 1, 0, 0, 0, 0, 0x40, 0, 0, 0];
    let mut data_in = vec![0; 16_384];
    let request = Request { cdb: &cdb, data_out: &mut [], data_in: &mut data_in };
    let Reply::Good { len } = server.execute(NEXUS, request, Instant::default(), &mut Numbers(1)) else { panic!() };
    let list = Capabilities::parse_parameter_data(Profile::R3, &data_in[..len]).unwrap();
    let authentication = list.descriptors.iter().filter(|d| d.algorithm_type == 0xF9);
    authentication.map(|d| (d.identifier, d.may_use(), d.accept())).collect()
}

/// r3 7.7.4.11.6: USE where there is a key, ACCEPT where there is somebody to judge.
#[test]
fn the_capabilities_tell_what_is_configured() {
    let both = ALL.map(|method| (method, true, true));
    assert_eq!(offered(&mut server(&Party::server())), both);
    let shared = |configure: &dyn Fn(Builder) -> Builder| {
        let builder = DeviceServer::builder(provider::provider()).identity(drive());
        offered(&mut configure(builder).build().unwrap())
    };
    let keys = || keys(b"drive's key", &host(), b"host's key");
    let signatures = Party::server().signatures();
    assert_eq!(shared(&|builder| builder.preshared_keys(keys())), [(PSK, true, true)]);
    let only_own = shared(&|builder| {
        let p384 = signatures.own.iter().find(|own| format!("{own:?}").contains("P384")).unwrap();
        builder.preshared_keys(keys()).credential(p384.clone())
    });
    assert_eq!(only_own, [(PSK, true, true), (P384, true, false)]);
    let only_theirs = shared(&|builder| builder.preshared_keys(keys()).validator(signatures.validator.clone()));
    let accepted = ALL.map(|method| (method, method == PSK, true));
    assert_eq!(only_theirs, accepted);
    let no_rsa = shared(&|builder| {
        let policy = policy(|policy| policy.rsa_hashes = Vec::new().into());
        builder.preshared_keys(keys()).validator(signatures.validator.clone()).policy(policy)
    });
    assert_eq!(no_rsa, accepted[1..]);
    let hidden = shared(&|builder| {
        let hidden = vec![(algorithm::AlgorithmType::Authentication, P256)];
        let policy = policy(|policy| policy.hidden_algorithms = hidden);
        builder.preshared_keys(keys()).validator(signatures.validator.clone()).policy(policy)
    });
    assert!(!hidden.iter().any(|(method, ..)| *method == P256) && hidden.len() == 4);
}

/// What could not be sent is refused when it is configured, on both sides.
#[test]
fn keys_that_cannot_be_shown_so() {
    let p256 = Party::client().signatures().own.into_iter().find(|own| own.public_key().kind == KeyKind::P256).unwrap();
    let raw = p256.presenting(Presentation::RawKey);
    let builder = DeviceServer::builder(provider::provider()).identity(drive()).credential(raw.clone());
    assert_eq!(builder.build().unwrap_err(), ConfigError::Credentials(CredentialError::RawKeyKind));
    let builder = ClientConfig::builder(provider::provider(), host()).credential(raw);
    assert_eq!(builder.build().unwrap_err(), ClientConfigError::Credentials(CredentialError::RawKeyKind));
}

/// An application client that is not accepted by any of its methods does not begin.
#[test]
fn a_client_needs_a_method_that_is_accepted() {
    let mut server = server(&Party::server());
    let descriptor = |method, accept| Descriptor::authentication(method, true, accept);
    let config = client(&Party::client(), P256, PSK);
    let cdb = [0xA2, 0x40, 1, 1, 0, 0, 0, 0, 0x40, 0, 0, 0];
    let mut data_in = vec![0; 16_384];
    let request = Request { cdb: &cdb, data_out: &mut [], data_in: &mut data_in };
    let Reply::Good { len } = server.execute(NEXUS, request, Instant::default(), &mut Numbers(1)) else { panic!() };
    let list = Capabilities::parse_parameter_data(Profile::R3, &data_in[..len]).unwrap();
    let others = || list.descriptors.iter().filter(|d| d.algorithm_type != 0xF9);
    for (accept, fails) in [(true, false), (false, true)] {
        let methods = [descriptor(PSK, true), descriptor(P256, accept)];
        let offer: Vec<Descriptor> = others().chain(methods).collect();
        server.set_capabilities(&offer).unwrap();
        let result = run(&config, &mut server, NEXUS, Some(day()));
        assert_eq!(result.is_err(), fails);
        if let Err(error) = result {
            assert_eq!(error.step, Step::KeyExchangeOut);
        }
    }
}

/// Reading R16.
#[test]
fn rsa_with_another_hash_by_policy_only() {
    let der = rsa_key();
    let hashes = [HashKind::Sha1, HashKind::Sha256, HashKind::Sha384, HashKind::Sha512];
    for hash in hashes {
        let config = client_with(&Party { side: json!({}), ..Party::client() }, RSA, PSK, |builder| {
            builder.credential(Credential::new(Arc::new(RsaSigner::from_pkcs8_der(&der, hash).unwrap())))
        });
        for accepted in [vec![HashKind::Sha1], vec![HashKind::Sha512, HashKind::Sha384], hashes.to_vec()] {
            let is_accepted = accepted.contains(&hash);
            let policy = policy(|policy| policy.rsa_hashes = accepted.into());
            let mut server = server_with(&Party::server(), |builder| builder.policy(policy));
            let result = run(&config, &mut server, NEXUS, Some(day()));
            assert_eq!(result.is_ok(), is_accepted, "{hash:?}");
        }
    }
}

/// The client's recorded RSA key.
pub(crate) fn rsa_key() -> Vec<u8> {
    let all = recorded();
    pem_rfc7468::decode_vec(all["client"]["keys"]["rsa"].as_str().unwrap().as_bytes()).unwrap().1
}

/// CERTIFICATE ENCODING 0Bh: the key is sent, and must be the known one.
#[test]
fn raw_keys() {
    let mut server = server(&Party::server().sending("raw"));
    let who = established(&client(&Party::client().sending("raw"), RSA, RSA), &mut server);
    assert!(matches!(who.proof, Proof::PublicKey(key) if key.kind == KeyKind::Rsa));
}
