//! Device servers with one thing wrong: a right one, whose commands and answers somebody changes on the way.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use ikev2_scsi::crypto::{Purpose, Random, RandomError};
use ikev2_scsi::keys::KeyLog;
use ikev2_scsi::wire::Sai;
use ikev2_scsi_initiator::{Answer, InProcess, Transport, TransportError};

use crate::bench::Numbers;
use crate::sealed;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Nothing,
    // Sense data.
    SenseCode,
    SenseKey,
    PointerOffByOne,
    PointerIntoCdb,
    NoPointer,
    NoBitPointer,
    RejectedIsInvalid,
    Progress,
    // Capabilities.
    CapabilitiesOrder,
    CapabilitiesLength,
    CapabilitiesCrit,
    CapabilitiesReserved,
    CapabilitiesWithoutMandatory,
    CapabilitiesChange,
    ProtocolList,
    NoFormats,
    // CDB.
    TakesInc512,
    LooksAtReservedCdbBits,
    NoTruncation,
    RefusesShortAllocation,
    AnswersDeletes,
    // Key exchange OUT.
    IgnoresCrit,
    TakesEveryVersion,
    TakesZeroSai,
    TakesEveryOrder,
    TakesEveryGroup,
    TakesZeroTimeouts,
    NoMaximumTimeout,
    TakesLongNonces,
    TakesZeroPublic,
    TakesTrailingBytes,
    BeginsThoughRefused,
    // Key exchange IN.
    Version,
    MessageId,
    Flags,
    Length,
    PayloadCrit,
    RepetitionDiffers,
    NonceReused,
    SaiReused,
    SaiZero,
    PublicZero,
    EchoDiffers,
    SaidDiffers,
    // Turns.
    StateLostAfterRefusal,
    AuthenticationInFirst,
    KeyExchangeInAlways,
    SecondAuthenticationTaken,
    SecondKeyExchangeTaken,
    NothingRepeated,
    // Authentication.
    TakesEveryIcv,
    FailuresNotCounted,
    ForgeriesCounted,
    GoesOnAfterFailure,
    AnswerMessageId,
    AnswerIcv,
    AnswerCrit,
    AnswerMethod,
    AnswerPadding,
    AnswerKeys,
    // Delete.
    DeleteIgnored,
    DeleteUnchecked,
    DeleteOfSequenceIgnored,
    // Nexuses and time.
    DisturbsOthers,
    SequenceSurvivesNexus,
    AssociationsGoWithNexus,
    NoTimeouts,
}

/// A random source that is wrong in what it draws for one purpose.
pub(crate) struct Draws(Numbers, Option<Purpose>);

impl Draws {
    pub(crate) fn of(fault: Fault) -> Self {
        let always = match fault {
            Fault::NonceReused => Some(Purpose::Nonce),
            Fault::SaiReused => Some(Purpose::DsSai),
            _ => None,
        };
        Self(Numbers(0x0F1E_2D3C_4B5A_6978), always)
    }
}

impl Random for Draws {
    fn fill(&mut self, purpose: Purpose, out: &mut [u8]) -> Result<(), RandomError> {
        if self.1 == Some(purpose) {
            out.fill(0x42);
            return Ok(());
        }
        self.0.fill(purpose, out)
    }
}

/// The device server's keys, by the last exchange.
#[derive(Default)]
pub(crate) struct Keys(Mutex<BTreeMap<&'static str, Vec<u8>>>);

impl KeyLog for Keys {
    fn record(&self, _: Sai, _: Sai, name: &'static str, value: &[u8]) {
        self.0.lock().unwrap().insert(name, value.to_vec());
    }
}

impl Keys {
    pub(crate) fn get(&self, name: &str) -> Vec<u8> {
        self.0.lock().unwrap().get(name).cloned().unwrap_or_default()
    }
}

/// What the nexuses of a wrong device server share.
#[derive(Default)]
struct Shared {
    /// The first nexus loses its sequence before its next command.
    is_disturbed: bool,
    associations_are_gone: bool,
}

/// A nexus to a wrong device server.
pub(crate) struct Wrong {
    inner: Box<dyn Transport>,
    fault: Fault,
    keys: Arc<Keys>,
    shared: Rc<RefCell<Shared>>,
    is_first: bool,
    /// Data-In of the last key exchange IN and authentication IN.
    answers: [Vec<u8>; 2],
    /// How often the last one was read.
    reads: usize,
    refused: usize,
    denied: Option<Answer>,
    was_refused: bool,
}

/// The generator of P-256, x and y (SEC 2 2.4.2).
const GENERATOR: [u8; 64] = [
    0x6B, 0x17, 0xD1, 0xF2, 0xE1, 0x2C, 0x42, 0x47, 0xF8, 0xBC, 0xE6, 0xE5, 0x63, 0xA4, 0x40, 0xF2, 0x77, 0x03, 0x7D,
    0x81, 0x2D, 0xEB, 0x33, 0xA0, 0xF4, 0xA1, 0x39, 0x45, 0xD8, 0x98, 0xC2, 0x96, 0x4F, 0xE3, 0x42, 0xE2, 0xFE, 0x1A,
    0x7F, 0x9B, 0x8E, 0xE7, 0xEB, 0x4A, 0x7C, 0x0F, 0x9E, 0x16, 0x2B, 0xCE, 0x33, 0x57, 0x6B, 0x31, 0x5E, 0xCE, 0xCB,
    0xB6, 0x40, 0x68, 0x37, 0xBF, 0x51, 0xF5,
];

const GOOD: Answer = Answer { status: 0, data_in_len: 0, sense: Vec::new() };

impl Wrong {
    pub(crate) fn new(inner: InProcess, fault: Fault, keys: Arc<Keys>) -> Self {
        Self::over(Box::new(inner), fault, keys, Rc::default(), true)
    }

    fn over(
        inner: Box<dyn Transport>,
        fault: Fault,
        keys: Arc<Keys>,
        shared: Rc<RefCell<Shared>>,
        is_first: bool,
    ) -> Self {
        let answers = [Vec::new(), Vec::new()];
        let (reads, refused, denied, was_refused) = (0, 0, None, false);
        Self { inner, fault, keys, shared, is_first, answers, reads, refused, denied, was_refused }
    }

    /// Answers with these bytes.
    fn give(bytes: &[u8], data_in: &mut [u8]) -> Answer {
        let len = bytes.len().min(data_in.len());
        data_in[..len].copy_from_slice(&bytes[..len]);
        Answer { data_in_len: len, ..GOOD }
    }

    /// What is wrong before the command is looked at: an answer, or another command.
    fn before(&mut self, cdb: &mut [u8], list: &mut Vec<u8>, data_in: &mut [u8]) -> Option<Answer> {
        let (operation, protocol, specific) = (cdb[0], cdb[1], cdb[3]);
        let is_out = |wanted: u8| (operation, protocol, specific) == (0xB5, 0x41, wanted);
        let is_in = |wanted: u8| (operation, protocol, specific) == (0xA2, 0x41, wanted);
        match self.fault {
            Fault::TakesInc512 => cdb[4] &= 0x7F,
            Fault::LooksAtReservedCdbBits if operation == 0xA2 && (cdb[4] & 0x7F, cdb[5], cdb[10]) != (0, 0, 0) => {
                return Some(refusal(5, 0x24, 0x00, Some((true, 4))));
            }
            Fault::NoTruncation => cdb[6..10].copy_from_slice(&[0, 0, 0x40, 0]),
            Fault::AnswersDeletes if is_in(4) => return Some(GOOD),
            Fault::NoFormats if (operation, protocol, cdb[2], specific) == (0xA2, 0x40, 0, 0) => cdb[3] = 7,
            Fault::KeyExchangeInAlways if is_in(2) && !self.answers[0].is_empty() => {
                return Some(Self::give(&self.answers[0], data_in));
            }
            Fault::GoesOnAfterFailure if is_in(2) && self.was_refused && !self.answers[0].is_empty() => {
                return Some(Self::give(&self.answers[0], data_in));
            }
            Fault::BeginsThoughRefused if is_in(2) && self.was_refused => return Some(GOOD),
            Fault::FailuresNotCounted if is_out(3) && self.denied.is_some() => return self.denied.clone(),
            Fault::DeleteIgnored if is_out(4) => return Some(GOOD),
            Fault::DeleteOfSequenceIgnored if is_out(4) && self.answers[1].is_empty() => return Some(GOOD),
            Fault::AssociationsGoWithNexus if is_out(4) && self.shared.borrow().associations_are_gone => {
                list[7] ^= 1;
            }
            Fault::NothingRepeated if is_in(3) && self.reads > 0 => {
                return Some(refusal(5, 0x2C, 0x00, Some((true, 2))));
            }
            Fault::TakesEveryIcv if is_out(3) => sealed::right_icv(&self.keys.get("SK_ai"), list),
            _ if is_out(2) && list.len() > 28 => self.before_key_exchange(list),
            _ => {}
        }
        if operation == 0xB5 {
            let length = u32::try_from(list.len()).unwrap();
            if cdb[6..10] != length.to_be_bytes() {
                cdb[6..10].copy_from_slice(&length.to_be_bytes());
            }
        }
        None
    }

    /// Faults that take what is wrong with a key exchange OUT away.
    fn before_key_exchange(&mut self, list: &mut Vec<u8>) {
        let Some(mut parts) = sealed::parts(list) else {
            if self.fault == Fault::TakesTrailingBytes {
                sealed::cut_trailing(list);
            }
            return;
        };
        let is_spc4 = parts.iter().any(|part| part.0 == 0x83);
        let data = |parts: &[sealed::Part], code: u8| parts.iter().position(|part| part.0 == code);
        match self.fault {
            Fault::IgnoresCrit => parts.iter_mut().filter(|part| part.0 == 0xC8).for_each(|part| part.1 = 0),
            Fault::TakesEveryVersion => list[17] = 0x20,
            Fault::TakesZeroSai => list[7] |= u8::from(list[..8] == [0; 8]),
            Fault::TakesEveryOrder => {
                parts.sort_by_key(|part| [0x82, 0x81, 0x22, 0x28].iter().position(|c| *c == part.0));
            }
            Fault::TakesEveryGroup => {
                let at = data(&parts, 0x22).unwrap();
                parts[at].2[..2].copy_from_slice(&[0, 0x13]);
            }
            Fault::TakesZeroTimeouts if !is_spc4 => {
                let at = data(&parts, 0x82).unwrap();
                for value in parts[at].2[4..].chunks_mut(4).filter(|value| **value == [0; 4]) {
                    value[3] = 10;
                }
            }
            Fault::TakesLongNonces => {
                let at = data(&parts, 0x28).unwrap();
                parts[at].2.truncate(256);
            }
            Fault::TakesZeroPublic => {
                let at = data(&parts, 0x22).unwrap();
                let public = &mut parts[at].2[4..];
                if public.iter().all(|byte| *byte == 0) {
                    public.copy_from_slice(&GENERATOR);
                }
            }
            _ => return,
        }
        sealed::write(list, &parts);
    }

    /// What is wrong with an answer.
    fn after(&mut self, cdb: &[u8], answer: &mut Answer, data_in: &mut [u8]) -> Result<(), TransportError> {
        let (operation, protocol, specific) = (cdb[0], cdb[1], cdb[3]);
        let is_out = |wanted: u8| (operation, protocol, specific) == (0xB5, 0x41, wanted);
        let is_ours = protocol == 0x41;
        if answer.status == 2 {
            self.after_refusal(is_ours, is_out(4), is_out(3), is_out(2), answer)?;
            if is_ours && !self.is_first {
                self.shared.borrow_mut().is_disturbed = self.fault == Fault::DisturbsOthers;
            }
            return Ok(());
        }
        self.was_refused = false;
        if operation == 0xB5 && specific == 2 {
            (self.reads, self.denied, self.refused) = (0, None, 0);
            self.answers[1].clear();
        }
        let length = answer.data_in_len;
        match (operation, protocol, specific) {
            (0xA2, 0x00, 0) if self.fault == Fault::ProtocolList => data_in[length - 1] = 0x43,
            (0xA2, 0x40, 1) => self.after_capabilities(cdb, answer, data_in),
            (0xA2, 0x41, 2) if length > 28 => {
                self.after_key_exchange(&mut data_in[..length]);
                self.answers[0] = data_in[..length].to_vec();
                self.reads += 1;
            }
            (0xA2, 0x41, 3) if length > 28 => {
                self.after_authentication(&mut data_in[..length]);
                self.answers[1] = data_in[..length].to_vec();
                self.reads += 1;
            }
            (0xB5, 0x41, 3) => self.reads = 0,
            _ => {}
        }
        Ok(())
    }

    fn after_refusal(
        &mut self,
        is_ours: bool,
        is_delete: bool,
        is_authentication: bool,
        is_key_exchange: bool,
        answer: &mut Answer,
    ) -> Result<(), TransportError> {
        let (key, asc) = (answer.sense[2] & 0x0F, (answer.sense[12], answer.sense[13]));
        let has_field = key == 5 && answer.sense[15] & 0x80 != 0;
        let is_value = [(0x74, 0x30), (0x74, 0x10)].contains(&asc);
        match self.fault {
            Fault::SenseCode if is_value => (answer.sense[12], answer.sense[13]) = (0x26, 0x00),
            Fault::SenseKey if asc == (0x74, 0x40) => answer.sense[2] = if key == 5 { 0xB } else { 5 },
            Fault::PointerOffByOne if has_field => answer.sense[17] = answer.sense[17].wrapping_add(1),
            Fault::PointerIntoCdb if has_field => answer.sense[15] |= 0x40,
            Fault::NoPointer if has_field => answer.sense[15] = 0,
            Fault::NoBitPointer if has_field => answer.sense[15] &= 0xC0,
            Fault::RejectedIsInvalid if asc == (0x74, 0x11) => answer.sense[13] = 0x10,
            Fault::Progress if key == 2 => (answer.sense[16], answer.sense[17]) = (0x12, 0x34),
            Fault::StateLostAfterRefusal if is_ours => self.inner.renew_nexus()?,
            Fault::AuthenticationInFirst if key == 2 && !is_delete && !is_authentication && !is_key_exchange => {
                *answer = GOOD;
            }
            Fault::SecondAuthenticationTaken if key == 2 && is_authentication => *answer = GOOD,
            Fault::SecondKeyExchangeTaken if key == 2 && is_key_exchange => *answer = GOOD,
            Fault::FailuresNotCounted if asc == (0x74, 0x40) => self.denied = Some(answer.clone()),
            Fault::ForgeriesCounted if is_authentication && is_value => {
                self.refused += 1;
                if self.refused > 5 {
                    self.inner.renew_nexus()?;
                }
            }
            Fault::DeleteUnchecked if is_delete => *answer = GOOD,
            _ => {}
        }
        self.was_refused |= is_authentication || is_key_exchange;
        Ok(())
    }

    fn after_capabilities(&mut self, cdb: &[u8], answer: &mut Answer, data: &mut [u8]) {
        let length = answer.data_in_len;
        if length < 36 {
            if self.fault == Fault::RefusesShortAllocation && cdb[6..10] != [0, 0, 0x40, 0] {
                *answer = refusal(5, 0x24, 0x00, Some((true, 6)));
            }
            return;
        }
        let (before, descriptors) = data[..length].split_at_mut(12);
        match self.fault {
            Fault::CapabilitiesOrder => descriptors[..24].rotate_left(12),
            Fault::CapabilitiesLength => before[3] ^= 1,
            Fault::CapabilitiesCrit => before[5] = 0,
            Fault::CapabilitiesReserved => before[6 + 3] |= 1,
            Fault::CapabilitiesWithoutMandatory => {
                // The PRF that both dialects' rows of these tests need gets another number.
                for descriptor in descriptors.chunks_mut(12).filter(|d| d[0] == 2 && [2, 7].contains(&d[7])) {
                    descriptor[6] = 3;
                }
            }
            Fault::CapabilitiesChange => {
                self.refused += 1;
                descriptors[7] ^= u8::try_from(self.refused & 1).unwrap();
            }
            _ => {}
        }
    }

    fn after_key_exchange(&mut self, data: &mut [u8]) {
        match self.fault {
            Fault::Version => data[17] = 0x30,
            Fault::MessageId => data[23] = 1,
            Fault::Flags => data[19] |= 0x10,
            Fault::Length => data[27] ^= 1,
            Fault::RepetitionDiffers if self.reads > 0 => *data.last_mut().unwrap() ^= 1,
            Fault::SaiZero => data[8..16].fill(0),
            Fault::PayloadCrit | Fault::PublicZero | Fault::EchoDiffers | Fault::SaidDiffers => {
                let mut list = data.to_vec();
                let mut parts = sealed::parts(&list).unwrap();
                match self.fault {
                    Fault::PayloadCrit => parts[2].1 = 0,
                    Fault::PublicZero => parts[1].2[4..].fill(0),
                    Fault::EchoDiffers => *parts[0].2.last_mut().unwrap() ^= 1,
                    _ => parts[0].2[4..12].copy_from_slice(&data[..8]),
                }
                sealed::write(&mut list, &parts);
                data.copy_from_slice(&list);
            }
            _ => {}
        }
    }

    fn after_authentication(&mut self, data: &mut [u8]) {
        let keys = ["SK_er", "SK_ar"].map(|name| self.keys.get(name));
        match self.fault {
            Fault::AnswerMessageId => data[23] = 7,
            Fault::AnswerIcv => *data.last_mut().unwrap() ^= 1,
            Fault::AnswerCrit => sealed::changed(&keys, data, |text, _| text[1] = 0),
            Fault::AnswerMethod => sealed::changed(&keys, data, |text, auth_at| text[auth_at + 4] = 1),
            Fault::AnswerPadding => sealed::changed(&keys, data, |text, _| {
                let last = text.len() - 1;
                let padding = usize::from(text[last]);
                text[last - padding..last].fill(0);
            }),
            Fault::AnswerKeys => {
                let others = ["SK_ei", "SK_ai"].map(|name| self.keys.get(name));
                sealed::under_other_keys(&keys, &others, data);
            }
            _ => {}
        }
    }
}

/// CHECK CONDITION with sense data in fixed format.
fn refusal(key: u8, asc: u8, ascq: u8, field: Option<(bool, u8)>) -> Answer {
    let [flags, byte] = field.map_or([0; 2], |(in_cdb, byte)| [0x80 | u8::from(in_cdb) << 6, byte]);
    let sense = vec![0x70, 0, key, 0, 0, 0, 0, 10, 0, 0, 0, 0, asc, ascq, 0, flags, 0, byte];
    Answer { status: 2, data_in_len: 0, sense }
}

impl Transport for Wrong {
    fn execute(&mut self, cdb: &[u8], data_out: &[u8], data_in: &mut [u8]) -> Result<Answer, TransportError> {
        if cdb.len() != 12 {
            return self.inner.execute(cdb, data_out, data_in);
        }
        if self.is_first && std::mem::take(&mut self.shared.borrow_mut().is_disturbed) {
            self.inner.renew_nexus()?;
        }
        let (mut cdb, mut list) = (cdb.to_vec(), data_out.to_vec());
        if let Some(answer) = self.before(&mut cdb, &mut list, data_in) {
            return Ok(answer);
        }
        let mut answer = self.inner.execute(&cdb, &list, data_in)?;
        self.after(&cdb, &mut answer, data_in)?;
        Ok(answer)
    }

    fn renew_nexus(&mut self) -> Result<(), TransportError> {
        if self.fault == Fault::SequenceSurvivesNexus {
            return Ok(());
        }
        self.shared.borrow_mut().associations_are_gone = self.fault == Fault::AssociationsGoWithNexus;
        self.inner.renew_nexus()
    }

    fn second_nexus(&mut self) -> Result<Box<dyn Transport>, TransportError> {
        let second = self.inner.second_nexus()?;
        Ok(Box::new(Self::over(second, self.fault, Arc::clone(&self.keys), Rc::clone(&self.shared), false)))
    }
}
