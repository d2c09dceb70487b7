//! Properties of the wire formats: what is written is read again, and no bytes at all make reading or printing panic,
//! loop or leave the message.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may panic"
)]

use std::fmt::Debug;

use ikev2_scsi::dialect::{Exchange, HeaderFlags, PayloadType, Profile};
use ikev2_scsi::wire::{
    Algorithms, Authentication, Body, Capabilities, CapabilityFormats, Cdb, Certificate, CertificateData,
    CertificateEncoding, CertificateRequest, Chain, Delete, Descriptor, Descriptors, Direction, Encrypted, Field,
    Header, IdType, Identification, KeyExchange, Message, MessageWriter, Nonce, Notify, Payload, Reader, SaAlgorithms,
    SaUsage, Sai, SupportedProtocols, Timeouts, VendorId, Writer, check_order, pad_length_for,
};
use proptest::collection::vec;
use proptest::prelude::*;

const R3: Profile = Profile::R3;
const RFC4306: Profile = Profile { header_flags: HeaderFlags::Rfc4306, ..R3 };
const SPC4: Profile = Profile::SPC4;

const EXCHANGES: [Exchange; 5] = [
    Exchange::KeyExchangeOut,
    Exchange::KeyExchangeIn,
    Exchange::AuthenticationOut,
    Exchange::AuthenticationIn,
    Exchange::DeleteOut,
];

fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..=most)
}

fn exchange() -> impl Strategy<Value = Exchange> {
    prop::sample::select(&EXCHANGES[..])
}

fn profile() -> impl Strategy<Value = Profile> {
    prop::sample::select(&[R3, RFC4306, SPC4][..])
}

/// A SAI that the dialect can send: four bytes in SPC-4.
fn sai(profile: Profile, value: u64) -> Sai {
    Sai(if profile == SPC4 { value & 0xFFFF_FFFF } else { value })
}

fn encoding() -> impl Strategy<Value = CertificateEncoding> {
    prop::sample::select(&[CertificateEncoding::X509Signature, CertificateEncoding::RawRsaKey][..])
}

fn id_type() -> impl Strategy<Value = IdType> {
    prop::sample::select(&[IdType::DerAsn1Dn, IdType::DerAsn1Gn, IdType::KeyId, IdType::FcName][..])
}

/// ALGORITHM TYPE, ALGORITHM IDENTIFIER, ALGORITHM ATTRIBUTES.
type Parts = (u8, u32, [u8; 4]);

fn descriptor((algorithm_type, identifier, attributes): Parts) -> [u8; 12] {
    Descriptor { algorithm_type, identifier, attributes }.to_bytes()
}

/// Descriptors of any type, identifier and attributes.
fn descriptors() -> impl Strategy<Value = Vec<[u8; 12]>> {
    vec(any::<Parts>().prop_map(descriptor), 0..40)
}

/// Bytes that look enough like a message to be walked: a header, then payloads of likely codes that tile, then noise.
fn likely_message() -> impl Strategy<Value = Vec<u8>> {
    let codes =
        [0x83, 0x82, 0x81, 0x22, 0x28, 0x23, 0x24, 0x25, 0x26, 0x27, 0x29, 0x2A, 0x2B, 0x2E, 0x80, 0x21, 0xC0, 0];
    let payload = (prop::sample::select(codes.to_vec()), any::<bool>(), bytes(40));
    (bytes(16), vec(payload, 0..8), bytes(3), vec((any::<prop::sample::Index>(), any::<u8>()), 0..3)).prop_map(
        |(sais, payloads, trailing, noise)| {
            let mut message = vec![0; 28];
            message[..sais.len()].copy_from_slice(&sais);
            message[17..20].copy_from_slice(&[0x20, 0xF2, 0x10]);
            let mut named_at = 16;
            for (code, critical, data) in payloads {
                message[named_at] = code;
                named_at = message.len();
                message.extend([0, if critical { 0x80 } else { 0 }, 0, u8::try_from(data.len() + 4).unwrap()]);
                message.extend(data);
            }
            message.extend(trailing);
            let total = u32::try_from(message.len()).unwrap();
            message[24..28].copy_from_slice(&total.to_be_bytes());
            for (at, value) in noise {
                let at = at.index(message.len());
                message[at] = value;
            }
            message
        },
    )
}

/// Writes with exactly [`Body::len`] bytes of room, and reads that again.
fn written<'a>(body: &impl Body<'a>) -> Vec<u8> {
    let mut buffer = vec![0xA5; body.len()];
    let mut writer = Writer::new(&mut buffer);
    body.emit(&mut writer).unwrap();
    assert_eq!(writer.at(), body.len());
    buffer
}

fn check_round_trip<'a, B: Body<'a> + PartialEq + Debug>(profile: Profile, body: &B, data: &'a [u8]) {
    let reader = Reader::new(data, 32, 30, Field::PayloadLength);
    assert_eq!(B::parse(profile, reader).as_ref(), Ok(body));
}

/// Every payload stands behind the one before it and inside the message; an error ends the walk and blames a byte of it.
fn check_walk(profile: Profile, chain: Chain<'_>, start: usize, message: &[u8]) {
    let mut behind = start;
    let mut walk = chain.clone();
    let mut steps = 0;
    while let Some(step) = walk.next() {
        steps += 1;
        assert!(steps <= message.len() / 4 + 1, "the walk goes on for ever");
        match step {
            Ok(raw) => {
                assert_eq!(raw.at, behind);
                assert!(raw.named_at < raw.at);
                behind = raw.at + 4 + raw.data.len();
                assert!(behind <= message.len());
                assert_eq!(raw.data, &message[raw.at + 4..behind]);
                if let Err(error) = Payload::parse(profile, &raw) {
                    assert!((raw.at..behind).contains(&error.byte), "{error}");
                }
            }
            Err(error) => {
                assert!(error.byte < message.len(), "{error}");
                assert!(walk.next().is_none());
            }
        }
    }
    assert!(walk.next().is_none());
    for exchange in EXCHANGES {
        for inside in [false, true] {
            if let Err(error) = check_order(&chain, exchange, inside) {
                assert!(error.byte < message.len(), "{error}");
            }
        }
    }
}

/// Whatever can be done with received bytes.
fn read_and_print(profile: Profile, data: &[u8], (iv, icv, block): (usize, usize, usize)) {
    let Ok(message) = Message::parse(profile, data) else {
        assert!(data.len() < 28);
        return;
    };
    check_walk(profile, message.payloads(), 28, data);
    assert!(message.to_string().lines().count() >= 12);
    assert!(format!("{message:#}").lines().count() >= message.to_string().lines().count());
    for raw in message.payloads().flatten().filter(|raw| raw.payload == Some(PayloadType::Encrypted)) {
        let Ok(encrypted) = Encrypted::divide(&raw, iv, icv, block) else { continue };
        assert!(raw.at < encrypted.iv.start && encrypted.icv.end == data.len());
        let Ok(opened) = message.with_opened(&encrypted) else { continue };
        let end = encrypted.inner_end(data).unwrap();
        check_walk(profile, opened.inner_payloads().unwrap(), encrypted.text.start, &data[..end]);
        assert!(opened.to_string().lines().count() >= 12);
        assert!(!format!("{opened:#}").is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn headers(
        profile in profile(),
        sais in any::<(u64, u64)>(),
        codes in any::<(u8, u8)>(),
        versions in (0_u8..16, 0_u8..16),
        flags in any::<(bool, bool, bool)>(),
        numbers in any::<(u32, u32)>(),
    ) {
        let header = Header {
            ac_sai: sai(profile, sais.0),
            ds_sai: sai(profile, sais.1),
            next_payload: codes.0,
            major_version: versions.0,
            minor_version: versions.1,
            exchange_type: codes.1,
            initiator: flags.0,
            version: flags.1,
            response: flags.2,
            message_id: numbers.0,
            length: numbers.1,
        };
        let mut buffer = [0xA5; Header::LEN];
        header.emit(profile, &mut Writer::new(&mut buffer)).unwrap();
        prop_assert_eq!(Header::parse(profile, &buffer), Ok(header));
    }

    #[test]
    fn cdbs(out in any::<bool>(), fields in any::<(u8, u16, bool, u32, u8)>()) {
        let direction = if out { Direction::Out } else { Direction::In };
        let (protocol, specific, inc_512, length, control) = fields;
        let cdb = Cdb { direction, protocol, specific, inc_512, length, control };
        prop_assert_eq!(Cdb::parse(&cdb.to_bytes()), Ok(cdb));
        prop_assert!(!cdb.to_string().is_empty());
    }

    #[test]
    fn parameter_data_of_protocol_0(data in bytes(300)) {
        let protocols = SupportedProtocols { protocols: &data };
        let mut buffer = vec![0; protocols.len()];
        protocols.emit(&mut Writer::new(&mut buffer)).unwrap();
        prop_assert_eq!(SupportedProtocols::parse(&buffer), Ok(protocols));
        let certificate = CertificateData { certificate: &data };
        let mut buffer = vec![0; certificate.len()];
        certificate.emit(&mut Writer::new(&mut buffer)).unwrap();
        prop_assert_eq!(CertificateData::parse(&buffer), Ok(certificate));
    }

    #[test]
    fn capabilities(profile in profile(), descriptors in descriptors()) {
        let capabilities = Capabilities { profile, descriptors: Descriptors::new(&descriptors) };
        check_round_trip(profile, &capabilities, &written(&capabilities));
        let mut buffer = vec![0xA5; capabilities.parameter_data_len()];
        let mut writer = Writer::new(&mut buffer);
        capabilities.emit_parameter_data(&mut writer).unwrap();
        prop_assert_eq!(writer.at(), capabilities.parameter_data_len());
        prop_assert_eq!(Capabilities::parse_parameter_data(profile, &buffer), Ok(capabilities));
        prop_assert_eq!(capabilities.to_string().lines().count(), 7 + descriptors.len());
    }

    #[test]
    fn algorithms(sa_type in any::<u8>(), said in any::<u64>(), words in vec(any::<[u8; 4]>(), 0..9), descriptors in descriptors()) {
        let descriptors = Descriptors::new(&descriptors);
        let algorithms = Algorithms { sa_type, said: Sai(said), usage_data: words.as_flattened(), descriptors };
        check_round_trip(R3, &algorithms, &written(&algorithms));
        for descriptor in descriptors.iter() {
            prop_assert_eq!(Descriptor::from_bytes(&descriptor.to_bytes()), descriptor);
        }
    }

    #[test]
    fn sa_payloads(
        six in any::<[Parts; 6]>(),
        two in any::<[Parts; 2]>(),
        is_short in any::<bool>(),
        sa_type in any::<u16>(),
        usage_data in bytes(40),
        noise in any::<[u8; 8]>(),
    ) {
        let (six, two) = (six.map(descriptor), two.map(descriptor));
        let descriptors = Descriptors::new(&six);
        let algorithms = if is_short { SaAlgorithms::short(descriptors) } else { SaAlgorithms::new(descriptors) };
        let mut data = written(&algorithms);
        check_round_trip(SPC4, &algorithms, &data);
        // Reserved bytes come back as they were.
        data[..8].copy_from_slice(&noise);
        let read = SaAlgorithms::parse(SPC4, Reader::new(&data, 32, 30, Field::PayloadLength)).unwrap();
        prop_assert_eq!(&written(&read), &data);
        let usage = SaUsage::new(sa_type, &usage_data, Descriptors::new(&two));
        let mut data = written(&usage);
        check_round_trip(SPC4, &usage, &data);
        data[..8].copy_from_slice(&noise);
        let read = SaUsage::parse(SPC4, Reader::new(&data, 32, 30, Field::PayloadLength)).unwrap();
        prop_assert_eq!(written(&read), data);
    }

    #[test]
    fn formats(formats in vec(any::<[u8; 2]>(), 0..20)) {
        let formats = CapabilityFormats { formats: &formats };
        let mut buffer = vec![0xA5; formats.len()];
        formats.emit(&mut Writer::new(&mut buffer)).unwrap();
        prop_assert_eq!(CapabilityFormats::parse(&buffer), Ok(formats));
    }

    #[test]
    fn bodies_of_fixed_length(profile in profile(), numbers in any::<(u32, u32)>(), sais in any::<(u64, u64)>()) {
        let timeouts = Timeouts { protocol: numbers.0, inactivity: numbers.1 };
        check_round_trip(profile, &timeouts, &written(&timeouts));
        let (first, second) = (sai(profile, sais.0), sai(profile, sais.1));
        let notify = Notify { sai: first };
        check_round_trip(profile, &notify, &written(&notify));
        let delete = Delete { ac_sai: first, ds_sai: (profile == SPC4).then_some(second) };
        check_round_trip(profile, &delete, &written(&delete));
    }

    #[test]
    fn bodies_of_any_length(
        profile in profile(),
        data in bytes(300),
        group in any::<u16>(),
        method in any::<u8>(),
        id_type in id_type(),
        encoding in encoding(),
        authorities in vec(any::<[u8; 20]>(), 0..5),
    ) {
        let key_exchange = KeyExchange { group, public: &data };
        check_round_trip(profile, &key_exchange, &written(&key_exchange));
        let identification = Identification { id_type, data: &data };
        check_round_trip(profile, &identification, &written(&identification));
        let certificate = Certificate { encoding, data: &data };
        check_round_trip(profile, &certificate, &written(&certificate));
        let request = CertificateRequest { encoding, authorities: &authorities };
        check_round_trip(profile, &request, &written(&request));
        let authentication = Authentication { method, data: &data };
        check_round_trip(profile, &authentication, &written(&authentication));
        let vendor_id = VendorId { data: &data };
        check_round_trip(profile, &vendor_id, &written(&vendor_id));
        if (Nonce::MIN..=Nonce::MAX).contains(&data.len()) {
            let nonce = Nonce { data: &data };
            check_round_trip(profile, &nonce, &written(&nonce));
        }
    }

    /// The least number of bytes that aligns.
    #[test]
    fn padding(inner in 0_usize..2000, alignment in 1_usize..=256) {
        let pad_length = usize::from(pad_length_for(inner, alignment));
        prop_assert!(pad_length < alignment);
        prop_assert!((inner + pad_length + 1).is_multiple_of(alignment));
    }

    #[test]
    fn messages_in_the_clear(
        profile in profile(),
        sais in any::<(u64, u64)>(),
        message_id in any::<u32>(),
        nonce in vec(any::<u8>(), 16..=256),
        public in bytes(300),
        exchange in exchange(),
    ) {
        let timeouts = Timeouts { protocol: 1, inactivity: 2 };
        let key_exchange = KeyExchange { group: 14, public: &public };
        let nonce = Nonce { data: &nonce };
        let mut buffer = vec![0xA5; 1000];
        let sais = (sai(profile, sais.0), sai(profile, sais.1));
        let mut writer = MessageWriter::new(profile, exchange, sais, message_id, &mut buffer).unwrap();
        writer.payload(PayloadType::Timeouts, &timeouts).unwrap();
        writer.payload(PayloadType::KeyExchange, &key_exchange).unwrap();
        writer.payload(PayloadType::Nonce, &nonce).unwrap();
        let message = writer.finish().unwrap();
        let read = Message::parse(profile, message).unwrap();
        prop_assert_eq!((read.header.ac_sai, read.header.ds_sai), sais);
        prop_assert_eq!((read.header.message_id, read.header.length as usize), (message_id, message.len()));
        prop_assert_eq!((read.header.initiator, read.header.response), (exchange.is_out(), !exchange.is_out()));
        let payloads: Vec<_> = read.payloads().map(|raw| Payload::parse(profile, &raw.unwrap()).unwrap()).collect();
        let expected = [Payload::Timeouts(timeouts), Payload::KeyExchange(key_exchange), Payload::Nonce(nonce)];
        prop_assert_eq!(payloads, expected);
    }

    #[test]
    fn messages_of_an_encrypted_payload(
        iv in bytes(16),
        icv in 0_usize..33,
        alignment in prop::sample::select(&[1_usize, 4, 16][..]),
        identity in bytes(50),
        auth in bytes(70),
    ) {
        let identification = Identification { id_type: IdType::KeyId, data: &identity };
        let authentication = Authentication { method: 2, data: &auth };
        let mut buffer = vec![0xA5; 300];
        let sais = (Sai(1), Sai(2));
        let mut writer = MessageWriter::new(R3, Exchange::AuthenticationOut, sais, 1, &mut buffer).unwrap();
        writer.begin_encrypted(&iv).unwrap();
        writer.payload(PayloadType::IdApplicationClient, &identification).unwrap();
        writer.payload(PayloadType::Authentication, &authentication).unwrap();
        let encrypted = writer.end_encrypted(alignment, icv).unwrap();
        let message = writer.finish().unwrap();
        let read = Message::parse(R3, message).unwrap();
        prop_assert_eq!(check_order(&read.payloads(), Exchange::AuthenticationOut, false), Ok(()));
        let raw = read.payloads().next().unwrap().unwrap();
        prop_assert_eq!(Encrypted::divide(&raw, iv.len(), icv, alignment), Ok(encrypted.clone()));
        let opened = read.with_opened(&encrypted).unwrap();
        let inner = opened.inner_payloads().unwrap();
        prop_assert_eq!(check_order(&inner, Exchange::AuthenticationOut, true), Ok(()));
        let payloads: Vec<_> = inner.map(|raw| Payload::parse(R3, &raw.unwrap()).unwrap()).collect();
        prop_assert_eq!(payloads, [Payload::Identification(identification), Payload::Authentication(authentication)]);
    }

    #[test]
    fn any_bytes_are_read_and_printed(profile in profile(), data in bytes(200), iv in 0_usize..20, icv in 0_usize..20) {
        read_and_print(profile, &data, (iv, icv, 1));
    }

    #[test]
    fn likely_messages_are_read_and_printed(
        profile in profile(),
        data in likely_message(),
        iv in 0_usize..20,
        icv in 0_usize..20,
    ) {
        read_and_print(profile, &data, (iv, icv, 1));
    }

    #[test]
    fn any_bytes_are_parameter_data(data in bytes(100)) {
        for profile in [R3, SPC4] {
            if let Ok(capabilities) = Capabilities::parse_parameter_data(profile, &data) {
                prop_assert!(!capabilities.to_string().is_empty());
            }
        }
        if let Ok(formats) = CapabilityFormats::parse(&data) {
            prop_assert!(!formats.to_string().is_empty());
            prop_assert!(formats.len() <= data.len());
        }
        if let Ok(protocols) = SupportedProtocols::parse(&data) {
            prop_assert!(!protocols.to_string().is_empty());
        }
        if let Ok(certificate) = CertificateData::parse(&data) {
            prop_assert!(!certificate.to_string().is_empty());
        }
        if let Ok(cdb) = Cdb::parse(&data) {
            prop_assert_eq!(&cdb.to_bytes()[..4], &data[..4]);
        }
    }
}
