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
