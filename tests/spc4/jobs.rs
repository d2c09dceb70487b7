//! Calculations that run elsewhere: NOT READY, SA CREATION IN PROGRESS with a progress by the clock, commands that are held, results
//! that come too late (SPC-4 5.14.4.1, 5.14.5, 7.7.3.7; question Q36).

use super::client::{COMBINED_SUITE, NO_AUTH};
use super::*;
use ikev2_scsi::ccs::job::{Job, JobKind};

fn run(bench: &mut Bench, job: Job) -> (Option<(NexusId, Reply)>, Vec<u8>) {
    let mut data_in = vec![0; 0x4000];
    let now = bench.instant();
    let done = bench.server.complete(job.run(), &mut data_in, now);
    if let Some((_, Reply::Good { len })) = done {
        data_in.truncate(len);
    }
    (done, data_in)
}

fn run_next(bench: &mut Bench) -> (Option<(NexusId, Reply)>, Vec<u8>) {
    let job = bench.server.poll_job().unwrap();
    run(bench, job)
}

/// A sequence whose key exchange is done.
fn keyed(bench: &mut Bench, nexus: NexusId, ac_sai: u32) -> Client {
    let mut client = bench.client(nexus, COMBINED_SUITE, ac_sai);
    bench.good(nexus, Command::KeyExchangeOut, &client.key_exchange_out());
    run_next(bench);
    let answer = bench.good(nexus, Command::KeyExchangeIn, &[]);
    client.read_key_exchange_in(&answer);
    client
}

fn hold(bench: &mut Bench, nexus: NexusId, command: Command, list: &[u8]) -> Job {
    let Reply::Held(id) = bench.send(nexus, command, list).0 else { panic!("{command:?} is not held") };
    let job = bench.server.poll_job().unwrap();
    assert_eq!(job.id(), id);
    job
}

/// NOT READY with tenths of the expected time, never the tenth one.
fn waits(sense: &Sense, tenths: u16) {
    assert_eq!((code(sense), sense.specific), (BUSY, SenseKeySpecific::Progress(tenths * 6553)));
}

#[test]
fn what_a_nexus_is_told_while_it_calculates() {
    let mut bench = Bench::offloading();
    let mut client = bench.client(A, COMBINED_SUITE, 0x1000);
    bench.good(A, Command::KeyExchangeOut, &client.key_exchange_out());
    for (now, tenths) in [(0, 0), (99, 0), (100, 1), (999, 9), (5000, 9)] {
        bench.now = now;
        waits(&bench.refused(A, Command::KeyExchangeIn, &[]), tenths);
        let now = bench.instant();
        waits(&bench.server.request_sense(A, now), tenths);
        assert_eq!(bench.server.request_sense(B, now), Sense::NONE);
    }
    for command in [Command::KeyExchangeOut, Command::AuthenticationOut, Command::AuthenticationIn] {
        assert_eq!(code(&bench.refused(A, command, &[])), BUSY, "{command:?}");
    }
    assert_eq!(code(&bench.refused_cdb(A, &[0xB5, 0x41, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &[])), BUSY);
    assert_eq!(bench.capabilities(A), client.capabilities);
    let job = bench.server.poll_job().unwrap();
    assert_eq!(job.kind(), JobKind::KeyExchange);
    assert_eq!(run(&mut bench, job).0, None);
    let now = bench.instant();
    assert_eq!(bench.server.request_sense(A, now), Sense::NONE);
    client.read_key_exchange_in(&bench.good(A, Command::KeyExchangeIn, &[]));

    let job = hold(&mut bench, A, Command::AuthenticationOut, &client.authentication_out());
    for command in [Command::KeyExchangeOut, Command::AuthenticationIn] {
        assert_eq!(code(&bench.refused(A, command, &[])), BUSY, "{command:?}");
    }
    waits(&bench.refused(A, Command::AuthenticationOut, &client.authentication_out()), 0);
    assert_eq!(run(&mut bench, job).0, Some((A, Reply::Good { len: 0 })));
    let job = hold(&mut bench, A, Command::AuthenticationIn, &[]);
    waits(&bench.refused(A, Command::AuthenticationIn, &[]), 0);
    assert!(!bench.has(&client));
    let (reply, data_in) = run(&mut bench, job);
    assert!(matches!(reply, Some((A, Reply::Good { .. }))));
    client.read_authentication_in(&data_in, b"drive's key");
    assert!(bench.has(&client));
    assert_eq!(bench.good(A, Command::AuthenticationIn, &[]), data_in);
}

/// Without authentication the association is made with the key exchange IN, after the calculation.
#[test]
fn an_exchange_without_authentication() {
    let mut bench = Bench::offloading();
    let mut client = bench.client(A, COMBINED_SUITE.with_auth([NO_AUTH; 2]), 0x1000);
    bench.good(A, Command::KeyExchangeOut, &client.key_exchange_out());
    waits(&bench.refused(A, Command::KeyExchangeIn, &[]), 0);
    run_next(&mut bench);
    client.read_key_exchange_in(&bench.good(A, Command::KeyExchangeIn, &[]));
    assert!(bench.has(&client));
}

/// A held authentication that fails ends the sequence, as one that is judged at once.
#[test]
fn a_held_command_that_fails() {
    let mut bench = Bench::offloading();
    let client = keyed(&mut bench, A, 0x1000);
    let wrong = Client { key: b"other's key".to_vec(), ..client.clone() };
    let job = hold(&mut bench, A, Command::AuthenticationOut, &wrong.authentication_out());
    let Some((A, Reply::CheckCondition(sense))) = run(&mut bench, job).0 else { panic!() };
    assert_eq!((code(&sense), sense.specific), (DENIED, SenseKeySpecific::None));
    assert_eq!(bench.server.phase(A), Phase::Idle);
    // What cannot be sealed well is refused at once, and the sequence goes on.
    let client = keyed(&mut bench, A, 0x2000);
    let mut list = client.authentication_out();
    *list.last_mut().unwrap() ^= 1;
    assert_eq!(code(&bench.refused(A, Command::AuthenticationOut, &list)), REJECTED);
    let job = hold(&mut bench, A, Command::AuthenticationOut, &client.authentication_out());
    assert_eq!(run(&mut bench, job).0, Some((A, Reply::Good { len: 0 })));
}

/// A job that its embedder could not run: ABORTED COMMAND for the OUT, HARDWARE ERROR for an IN; the sequence is gone.
#[test]
fn a_job_that_could_not_be_run() {
    let mut bench = Bench::offloading();
    let client = bench.client(A, COMBINED_SUITE, 0x1000);
    bench.good(A, Command::KeyExchangeOut, &client.clone().key_exchange_out());
    let (job, now) = (bench.server.poll_job().unwrap(), bench.instant());
    assert_eq!(bench.server.complete(job.fail(), &mut [], now), None);
    assert_eq!(code(&bench.refused(A, Command::KeyExchangeIn, &[])), HARDWARE);
    assert_eq!(bench.server.phase(A), Phase::Idle);
    assert!(bench.server.poll_job().is_none(), "nobody waits for it any more");
    for (steps, expected) in [(0, UNABLE), (1, HARDWARE)] {
        let client = keyed(&mut bench, A, 0x2000 + steps);
        let job = hold(&mut bench, A, Command::AuthenticationOut, &client.authentication_out());
        let job = if steps == 0 {
            job
        } else {
            run(&mut bench, job);
            hold(&mut bench, A, Command::AuthenticationIn, &[])
        };
        let done = bench.server.complete(job.fail(), &mut [], now);
        let Some((A, Reply::CheckCondition(sense))) = done else { panic!("{done:?}") };
        assert_eq!((code(&sense), sense.specific), (expected, SenseKeySpecific::None));
        assert_eq!(bench.server.phase(A), Phase::Idle);
        assert!(!bench.has(&client));
    }
}

/// A Delete does not wait for a job, and what the job was for is gone: its command is told that it belongs to no sequence.
#[test]
fn a_delete_while_a_job_runs() {
    let mut bench = Bench::offloading();
    let client = keyed(&mut bench, A, 0x1000);
    let job = hold(&mut bench, A, Command::AuthenticationOut, &client.authentication_out());
    bench.good(A, Command::Delete, &client.delete());
    assert_eq!(bench.server.phase(A), Phase::Idle);
    let Some((A, Reply::CheckCondition(sense))) = run(&mut bench, job).0 else { panic!() };
    assert_eq!((code(&sense), sense.specific), (CDB, in_cdb(2)));
    assert!(bench.server.sas().is_empty());
    // While the key exchange is calculated there is nothing that could be deleted.
    let mut client = bench.client(A, COMBINED_SUITE, 0x2000);
    bench.good(A, Command::KeyExchangeOut, &client.key_exchange_out());
    assert_eq!(code(&bench.refused(A, Command::Delete, &client.delete())), REJECTED);
    run_next(&mut bench);
    client.read_key_exchange_in(&bench.good(A, Command::KeyExchangeIn, &[]));
}

/// Nor does one of an association, while a key exchange is calculated or an authentication is held.
#[test]
fn an_association_is_deleted_while_a_job_runs() {
    for is_held in [false, true] {
        let mut bench = Bench::offloading();
        let old = keyed(&mut bench, A, 0x1000);
        let job = hold(&mut bench, A, Command::AuthenticationOut, &old.authentication_out());
        run(&mut bench, job);
        let job = hold(&mut bench, A, Command::AuthenticationIn, &[]);
        run(&mut bench, job);
        let job = if is_held {
            let new = keyed(&mut bench, A, 0x2000);
            hold(&mut bench, A, Command::AuthenticationOut, &new.authentication_out())
        } else {
            let mut new = bench.client(A, COMBINED_SUITE, 0x2000);
            bench.good(A, Command::KeyExchangeOut, &new.key_exchange_out());
            bench.server.poll_job().unwrap()
        };
        bench.good(A, Command::Delete, &old.delete());
        assert!(!bench.has(&old));
        // The job goes on.
        let expected = is_held.then_some((A, Reply::Good { len: 0 }));
        assert_eq!(run(&mut bench, job).0, expected);
        let phase = if is_held { Phase::AuthenticationOut } else { Phase::KeyExchangeOut };
        assert_eq!(bench.server.phase(A), phase);
    }
}

/// What comes after the protocol timeout, a reset or a nexus loss does nothing, least of all to the next sequence of the nexus.
#[test]
fn late_results_touch_nothing() {
    for steps in 0..=1 {
        for gone in ["timeout", "delete", "loss", "reset"] {
            let mut bench = Bench::offloading();
            let old = keyed(&mut bench, A, 0x1000);
            let mut job = hold(&mut bench, A, Command::AuthenticationOut, &old.authentication_out());
            if steps == 1 {
                run(&mut bench, job);
                job = hold(&mut bench, A, Command::AuthenticationIn, &[]);
            }
            match gone {
                "timeout" => bench.now += 60_000,
                "delete" => bench.good(A, Command::Delete, &old.delete()).clear(),
                "loss" => bench.server.nexus_lost(A),
                _ => bench.server.reset(),
            }
            let new = keyed(&mut bench, A, 0x2000);
            let (reply, _) = run(&mut bench, job);
            match reply {
                None => assert!(["loss", "reset"].contains(&gone)),
                Some((nexus, Reply::CheckCondition(sense))) => assert_eq!((nexus, code(&sense)), (A, CDB)),
                other => panic!("{other:?}"),
            }
            assert!(!bench.has(&old));
            // The new one goes on.
            assert_eq!(bench.server.phase(A), Phase::KeyExchangeIn, "{gone}, {steps}");
            let job = hold(&mut bench, A, Command::AuthenticationOut, &new.authentication_out());
            assert_eq!(run(&mut bench, job).0, Some((A, Reply::Good { len: 0 })));
        }
    }
}

/// REQUEST SENSE keeps a calculation's sequence alive; and the timer runs while the command is held.
#[test]
fn the_protocol_timer_of_a_held_command() {
    let mut bench = Bench::offloading();
    let client = keyed(&mut bench, A, 0x1000);
    bench.now = 59_000;
    let job = hold(&mut bench, A, Command::AuthenticationOut, &client.authentication_out());
    // It came in time.
    bench.now = 118_999;
    let now = bench.instant();
    waits(&bench.server.request_sense(A, now), 9);
    bench.now = 178_998;
    assert_eq!(run(&mut bench, job).0, Some((A, Reply::Good { len: 0 })));
    let job = hold(&mut bench, A, Command::AuthenticationIn, &[]);
    bench.now += 60_000;
    let Some((A, Reply::CheckCondition(sense))) = run(&mut bench, job).0 else { panic!() };
    assert_eq!(code(&sense), CDB);
    assert!(!bench.has(&client));
}
