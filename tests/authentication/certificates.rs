//! Certificates between both sides: who sends them when, whose names they bear, and what they are worth later.

use ikev2_scsi::client::{Fault, Leftover, Peer};
use ikev2_scsi::crypto::{CertificateError, CertificateWish, Presentation, Proof};
use ikev2_scsi::server::{EventKind, RemovalReason};
use ikev2_scsi::wire::CertificateEncoding;
use ikev2_scsi::x509::{authority_hash, subject};

use super::*;

fn failed(config: &Arc<ClientConfig>, server: &mut DeviceServer, time: Option<UnixTime>) -> Fault {
    let error = run(config, server, NEXUS, time).unwrap_err();
    assert_eq!((error.step, error.leftover), (Step::AuthenticationIn, Leftover::Deleted));
    assert!(server.sas().is_empty());
    error.fault
}

fn asking(party: Party) -> Party {
    let mut party = party;
    party.side["certreq"] = recorded()["client"]["certreq"].clone();
    party
}

/// r3 5.13.4.4.2, 5.13.4.4.3: certificates that are sent on request are sent on request. Whoever believes certificates alone
/// notices.
#[test]
fn requests_are_honoured_in_both_directions() {
    let believing = || Party { public_keys: json!([]), ..Party::client() };
    let mut server = server(&asking(Party { public_keys: json!([]), ..Party::server() }));
    established(&client(&asking(believing()), P256, P256), &mut server);
    server.reset();
    let not_asking = client(&believing(), P256, P256);
    assert_eq!(failed(&not_asking, &mut server, Some(day())), Fault::Certificate(CertificateError::Unknown));
    let raw = CertificateWish { encoding: CertificateEncoding::RawRsaKey, authorities: [].into() };
    let asking_raw = client_with(&believing(), P256, P256, |builder| {
        builder.certificate_requests(CertificateRequests::Exactly(vec![raw]))
    });
    assert_eq!(failed(&asking_raw, &mut server, Some(day())), Fault::Certificate(CertificateError::Unknown));
}

/// A validator's trust anchors are asked for unless said otherwise.
#[test]
fn trust_anchors_are_asked_for_by_default() {
    let anchor = support::bytes(&recorded()["client"]["trust_anchors"][0]);
    let wanted = authority_hash(&anchor).unwrap();
    for (requests, is_asked) in [(CertificateRequests::TrustAnchors, true), (CertificateRequests::Nothing, false)] {
        let mut server = server_with(&Party::server(), |builder| builder.certificate_requests(requests));
        let config = client(&Party::client(), PSK, PSK);
        let mut client = ApplicationClient::new(config);
        let mut random = Numbers(9);
        let mut data_in = Vec::new();
        for _ in 0..3 {
            let command = client.next_command(&mut random).unwrap();
            data_in = send(&mut server, NEXUS, &command, &mut random).1;
            client.reply(Status::Good(&data_in)).unwrap();
        }
        let hash_at = data_in.windows(20).position(|window| *window == wanted);
        assert_eq!(hash_at.is_some(), is_asked);
        if let Some(at) = hash_at {
            assert_eq!((at + 20, &data_in[at - 5..at]), (data_in.len(), &[0, 0x80, 0, 25, 4][..]));
        }
    }
}

/// 7.7.4.4 a: an identity that is a certificate's name, matched as is the default.
#[test]
fn names_of_certificates() {
    let recorded = recorded();
    let subject_of =
        |side: &str, kind: &str| subject(&support::bytes(&recorded.pointer(side).unwrap()["certs"][kind][0])).unwrap();
    let strict = |party: Party| Party { identity_match: IdentityMatch::Required, ..party.by_certificates() };
    let (ours, theirs) = (strict(Party::client()), strict(Party::server()));
    let named = |name: Identity| {
        let signatures = ours.signatures();
        let own = signatures.own.into_iter().map(|own| own.identity(name.clone()));
        let bare = Party { side: json!({}), ..strict(Party::client()) };
        let bare = Party { side: json!({}), ..bare };
        client_with(&bare, P256, P384, |builder| own.fold(builder, ClientConfigBuilder::credential))
    };
    let server_named = |name: Identity| {
        let signatures = theirs.signatures();
        let own = signatures.own.into_iter().map(|own| own.identity(name.clone()));
        let bare = Party { side: json!({}), ..strict(Party::server()) };
        server_with(&bare, |builder| own.fold(builder, Builder::credential))
    };
    let (host, drive) = (subject_of("/client", "p256"), subject_of("/provisioning/device_server", "p384"));
    let mut honest = server_named(drive.clone());
    assert_eq!(established(&named(host.clone()), &mut honest).identity, host);
    // The name of another certificate of the same authority.
    let error = run(&named(drive), &mut honest, NEXUS, Some(day())).unwrap_err();
    assert_eq!(error.step, Step::AuthenticationOut);
    let mut liar = server_named(host.clone());
    let fault = failed(&named(host), &mut liar, Some(day()));
    assert_eq!(fault, Fault::Certificate(CertificateError::IdentityMismatch));
}

/// What an application client finds wrong with a device server's certificate, it is told; the association is deleted.
#[test]
fn a_device_server_that_is_not_believed() {
    let believing = Party::client().by_certificates();
    let mut server = server(&Party::server().by_certificates());
    let config = client(&believing, PSK, RSA);
    for (time, why) in [
        (None, CertificateError::NoTime),
        (Some(UnixTime(1_000_000_000)), CertificateError::NotValidNow),
        (Some(UnixTime(9_000_000_000)), CertificateError::NotValidNow),
    ] {
        assert_eq!(failed(&config, &mut server, time), Fault::Certificate(why));
    }
    let strict = Party { identity_match: IdentityMatch::Required, ..Party::client().by_certificates() };
    let fault = failed(&client(&strict, PSK, RSA), &mut server, Some(day()));
    assert_eq!(fault, Fault::Certificate(CertificateError::IdentityMismatch));
    let unknowing = Party { trust_anchors: json!([]), ..Party::client().by_certificates() };
    let fault = failed(&client(&unknowing, PSK, RSA), &mut server, Some(day()));
    assert_eq!(fault, Fault::Certificate(CertificateError::Untrusted));
    // A signature by another key than the known one.
    let mistaken =
        Party { public_keys: recorded()["provisioning"]["clients"][0]["public_keys"].clone(), ..Party::client() };
    let mut plain = super::server(&Party::server());
    assert_eq!(failed(&client(&mistaken, PSK, P521), &mut plain, Some(day())), Fault::AuthenticationFailed);
}

/// Drives an exchange to its end; gives whom the client then knows.
fn known_after(config: &Arc<ClientConfig>, server: &mut DeviceServer) -> Option<Peer> {
    let mut client = ApplicationClient::new(Arc::clone(config));
    client.set_unix_time(day());
    let mut random = Numbers(11);
    loop {
        assert_eq!(client.device_server(), None);
        let command = client.next_command(&mut random).unwrap();
        let (sense, data_in) = send(server, NEXUS, &command, &mut random);
        assert_eq!(sense, None);
        match client.reply(Status::Good(&data_in)) {
            Ok(Outcome::Continue) => {}
            _ => return client.device_server().cloned(),
        }
    }
}

/// Whoever expects no device server in particular is told which one it was, and by which key; a liar is nobody.
#[test]
fn the_client_knows_the_device_server() {
    let mut server = server(&Party::server().by_certificates());
    let keys = Party::server().signatures().own;
    for method in [PSK, RSA, P256, P384, P521] {
        let peer = known_after(&client(&Party::client().by_certificates(), PSK, method), &mut server).unwrap();
        assert_eq!(peer.identity, drive());
        match peer.proof {
            Proof::SharedKey(_) => assert_eq!(method, PSK),
            Proof::PublicKey(key) => {
                assert!(key.kind.auth_method() == method && keys.iter().any(|own| own.public_key() == key));
            }
            other => panic!("{other:?}"),
        }
    }
    let unknowing = Party { trust_anchors: json!([]), ..Party::client().by_certificates() };
    assert_eq!(known_after(&client(&unknowing, PSK, P256), &mut server), None);
    let nobody = Preferences::exactly(SuiteIdentifiers {
        encryption: algorithm::ENCR_AES_GCM_16.identifier,
        key_length: 16,
        pseudo_random: algorithm::PRF_HMAC_SHA2_256.identifier,
        integrity: algorithm::INTEG_NONE,
        group: algorithm::ECP_256.identifier,
        authentication: algorithm::IKE_AUTH_NONE,
    });
    let mut open =
        server_with(&Party::server(), |builder| builder.policy(policy(|policy| policy.allow_no_authentication = true)));
    let config =
        client_with(&Party::client(), PSK, PSK, |builder| builder.preferences(nobody).allow_no_authentication(true));
    assert_eq!(known_after(&config, &mut open), None);
    assert_eq!(open.sas().len(), 1);
}

/// Reading R31a: where names are not matched, a certified client cannot delete another's associations by its name.
#[test]
fn initial_contact_compares_keys() {
    let mut server = server(&Party::server().by_certificates());
    let contact =
        |method| client_with(&Party::client().by_certificates(), method, PSK, |builder| builder.initial_contact(true));
    let first = established(&contact(P256), &mut server);
    let second = established(&contact(P384), &mut server);
    assert_eq!((first.identity, server.sas().len()), (second.identity, 2));
    assert_ne!(first.proof, second.proof);
    events(&mut server);
    let again = established(&contact(P256), &mut server);
    assert_eq!((again.proof, server.sas().len()), (first.proof, 2));
    let removed = |event: &Event| matches!(event.kind, EventKind::SaRemoved { why: RemovalReason::InitialContact, .. });
    assert_eq!(events(&mut server).iter().filter(|event| removed(event)).count(), 1);
    let by_psk = established(&contact(PSK), &mut server);
    assert!(matches!(by_psk.proof, Proof::SharedKey(_)) && server.sas().len() == 3);
}

/// Of two keys of one kind, the one whose authority the device server asks for signs.
#[test]
fn the_authority_chooses_the_key() {
    let signatures = Party::client().by_certificates().signatures();
    let p256 = signatures.own.iter().find(|own| own.public_key().kind.auth_method() == P256).unwrap();
    let strange = Party::server().by_certificates().signatures().own;
    let other = strange.iter().find(|own| own.public_key().kind.auth_method() == P256).unwrap();
    let anchor = authority_hash(&support::bytes(&recorded()["client"]["trust_anchors"][0])).unwrap();
    let bare = Party { side: json!({}), ..Party::client() };
    let with = |first: Credential, second: Credential| {
        client_with(&bare, P256, PSK, |builder| builder.credential(first).credential(second))
    };
    // Only the client's own key is known, so that the other one's signature would be refused.
    let hidden = other.clone().presenting(Presentation::Nothing);
    let known = p256.clone().presenting(Presentation::Nothing);
    let mut asked = server(&asking(Party::server()));
    established(&with(hidden.clone(), known.clone().authorities(&[anchor])), &mut asked);
    assert!(run(&with(hidden, known), &mut asked, NEXUS, Some(day())).is_err());
}

/// The calendar goes on with the clock.
#[test]
fn the_calendar_goes_on() {
    let config = client(&Party::client().by_certificates(), P256, PSK);
    let mut server = server(&Party::server().by_certificates());
    established(&config, &mut server);
    // Decades before; then decades later by the clock alone.
    let decades: u64 = 20 * 365 * 86_400;
    server.set_unix_time(UnixTime(day().0 - decades), Instant::default());
    assert!(run(&config, &mut server, NexusId(1), Some(day())).is_err());
    server.expire(Instant::from_millis(decades * 1000));
    assert!(run(&config, &mut server, NexusId(2), Some(day())).is_ok());
}
