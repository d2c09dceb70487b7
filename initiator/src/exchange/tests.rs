//! Whole exchanges with a logical unit of this process, through everything that puts a command off.

use ikev2_scsi::ccs::table::Phase;
use ikev2_scsi::sa::SaId;
use ikev2_scsi::{crypto, provider};
use ikev2_scsi_provisioning::{Provisioning, SystemRandom};

use super::*;
use crate::test_unit::{NEXUS, Seen, TestUnit, check_condition, config, just, not_ready, provisioning, unit_attention};
use crate::transport::Answer;

const DIALECTS: [&str; 2] = ["r3", "spc4"];

fn create(unit: &mut TestUnit, seen: &mut Seen, dialect: &str) -> Result<Created, Error> {
    let config = config(dialect);
    let patience = Patience { not_ready: Duration::from_secs(2), ..Patience::default() };
    Exchanges::new(unit, config.profile(), patience, seen).create(&config, None, &mut SystemRandom)
}

fn steps(created: &Created) -> Vec<(Step, u32)> {
    created.timings.iter().map(|timing| (timing.step, timing.tries)).collect()
}

const STEPS: [Step; 5] =
    [Step::Capabilities, Step::KeyExchangeOut, Step::KeyExchangeIn, Step::AuthenticationOut, Step::AuthenticationIn];

#[test]
fn an_association_is_made_and_deleted_in_both_dialects() {
    for dialect in DIALECTS {
        let (mut unit, mut seen) = (TestUnit::new(dialect), Seen::default());
        let created = create(&mut unit, &mut seen, dialect).unwrap();
        assert_eq!(steps(&created), STEPS.map(|step| (step, 1)));
        let (ac_sai, ds_sai) = (created.parameters.ac_sai, created.parameters.ds_sai);
        let theirs = unit.server.sas().get(SaId { ac_sai, ds_sai }).unwrap();
        assert_eq!(theirs.parameters.key_seed(), created.parameters.key_seed());
        assert_eq!(theirs.parameters.keymat(), created.parameters.keymat());
        assert_eq!(created.device_server.as_ref().unwrap().identity, *provisioning(dialect, "server").identity());
        // r3 selects five algorithms, SPC-4 one for each direction of authentication.
        assert_eq!(created.selected.len(), if dialect == "r3" { 5 } else { 6 });
        assert_eq!(seen.answered, STEPS.map(|step| (step, status::GOOD)));
        assert!(seen.waiting.is_empty() && seen.pauses.is_empty());

        let config = config(dialect);
        let mut exchanges = Exchanges::new(&mut unit, config.profile(), Patience::default(), &mut seen);
        let timing = exchanges.delete(&config, created.parameters, &mut SystemRandom).unwrap();
        assert_eq!((timing.step, timing.tries), (Step::Delete, 1));
        assert!(unit.server.sas().is_empty());
    }
}

#[test]
fn what_was_put_off_is_sent_again() {
    for dialect in DIALECTS {
        let (mut unit, mut seen) = (TestUnit::new(dialect), Seen::default());
        unit.say([
            Some(unit_attention()),
            Some(just(status::BUSY)),
            None,
            Some(just(status::TASK_SET_FULL)),
            Some(just(status::TASK_SET_FULL)),
            None,
            Some(not_ready(0x4000)),
            Some(not_ready(0x8000)),
        ]);
        let created = create(&mut unit, &mut seen, dialect).unwrap();
        let tries = [3, 3, 3, 1, 1];
        assert_eq!(steps(&created), STEPS.iter().copied().zip(tries).collect::<Vec<_>>());
        // Not after a unit attention; each pause twice the one before it.
        assert_eq!(seen.pauses, [5, 5, 10, 5, 10]);
        let progress = seen.waiting.iter().filter_map(|(step, reason, _)| match reason {
            Reason::PutOff(sense) => Some((*step, sense.progress())),
            Reason::Busy(_) => None,
        });
        let expected = [(Step::KeyExchangeIn, Some(0x4000)), (Step::KeyExchangeIn, Some(0x8000))];
        assert_eq!(progress.collect::<Vec<_>>(), expected);
        assert_eq!(unit.server.sas().len(), 1);
    }
}

/// A transport that loses residual counts says that all of Data-In has come.
#[test]
fn a_lost_residual_count_does_no_harm() {
    #[derive(Debug)]
    struct Lossy(TestUnit);
    impl Transport for Lossy {
        fn execute(&mut self, cdb: &[u8], data_out: &[u8], data_in: &mut [u8]) -> Result<Answer, TransportError> {
            let answer = self.0.execute(cdb, data_out, data_in)?;
            data_in[answer.data_in_len..].fill(0xA5);
            Ok(Answer { data_in_len: data_in.len(), ..answer })
        }
        fn renew_nexus(&mut self) -> Result<(), TransportError> {
            self.0.renew_nexus()
        }
        fn second_nexus(&mut self) -> Result<Box<dyn Transport>, TransportError> {
            self.0.second_nexus()
        }
    }
    for dialect in DIALECTS {
        let (mut unit, config) = (Lossy(TestUnit::new(dialect)), config(dialect));
        let mut watch = Unwatched;
        let mut exchanges = Exchanges::new(&mut unit, config.profile(), Patience::default(), &mut watch);
        let created = exchanges.create(&config, None, &mut SystemRandom).unwrap();
        assert!(created.timings.iter().all(|timing| timing.data_in < 16_384), "{:?}", created.timings);
        assert!(DeviceCapabilities::parse(config.profile(), &exchanges.capabilities().unwrap()).is_ok());
        assert_eq!(unit.0.server.sas().len(), 1);
    }
    // What is no parameter data is left as it is, and so is what ends before its own length.
    let cdb = |protocol, length| Cdb::new(Direction::In, protocol, 0x0101, length);
    for (cdb, data, left) in [
        (cdb(0x40, 6), vec![0, 0, 0, 1, 9, 8], 5),
        (cdb(0x40, 7), vec![0, 0, 0, 1, 9, 8], 6),
        (cdb(0x40, 6), vec![0, 0, 0, 9, 9, 8], 6),
        (cdb(0x40, 6), vec![0xFF; 6], 6),
        (cdb(0x41, 27), vec![0; 27], 27),
        (cdb(0x41, 2), vec![0; 2], 2),
    ] {
        let mut filled = data;
        leave_out_filling(&cdb, &mut filled);
        assert_eq!(filled.len(), left, "{cdb:?}");
    }
}

/// A device server that hands its calculations out tells how far they are (r3 5.13.7).
#[test]
fn calculations_are_waited_for() {
    for dialect in DIALECTS {
        let (mut unit, mut seen) = (TestUnit::offloading(dialect, 2), Seen::default());
        create(&mut unit, &mut seen, dialect).unwrap();
        let at = |wanted| seen.waiting.iter().filter(|(step, ..)| *step == wanted).count();
        assert_eq!((at(Step::KeyExchangeIn), unit.server.sas().len()), (3, 1), "{:?}", seen.waiting);
    }
}

#[test]
fn patience_has_an_end() {
    for dialect in DIALECTS {
        let (mut unit, mut seen) = (TestUnit::new(dialect), Seen::default());
        unit.say((0..99).map(|_| Some(just(status::BUSY))));
        let error = create(&mut unit, &mut seen, dialect).unwrap_err();
        assert_eq!(error.to_string(), "capabilities: BUSY (08h) after 16 tries");
        assert_eq!((unit.seen.len(), seen.pauses.len()), (16, 15));

        let (mut unit, mut seen) = (TestUnit::new(dialect), Seen::default());
        unit.say((0..99).map(|_| Some(unit_attention())));
        let error = create(&mut unit, &mut seen, dialect).unwrap_err();
        assert_eq!(
            error.to_string(),
            "capabilities: put off 9 times in 0 ms: UNIT ATTENTION, POWER ON, RESET, OR BUS DEVICE RESET OCCURRED (29h/00h)"
        );

        let (mut unit, mut seen) = (TestUnit::new(dialect), Seen::default());
        unit.say([None, None]);
        unit.say((0..99).map(|_| Some(not_ready(0xFFFF))));
        let error = create(&mut unit, &mut seen, dialect).unwrap_err();
        assert!(matches!(error.cause, Cause::PutOff { tries: 10, milliseconds: 2275, .. }), "{error:?}");
        assert_eq!(error.leftover(), Leftover::PerhapsSequence);
        assert_eq!(seen.pauses, [5, 10, 20, 40, 80, 160, 320, 640, 1000]);
        assert!(error.to_string().contains("OPERATION IN PROGRESS (04h/07h), 99 % done"), "{error}");
    }
}

/// SPC-4 5.14.4.10: a Delete ends a sequence that is given up; r3 leaves it to the protocol timeout.
#[test]
fn a_sequence_that_is_given_up_is_ended() {
    for dialect in DIALECTS {
        let (mut unit, mut seen) = (TestUnit::new(dialect), Seen::default());
        unit.say([None, None, None]);
        unit.say((0..10).map(|_| Some(not_ready(0))));
        create(&mut unit, &mut seen, dialect).unwrap_err();
        let is_ended = unit.server.phase(NEXUS) == Phase::Idle;
        assert_eq!(is_ended, dialect == "spc4");
        assert_eq!(unit.seen.last(), Some(&if is_ended { (0xB5, 4) } else { (0xB5, 3) }));
    }
}

#[test]
fn statuses_that_are_final() {
    for (status, name) in [
        (status::RESERVATION_CONFLICT, "RESERVATION CONFLICT (18h)"),
        (status::TASK_ABORTED, "TASK ABORTED (40h)"),
        (status::ACA_ACTIVE, "ACA ACTIVE (30h)"),
        (0x22, "an unknown status (22h)"),
    ] {
        let mut unit = TestUnit::new("r3");
        unit.say([None, Some(just(status))]);
        let error = create(&mut unit, &mut Seen::default(), "r3").unwrap_err();
        assert_eq!(error.to_string(), format!("key exchange OUT: {name}"));
    }
}

#[test]
fn a_lost_nexus_is_told_with_what_it_leaves() {
    let mut unit = TestUnit::new("r3");
    unit.say([None, None, None, None]);
    unit.script.push_back(Some(Err(TransportError::Lost("reset by peer".into()))));
    let error = create(&mut unit, &mut Seen::default(), "r3").unwrap_err();
    assert_eq!(
        error.to_string(),
        "authentication IN: the I_T nexus was lost: reset by peer; the device server may keep the association until its \
         inactivity timeout"
    );
}

#[test]
fn refusals_are_told_in_words_and_with_advice() {
    let refused = |sense: [u8; 8]| -> String {
        let mut unit = TestUnit::new("r3");
        unit.say([Some(check_condition(&sense))]);
        create(&mut unit, &mut Seen::default(), "r3").unwrap_err().to_string()
    };
    assert_eq!(
        refused([0x72, 5, 0x20, 0, 0, 0, 0, 0]),
        "capabilities: refused by the device server: ILLEGAL REQUEST, INVALID COMMAND OPERATION CODE (20h/00h); the logical \
         unit has no SECURITY PROTOCOL IN command"
    );
    assert!(refused([0x72, 5, 0x24, 0, 0, 0, 0, 0]).ends_with("and no SA creation capabilities (protocol 40h)"));
    let mut unit = TestUnit::new("r3");
    unit.say([Some(Answer { status: status::CHECK_CONDITION, data_in_len: 0, sense: vec![] })]);
    let error = create(&mut unit, &mut Seen::default(), "r3").unwrap_err().to_string();
    assert_eq!(error, "capabilities: refused by the device server, without sense data");
}

/// Another key than the device server knows; who it was that failed is not told (r3 7.7.4.6).
#[test]
fn a_wrong_key_is_told_by_the_device_server() {
    for dialect in DIALECTS {
        let file = format!("{}/../emulators/provisioning/examples/{dialect}-client.toml", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(file).unwrap();
        let text = text.replace("key of host-1, which", "key of host-1, that");
        let wrong = Provisioning::from_toml(&text, "").unwrap();
        let config = Arc::new(wrong.application_client(provider::provider()).unwrap().build().unwrap());
        let (mut unit, mut seen) = (TestUnit::new(dialect), Seen::default());
        let mut exchanges = Exchanges::new(&mut unit, config.profile(), Patience::default(), &mut seen);
        let error = exchanges.create(&config, None, &mut SystemRandom).unwrap_err();
        assert_eq!(error.step, Step::AuthenticationOut);
        assert!(
            error.to_string().contains("AUTHENTICATION FAILED (74h/40h)")
                && error.to_string().contains("; the device server does not tell why"),
            "{error}"
        );
        assert!(unit.server.sas().is_empty());
    }
}

#[test]
fn an_association_cannot_be_deleted_twice() {
    for dialect in DIALECTS {
        let (mut unit, mut seen) = (TestUnit::new(dialect), Seen::default());
        let created = create(&mut unit, &mut seen, dialect).unwrap();
        let (ac_sai, ds_sai) = (created.parameters.ac_sai, created.parameters.ds_sai);
        assert!(unit.server.remove_sa(SaId { ac_sai, ds_sai }));
        let config = config(dialect);
        let mut exchanges = Exchanges::new(&mut unit, config.profile(), Patience::default(), &mut seen);
        let error = exchanges.delete(&config, created.parameters, &mut SystemRandom).unwrap_err();
        assert_eq!(error.leftover(), Leftover::Nothing);
        assert!(error.to_string().ends_with("it may have been deleted already, or run out unused"), "{error}");
    }
}

/// The random source is asked before anything is sent.
#[test]
fn a_broken_random_source_is_an_error_and_no_hang() {
    struct Broken;
    impl Random for Broken {
        fn fill(&mut self, _: crypto::Purpose, _: &mut [u8]) -> Result<(), crypto::RandomError> {
            Err(crypto::RandomError)
        }
    }
    let (mut unit, mut seen) = (TestUnit::new("r3"), Seen::default());
    let config = config("r3");
    let mut exchanges = Exchanges::new(&mut unit, config.profile(), Patience::default(), &mut seen);
    let error = exchanges.create(&config, None, &mut Broken).unwrap_err();
    assert_eq!(error.to_string(), "key exchange OUT: the random source failed");
    assert_eq!(unit.seen.len(), 1);
}
