//! What SPC-4 has that r3 has not: how a sequence ends, and what comes back as it was sent.

use super::*;
use crate::crypto::{CertificateRequests, CertificateWish, CryptoError, Prf};
use crate::wire::{Certificate, CertificateEncoding, WireError};

const BUSY: [u8; 8] = [0x72, 2, 0x04, 0x13, 0, 0, 0, 0];
const CHANGED: [u8; 8] = [0x72, 6, 0x2A, 0x14, 0, 0, 0, 0];
const REJECTED: [u8; 8] = [0x72, 5, 0x74, 0x11, 0, 0, 0, 0];
const INVALID: [u8; 8] = [0x72, 5, 0x74, 0x10, 0, 0, 0, 0];

pub(super) const PSK: &str = "spc4-cbc128-sha1-modp2048-psk";
pub(super) const ROW_1: &str = "spc4-table82-row1";
pub(super) const ROW_2: &str = "spc4-table82-row2";
pub(super) const CURVE: &str = "spc4-delete-running-ccs";
const NONE: &str = "spc4-auth-none-gcm";
const CERTREQ: &str = "spc4-client-ecdsa256-server-psk";

/// A random source for the Delete that comes next.
fn for_delete(transcript: &Transcript) -> Script {
    let suite = transcript.suite();
    let cipher = provider().cipher(suite.encryption, suite.key_length).unwrap();
    Script::default().with(Purpose::Iv, &[alloc::vec![7; cipher.iv_length()]])
}

/// The Delete comes, and then the error.
pub(super) fn deleted(client: &mut ApplicationClient, transcript: &Transcript, leftover: Leftover) -> ClientError {
    let failure = client.failure().cloned().unwrap();
    assert_eq!((failure.leftover, client.step()), (leftover, Step::Delete), "{failure}");
    let command = client.next_command(&mut for_delete(transcript)).unwrap();
    assert_eq!(command.cdb.to_bytes()[2..4], [1, 4]);
    assert_eq!(command.data_out[20..24], [0, 0, 0, 2], "MESSAGE ID");
    let error = client.reply(Status::Good(&[])).unwrap_err();
    assert_eq!(error, ClientError { leftover: Leftover::Deleted, ..failure });
    error
}

/// SPC-4 5.14.4.10: the recorded client has changed its mind after the key exchange.
#[test]
fn a_running_sequence_is_abandoned_as_recorded() {
    let transcript = Transcript::read("spc4-delete-running-ccs");
    let log = Arc::new(transcript::Log::default());
    let builder = transcript.builder().key_log(log.clone());
    let (mut client, mut random, data_in) = transcript.client_with(builder, Step::KeyExchangeIn);
    client.reply(Status::Good(&data_in)).unwrap();
    // What it would have sent was sent after the Delete.
    compare(&client.next_command(&mut random).unwrap(), transcript.last_step());
    client.reply(Status::CheckCondition(&BUSY)).unwrap();
    client.abandon();
    compare(&client.next_command(&mut random).unwrap(), &transcript.steps()[3]);
    let failure = client.failure().cloned().unwrap();
    assert_eq!((&failure.fault, failure.leftover), (&Fault::GivenUp, Leftover::PerhapsSequence));
    assert_eq!(client.reply(Status::Good(&[])).unwrap_err().leftover, Leftover::Deleted);
    transcript::compare_log(&log.0.lock().unwrap(), &transcript.0["ccs"][0]);
}

/// What is awaited is fetched first; nothing is sent where nothing was begun.
#[test]
fn an_exchange_is_given_up_at_every_step() {
    let transcript = Transcript::read(ROW_2);
    for step in STEPS {
        let (mut client, _, data_in) = transcript.client_at(step);
        client.abandon();
        let again = client.next_command(&mut Script::default()).unwrap();
        assert_eq!(client.step(), step, "a command that is out is answered first");
        let _ = client.reply(Status::Good(&data_in));
        if matches!(step, Step::Capabilities) {
            let error = client.next_command(&mut Script::default()).unwrap_err();
            assert_eq!((error.step, error.fault), (Step::KeyExchangeOut, Fault::GivenUp));
            assert_eq!(error.leftover, Leftover::Nothing);
            continue;
        }
        if !again.data_out.is_empty() {
            let fetched = client.next_command(&mut Script::default()).unwrap();
            assert!(fetched.data_out.is_empty(), "{step}: the IN that belongs to it");
            let next = transcript.steps().iter().position(|each| unhex(&each["cdb"]) == fetched.cdb.to_bytes());
            let data_in = unhex(&transcript.steps()[next.unwrap()]["data_in"]);
            assert_eq!(client.reply(Status::Good(&data_in)), Ok(Outcome::Continue));
        }
        let is_late = matches!(step, Step::AuthenticationOut | Step::AuthenticationIn);
        let _ = client.next_command(&mut for_delete(&transcript)).unwrap();
        let leftover = if is_late { Leftover::PerhapsAssociation } else { Leftover::PerhapsSequence };
        let error = deleted(&mut client, &transcript, leftover);
        assert_eq!(error.fault, Fault::GivenUp);
    }
    let none = Transcript::read(NONE);
    let (mut client, _, data_in) = none.client_at(Step::KeyExchangeIn);
    client.abandon();
    assert_eq!(client.reply(Status::Good(&data_in)), Ok(Outcome::Continue));
    assert_eq!(deleted(&mut client, &none, Leftover::PerhapsAssociation).fault, Fault::GivenUp);
    let (mut client, ..) = none.client_at(Step::KeyExchangeOut);
    client.reply(Status::CheckCondition(&BUSY)).unwrap();
    client.abandon();
    let error = client.next_command(&mut Script::default()).unwrap_err();
    assert_eq!((error.fault, error.leftover), (Fault::GivenUp, Leftover::Nothing), "no sequence of ours was begun");
}

/// r3 has no Delete for a sequence: it ends where it is given up.
#[test]
fn in_r3_an_unfinished_sequence_is_left_alone() {
    let (mut client, mut random, data_in) = at(Step::KeyExchangeIn);
    client.abandon();
    assert_eq!(client.reply(Status::Good(&data_in)), Ok(Outcome::Continue));
    let error = client.next_command(&mut random).unwrap_err();
    let expected = ClientError::new(Step::AuthenticationOut, Fault::GivenUp);
    assert_eq!(error, expected);
    assert_eq!(client.next_command(&mut random), Err(expected));
    let (mut client, _, data_in) = at(Step::AuthenticationIn);
    client.abandon();
    assert_eq!(client.reply(Status::Good(&data_in)), Ok(Outcome::Continue));
    assert_eq!(client.step(), Step::Delete, "of the association, which exists");
}

/// SPC-4 table 83: by which refusals the sequence is over.
#[test]
fn a_refused_authentication_out_ends_the_sequence_or_we_do() {
    let transcript = Transcript::read(PSK);
    let unable_to_decrypt = [0x72, 5, 0x74, 0x0C, 0, 0, 0, 0];
    for sense in [&REJECTED[..], &unable_to_decrypt, &[]] {
        let (mut client, ..) = transcript.client_at(Step::AuthenticationOut);
        assert_eq!(client.reply(Status::CheckCondition(sense)), Ok(Outcome::Continue));
        let error = client.failure().cloned().unwrap();
        assert_eq!((error.step, error.leftover), (Step::AuthenticationOut, Leftover::PerhapsSequence));
        let (Fault::Refused(_) | Fault::RefusedWithoutSense) = error.fault else { panic!("{error}") };
        let mut random = for_delete(&transcript);
        assert!(client.next_command(&mut random).is_ok());
        // A Delete that is put off comes again; one that is refused leaves what there was.
        assert!(matches!(client.reply(Status::CheckCondition(&BUSY)), Ok(Outcome::SendAgain(_))));
        assert!(client.next_command(&mut random).is_ok());
        assert_eq!(client.reply(Status::CheckCondition(&INVALID)), Err(error));
    }
    let [aborted, not_ours] = [[0x72, 0xB, 0x74, 0x40, 0, 0, 0, 0], [0x72, 5, 0x24, 0, 0, 0, 0, 0]];
    for sense in [INVALID, aborted, not_ours] {
        let (mut client, ..) = transcript.client_at(Step::AuthenticationOut);
        let error = client.reply(Status::CheckCondition(&sense)).unwrap_err();
        assert_eq!((error.step, error.leftover), (Step::AuthenticationOut, Leftover::Nothing));
        assert_eq!(client.next_command(&mut Script::default()), Err(error));
    }
    for step in [Step::Capabilities, Step::KeyExchangeOut, Step::KeyExchangeIn] {
        let (mut client, ..) = transcript.client_at(step);
        let error = client.reply(Status::CheckCondition(&REJECTED)).unwrap_err();
        assert_eq!((error.step, error.leftover), (step, Leftover::Nothing), "there are no keys");
    }
    for sense in [&not_ours[..], &[]] {
        let (mut client, ..) = transcript.client_at(Step::KeyExchangeIn);
        let error = client.reply(Status::CheckCondition(sense)).unwrap_err();
        assert_eq!((error.step, error.leftover), (Step::KeyExchangeIn, Leftover::PerhapsSequence));
    }
    let (mut client, ..) = Transcript::read(ROW_2).client_at(Step::AuthenticationIn);
    assert_eq!(client.reply(Status::CheckCondition(&not_ours)), Ok(Outcome::Continue));
    deleted(&mut client, &Transcript::read(ROW_2), Leftover::PerhapsAssociation);
}

#[test]
fn what_is_put_off_is_sent_again_and_changed_capabilities_are_read_anew() {
    let transcript = Transcript::read(ROW_2);
    let conflict = [0x72, 0xB, 0x00, 0x1E, 0, 0, 0, 0];
    for step in STEPS {
        for sense in [BUSY, CHANGED, conflict] {
            let only_at_first = sense == conflict && step != Step::KeyExchangeOut;
            let begins_again = sense == CHANGED && step == Step::KeyExchangeOut;
            if only_at_first || begins_again {
                continue;
            }
            let (mut client, mut random, data_in) = transcript.client_at(step);
            let first = client.next_command(&mut random).unwrap();
            assert!(matches!(client.reply(Status::CheckCondition(&sense)), Ok(Outcome::SendAgain(_))), "{step}");
            assert_eq!(client.next_command(&mut random).unwrap(), first);
            assert!(client.reply(Status::Good(&data_in)).is_ok());
        }
    }
    let capabilities = transcript.client_at(Step::Capabilities);
    let (mut client, mut random, data_in) = capabilities;
    client.reply(Status::Good(&data_in)).unwrap();
    let known = client.capabilities().cloned().unwrap();
    let mut client = ApplicationClient::with_capabilities(transcript.builder().build().unwrap(), known);
    let stale = client.next_command(&mut random).unwrap();
    let Ok(Outcome::SendAgain(sense)) = client.reply(Status::CheckCondition(&CHANGED)) else { panic!() };
    assert_eq!((sense.asc, client.step()), (Asc::new(0x2A, 0x14), Step::Capabilities));
    let mut random = transcript.script();
    compare(&client.next_command(&mut random).unwrap(), &transcript.steps()[0]);
    client.reply(Status::Good(&data_in)).unwrap();
    assert_eq!(client.next_command(&mut random).unwrap(), stale, "with the same numbers drawn, the same message");
}

/// Changes one bit of the Data-In of a key exchange; gives what came of it, and the client.
fn flipped(transcript: &Transcript, byte: usize) -> (Result<Outcome, ClientError>, ApplicationClient) {
    let (mut client, _, mut data_in) = transcript.client_at(Step::KeyExchangeIn);
    data_in[byte] ^= 0x10;
    let outcome = client.reply(Status::Good(&data_in));
    (outcome, client)
}

/// SPC-4 5.14.4.6.3, reading S1: every byte of payload 81h comes back, and of SAUT where it is in the key exchange. The keys
/// are made all the same, so that the device server can be told.
#[test]
fn what_was_selected_comes_back_byte_for_byte() {
    let (algorithms_at, algorithms_end) = (28 + 4, 28 + 93);
    let (usage_at, usage_end) = (algorithms_end + 4, algorithms_end + 44);
    for (name, bytes, leftover) in [
        (CURVE, (algorithms_at..algorithms_end).step_by(1), Leftover::PerhapsSequence),
        (NONE, (algorithms_at..algorithms_end).step_by(11), Leftover::PerhapsAssociation),
        (NONE, (usage_at..usage_end).step_by(3), Leftover::PerhapsAssociation),
    ] {
        let transcript = Transcript::read(name);
        for byte in bytes {
            let (outcome, mut client) = flipped(&transcript, byte);
            let fault = client.failure().unwrap().fault.clone();
            let payload = if byte < algorithms_end { PayloadType::SaAlgorithms } else { PayloadType::SaUsage };
            match fault {
                Fault::NotAsSent { .. } => {
                    assert_eq!(fault, Fault::NotAsSent { payload, byte });
                    assert_eq!(outcome, Ok(Outcome::Continue));
                    let mut random = for_delete(&transcript);
                    assert_eq!(client.failure().unwrap().leftover, leftover);
                    assert!(client.next_command(&mut random).is_ok());
                }
                // A way to authenticate that is none decides which payloads a message has.
                Fault::Data(WireError { field: Field::NextPayload, .. }) => {
                    assert!(outcome.is_err(), "byte {byte}");
                }
                fault => panic!("{name} byte {byte}: {fault}"),
            }
        }
    }
}

/// Reading S3; the Authentication step covers the whole message, so that only without it another order goes unnoticed.
#[test]
fn the_order_of_the_payloads_of_a_key_exchange_in_is_free() {
    let transcript = Transcript::read(NONE);
    let (mut client, _, data_in) = transcript.client_at(Step::KeyExchangeIn);
    let bounds = [28, 28 + 93, 28 + 93 + 44, 28 + 93 + 44 + 264, data_in.len()];
    let mut reordered = data_in[..28].to_vec();
    reordered[16] = 0x28;
    for (payload, next) in [(3, 0x22), (2, 0x82), (1, 0x81), (0, 0)] {
        let at = reordered.len();
        reordered.extend(&data_in[bounds[payload]..bounds[payload + 1]]);
        reordered[at] = next;
    }
    assert_eq!(reordered.len(), data_in.len());
    assert!(matches!(client.reply(Status::Good(&reordered)), Ok(Outcome::Established(_))));
}

/// Without what keys are made of, nobody can make a Delete.
#[test]
fn without_keys_nothing_is_deleted() {
    let ke_at = 28 + 93;
    for (name, ke_at, leftover) in
        [(PSK, ke_at, Leftover::PerhapsSequence), (NONE, ke_at + 44, Leftover::PerhapsAssociation)]
    {
        for byte in [7, 17, 19, 23, 27, ke_at + 3, ke_at + 5, ke_at + 264 + 3] {
            let (outcome, client) = flipped(&Transcript::read(name), byte);
            let error = outcome.unwrap_err();
            assert_eq!((error.step, error.leftover), (Step::KeyExchangeIn, leftover), "{name} byte {byte}");
            assert_eq!(client.failure(), Some(&error));
        }
    }
}

/// SPC-4 5.14.4.7.3: SAUT comes back, AUTH METHOD is SA_AUTH_IN's, and what an authentication IN lacks or has too much.
#[test]
fn every_payload_of_an_authentication_in_is_checked_in_spc4() {
    use PayloadType::{Authentication as Auth, IdDeviceServer as Id, SaUsage as Saut};
    let transcript = Transcript::read(ROW_2);
    let ccs = &transcript.0["ccs"][0];
    let recorded = unhex(&ccs["plaintext_r"]);
    let (id, auth_data) = (Transcript::identity(&transcript.0["provisioning"]["device_server"]), unhex(&ccs["auth_r"]));
    let id = id.as_payload();
    let usage_at = 4 + 4 + id.data.len();
    let usage = recorded[usage_at + 4..usage_at + 44].to_vec();
    let other: Vec<_> = usage.iter().enumerate().map(|(i, byte)| byte ^ u8::from(i == 0)).collect();
    let (saut, other) = (VendorId { data: &usage }, VendorId { data: &other });
    let auth = |method| Authentication { method, data: &auth_data };
    let certificate = Certificate { encoding: CertificateEncoding::X509Signature, data: b"not looked at here" };
    let wire = |field, kind| Some((field, kind));
    let missing = wire(Field::NextPayload, WireErrorKind::Missing);
    let misplaced = wire(Field::NextPayload, WireErrorKind::OutOfPlace);
    let method = wire(Field::AuthMethod, WireErrorKind::Invalid);
    let cases: [(&Payloads<'_>, Option<(Field, WireErrorKind)>); 8] = [
        (&|w| w.payload(Id, &id).and(w.payload(Saut, &saut)).and(w.payload(Auth, &auth(11))), None),
        (&|w| w.payload(Auth, &auth(11)).and(w.payload(Saut, &saut)).and(w.payload(Id, &id)), None),
        (&|w| w.payload(Id, &id).and(w.payload(Auth, &auth(11))), missing),
        (&|w| w.payload(Id, &id).and(w.payload(Saut, &saut)).and(w.payload(Saut, &saut)), missing),
        (
            &|w| {
                w.payload(Id, &id)?;
                w.payload(Saut, &saut)?;
                w.payload(Saut, &saut)?;
                w.payload(Auth, &auth(11))
            },
            misplaced,
        ),
        (&|w| w.payload(Id, &id).and(w.payload(Saut, &saut)).and(w.payload(Auth, &auth(9))), method),
        (&|w| w.payload(Id, &id).and(w.payload(Saut, &saut)).and(w.payload(Auth, &auth(0))), method),
        (
            &|w| {
                w.payload(Id, &id)?;
                w.payload(Saut, &saut)?;
                w.payload(PayloadType::Certificate, &certificate)?;
                w.payload(Auth, &auth(11))
            },
            None,
        ),
    ];
    let nothing: &Payloads<'_> = &|_| Ok(());
    for (index, (payloads, expected)) in cases.iter().enumerate() {
        let (mut client, ..) = transcript.client_at(Step::AuthenticationIn);
        let outcome = client.reply(Status::Good(&transcript.authentication_in(nothing, payloads)));
        match (client.failure().map(|failure| failure.fault.clone()), expected) {
            (None, None) => assert!(matches!(outcome, Ok(Outcome::Established(_)))),
            (Some(Fault::Data(error)), Some(expected)) => assert_eq!((error.field, error.kind), *expected, "{index}"),
            (fault, _) => panic!("case {index}: {fault:?}"),
        }
    }
    let (mut client, ..) = transcript.client_at(Step::AuthenticationIn);
    let changed = transcript.authentication_in(nothing, &|w| {
        w.payload(Id, &id).and(w.payload(Saut, &other)).and(w.payload(Auth, &auth(11)))
    });
    assert_eq!(client.reply(Status::Good(&changed)), Ok(Outcome::Continue));
    let fault = deleted(&mut client, &transcript, Leftover::PerhapsAssociation).fault;
    assert!(matches!(fault, Fault::NotAsSent { payload: PayloadType::SaUsage, .. }));
}

/// SPC-4 7.7.3.5.11: the padding is 01h, 02h, 03h and so on, behind a good ICV too.
#[test]
fn padding_that_does_not_count_is_refused() {
    let transcript = Transcript::read(ROW_2);
    let plaintext = unhex(&transcript.0["ccs"][0]["plaintext_r"]);
    let saut_at = 8 + unhex(&transcript.0["provisioning"]["device_server"]["id"]).len();
    let auth_at = saut_at + 44;
    let auth_length = usize::from(u16::from_be_bytes(plaintext[auth_at + 2..auth_at + 4].try_into().unwrap()));
    let payload = |bytes: core::ops::Range<usize>| VendorId { data: &plaintext[bytes.start + 4..bytes.end] };
    let (id, saut) = (payload(0..saut_at), payload(saut_at..auth_at));
    let auth = payload(auth_at..auth_at + auth_length);
    let inner: &Payloads<'_> = &|w| {
        w.payload(PayloadType::IdDeviceServer, &id)?;
        w.payload(PayloadType::SaUsage, &saut)?;
        w.payload(PayloadType::Authentication, &auth)
    };
    let padding = 64 - (auth_at + auth_length + 1) % 64;
    assert!(padding > 2);
    for changed in [None, Some(0), Some(1), Some(padding - 1)] {
        let (mut client, ..) = transcript.client_at(Step::AuthenticationIn);
        let message = transcript.sealed(&|_| Ok(()), inner, 64, |text| {
            if let Some(changed) = changed {
                text[auth_at + auth_length + changed] ^= 0x40;
            }
        });
        let outcome = client.reply(Status::Good(&message));
        if changed.is_none() {
            assert!(matches!(outcome, Ok(Outcome::Established(_))), "more padding than it takes");
            continue;
        }
        let Fault::Data(error) = deleted(&mut client, &transcript, Leftover::PerhapsAssociation).fault else {
            panic!()
        };
        assert_eq!((error.field, error.kind), (Field::Padding, WireErrorKind::Invalid));
    }
}

pub(super) fn anchors() -> CertificateRequests {
    let wish = CertificateWish { encoding: CertificateEncoding::X509Signature, authorities: [[7; 20]].into() };
    CertificateRequests::Exactly([wish].into())
}

/// SPC-4 5.14.4.3.3.4, question Q35: a Certificate Request is a demand, in both directions.
#[test]
fn certificates_that_are_required_are_there() {
    // The device server of this transcript asks for one.
    let transcript = Transcript::read(CERTREQ);
    let (mut client, _, data_in) = transcript.client_with(transcript.hiding_certificates(), Step::KeyExchangeIn);
    assert_eq!(client.reply(Status::Good(&data_in)), Ok(Outcome::Continue));
    let error = client.failure().cloned().unwrap();
    assert_eq!((error.step, error.leftover), (Step::KeyExchangeIn, Leftover::PerhapsSequence));
    assert_eq!(deleted(&mut client, &transcript, Leftover::PerhapsSequence).fault, Fault::CertificateRequired);

    // One who does not sign is not asked: the message is the one that was recorded without a request.
    let (client, ..) =
        transcript.client_with(transcript.builder().certificate_requests(anchors()), Step::AuthenticationIn);
    assert_eq!(client.failure(), None);

    // One who signs is asked, and has to answer: this one was recorded without certificates, that one with them.
    for (name, sends_certificates) in [(ROW_2, false), (ROW_1, true)] {
        let transcript = Transcript::read(name);
        let config = transcript.builder().certificate_requests(anchors());
        let (mut client, mut random, _) = transcript.client_with(config, Step::KeyExchangeIn);
        client.reply(Status::Good(&unhex(&transcript.steps()[2]["data_in"]))).unwrap();
        let asking = client.next_command(&mut random).unwrap();
        let recorded = unhex(&transcript.steps()[3]["data_out"]);
        assert!(asking.data_out.len() >= recorded.len() + 16, "a CERTREQ payload more");
        client.reply(Status::Good(&[])).unwrap();
        let _ = client.next_command(&mut random).unwrap();
        let outcome = client.reply(Status::Good(&unhex(&transcript.steps()[4]["data_in"])));
        if sends_certificates {
            assert!(matches!(outcome, Ok(Outcome::Established(_))));
            continue;
        }
        let Fault::Data(error) = deleted(&mut client, &transcript, Leftover::PerhapsAssociation).fault else {
            panic!()
        };
        assert_eq!((error.field, error.kind), (Field::NextPayload, WireErrorKind::Missing));
    }
}

/// HMAC-SHA1 that fails with one key: SK_d of the recorded exchange, which nothing but KEYMAT is made with.
struct Failing;

impl Prf for Failing {
    fn identifier(&self) -> u32 {
        PRF_HMAC_SHA1.identifier()
    }
    fn key_length(&self) -> usize {
        PRF_HMAC_SHA1.key_length()
    }
    fn output_length(&self) -> usize {
        PRF_HMAC_SHA1.output_length()
    }
    fn compute(&self, key: &[u8], data: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
        if key == unhex(&Transcript::read(PSK).0["ccs"][0]["SK_d"]) {
            return Err(CryptoError::Device);
        }
        PRF_HMAC_SHA1.compute(key, data, out)
    }
}

/// The keys for the association's use are made before anything is given up, so that the device server can be told.
#[test]
fn a_keymat_that_cannot_be_made_is_followed_by_the_delete() {
    let transcript = Transcript::read(PSK);
    let mut config = transcript.builder().build().unwrap();
    config.provider.prfs = &[&Failing];
    let mut random = transcript.script();
    let mut client = ApplicationClient::new(config);
    for step in transcript.steps() {
        let data_in = compare(&client.next_command(&mut random).unwrap(), step);
        assert_eq!(client.reply(Status::Good(&data_in)), Ok(Outcome::Continue));
    }
    let failure = client.failure().unwrap();
    assert_eq!((&failure.fault, failure.step), (&Fault::Crypto(CryptoError::Device), Step::AuthenticationIn));
    assert_eq!((failure.leftover, client.step()), (Leftover::PerhapsAssociation, Step::Delete));
    assert_eq!(client.device_server(), None);
}
