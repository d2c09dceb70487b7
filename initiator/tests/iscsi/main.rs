//! Sessions of libiscsi with an unmodified tgtd of the system, on 127.0.0.1: what a transport promises, without the protocol.
//!
//! Where there is no tgtd, or no right to run it, nothing can be shown, and each test says so; `initiator/check` installs it.
#![cfg(feature = "iscsi")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stderr,
    reason = "a test may panic, and says what it leaves out"
)]

mod tgtd;

use std::process::Command;
use std::time::Duration;

use ikev2_scsi::client::DeviceSense;
use ikev2_scsi_initiator::{Options, Transport, TransportError, open, status};
use tgtd::{NAME, Tgtd};

const TEST_UNIT_READY: [u8; 6] = [0; 6];
const RESERVE: [u8; 6] = [0x16, 0, 0, 0, 0, 0];
const INQUIRY: [u8; 6] = [0x12, 0, 0, 0, 0xFF, 0];

fn connect(target: &str, seconds: u64) -> Result<Box<dyn Transport>, TransportError> {
    let options = Options { timeout: Duration::from_secs(seconds), ..Options::default() };
    open(target.parse().unwrap(), &options)
}

fn error(result: Result<Box<dyn Transport>, TransportError>) -> String {
    match result {
        Err(error) => error.to_string(),
        Ok(_) => panic!("an error was expected"),
    }
}

#[test]
fn data_in_data_out_residuals_and_sense_data() {
    let Some(tgtd) = Tgtd::start(0) else { return };
    let mut transport = connect(&tgtd.url(1), 10).unwrap();
    // ADDITIONAL LENGTH tells how long standard INQUIRY data is (SPC-4 6.4.2); the rest is residual.
    let mut data_in = [0xA5; 255];
    let answer = transport.execute(&INQUIRY, &[], &mut data_in).unwrap();
    assert_eq!((answer.status, answer.data_in_len), (status::GOOD, usize::from(data_in[4]) + 5));
    assert!(answer.data_in_len < 255 && data_in[answer.data_in_len..].iter().all(|byte| *byte == 0xA5));

    // Less is asked for than there is room.
    let five = transport.execute(&[0x12, 0, 0, 0, 5, 0], &[], &mut [0; 255]).unwrap();
    assert_eq!((five.status, five.data_in_len), (status::GOOD, 5));

    // WRITE (10) and READ (10) of 128 blocks.
    let pattern: Vec<u8> = (0..128 * 512_u32).map(|i| (i % 251) as u8).collect();
    let (write, read) = ([0x2A, 0, 0, 0, 0, 5, 0, 0, 128, 0], [0x28, 0, 0, 0, 0, 5, 0, 0, 128, 0]);
    assert_eq!(transport.execute(&write, &pattern, &mut []).unwrap().status, status::GOOD);
    let mut back = vec![0; pattern.len()];
    assert_eq!(transport.execute(&read, &[], &mut back).unwrap().data_in_len, pattern.len());
    assert!(back == pattern);

    // This tgtd has no SECURITY PROTOCOL IN, and says so in sense data.
    let security_protocol_in = [0xA2, 0x40, 1, 1, 0, 0, 0, 0, 0x40, 0, 0, 0];
    let answer = transport.execute(&security_protocol_in, &[], &mut [0; 16_384]).unwrap();
    let sense = DeviceSense::parse(&answer.sense).unwrap();
    assert_eq!((answer.status, answer.data_in_len, sense.key, sense.asc.code), (status::CHECK_CONDITION, 0, 5, 0x20));
}

#[test]
fn logical_units_and_targets_that_are_not_there() {
    let Some(tgtd) = Tgtd::start(1) else { return };
    let missing = error(connect(&tgtd.url(7), 10));
    assert!(missing.ends_with("the target has no logical unit 7"), "{missing}");
    let unknown = error(connect(&tgtd.url(1).replace(NAME, "iqn.2007-04.org.example:nobody"), 10));
    assert!(unknown.contains(&tgtd.portal()) && unknown.contains("nobody"), "{unknown}");
    drop(tgtd);
}

/// RFC 4173: the fields say the same as the URL.
#[test]
fn a_root_path_finds_the_same_logical_unit() {
    let Some(tgtd) = Tgtd::start(2) else { return };
    for path in
        [format!("iscsi:127.0.0.1:6:{}:1:{NAME}", tgtd.port), format!("iscsi:127.0.0.1::{}:0001-0:{NAME}", tgtd.port)]
    {
        let mut transport = connect(&path, 10).unwrap();
        assert_eq!(transport.execute(&TEST_UNIT_READY, &[], &mut []).unwrap().status, status::GOOD, "{path}");
    }
    let missing = error(connect(&format!("iscsi:127.0.0.1:6:{}:2:{NAME}", tgtd.port), 10));
    assert!(missing.ends_with("no logical unit 2"), "{missing}");
}

/// A reservation belongs to an I_T nexus, and ends with it (SPC-2 5.5.1).
#[test]
fn a_second_nexus_is_another_one_and_a_renewed_one_is_new() {
    let Some(tgtd) = Tgtd::start(3) else { return };
    let mut first = connect(&tgtd.url(1), 10).unwrap();
    let mut second = first.second_nexus().unwrap();
    assert_eq!(tgtd.nexuses(), 2);
    assert_eq!(first.execute(&RESERVE, &[], &mut []).unwrap().status, status::GOOD);
    let read = [0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0];
    assert_eq!(second.execute(&read, &[], &mut [0; 512]).unwrap().status, status::RESERVATION_CONFLICT);
    assert_eq!(first.execute(&read, &[], &mut [0; 512]).unwrap().status, status::GOOD);
    first.renew_nexus().unwrap();
    assert_eq!(tgtd.nexuses(), 2);
    assert_eq!(second.execute(&read, &[], &mut [0; 512]).unwrap().status, status::GOOD);
    drop((first, second));
    assert_eq!(tgtd.nexuses(), 0);
}

#[test]
fn a_connection_that_breaks_is_an_error_and_not_made_again_by_itself() {
    let Some(tgtd) = Tgtd::start(4) else { return };
    let mut transport = connect(&tgtd.url(1), 5).unwrap();
    tgtd.break_connections();
    let broken = transport.execute(&TEST_UNIT_READY, &[], &mut []).unwrap_err();
    assert!(matches!(broken, TransportError::Lost(_)), "{broken}");
    let still = transport.execute(&TEST_UNIT_READY, &[], &mut []).unwrap_err();
    assert_eq!(still.to_string(), "the I_T nexus was lost: there is no session");
    transport.renew_nexus().unwrap();
    assert_eq!(transport.execute(&TEST_UNIT_READY, &[], &mut []).unwrap().status, status::GOOD);
}

#[test]
fn a_target_that_does_not_answer_is_not_waited_for_for_ever() {
    let Some(tgtd) = Tgtd::start(5) else { return };
    let mut transport = connect(&tgtd.url(1), 1).unwrap();
    tgtd.freeze();
    let silent = transport.execute(&TEST_UNIT_READY, &[], &mut []).unwrap_err();
    assert_eq!(silent.to_string(), "no answer within 1 s");
    let deaf = error(connect(&tgtd.url(1), 1));
    assert!(deaf.ends_with("no answer within 1 s"), "{deaf}");
    tgtd.thaw();
    transport.renew_nexus().unwrap();
    assert_eq!(transport.execute(&TEST_UNIT_READY, &[], &mut []).unwrap().status, status::GOOD);
}

/// RFC 3720 10.13.5: a login may be answered with where the target has gone.
#[test]
fn a_target_that_has_moved_is_followed_but_not_in_circles() {
    let (Some(old), Some(new)) = (Tgtd::start(7), Tgtd::start(8)) else { return };
    old.redirect("127.0.0.2", new.port);
    let mut transport = connect(&old.url(1), 10).unwrap();
    assert_eq!(transport.execute(&TEST_UNIT_READY, &[], &mut []).unwrap().status, status::GOOD);
    assert_eq!((old.nexuses(), new.nexuses()), (0, 1));
    drop(transport);
    new.redirect("127.0.0.2", old.port);
    let circles = error(connect(&old.url(1), 10));
    assert!(circles.ends_with("sent elsewhere more than 3 times"), "{circles}");
}

#[test]
fn chap_by_the_url_and_by_the_environment() {
    let Some(tgtd) = Tgtd::start(6) else { return };
    tgtd.require_chap("ronnie", "sesame-sesame");
    let with = |credentials: &str| tgtd.url(1).replace("iscsi://", &format!("iscsi://{credentials}"));
    assert!(connect(&with("ronnie%sesame-sesame@"), 10).is_ok());
    for wrong in ["ronnie%sesame-openly@", "rodney%sesame-sesame@", ""] {
        let refused = error(connect(&with(wrong), 10));
        assert!(
            refused.starts_with("no way to iscsi://127.0.0.1") && !refused.contains("sesame"),
            "{wrong}: {refused}"
        );
    }
    let run = |password: Option<&str>| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_ikev2-scsi-initiator"));
        program.args([&tgtd.url(1), "capabilities"]);
        if let Some(password) = password {
            program.env("LIBISCSI_CHAP_USERNAME", "ronnie").env("LIBISCSI_CHAP_PASSWORD", password);
        }
        let ended = program.output().unwrap();
        (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
    };
    // With the right password the logical unit is asked, which has no such command; without, it is not reached.
    let (status, told) = run(Some("sesame-sesame"));
    assert!(status == Some(1) && told.contains("has no SECURITY PROTOCOL IN command"), "{told}");
    for password in [Some("sesame-openly"), None] {
        let (status, told) = run(password);
        assert!(status == Some(1) && told.contains("no way to iscsi://"), "{told}");
    }
}
