//! Offloaded cryptography (r3 5.13.7; readings R24, R40).

use ikev2_scsi::SlowCrypto;
use ikev2_scsi::ccs::job::JobKind;

use super::*;

pub(crate) fn offloading() -> Unit {
    Unit::new(|builder| builder.policy(policy(|policy| policy.slow_crypto = SlowCrypto::Offload)))
}

fn good(reply: &Reply) -> bool {
    matches!(reply, Reply::Good { .. })
}

/// What a NOT READY says of the progress of a calculation.
fn tenths(sense: &Sense) -> u16 {
    assert_eq!(codes(sense), CALCULATING);
    let SenseKeySpecific::Progress(progress) = sense.specific else { panic!("{sense}") };
    progress / 6553
}

#[test]
fn a_whole_exchange_with_not_ready_in_between() {
    let mut unit = offloading();
    let mut client = unit.client_before(A, &Host::first(), 0);
    let command = client.next_command(&mut unit.random).unwrap();
    assert_eq!(unit.command(A, &command).0, Reply::Good { len: 0 }, "GOOD before the calculation");
    client.reply(Status::Good(&[])).unwrap();

    // The key exchange IN waits; progress goes by the clock alone, and never reaches the end.
    for (now, expected) in [(0, 0), (99, 0), (100, 1), (550, 5), (999, 9), (50_000, 9)] {
        unit.now = now;
        assert_eq!(tenths(&unit.refused(A, &KEY_EXCHANGE_IN, &[])), expected, "at {now} ms");
        let now = unit.instant();
        assert_eq!(tenths(&unit.server.request_sense(A, now)), expected);
        assert_eq!(unit.server.request_sense(B, now), Sense::NONE);
    }
    assert_eq!(codes(&unit.refused(A, &AUTHENTICATION_IN, &[])), IN_PROGRESS, "out of its turn");
    assert_eq!(codes(&unit.refused(A, &command.cdb.to_bytes(), &command.data_out)), IN_PROGRESS);
    let sense = unit.refused(A, &KEY_EXCHANGE_IN, &[]);
    let command = client.next_command(&mut unit.random).unwrap();
    assert_eq!(command.cdb.to_bytes(), KEY_EXCHANGE_IN);
    let outcome = client.reply(Status::CheckCondition(sense.to_fixed().as_ref())).unwrap();
    assert!(matches!(outcome, Outcome::SendAgain(sense) if sense.progress() == Some(9 * 6553)));

    let job = unit.server.poll_job().unwrap();
    assert_eq!(job.kind(), JobKind::KeyExchange);
    let done = std::thread::spawn(move || job.run()).join().unwrap();
    let now = unit.instant();
    assert_eq!(unit.server.complete(done, &mut [], now), None, "nobody was kept waiting");
    assert_eq!(unit.server.request_sense(A, now), Sense::NONE);
    assert!(unit.step(A, &mut client).is_none());

    let command = client.next_command(&mut unit.random).unwrap();
    assert!(matches!(unit.command(A, &command).0, Reply::Held(_)));
    assert_eq!(tenths(&unit.refused(A, &command.cdb.to_bytes(), &command.data_out)), 0);
    assert!(good(&unit.send(A, &KEY_EXCHANGE_IN, &[]).0), "may be repeated until the OUT is accepted");
    let (done, now) = (unit.run_job(), unit.instant());
    assert_eq!(unit.server.complete(done, &mut [], now), Some((A, Reply::Good { len: 0 })));
    client.reply(Status::Good(&[])).unwrap();

    let command = client.next_command(&mut unit.random).unwrap();
    assert!(matches!(unit.command(A, &command).0, Reply::Held(_)));
    assert!(unit.server.sas().is_empty(), "the association comes with GOOD");
    assert_eq!(tenths(&unit.refused(A, &AUTHENTICATION_IN, &[])), 0);
    let (done, now) = (unit.run_job(), unit.instant());
    let mut data_in = vec![0; 16_384];
    let Some((A, Reply::Good { len })) = unit.server.complete(done, &mut data_in, now) else { panic!() };
    let outcome = client.reply(Status::Good(&data_in[..len])).unwrap();
    assert!(matches!(outcome, Outcome::Established(_)));
    assert_eq!(unit.server.sas().len(), 1);
}

/// A nexus that calculates keeps nobody else waiting.
#[test]
fn others_are_served_meanwhile() {
    let mut unit = offloading();
    let mut slow = unit.client_before(A, &Host::first(), 1);
    let capabilities = [0xA2, 0x40, 0x01, 0x01, 0, 0, 0, 0, 0x40, 0, 0, 0];
    assert!(good(&unit.send(A, &capabilities, &[]).0));
    assert!(good(&unit.send(A, &[0xA2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0], &[]).0));
    unit.client_before(B, &Host::second(), 1);
    let (first, second, now) = (unit.run_job(), unit.run_job(), unit.instant());
    assert_eq!(unit.server.complete(second, &mut [], now), None);
    assert_eq!(codes(&unit.refused(A, &KEY_EXCHANGE_IN, &[])), CALCULATING);
    assert!(good(&unit.send(B, &KEY_EXCHANGE_IN, &[]).0));
    assert_eq!(unit.server.complete(first, &mut [], now), None);
    assert!(unit.step(A, &mut slow).is_none());
}

/// A live association can be deleted while its nexus calculates.
#[test]
fn a_delete_does_not_wait() {
    let mut unit = Unit::new(|builder| builder);
    let host = Host::first();
    let parameters = unit.establish(A, &host);
    let delete = client::delete(&host.0, parameters, &mut unit.random).unwrap();
    // The same association in an offloading server: made from the same commands.
    let mut unit = offloading();
    assert!(matches!(unit.command(A, &delete).0, Reply::CheckCondition(sense) if codes(&sense) == SEQUENCE));
    let parameters = establish_offloaded(&mut unit, A, &host);
    let delete = client::delete(&host.0, parameters, &mut unit.random).unwrap();
    unit.client_before(A, &host, 1);
    assert_eq!(codes(&unit.refused(A, &KEY_EXCHANGE_IN, &[])), CALCULATING);
    assert_eq!(unit.command(A, &delete).0, Reply::Good { len: 0 });
    assert!(unit.server.sas().is_empty());
}

fn establish_offloaded(unit: &mut Unit, nexus: NexusId, host: &Host) -> SaParameters {
    let mut client = host.client();
    let mut data_in = vec![0; 16_384];
    loop {
        let command = client.next_command(&mut unit.random).unwrap();
        let (mut reply, mut data) = unit.command(nexus, &command);
        while let Some(job) = unit.server.poll_job() {
            let now = unit.instant();
            if let Some((_, late)) = unit.server.complete(job.run(), &mut data_in, now) {
                reply = late;
            }
        }
        let Reply::Good { len } = reply else { panic!("{reply:?}") };
        if data.is_empty() {
            data = data_in[..len].to_vec();
        }
        if let Outcome::Established(parameters) = client.reply(Status::Good(&data)).unwrap() {
            return *parameters;
        }
    }
}

/// Results that come after their sequence is gone change nothing, whatever runs on the nexus by then.
#[test]
fn late_results_are_ignored() {
    let mut unit = offloading();
    unit.client_before(A, &Host::first(), 1);
    let late = unit.run_job();
    unit.server.nexus_lost(A);
    let mut client = unit.client_before(A, &Host::first(), 1);
    let now = unit.instant();
    assert_eq!(unit.server.complete(late, &mut [], now), None);
    assert_eq!(codes(&unit.refused(A, &KEY_EXCHANGE_IN, &[])), CALCULATING, "the new one still runs");
    let (done, now) = (unit.run_job(), unit.instant());
    assert_eq!(unit.server.complete(done, &mut [], now), None);
    unit.step(A, &mut client);

    let command = client.next_command(&mut unit.random).unwrap();
    assert!(matches!(unit.command(A, &command).0, Reply::Held(_)));
    let late = unit.run_job();
    unit.server.reset();
    let now = unit.instant();
    assert_eq!(unit.server.complete(late, &mut [], now), None, "a reset aborts the command");

    held_before(&mut unit, &Host::first());
    let (late, now) = (unit.run_job(), unit.instant());
    unit.server.nexus_lost(B);
    unit.server.nexus_lost(A);
    assert_eq!(unit.server.complete(late, &mut [], now), None, "nobody is there to be answered");
    held_before(&mut unit, &Host::first());
    let (done, now) = (unit.run_job(), unit.instant());
    unit.server.nexus_lost(B);
    assert_eq!(unit.server.complete(done, &mut [], now), Some((A, Reply::Good { len: 0 })), "another's loss");
}

/// The awaited command has come: while it is held the protocol timeout begins anew, and a command that is held when it
/// runs out is answered all the same.
#[test]
fn a_held_command_and_the_protocol_timeout() {
    let mut unit = offloading();
    let mut client = unit.client_before(A, &Host::first(), 1);
    let (done, now) = (unit.run_job(), unit.instant());
    assert_eq!(unit.server.complete(done, &mut [], now), None);
    unit.step(A, &mut client);
    unit.now = 59_999;
    let command = client.next_command(&mut unit.random).unwrap();
    assert!(matches!(unit.command(A, &command).0, Reply::Held(_)));
    unit.now = 119_998;
    assert_eq!(codes(&unit.refused(A, &AUTHENTICATION_IN, &[])), IN_PROGRESS);
    unit.now = 119_999;
    let (done, now) = (unit.run_job(), unit.instant());
    let Some((A, Reply::CheckCondition(sense))) = unit.server.complete(done, &mut [], now) else { panic!() };
    assert_eq!(codes(&sense), SEQUENCE);
}

#[test]
fn a_refused_held_command_leaves_the_deadline_that_it_met() {
    let mut unit = offloading();
    let wrong = Host::new(b"host-0", b"wrong key");
    let mut client = unit.client_before(A, &wrong, 1);
    let (done, now) = (unit.run_job(), unit.instant());
    assert_eq!(unit.server.complete(done, &mut [], now), None);
    unit.step(A, &mut client);
    unit.now = 1_000;
    let command = client.next_command(&mut unit.random).unwrap();
    assert!(matches!(unit.command(A, &command).0, Reply::Held(_)));
    assert_eq!(unit.server.next_deadline().unwrap().at.as_millis(), 61_000);
    let (done, now) = (unit.run_job(), unit.instant());
    let Some((A, Reply::CheckCondition(sense))) = unit.server.complete(done, &mut [], now) else { panic!() };
    assert_eq!(codes(&sense), AUTHENTICATION);
    assert_eq!(unit.server.next_deadline().unwrap().at.as_millis(), 60_000);
}

/// A client whose authentication OUT is held.
fn held_before(unit: &mut Unit, host: &Host) {
    let mut client = unit.client_before(A, host, 1);
    let (done, now) = (unit.run_job(), unit.instant());
    assert_eq!(unit.server.complete(done, &mut [], now), None);
    unit.step(A, &mut client);
    let command = client.next_command(&mut unit.random).unwrap();
    assert!(matches!(unit.command(A, &command).0, Reply::Held(_)));
}

/// Several logical units may share a pool of workers: a result that was made for one proves nothing to another.
#[test]
fn a_result_belongs_to_one_device_server() {
    let (mut honest, mut attacked) = (offloading(), offloading());
    held_before(&mut honest, &Host::first());
    held_before(&mut attacked, &Host::new(b"host-0", b"wrong key"));
    let (theirs, ours, now) = (honest.run_job(), attacked.run_job(), attacked.instant());
    assert_eq!(theirs.id(), ours.id(), "by number alone the two are the same");
    assert_eq!(attacked.server.complete(theirs, &mut [], now), None);
    let Some((A, Reply::CheckCondition(sense))) = attacked.server.complete(ours, &mut [], now) else { panic!() };
    assert_eq!(codes(&sense), AUTHENTICATION);
}

/// Timeouts are the client's choice and jobs are slow: what nobody waits for any more is not calculated.
#[test]
fn a_sequence_that_runs_out_takes_its_job_with_it() {
    let mut unit = offloading();
    for _ in 0..3 {
        unit.client_before(A, &Host::first(), 1);
        unit.now += 60_000;
        let now = unit.instant();
        unit.server.expire(now);
    }
    assert!(unit.server.poll_job().is_none());
    // A held command is still to be answered, so its job stays, until nobody is there to be answered.
    held_before(&mut unit, &Host::first());
    unit.now += 60_000;
    let now = unit.instant();
    unit.server.expire(now);
    unit.server.nexus_lost(A);
    assert!(unit.server.poll_job().is_none());
}

/// A device that lost the job can say so: the command is answered, and may be sent again.
#[test]
fn a_job_that_cannot_be_run() {
    let mut unit = offloading();
    let mut client = unit.client_before(A, &Host::first(), 1);
    let (failed, now) = (unit.server.poll_job().unwrap().fail(), unit.instant());
    assert_eq!(unit.server.complete(failed, &mut [], now), None);
    assert_eq!(codes(&unit.refused(A, &KEY_EXCHANGE_IN, &[])), INTERNAL);
    let done = unit.run_job();
    assert_eq!(unit.server.complete(done, &mut [], now), None);
    unit.step(A, &mut client);
    for _ in 0..2 {
        let command = client.next_command(&mut unit.random).unwrap();
        for _ in 0..5 {
            assert!(matches!(unit.command(A, &command).0, Reply::Held(_)));
            let failed = unit.server.poll_job().unwrap().fail();
            let Some((A, Reply::CheckCondition(sense))) = unit.server.complete(failed, &mut [], now) else { panic!() };
            assert_eq!(codes(&sense), INTERNAL, "and counts as no failure of the client");
        }
        assert!(matches!(unit.command(A, &command).0, Reply::Held(_)));
        let (done, mut data_in) = (unit.run_job(), vec![0; 16_384]);
        let Some((A, Reply::Good { len })) = unit.server.complete(done, &mut data_in, now) else { panic!() };
        client.reply(Status::Good(&data_in[..len])).unwrap();
    }
    assert_eq!(unit.server.sas().len(), 1);
}
