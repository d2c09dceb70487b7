//! The numbers of SPC-4, revision 36f.

use super::{
    AlgorithmNumbers, ErrorClasses, Exchange, Identifier, Order, Padding, PayloadCodes, PayloadType, Row, Rules,
    SenseCodes, Side, Slot, Slots,
};

pub(super) static RULES: Rules = Rules {
    payload_codes: PayloadCodes::new(&[
        (0x21, PayloadType::Prohibited),
        (0x22, PayloadType::KeyExchange),
        (0x23, PayloadType::IdApplicationClient),
        (0x24, PayloadType::IdDeviceServer),
        (0x25, PayloadType::Certificate),
        (0x26, PayloadType::CertificateRequest),
        (0x27, PayloadType::Authentication),
        (0x28, PayloadType::Nonce),
        (0x29, PayloadType::Notify),
        (0x2A, PayloadType::Delete),
        (0x2B, PayloadType::Prohibited),
        (0x2C, PayloadType::Prohibited),
        (0x2D, PayloadType::Prohibited),
        (0x2E, PayloadType::Encrypted),
        (0x2F, PayloadType::Prohibited),
        (0x30, PayloadType::Prohibited),
        (0x80, PayloadType::Capabilities),
        (0x81, PayloadType::SaAlgorithms),
        (0x82, PayloadType::SaUsage),
        (0x83, PayloadType::Timeouts),
    ]),
    payload_names: &[
        (0x21, "Security Association"),
        (0x2B, "Vendor ID"),
        (0x2C, "Traffic Selector - Initiator"),
        (0x2D, "Traffic Selector - Responder"),
        (0x2F, "Configuration"),
        (0x30, "Extensible Authentication"),
        (0x80, "IKEv2-SCSI SA Creation Capabilities"),
        (0x83, "IKEv2-SCSI Timeout Values"),
    ],
    exchange_types: None,
    message_ids: Some([0, 1, 2]),
    sai_offset: 4,
    sai_mask: 0xFFFF_FFFF,
    least_sai: 256,
    first_ds_sai_is_reserved: true,
    capabilities_count_at: 7,
    capabilities_gap: 0,
    counts_transforms: false,
    number_of_sais: 2,
    most_timeout_values: u8::MAX,
    padding: Padding::Counted,
    order: Order::Free,
    algorithms: ALGORITHMS,
    sense_codes: Some(SenseCodes::Spc4),
    kdf_id_base: 0x8002_0000,
    key_pad: b"Key Pad for IKEv2-SCSI",
    signed_capabilities_from: [Some(0), Some(0)],
    selected_types: &[0x01, 0x02, 0x03, 0x04, 0xF9, 0xFA],
    algorithms_payload: PayloadType::SaAlgorithms,
    null_protects_exchanges: false,
    complete_rows: COMPLETE_ROWS,
    offers_differ: false,
    capabilities_wait_to_be_read: true,
    zero_timeout: Some(10),
    usage_without_data: &[0x0081, 0x8001],
    usage_after_authentication: Some((0x8000, 0xBFFF)),
    classes: ErrorClasses::Two,
    delete_ends_sequences: true,
    waiting_prolongs: true,
    repeats_from_last_out: true,
    contact_counts_at_once: true,
    names_need_certificates: false,
    may_be_exclusive: true,
    lists_formats: true,
    usage_type_length: 2,
    requests_demand: true,
    outer,
    inner,
};

/// SPC-4 7.7.3.6.1; SA_AUTH_OUT and SA_AUTH_IN have the same identifiers.
static ALGORITHMS: &[AlgorithmNumbers] = &[
    algorithms(0x01, "ENCR", ENCRYPTION, 0x8001),
    algorithms(0x02, "PRF", PSEUDO_RANDOM, 0x8002),
    algorithms(0x03, "INTEG", INTEGRITY, 0x8003),
    algorithms(0x04, "D-H", DIFFIE_HELLMAN, 0x8004),
    authentication(0xF9, "SA_AUTH_OUT", Side::ApplicationClient),
    authentication(0xFA, "SA_AUTH_IN", Side::DeviceServer),
];

/// SPC-4 5.14.4.5: a device server reports all algorithms of one row at least.
static COMPLETE_ROWS: &[&[Row]] = &[
    &[
        (0x01, 0x8001_0014, 16),
        (0x02, 0x8002_0005, 0),
        (0x03, 0xF003_0001, 0),
        (0x04, 0x8004_000E, 0),
        (0xF9, 0x00F9_0001, 0),
        (0xFA, 0x00F9_0001, 0),
    ],
    &[
        (0x01, 0x8001_000C, 32),
        (0x02, 0x8002_0007, 0),
        (0x03, 0x8003_000E, 0),
        (0x04, 0x8004_0015, 0),
        (0xF9, 0x00F9_000B, 0),
        (0xFA, 0x00F9_000B, 0),
    ],
];

/// SPC-4 7.7.3.6.2.
static ENCRYPTION: &[Identifier] = &[same(0x8001_000B), same(0x8001_000C), same(0x8001_0010), same(0x8001_0014)];

/// SPC-4 7.7.3.6.3.
static PSEUDO_RANDOM: &[Identifier] =
    &[same(0x8002_0002), named(0x8002_0004, 0x04, "PRF_AES128_XCBC"), same(0x8002_0005), same(0x8002_0007)];

/// SPC-4 7.7.3.6.4; AUTH_COMBINED takes the place of r3's NONE (question Q6, reading S6).
static INTEGRITY: &[Identifier] =
    &[same(0x8003_0002), same(0x8003_000C), same(0x8003_000E), named(0xF003_0001, 0x00, "AUTH_COMBINED")];

/// SPC-4 7.7.3.6.5.
static DIFFIE_HELLMAN: &[Identifier] =
    &[same(0x8004_000E), same(0x8004_000F), same(0x8004_0010), same(0x8004_0013), same(0x8004_0015)];

/// SPC-4 7.7.3.6.6.
static AUTHENTICATION: &[Identifier] = &[
    named(0x00F9_0000, 0x00, "SA_AUTH_NONE"),
    same(0x00F9_0001),
    same(0x00F9_0002),
    same(0x00F9_0009),
    same(0x00F9_000B),
];

const fn algorithms(code: u8, name: &'static str, numbers: &'static [Identifier], upper: u32) -> AlgorithmNumbers {
    let vendor = Some((upper, 0x0400, 0xFFFF));
    AlgorithmNumbers { code, name, table: code, identifiers: Some(numbers), side: Side::None, vendor }
}

const fn authentication(code: u8, name: &'static str, side: Side) -> AlgorithmNumbers {
    let vendor = Some((0x00F9, 0x00C9, 0x00FF));
    AlgorithmNumbers { code, name, table: 0xF9, identifiers: Some(AUTHENTICATION), side, vendor }
}

/// An identifier whose low half is r3's, which is the registry's.
const fn same(wire: u32) -> Identifier {
    Identifier { wire, table: wire & 0xFFFF, name: None }
}

const fn named(wire: u32, table: u32, name: &'static str) -> Identifier {
    Identifier { wire, table, name: Some(name) }
}

/// SPC-4 5.14.4.6.2, 5.14.4.6.3; the other messages hold an Encrypted payload only.
fn outer(exchange: Exchange) -> &'static Slots {
    const KEY_EXCHANGE_OUT: &Slots = &Slots::new(&[
        Slot::one(PayloadType::Timeouts),
        Slot::one(PayloadType::SaAlgorithms),
        Slot::unauthenticated(PayloadType::SaUsage),
        Slot::one(PayloadType::KeyExchange),
        Slot::one(PayloadType::Nonce),
    ]);
    const KEY_EXCHANGE_IN: &Slots = &Slots::new(&[
        Slot::one(PayloadType::SaAlgorithms),
        Slot::unauthenticated(PayloadType::SaUsage),
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

/// SPC-4 5.14.4.7.2, 5.14.4.7.3, 5.14.4.11.
fn inner(exchange: Exchange) -> &'static Slots {
    const AUTHENTICATION_OUT: &Slots = &Slots::new(&[
        Slot::one(PayloadType::IdApplicationClient),
        Slot::one(PayloadType::SaUsage),
        Slot::any(PayloadType::Certificate),
        Slot::any(PayloadType::CertificateRequest),
        Slot::optional(PayloadType::Notify),
        Slot::one(PayloadType::Authentication),
    ]);
    const AUTHENTICATION_IN: &Slots = &Slots::new(&[
        Slot::one(PayloadType::IdDeviceServer),
        Slot::one(PayloadType::SaUsage),
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
