//! CDBs (r3 6.29, 6.30, Tables A0, A1, D1; readings R35, R36) and protocol 00h.

use super::*;

const CDB: (u8, u8, u8) = (5, 0x24, 0x00);

#[test]
fn the_supported_list_has_ours_and_the_embedders() {
    let mut unit = Unit::new(|builder| builder.other_protocols(&[0x20, 0xEF, 0x20]));
    let list = [0xA2, 0, 0, 0, 0, 0, 0, 0, 0x02, 0, 0, 0];
    assert_eq!(unit.send(A, &list, &[]).1, [0, 0, 0, 0, 0, 0, 0, 5, 0x00, 0x20, 0x40, 0x41, 0xEF]);
    let certificate = [0xA2, 0, 0, 1, 0, 0, 0, 0, 0x02, 0, 0, 0];
    assert_eq!(unit.send(A, &certificate, &[]).1, [0, 0, 0, 0]);
}

/// Reading R35: shorter than the data, it truncates it; zero is no error.
#[test]
fn the_allocation_length_cuts_data_in() {
    let mut unit = Unit::new(|builder| builder);
    let capabilities = |length: u8| [0xA2, 0x40, 0x01, 0x01, 0, 0, 0, 0, 0, length, 0, 0];
    let whole = unit.send(A, &[0xA2, 0x40, 0x01, 0x01, 0, 0, 0, 0, 0x40, 0, 0, 0], &[]).1;
    for length in [0, 1, 12, 200] {
        let (reply, data) = unit.send(A, &capabilities(length), &[]);
        assert_eq!(reply, Reply::Good { len: usize::from(length) });
        assert_eq!(data, whole[..usize::from(length)]);
    }
    assert_eq!(unit.told(), vec![(Some(A), EventKind::CapabilitiesRead); 5]);
}

#[test]
fn specific_values_that_are_not_served() {
    let mut unit = Unit::new(|builder| builder);
    let mut served = Vec::new();
    for (operation, protocol) in [(0xA2, 0x00), (0xA2, 0x40), (0xA2, 0x41), (0xB5, 0x41)] {
        for specific in 0..=u16::MAX {
            let [s0, s1] = specific.to_be_bytes();
            let cdb = [operation, protocol, s0, s1, 0, 0, 0, 0, 0, 0, 0, 0];
            match unit.send(A, &cdb, &[]).0 {
                Reply::CheckCondition(sense) if codes(&sense) == CDB => assert_eq!(sense.specific, in_cdb(2)),
                _ => served.push((operation, protocol, specific)),
            }
        }
    }
    let expected = [
        (0xA2, 0x00, 0x0000),
        (0xA2, 0x00, 0x0001),
        (0xA2, 0x40, 0x0101),
        (0xA2, 0x41, 0x0102),
        (0xA2, 0x41, 0x0103),
        (0xB5, 0x41, 0x0102),
        (0xB5, 0x41, 0x0103),
        (0xB5, 0x41, 0x0104),
    ];
    assert_eq!(served, expected);
}

#[test]
fn protocols_that_are_not_served() {
    let mut unit = Unit::new(|builder| builder.other_protocols(&[0x20]));
    for operation in [0xA2, 0xB5] {
        for protocol in 0..=u8::MAX {
            let own: &[u8] = if operation == 0xA2 { &[0x00, 0x40, 0x41] } else { &[0x41] };
            if own.contains(&protocol) {
                continue;
            }
            let sense = unit.refused(A, &[operation, protocol, 0x01, 0x01, 0, 0, 0, 0, 0, 0, 0, 0], &[]);
            assert_eq!((codes(&sense), sense.specific), (CDB, in_cdb(1)), "{operation:x} {protocol:x}");
        }
    }
}

#[test]
fn inc_512_and_other_operation_codes() {
    let mut unit = Unit::new(|builder| builder);
    for mut cdb in [KEY_EXCHANGE_IN, out(2, 0), [0xA2, 0x40, 1, 1, 0, 0, 0, 0, 0, 9, 0, 0]] {
        cdb[4] = 0x80;
        let sense = unit.refused(A, &cdb, &[]);
        let bit = SenseKeySpecific::Field { in_cdb: true, byte: 4, bit: Some(7) };
        assert_eq!((codes(&sense), sense.specific), (CDB, bit));
        // Reserved bits and bytes are ignored (reading R7): the sequence is what is wrong then.
        (cdb[4], cdb[5], cdb[10], cdb[11]) = (0x7F, 0xFF, 0xFF, 0xFF);
        assert!(!matches!(unit.send(A, &cdb, &[]).0, Reply::CheckCondition(sense) if codes(&sense) == CDB));
    }
    for cdb in [&[0x12, 0, 0, 0, 36, 0, 0, 0, 0, 0, 0, 0][..], &KEY_EXCHANGE_IN[..11], &[]] {
        let sense = unit.refused(A, cdb, &[]);
        assert_eq!((codes(&sense), sense.specific), ((5, 0x20, 0x00), in_cdb(0)));
    }
}

/// r3 5.13.6 b and reading R36: 16 384 bytes are taken, more is INVALID FIELD IN CDB at TRANSFER LENGTH.
#[test]
fn the_transfer_length_is_bounded() {
    let mut unit = Unit::new(|builder| builder);
    let mut cdb = out(2, 16_384);
    assert_eq!(codes(&unit.refused(A, &cdb, &vec![0; 16_384])), VALUE);
    cdb[9] = 1;
    let sense = unit.refused(A, &cdb, &vec![0; 16_385]);
    assert_eq!((codes(&sense), sense.specific), (CDB, in_cdb(6)));
}

/// Readings R36, R39.
#[test]
fn lists_without_a_header() {
    let mut unit = Unit::new(|builder| builder);
    for length in 0..28 {
        let sense = unit.refused(A, &out(2, length), &vec![0xEE; length]);
        assert_eq!((codes(&sense), sense.specific), (VALUE, in_cdb(6)), "{length} bytes");
    }
}

#[test]
fn sense_codes_are_the_profiles() {
    let profile = Profile { sense_codes: ikev2_scsi::SenseCodes::Assigned, ..Default::default() };
    let mut unit = Unit::new(|builder| builder.profile(profile));
    assert_eq!(codes(&unit.refused(A, &out(2, 8), &[0; 8])), (5, 0x74, 0x10));
}
