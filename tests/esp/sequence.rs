//! Sequence numbers: the window at its edges, the last number, what a failure uses up.

use ikev2_scsi::esp::{BuildError, FaultKind, OpenError, WINDOW};

use super::*;

/// Opens a descriptor with the number `sequence` after `last`.
fn open(association: &Association, flow: Flow, last: u64, sequence: u64) -> Result<bool, FaultKind> {
    // A sender never uses zero: the field is overwritten, and the ICV would not match.
    let mut descriptor = association.build(flow, Form::WithLength, sequence.saturating_sub(1), b"data");
    descriptor[8..16].copy_from_slice(&sequence.to_be_bytes());
    let mut sa = association.parameters(last);
    match esp().open(flow, &mut sa, &mut descriptor, Form::WithLength) {
        Ok(opened) => {
            assert_eq!(number_of(flow, &sa), sequence);
            Ok(opened.is_last)
        }
        Err(OpenError::Fault(fault)) => {
            assert_eq!(sa, association.parameters(last));
            assert_eq!(fault.byte, if fault.kind == FaultKind::Mismatch { 16 + 8 + 8 } else { 8 });
            Err(fault.kind)
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn the_window_has_32_numbers() {
    let association = Association::named("gcm128");
    for flow in FLOWS {
        let open = |last, sequence| open(&association, flow, last, sequence);
        for last in [0, 1, 2, 31, 32, 0xFFFF_FFFF, 1 << 63] {
            assert_eq!(open(last, 0), Err(FaultKind::Zero), "{last}");
            if last > 0 {
                assert_eq!(open(last, last), Err(FaultKind::Replayed));
                assert_eq!(open(last, 1), Err(FaultKind::Replayed));
                assert_eq!(open(last, last.div_ceil(2)), Err(FaultKind::Replayed));
            }
            for ahead in 1..=WINDOW {
                assert_eq!(open(last, last + ahead), Ok(false), "{last} + {ahead}");
            }
            for beyond in [last + WINDOW + 1, last + WINDOW + 2, LAST - 1, LAST] {
                assert_eq!(open(last, beyond), Err(FaultKind::TooFarAhead), "{last}, {beyond}");
            }
        }
        // Where the window would reach beyond the last number it ends there.
        for below in 0..=WINDOW {
            let last = LAST - below;
            assert_eq!(open(last, last), Err(FaultKind::Replayed));
            assert_eq!(open(last, LAST), if below == 0 { Err(FaultKind::Replayed) } else { Ok(true) });
        }
        assert_eq!(open(LAST - 33, LAST), Err(FaultKind::TooFarAhead));
    }
}

#[test]
fn a_sender_counts_from_two_to_the_last_number() {
    for association in Association::all() {
        for flow in FLOWS {
            let mut sa = association.parameters(1);
            let random = || Recorded(vec![1; association.iv_length()]);
            for sequence in 2_u64..40 {
                let built = esp().build(flow, &mut sa, b"x", Form::WithoutLength, &mut random()).unwrap();
                assert_eq!((&built.descriptor[8..16], built.is_last), (&sequence.to_be_bytes()[..], false));
            }
            let mut sa = association.parameters(LAST - 2);
            let mut build = || esp().build(flow, &mut sa, b"x", Form::WithoutLength, &mut random());
            assert!(!build().unwrap().is_last);
            assert!(build().unwrap().is_last);
            assert_eq!(build().unwrap_err(), BuildError::Exhausted);
            assert_eq!(number_of(flow, &sa), LAST);
        }
    }
}

/// Each direction counts for itself.
#[test]
fn directions_do_not_share_numbers() {
    let association = Association::named("ccm128");
    let [mut client, mut server] = [association.parameters(1), association.parameters(1)];
    for (flow, count) in [(Flow::Out, 3), (Flow::In, 5), (Flow::Out, 2)] {
        for _ in 0..count {
            let [sender, receiver] =
                if flow == Flow::Out { [&mut client, &mut server] } else { [&mut server, &mut client] };
            let mut built = esp().build(flow, sender, b"x", Form::WithLength, &mut NoRandom).unwrap().descriptor;
            let replay = built.clone();
            assert!(esp().open(flow, receiver, &mut built, Form::WithLength).is_ok());
            let again = esp().open(flow, receiver, &mut replay.clone(), Form::WithLength);
            assert!(matches!(again, Err(OpenError::Fault(fault)) if fault.kind == FaultKind::Replayed));
        }
    }
    assert_eq!((client.ds_sqn, client.ac_sqn), (6, 6));
    assert_eq!(client, server);
}

/// Descriptors may be lost, never reordered.
#[test]
fn a_descriptor_overtaken_is_refused() {
    let association = Association::named("cbc256-sha512-256");
    let [mut sender, mut receiver] = [association.parameters(1), association.parameters(1)];
    let mut random = Recorded(vec![3; 16]);
    let mut build = || esp().build(Flow::Out, &mut sender, b"x", Form::WithLength, &mut random).unwrap().descriptor;
    let [mut first, mut second, mut third] = [build(), build(), build()];
    let mut open = |descriptor: &mut Vec<u8>| esp().open(Flow::Out, &mut receiver, descriptor, Form::WithLength);
    assert!(open(&mut second).is_ok());
    assert!(open(&mut first).is_err());
    assert!(open(&mut third).is_ok());
}

#[test]
fn a_failure_to_build_uses_nothing_up() {
    let association = Association::named("cbc128-sha1-96");
    let mut sa = association.parameters(7);
    let failed = esp().build(Flow::In, &mut sa, b"x", Form::WithLength, &mut NoRandom);
    assert!(matches!(failed, Err(BuildError::Random(_))));
    let long = vec![0; 70_000];
    let failed = esp().build(Flow::In, &mut sa, &long, Form::WithLength, &mut Recorded(vec![1; 16]));
    assert_eq!(failed.unwrap_err(), BuildError::TooLong);
    assert_eq!(sa, association.parameters(7));
    // A length that is told elsewhere has no such bound.
    let built = esp().build(Flow::In, &mut sa, &long, Form::WithoutLength, &mut Recorded(vec![1; 16])).unwrap();
    let opened =
        esp().open(Flow::In, &mut association.parameters(7), &mut built.descriptor.clone(), Form::WithoutLength);
    assert_eq!(opened.unwrap().data.len(), long.len());
}

#[test]
fn descriptor_length_tells_65_535_at_most() {
    let association = Association::named("null-sha1-96");
    // SAI, SQN, ICV and the reserved bytes are counted.
    let most = 0xFFFF - (2 + 4 + 8 + 12);
    for (length, fits) in [(most, true), (most + 1, false)] {
        let mut sa = association.parameters(1);
        let built = esp().build(Flow::Out, &mut sa, &vec![6; length], Form::WithLength, &mut NoRandom);
        assert_eq!(built.is_ok(), fits);
        if let Ok(mut built) = built {
            assert_eq!(built.descriptor[..2], [0xFF, 0xFF]);
            let opened = esp().open(Flow::Out, &mut association.parameters(1), &mut built.descriptor, Form::WithLength);
            assert_eq!(opened.unwrap().data.len(), most);
        }
    }
}
