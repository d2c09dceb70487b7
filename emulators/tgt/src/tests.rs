//! The plugin in a tgtd of ours: handlers, held commands, nexuses, resets, layouts.
#![allow(clippy::arithmetic_side_effects, reason = "a test may panic")]

use std::sync::Arc;

use ikev2_scsi::client::{ApplicationClient, ClientConfig, Command, Outcome, Status, delete};
use ikev2_scsi::keys::SaParameters;
use ikev2_scsi::provider;
use ikev2_scsi_provisioning::{Provisioning, SystemRandom};

use crate::abi;
use crate::fake::{Ended, Unit, logged, ring_all};

const SERVER: &str = r#"
    [own]
    identity = { type = "key_id", text = "drive-9" }
    preshared_key = { text = "key of drive-9" }
    [[peer]]
    identity = { type = "key_id", text = "host-1" }
    preshared_key = { text = "key of host-1" }
"#;
const CLIENT: &str = r#"
    [own]
    identity = { type = "key_id", text = "host-1" }
    preshared_key = { text = "key of host-1" }
    [[peer]]
    identity = { type = "key_id", text = "drive-9" }
    preshared_key = { text = "key of drive-9" }
    [preferences]
    group = ["ecp-256"]
"#;
const PROTOCOLS: [u8; 12] = [0xA2, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0];
const ROOM: u32 = 16_384;

fn client() -> Arc<ClientConfig> {
    let provisioning = Provisioning::from_toml(CLIENT, ".").unwrap();
    Arc::new(provisioning.application_client(provider::provider()).unwrap().build().unwrap())
}

fn execute(unit: &Unit, nexus: u64, command: &Command) -> Ended {
    let mut data_out = command.data_out.to_vec();
    let room = if data_out.is_empty() { ROOM } else { 0 };
    unit.command(nexus, &command.cdb.to_bytes(), &mut data_out, room)
}

/// Commands until the association, or until there were `most`; and how many of them were held.
fn exchange(unit: &Unit, nexus: u64, most: usize) -> (Option<SaParameters>, usize) {
    let mut client = ApplicationClient::new(client());
    let (mut commands, mut held) = (0, 0);
    while commands < most {
        let ended = execute(unit, nexus, &client.next_command(&mut SystemRandom).unwrap());
        held += usize::from(ended.was_held);
        let status =
            if ended.status == 0 { Status::Good(&ended.data_in) } else { Status::CheckCondition(&ended.sense) };
        match client.reply(status).unwrap() {
            Outcome::Continue => commands += 1,
            Outcome::SendAgain(_) => ring_all(),
            Outcome::Established(sa) => return (Some(*sa), held),
        }
    }
    (None, held)
}

fn remove(unit: &Unit, nexus: u64, sa: SaParameters) -> Ended {
    execute(unit, nexus, &delete(&client(), sa, &mut SystemRandom).unwrap())
}

#[test]
fn a_command_that_needs_a_calculation_is_held_until_it_is_done() {
    let mut unit = Unit::new("held", SERVER, "threads=2");
    unit.login(7);
    let (sa, held) = exchange(&unit, 7, usize::MAX);
    // Authentication OUT and authentication IN.
    assert_eq!(held, 2);
    assert_eq!((logged("nexus 7: SA"), logged(" for KeyId \"host-1\", 1 now")), (1, 1));
    let ended = remove(&unit, 7, sa.unwrap());
    assert_eq!((ended.status, ended.was_held), (0, false));
    assert_eq!(logged("removed: Delete, 0 left"), 1);
}

#[test]
fn nothing_is_held_where_the_calculations_are_done_at_once() {
    let mut unit = Unit::new("inline", SERVER, "crypto=inline");
    unit.login(7);
    assert!(matches!(exchange(&unit, 7, usize::MAX), (Some(_), 0)));
}

#[test]
fn an_initiator_cannot_fill_a_log_of_associations() {
    for (option, reads) in [("log=all", 3), ("log=sas", 0)] {
        let mut unit = Unit::new(option, SERVER, option);
        unit.login(7);
        let begun = logged("sequence of");
        (0..3).for_each(|_| drop(unit.command(7, &[0xA2, 0x40, 1, 1, 0, 0, 0, 0, 64, 0, 0, 0], &mut [], ROOM)));
        assert!(exchange(&unit, 7, usize::MAX).0.is_some());
        // The exchange reads once.
        let told = (logged("capabilities read"), logged("sequence of") - begun, logged(" for KeyId \"host-1\", 1 now"));
        assert_eq!(told, if reads == 0 { (4, 0, 2) } else { (4, 1, 1) }, "{option}");
    }
}

#[test]
fn data_in_is_cut_and_sense_data_is_of_the_format_that_is_wanted() {
    for (sense, first) in [("fixed", 0x70), ("descriptor", 0x72)] {
        let mut unit = Unit::new(sense, &format!("sense = \"{sense}\"\n{SERVER}"), "");
        unit.login(1);
        let ended = unit.command(1, &PROTOCOLS, &mut [], 9);
        assert_eq!((ended.status, ended.data_in), (0, vec![0, 0, 0, 0, 0, 0, 0, 3, 0]));
        let ended = unit.command(1, &[0xA2, 0x41, 1, 2, 0, 0, 0, 0, 0, 64, 0, 0], &mut [], 64);
        assert_eq!((ended.status, ended.sense[0], ended.data_in.len()), (2, first, 0));
        // A CDB that is too short to be one.
        let ended = unit.command(1, &[0xA2, 0, 0, 0, 0, 0], &mut [], 64);
        assert_eq!((ended.status, ended.sense[0]), (2, first));
    }
}

#[test]
fn a_nexus_that_is_gone_takes_its_sequence_along() {
    const LINE: &str = "sequence dropped: I_T nexus loss";
    let mut unit = Unit::new("loss", SERVER, "");
    (1..=2).for_each(|nexus| unit.login(nexus));
    exchange(&unit, 1, 3);
    exchange(&unit, 2, 3);
    unit.logout(1);
    // A nexus that is known is no reason to look for those that are not, a new one is.
    unit.command(2, &PROTOCOLS, &mut [], 64);
    assert_eq!(logged(LINE), 0);
    unit.login(3);
    unit.command(3, &PROTOCOLS, &mut [], 64);
    assert_eq!(logged(LINE), 1);
    unit.logout(2);
    // The timer.
    ring_all();
    assert_eq!(logged(LINE), 2);
}

#[test]
fn a_reset_removes_everything_once() {
    let mut unit = Unit::new("reset", SERVER, "");
    (1..=2).for_each(|nexus| unit.login(nexus));
    let sa = exchange(&unit, 1, usize::MAX).0.unwrap();
    unit.command(2, &PROTOCOLS, &mut [], 64);
    unit.reset();
    unit.command(2, &PROTOCOLS, &mut [], 64);
    assert_eq!((logged("logical unit reset"), logged("removed: reset, 0 left")), (1, 1));
    assert_eq!(remove(&unit, 1, sa).status, 2);
    let sa = exchange(&unit, 2, usize::MAX).0.unwrap();
    assert_eq!(remove(&unit, 1, sa).status, 0);
    assert_eq!(logged("logical unit reset"), 1);
}

/// `layout.h` and `abi.rs` are one table: what a C compiler checks is what is compiled here.
#[test]
fn the_c_header_has_the_same_numbers() {
    let header = include_str!("../layout.h");
    let row = |line: &str| {
        let (kind, rest) = line.split_once('(')?;
        let words: Vec<&str> = rest.strip_suffix(')')?.split(", ").collect();
        let member = match kind {
            "SIZE" => "",
            "OFFSET" => *words.get(1)?,
            _ => return None,
        };
        Some((words[0].to_owned(), member.to_owned(), words.last()?.parse().ok()?))
    };
    let theirs: Vec<(String, String, usize)> = header.lines().filter_map(row).collect();
    let ours: Vec<_> =
        abi::LAYOUT.iter().map(|(kind, member, number)| ((*kind).into(), (*member).into(), *number)).collect();
    assert_eq!(theirs, ours);
}
