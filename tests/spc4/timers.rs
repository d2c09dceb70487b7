//! Timeouts: zero stands for ten seconds, what restarts the protocol timer and what does not, how long an answer is repeated; each to
//! the millisecond (SPC-4 5.14.4.1, 7.7.3.5.15, table 556 note c; readings S4, S9).

use super::client::{COMBINED_SUITE, NO_AUTH};
use super::*;
use ikev2_scsi::server::{DeadlineReason, DropReason};

/// A sequence with a protocol timeout of 20 seconds, after so many commands, one each second from second 1 on.
fn after(bench: &mut Bench, commands: usize, auth: [u32; 2]) -> Client {
    let mut client = bench.client(A, COMBINED_SUITE.with_auth(auth), 0x1000);
    client.timeouts = vec![20, 600];
    for _ in 0..commands {
        bench.now += 1000;
        bench.step(A, &mut client);
    }
    client
}

/// When the timer of A runs out: before it the phase is what it was, on it and after it there is nothing.
fn runs_out(bench: &mut Bench, at: u64, phase: Phase) {
    let next = bench.server.next_deadline().filter(|next| next.reason == DeadlineReason::Protocol);
    assert_eq!(next.map(|next| next.at.as_millis()), Some(at));
    bench.server.expire(Instant::from_millis(at - 1));
    assert_eq!(bench.server.phase(A), phase, "one before {at}");
    bench.server.expire(Instant::from_millis(at));
    assert_eq!(bench.server.phase(A), Phase::Idle, "at {at}");
    bench.now = at;
}

/// Each command of the sequence begins the protocol timeout anew, and at its end all is as if there had been none.
#[test]
fn the_protocol_timer_of_each_step() {
    for commands in 1..=3 {
        let mut bench = Bench::new();
        let client = after(&mut bench, commands, COMBINED_SUITE.auth);
        let (phase, due) = (bench.server.phase(A), bench.now + 20_000);
        bench.events();
        runs_out(&mut bench, due, phase);
        let why = DropReason::ProtocolTimeout;
        assert_eq!(bench.events(), [(Some(A), EventKind::SequenceDropped { why })]);
        bench.is_abandoned(A, &client);
    }
}

/// The command itself may be what tells the time: a millisecond before it is in time, on it too late.
#[test]
fn a_command_on_the_millisecond() {
    for (early, is_good) in [(1, true), (0, false)] {
        for commands in 1..=3 {
            let mut bench = Bench::new();
            let mut client = after(&mut bench, commands, COMBINED_SUITE.auth);
            bench.now += 20_000 - early;
            if is_good {
                bench.finish(A, &mut client);
            } else {
                bench.is_abandoned(A, &client);
            }
        }
    }
}

/// Commands that are refused, repeated INs and other nexuses do not keep a sequence alive; REQUEST SENSE of its nexus does.
#[test]
fn what_prolongs_a_sequence() {
    for commands in 1..=3 {
        let mut bench = Bench::new();
        let client = after(&mut bench, commands, COMBINED_SUITE.auth);
        let due = bench.now + 20_000;
        let phase = bench.server.phase(A);
        bench.now += 5000;
        let now = bench.instant();
        assert_eq!(bench.server.request_sense(B, now), Sense::NONE);
        bench.capabilities(A);
        assert_eq!(code(&bench.refused(A, Command::KeyExchangeOut, &[])), BUSY);
        assert_eq!(code(&bench.refused_cdb(A, &[0xB5, 0x41, 1, 9, 0, 0, 0, 0, 0, 0, 0, 0], &[])), BUSY);
        let stranger = Client { ac_sai: 0x9999, ..client.clone() };
        assert_eq!(code(&bench.refused(A, Command::Delete, &stranger.delete())), REJECTED);
        if commands == 2 {
            bench.good(A, Command::KeyExchangeIn, &[]);
            assert_eq!(code(&bench.refused(A, Command::AuthenticationOut, &[])), REJECTED);
            assert_eq!(code(&bench.refused(A, Command::AuthenticationOut, &stranger.authentication_out())), REJECTED);
        }
        runs_out(&mut bench, due, phase);

        let mut bench = Bench::new();
        let mut client = after(&mut bench, commands, COMBINED_SUITE.auth);
        for _ in 0..3 {
            bench.now += 19_999;
            let now = bench.instant();
            assert_eq!(bench.server.request_sense(A, now), Sense::NONE);
        }
        let due = bench.now + 20_000;
        assert_eq!(bench.server.next_deadline().map(|next| next.at.as_millis()), Some(due));
        bench.now = due - 1;
        bench.finish(A, &mut client);
    }
}

/// Table 556 note c: until the protocol timeout after the authentication OUT, and not after the IN.
#[test]
fn how_long_an_authentication_in_is_repeated() {
    let mut bench = Bench::new();
    let client = after(&mut bench, 3, COMBINED_SUITE.auth);
    let due = bench.now + 20_000;
    bench.now += 15_000;
    let answer = bench.good(A, Command::AuthenticationIn, &[]);
    for now in [due - 2000, due - 1] {
        bench.now = now;
        assert_eq!(bench.good(A, Command::AuthenticationIn, &[]), answer);
        let now = bench.instant();
        assert_eq!(bench.server.request_sense(A, now), Sense::NONE, "there is no sequence to be prolonged");
        assert_eq!(code(&bench.refused(A, Command::KeyExchangeIn, &[])), BUSY);
    }
    runs_out(&mut bench, due, Phase::Complete);
    assert_eq!(code(&bench.refused(A, Command::AuthenticationIn, &[])), CDB);
    assert!(bench.has(&client), "the association stays");
}

/// The same when a job makes the answer: neither its command nor its result moves the end.
#[test]
fn how_long_it_is_repeated_when_a_job_made_it() {
    let mut bench = Bench::offloading();
    let mut client = bench.client(A, COMBINED_SUITE, 0x1000);
    client.timeouts = vec![20, 600];
    let mut due = 0;
    for command in
        [Command::KeyExchangeOut, Command::KeyExchangeIn, Command::AuthenticationOut, Command::AuthenticationIn]
    {
        bench.now += 1000;
        let list = match command {
            Command::KeyExchangeOut => client.key_exchange_out(),
            Command::AuthenticationOut => client.authentication_out(),
            _ => Vec::new(),
        };
        let (_, data_in) = bench.send(A, command, &list);
        if command == Command::KeyExchangeIn {
            client.read_key_exchange_in(&data_in);
        }
        bench.now += 1000;
        let now = bench.instant();
        if let Some(job) = bench.server.poll_job() {
            let _ = bench.server.complete(job.run(), &mut [0; 0x4000], now);
        }
        if command == Command::AuthenticationOut {
            due = bench.now + 20_000;
        }
    }
    assert!(bench.has(&client));
    runs_out(&mut bench, due, Phase::Complete);
}

/// Without authentication from the key exchange IN on.
#[test]
fn how_long_a_key_exchange_in_is_repeated() {
    let mut bench = Bench::new();
    let mut client = after(&mut bench, 1, [NO_AUTH; 2]);
    bench.now += 15_000;
    bench.step(A, &mut client);
    let due = bench.now + 20_000;
    bench.now = due - 1;
    assert_eq!(bench.good(A, Command::KeyExchangeIn, &[]), client.answer);
    runs_out(&mut bench, due, Phase::CompleteUnauthenticated);
    assert_eq!(code(&bench.refused(A, Command::KeyExchangeIn, &[])), SEQUENCE);
}

/// SPC-4 7.7.3.5.15: zero is ten seconds, for the timer and for TIMEOUT; values behind the second are not looked at.
#[test]
fn zero_stands_for_ten_seconds() {
    for (values, protocol, inactivity) in [
        (vec![0, 0], 10, 10),
        (vec![0, 600], 10, 600),
        (vec![20, 0], 20, 10),
        (vec![1, 1], 1, 1),
        (vec![60, 86_400], 60, 86_400),
        (vec![20, 30, 0], 20, 30),
        (vec![20, 30, u32::MAX, 0, 7], 20, 30),
        (vec![20; 255], 20, 20),
    ] {
        let mut bench = Bench::new();
        let mut client = bench.client(A, COMBINED_SUITE, 0x1000);
        client.timeouts = values;
        bench.step(A, &mut client);
        runs_out(&mut bench, protocol * 1000, Phase::KeyExchangeOut);
        // M1 is what was sent, zeros and all, which AUTH of both sides proves.
        let begun = bench.now;
        bench.begin_and_finish(A, &mut client);
        let sa = bench.server.sas().get(id(&client)).unwrap();
        assert_eq!(sa.parameters.timeout, u32::try_from(inactivity).unwrap());
        bench.now = begun + inactivity * 1000 - 1;
        assert!(bench.has(&client));
        bench.now += 1;
        assert!(!bench.has(&client), "it is as if it had never been");
        assert_eq!(code(&bench.refused(A, Command::Delete, &client.delete())), LIST);
    }
}

/// Ten seconds they are, whatever the policy takes at most from those who ask for more.
#[test]
fn zero_stands_for_ten_seconds_under_every_policy() {
    let mut bench = Bench::with(|builder| {
        builder.policy(policy(|policy| (policy.max_protocol_timeout, policy.max_inactivity_timeout) = (5, 7)))
    });
    let mut client = bench.client(A, COMBINED_SUITE, 0x1000);
    for (values, offset) in [(vec![6, 0], 8), (vec![0, 8], 12), (vec![10, 10], 8)] {
        client.timeouts = values;
        let sense = bench.refused(A, Command::KeyExchangeOut, &client.key_exchange_out());
        assert_eq!((code(&sense), sense.specific), (INVALID, in_list(28 + offset)));
    }
    client.timeouts = vec![0, 0];
    bench.step(A, &mut client);
    runs_out(&mut bench, 10_000, Phase::KeyExchangeOut);
    bench.begin_and_finish(A, &mut client);
    assert_eq!(bench.server.sas().get(id(&client)).unwrap().parameters.timeout, 10);
}

/// Each use of an association begins its TIMEOUT anew; a Delete that is refused is none.
#[test]
fn the_inactivity_timer() {
    let mut bench = Bench::new();
    let mut client = bench.client(A, COMBINED_SUITE, 0x1000);
    client.timeouts = vec![20, 30];
    bench.begin_and_finish(A, &mut client);
    bench.now = 29_999;
    let now = bench.instant();
    assert!(bench.server.touch(id(&client), now));
    bench.now = 59_000;
    let mut wrong = client.delete();
    *wrong.last_mut().unwrap() ^= 1;
    assert_eq!(code(&bench.refused(A, Command::Delete, &wrong)), LIST);
    bench.now = 59_998;
    assert!(bench.has(&client));
    bench.now = 59_999;
    assert!(!bench.has(&client));
    let now = bench.instant();
    assert!(!bench.server.touch(id(&client), now));
    assert_eq!(code(&bench.refused(B, Command::Delete, &client.delete())), LIST);
}
