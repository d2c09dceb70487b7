//! What an initiator may expect: answers, residual counts, sense data, the commands that the plugin answers beside A2h and B5h.

use std::sync::Arc;

use ikev2_scsi::client::ClientConfig;

use crate::client::{Exchange, associate, config, execute, remove, task};
use crate::iscsi::{Answer, Result, Session, Task, security_protocol};
use crate::{Bench, Check, For, same};

const IN: u8 = 0xA2;
const OUT: u8 = 0xB5;
/// Security protocols, and what is specific to them.
const INFORMATION: u8 = 0x00;
const CAPABILITIES: u8 = 0x40;
const IKEV2: u8 = 0x41;
const KEY_EXCHANGE: u16 = 0x0102;

pub(crate) const CHECKS: &[Check] = &[
    ("the supported security protocols, and residual counts", For::All, protocols),
    ("the capabilities", For::All, capabilities),
    ("data-out that is too long, too short, or not what it should be", For::All, bad_data_out),
    ("an association with a shared key, and its Delete", For::All, shared_key),
    ("associations with certificates", For::All, certificates),
    ("REQUEST SENSE while a calculation runs", For::All, request_sense),
    ("PERSISTENT RESERVE OUT during a sequence", For::Disks, reserve),
    ("a reservation of another nexus is in the way", For::Disks, conflict),
    ("two logical units have nothing in common", For::All, two_units),
    ("commands that are not ours work as before", For::Disks, others),
];

pub(crate) fn session(bench: &Bench) -> Result<Session> {
    let mut session = Session::login(&bench.url)?;
    session.ready()?;
    Ok(session)
}

/// The client that the checks mostly use: fast, so that they are.
pub(crate) fn fast(bench: &Bench) -> Result<Arc<ClientConfig>> {
    config(
        &bench.provisioning,
        "\n[preferences]\ngroup = [\"ecp-256\"]\nauthentication = [\"shared-key\"]\nown_authentication = [\"shared-key\"]\n\
         protocol_timeout = 60\n",
    )
}

fn protocols(bench: &Bench) -> Result<()> {
    let mut session = session(bench)?;
    let list = [0, 0, 0, 0, 0, 0, 0, 3, 0x00, 0x40, 0x41];
    // ALLOCATION LENGTH, room of the initiator, bytes, residual count.
    for (allocation, room, len, residual) in
        [(64, 64, 11, 53), (11, 11, 11, 0), (8, 8, 8, 0), (64, 8, 8, -3), (8, 64, 8, 56), (8, 5, 5, -3)]
    {
        let cdb = security_protocol(IN, INFORMATION, 0, allocation);
        let answer = session.command(&Task::of(&cdb).room(room))?;
        let wanted = Answer { data_in: list[..len].to_vec(), residual, ..Answer::default() };
        same(&format!("allocation length {allocation}, room {room}"), &answer, &wanted)?;
    }
    // tgtd has no memory for an Expected Data Transfer Length of 2 GiB and more, and performs the command all the same.
    for expected in [1 << 31, (1 << 32) - 1] {
        let task = Task::of(&security_protocol(IN, INFORMATION, 0, 64)).room(64).expecting(expected);
        let answer = session.command(&task)?;
        same("room for too much", &(answer.status, answer.data_in.len()), &(0, 0))?;
    }
    let answer = session.command(&Task::of(&security_protocol(IN, INFORMATION, 0, 64)))?;
    same("no room at all", &(answer.status, answer.data_in.len()), &(0, 0))?;
    let answer = session.command(&Task::of(&security_protocol(IN, 0x20, 0, 64)).room(64))?;
    same("a protocol that is not there", &(answer.code(), answer.residual), &((5, 0x24, 0), 64))
}

fn capabilities(bench: &Bench) -> Result<()> {
    let mut session = session(bench)?;
    let answer = session.command(&Task::of(&security_protocol(IN, CAPABILITIES, 0x0101, 16_384)).room(16_384))?;
    let length = answer.data_in.get(..4).map(|bytes| u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
    same("their length", &length.map(|length| length as usize + 4), &Some(answer.data_in.len()))?;
    same("what the room had more", &answer.residual, &(16_384 - i64::try_from(answer.data_in.len())?))
}

fn bad_data_out(bench: &Bench) -> Result<()> {
    let mut session = session(bench)?;
    let long = vec![0; 1 << 20];
    let cdb = |length| security_protocol(OUT, IKEV2, KEY_EXCHANGE, length);
    // TRANSFER LENGTH, Data-Out, Expected Data Transfer Length, sense key.
    for (transfer, out, expected, key) in [
        (1 << 20, &long[..], None, 5),
        (u32::MAX, &long[..100], None, 5),
        (16_384, &long[..16_384], None, 5),
        (16_384, &long[..300_000], None, 5),
        (600, &long[..16], None, 5),
        (16, &long[..600], None, 5),
        (600, &long[..0], Some(0), 5),
    ] {
        let base = Task::of(&cdb(transfer)).out(out);
        let answer = session.command(&expected.map_or_else(|| base.clone(), |bytes| base.clone().expecting(bytes)))?;
        same(
            &format!("transfer length {transfer}, {} bytes", out.len()),
            &(answer.status, answer.code().0),
            &(2, key),
        )?;
        // tgtd counts with 32 bits and a sign.
        let residual = (i64::try_from(out.len())? - i64::from(transfer)).max(i64::from(i32::MIN));
        if !out.is_empty() {
            same("its residual count", &answer.residual, &residual)?;
        }
    }
    // Data in the wrong direction.
    let answer = session.command(&Task::of(&cdb(64)).room(64))?;
    same("Data-Out that comes in", &answer.status, &2)?;
    let answer = session.command(&Task::of(&security_protocol(IN, INFORMATION, 0, 64)).out(&long[..64]))?;
    same("Data-In that goes out", &answer.status, &0)
}

fn shared_key(bench: &Bench) -> Result<()> {
    let config = config(
        &bench.provisioning,
        "\n[preferences]\nauthentication = [\"shared-key\"]\nown_authentication = [\"shared-key\"]\n",
    )?;
    let mut session = session(bench)?;
    let first = associate(&mut session, &config)?;
    let second = associate(&mut session, &config)?;
    same("two SAIs are one", &(first.ds_sai == second.ds_sai), &false)?;
    same("Delete", &remove(&mut session, &config, first)?.code(), &(0, 0, 0))?;
    // On another nexus, as r3 5.13.5 has it.
    let mut other = crate::rules::session(bench)?;
    same("Delete of the other", &remove(&mut other, &config, second)?.code(), &(0, 0, 0))
}

fn certificates(bench: &Bench) -> Result<()> {
    for (method, own) in
        [("rsa", "rsa"), ("ecdsa-256", "ecdsa-256"), ("ecdsa-521", "ecdsa-521"), ("ecdsa-256", "shared-key")]
    {
        let preferences = format!(
            "\n[preferences]\ngroup = [\"ecp-256\"]\nauthentication = [\"{method}\"]\nown_authentication = [\"{own}\"]\n"
        );
        let config = config(&bench.provisioning, &preferences)?;
        let mut session = session(bench)?;
        let sa = associate(&mut session, &config).map_err(|why| format!("{method} and {own}: {why}"))?;
        same("Delete", &remove(&mut session, &config, sa)?.code(), &(0, 0, 0))?;
    }
    Ok(())
}

/// A group that takes long enough to be asked about.
pub(crate) fn slow(bench: &Bench) -> Result<Arc<ClientConfig>> {
    config(
        &bench.provisioning,
        "\n[preferences]\ngroup = [\"modp-4096\"]\nauthentication = [\"shared-key\"]\nown_authentication = [\"shared-key\"]\n",
    )
}

fn request_sense(bench: &Bench) -> Result<()> {
    let config = slow(bench)?;
    let mut session = session(bench)?;
    let idle = session.command(&Task::of(&[3, 0, 0, 0, 18, 0]).room(18))?;
    same("without a sequence", &idle.data_in[..3].to_vec(), &vec![0x70, 0, 0])?;
    let mut exchange = Exchange::new(&config);
    let command = exchange.up_to(&mut session, 1)?;
    let key_exchange = session.start(&task(&command))?;
    let fixed = session.start(&Task::of(&[3, 0, 0, 0, 252, 0]).room(252))?;
    let descriptors = session.start(&Task::of(&[3, 1, 0, 0, 8, 0]).room(252))?;
    let answer = session.wait(key_exchange)?;
    same("key exchange OUT", &answer.code(), &(0, 0, 0))?;
    exchange.take(&answer)?;
    let (fixed, descriptors) = (session.wait(fixed)?, session.wait(descriptors)?);
    same("NOT READY, fixed", &(fixed.data_in[0], fixed.data_in[2], fixed.data_in.len()), &(0x70, 2, 18))?;
    same("it has progress", &(fixed.data_in[15] & 0x80), &0x80)?;
    same("cut to 8 bytes", &(descriptors.data_in.len(), descriptors.residual), &(8, 244))?;
    same("NOT READY, descriptors", &(descriptors.data_in[0], descriptors.data_in[1]), &(0x72, 2))?;
    let sa = exchange.run(&mut session)?;
    same("Delete", &remove(&mut session, &config, sa)?.code(), &(0, 0, 0))
}

/// PERSISTENT RESERVE OUT with a service action and two keys.
fn reserve_out(action: u8, kind: u8, key: u64, new: u64) -> ([u8; 10], [u8; 24]) {
    let mut list = [0; 24];
    list[..8].copy_from_slice(&key.to_be_bytes());
    list[8..16].copy_from_slice(&new.to_be_bytes());
    ([0x5F, action, kind, 0, 0, 0, 0, 0, 24, 0], list)
}

fn persistent(session: &mut Session, action: u8, kind: u8, key: u64, new: u64) -> Result<Answer> {
    let (cdb, list) = reserve_out(action, kind, key, new);
    session.command(&Task::of(&cdb).out(&list))
}

fn reserve(bench: &Bench) -> Result<()> {
    let config = fast(bench)?;
    let (mut session, mut other) = (session(bench)?, session(bench)?);
    let mut exchange = Exchange::new(&config);
    let _ = exchange.up_to(&mut session, 2)?;
    // SPC-4 5.13.4: it waits; r3 has no such rule.
    let wanted = if bench.is_spc4 { (2, 0x04, 0x13) } else { (0, 0, 0) };
    same("of the nexus with the sequence", &persistent(&mut session, 0, 0, 0, 0x77)?.code(), &wanted)?;
    same("of another nexus", &persistent(&mut other, 0, 0, 0, 0x88)?.code(), &(0, 0, 0))?;
    same("of that one again", &persistent(&mut other, 0, 0, 0x88, 0)?.code(), &(0, 0, 0))?;
    let sa = exchange.run(&mut session)?;
    same("Delete", &remove(&mut session, &config, sa)?.code(), &(0, 0, 0))?;
    let key = if bench.is_spc4 { 0 } else { 0x77 };
    same("after the sequence", &persistent(&mut session, 0, 0, key, 0x99)?.code(), &(0, 0, 0))?;
    same("and again", &persistent(&mut session, 0, 0, 0x99, 0)?.code(), &(0, 0, 0))
}

fn conflict(bench: &Bench) -> Result<()> {
    let (mut holder, mut other) = (session(bench)?, session(bench)?);
    same("register", &persistent(&mut holder, 0, 0, 0, 0x55)?.status, &0)?;
    // Write exclusive.
    same("reserve", &persistent(&mut holder, 1, 1, 0x55, 0)?.status, &0)?;
    let list = Task::of(&security_protocol(IN, INFORMATION, 0, 64)).room(64);
    same("the holder", &holder.command(&list)?.status, &0)?;
    let refused = other.command(&list)?;
    same("another nexus", &(refused.status, refused.data_in.len(), refused.residual), &(0x18, 0, 64))?;
    same("unregister", &persistent(&mut holder, 0, 0, 0x55, 0)?.status, &0)?;
    same("another nexus then", &other.command(&list)?.status, &0)
}

fn two_units(bench: &Bench) -> Result<()> {
    let config = fast(bench)?;
    let mut one = session(bench)?;
    let mut two = Session::login(&bench.url.with_lun(2))?;
    two.ready()?;
    let (mut first, mut second) = (Exchange::new(&config), Exchange::new(&config));
    let command = first.up_to(&mut one, 2)?;
    // The other logical unit knows nothing of the sequence.
    same("key exchange IN of LUN 1 at LUN 2", &execute(&mut two, &command)?.code(), &(5, 0x2C, 0))?;
    let there = second.run(&mut two)?;
    same("its answer", &execute(&mut one, &command)?.status, &0)?;
    same("Delete of the association of LUN 2 at LUN 1", &remove(&mut one, &config, there)?.status, &2)
}

fn others(bench: &Bench) -> Result<()> {
    let mut session = session(bench)?;
    let block = vec![0x5A; 512];
    same("WRITE(10)", &session.command(&Task::of(&[0x2A, 0, 0, 0, 0, 9, 0, 0, 1, 0]).out(&block))?.status, &0)?;
    same("READ(10)", &session.command(&Task::of(&[0x28, 0, 0, 0, 0, 9, 0, 0, 1, 0]).room(512))?.data_in, &block)?;
    // REPORT SUPPORTED OPERATION CODES.
    let codes = session.command(&Task::of(&[0xA3, 0x0C, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0]).room(4096))?.data_in;
    let supported: Vec<u8> = codes.get(4..).unwrap_or_default().chunks(8).map(|entry| entry[0]).collect();
    same("the list has A2h and B5h", &[IN, OUT].map(|code| supported.contains(&code)), &[true, true])?;
    same("an operation code that is not there", &session.command(&Task::of(&[0xFF; 6]))?.status, &2)
}
