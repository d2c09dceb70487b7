//! What an initiator or an administrator may do at the wrong moment. After each the logical unit has to work.

use std::process::Command as Process;
use std::time::{Duration, Instant};

use ikev2_scsi::client::Command;
use ikev2_scsi::crypto::{Purpose, Random};
use ikev2_scsi_provisioning::SystemRandom;

use crate::client::{Exchange, associate, config, execute, remove, task};
use crate::iscsi::{Result, Session, Task};
use crate::rules::session as login;
use crate::rules::{fast, session, slow};
use crate::{Bench, Check, For, same};

/// ABORT TASK and LOGICAL UNIT RESET.
const ABORT_TASK: u8 = 1;
const LOGICAL_UNIT_RESET: u8 = 5;
const NO_TASK: u32 = u32::MAX;

pub(crate) const CHECKS: &[Check] = &[
    ("disconnections in the middle of a command", For::All, disconnect),
    ("ABORT TASK of a command that is held", For::All, abort),
    ("a logical unit reset removes sequences and associations", For::All, reset),
    ("a logical unit reset while a command is held", For::All, reset_held),
    ("PREVENT ALLOW MEDIUM REMOVAL is no reset", For::All, prevent),
    ("a nexus that is gone takes its sequence along", For::All, nexus_loss),
    ("the protocol timeout ends a sequence, without a command", For::All, timeout),
    ("many initiators at once", For::All, many),
    ("logical units that go while calculations run", For::All, removal),
    ("a thousand commands of noise", For::All, noise),
    ("calculations that run on when tgtd is told to stop", For::All, leave_running),
];

/// An association works.
fn works(bench: &Bench) -> Result<()> {
    let config = fast(bench)?;
    let mut session = session(bench)?;
    let sa = associate(&mut session, &config)?;
    same("Delete", &remove(&mut session, &config, sa)?.code(), &(0, 0, 0))
}

/// Waits for a line of tgtd's log that is there more often than `before` times.
fn logged(line: &str, before: usize) -> Result<()> {
    let begun = Instant::now();
    while count(line)? <= before {
        if begun.elapsed() > Duration::from_secs(10) {
            return Err(format!("tgtd's log does not say \"{line}\"").into());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

fn count(line: &str) -> Result<usize> {
    let log = std::fs::read(std::env::var("TGTD_LOG")?)?;
    Ok(String::from_utf8_lossy(&log).lines().filter(|text| text.contains(line)).count())
}

/// Has the one worker thread calculate for a while, so that whatever comes next has to wait. `emulators/tgt/check` sees to it that
/// there is one. The more calculations, the longer.
fn occupy(bench: &Bench, calculations: usize) -> Result<Vec<Session>> {
    let config = slow(bench)?;
    let mut exchanges = Vec::new();
    for _ in 0..calculations {
        let mut session = session(bench)?;
        let command = Exchange::new(&config).up_to(&mut session, KEY_EXCHANGE_OUT)?;
        exchanges.push((session, command));
    }
    let begin = |(mut session, command): (Session, Command)| {
        same("the key exchange OUT of a long calculation", &execute(&mut session, &command)?.code(), &(0, 0, 0))?;
        Ok(session)
    };
    exchanges.into_iter().map(begin).collect()
}

/// Enough of them to do something meanwhile.
const LONG: usize = 3;

/// Where an exchange is: the number of its next command.
const KEY_EXCHANGE_OUT: usize = 1;
const KEY_EXCHANGE_IN: usize = 2;
const AUTHENTICATION_OUT: usize = 3;
const AUTHENTICATION_IN: usize = 4;
/// The two that wait for a job of their own.
const HELD: [usize; 2] = [AUTHENTICATION_OUT, AUTHENTICATION_IN];

fn disconnect(bench: &Bench) -> Result<()> {
    let config = fast(bench)?;
    // With and without time for tgtd to have seen the command.
    for (step, pause) in (KEY_EXCHANGE_OUT..=AUTHENTICATION_IN).flat_map(|step| [0, 1, 5].map(|pause| (step, pause))) {
        let mut session = session(bench)?;
        let command = Exchange::new(&config).up_to(&mut session, step)?;
        let busy = if step == KEY_EXCHANGE_IN { None } else { Some(occupy(bench, 1)?) };
        session.start(&task(&command))?;
        std::thread::sleep(Duration::from_millis(pause));
        drop(session);
        drop(busy);
    }
    works(bench)
}

fn abort(bench: &Bench) -> Result<()> {
    let config = fast(bench)?;
    for step in HELD {
        let mut session = session(bench)?;
        let command = Exchange::new(&config).up_to(&mut session, step)?;
        let _busy = occupy(bench, LONG)?;
        let held = session.start(&task(&command))?;
        let abort = session.manage(ABORT_TASK, held)?;
        // tgtd lets the command end, and then says that there is no such task.
        same("the status of the command", &session.wait(held)?.code(), &(0, 0, 0))?;
        same("the response of ABORT TASK", &session.wait(abort)?.status, &1)?;
    }
    works(bench)
}

fn reset(bench: &Bench) -> Result<()> {
    let config = fast(bench)?;
    let (mut session, mut other) = (session(bench)?, session(bench)?);
    let sa = associate(&mut session, &config)?;
    let mut exchange = Exchange::new(&config);
    let command = exchange.up_to(&mut session, KEY_EXCHANGE_IN)?;
    let before = count("logical unit reset")?;
    let reset = other.manage(LOGICAL_UNIT_RESET, NO_TASK)?;
    same("LOGICAL UNIT RESET", &other.wait(reset)?.status, &0)?;
    same("the unit attentions", &session.ready()?, &vec![(0x29, 0)])?;
    same("a sequence from before", &execute(&mut session, &command)?.code(), &(5, 0x2C, 0))?;
    same("an association from before", &remove(&mut session, &config, sa)?.status, &2)?;
    logged("logical unit reset", before)?;
    // One reset is one reset, whoever sends a command next.
    let sa = associate(&mut session, &config)?;
    other.ready()?;
    let mut third = login(bench)?;
    third.ready()?;
    same("an association from after", &remove(&mut other, &config, sa)?.code(), &(0, 0, 0))?;
    // Without any command after it.
    let before = count("logical unit reset")?;
    associate(&mut session, &config)?;
    let reset = other.manage(LOGICAL_UNIT_RESET, NO_TASK)?;
    other.wait(reset)?;
    logged("logical unit reset", before)?;
    // Of a nexus that has sent no command before.
    let before = count("logical unit reset")?;
    session.ready()?;
    let sa = associate(&mut session, &config)?;
    let mut new = Session::login(&bench.url)?;
    let reset = new.manage(LOGICAL_UNIT_RESET, NO_TASK)?;
    new.wait(reset)?;
    new.ready()?;
    session.ready()?;
    same("its association", &remove(&mut session, &config, sa)?.status, &2)?;
    same("resets told", &(count("logical unit reset")? - before), &1)
}

fn reset_held(bench: &Bench) -> Result<()> {
    let config = fast(bench)?;
    for step in HELD {
        let (mut session, mut other) = (session(bench)?, session(bench)?);
        let command = Exchange::new(&config).up_to(&mut session, step)?;
        let _busy = occupy(bench, LONG)?;
        let held = session.start(&task(&command))?;
        // Answered after the command that is held: so tgtd has that one.
        session.command(&Task::of(&[0x12, 0, 0, 0, 36, 0]).room(36))?;
        let reset = other.manage(LOGICAL_UNIT_RESET, NO_TASK)?;
        let before = count("logical unit reset")?;
        // A command by which the plugin hears of it before the calculation is done.
        other.command(&Task::of(&[0; 6]))?;
        same("the held command: TASK ABORTED", &session.wait(held)?.status, &0x40)?;
        same("LOGICAL UNIT RESET", &other.wait(reset)?.status, &0)?;
        logged("logical unit reset", before)?;
        session.ready()?;
    }
    works(bench)
}

fn prevent(bench: &Bench) -> Result<()> {
    let config = fast(bench)?;
    let mut session = session(bench)?;
    let sa = associate(&mut session, &config)?;
    for prevent in [1, 0] {
        session.command(&Task::of(&[0x1E, 0, 0, 0, prevent, 0]))?;
    }
    std::thread::sleep(Duration::from_millis(1200));
    same("Delete", &remove(&mut session, &config, sa)?.code(), &(0, 0, 0))
}

fn nexus_loss(bench: &Bench) -> Result<()> {
    const LINE: &str = "sequence dropped: I_T nexus loss";
    let config = fast(bench)?;
    let mut session = session(bench)?;
    let sa = associate(&mut session, &config)?;
    let _ = Exchange::new(&config).up_to(&mut session, AUTHENTICATION_OUT)?;
    let before = count(LINE)?;
    drop(session);
    // Its successor does not have to wait for the timer.
    std::thread::sleep(Duration::from_millis(50));
    let mut next = login(bench)?;
    same("lines of the log", &(count(LINE)? - before), &1)?;
    same("its association lives on", &remove(&mut next, &config, sa)?.code(), &(0, 0, 0))?;
    let before = count(LINE)?;
    let _ = Exchange::new(&config).up_to(&mut next, AUTHENTICATION_OUT)?;
    drop(next);
    logged(LINE, before)
}

fn timeout(bench: &Bench) -> Result<()> {
    const LINE: &str = "sequence dropped: protocol timeout";
    let config = config(
        &bench.provisioning,
        "\n[preferences]\ngroup = [\"ecp-256\"]\nauthentication = [\"shared-key\"]\nown_authentication = [\"shared-key\"]\n\
         protocol_timeout = 1\n",
    )?;
    let mut session = session(bench)?;
    let _ = Exchange::new(&config).up_to(&mut session, AUTHENTICATION_OUT)?;
    let (before, begun) = (count(LINE)?, Instant::now());
    logged(LINE, before)?;
    same("in about a second", &(begun.elapsed() < Duration::from_secs(3)), &true)
}

fn many(bench: &Bench) -> Result<()> {
    let config = fast(bench)?;
    std::thread::scope(|scope| {
        let one = || -> std::result::Result<(), String> {
            let work = || -> Result<()> {
                let mut session = session(bench)?;
                let sa = associate(&mut session, &config)?;
                same("Delete", &remove(&mut session, &config, sa)?.code(), &(0, 0, 0))
            };
            work().map_err(|why| why.to_string())
        };
        let threads: Vec<_> = (0..24).map(|_| scope.spawn(one)).collect();
        let results = threads.into_iter().map(|thread| thread.join().map_err(|_| "a panic".to_string()).flatten());
        results.collect::<std::result::Result<Vec<()>, _>>()
    })?;
    Ok(())
}

/// tgtadm with the words of `$TGTADM` before its own; whether it succeeds.
fn tgtadm(words: &str) -> Result<bool> {
    let begin = std::env::var("TGTADM")?;
    let mut all = begin.split(' ').chain(words.split(' '));
    let program = all.next().ok_or("TGTADM is empty")?;
    Ok(Process::new(program).args(all).output()?.status.success())
}

/// LUN 2 goes and comes, with what it was made of, while its jobs run.
fn removal(bench: &Bench) -> Result<()> {
    let shown = Process::new("sh").args(["-c", "$TGTADM --op show --mode target"]).output()?;
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    let unit = shown.split("LUN: 2").nth(1).ok_or("there is no LUN 2")?;
    let path = unit.lines().find_map(|line| line.trim().strip_prefix("Backing store path: ")).ok_or("no path")?;
    let kind = unit.lines().find_map(|line| line.trim().strip_prefix("Type: ")).ok_or("no type")?;
    let server = bench.provisioning.replace("-client.toml", "-server.toml");
    let new = format!(
        "--op new --mode logicalunit --tid 1 --lun 2 --device-type {kind} --bstype ikev2scsi --backing-store {path} \
         --bsopts provisioning={server}"
    );
    let url = bench.url.with_lun(2);
    let config = fast(bench)?;
    for step in [KEY_EXCHANGE_OUT, AUTHENTICATION_OUT, AUTHENTICATION_IN] {
        let mut session = Session::login(&url)?;
        session.ready()?;
        let command = Exchange::new(&config).up_to(&mut session, step)?;
        let _busy = occupy(bench, LONG)?;
        let tag = session.start(&task(&command))?;
        session.command(&Task::of(&[0x12, 0, 0, 0, 36, 0]).room(36))?;
        // Refused while a command is held; a calculation for which none is held is no hindrance.
        let delete = "--op delete --mode logicalunit --tid 1 --lun 2";
        same("LUN 2 goes at once", &tgtadm(delete)?, &!HELD.contains(&step))?;
        session.wait(tag)?;
        same("LUN 2 is gone then", &(HELD.contains(&step) && !tgtadm(delete)?), &false)?;
        same("LUN 2 comes back", &tgtadm(&new)?, &true)?;
        session.ready()?;
        let sa = associate(&mut session, &config)?;
        same("Delete", &remove(&mut session, &config, sa)?.code(), &(0, 0, 0))?;
    }
    works(bench)
}

/// Commands of both codes with whatever bytes.
fn noise(bench: &Bench) -> Result<()> {
    let mut session = session(bench)?;
    let mut bytes = vec![0; 4096];
    for round in 0..1000_usize {
        SystemRandom.fill(Purpose::Nonce, &mut bytes).map_err(|_| "no randomness")?;
        let mut cdb = [0; 12];
        cdb.copy_from_slice(&bytes[..12]);
        cdb[0] = if round % 2 == 0 { 0xA2 } else { 0xB5 };
        // What is never right is refused early; so most of the rounds have something that is.
        if round % 8 > 1 {
            cdb[1] = [0x00, 0x40, 0x41][round % 3];
            cdb[2..4].copy_from_slice(&[[1, 1], [1, 2], [1, 3], [1, 4]][round / 8 % 4]);
            cdb[4..8].copy_from_slice(&[0; 4]);
            cdb[10..].copy_from_slice(&[0; 2]);
        }
        let length = usize::from(bytes[12]) * 16;
        let task = Task::of(&cdb);
        let task = if round % 2 == 0 { task.room(length.max(1)) } else { task.out(&bytes[16..=16 + length.min(4000)]) };
        let answer = session.command(&task)?;
        same(&format!("a status for {cdb:02x?}"), &[0, 2].contains(&answer.status), &true)?;
    }
    works(bench)
}

/// The last check: `emulators/tgt/run` says whether tgtd ended well.
fn leave_running(bench: &Bench) -> Result<()> {
    occupy(bench, LONG).map(drop)
}
