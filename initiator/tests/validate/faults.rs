//! Each fault is found by the assertions that are named, and by none of them where it is not planted.

use std::sync::Arc;
use std::time::Duration;

use ikev2_scsi::keys::KeyLog;
use ikev2_scsi::{Profile, SlowCrypto};
use ikev2_scsi_initiator::InProcess;
use ikev2_scsi_initiator::validate::{Clock, Report, Stop};

use crate::bench::{COMBINED, SEPARATE, Suite, server_with, validate};
use crate::wrong::{Draws, Fault, Keys, Wrong};

/// Time that does not pass for the device server.
struct Standing;

impl Clock for Standing {
    fn wait(&mut self, _: Duration) {}

    fn may_wait_long(&self) -> bool {
        true
    }
}

fn reports(fault: Fault, profile: Profile, suite: Suite, numbers: &[u16]) -> Vec<Report> {
    let keys = Arc::new(Keys::default());
    let log = Arc::clone(&keys) as Arc<dyn KeyLog>;
    let server = server_with(profile, SlowCrypto::Inline, Some(log), |policy| {
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
    (Fault::ProtocolList, &[101], &[101]),
    (Fault::NoFormats, &[], &[116]),
    (Fault::TakesInc512, &[109, 110], &[109, 110]),
    (Fault::LooksAtReservedCdbBits, &[112], &[112]),
    (Fault::NoTruncation, &[113, 616, 1016], &[113, 616, 1016]),
    (Fault::RefusesShortAllocation, &[113], &[113]),
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
    (Fault::DeleteIgnored, &[1102], &[1102]),
    (Fault::DeleteUnchecked, &[1103, 1104], &[1103, 1104]),
    (Fault::DeleteOfSequenceIgnored, &[], &[1123]),
    (Fault::DisturbsOthers, &[1206], &[1206]),
    (Fault::SequenceSurvivesNexus, &[1209], &[1209]),
    (Fault::AssociationsGoWithNexus, &[1210], &[1210]),
    (Fault::NoTimeouts, &[1301, 1305, 1306], &[1301, 1305, 1306]),
];

/// Faults that are to be found in a dialect, and the assertions that shall find each.
fn check(profile: Profile, suite: Suite, faults: &[(Fault, &[u16])]) {
    let mut missed = Vec::new();
    let mut found = 0;
    for (fault, numbers) in faults.iter().filter(|(_, numbers)| !numbers.is_empty()) {
        let wrong = reports(*fault, profile, suite, numbers);
        assert_eq!(wrong.len(), numbers.len(), "{fault:?}: an assertion that is named is not there");
        let is_found = |report: &Report| matches!(report.stop, Some(Stop::Failed { .. }));
        missed.extend(wrong.iter().filter(|report| !is_found(report)).map(|report| format!("{fault:?}: {report}")));
        found += usize::from(wrong.iter().all(is_found));
        let right = reports(Fault::Nothing, profile, suite, numbers);
        missed.extend(right.iter().filter(|r| !r.has_passed()).map(|report| format!("without {fault:?}: {report}")));
    }
    println!("{found} faults found");
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn every_fault_of_an_r3_device_server_is_found() {
    let faults: Vec<_> = FAULTS.iter().map(|(fault, r3, _)| (*fault, *r3)).collect();
    assert!(faults.iter().filter(|(_, numbers)| !numbers.is_empty()).count() > 50);
    check(Profile::R3, SEPARATE, &faults);
}

#[test]
fn every_fault_of_an_spc4_device_server_is_found() {
    let faults: Vec<_> = FAULTS.iter().map(|(fault, _, spc4)| (*fault, *spc4)).collect();
    assert!(faults.iter().filter(|(_, numbers)| !numbers.is_empty()).count() > 50);
    check(Profile::SPC4, SEPARATE, &faults);
}

/// With a combined mode as well, where it makes a difference.
#[test]
fn faults_of_sealed_answers_are_found_with_a_combined_mode() {
    let sealed = [Fault::AnswerIcv, Fault::AnswerCrit, Fault::AnswerMethod, Fault::AnswerKeys];
    let faults: Vec<_> =
        FAULTS.iter().filter(|(fault, ..)| sealed.contains(fault)).map(|(fault, r3, _)| (*fault, *r3)).collect();
    assert_eq!(faults.len(), sealed.len());
    check(Profile::R3, COMBINED, &faults);
    check(Profile::SPC4, COMBINED, &faults);
}
