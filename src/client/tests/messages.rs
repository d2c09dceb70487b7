//! What the messages of SPC-4 hold field by field, and what is wrong in a device server's.

use super::spc4::{CURVE, PSK, ROW_1, ROW_2, anchors, deleted};
use super::*;
use crate::crypto::{CertificateError, KnownKeys};
use crate::dialect::Profile;

/// What is changed of the data of a payload.
type Change = fn(&mut Vec<u8>);

/// The payloads of a message or of a plaintext: their codes, each with its data. CRIT is one in each.
fn payloads(first: u8, text: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let (mut code, mut at, mut found) = (first, 0, Vec::new());
    while code != 0 {
        let [next, critical, high, low] = text[at..at + 4] else { panic!("{code:02X}h is cut off") };
        let length = usize::from(u16::from_be_bytes([high, low]));
        assert_eq!(critical, 0x80, "CRIT of {code:02X}h");
        found.push((code, text[at + 4..at + length].to_vec()));
        (code, at) = (next, at + length);
    }
    found
}

/// SPC-4 5.14.2.2 note c, 7.7.3.4, 7.7.3.5.3: what an exchange begins with is drawn for it alone, and reserved SAIs are
/// drawn again.
#[test]
fn each_exchange_has_its_own_sai_nonce_and_public_value() {
    let transcript = Transcript::read(CURVE);
    let config = Arc::new(transcript.builder().build().unwrap());
    let offered = DeviceCapabilities::parse(Profile::SPC4, &unhex(&transcript.steps()[0]["data_in"])).unwrap();
    let sent = |sais: &[u32], number: u8| {
        let sais: Vec<_> = sais.iter().map(|sai| sai.to_be_bytes().to_vec()).collect();
        let drawn = [alloc::vec![number; 32]];
        let random = Script::default().with(Purpose::AcSai, &sais);
        let mut random = random.with(Purpose::DhPrivate, &drawn).with(Purpose::Nonce, &drawn);
        let mut client = ApplicationClient::with_capabilities(config.clone(), offered.clone());
        client.next_command(&mut random).unwrap().data_out
    };
    let [first, second] = [sent(&[0, 255, 256], 1), sent(&[0x1234_5678], 2)];
    assert_eq!(first[..8], [0, 0, 0, 0, 0, 0, 1, 0]);
    assert_eq!(second[..8], [0, 0, 0, 0, 0x12, 0x34, 0x56, 0x78]);
    let [first, second] = [first, second].map(|message| payloads(message[16], &message[28..]));
    for code in [0x22_u8, 0x28] {
        let data = |payloads: &[(u8, Vec<u8>)]| payloads.iter().find(|(found, _)| *found == code).unwrap().1.clone();
        assert_ne!(data(&first), data(&second), "{code:02X}h");
    }
}

/// SPC-4 5.14.4.7.2 and 7.7.3.5.9; an Initial Contact only where it was asked for.
#[test]
fn an_authentication_out_has_its_payloads_in_their_order() {
    let transcript = Transcript::read(ROW_1);
    let key_exchange_in = unhex(&transcript.steps()[2]["data_in"]);
    for initial_contact in [false, true] {
        let log = Arc::new(transcript::Log::default());
        let builder = transcript.builder().certificate_requests(anchors()).initial_contact(initial_contact);
        let (mut client, mut random, _) = transcript.client_with(builder.key_log(log.clone()), Step::KeyExchangeIn);
        client.reply(Status::Good(&key_exchange_in)).unwrap();
        let message = client.next_command(&mut random).unwrap().data_out;
        assert_eq!(message[16..24], [0x2E, 0x20, 0, 0x10, 0, 0, 0, 1], "Encrypted, version, INTTR, MESSAGE ID");
        let found = payloads(message[28], &log.0.lock().unwrap()["plaintext_i"]);
        let codes: Vec<_> = found.iter().map(|(code, _)| *code).collect();
        let notify: &[u8] = if initial_contact { &[0x29] } else { &[] };
        assert_eq!(codes, [&[0x23, 0x82, 0x25, 0x25, 0x26][..], notify, &[0x27]].concat());
        let data = |code: u8| found.iter().find(|(found, _)| *found == code).map(|(_, data)| data.clone());
        let ds_sai = &key_exchange_in[12..16];
        let expected = [&[1, 8, 0x40, 0, 0, 0, 0, 0][..], ds_sai].concat();
        assert_eq!(data(0x29), initial_contact.then_some(expected));
        assert_eq!(data(0x27).unwrap()[..4], [1, 0, 0, 0], "AUTH METHOD of RSA");
    }
}

/// SPC-4 table 519: PARAMETER DATA LENGTH is that of what follows it.
#[test]
fn capabilities_that_are_cut_or_lengthened_begin_nothing() {
    let transcript = Transcript::read(CURVE);
    let config = Arc::new(transcript.builder().build().unwrap());
    let recorded = unhex(&transcript.steps()[0]["data_in"]);
    let longer = [&recorded[..], &[0]].concat();
    for length in (0..recorded.len()).chain([longer.len()]) {
        let mut client = ApplicationClient::new(config.clone());
        let _ = client.next_command(&mut Script::default()).unwrap();
        let error = client.reply(Status::Good(&longer[..length])).unwrap_err();
        assert_eq!((error.step, error.leftover), (Step::Capabilities, Leftover::Nothing));
        assert!(matches!(error.fault, Fault::Data(fault) if fault.kind == WireErrorKind::Length), "{length} bytes");
    }
}

/// SPC-4 7.7.3.5.7, reading S8: what we sign, and what the device server signs, begins with the capabilities as we have
/// read them, reserved bytes included.
#[test]
fn capabilities_that_the_device_server_does_not_sign_are_noticed() {
    let transcript = Transcript::read(PSK);
    let mut random = transcript.script();
    let mut client = ApplicationClient::new(transcript.builder().build().unwrap());
    for step in transcript.steps() {
        let command = client.next_command(&mut random).unwrap();
        let differs = step["op"] == "out" && command.data_out != unhex(&step["data_out"]);
        assert_eq!(differs, client.step() == Step::AuthenticationOut, "{}", step["command"]);
        let mut data_in = if step["op"] == "in" { unhex(&step["data_in"]) } else { Vec::new() };
        if client.step() == Step::Capabilities {
            data_in[8] ^= 0x01;
        }
        assert_eq!(client.reply(Status::Good(&data_in)), Ok(Outcome::Continue));
    }
    let error = deleted(&mut client, &transcript, Leftover::PerhapsAssociation);
    assert_eq!((error.step, error.fault), (Step::AuthenticationIn, Fault::AuthenticationFailed));
}

/// What is wrong with a key exchange IN of which no keys can be made; nothing where the exchange goes on.
fn wrong(transcript: &Transcript, data_in: &[u8]) -> Option<(Field, WireErrorKind)> {
    let (mut client, ..) = transcript.client_at(Step::KeyExchangeIn);
    match client.reply(Status::Good(data_in)) {
        Ok(outcome) => {
            assert_eq!((outcome, client.failure()), (Outcome::Continue, None));
            assert_eq!(client.step(), Step::AuthenticationOut);
            None
        }
        Err(error) => {
            assert_eq!((error.step, error.leftover), (Step::KeyExchangeIn, Leftover::PerhapsSequence));
            let Fault::Data(fault) = error.fault else { panic!("{error}") };
            Some((fault.field, fault.kind))
        }
    }
}

/// SPC-4 7.7.3.4.
#[test]
fn a_key_exchange_in_with_another_header_is_refused() {
    let transcript = Transcript::read(CURVE);
    let recorded = unhex(&transcript.steps()[2]["data_in"]);
    let other_sai: Vec<_> = recorded[4..8].iter().map(|byte| !byte).collect();
    let cases: [(usize, &[u8], Field); 9] = [
        (4, &other_sai, Field::AcSai),
        (12, &[0, 0, 0, 0], Field::DsSai),
        (12, &[0, 0, 0, 255], Field::DsSai),
        (17, &[0x10], Field::MajorVersion),
        (19, &[0x14], Field::Inttr),
        (19, &[0x00], Field::Rspns),
        (20, &[0, 0, 0, 1], Field::MessageId),
        (20, &[0, 0, 0, 2], Field::MessageId),
        (24, &[0, 0, 0, 28], Field::Length),
    ];
    for (at, bytes, field) in cases {
        let mut data_in = recorded.clone();
        data_in[at..at + bytes.len()].copy_from_slice(bytes);
        assert_eq!(wrong(&transcript, &data_in).map(|(field, _)| field), Some(field), "{bytes:02X?} at {at}");
    }
}

/// The recorded key exchange IN with other data in one of its payloads.
fn key_exchange_in(transcript: &Transcript, code: u8, change: Change) -> Vec<u8> {
    let recorded = unhex(&transcript.steps()[2]["data_in"]);
    let found = payloads(recorded[16], &recorded[28..]);
    let mut message = recorded[..28].to_vec();
    for (index, (each, mut data)) in found.iter().cloned().enumerate() {
        if each == code {
            change(&mut data);
        }
        let next = found.get(index + 1).map_or(0, |(next, _)| *next);
        message.extend([next, 0x80]);
        message.extend(u16::try_from(data.len() + 4).unwrap().to_be_bytes());
        message.extend(data);
    }
    let length = u32::try_from(message.len()).unwrap();
    message[24..28].copy_from_slice(&length.to_be_bytes());
    message
}

/// SPC-4 7.7.3.5.3, 7.7.3.5.8, reading R38: P-256 and HMAC-SHA2-512, whose key and KEY_SEED have 64 bytes.
#[test]
fn a_public_value_or_nonce_of_another_length_is_refused() {
    let transcript = Transcript::read(CURVE);
    let cases: [(u8, Change, Option<Field>); 9] = [
        (0x22, |_| (), None),
        (0x22, |data| data.truncate(4 + 63), Some(Field::PayloadLength)),
        (0x22, |data| data.push(0), Some(Field::PayloadLength)),
        (0x22, |data| data[1] = 14, Some(Field::GroupNumber)),
        (0x22, |data| data[4..].fill(0), Some(Field::KeyExchangeData)),
        (0x28, |data| data.resize(31, 1), Some(Field::PayloadLength)),
        (0x28, |data| data.resize(32, 1), None),
        (0x28, |data| data.resize(256, 1), None),
        (0x28, |data| data.resize(257, 1), Some(Field::PayloadLength)),
    ];
    for (index, (code, change, field)) in cases.into_iter().enumerate() {
        let data_in = key_exchange_in(&transcript, code, change);
        assert_eq!(wrong(&transcript, &data_in).map(|(field, _)| field), field, "case {index}");
    }
}

/// SPC-4 7.7.3.5.1, reading S3; a prohibited payload is recognised, and has no place.
#[test]
fn a_payload_that_is_not_recognised_is_refused_only_with_crit() {
    let transcript = Transcript::read(CURVE);
    let next_payload = |kind| Some((Field::NextPayload, kind));
    for (code, critical, expected) in [
        (0x01, 0x80, next_payload(WireErrorKind::UnrecognisedCritical)),
        (0x84, 0x80, next_payload(WireErrorKind::UnrecognisedCritical)),
        (0xC0, 0x80, next_payload(WireErrorKind::UnrecognisedCritical)),
        (0x01, 0x00, None),
        (0x84, 0x00, None),
        (0xC0, 0x00, None),
        (0x2B, 0x00, next_payload(WireErrorKind::OutOfPlace)),
    ] {
        let mut data_in = unhex(&transcript.steps()[2]["data_in"]);
        // The nonce of 32 bytes is the last payload.
        let nonce_at = data_in.len() - 36;
        data_in[nonce_at] = code;
        data_in.extend([0, critical, 0, 7, 1, 2, 3]);
        let length = u32::try_from(data_in.len()).unwrap();
        data_in[24..28].copy_from_slice(&length.to_be_bytes());
        assert_eq!(wrong(&transcript, &data_in), expected, "{code:02X}h, CRIT {critical:02X}h");
    }
}

/// A client that has received the recorded authentication IN with other data in its payloads of one kind, sealed with
/// the recorded keys; and what came of it.
fn answered(transcript: &Transcript, code: u8, change: Change) -> (Result<Outcome, ClientError>, ApplicationClient) {
    let first = unhex(&transcript.steps()[4]["data_in"])[28];
    let inner = payloads(first, &unhex(&transcript.0["ccs"][0]["plaintext_r"]));
    let message = transcript.authentication_in(&|_| Ok(()), &|writer| {
        for (each, data) in &inner {
            let mut data = data.clone();
            if *each == code {
                change(&mut data);
            }
            writer.echo(Profile::SPC4.rules().payload_type(*each).unwrap(), &data)?;
        }
        Ok(())
    });
    let (mut client, ..) = transcript.client_at(Step::AuthenticationIn);
    (client.reply(Status::Good(&message)), client)
}

/// SPC-4 table 555: a shared key, RSA, ECDSA with P-521. AUTH METHOD and three reserved bytes stand before what proves.
#[test]
fn an_authentication_in_that_proves_nothing_makes_no_association() {
    for name in [PSK, ROW_1, ROW_2] {
        let transcript = Transcript::read(name);
        let (outcome, _) = answered(&transcript, 0x27, |_| ());
        assert!(matches!(outcome, Ok(Outcome::Established(_))), "{name}");
        let changes: [Change; 2] = [|data| data[4] ^= 1, |data| *data.last_mut().unwrap() ^= 1];
        for change in changes {
            let (outcome, mut client) = answered(&transcript, 0x27, change);
            assert_eq!(outcome, Ok(Outcome::Continue), "{name}");
            let error = deleted(&mut client, &transcript, Leftover::PerhapsAssociation);
            assert_eq!((error.step, error.fault), (Step::AuthenticationIn, Fault::AuthenticationFailed), "{name}");
        }
    }
}

/// SPC-4 tables 530 and 532.
#[test]
fn an_authentication_in_with_other_types_of_identity_or_certificate_is_refused() {
    let transcript = Transcript::read(ROW_1);
    let cases: [(u8, Change, Field); 4] = [
        (0x24, |data| data[0] = 0x08, Field::IdType),
        (0x24, |data| data[0] = 0x0D, Field::IdType),
        (0x25, |data| data[0] = 0x01, Field::CertificateEncoding),
        (0x25, |data| data[0] = 0x0C, Field::CertificateEncoding),
    ];
    for (code, change, field) in cases {
        let (outcome, mut client) = answered(&transcript, code, change);
        assert_eq!(outcome, Ok(Outcome::Continue));
        let fault = deleted(&mut client, &transcript, Leftover::PerhapsAssociation).fault;
        assert!(matches!(&fault, Fault::Data(error) if error.field == field), "{fault}");
    }
}

/// SPC-4 5.14.4.3.3.2: however good the signature is.
#[test]
fn a_signature_under_a_certificate_that_nobody_trusts_is_not_good() {
    let transcript = Transcript::read(ROW_1);
    let builder = transcript.builder().validator(Arc::new(KnownKeys::new()));
    let (mut client, _, data_in) = transcript.client_with(builder, Step::AuthenticationIn);
    assert_eq!(client.reply(Status::Good(&data_in)), Ok(Outcome::Continue));
    let fault = deleted(&mut client, &transcript, Leftover::PerhapsAssociation).fault;
    assert_eq!(fault, Fault::Certificate(CertificateError::Untrusted));
}
