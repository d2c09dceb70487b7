//! What an initiator or an administrator may do at the wrong moment. After each the logical unit has to work.

use std::process::Command as Process;
use std::time::{Duration, Instant};

use crate::client::{Exchange, associate, execute, remove, task};
use crate::iscsi::{Result, Session, Task};
use crate::rules::{fast, session, slow};
use crate::{Bench, Check, same};

/// ABORT TASK and LOGICAL UNIT RESET.
const ABORT_TASK: u8 = 1;
const LOGICAL_UNIT_RESET: u8 = 5;
const NO_TASK: u32 = u32::MAX;

pub(crate) const CHECKS: &[Check] = &[
    ("disconnections in the middle of a command", disconnect),
    ("ABORT TASK of a command that is held", abort),
    ("a logical unit reset removes sequences and associations", reset),
    ("a logical unit reset while a command is held", reset_held),
    ("PREVENT ALLOW MEDIUM REMOVAL is no reset", prevent),
    ("a nexus that is gone takes its sequence along", nexus_loss),
    ("the protocol timeout ends a sequence, without a command", timeout),
    ("many initiators at once", many),
    ("logical units that go while calculations run", removal),
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

fn disconnect(bench: &Bench) -> Result<()> {
    // After the key exchange OUT, the authentication OUT (held) and the authentication IN (held), with and without time for
    // the calculation to begin.
    for (step, pause) in (1..=5).flat_map(|step| [0, 1, 3, 10].map(|pause| (step, pause))) {
        let config = if step < 3 { slow(bench)? } else { fast(bench)? };
        let mut session = session(bench)?;
        let command = Exchange::new(&config).up_to(&mut session, step - 1)?;
        session.start(&task(&command))?;
        std::thread::sleep(Duration::from_millis(pause));
        drop(session);
    }
    works(bench)
}

fn abort(bench: &Bench) -> Result<()> {
    let config = fast(bench)?;
    for step in [3, 4] {
        let mut session = session(bench)?;
        let mut exchange = Exchange::new(&config);
        let command = exchange.up_to(&mut session, step)?;
        let held = session.start(&task(&command))?;
        let abort = session.manage(ABORT_TASK, held)?;
        // tgtd lets the command end, and then says that there is no such task.
        let answer = session.wait(held)?;
        let response = session.wait(abort)?.status;
        same("a response of ABORT TASK", &[0, 1].contains(&response), &true)?;
        same("the status of the command", &answer.code(), &(0, 0, 0))?;
    }
    works(bench)
}

fn reset(bench: &Bench) -> Result<()> {
    let config = fast(bench)?;
    let (mut session, mut other) = (session(bench)?, session(bench)?);
    let sa = associate(&mut session, &config)?;
    let mut exchange = Exchange::new(&config);
    let command = exchange.up_to(&mut session, 2)?;
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
    let mut third = crate::rules::session(bench)?;
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
    for step in [3, 4] {
        let (mut session, mut other) = (session(bench)?, session(bench)?);
        let command = Exchange::new(&config).up_to(&mut session, step)?;
        let held = session.start(&task(&command))?;
        let reset = other.manage(LOGICAL_UNIT_RESET, NO_TASK)?;
        other.wait(reset)?;
        // It ended before the reset, or was aborted by it.
        let status = session.wait(held)?.status;
        same("a status of the held command", &[0x00, 0x02, 0x40].contains(&status), &true)?;
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
    let _ = Exchange::new(&config).up_to(&mut session, 3)?;
    let before = count(LINE)?;
    drop(session);
    // Its successor does not have to wait for the timer.
    std::thread::sleep(Duration::from_millis(50));
    let mut next = crate::rules::session(bench)?;
    same("lines of the log", &(count(LINE)? - before), &1)?;
    same("its association lives on", &remove(&mut next, &config, sa)?.code(), &(0, 0, 0))?;
    let before = count(LINE)?;
    let _ = Exchange::new(&config).up_to(&mut next, 3)?;
    drop(next);
    logged(LINE, before)
}

fn timeout(bench: &Bench) -> Result<()> {
    const LINE: &str = "sequence dropped: protocol timeout";
    let config = crate::client::config(
        &bench.provisioning,
        "\n[preferences]\ngroup = [\"ecp-256\"]\nauthentication = [\"shared-key\"]\nown_authentication = [\"shared-key\"]\n\
         protocol_timeout = 1\n",
    )?;
    let mut session = session(bench)?;
    let _ = Exchange::new(&config).up_to(&mut session, 3)?;
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
    for (step, client) in [(1, slow(bench)?), (3, fast(bench)?), (4, fast(bench)?)] {
        let mut session = Session::login(&url)?;
        session.ready()?;
        let command = Exchange::new(&client).up_to(&mut session, step)?;
        let tag = session.start(&task(&command))?;
        // Refused while the command is held; a calculation that nobody waits for is no hindrance.
        let begun = Instant::now();
        while !tgtadm("--op delete --mode logicalunit --tid 1 --lun 2")? {
            same("LUN 2 goes soon", &(begun.elapsed() < Duration::from_secs(10)), &true)?;
        }
        session.wait(tag)?;
        same("LUN 2 comes back", &tgtadm(&new)?, &true)?;
        session.ready()?;
        let sa = associate(&mut session, &client)?;
        same("Delete", &remove(&mut session, &client, sa)?.code(), &(0, 0, 0))?;
    }
    works(bench)
}
