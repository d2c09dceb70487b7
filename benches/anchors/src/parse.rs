use crate::harness::{Comparison, Effort};
use ikev2_scsi::Profile;
use ikev2_scsi::dialect::{Exchange, PayloadType};
use ikev2_scsi::wire::{
    Algorithms, Chain, Descriptors, Expected, Header, KeyExchange, Nonce, Payload, SaAlgorithms, Sai, Timeouts,
    check_order,
};
use std::hint::black_box;

fn list(descriptors: Descriptors<'_>) -> u64 {
    descriptors.iter().fold(0, |sum: u64, d| {
        let attributes = u32::from_be_bytes(d.attributes);
        sum ^ u64::from(d.algorithm_type) ^ u64::from(d.identifier) ^ u64::from(attributes)
    })
}

fn begin(profile: Profile, message: &[u8]) -> (Header, Chain<'_>) {
    let Ok(header) = Header::parse(profile, message) else { panic!() };
    let exchange = Exchange::KeyExchangeOut;
    let expected = Expected { exchange, ac_sai: None, ds_sai: Some(Sai::ZERO), message_id: 0, total: message.len() };
    assert!(header.check(profile, &expected).is_ok());
    let chain = Chain::outer(profile, message, &header);
    assert!(check_order(&chain, exchange, false).is_ok());
    (header, chain)
}

#[inline(never)]
fn checked(profile: Profile, message: &[u8]) -> u64 {
    let (header, _) = begin(profile, message);
    header.ac_sai.0
}

#[inline(never)]
fn read(profile: Profile, message: &[u8]) -> u64 {
    let (header, chain) = begin(profile, message);
    let mut sum = header.ac_sai.0;
    for raw in chain {
        let Ok(raw) = raw else { panic!() };
        let Ok(payload) = Payload::parse(profile, &raw) else { panic!() };
        sum ^= match payload {
            Payload::Algorithms(sca) => {
                list(sca.descriptors) ^ sca.said.0 ^ sca.usage_data.len() as u64 ^ sca.sa_type as u64
            }
            Payload::SaAlgorithms(sca) => list(sca.descriptors),
            Payload::Timeouts(stv) => u64::from(stv.protocol) ^ u64::from(stv.inactivity),
            Payload::KeyExchange(ke) => u64::from(ke.group) ^ ke.public.len() as u64 ^ ke.public.as_ptr().addr() as u64,
            Payload::Nonce(nonce) => nonce.data.len() as u64 ^ nonce.data.as_ptr().addr() as u64,
            _ => panic!(),
        };
    }
    sum
}

#[inline(never)]
fn typed(profile: Profile, message: &[u8]) -> u64 {
    let (header, chain) = begin(profile, message);
    let mut sum = header.ac_sai.0;
    for raw in chain {
        let Ok(raw) = raw else { panic!() };
        sum ^= match raw.payload {
            Some(PayloadType::Algorithms) => {
                let Ok(sca) = raw.body::<Algorithms>(profile) else { panic!() };
                list(sca.descriptors) ^ sca.said.0 ^ sca.usage_data.len() as u64 ^ sca.sa_type as u64
            }
            Some(PayloadType::SaAlgorithms) => {
                let Ok(sca) = raw.body::<SaAlgorithms>(profile) else { panic!() };
                list(sca.descriptors)
            }
            Some(PayloadType::Timeouts) => {
                let Ok(stv) = raw.body::<Timeouts>(profile) else { panic!() };
                u64::from(stv.protocol) ^ u64::from(stv.inactivity)
            }
            Some(PayloadType::KeyExchange) => {
                let Ok(ke) = raw.body::<KeyExchange>(profile) else { panic!() };
                u64::from(ke.group) ^ ke.public.len() as u64 ^ ke.public.as_ptr().addr() as u64
            }
            Some(PayloadType::Nonce) => {
                let Ok(nonce) = raw.body::<Nonce>(profile) else { panic!() };
                nonce.data.len() as u64 ^ nonce.data.as_ptr().addr() as u64
            }
            _ => panic!(),
        };
    }
    sum
}

fn message(name: &str) -> Vec<u8> {
    let path = format!("{}/../../vectors/transcripts/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let json: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let hex = json["steps"][1]["data_out"].as_str().unwrap();
    (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect()
}

/// An IKE_SA_INIT request with as much in it: one proposal, MODP-2048, a nonce of 32 bytes.
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

pub(crate) fn run(effort: Effort) {
    let init = ike_sa_init();
    let r3 = message("r3-mandatory");
    let spc4 = message("spc4-table82-row1");
    let mut c = Comparison::new(effort);
    c.add("r3", || read(black_box(Profile::R3), black_box(&r3)));
    c.add("spc4", || read(black_box(Profile::SPC4), black_box(&spc4)));
    c.add("typed r3", || typed(black_box(Profile::R3), black_box(&r3)));
    c.add("typed spc4", || typed(black_box(Profile::SPC4), black_box(&spc4)));
    c.add("checked r3", || checked(black_box(Profile::R3), black_box(&r3)));
    c.add("ipsec-parser", || {
        let (rest, header) = ipsec_parser::parse_ikev2_header(black_box(&init)).unwrap();
        let (rest, Ok(payloads)) = ipsec_parser::parse_ikev2_payload_list(rest, header.next_payload).unwrap() else {
            panic!()
        };
        assert!(rest.is_empty() && payloads.len() >= 3, "{}", payloads.len());
        payloads
    });
    c.add("r3 header", || Header::parse(Profile::R3, black_box(&r3)));
    let h = Header::parse(Profile::R3, &r3).unwrap();
    c.add("r3 walk", || Chain::outer(Profile::R3, black_box(&r3), &h).count());
    c.add("r3 order", || check_order(&Chain::outer(Profile::R3, black_box(&r3), &h), Exchange::KeyExchangeOut, false));
    for time in c.run() {
        println!("{} {:.1}", time.name, time.nanoseconds());
    }
}
