//! ESP-SCSI through the device server (SPC-4 5.14.7): sense data, inactivity timers, the end of an association, and that a
//! refusal changes nothing.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use super::{provider, snapshot::Snapshot};
use crate::crypto::{Cipher, Identity, MemoryKeys, Purpose, Random, RandomError, Secret};
use crate::dialect::Profile;
use crate::esp::{EspScsi, Flow, Form, Place, TAPE_DATA_ENCRYPTION};
use crate::keys::{MgmtData, SaBlock, SaBytes, SaParameters, UsageAlgorithms};
use crate::sa::{SaId, SecurityAssociation};
use crate::sense::{Sense, SenseKey, SenseKeySpecific};
use crate::server::{DeviceServer, EspCommand, EventKind, RemovalReason};
use crate::time::Instant;
use crate::wire::Sai;

const DATA: &[u8] = b"the key of a tape, 32 bytes long";
const LAST: u64 = u64::MAX;
/// Where the descriptor stands in the parameter list.
const AT: usize = 20;
const ID: SaId = SaId { ac_sai: Sai(0x1111_1111), ds_sai: Sai(0x2222_2222) };

struct Same(u8);

impl Random for Same {
    fn fill(&mut self, _: Purpose, out: &mut [u8]) -> Result<(), RandomError> {
        if self.0 == 0 {
            return Err(RandomError);
        }
        out.fill(self.0);
        Ok(())
    }
}

/// AES-CBC with HMAC-SHA1-96, or AES-GCM.
pub(super) fn parameters(combined: bool, last: u64) -> SaParameters {
    let (encr, integ, length) = if combined { (0x8001_0014, 0xF003_0001, 40) } else { (0x8001_000C, 0x8003_0002, 72) };
    let keymat: Vec<u8> = (0..length).collect();
    SaParameters {
        ac_sai: ID.ac_sai,
        ds_sai: ID.ds_sai,
        timeout: 10,
        ac_sqn: last,
        ds_sqn: last,
        kdf_id: 0x8002_0002,
        usage_type: TAPE_DATA_ENCRYPTION,
        usage_algorithms: Some(UsageAlgorithms { encr, key_length: 16, integ }),
        mgmt_data: MgmtData { encr, key_length: 16, integ, next_message_id: 2 },
        block: SaBlock::new(&SaBytes { keymat: &keymat, ..SaBytes::default() }).unwrap(),
    }
}

fn at(milliseconds: u64) -> Instant {
    Instant::from_millis(milliseconds)
}

fn server(combined: bool, last: u64) -> DeviceServer {
    let mut keys = MemoryKeys::new();
    keys.set_own(Secret::copy_of(b"device")).unwrap();
    let builder = DeviceServer::builder(provider::provider()).identity(Identity::key_id(b"drive"));
    let mut server = builder.preshared_keys(Arc::new(keys)).build().unwrap();
    server.setting.profile = Profile::SPC4;
    server
        .sas
        .insert(SecurityAssociation { parameters: parameters(combined, last), application_client: None }, at(0))
        .unwrap();
    server
}

const COMMAND: EspCommand<'_> =
    EspCommand { usage_types: &[TAPE_DATA_ENCRYPTION], form: Form::WithLength, place: Place::ParameterList(AT) };

fn esp() -> EspScsi<'static> {
    EspScsi::new(Profile::SPC4, provider::provider(), COMMAND.usage_types)
}

/// What an application client sends after `last`.
fn descriptor(combined: bool, last: u64) -> Vec<u8> {
    let mut sa = parameters(combined, last);
    esp().build(Flow::Out, &mut sa, DATA, COMMAND.form, &mut Same(3)).unwrap().descriptor
}

fn invalid_field(byte: usize) -> Sense {
    let specific = SenseKeySpecific::Field { in_cdb: false, byte: byte.try_into().unwrap(), bit: None };
    Sense { key: SenseKey::IllegalRequest, asc: crate::dialect::Asc::new(0x26, 0x00), specific }
}

/// The sense data of a refusal that changes nothing.
fn refused(server: &mut DeviceServer, bytes: &[u8], command: EspCommand<'_>, now: Instant) -> Sense {
    server.expire(now);
    let before = Snapshot::of(server);
    let sense = server.open_data_out(&mut bytes.to_vec(), command, now).map(|_| ()).unwrap_err();
    assert!(Snapshot::of(server) == before, "{sense}");
    sense
}

#[test]
fn data_go_both_ways_and_restart_the_timer() {
    for combined in [false, true] {
        let mut server = server(combined, 1);
        let mut client = parameters(combined, 1);
        for round in 1..6 {
            let now = at(round * 9_000);
            let mut list = esp().build(Flow::Out, &mut client, DATA, COMMAND.form, &mut Same(3)).unwrap().descriptor;
            let opened = server.open_data_out(&mut list, COMMAND, now).unwrap();
            assert_eq!((opened.id, opened.length, opened.sa_removed), (ID, list.len(), false));
            assert_eq!(&list[opened.data], DATA);
            assert_eq!(server.next_deadline().unwrap().at, now.after_seconds(10));
            let later = at(round * 9_000 + 500);
            let mut answer = server.build_data_in(ID, b"status", COMMAND, later, &mut Same(4)).unwrap();
            let opened = esp().open(Flow::In, &mut client, &mut answer, COMMAND.form).unwrap();
            assert_eq!(&answer[opened.data], b"status");
            assert_eq!(server.next_deadline().unwrap().at, later.after_seconds(10));
        }
        assert_eq!(server.sas().get(ID).unwrap().parameters, client);
        assert_eq!((client.ac_sqn, client.ds_sqn), (6, 6));
        assert_eq!(server.poll_event(), None);
    }
}

#[test]
fn an_association_that_ran_out_is_unknown() {
    let mut server = server(true, 1);
    let sense = server.open_data_out(&mut descriptor(true, 1), COMMAND, at(10_000)).map(|_| ()).unwrap_err();
    assert_eq!(sense, invalid_field(AT + 4));
    let EventKind::SaRemoved { id, why } = server.poll_event().unwrap().kind else { panic!() };
    assert_eq!((id, why), (ID, RemovalReason::Inactivity));
    assert_eq!(server.build_data_in(ID, DATA, COMMAND, at(10_000), &mut Same(4)), Err(invalid_field(AT)));
}

#[test]
fn a_replay_is_refused_and_leaves_the_timer_alone() {
    let mut server = server(true, 1);
    let sent = descriptor(true, 1);
    assert!(server.open_data_out(&mut sent.clone(), COMMAND, at(1_000)).is_ok());
    assert_eq!(refused(&mut server, &sent, COMMAND, at(5_000)), invalid_field(AT + 8));
    assert_eq!(server.next_deadline().unwrap().at, at(11_000));
    for (last, taken) in [(1, false), (2, true), (34, true), (67, false), (LAST - 1, false)] {
        let mut bytes = descriptor(true, last);
        if taken {
            assert!(server.open_data_out(&mut bytes, COMMAND, at(6_000)).is_ok(), "{last}");
        } else {
            assert_eq!(refused(&mut server, &bytes, COMMAND, at(6_000)), invalid_field(AT + 8), "{last}");
        }
    }
    let mut zero = sent;
    zero[8..16].fill(0);
    assert_eq!(refused(&mut server, &zero, COMMAND, at(7_000)), invalid_field(AT + 8));
}

#[test]
fn whatever_is_changed_changes_nothing() {
    for combined in [false, true] {
        let mut server = server(combined, 1);
        let sent = descriptor(combined, 1);
        let icv_at = sent.len() - if combined { 16 } else { 12 };
        for length in 0..sent.len() {
            assert_eq!(refused(&mut server, &sent[..length], COMMAND, at(1)), invalid_field(AT));
        }
        for bit in (0..sent.len() * 8).filter(|bit| !(16..32).contains(bit)) {
            let mut changed = sent.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let sense = refused(&mut server, &changed, COMMAND, at(1));
            let pointers = match bit / 8 {
                0..2 => [AT, AT + icv_at],
                4..8 => [AT + 4, AT + 4],
                8..16 => [AT + 8, AT + icv_at],
                _ => [AT + icv_at, AT + icv_at],
            };
            // A length that is shorter moves the ICV.
            let SenseKeySpecific::Field { byte, .. } = sense.specific else { panic!("{sense}") };
            assert_eq!(sense, invalid_field(byte.into()));
            assert!(bit < 16 || pointers.map(invalid_field).contains(&sense), "bit {bit}: {sense}");
        }
        assert!(server.open_data_out(&mut sent.clone(), COMMAND, at(2)).is_ok());
    }
}

/// What only the application client can have sent has used up its number (SPC-4 5.14.7.4.2).
#[test]
fn wrong_padding_is_a_use() {
    for (plain, last) in [([&[7; 14][..], &[1, 0]].concat(), 1), ([&[7; 14][..], &[0, 9]].concat(), LAST - 1)] {
        let mut server = server(true, last);
        let client = parameters(true, last);
        let sequence = last + 1;
        let head = [&0x2222_2222_u32.to_be_bytes()[..], &sequence.to_be_bytes()].concat();
        let (mut text, mut icv, iv) = (plain.clone(), [0; 16], [5; 8]);
        let cipher: &dyn Cipher = provider::AES_GCM_16;
        cipher.seal(&client.keymat()[..20], &iv, &head, &mut text, &mut icv).unwrap();
        let mut bytes = [&[0, 54, 0, 0][..], &head, &iv, &text, &icv].concat();
        assert_eq!(bytes.len(), 56);
        let sent = bytes.clone();
        let sense = server.open_data_out(&mut bytes, COMMAND, at(3_000)).map(|_| ()).unwrap_err();
        assert_eq!(sense, invalid_field(AT + 16 + 8 + plain.len() - 1));
        assert!(!bytes.windows(8).any(|window| window == [7; 8]), "ignored data are wiped");
        if sequence == LAST {
            let EventKind::SaRemoved { why, .. } = server.poll_event().unwrap().kind else { panic!() };
            assert_eq!((why, server.sas().len()), (RemovalReason::SequenceNumbers, 0));
            continue;
        }
        assert_eq!(server.sas().get(ID).unwrap().parameters.ds_sqn, sequence);
        assert_eq!(server.next_deadline().unwrap().at, at(13_000));
        assert_eq!(refused(&mut server, &sent, COMMAND, at(3_000)), invalid_field(AT + 8));
    }
}

#[test]
fn the_last_number_ends_the_association() {
    let gone = |server: &mut DeviceServer| {
        let event = server.poll_event().unwrap();
        assert_eq!(event.kind, EventKind::SaRemoved { id: ID, why: RemovalReason::SequenceNumbers });
        assert_eq!(alloc::format!("{event}").split(": ").last(), Some("no sequence number left"));
        assert!(server.sas().is_empty() && server.next_deadline().is_none());
        assert_eq!(refused(server, &descriptor(false, LAST - 1), COMMAND, at(2)), invalid_field(AT + 4));
        assert_eq!(server.build_data_in(ID, DATA, COMMAND, at(2), &mut Same(4)), Err(invalid_field(AT)));
    };
    let mut receiver = server(false, LAST - 1);
    let mut bytes = descriptor(false, LAST - 1);
    let opened = receiver.open_data_out(&mut bytes, COMMAND, at(1)).unwrap();
    assert!(opened.sa_removed);
    assert_eq!(&bytes[opened.data], DATA);
    gone(&mut receiver);
    let mut sender = server(false, LAST - 1);
    let mut answer = sender.build_data_in(ID, DATA, COMMAND, at(1), &mut Same(4)).unwrap();
    assert!(esp().open(Flow::In, &mut parameters(false, LAST - 1), &mut answer, COMMAND.form).unwrap().is_last);
    gone(&mut sender);
}

#[test]
fn what_is_not_known_is_refused_where_it_is_named() {
    let mut server = server(true, 1);
    let mut unknown = descriptor(true, 1);
    unknown[7] ^= 1;
    assert_eq!(refused(&mut server, &unknown, COMMAND, at(1)), invalid_field(AT + 4));
    let others =
        [SaId { ac_sai: Sai(9), ..ID }, SaId { ds_sai: Sai(9), ..ID }, SaId { ac_sai: ID.ds_sai, ds_sai: ID.ac_sai }];
    for id in others {
        let before = Snapshot::of(&server);
        assert_eq!(server.build_data_in(id, DATA, COMMAND, at(1), &mut Same(4)), Err(invalid_field(AT)));
        assert_eq!(server.sa_of_request(id, COMMAND.place, at(1)).map(|_| ()), Err(invalid_field(AT)));
        assert!(Snapshot::of(&server) == before);
    }
    assert_eq!(server.sa_of_request(ID, COMMAND.place, at(1)).unwrap().id(), ID);
}

/// In a CDB the pointer is one into the CDB; both formats of sense data say so.
#[test]
fn a_descriptor_in_a_cdb_is_refused_there() {
    let mut server = server(true, 1);
    let in_cdb = EspCommand { place: Place::Cdb(28), ..COMMAND };
    let mut changed = descriptor(true, 1);
    *changed.last_mut().unwrap() ^= 1;
    let sense = refused(&mut server, &changed, in_cdb, at(1));
    let icv_at = u8::try_from(28 + changed.len() - 16).unwrap();
    let bytes = sense.to_fixed();
    assert_eq!(
        (bytes.as_ref()[2], &bytes.as_ref()[12..14], &bytes.as_ref()[15..]),
        (5, &[0x24, 0][..], &[0xC0, 0, icv_at][..])
    );
    let unknown = server.build_data_in(SaId { ac_sai: Sai(9), ..ID }, DATA, in_cdb, at(1), &mut Same(4)).unwrap_err();
    assert_eq!(&unknown.to_descriptor().as_ref()[1..4], [5, 0x24, 0]);
    assert_eq!(&unknown.to_descriptor().as_ref()[12..15], [0xC0, 0, 28]);
    let mut far = COMMAND;
    far.place = Place::ParameterList(usize::MAX);
    assert_eq!(refused(&mut server, &changed, far, at(1)), invalid_field(0xFFFF));
}

#[test]
fn an_association_for_another_use_is_refused() {
    let mut server = server(true, 1);
    let other = EspCommand { usage_types: &[crate::esp::CBCS], ..COMMAND };
    let sense = |byte| Sense { asc: crate::dialect::Asc::new(0x74, 0x12), ..invalid_field(byte) };
    assert_eq!(refused(&mut server, &descriptor(true, 1), other, at(1)), sense(AT + 4));
    assert_eq!(server.build_data_in(ID, DATA, other, at(1), &mut Same(4)), Err(sense(AT)));
    assert_eq!(server.sas().get(ID).unwrap().parameters, parameters(true, 1));
}

#[test]
fn failures_inside_change_nothing() {
    let failure = |sense: Sense| (sense.key, sense.asc, sense.specific);
    let hardware = (SenseKey::HardwareError, crate::dialect::Asc::new(0x44, 0), SenseKeySpecific::None);
    let mut server = server(false, 1);
    let before = Snapshot::of(&server);
    let failed = server.build_data_in(ID, DATA, COMMAND, at(0), &mut Same(0));
    assert_eq!(failed.map_err(failure), Err(hardware));
    let failed = server.build_data_in(ID, &vec![0; 70_000], COMMAND, at(0), &mut Same(4));
    assert_eq!(failed.map_err(failure), Err(hardware));
    server.setting.provider.ciphers = &[];
    let failed = server.open_data_out(&mut descriptor(false, 1), COMMAND, at(0)).map(|_| ());
    assert_eq!(failed.map_err(failure), Err(hardware));
    server.setting.provider.ciphers = provider::provider().ciphers;
    let state = Snapshot::of(&server).state;
    assert!(state == before.state);
}
