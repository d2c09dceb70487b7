//! A signature that is not believed: the same answer whatever the cause, which only the embedder is told (readings R32, R34).

use ikev2_scsi::Profile;
use ikev2_scsi::crypto::{CertificateError, CertificateValidator, KnownKeys, Presentation, PublicKey};
use ikev2_scsi::keys::Denial;
use ikev2_scsi::server::{DropReason, EventKind, Limits};
use ikev2_scsi::wire::{Capabilities, Certificate, CertificateEncoding, Descriptor};
use ikev2_scsi::x509::{ChainValidator, Revocation};

use super::*;

/// Runs an exchange that must fail at the authentication OUT; gives the sense data and what the embedder is told.
fn refused(config: &Arc<ClientConfig>, server: &mut DeviceServer) -> (Vec<u8>, Denial) {
    let mut client = ApplicationClient::new(Arc::clone(config));
    let mut random = Numbers(0xBAD5_EED5);
    loop {
        let step = client.step();
        let command = client.next_command(&mut random).unwrap();
        let (sense, data_in) = send(server, NEXUS, &command, &mut random);
        if let Some(sense) = sense {
            assert_eq!(step, Step::AuthenticationOut);
            assert!(server.sas().is_empty());
            let told = events(server).into_iter().find_map(denial);
            return (sense.to_fixed().as_ref().to_vec(), told.expect("an event tells why"));
        }
        client.reply(Status::Good(&data_in)).unwrap();
    }
}

fn denial(event: Event) -> Option<Denial> {
    if let EventKind::AuthenticationFailed { why, .. } = event.kind { Some(why) } else { None }
}

fn check(config: &Arc<ClientConfig>, server: &mut DeviceServer, why: Denial) {
    assert_eq!(refused(config, server), (FAILED.to_vec(), why));
    // The sequence goes on: the same client may be right after all.
    server.nexus_lost(NEXUS);
}

fn certificate(error: CertificateError) -> Denial {
    Denial::Certificate(error)
}

#[test]
fn without_certificates() {
    for method in [RSA, P256, P384, P521] {
        let honest = Party::client();
        let mut known = server(&Party::server());
        check(&client(&honest_with_other_key(method), method, PSK), &mut known, Denial::WrongAuth);
        let stranger = client_with(&honest, method, PSK, |builder| builder);
        let mut empty = server(&Party { public_keys: json!([]), ..Party::server() });
        check(&stranger, &mut empty, certificate(CertificateError::Unknown));
        established(&client(&honest, method, PSK), &mut known);
    }
}

/// The device server's keys in place of the client's: keys of the right kind that are not the client's.
fn honest_with_other_key(_: u32) -> Party {
    let others = recorded()["provisioning"]["device_server"]["keys"].clone();
    let mut party = Party::client();
    party.side["keys"] = others;
    party
}

/// A raw key that is not the known one, and one beside a signature of another kind.
#[test]
fn raw_keys_that_are_not_the_known_ones() {
    let mut server = server(&Party::server());
    check(
        &client(&honest_with_other_key(RSA).sending("raw"), RSA, PSK),
        &mut server,
        certificate(CertificateError::Unknown),
    );
    established(&client(&Party::client().sending("raw"), RSA, PSK), &mut server);
}

/// Every fault of a path, and a signature by another key than the certificate's.
#[test]
fn with_certificates() {
    for method in [RSA, P256, P384, P521] {
        let config = client(&Party::client().by_certificates(), method, PSK);
        let mut believing = server(&Party::server().by_certificates());
        established(&config, &mut believing);
        believing.reset();
        events(&mut believing);
        // Years before and after.
        for time in [1_000_000_000, 9_000_000_000] {
            believing.set_unix_time(UnixTime(time), Instant::default());
            check(&config, &mut believing, certificate(CertificateError::NotValidNow));
        }
        believing.set_unix_time(day(), Instant::default());
        let own_key = client(&with_other_key(), method, PSK);
        check(&own_key, &mut believing, Denial::WrongAuth);
        let mut required =
            server(&Party { identity_match: IdentityMatch::Required, ..Party::server().by_certificates() });
        check(&config, &mut required, certificate(CertificateError::IdentityMismatch));
        let rogue = other_root();
        let mut strange = server(&Party { trust_anchors: json!([rogue]), ..Party::server().by_certificates() });
        check(&config, &mut strange, certificate(CertificateError::Untrusted));
        let mut nobody = server(&Party { trust_anchors: json!([]), ..Party::server().by_certificates() });
        check(&config, &mut nobody, certificate(CertificateError::Untrusted));
    }
}

/// Certificates of the client, keys of the device server.
fn with_other_key() -> Party {
    let mut party = Party::client().by_certificates();
    party.side["keys"] = recorded()["provisioning"]["device_server"]["keys"].clone();
    party
}

/// A root of the certificates' own vectors.
fn other_root() -> Value {
    let vectors = support::read_json(&support::project_file("vectors/certificates/certificates.json"));
    vectors["der"][0].clone()
}

#[test]
fn before_anybody_has_told_the_time() {
    let signatures = Party::server().by_certificates().signatures();
    let builder = DeviceServer::builder(provider::provider())
        .identity(drive())
        .preshared_keys(keys(b"drive's key", &host(), b"host's key"))
        .validator(signatures.validator);
    let mut server = builder.build().unwrap();
    let config = client(&Party::client().by_certificates(), P256, PSK);
    check(&config, &mut server, certificate(CertificateError::NoTime));
}

/// Revoked certificates, from the vectors; their keys are not there, so that the signature would be wrong besides.
#[test]
fn revoked_certificates() {
    let vectors = support::read_json(&support::project_file("vectors/certificates/certificates.json"));
    let pool = vectors["der"].as_array().unwrap();
    let mut done = 0;
    for case in vectors["cases"].as_array().unwrap().iter().filter(|case| case["expect"] == "Revoked") {
        let ders = |member: &str| -> Vec<Vec<u8>> {
            let indexes = case[member].as_array().unwrap().iter();
            indexes.map(|index| support::bytes(&pool[usize::try_from(index.as_u64().unwrap()).unwrap()])).collect()
        };
        let method = match case["kind"].as_str().unwrap() {
            "rsa" => RSA,
            "p256" => P256,
            "p384" => P384,
            _ => P521,
        };
        let (chain, anchors, lists) = (ders("chain"), ders("anchors"), ders("lists"));
        let config = client_with(&Party { side: json!({}), ..Party::client() }, method, PSK, |builder| {
            let own = Party::client().signatures().own;
            let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
            own.into_iter().fold(builder, |builder, own| builder.credential(presenting(own, &chain)))
        });
        for (lists, why) in [(&lists[..], certificate(CertificateError::Revoked)), (&[], Denial::WrongAuth)] {
            let revocation = if lists.is_empty() { Revocation::Off } else { Revocation::Required };
            let mut builder = ChainValidator::builder().revocation(revocation).identity_match(IdentityMatch::Off);
            builder = anchors.iter().fold(builder, |builder, anchor| builder.trust_anchor(anchor));
            builder = lists.iter().fold(builder, |builder, list| builder.revocation_list(list));
            let chains = Arc::new(builder.build().unwrap());
            let validator = KnownKeys::new().with_certificates(chains);
            let mut server = server_with(&Party::server(), |builder| builder.validator(Arc::new(validator)));
            server.set_unix_time(UnixTime(vectors["at"].as_u64().unwrap()), Instant::default());
            check(&config, &mut server, why);
        }
        done += 1;
    }
    assert!(done >= 2, "a revoked leaf and a revoked intermediate certificate");
}

/// The key that signs, with other certificates than its own.
fn presenting(own: Credential, chain: &[&[u8]]) -> Credential {
    own.certificates(chain).presenting(Presentation::Certificates)
}

/// A hundred certificates, one of 12 KiB, none that is one.
#[test]
fn certificates_without_end_and_without_sense() {
    let recorded = recorded();
    let leaf = support::bytes(&recorded["client"]["certs"]["p256"][0]);
    // The server's own limit on CERT payloads is tested elsewhere.
    let mut limits = Limits::default();
    limits.certificates = 100;
    let mut server = server_with(&Party::server().by_certificates(), |builder| builder.limits(limits));
    let small: &[u8] = &[0x30, 0];
    let cases: [(Vec<&[u8]>, CertificateError); 5] = [
        (vec![small; 100], CertificateError::TooMuch),
        (vec![&leaf; 16], CertificateError::Untrusted),
        (vec![small], CertificateError::Malformed),
        (vec![&leaf[..leaf.len() - 1]], CertificateError::Malformed),
        (vec![b""], CertificateError::Malformed),
    ];
    let large = vec![0x30; 12_288];
    let cases = cases.into_iter().chain([(vec![large.as_slice()], CertificateError::Malformed)]);
    for (chain, why) in cases {
        let config = client_with(&Party { side: json!({}), ..Party::client() }, P256, PSK, |builder| {
            let own = Party::client().signatures().own;
            own.into_iter().fold(builder, |builder, own| builder.credential(presenting(own, &chain)))
        });
        check(&config, &mut server, certificate(why));
    }
}

/// An AUTH METHOD without anybody who could judge it counts like every other failure.
#[test]
fn failures_of_every_kind_count() {
    let config = client(&Party::client(), P256, PSK);
    let mut server = server(&Party { public_keys: json!([]), ..Party::server() });
    let mut client = ApplicationClient::new(config);
    let mut random = Numbers(3);
    for _ in 0..3 {
        let command = client.next_command(&mut random).unwrap();
        let (sense, data_in) = send(&mut server, NEXUS, &command, &mut random);
        assert!(sense.is_none());
        client.reply(Status::Good(&data_in)).unwrap();
    }
    let command = client.next_command(&mut random).unwrap();
    for _ in 0..3 {
        let (sense, _) = send(&mut server, NEXUS, &command, &mut random);
        assert_eq!(sense.unwrap().to_fixed().as_ref(), FAILED);
    }
    let dropped = EventKind::SequenceDropped { why: DropReason::AuthenticationFailures };
    assert!(events(&mut server).iter().any(|event| event.kind == dropped && event.nexus == Some(NEXUS)));
}

/// A validator whose answer is a key of another kind is not believed.
#[test]
fn a_validator_that_is_wrong_about_the_kind() {
    struct Wrong(PublicKey);
    impl CertificateValidator for Wrong {
        fn validate(&self, claim: &ikev2_scsi::crypto::PeerClaim<'_>) -> Result<PublicKey, CertificateError> {
            let first: Option<&Certificate<'_>> = claim.certificates.first();
            assert!(first.is_none_or(|first| first.encoding == CertificateEncoding::X509Signature));
            Ok(self.0.clone())
        }
    }
    let own = Party::client().signatures().own;
    let p384 = own.iter().find(|own| own.public_key().kind.auth_method() == P384).unwrap().public_key();
    let mut server = server_with(&Party::server(), |builder| builder.validator(Arc::new(Wrong(p384))));
    let config = client(&Party::client(), P256, PSK);
    check(&config, &mut server, certificate(CertificateError::WrongKind));
}

/// Readings R18, R34: a method without ACCEPT is not accepted, whatever could be checked, and counts as a failure.
#[test]
fn a_method_that_is_not_offered() {
    let unable = DeviceServer::builder(provider::provider()).identity(drive());
    let unable = unable.preshared_keys(keys(b"drive's key", &host(), b"host's key")).build().unwrap();
    let able = || server(&Party::server());
    let method = Some(Denial::Method);
    for (mut server, accept, expected) in [(able(), true, None), (able(), false, method), (unable, true, method)] {
        let config = client(&Party::client(), P256, PSK);
        let all = Descriptor::authentication(P256, true, true);
        let offer: Vec<_> = offered(&mut server).into_iter().chain([all]).collect();
        server.set_capabilities(&offer).unwrap();
        let mut client = ApplicationClient::new(config);
        let mut random = Numbers(0xACCE97);
        for _ in 0..3 {
            let command = client.next_command(&mut random).unwrap();
            let (_, data_in) = send(&mut server, NEXUS, &command, &mut random);
            client.reply(Status::Good(&data_in)).unwrap();
        }
        let offer = offered(&mut server).into_iter().filter(|d| (d.algorithm_type, d.identifier) != (0xF9, P256));
        let offer: Vec<_> = offer.chain([Descriptor::authentication(P256, true, accept)]).collect();
        server.set_capabilities(&offer).unwrap();
        let command = client.next_command(&mut random).unwrap();
        let (sense, _) = send(&mut server, NEXUS, &command, &mut random);
        assert_eq!(sense.map(|sense| sense.to_fixed().as_ref().to_vec()), expected.map(|_| FAILED.to_vec()));
        assert_eq!(events(&mut server).into_iter().find_map(denial), expected);
    }
}

fn offered(server: &mut DeviceServer) -> Vec<Descriptor> {
    let cdb = [0xA2, 0x40, 1, 1, 0, 0, 0, 0, 0x40, 0, 0, 0];
    let mut data_in = vec![0; 16_384];
    let request = Request { cdb: &cdb, data_out: &mut [], data_in: &mut data_in };
    let Reply::Good { len } = server.execute(NexusId(99), request, Instant::default(), &mut Numbers(1)) else {
        panic!()
    };
    let list = Capabilities::parse_parameter_data(Profile::R3, &data_in[..len]).unwrap();
    list.descriptors.iter().collect()
}
