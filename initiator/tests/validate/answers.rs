//! What is wrong with the answers of a wrong device server.

use ikev2_scsi_initiator::Answer;

use crate::sealed::{self, Part};
use crate::wrong::{Fault, Keys, Wrong, refusal};

/// Those of the capabilities.
pub(crate) fn capabilities(wrong: &mut Wrong, cdb: &[u8], answer: &mut Answer, data: &mut [u8]) {
    let length = answer.data_in_len;
    if length < 36 {
        if wrong.fault == Fault::RefusesShortAllocation && cdb[6..10] != [0, 0, 0x40, 0] {
            *answer = refusal(5, 0x24, 0x00, Some((true, 6)));
        }
        return;
    }
    let (before, descriptors) = data[..length].split_at_mut(12);
    match wrong.fault {
        Fault::CapabilitiesOrder => descriptors[..24].rotate_left(12),
        Fault::CapabilitiesLength => before[3] ^= 1,
        Fault::CapabilitiesCrit => before[5] = 0,
        Fault::CapabilitiesReserved => before[6 + 3] |= 1,
        Fault::CapabilitiesNext => before[4] = 0x22,
        Fault::CapabilitiesPayloadLength => before[7] ^= 4,
        Fault::CapabilitiesByNexus => descriptors[7] ^= u8::from(!wrong.is_first),
        Fault::CapabilitiesInSequence => descriptors[7] ^= u8::from(wrong.reads > 0),
        Fault::CapabilitiesChange => {
            wrong.refused += 1;
            descriptors[7] ^= u8::try_from(wrong.refused & 1).unwrap();
        }
        fault => {
            let number = descriptors.len() / 12;
            for (index, descriptor) in descriptors.chunks_mut(12).enumerate() {
                one_descriptor(fault, index + 1 == number, descriptor);
            }
        }
    }
    if wrong.fault == Fault::DescriptorTwice {
        let first: Vec<u8> = descriptors[..12].to_vec();
        descriptors[12..24].copy_from_slice(&first);
    }
}

fn one_descriptor(fault: Fault, is_last: bool, descriptor: &mut [u8]) {
    let (kind, is_r3) = (descriptor[0], descriptor[0] != 0xFA);
    match fault {
        // The PRF that both dialects' rows of these tests need gets another number.
        Fault::CapabilitiesWithoutMandatory if kind == 2 && [2, 7].contains(&descriptor[7]) => descriptor[6] = 3,
        Fault::DescriptorLength if is_last => descriptor[3] = 13,
        Fault::UnknownType if kind == 4 => descriptor[0] = 5,
        Fault::NoIntegrityMissing if kind == 3 && (descriptor[4] == 0xF0 || descriptor[4..8] == [0; 4]) => {
            descriptor[4..8].copy_from_slice(&[0x7F, 0, 0, 1]);
        }
        Fault::OddKeyLength if kind == 1 && descriptor[11] == 32 => descriptor[11] = 33,
        Fault::NobodyInOneDirection if is_last => {
            descriptor[4..12].copy_from_slice(if is_r3 {
                &[0, 0, 0, 0, 1, 0, 0, 0]
            } else {
                &[0, 0xF9, 0, 0, 0, 0, 0, 0]
            });
        }
        Fault::AttributeBits if kind == 0xF9 => descriptor[9] = 1,
        _ => {}
    }
}

/// Those of a key exchange IN; gives its length.
pub(crate) fn key_exchange(wrong: &Wrong, data: &mut [u8]) -> usize {
    let length = data.len();
    match wrong.fault {
        Fault::Version => data[17] = 0x30,
        Fault::ExchangeType => data[18] ^= 0x0F,
        Fault::MessageId => data[23] = 1,
        Fault::Flags => data[19] |= 0x10,
        Fault::Length => data[27] ^= 1,
        Fault::RepetitionDiffers if wrong.reads > 0 => *data.last_mut().unwrap() ^= 1,
        Fault::SaiZero => data[8..16].fill(0),
        Fault::OtherAcSai => data[7] ^= 1,
        fault => {
            let mut list = data.to_vec();
            // One that is cut off stays as it is.
            let Some(mut parts) = sealed::parts(&list) else { return length };
            payloads(fault, &mut parts, data);
            sealed::write(&mut list, &parts);
            data[..list.len()].copy_from_slice(&list);
            return list.len();
        }
    }
    length
}

fn payloads(fault: Fault, parts: &mut [Part], message: &[u8]) {
    match fault {
        Fault::PayloadCrit => parts[2].1 = 0,
        Fault::PublicZero => parts[1].2[4..].fill(0),
        Fault::EchoDiffers => *parts[0].2.last_mut().unwrap() ^= 1,
        Fault::SaidDiffers => parts[0].2[4..12].copy_from_slice(&message[..8]),
        Fault::PayloadOrder => parts.swap(1, 2),
        Fault::OtherGroup => parts[1].2[1] ^= 1,
        Fault::ShortNonce => parts[2].2.truncate(8),
        _ => {}
    }
}

/// Those of an authentication IN.
pub(crate) fn authentication(fault: Fault, keys: &Keys, data: &mut [u8]) {
    let ours = ["SK_er", "SK_ar"].map(|name| keys.get(name));
    let mut changed = |change: &dyn Fn(&mut [u8], usize)| sealed::changed(&ours, data, change);
    match fault {
        Fault::AnswerCrit => changed(&|text, _| text[1] = 0),
        Fault::AnswerMethod => changed(&|text, auth_at| text[auth_at + 4] = 1),
        Fault::AnswerProof => changed(&|text, auth_at| text[auth_at + 8] ^= 1),
        Fault::AnswerIdType => changed(&|text, _| text[4] = 0x42),
        Fault::AnswerIdentity => changed(&|text, _| text[8] ^= 1),
        // What follows the identity is named as a Certificate Request.
        Fault::AnswerPayloads => changed(&|text, _| text[0] = 0x26),
        // The last byte in front of AUTH is one of the SAUT payload.
        Fault::AnswerUsage => changed(&|text, auth_at| text[auth_at - 1] ^= 1),
        Fault::AnswerPadding => changed(&|text, _| {
            let last = text.len() - 1;
            let padding = usize::from(text[last]);
            text[last - padding..last].fill(0);
        }),
        Fault::AnswerKeys => {
            let others = ["SK_ei", "SK_ai"].map(|name| keys.get(name));
            sealed::under_other_keys(&ours, &others, data);
        }
        Fault::AnswerMessageId => data[23] = 7,
        Fault::AnswerIcv => *data.last_mut().unwrap() ^= 1,
        Fault::AnswerSais => data[7] ^= 1,
        Fault::AnswerVersion => data[17] = 0x30,
        Fault::AnswerLength => data[27] ^= 1,
        Fault::AnswerOuterCrit => data[29] = 0,
        _ => {}
    }
}
