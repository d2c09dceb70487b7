//! Each fault is found by the assertions that are named, and by none of them where it is not planted.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ikev2_scsi::keys::KeyLog;
use ikev2_scsi::{Profile, SlowCrypto};
use ikev2_scsi_initiator::validate::{Clock, Report, Stop, assertions};
use ikev2_scsi_initiator::{InProcess, InProcessClock};

use crate::bench::{CERTIFIED, COMBINED, MANDATORY, ROW_2, SEPARATE, Suite, server_with, validate};
use crate::wrong::{Draws, Fault, Keys, Wrong};

/// Time that does not pass for the device server.
struct Standing;

impl Clock for Standing {
    fn wait(&mut self, _: Duration) {}

    fn may_wait_long(&self) -> bool {
        true
    }
}

/// Time that passes twice as fast for the device server.
struct Racing(InProcessClock);

impl Clock for Racing {
    fn wait(&mut self, time: Duration) {
        self.0.wait(time * 2);
    }

    fn may_wait_long(&self) -> bool {
        true
    }
}

fn reports(fault: Fault, profile: Profile, suite: Suite, numbers: &[u16]) -> Vec<Report> {
    // What is said while a calculation runs is said where one runs.
    let is_slow = numbers.iter().any(|number| [1310, 1311].contains(number));
    let slow = if is_slow { SlowCrypto::Offload } else { SlowCrypto::Inline };
    let keys = Arc::new(Keys::default());
    let log = Arc::clone(&keys) as Arc<dyn KeyLog>;
    let server = server_with(profile, slow, Some(log), suite.has_certificates, |policy| {
        if fault == Fault::NoMaximumTimeout {
            (policy.max_protocol_timeout, policy.max_inactivity_timeout) = (u32::MAX, u32::MAX);
        }
    });
    let unit = InProcess::new(server, Box::new(Draws::of(fault)));
    let mut clock = unit.clock();
    let mut wrong = Wrong::new(unit, fault, keys);
    let wanted = |number| numbers.contains(&number);
    match fault {
        Fault::NoTimeouts => validate(profile, suite, &mut wrong, &mut Standing, wanted),
        Fault::ShortTimeouts => validate(profile, suite, &mut wrong, &mut Racing(clock), wanted),
        _ => validate(profile, suite, &mut wrong, &mut clock, wanted),
    }
}

/// A fault, and the assertions that must find it in each dialect; none where the dialect has no such rule.
type Planted = (Fault, &'static [u16], &'static [u16]);

const FAULTS: &[Planted] = &[
    (Fault::SenseCode, &[306, 911], &[306, 901]),
    (Fault::SenseKey, &[925, 928], &[925, 933]),
    (Fault::PointerOffByOne, &[105, 306, 429, 507], &[105, 306, 429, 507]),
    (Fault::PointerIntoCdb, &[306, 802], &[306, 802]),
    (Fault::NoPointer, &[105, 316, 925], &[105, 316, 802]),
    (Fault::NoBitPointer, &[109, 306, 311], &[109, 306, 311]),
    (Fault::RejectedIsInvalid, &[], &[802, 807, 1106]),
    (Fault::Progress, &[712], &[712]),
    (Fault::CapabilitiesOrder, &[207], &[207]),
    (Fault::CapabilitiesLength, &[201], &[201]),
    (Fault::CapabilitiesCrit, &[203], &[203]),
    (Fault::CapabilitiesReserved, &[205], &[205]),
    (Fault::CapabilitiesWithoutMandatory, &[211], &[211]),
    (Fault::CapabilitiesChange, &[216], &[216]),
    (Fault::CapabilitiesInSequence, &[217], &[217]),
    (Fault::CapabilitiesByNexus, &[1201], &[1201]),
    (Fault::CapabilitiesNext, &[202], &[202]),
    (Fault::CapabilitiesPayloadLength, &[204], &[204]),
    (Fault::DescriptorLength, &[206], &[206]),
    (Fault::DescriptorTwice, &[208], &[208]),
    (Fault::UnknownType, &[209, 210], &[209, 210]),
    (Fault::NoIntegrityMissing, &[212], &[212]),
    (Fault::OddKeyLength, &[213], &[213]),
    (Fault::NobodyInOneDirection, &[214], &[214]),
    (Fault::AttributeBits, &[215], &[]),
    (Fault::Lacks(0x01, 0x0C), &[1401], &[1401]),
    (Fault::Lacks(0x02, 0x02), &[1402], &[1402]),
    (Fault::Lacks(0x03, 0x02), &[1403], &[1403]),
    (Fault::Lacks(0x04, 0x13), &[1404], &[1404]),
    (Fault::Lacks(0xF9, 0x02), &[1405], &[1406]),
    (Fault::Lacks(0xFA, 0x02), &[], &[1405]),
    (Fault::ProtocolList, &[101], &[101]),
    (Fault::NoFormats, &[], &[116]),
    (Fault::TakesInc512, &[109, 110], &[109, 110]),
    (Fault::LooksAtReservedCdbBits, &[112], &[112]),
    (Fault::NoTruncation, &[113, 616, 1016], &[113, 616, 1016]),
    (Fault::RefusesShortAllocation, &[113, 114], &[113, 114]),
    (Fault::AnswersDeletes, &[107], &[107]),
    (Fault::IgnoresCrit, &[408, 409], &[408]),
    (Fault::TakesEveryVersion, &[306, 307], &[306, 307]),
    (Fault::TakesZeroSai, &[301], &[]),
    (Fault::TakesEveryOrder, &[405], &[]),
    (Fault::TakesEveryGroup, &[427], &[427]),
    (Fault::TakesZeroTimeouts, &[423, 424], &[]),
    (Fault::NoMaximumTimeout, &[425, 426], &[425, 426]),
    (Fault::TakesLongNonces, &[436], &[436]),
    (Fault::TakesZeroPublic, &[429], &[429]),
    (Fault::TakesTrailingBytes, &[318], &[318]),
    (Fault::BeginsThoughRefused, &[320], &[320]),
    (Fault::Version, &[603], &[603]),
    (Fault::MessageId, &[606], &[606]),
    (Fault::Flags, &[605], &[605]),
    (Fault::Length, &[607], &[607]),
    (Fault::PayloadCrit, &[609], &[609]),
    (Fault::RepetitionDiffers, &[615], &[615]),
    (Fault::NonceReused, &[617, 1204], &[617, 1204]),
    (Fault::SaiReused, &[618, 1204], &[618, 1204]),
    (Fault::SaiZero, &[602], &[602]),
    (Fault::PublicZero, &[613], &[613]),
    (Fault::EchoDiffers, &[610], &[610]),
    (Fault::SaidDiffers, &[611], &[]),
    (Fault::OtherAcSai, &[601], &[601]),
    (Fault::ExchangeType, &[604], &[604]),
    (Fault::PayloadOrder, &[608], &[608]),
    (Fault::OtherGroup, &[612], &[612]),
    (Fault::ShortNonce, &[614, 619], &[614, 619]),
    (Fault::StateLostAfterRefusal, &[718, 802, 932], &[718, 802]),
    (Fault::AuthenticationInFirst, &[707, 719], &[707, 719]),
    (Fault::KeyExchangeInAlways, &[708, 714], &[708, 714]),
    (Fault::SecondAuthenticationTaken, &[709], &[709]),
    (Fault::SecondKeyExchangeTaken, &[705], &[705]),
    (Fault::NothingRepeated, &[713, 1015], &[713, 1015]),
    (Fault::TakesEveryIcv, &[802], &[802]),
    (Fault::FailuresNotCounted, &[931], &[]),
    (Fault::ForgeriesCounted, &[823], &[]),
    (Fault::GoesOnAfterFailure, &[], &[901, 933]),
    (Fault::AnswerMessageId, &[1003], &[1003]),
    (Fault::AnswerIcv, &[1006], &[1006]),
    (Fault::AnswerCrit, &[1009], &[1009]),
    (Fault::AnswerMethod, &[1011], &[1011]),
    (Fault::AnswerPadding, &[1007], &[1007]),
    (Fault::AnswerKeys, &[1006], &[1006]),
    (Fault::AnswerSais, &[1001], &[1001]),
    (Fault::AnswerVersion, &[1002], &[1002]),
    (Fault::AnswerLength, &[1004], &[1004]),
    (Fault::AnswerOuterCrit, &[1005], &[1005]),
    (Fault::AnswerPayloads, &[1008], &[1008]),
    (Fault::AnswerIdType, &[1010], &[1010]),
    (Fault::AnswerIdentity, &[1012, 1013], &[1012, 1013]),
    (Fault::AnswerProof, &[801, 1012], &[801, 1012]),
    (Fault::AnswerUsage, &[], &[1014]),
    (Fault::IvReused, &[1018], &[1018]),
    (Fault::RefusesAuthentication, &[619, 801, 1406], &[619, 801]),
    (Fault::DeleteIgnored, &[1102], &[1102]),
    (Fault::DeleteUnchecked, &[1103, 1104], &[1103, 1104]),
    (Fault::DeleteOfSequenceIgnored, &[], &[1123]),
    (Fault::RefusesDeletes, &[717, 1101, 1122, 1126, 1207, 1307], &[717, 1101, 1122, 1126, 1207, 1307]),
    (Fault::DisturbsOthers, &[1206], &[1206]),
    (Fault::SequenceSurvivesNexus, &[1209], &[1209]),
    (Fault::AssociationsGoWithNexus, &[1210], &[1210]),
    (Fault::NoTimeouts, &[1301, 1305, 1306], &[1301, 1305, 1306]),
    (Fault::ShortTimeouts, &[1302, 1307], &[1302, 1307]),
    (Fault::OneSequenceForAll, &[1203], &[1203]),
    (Fault::LossDisturbsOthers, &[1212], &[1212]),
    (Fault::RequestSenseFails, &[1309], &[1309]),
    (Fault::RequestSenseUnheard, &[1311], &[1304, 1311]),
    (Fault::CalculationCode, &[1310], &[1310]),
];

/// Faults that are to be found in a dialect, and the assertions that shall find each.
fn check(profile: Profile, suite: Suite, faults: &[(Fault, &[u16])]) -> usize {
    let mut missed = Vec::new();
    let mut found = 0;
    for (fault, numbers) in faults.iter().filter(|(_, numbers)| !numbers.is_empty()) {
        let wrong = reports(*fault, profile, suite, numbers);
        assert_eq!(wrong.len(), numbers.len(), "{fault:?}: an assertion that is named is not there");
        let is_found = |report: &Report| matches!(report.stop, Some(Stop::Failed { .. }));
        missed.extend(wrong.iter().filter(|report| !is_found(report)).map(|report| format!("{fault:?}: {report}")));
        found += usize::from(wrong.iter().all(is_found));
        // The last group takes long, and is run against the right device server elsewhere.
        let quick: Vec<u16> = numbers.iter().copied().filter(|number| *number < 1400).collect();
        let right = reports(Fault::Nothing, profile, suite, &quick);
        missed.extend(right.iter().filter(|r| !r.has_passed()).map(|report| format!("without {fault:?}: {report}")));
    }
    println!("{found} faults found");
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    found
}

const PAGE: &str = include_str!("../../VALIDATOR.md");

#[test]
fn every_fault_of_an_r3_device_server_is_found() {
    let faults: Vec<_> = FAULTS.iter().map(|(fault, r3, _)| (*fault, *r3)).collect();
    let found = check(Profile::R3, SEPARATE, &faults);
    assert!(found > 90 && PAGE.contains(&format!("({found} faults in r3, ")), "the page should say {found}");
}

#[test]
fn every_fault_of_an_spc4_device_server_is_found() {
    let faults: Vec<_> = FAULTS.iter().map(|(fault, _, spc4)| (*fault, *spc4)).collect();
    let found = check(Profile::SPC4, SEPARATE, &faults);
    assert!(found > 90 && PAGE.contains(&format!("{found} in SPC-4)")), "the page should say {found}");
}

/// Every assertion fails against some wrong device server, so that none passes for nothing.
fn each_can_fail(profile: Profile, named: impl Iterator<Item = &'static [u16]>) {
    let mut able: BTreeSet<u16> = named.flatten().copied().collect();
    let all: Vec<u16> = assertions().filter(|a| a.clause(profile.dialect).is_some()).map(|a| a.number).collect();
    let inline: Vec<u16> =
        all.iter().copied().filter(|number| ![1310, 1311].contains(number) && *number < 1400).collect();
    // What a suite cannot show, another one does.
    let blanket = [
        (Fault::SaysGood, SEPARATE),
        (Fault::Strict, SEPARATE),
        (Fault::StrictInside, SEPARATE),
        (Fault::SaysGood, MANDATORY),
        (Fault::SaysGood, ROW_2),
        (Fault::SaysGood, CERTIFIED),
    ];
    for (fault, suite) in blanket {
        let only: &[u16] = match suite.name {
            name if name == MANDATORY.name => &[432],
            name if name == ROW_2.name => &[437],
            name if name == CERTIFIED.name => &[938],
            _ => &inline,
        };
        let failed = reports(fault, profile, suite, only);
        let failed = failed.iter().filter(|report| matches!(report.stop, Some(Stop::Failed { .. })));
        let numbers: Vec<u16> = failed.map(|report| report.assertion.number).collect();
        println!("{fault:?}: {} assertions", numbers.len());
        able.extend(numbers);
    }
    let never: Vec<u16> = all.into_iter().filter(|number| !able.contains(number)).collect();
    assert_eq!(never, [0; 0]);
}

#[test]
fn every_assertion_of_r3_can_fail() {
    each_can_fail(Profile::R3, FAULTS.iter().map(|(_, r3, _)| *r3));
}

#[test]
fn every_assertion_of_spc4_can_fail() {
    each_can_fail(Profile::SPC4, FAULTS.iter().map(|(_, _, spc4)| *spc4));
}

/// With a combined mode as well, where it makes a difference.
#[test]
fn faults_of_sealed_answers_are_found_with_a_combined_mode() {
    let sealed = [Fault::AnswerIcv, Fault::AnswerCrit, Fault::AnswerMethod, Fault::AnswerKeys];
    let faults: Vec<_> =
        FAULTS.iter().filter(|(fault, ..)| sealed.contains(fault)).map(|(fault, r3, _)| (*fault, *r3)).collect();
    assert_eq!(faults.len(), sealed.len());
    assert_eq!(check(Profile::R3, COMBINED, &faults), sealed.len());
    assert_eq!(check(Profile::SPC4, COMBINED, &faults), sealed.len());
}
