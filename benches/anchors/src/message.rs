//! Reading a key exchange OUT to its last field.

use ikev2_scsi::Profile;
use ikev2_scsi::dialect::{Exchange, PayloadType};
use ikev2_scsi::wire::{
    Algorithms, Chain, Descriptors, Expected, Header, KeyExchange, Nonce, RawPayload, SaAlgorithms, Sai, Timeouts,
    check_order,
};

/// Header, order, every payload and every algorithm descriptor, as a device server reads them. The result depends on every field.
#[inline(never)]
pub(crate) fn read(profile: Profile, message: &[u8]) -> u64 {
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

/// The key exchange OUT of a transcript.
pub(crate) fn recorded(name: &str) -> Vec<u8> {
    let path = format!("{}/../../vectors/transcripts/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let json: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    crate::hex::decode(json["steps"][1]["data_out"].as_str().unwrap()).unwrap()
}
