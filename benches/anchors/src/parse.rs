//! Reading a key exchange OUT to its last field, beside ipsec-parser with a message that holds as much.

use std::hint::black_box;

use ikev2_scsi::Profile;
use ikev2_scsi::dialect::{Exchange, PayloadType};
use ikev2_scsi::wire::{
    Algorithms, Chain, Descriptors, Expected, Header, KeyExchange, Nonce, RawPayload, SaAlgorithms, Sai, Timeouts,
    check_order,
};

use crate::allocations;
use crate::harness::{Comparison, Effort};

/// Lines `parse,<message>,<ns>,<times ipsec-parser>,<allocations>`.
pub(crate) fn run(effort: Effort) {
    let (r3, spc4, init) = (message("r3-mandatory"), message("spc4-table82-row1"), ike_sa_init());
    let mut comparison = Comparison::new(effort);
    comparison.add("r3 key exchange OUT", || read(black_box(Profile::R3), black_box(&r3)));
    comparison.add("SPC-4 key exchange OUT", || read(black_box(Profile::SPC4), black_box(&spc4)));
    comparison.add("ipsec-parser: IKE_SA_INIT", || ipsec_parser(black_box(&init)));
    let times = comparison.run();
    let works: [&dyn Fn(); 3] = [
        &|| _ = black_box(read(Profile::R3, &r3)),
        &|| _ = black_box(read(Profile::SPC4, &spc4)),
        &|| _ = black_box(ipsec_parser(&init)),
    ];
    for (time, work) in times.iter().zip(works) {
        let ratio = time.ratio(&times[2]);
        println!("parse,{},{:.1},{ratio:.3},{}", time.name, time.nanoseconds(), allocations::of(work));
    }
}

/// Header, order, every payload and every algorithm descriptor, as a device server reads them. The result depends on every field.
#[inline(never)]
fn read(profile: Profile, message: &[u8]) -> u64 {
    let Ok(header) = Header::parse(profile, message) else { panic!() };
    let exchange = Exchange::KeyExchangeOut;
    let expected = Expected { exchange, ac_sai: None, ds_sai: Some(Sai::ZERO), message_id: 0, total: message.len() };
    assert!(header.check(profile, &expected).is_ok());
    let chain = Chain::outer(profile, message, &header);
    assert!(check_order(&chain, exchange, false).is_ok());
    let mut sum = header.ac_sai.0;
    for raw in chain {
        let Ok(raw) = raw else { panic!() };
        let Some(of_payload) = payload(profile, &raw) else { panic!() };
        sum ^= of_payload;
    }
    sum
}

#[inline]
fn payload(profile: Profile, raw: &RawPayload<'_>) -> Option<u64> {
    Some(match raw.payload? {
        PayloadType::Timeouts => {
            let stv = raw.body::<Timeouts>(profile).ok()?;
            u64::from(stv.protocol) ^ u64::from(stv.inactivity)
        }
        PayloadType::Algorithms => {
            let sca = raw.body::<Algorithms<'_>>(profile).ok()?;
            descriptors(sca.descriptors) ^ sca.said.0 ^ u64::from(sca.sa_type) ^ place(sca.usage_data)
        }
        PayloadType::SaAlgorithms => descriptors(raw.body::<SaAlgorithms<'_>>(profile).ok()?.descriptors),
        PayloadType::KeyExchange => {
            let ke = raw.body::<KeyExchange<'_>>(profile).ok()?;
            u64::from(ke.group) ^ place(ke.public)
        }
        PayloadType::Nonce => place(raw.body::<Nonce<'_>>(profile).ok()?.data),
        _ => return None,
    })
}

/// Where the bytes are and how many.
fn place(bytes: &[u8]) -> u64 {
    bytes.as_ptr().addr() as u64 ^ bytes.len() as u64
}

fn descriptors(list: Descriptors<'_>) -> u64 {
    list.iter().fold(0, |sum, descriptor| {
        let attributes = u32::from_be_bytes(descriptor.attributes);
        sum ^ u64::from(descriptor.algorithm_type) ^ u64::from(descriptor.identifier) ^ u64::from(attributes)
    })
}

fn ipsec_parser(message: &[u8]) -> usize {
    let (rest, header) = ipsec_parser::parse_ikev2_header(message).unwrap();
    let (rest, payloads) = ipsec_parser::parse_ikev2_payload_list(rest, header.next_payload).unwrap();
    assert!(rest.is_empty());
    black_box(payloads.unwrap()).len()
}

/// The key exchange OUT of a transcript.
fn message(name: &str) -> Vec<u8> {
    let path = format!("{}/../../vectors/transcripts/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let json: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    crate::hex::decode(json["steps"][1]["data_out"].as_str().unwrap()).unwrap()
}

/// An IKE_SA_INIT request: one proposal, MODP-2048, a nonce of 32 bytes (RFC 7296 3).
fn ike_sa_init() -> Vec<u8> {
    let transforms: [&[u8]; 4] = [
        &[3, 0, 0, 12, 1, 0, 0, 12, 0x80, 14, 0, 128],
        &[3, 0, 0, 8, 2, 0, 0, 2],
        &[3, 0, 0, 8, 3, 0, 0, 2],
        &[0, 0, 0, 8, 4, 0, 0, 14],
    ];
    let transforms = transforms.concat();
    let mut proposal = vec![0, 0, 0, 8 + transforms.len() as u8, 1, 1, 0, 4];
    proposal.extend(transforms);
    let mut message = [[0x11; 8], [0; 8]].concat();
    message.extend([33, 0x20, 34, 0x08, 0, 0, 0, 0, 0, 0, 0, 0]);
    let mut payload = |next: u8, data: &[u8]| {
        message.extend([next, 0]);
        message.extend((4 + data.len() as u16).to_be_bytes());
        message.extend(data);
    };
    payload(34, &proposal);
    payload(40, &[&[0, 14, 0, 0][..], &[0x77; 256]].concat());
    payload(0, &[0x55; 32]);
    let length = (message.len() as u32).to_be_bytes();
    message[24..28].copy_from_slice(&length);
    message
}
