//! Whatever bytes come in, they are read and printed, or refused with a place inside them.
#![no_main]

use ikev2_scsi::wire::{
    Capabilities, CapabilityFormats, Cdb, CertificateData, Chain, Encrypted, Message, SupportedProtocols, check_order,
};
use ikev2_scsi::dialect::{Exchange, PayloadType};
use ikev2_scsi::{HeaderFlags, Profile};
use libfuzzer_sys::fuzz_target;

const EXCHANGES: [Exchange; 5] = [
    Exchange::KeyExchangeOut,
    Exchange::KeyExchangeIn,
    Exchange::AuthenticationOut,
    Exchange::AuthenticationIn,
    Exchange::DeleteOut,
];

fuzz_target!(|data: &[u8]| {
    for profile in [Profile::R3, Profile { header_flags: HeaderFlags::Rfc4306, ..Profile::R3 }, Profile::SPC4] {
        print(profile, data);
        if let Ok(capabilities) = Capabilities::parse_parameter_data(profile, data) {
            let _ = capabilities.to_string();
        }
    }
    if let Ok(cdb) = Cdb::parse(data) {
        let _ = cdb.to_string();
    }
    if let Ok(list) = SupportedProtocols::parse(data) {
        let _ = list.to_string();
    }
    if let Ok(certificate) = CertificateData::parse(data) {
        let _ = certificate.to_string();
    }
    if let Ok(formats) = CapabilityFormats::parse(data) {
        let _ = formats.to_string();
    }
});

fn print(profile: Profile, data: &[u8]) {
    let Ok(message) = Message::parse(profile, data) else { return };
    let _ = message.to_string();
    let _ = format!("{message:#}");
    orders(&message.payloads(), data);
    for raw in message.payloads().flatten().filter(|raw| raw.payload == Some(PayloadType::Encrypted)) {
        // The lengths of AES-CBC with HMAC-SHA1-96, of AES-CCM-16, of ENCR_NULL with HMAC-SHA1-96.
        for (iv, icv, block) in [(16, 12, 16), (8, 16, 1), (0, 12, 1)] {
            let Ok(encrypted) = Encrypted::divide(&raw, iv, icv, block) else { continue };
            let Ok(opened) = message.with_opened(&encrypted) else { continue };
            let _ = opened.to_string();
            if let Some(inner) = opened.inner_payloads() {
                orders(&inner, data);
            }
        }
    }
}

fn orders(chain: &Chain<'_>, data: &[u8]) {
    for exchange in EXCHANGES {
        for inside in [false, true] {
            if let Err(error) = check_order(chain, exchange, inside) {
                assert!(error.byte < data.len(), "{error}");
            }
        }
    }
}
