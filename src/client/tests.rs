//! Recorded exchanges replayed without a device server, and what happens out of turn.

mod messages;
mod selection;
mod spc4;
mod transcript;

use alloc::vec::Vec;

use super::*;
use crate::crypto::{Purpose, RandomError, Secret};
use crate::dialect::{Asc, Exchange, PayloadType};
// The signatures of the transcripts come out again by RustCrypto only: AWS-LC draws a part of them.
use crate::provider::{EcdsaSigner, RsaSigner};
use crate::tested::{PRF_HMAC_SHA1, provider};
use crate::wire::{Authentication, Field, IdType, Identification, MessageWriter, Notify, Sai, VendorId, WireErrorKind};
use transcript::{Script, Transcript, compare, replay, unhex};

#[test]
fn recorded_exchanges_come_out_byte_for_byte() {
    for name in [
        "r3-mandatory",
        "r3-auth-none-cbc",
        "r3-null-sha1-modp2048-psk",
        "r3-usage-data-fc-name",
        "r3-ccm16-128-sha256-modp2048-psk",
        "spc4-auth-none-gcm",
        "spc4-cbc128-sha1-modp2048-psk",
        "spc4-client-ecdsa256-server-psk",
        "spc4-table82-row1",
        "spc4-table82-row2",
    ] {
        replay(name);
    }
}

/// A client of the mandatory transcript that has been answered as recorded up to `step`, whose command is out.
fn at(step: Step) -> (ApplicationClient, Script, Vec<u8>) {
    Transcript::read("r3-mandatory").client_at(step)
}

const STEPS: [Step; 5] =
    [Step::Capabilities, Step::KeyExchangeOut, Step::KeyExchangeIn, Step::AuthenticationOut, Step::AuthenticationIn];
const NOT_READY: [u8; 18] = [0x70, 0, 2, 0, 0, 0, 0, 10, 0, 0, 0, 0, 4, 7, 0, 0x80, 0x33, 0x33];
const REFUSED: [u8; 8] = [0x72, 5, 0x74, 0x40, 0, 0, 0, 0];

#[test]
fn a_reply_belongs_to_a_command() {
    for step in STEPS {
        let (mut client, mut random, data_in) = at(step);
        let first = client.next_command(&mut random);
        assert_eq!(client.next_command(&mut random), first, "an unanswered command is given again");
        assert!(client.reply(Status::Good(&data_in)).is_ok());
        let error = client.reply(Status::Good(&data_in)).unwrap_err();
        assert_eq!(error.fault, Fault::OutOfTurn);
        assert_eq!(client.failure(), None);
    }
    let mut client = ApplicationClient::new(Transcript::read("r3-mandatory").builder().build().unwrap());
    assert_eq!(client.reply(Status::Good(&[])).unwrap_err().fault, Fault::OutOfTurn);
}

#[test]
fn a_command_put_off_is_sent_again_with_the_same_bytes() {
    for step in STEPS {
        let (mut client, mut random, data_in) = at(step);
        let first = client.next_command(&mut random);
        let Ok(Outcome::SendAgain(sense)) = client.reply(Status::CheckCondition(&NOT_READY)) else { panic!("{step}") };
        assert_eq!((sense.asc, sense.progress()), (Asc::new(4, 7), Some(0x3333)));
        assert_eq!(client.next_command(&mut random), first);
        assert!(client.reply(Status::Good(&data_in)).is_ok());
    }
}

#[test]
fn a_refused_command_ends_the_exchange() {
    for step in [Step::Capabilities, Step::KeyExchangeOut, Step::KeyExchangeIn, Step::AuthenticationOut] {
        for (sense, unreadable) in [(&REFUSED[..], false), (&[], true)] {
            let (mut client, mut random, _) = at(step);
            let error = client.reply(Status::CheckCondition(sense)).unwrap_err();
            assert_eq!((error.step, error.leftover), (step, Leftover::Nothing));
            assert_eq!(error.fault == Fault::RefusedWithoutSense, unreadable);
            assert_eq!(client.next_command(&mut random), Err(error.clone()));
            assert_eq!(client.failure(), Some(&error));
        }
    }
}

#[test]
fn a_wrong_or_refused_authentication_in_is_followed_by_the_delete() {
    for delete_is_accepted in [true, false] {
        for status in [Status::Good(&[0; 140]), Status::CheckCondition(&REFUSED)] {
            let (mut client, mut random, _) = at(Step::AuthenticationIn);
            assert_eq!(client.reply(status), Ok(Outcome::Continue));
            let failure = client.failure().cloned().unwrap();
            assert_eq!((failure.step, failure.leftover), (Step::AuthenticationIn, Leftover::PerhapsAssociation));

            let iv = random.take(Purpose::Iv).unwrap();
            let error = client.next_command(&mut random).unwrap_err();
            assert_eq!((error.step, error.fault), (Step::Delete, Fault::Random(RandomError)));
            let mut random = random.with(Purpose::Iv, &[iv]);
            let command = client.next_command(&mut random).unwrap();
            compare(&command, Transcript::read("r3-mandatory").last_step());
            assert_eq!(client.next_command(&mut random), Ok(command));

            let status = if delete_is_accepted { Status::Good(&[]) } else { Status::CheckCondition(&REFUSED) };
            let leftover = if delete_is_accepted { Leftover::Deleted } else { Leftover::PerhapsAssociation };
            let error = client.reply(status).unwrap_err();
            assert_eq!(error, ClientError { leftover, ..failure });
            assert_eq!(client.next_command(&mut random), Err(error));
        }
    }
}

type Payloads<'a> = dyn Fn(&mut MessageWriter<'_>) -> Result<(), EmitError> + 'a;
/// The field that is wrong, and how; without a field, AUTH itself.
type Refused = Option<(Option<Field>, Option<WireErrorKind>)>;

/// The recorded authentication IN with other payloads before the Encrypted payload and inside it, sealed with the recorded keys.
fn authentication_in(before: &Payloads<'_>, payloads: &Payloads<'_>) -> Vec<u8> {
    let transcript = Transcript::read("r3-mandatory");
    transcript.authentication_in(before, payloads)
}

/// Reserved bytes are ignored (reading R7), and the ID payload is signed as it was sent (reading R29).
#[test]
fn the_reserved_bytes_of_an_identification_are_signed_as_sent() {
    let transcript = Transcript::read("r3-mandatory");
    let ccs = &transcript.0["ccs"][0];
    let prf = provider().prf(transcript.suite().pseudo_random).unwrap();
    let keyed = |key: &[u8], parts: &[&[u8]]| {
        let mut value = Secret::zeroed(prf.output_length());
        prf.compute(key, parts, value.expose_mut()).unwrap();
        value
    };
    let drive = Transcript::identity(&transcript.0["provisioning"]["device_server"]);
    let mut id = drive.to_payload_data().unwrap();
    id[1..4].copy_from_slice(&[0x5A, 0, 1]);
    let octets = unhex(&ccs["octets_r"]);
    let before_identity = &octets[..octets.len() - prf.output_length()];
    let padded =
        keyed(&unhex(&transcript.0["provisioning"]["device_server"]["psk"]), &[b"Key Pad for IKEv2-SCSI".as_slice()]);
    let data = keyed(padded.expose(), &[before_identity, keyed(&unhex(&ccs["SK_pr"]), &[&id]).expose()]);
    let (mut client, _, _) = at(Step::AuthenticationIn);
    let message = authentication_in(&|_| Ok(()), &|w| {
        w.payload(PayloadType::IdDeviceServer, &VendorId { data: &id })?;
        w.payload(PayloadType::Authentication, &Authentication { method: 2, data: data.expose() })
    });
    assert!(matches!(client.reply(Status::Good(&message)), Ok(Outcome::Established(_))));
}

/// What the device server could do wrong behind a good ICV.
#[test]
fn every_payload_of_an_authentication_in_is_checked() {
    use PayloadType::{Authentication as Auth, IdApplicationClient, IdDeviceServer as Id, Notify as N, VendorId as V};
    let transcript = Transcript::read("r3-mandatory");
    let data = unhex(&transcript.0["ccs"][0]["auth_r"]);
    let drive = Transcript::identity(&transcript.0["provisioning"]["device_server"]);
    let id = drive.as_payload();
    let (dn, other) = (Identification { id_type: IdType::DerAsn1Dn, ..id }, Identification { data: b"other", ..id });
    let auth = |method, data| Authentication { method, data };
    let (good, rsa) = (auth(2, &data), auth(1, &data));
    let (short, changed) = (auth(2, &data[1..]), [&data[1..], &data[..1]].concat());
    let (vendor, notify) = (VendorId { data: b"v" }, Notify { sai: Sai(1) });
    let at_field = |field| Some((Some(field), None));
    let of_order = |kind| Some((Some(Field::NextPayload), Some(kind)));
    let unproved = Some((None, None));
    let (missing, misplaced) = (of_order(WireErrorKind::Missing), of_order(WireErrorKind::OutOfPlace));
    let cases: [(&Payloads<'_>, Refused); 13] = [
        (&|w| w.payload(Id, &id).and(w.payload(Auth, &good)), None),
        (&|w| w.payload(Id, &id).and(w.payload(V, &vendor)).and(w.payload(Auth, &good)), None),
        (&|w| w.payload(Id, &id).and(w.payload(Auth, &rsa)), at_field(Field::AuthMethod)),
        (&|w| w.payload(Id, &id).and(w.payload(Auth, &auth(0, &data))), at_field(Field::AuthMethod)),
        (&|w| w.payload(Id, &id).and(w.payload(Auth, &short)), unproved),
        (&|w| w.payload(Id, &id).and(w.payload(Auth, &auth(2, &changed))), unproved),
        (&|w| w.payload(Id, &other).and(w.payload(Auth, &good)), unproved),
        (&|w| w.payload(Id, &dn).and(w.payload(Auth, &good)), at_field(Field::IdType)),
        (&|w| w.payload(Id, &id), missing),
        (&|w| w.payload(Auth, &good), missing),
        (&|w| w.payload(Auth, &good).and(w.payload(Id, &id)), misplaced),
        (&|w| w.payload(IdApplicationClient, &id).and(w.payload(Auth, &good)), missing),
        (&|w| w.payload(Id, &id).and(w.payload(N, &notify)).and(w.payload(Auth, &good)), misplaced),
    ];
    let nothing: &Payloads<'_> = &|_| Ok(());
    let honest = cases[0].0;
    let outer: [(&Payloads<'_>, Refused); 2] =
        [(&|w| w.payload(V, &vendor), None), (&|w| w.payload(N, &notify), misplaced)];
    let cases = cases.map(|(inner, refused)| (nothing, inner, refused)).into_iter();
    let outer = outer.map(|(outer, refused)| (outer, honest, refused));
    for (index, (before, payloads, refused)) in cases.chain(outer).enumerate() {
        let (mut client, _, _) = at(Step::AuthenticationIn);
        let outcome = client.reply(Status::Good(&authentication_in(before, payloads)));
        let fault = client.failure().map(|failure| failure.fault.clone());
        match (fault, refused) {
            (None, None) => assert!(matches!(outcome, Ok(Outcome::Established(_)))),
            (Some(Fault::Data(error)), Some((Some(field), kind))) => {
                assert_eq!((error.field, error.kind), (field, kind.unwrap_or(error.kind)), "case {index}");
            }
            (Some(Fault::AuthenticationFailed | Fault::UnexpectedIdentity(_)), Some((None, _))) => {}
            (fault, _) => panic!("case {index}: {fault:?}"),
        }
    }
}

#[test]
fn a_random_source_that_fails_leaves_the_exchange_where_it_is() {
    for (step, missing) in [
        (Step::KeyExchangeOut, Purpose::AcSai),
        (Step::KeyExchangeOut, Purpose::Nonce),
        (Step::KeyExchangeOut, Purpose::DhPrivate),
        (Step::AuthenticationOut, Purpose::Iv),
    ] {
        let before = if step == Step::KeyExchangeOut { Step::Capabilities } else { Step::KeyExchangeIn };
        let (mut client, random, data_in) = at(before);
        client.reply(Status::Good(&data_in)).unwrap();
        let error = client.next_command(&mut random.with(missing, &[])).unwrap_err();
        assert_eq!(error, ClientError::new(step, Fault::Random(RandomError)));
        assert_eq!(client.step(), step);
        let mut random = Transcript::read("r3-mandatory").script();
        assert!(client.next_command(&mut random).is_ok());
    }
}

#[test]
fn sais_up_to_255_are_drawn_again_but_not_for_ever() {
    let small: Vec<_> = [0_u64, 255].iter().map(|sai| sai.to_be_bytes().to_vec()).collect();
    let big = 256_u64.to_be_bytes().to_vec();
    let (mut client, random, data_in) = at(Step::Capabilities);
    client.reply(Status::Good(&data_in)).unwrap();
    let mut random = random.with(Purpose::AcSai, &[small.clone(), [big.clone()].to_vec()].concat());
    assert_eq!(client.next_command(&mut random).unwrap().data_out[..8], big);

    let (mut client, random, data_in) = at(Step::Capabilities);
    client.reply(Status::Good(&data_in)).unwrap();
    let error = client.next_command(&mut random.with(Purpose::AcSai, &alloc::vec![small[0].clone(); 100])).unwrap_err();
    assert_eq!(error.fault, Fault::Random(RandomError));
}

#[test]
fn a_delete_that_cannot_be_made_gives_the_association_back() {
    let (mut client, mut random, data_in) = at(Step::AuthenticationIn);
    let Ok(Outcome::Established(parameters)) = client.reply(Status::Good(&data_in)) else { panic!() };
    let config = Transcript::read("r3-mandatory").builder().build().unwrap();
    let not_deleted = delete(&config, *parameters, &mut Script::default()).unwrap_err();
    assert_eq!(not_deleted.error.fault, Fault::Random(RandomError));
    let command = delete(&config, not_deleted.parameters, &mut random).unwrap();
    compare(&command, Transcript::read("r3-mandatory").last_step());
}

#[test]
fn capabilities_read_earlier_serve_again() {
    let (mut client, mut random, data_in) = at(Step::Capabilities);
    client.reply(Status::Good(&data_in)).unwrap();
    let capabilities = client.capabilities().cloned().unwrap();
    let transcript = Transcript::read("r3-mandatory");
    let mut later = ApplicationClient::with_capabilities(transcript.builder().build().unwrap(), capabilities);
    compare(&later.next_command(&mut random).unwrap(), &transcript.steps()[1]);
}
