//! The numbers of T10/06-449r3.

use super::{
    AlgorithmNumbers, ErrorClasses, Exchange, Order, Padding, PayloadCodes, PayloadType, Rules, Side, Slot, Slots,
};

pub(super) static RULES: Rules = Rules {
    payload_codes: PayloadCodes::new(&[
        (0x22, PayloadType::KeyExchange),
        (0x23, PayloadType::IdApplicationClient),
        (0x24, PayloadType::IdDeviceServer),
        (0x25, PayloadType::Certificate),
        (0x26, PayloadType::CertificateRequest),
        (0x27, PayloadType::Authentication),
        (0x28, PayloadType::Nonce),
        (0x29, PayloadType::Notify),
        (0x2A, PayloadType::Delete),
        (0x2B, PayloadType::VendorId),
        (0x2E, PayloadType::Encrypted),
        (0x80, PayloadType::Capabilities),
        (0x81, PayloadType::Algorithms),
        (0x82, PayloadType::Timeouts),
    ]),
    payload_names: &[],
    exchange_types: Some([0xF2, 0xF3, 0xF4]),
    message_ids: None,
    sai_offset: 0,
    sai_mask: u64::MAX,
    least_sai: 1,
    first_ds_sai_is_reserved: false,
    capabilities_count_at: 4,
    capabilities_gap: 4,
    counts_transforms: true,
    number_of_sais: 1,
    most_timeout_values: 2,
    padding: Padding::Any,
    order: Order::Listed,
    algorithms: ALGORITHMS,
    sense_codes: None,
    kdf_id_base: 0x0002_0000,
    key_pad: b"Key Pad for IKEv2-SCSI",
    signed_capabilities_from: [None, Some(4)],
    selected_types: &[0x01, 0x02, 0x03, 0x04, 0xF9],
    algorithms_payload: PayloadType::Algorithms,
    null_protects_exchanges: true,
    complete_rows: &[],
    offers_differ: true,
    capabilities_wait_to_be_read: false,
    zero_timeout: None,
    usage_without_data: &[],
    usage_after_authentication: None,
    classes: ErrorClasses::One,
    delete_ends_sequences: false,
    waiting_prolongs: false,
    repeats_from_last_out: false,
    contact_counts_at_once: false,
    names_need_certificates: true,
    may_be_exclusive: false,
    lists_formats: false,
    usage_type_length: 1,
    requests_demand: false,
    outer,
    inner,
};

/// Table K1; the identifiers are those of Tables K2 to K6.
static ALGORITHMS: &[AlgorithmNumbers] = &[
    algorithms(0x01, "ENCR"),
    algorithms(0x02, "PRF"),
    algorithms(0x03, "INTEG"),
    algorithms(0x04, "D-H"),
    AlgorithmNumbers { side: Side::Attributes, ..algorithms(0xF9, "IKE-AUTH") },
];

const fn algorithms(code: u8, name: &'static str) -> AlgorithmNumbers {
    AlgorithmNumbers { code, name, table: code, identifiers: None, side: Side::None, vendor: None }
}

/// r3 5.13.4.3.2, 5.13.4.3.3; the other messages hold an Encrypted payload only.
fn outer(exchange: Exchange) -> &'static Slots {
    const KEY_EXCHANGE_OUT: &Slots = &Slots::new(&[
        Slot::one(PayloadType::Timeouts),
        Slot::one(PayloadType::Algorithms),
        Slot::one(PayloadType::KeyExchange),
        Slot::one(PayloadType::Nonce),
    ]);
    const KEY_EXCHANGE_IN: &Slots = &Slots::new(&[
        Slot::one(PayloadType::Algorithms),
        Slot::one(PayloadType::KeyExchange),
        Slot::one(PayloadType::Nonce),
        Slot::any(PayloadType::CertificateRequest),
    ]);
    const ENCRYPTED: &Slots = &Slots::new(&[Slot::one(PayloadType::Encrypted)]);
    match exchange {
        Exchange::KeyExchangeOut => KEY_EXCHANGE_OUT,
        Exchange::KeyExchangeIn => KEY_EXCHANGE_IN,
        Exchange::AuthenticationOut | Exchange::AuthenticationIn | Exchange::DeleteOut => ENCRYPTED,
    }
}

/// r3 5.13.4.4.2, 5.13.4.4.3, 5.13.5.
fn inner(exchange: Exchange) -> &'static Slots {
    const AUTHENTICATION_OUT: &Slots = &Slots::new(&[
        Slot::one(PayloadType::IdApplicationClient),
        Slot::any(PayloadType::Certificate),
        Slot::any(PayloadType::CertificateRequest),
        Slot::optional(PayloadType::Notify),
        Slot::one(PayloadType::Authentication),
    ]);
    const AUTHENTICATION_IN: &Slots = &Slots::new(&[
        Slot::one(PayloadType::IdDeviceServer),
        Slot::any(PayloadType::Certificate),
        Slot::one(PayloadType::Authentication),
    ]);
    const DELETE: &Slots = &Slots::new(&[Slot::one(PayloadType::Delete)]);
    match exchange {
        Exchange::KeyExchangeOut | Exchange::KeyExchangeIn => Slots::NONE,
        Exchange::AuthenticationOut => AUTHENTICATION_OUT,
        Exchange::AuthenticationIn => AUTHENTICATION_IN,
        Exchange::DeleteOut => DELETE,
    }
}
