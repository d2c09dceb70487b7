//! The recorded exchanges of `vectors/transcripts`: every message is read, those whose content is not secret are written
//! again byte for byte, all are printed, and one exchange is compared with `tests/golden`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may panic"
)]

use std::path::{Path, PathBuf};

use ikev2_scsi::dialect::{Exchange, Profile};
use ikev2_scsi::wire::{
    Body, Capabilities, Cdb, Direction, Encrypted, Expected, Header, Message, MessageWriter, Payload, RawPayload, Sai,
    WireError, Writer, check_order, pad_length_for, protocol, specific,
};
use serde_json::Value;

fn bytes(hex: &str) -> Vec<u8> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    hex.as_bytes().chunks(2).map(byte).collect()
}

/// The exchanges of one file.
struct Transcript {
    name: String,
    profile: Profile,
    json: Value,
}

impl Transcript {
    fn read(path: &Path) -> Self {
        let json: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let profile = match json["profile"].as_str().unwrap() {
            "r3" => Profile::R3,
            "spc4" => Profile::SPC4,
            other => panic!("no dialect is called {other}"),
        };
        Self { name: path.file_stem().unwrap().to_str().unwrap().to_owned(), profile, json }
    }

    /// Every exchange, of both dialects.
    fn all() -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/transcripts");
        let mut paths: Vec<PathBuf> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        let transcripts: Vec<_> = paths.iter().map(|path| Self::read(path)).collect();
        for (profile, least) in [(Profile::R3, 9), (Profile::SPC4, 6)] {
            assert!(transcripts.iter().filter(|transcript| transcript.profile == profile).count() >= least);
        }
        transcripts
    }

    /// The steps: a CDB and the bytes that went with it.
    fn steps(&self) -> Vec<(Cdb, Vec<u8>)> {
        let step = |step: &Value| {
            let cdb = Cdb::parse(&bytes(step["cdb"].as_str().unwrap())).unwrap();
            let data = if cdb.direction == Direction::In { &step["data_in"] } else { &step["data_out"] };
            (cdb, bytes(data.as_str().unwrap_or_default()))
        };
        self.json["steps"].as_array().unwrap().iter().map(step).collect()
    }

    /// What the recording tells of the inside of its one exchange.
    fn secret(&self, name: &str) -> Option<Vec<u8>> {
        let exchanges = self.json["ccs"].as_array().unwrap();
        assert_eq!(exchanges.len(), 1, "{}", self.name);
        Some(bytes(exchanges[0].get(name)?.as_str()?))
    }
}

/// The message that a command carries, if it is one of protocol 41h.
fn exchange_of(cdb: &Cdb) -> Option<Exchange> {
    if cdb.protocol != protocol::IKEV2_SCSI {
        return None;
    }
    Some(match (cdb.specific, cdb.direction) {
        (specific::KEY_EXCHANGE, Direction::Out) => Exchange::KeyExchangeOut,
        (specific::KEY_EXCHANGE, Direction::In) => Exchange::KeyExchangeIn,
        (specific::AUTHENTICATION, Direction::Out) => Exchange::AuthenticationOut,
        (specific::AUTHENTICATION, Direction::In) => Exchange::AuthenticationIn,
        _ => Exchange::DeleteOut,
    })
}

fn check_header(profile: Profile, header: &Header, exchange: Exchange, total: usize) -> Result<(), WireError> {
    let expected = Expected {
        exchange,
        ac_sai: None,
        ds_sai: (exchange == Exchange::KeyExchangeOut).then_some(Sai::ZERO),
        message_id: header.message_id,
        total,
    };
    header.check(profile, &expected)
}

/// Puts `plaintext`, padding and PAD LENGTH included, in place of the ciphertext of an Encrypted payload. The IV comes
/// first in the payload and the ICV is what is left behind.
fn open_with(profile: Profile, message: &mut [u8], iv: usize, plaintext: &[u8]) -> Encrypted {
    let read = Message::parse(profile, message).unwrap();
    let raw = read.payloads().last().unwrap().unwrap();
    let icv = raw.data.len() - iv - plaintext.len();
    let encrypted = Encrypted::divide(&raw, iv, icv, 1).unwrap();
    message[encrypted.text.clone()].copy_from_slice(plaintext);
    encrypted
}

#[test]
fn every_recorded_message_is_read() {
    for transcript in Transcript::all() {
        for (cdb, data) in transcript.steps() {
            let Some(exchange) = exchange_of(&cdb) else {
                let capabilities = Capabilities::parse_parameter_data(transcript.profile, &data).unwrap();
                assert!(!capabilities.descriptors.is_empty());
                continue;
            };
            let message = Message::parse(transcript.profile, &data).unwrap();
            assert_eq!(
                check_header(transcript.profile, &message.header, exchange, data.len()),
                Ok(()),
                "{}",
                transcript.name
            );
            assert_eq!(check_order(&message.payloads(), exchange, false), Ok(()), "{}", transcript.name);
            for raw in message.payloads() {
                Payload::parse(transcript.profile, &raw.unwrap()).unwrap();
            }
        }
    }
}

#[test]
fn every_recorded_capabilities_data_is_written_again() {
    for transcript in Transcript::all() {
        for (_, data) in transcript.steps().into_iter().filter(|(cdb, _)| exchange_of(cdb).is_none()) {
            let capabilities = Capabilities::parse_parameter_data(transcript.profile, &data).unwrap();
            assert!(capabilities.descriptors.iter().is_sorted());
            let mut buffer = vec![0xA5; data.len()];
            let mut writer = Writer::new(&mut buffer);
            capabilities.emit_parameter_data(&mut writer).unwrap();
            assert_eq!(writer.into_written(), data, "{}", transcript.name);
        }
    }
}

#[test]
fn every_recorded_key_exchange_is_written_again() {
    let mut written = 0;
    for transcript in Transcript::all() {
        for (cdb, data) in transcript.steps() {
            let Some(exchange @ (Exchange::KeyExchangeOut | Exchange::KeyExchangeIn)) = exchange_of(&cdb) else {
                continue;
            };
            let mut buffer = vec![0xA5; data.len()];
            let read = Message::parse(transcript.profile, &data).unwrap();
            let sais = (read.header.ac_sai, read.header.ds_sai);
            let mut writer =
                MessageWriter::new(transcript.profile, exchange, sais, read.header.message_id, &mut buffer).unwrap();
            for raw in read.payloads() {
                write_again(transcript.profile, &mut writer, &raw.unwrap());
            }
            assert_eq!(writer.finish().unwrap(), data, "{}", transcript.name);
            written += 1;
        }
    }
    assert_eq!(written, Transcript::all().len() * 2, "a transcript has two key exchange messages");
}

fn write_again(profile: Profile, writer: &mut MessageWriter<'_>, raw: &RawPayload<'_>) {
    fn body<'a>(writer: &mut MessageWriter<'_>, raw: &RawPayload<'a>, body: &impl Body<'a>) {
        writer.payload(raw.payload.unwrap(), body).unwrap();
    }
    match Payload::parse(profile, raw).unwrap() {
        Payload::KeyExchange(read) => body(writer, raw, &read),
        Payload::Nonce(read) => body(writer, raw, &read),
        Payload::Algorithms(read) => body(writer, raw, &read),
        Payload::Timeouts(read) => body(writer, raw, &read),
        Payload::CertificateRequest(read) => body(writer, raw, &read),
        Payload::Identification(read) => body(writer, raw, &read),
        Payload::Certificate(read) => body(writer, raw, &read),
        Payload::Notify(read) => body(writer, raw, &read),
        Payload::Authentication(read) => body(writer, raw, &read),
        Payload::Delete(read) => body(writer, raw, &read),
        Payload::SaAlgorithms(read) => body(writer, raw, &read),
        Payload::SaUsage(read) => body(writer, raw, &read),
        other => panic!("{other:?}"),
    }
}

/// The IV and the padded plaintext of a message with an Encrypted payload, where the transcript has those of this one (of
/// two Deletes it has the last one's).
fn plaintext_of(transcript: &Transcript, exchange: Exchange, message: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (iv, plaintext) = match exchange {
        Exchange::AuthenticationOut => ("iv_i", "plaintext_i"),
        Exchange::AuthenticationIn => ("iv_r", "plaintext_r"),
        Exchange::DeleteOut => ("delete_iv", "delete_plaintext"),
        _ => return None,
    };
    let (iv, plaintext) = (transcript.secret(iv)?, transcript.secret(plaintext)?);
    message[Header::LEN + RawPayload::HEADER_LEN..].starts_with(&iv).then_some((iv, plaintext))
}

/// Opened with the recorded plaintext, read, and written again with the same padding.
#[test]
fn every_recorded_plaintext_is_written_again() {
    let mut written_again = 0;
    for transcript in Transcript::all() {
        for (cdb, mut data) in transcript.steps() {
            let Some(exchange) = exchange_of(&cdb) else { continue };
            let Some((iv, plaintext)) = plaintext_of(&transcript, exchange, &data) else { continue };
            let encrypted = open_with(transcript.profile, &mut data, iv.len(), &plaintext);
            let read = Message::parse(transcript.profile, &data).unwrap().with_opened(&encrypted).unwrap();
            let inner = read.inner_payloads().unwrap();
            assert_eq!(check_order(&inner, exchange, true), Ok(()), "{}", transcript.name);
            assert_eq!(encrypted.check_padding(transcript.profile, &data), Ok(()), "{}", transcript.name);

            let mut buffer = vec![0xA5; data.len()];
            let sais = (read.header.ac_sai, read.header.ds_sai);
            let mut writer =
                MessageWriter::new(transcript.profile, exchange, sais, read.header.message_id, &mut buffer).unwrap();
            writer.begin_encrypted(&data[encrypted.iv.clone()]).unwrap();
            for raw in inner {
                write_again(transcript.profile, &mut writer, &raw.unwrap());
            }
            // The least alignment that gives the recorded padding back.
            let pad_length = usize::from(*plaintext.last().unwrap());
            let alignment = [1, 4, 16].into_iter().find(|alignment| {
                usize::from(pad_length_for(plaintext.len() - pad_length - 1, *alignment)) == pad_length
            });
            let written = writer.end_encrypted(alignment.unwrap(), encrypted.icv.len()).unwrap();
            assert_eq!(written, encrypted, "{}", transcript.name);
            let message = writer.finish().unwrap();
            assert_eq!(message[..encrypted.text.end], data[..encrypted.text.end], "{}", transcript.name);
            written_again += 1;
        }
    }
    assert!(written_again >= 3, "the mandatory transcript has three");
}

/// Every message of every exchange, opened where the recording tells the inside, is printed without a fault and with a name
/// for every number.
#[test]
fn every_recorded_message_is_printed() {
    for transcript in Transcript::all() {
        let text = printed(&transcript, |_| true, Shown::Shortened);
        let in_full = printed(&transcript, |_| true, Shown::InFull);
        for text in [text, in_full] {
            for fault in ["error", "not recognised", "PAYLOAD DATA", "ALGORITHM ATTRIBUTES"] {
                assert!(!text.contains(fault), "{}: {fault}\n{text}", transcript.name);
            }
            for line in text.lines().filter(|line| line.contains("ALGORITHM IDENTIFIER")) {
                assert_eq!(line.matches(", ").count(), 2, "{}: names in {line}", transcript.name);
            }
        }
    }
}

/// What only SPC-4 has is in its transcripts, by its own names.
#[test]
fn spc4_is_printed_by_its_own_names() {
    let text: String = Transcript::all()
        .iter()
        .filter(|transcript| transcript.profile == Profile::SPC4)
        .map(|transcript| printed(transcript, |_| true, Shown::Shortened))
        .collect();
    for line in [
        "  EXCHANGE TYPE: 00h, reserved\n",
        "Payload 83h: IKEv2-SCSI Timeout Values, byte 28\n",
        "Payload 81h: IKEv2-SCSI SA Cryptographic Algorithms, byte 44\n",
        "Payload: IKEv2-SCSI SA Creation Capabilities, byte 4\n",
        "  Payload 82h: IKEv2-SCSI SAUT Cryptographic Algorithms, byte ",
        "  NUMBER OF ALGORITHM DESCRIPTORS: 6\n",
        "  SA TYPE: 0081h\n",
        "    ALGORITHM TYPE 03h, INTEG; ALGORITHM IDENTIFIER F003 0001h, AUTH_COMBINED\n",
        "    ALGORITHM TYPE F9h, SA_AUTH_OUT; ALGORITHM IDENTIFIER 00F9 0009h, ECDSA with SHA-256 on the P-256 curve\n",
        "    ALGORITHM TYPE FAh, SA_AUTH_IN; ALGORITHM IDENTIFIER 00F9 0000h, SA_AUTH_NONE\n",
        "    AC_SAI: e156383f\n",
        "    DS_SAI: 359daca2\n",
        "  IKE_SA APPLICATION CLIENT SAI: e156383f\n",
    ] {
        assert!(text.contains(line), "{line}");
    }
    for other in ["NUMBER OF TRANSFORMS", "USE 0", "STV", "SCA)"] {
        assert!(!text.contains(other), "{other}");
    }
}

/// How much of long opaque bytes is printed.
#[derive(Clone, Copy, PartialEq)]
enum Shown {
    Shortened,
    InFull,
}

/// The steps of an exchange that are `wanted` by their message, as text. In full, an Encrypted payload stays closed.
fn printed(transcript: &Transcript, wanted: impl Fn(Option<Exchange>) -> bool, shown: Shown) -> String {
    let mut text = String::new();
    for (cdb, mut data) in transcript.steps() {
        let exchange = exchange_of(&cdb);
        if !wanted(exchange) {
            continue;
        }
        let message = exchange.map(|_| Message::parse(transcript.profile, &data).unwrap());
        let capabilities = || Capabilities::parse_parameter_data(transcript.profile, &data).unwrap();
        if shown == Shown::InFull {
            text += &match message {
                Some(message) => format!("{cdb:#}\n{message:#}\n"),
                None => format!("{cdb:#}\n{:#}\n", capabilities()),
            };
            continue;
        }
        text += &match message {
            Some(message) => format!("{cdb}\n{message}\n"),
            None => format!("{cdb}\n{}\n", capabilities()),
        };
        let opened = exchange.and_then(|exchange| plaintext_of(transcript, exchange, &data));
        if let Some((iv, plaintext)) = opened {
            let encrypted = open_with(transcript.profile, &mut data, iv.len(), &plaintext);
            let message = Message::parse(transcript.profile, &data).unwrap();
            text += &format!("opened:\n{}\n", message.with_opened(&encrypted).unwrap());
        }
    }
    text
}

/// The files were made from the transcript and the names in the document, not by this crate.
fn compare_with_golden(file: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file);
    let golden = std::fs::read_to_string(&path).unwrap();
    for (number, (line, expected)) in text.lines().zip(golden.lines()).enumerate() {
        assert_eq!(line, expected, "{file}, line {}", number + 1);
    }
    assert_eq!(text.lines().count(), golden.lines().count(), "{file}");
}

#[test]
fn a_printed_exchange_is_the_golden_one() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/transcripts");
    let transcript = Transcript::read(&folder.join("r3-mandatory.json"));
    compare_with_golden("r3-mandatory.txt", &printed(&transcript, |_| true, Shown::Shortened));
    let two = |exchange| matches!(exchange, Some(Exchange::KeyExchangeOut | Exchange::AuthenticationOut));
    compare_with_golden("r3-mandatory-full.txt", &printed(&transcript, two, Shown::InFull));
}
