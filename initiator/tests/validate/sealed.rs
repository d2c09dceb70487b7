//! Messages of the wrong device server, opened and sealed again with its keys; AES-CBC with HMAC-SHA1, or AES-GCM.

use ikev2_scsi::Profile;
use ikev2_scsi::algorithm::{AUTH_HMAC_SHA1_96, ENCR_AES_CBC, ENCR_AES_GCM_16};
use ikev2_scsi::keys::{Protection, open, seal};
use ikev2_scsi::provider::provider;
use ikev2_scsi::wire::{Chain, Header};

/// Code, second byte, data.
pub(crate) type Part = (u8, u8, Vec<u8>);

/// The payloads of a message that is not sealed; `None` if they do not tile it.
pub(crate) fn parts(message: &[u8]) -> Option<Vec<Part>> {
    let (mut code, mut rest) = (message[16], &message[28..]);
    let mut parts = Vec::new();
    while code != 0 {
        let length = usize::from(u16::from_be_bytes([*rest.get(2)?, *rest.get(3)?]));
        parts.push((code, rest[1], rest.get(4..length)?.to_vec()));
        (code, rest) = (rest[0], &rest[length..]);
    }
    rest.is_empty().then_some(parts)
}

/// Writes payloads behind a message's header.
pub(crate) fn write(message: &mut Vec<u8>, parts: &[Part]) {
    message.truncate(28);
    message[16] = parts.first().map_or(0, |part| part.0);
    for (index, (_, flags, data)) in parts.iter().enumerate() {
        message.extend([parts.get(index + 1).map_or(0, |next| next.0), *flags]);
        message.extend(u16::try_from(data.len() + 4).unwrap().to_be_bytes());
        message.extend(data);
    }
    // A LENGTH that was wrong stays wrong: nothing else is to be taken away.
    if u32::from_be_bytes(message[24..28].try_into().unwrap()) != 0 {
        let length = u32::try_from(message.len()).unwrap().to_be_bytes();
        message[24..28].copy_from_slice(&length);
    }
}

/// Whether a message has nothing that a receiver could stumble over though the standard has it ignored or taken.
pub(crate) fn is_usual(message: &[u8]) -> bool {
    if message.len() < 28 {
        return true;
    }
    let is_spc4_key_exchange = parts(message).is_some_and(|parts| parts.iter().any(|part| part.0 == 0x83));
    if is_spc4_key_exchange && (message[18] != 0 || message[8..16] != [0; 8]) {
        return false;
    }
    let is_r3 = message[18] != 0;
    let sais = if is_r3 { 0..0 } else { 0..4 };
    let header = message[17] == 0x20 && [0xF2, 0xF3, 0xF4, 0].contains(&message[18]) && message[19] & 0xEB == 0;
    let header = header && message[sais].iter().all(|byte| *byte == 0);
    let Some(parts) = parts(message) else { return header };
    let codes: Vec<u8> = parts.iter().map(|part| part.0).collect();
    let is_sorted = codes.is_sorted_by_key(|code| ORDER.iter().position(|known| known == code));
    let reserved = |data: &[u8]| data.len() < 40 || (data[data.len() - 11] | data[data.len() - 3]) == 0;
    let is_long = |part: &Part| part.0 != 0x81 || is_r3 || !(part.2.len() - 16).is_multiple_of(12);
    header
        && is_sorted
        && parts.iter().all(|part| part.1 == 0x80 && ORDER.contains(&part.0) && is_long(part))
        && parts.iter().filter(|part| part.0 == 0x81).all(|part| reserved(&part.2) && usual_descriptors(&part.2))
        && parts.iter().filter(|part| part.0 == 0x83).all(|part| !part.2[4..].chunks(4).any(|each| each == [0; 4]))
        && parts.iter().filter(|part| part.0 == 0x28).all(|part| part.2.len() == 32)
}

/// Whether a key exchange OUT selects an algorithm: ALGORITHM TYPE and the last byte of ALGORITHM IDENTIFIER.
pub(crate) fn selects(message: &[u8], kind: u8, identifier: u8) -> bool {
    let Some(parts) = parts(message) else { return false };
    let Some((.., data)) = parts.iter().find(|part| part.0 == 0x81) else { return false };
    let first = if data.len() == 12 + 60 { 12 } else { 17 };
    data[first..].chunks(12).any(|descriptor| (descriptor[0], descriptor[7]) == (kind, identifier))
}

/// The order in which payloads are sent.
const ORDER: [u8; 15] = [0x2E, 0x83, 0x82, 0x81, 0x22, 0x28, 0x23, 0x25, 0x26, 0x29, 0x27, 0x2A, 0x24, 0x80, 0x30];

/// The reserved byte of the first descriptor and the attributes of the second are zero.
fn usual_descriptors(data: &[u8]) -> bool {
    let first = if data.len() == 12 + 60 { 12 } else { 17 };
    data.get(first + 1) == Some(&0) && data.get(first + 20..first + 24) == Some(&[0; 4])
}

/// The same of what is inside a sealed message.
pub(crate) fn is_usual_inside(keys: &[Vec<u8>; 2], message: &[u8]) -> bool {
    let mut copy = message.to_vec();
    if copy.len() < 60 || keys[0].is_empty() {
        return true;
    }
    let profile = if copy[18] == 0 { Profile::SPC4 } else { Profile::R3 };
    let Ok(header) = Header::parse(profile, &copy) else { return true };
    let Some(Ok(raw)) = Chain::outer(profile, &copy, &header).next() else { return true };
    let Ok(encrypted) = protection(keys).divide(&raw) else { return raw.code == 0x2E };
    let Ok(end) = open(profile, &protection(keys), &mut copy, &encrypted) else { return true };
    let text = &copy[encrypted.text.clone()];
    let padding = &text[end - encrypted.text.start..text.len() - 1];
    let counted = padding.iter().zip(1..).all(|(byte, number)| *byte == number) && padding.len() < 16;
    let inner: Vec<_> =
        Chain::inner(profile, &copy[..end], encrypted.text.start, encrypted.first, encrypted.at).flatten().collect();
    let places = inner.iter().map(|raw| [0x23, 0x82, 0x25, 0x26, 0x29, 0x27, 0x2A].iter().position(|c| *c == raw.code));
    let places: Vec<_> = places.collect();
    counted && places.is_sorted() && places.iter().all(Option::is_some) && !inner.iter().any(|raw| raw.code == 0x29)
}

/// Takes away what stands behind the last payload.
pub(crate) fn cut_trailing(message: &mut Vec<u8>) {
    while message.len() > 28 {
        message.pop();
        if parts(message).is_some() {
            let length = u32::try_from(message.len()).unwrap().to_be_bytes();
            message[24..28].copy_from_slice(&length);
            return;
        }
    }
}

fn protection(keys: &[Vec<u8>; 2]) -> Protection<'_> {
    let provider = provider();
    let [cipher_key, integrity_key] = keys;
    match integrity_key.is_empty() {
        true => Protection {
            cipher: provider.cipher(ENCR_AES_GCM_16.identifier, 32).unwrap(),
            cipher_key,
            integrity: None,
            integrity_key,
        },
        false => Protection {
            cipher: provider.cipher(ENCR_AES_CBC.identifier, 16).unwrap(),
            cipher_key,
            integrity: provider.integrity(AUTH_HMAC_SHA1_96.identifier),
            integrity_key,
        },
    }
}

/// Opens a message with some keys, changes the plaintext, and seals it with others.
fn resealed(from: &[Vec<u8>; 2], to: &[Vec<u8>; 2], message: &mut [u8], change: impl FnOnce(&mut [u8], usize)) {
    let profile = if message[18] == 0 { Profile::SPC4 } else { Profile::R3 };
    let header = Header::parse(profile, message).unwrap();
    let raw = Chain::outer(profile, message, &header).next().unwrap().unwrap();
    let encrypted = protection(from).divide(&raw).unwrap();
    let end = open(profile, &protection(from), message, &encrypted).unwrap();
    let inner = Chain::inner(profile, &message[..end], encrypted.text.start, encrypted.first, encrypted.at);
    let last = inner.map(Result::unwrap).last().unwrap().at - encrypted.text.start;
    change(&mut message[encrypted.text.clone()], last);
    seal(&protection(to), message, &encrypted).unwrap();
}

/// Changes the plaintext; the function is also given where the last payload, AUTH, begins.
pub(crate) fn changed(keys: &[Vec<u8>; 2], message: &mut [u8], change: impl FnOnce(&mut [u8], usize)) {
    resealed(keys, keys, message, change);
}

/// Seals with the keys of the other direction.
pub(crate) fn under_other_keys(keys: &[Vec<u8>; 2], others: &[Vec<u8>; 2], message: &mut [u8]) {
    resealed(keys, others, message, |_, _| {});
}

/// Writes the check value that HMAC-SHA1-96 makes of what came.
pub(crate) fn right_icv(key: &[u8], message: &mut [u8]) {
    if key.is_empty() || message.len() < 60 {
        return;
    }
    let at = message.len() - 12;
    let (covered, icv) = message.split_at_mut(at);
    provider().integrity(AUTH_HMAC_SHA1_96.identifier).unwrap().compute(key, &[covered], icv).unwrap();
}
