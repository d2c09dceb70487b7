//! CDBs: r3 6.29, 6.30, Tables A0, A1 and D1. Parameter data of protocol 00h: SPC-4 r07 6.29.2.

use std::string::ToString;

use super::{bytes, check_emit, with};
use crate::wire::{
    Cdb, CertificateData, Direction, EmitError, Field, SupportedProtocols, WireError, WireErrorKind, Writer, protocol,
    specific,
};

/// SECURITY PROTOCOL IN, 40h, 0101h, ALLOCATION LENGTH 16 384.
const IN: &str = "a2 40 0101 00 00 00004000 00 00";
/// SECURITY PROTOCOL OUT, 41h, 0102h, TRANSFER LENGTH 420.
const OUT: &str = "b5 41 0102 00 00 000001a4 00 00";

#[test]
fn parses() {
    assert_eq!(Cdb::parse(&bytes(IN)), Ok(Cdb::new(Direction::In, 0x40, 0x0101, 16_384)));
    assert_eq!(Cdb::parse(&bytes(OUT)), Ok(Cdb::new(Direction::Out, 0x41, 0x0102, 420)));
}

#[test]
fn emits() {
    let capabilities = Cdb::new(Direction::In, protocol::SA_CREATION_CAPABILITIES, specific::CAPABILITIES, 16_384);
    assert_eq!(capabilities.to_bytes()[..], bytes(IN));
    let key_exchange = Cdb::new(Direction::Out, protocol::IKEV2_SCSI, specific::KEY_EXCHANGE, 420);
    assert_eq!(key_exchange.to_bytes()[..], bytes(OUT));
    let all = Cdb { inc_512: true, control: 0xC4, ..Cdb::new(Direction::In, 0xEF, 0xFEDC, u32::MAX) };
    assert_eq!(all.to_bytes()[..], bytes("a2 ef fedc 80 00 ffffffff 00 c4"));
}

#[test]
fn field_by_field() {
    let plain = Cdb::new(Direction::Out, 0x41, 0x0102, 420);
    let changed = |at, value| Cdb::parse(&with(&bytes(OUT), at, value)).unwrap();
    assert_eq!(changed(1, 0xEE), Cdb { protocol: 0xEE, ..plain });
    assert_eq!(changed(2, 0xF0), Cdb { specific: 0xF002, ..plain });
    assert_eq!(changed(3, 0x04), Cdb { specific: 0x0104, ..plain });
    assert_eq!(changed(4, 0x80), Cdb { inc_512: true, ..plain });
    assert_eq!(changed(6, 0x12), Cdb { length: 0x1200_01A4, ..plain });
    assert_eq!(changed(9, 0xFF), Cdb { length: 0x1FF, ..plain });
    assert_eq!(changed(11, 0x04), Cdb { control: 0x04, ..plain });
    // Reserved bits and bytes (reading R7).
    for (at, value) in [(4, 0x7F), (5, 0xFF), (10, 0xFF)] {
        assert_eq!(changed(at, value), plain);
    }
    // A CDB in a field that is longer than it.
    assert_eq!(Cdb::parse(&[&bytes(OUT)[..], &[0xFF; 4]].concat()), Ok(plain));
}

/// The combinations that r3 Tables A0, A1 and D1 define.
#[test]
fn purposes_are_those_of_the_tables() {
    let defined = [
        (Direction::In, 0x00, 0x0000, "supported security protocol list"),
        (Direction::In, 0x00, 0x0001, "certificate data"),
        (Direction::In, 0x40, 0x0101, "IKEv2-SCSI Device Server Capabilities phase"),
        (Direction::In, 0x41, 0x0102, "IKEv2-SCSI Key Exchange phase"),
        (Direction::In, 0x41, 0x0103, "IKEv2-SCSI Authentication phase"),
        (Direction::Out, 0x41, 0x0102, "IKEv2-SCSI Key Exchange phase"),
        (Direction::Out, 0x41, 0x0103, "IKEv2-SCSI Authentication phase"),
        (Direction::Out, 0x41, 0x0104, "IKEv2-SCSI Delete"),
    ];
    for direction in [Direction::In, Direction::Out] {
        for protocol in [0x00, 0x01, 0x20, 0x3F, 0x40, 0x41, 0x42, 0xFF] {
            for specific in [0x0000, 0x0001, 0x0002, 0x0100, 0x0101, 0x0102, 0x0103, 0x0104, 0x0105, 0xF000, 0xFFFF] {
                let known = defined.iter().find(|d| (d.0, d.1, d.2) == (direction, protocol, specific));
                let purpose = Cdb::new(direction, protocol, specific, 0).purpose();
                assert_eq!(purpose, known.map_or("not defined by r3", |d| d.3));
            }
        }
    }
}

#[test]
fn prints() {
    let text = Cdb::parse(&bytes(IN)).unwrap().to_string();
    let expected = "SECURITY PROTOCOL IN: IKEv2-SCSI Device Server Capabilities phase, SECURITY PROTOCOL 40h, \
                    SECURITY PROTOCOL SPECIFIC 0101h, INC_512 0, ALLOCATION LENGTH 16384";
    assert_eq!(text, expected);
    let text = Cdb { inc_512: true, ..Cdb::new(Direction::Out, 0x41, 0x0105, 1) }.to_string();
    let expected = "SECURITY PROTOCOL OUT: not defined by r3, SECURITY PROTOCOL 41h, \
                    SECURITY PROTOCOL SPECIFIC 0105h, INC_512 1, TRANSFER LENGTH 1";
    assert_eq!(text, expected);
}

#[test]
fn refuses() {
    let fault = |kind| WireError { byte: 0, bit: None, field: Field::OperationCode, kind };
    for operation in (0..=u8::MAX).filter(|operation| ![0xA2, 0xB5].contains(operation)) {
        assert_eq!(Cdb::parse(&with(&bytes(IN), 0, operation)), Err(fault(WireErrorKind::Invalid)));
    }
    for length in 0..12 {
        assert_eq!(Cdb::parse(&bytes(IN)[..length]), Err(fault(WireErrorKind::Length)), "{length} bytes");
    }
}

/// Six reserved bytes, a length of 3, the list.
const LIST: &str = "000000000000 0003 00 40 41";

#[test]
fn supported_protocols_parse() {
    assert_eq!(SupportedProtocols::parse(&bytes(LIST)), Ok(SupportedProtocols { protocols: &[0x00, 0x40, 0x41] }));
}

#[test]
fn supported_protocols_emit() {
    let list = SupportedProtocols { protocols: &[0x00, 0x40, 0x41] };
    assert_eq!(list.len(), 11);
    check_emit(&bytes(LIST), |writer| list.emit(writer));
    assert_eq!(list.to_string(), "Supported security protocol list: 00h 40h 41h");
}

#[test]
fn supported_protocols_field_by_field() {
    // Reserved bytes are ignored (reading R7), pad bytes behind the list too.
    let padded = bytes("ffffffffffff 0001 00 0000000000");
    assert_eq!(SupportedProtocols::parse(&padded), Ok(SupportedProtocols { protocols: &[0] }));
    let none = SupportedProtocols::parse(&[0; 8]).unwrap();
    assert!(none.is_empty());
    assert!(!SupportedProtocols { protocols: &[0] }.is_empty());
}

#[test]
fn supported_protocols_refuse() {
    let wrong = WireError { byte: 6, bit: None, field: Field::Length, kind: WireErrorKind::Length };
    let data = bytes(LIST);
    for length in 0..data.len() {
        assert_eq!(SupportedProtocols::parse(&data[..length]), Err(wrong), "{length} bytes");
    }
    assert_eq!(SupportedProtocols::parse(&with(&data, 6, 1)), Err(wrong));
    let long = SupportedProtocols { protocols: &[0; 65_536] };
    assert_eq!(long.emit(&mut Writer::new(&mut [0; 70_000])), Err(EmitError::TooLong));
}

/// Two reserved bytes, a length of 4, the certificate.
const CERTIFICATE: &str = "0000 0004 30820102";

#[test]
fn certificate_data_parse() {
    let data = bytes(CERTIFICATE);
    assert_eq!(CertificateData::parse(&data), Ok(CertificateData { certificate: &[0x30, 0x82, 1, 2] }));
}

#[test]
fn certificate_data_emit() {
    let data = CertificateData { certificate: &[0x30, 0x82, 1, 2] };
    assert_eq!(data.len(), 8);
    check_emit(&bytes(CERTIFICATE), |writer| data.emit(writer));
    assert_eq!(data.to_string(), "Certificate data: 4 bytes");
}

#[test]
fn certificate_data_field_by_field() {
    let padded = bytes("ffff 0001 30 000000");
    assert_eq!(CertificateData::parse(&padded), Ok(CertificateData { certificate: &[0x30] }));
    assert!(CertificateData::parse(&[0; 4]).unwrap().is_empty());
    assert!(!CertificateData { certificate: &[0x30] }.is_empty());
}

#[test]
fn certificate_data_refuse() {
    let wrong = WireError { byte: 2, bit: None, field: Field::Length, kind: WireErrorKind::Length };
    let data = bytes(CERTIFICATE);
    for length in 0..data.len() {
        assert_eq!(CertificateData::parse(&data[..length]), Err(wrong), "{length} bytes");
    }
    assert_eq!(CertificateData::parse(&with(&data, 2, 1)), Err(wrong));
    let long = CertificateData { certificate: &[0; 65_536] };
    assert_eq!(long.emit(&mut Writer::new(&mut [0; 70_000])), Err(EmitError::TooLong));
}
