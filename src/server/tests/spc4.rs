//! The same with SPC-4: a refused command changes nothing but what SPC-4 table 83 says, the end of its nexus's sequence.

use alloc::string::ToString;

use super::*;
use crate::sense::{Sense, SequenceCommand};

/// Which command of a sequence a CDB is.
fn command_of(cdb: &[u8; 12]) -> Option<SequenceCommand> {
    match (cdb[0], cdb[1], cdb[2], cdb[3]) {
        (0xA2, 0x41, ..) => Some(SequenceCommand::In),
        (0xB5, 0x41, 1, 2) => Some(SequenceCommand::KeyExchangeOut),
        (0xB5, 0x41, 1, 4) => Some(SequenceCommand::Delete),
        (0xB5, 0x41, ..) => Some(SequenceCommand::AuthenticationOut),
        _ => None,
    }
}

impl Bench<'_> {
    pub(super) fn try_in_spc4(&mut self, command: &Command) -> usize {
        let is_running = self.server.is_running(NEXUS);
        let mut random = self.transcript.recorded(true);
        let reply = command.send(&mut self.server, self.now, &mut random);
        let mut events = Vec::new();
        while let Some(event) = self.server.poll_event() {
            assert_eq!((event.at, event.nexus), (self.now, Some(NEXUS)), "{event:?}");
            events.push(event.kind);
        }
        let Reply::CheckCondition(sense) = reply else {
            if Snapshot::of(&self.server) != self.before {
                *self = Self::new(self.transcript, self.state);
            }
            return ACCEPTED;
        };
        assert_eq!(random.drawn, 0, "{sense}");
        assert_ne!(sense.key, SenseKey::HardwareError);
        let is_kept = command_of(&command.cdb).is_none_or(|command| sense.keeps_sequence(command));
        self.check_state(&sense, is_running && !is_kept);
        self.check_events(&sense, &events, is_running && !is_kept);
        if !is_running || is_kept {
            return REFUSED;
        }
        *self = Self::new(self.transcript, self.state);
        DROPPED
    }

    /// Every field is what it was, but for the sequence of the nexus where it is over.
    fn check_state(&self, sense: &Sense, is_over: bool) {
        let (after, mut expected) = (Snapshot::of(&self.server), self.before.clone());
        if is_over {
            assert!(self.server.slots.get(NEXUS).is_none(), "{sense}");
            assert!(self.server.slots.timeout(NEXUS).is_none() && self.server.slots.next_timeout().is_none());
            expected.state.retain(|name, _| !name.starts_with(&prefix(NEXUS)));
        }
        assert!(after == expected, "{sense}: {:?}", difference(&expected, &after));
    }

    /// What the embedder is told: who failed to authenticate, that a list is too long, that the sequence is over, and no more.
    fn check_events(&self, sense: &Sense, events: &[EventKind], is_over: bool) {
        let is_denied = sense.key == SenseKey::AbortedCommand;
        let why = if is_denied { DropReason::AuthenticationFailures } else { DropReason::Refused };
        let too_long = SenseKeySpecific::Field { in_cdb: true, byte: 6, bit: None };
        let mut told = events.iter();
        if is_denied {
            assert!(matches!(told.next(), Some(EventKind::AuthenticationFailed { .. })), "{events:?}");
        }
        if sense.asc.code == 0x24 && sense.specific == too_long {
            assert_eq!(told.next(), Some(&EventKind::LimitReached { limit: Limit::ParameterList }));
        }
        if is_over {
            assert_eq!(told.next(), Some(&EventKind::SequenceDropped { why }), "{sense}");
        }
        assert_eq!(told.next(), None, "{sense}");
    }
}

#[test]
fn a_refused_command_of_spc4_ends_its_sequence_or_changes_nothing() {
    let transcripts = transcripts(Profile::SPC4);
    let mut sum = Counts::default();
    transcripts.iter().for_each(|transcript| run(transcript, &mut sum));
    for (state, [refused, _, dropped, accepted]) in &sum.0 {
        std::println!("{state}: {refused} refused without a trace, {dropped} the end; {accepted} accepted");
    }
    let dropped: usize = sum.0.values().map(|counts| counts[DROPPED]).sum();
    let refused: usize = sum.0.values().map(|counts| counts[REFUSED]).sum();
    std::println!("{refused} and {dropped} refused commands of {} transcripts", transcripts.len());
    // With authentication, without it, and one that is deleted on its way.
    assert_eq!(transcripts.len(), 3, "{:?}", transcripts.iter().map(|t| t.name.to_string()).collect::<Vec<_>>());
    assert!(refused >= 10_000 && dropped >= 300, "{refused} {dropped}");
}
