//! Signatures and certificates: a request demands a certificate of the other side, in both directions (SPC-4 5.14.4.2, 5.14.4.3.3,
//! 7.7.3.5.5 to 7.7.3.5.7; questions Q13, Q35).

use super::client::{AUTH, CERT, CERTREQ, COMBINED_SUITE, IDI, IDR, NO_AUTH, P521, Part, SAUT, SHARED_KEY, part};
use super::*;
use ikev2_scsi::crypto::Presentation;

fn codes(parts: &[Part]) -> Vec<u8> {
    parts.iter().map(|part| part.0).collect()
}

fn bench(authorities: usize) -> (Bench, Arc<First>) {
    let mut first = None;
    let bench = Bench::with(|builder| {
        let (builder, validator) = signing(builder, authorities);
        first = Some(validator);
        builder
    });
    (bench, first.unwrap())
}

/// After the key exchange; the client's key is `host`, by which it signs.
fn keyed(bench: &mut Bench, auth: [u32; 2]) -> Client {
    let mut client = bench.after(A, COMBINED_SUITE.with_auth(auth), 0x1000, 2);
    if auth[0] == P521 {
        client.key = b"host".to_vec();
    }
    client
}

fn with(client: &Client, more: &[Part]) -> Vec<u8> {
    let mut parts = client.authentication_parts();
    parts.splice(2..2, more.iter().cloned());
    client.sealed(1, &parts)
}

fn x509(name: &[u8]) -> Part {
    part(CERT, &[&[4], name].concat())
}

/// CERTREQs of the key exchange IN: only when the client is to sign (SPC-4 5.14.4.2).
#[test]
fn certificates_are_asked_for_when_the_client_signs() {
    for (auth, asks) in
        [([P521; 2], true), ([P521, SHARED_KEY], true), ([SHARED_KEY, P521], false), ([NO_AUTH; 2], false)]
    {
        for authorities in [0, 2] {
            let (mut bench, _) = bench(authorities);
            let client = keyed(&mut bench, auth);
            let parts = client::parts(client.answer[16], &client.answer[28..]);
            let requests: Vec<_> = parts.iter().filter(|part| part.0 == CERTREQ).collect();
            if asks && authorities > 0 {
                assert_eq!(requests, [&part(CERTREQ, &[&[4][..], &[9; 40]].concat())]);
            } else {
                assert!(requests.is_empty());
            }
        }
    }
}

/// Both sign; certificates stand in their places, the first holds the key of AUTH.
#[test]
fn both_sides_sign() {
    let (mut bench, validator) = bench(1);
    let client = keyed(&mut bench, [P521; 2]);
    let list = with(&client, &[x509(b"host"), x509(b"host's CA"), part(CERTREQ, &[&[4][..], &[8; 20]].concat())]);
    bench.good(A, Command::AuthenticationOut, &list);
    assert_eq!(*validator.seen.lock().unwrap(), [b"host".to_vec(), b"host's CA".to_vec()]);
    let answer = bench.good(A, Command::AuthenticationIn, &[]);
    let parts = client.read_authentication_in(&answer, b"drive");
    assert_eq!(codes(&parts), [IDR, SAUT, CERT, CERT, AUTH]);
    assert_eq!((&parts[2].2[..], &parts[3].2[..]), (&b"\x04drive"[..], &b"\x04drive's CA"[..]));
    assert!(bench.has(&client));
}

/// One signs and the other has a shared key.
#[test]
fn each_side_by_its_own_method() {
    for auth in [[P521, SHARED_KEY], [SHARED_KEY, P521]] {
        let (mut bench, _) = bench(1);
        let client = keyed(&mut bench, auth);
        let more = if auth[0] == P521 { vec![x509(b"host")] } else { vec![] };
        bench.good(A, Command::AuthenticationOut, &with(&client, &more));
        let answer = bench.good(A, Command::AuthenticationIn, &[]);
        let key: &[u8] = if auth[1] == P521 { b"drive" } else { b"drive's key" };
        client.read_authentication_in(&answer, key);
        assert!(bench.has(&client));
    }
}

fn denied(authorities: usize, auth: [u32; 2], what: &str, make: impl Fn(&Client) -> Vec<u8>) {
    let (mut bench, _) = bench(authorities);
    let client = keyed(&mut bench, auth);
    let sense = bench.refused(A, Command::AuthenticationOut, &make(&client));
    assert_eq!((code(&sense), sense.specific), (DENIED, SenseKeySpecific::None), "{what}");
    bench.is_abandoned_by(A, &client);
}

impl Bench {
    /// As `is_abandoned`, for a client that signs.
    fn is_abandoned_by(&mut self, nexus: NexusId, client: &Client) {
        assert_eq!(self.server.phase(nexus), Phase::Idle);
        assert_eq!(code(&self.refused(nexus, Command::AuthenticationOut, &client.authentication_out())), CDB);
        assert!(!self.has(client));
        self.establish(nexus, COMBINED_SUITE, 0x7777);
    }
}

/// SPC-4 5.14.4.3.3.4, question Q35: asked for and not sent.
#[test]
fn a_certificate_that_was_asked_for_is_needed() {
    denied(1, [P521; 2], "none", |client| with(client, &[]));
    // Nobody asked: an identity whose key is known will do.
    let (mut bench, validator) = bench(0);
    let client = keyed(&mut bench, [P521; 2]);
    bench.good(A, Command::AuthenticationOut, &with(&client, &[]));
    assert!(validator.seen.lock().unwrap().is_empty());
    // A client with a shared key is asked for none, and may send one all the same.
    let (mut bench, _) = self::bench(1);
    let client = keyed(&mut bench, [SHARED_KEY; 2]);
    bench.good(A, Command::AuthenticationOut, &with(&client, &[x509(b"anything")]));
}

/// The client asks, and the device server has none to send.
#[test]
fn a_request_that_cannot_be_met() {
    let request = || part(CERTREQ, &[&[4][..], &[8; 20]].concat());
    denied(1, [SHARED_KEY; 2], "by a shared key", |client| with(client, &[request()]));
    denied(1, [P521, SHARED_KEY], "by a shared key", |client| with(client, &[x509(b"host"), request()]));
    // A key whose certificates are not shown.
    let own = || Credential::new(Arc::new(ToySigner(b"drive"))).presenting(Presentation::Nothing);
    let mut bench = Bench::with(|builder| builder.credential(own()).validator(Arc::new(First::default())));
    let client = keyed(&mut bench, [SHARED_KEY, P521]);
    assert_eq!(code(&bench.refused(A, Command::AuthenticationOut, &with(&client, &[request()]))), DENIED);
    bench.is_abandoned_by(A, &client);
    let client = keyed(&mut bench, [SHARED_KEY, P521]);
    bench.good(A, Command::AuthenticationOut, &with(&client, &[]));
    // One that is shown on request.
    let own =
        || Credential::new(Arc::new(ToySigner(b"drive"))).certificates(&[b"drive"]).presenting(Presentation::OnRequest);
    for asks in [false, true] {
        let mut bench = Bench::with(|builder| builder.credential(own()).validator(Arc::new(First::default())));
        let client = keyed(&mut bench, [SHARED_KEY, P521]);
        let requests = if asks { vec![request(), part(CERTREQ, &[&[4][..], &[7; 20]].concat())] } else { vec![] };
        bench.good(A, Command::AuthenticationOut, &with(&client, &requests));
        let answer = bench.good(A, Command::AuthenticationIn, &[]);
        let parts = client.read_authentication_in(&answer, b"drive");
        assert_eq!(codes(&parts).contains(&CERT), asks);
    }
}

/// What is signed by another key, or by nobody that is trusted.
#[test]
fn signatures_that_are_not_good() {
    let auth = [P521; 2];
    denied(0, auth, "another key", |client| {
        with(&Client { key: b"another".to_vec(), ..client.clone() }, &[x509(b"host")])
    });
    denied(1, auth, "the key is in the second certificate", |client| with(client, &[x509(b"CA"), x509(b"host")]));
    denied(1, auth, "no path", |client| {
        with(&Client { key: b"untrusted".to_vec(), ..client.clone() }, &[x509(b"untrusted")])
    });
    denied(1, auth, "raw key", |client| with(client, &[part(CERT, &[&[0x0B][..], b"hosT"].concat())]));
    denied(0, auth, "capabilities", |client| {
        with(&Client { capabilities: vec![], ..client.clone() }, &[x509(b"host")])
    });
    denied(0, auth, "a shared key", |client| {
        let shared =
            Client { suite: client.suite.with_auth([SHARED_KEY; 2]), key: b"host's key".to_vec(), ..client.clone() };
        with(&shared, &[x509(b"host")])
    });
    // Which method is negotiated counts, whatever else could be done.
    denied(0, [SHARED_KEY; 2], "a signature", |client| {
        let signed = Client { suite: client.suite.with_auth(auth), key: b"host".to_vec(), ..client.clone() };
        with(&signed, &[x509(b"host")])
    });
}

/// SPC-4 7.7.3.5.4: names need no certificate; each of the four ID TYPEs is taken.
#[test]
fn each_id_type() {
    for id_type in [0x09, 0x0A, 0x0B, 0x0C] {
        let (mut bench, _) = bench(0);
        let client = keyed(&mut bench, [P521; 2]);
        let parts = client.authentication_parts();
        assert_eq!(parts[0].0, IDI);
        let mut client = client;
        client.id_type = id_type;
        bench.good(A, Command::AuthenticationOut, &client.authentication_out());
        bench.finish(A, &mut client);
    }
}
