//! The padding of Encrypted payloads: what is looked at of a plaintext, and when.

use ikev2_scsi::Profile;
use ikev2_scsi::crypto::{Cipher, Integrity, Secret};
use ikev2_scsi::keys::{ProtectError, Protection, open, seal};
use ikev2_scsi::provider::{AES_CBC, AES_CCM_16, AES_GCM_16, AUTH_AES_XCBC_96, AUTH_HMAC_SHA1_96};
use ikev2_scsi::wire::Encrypted;

use super::ciphers::MATCHES_COMBINED;
use super::compare::MATCHES;
use super::watched::{Publishes, WatchedCipher};
use super::{bytes, secret_bytes};
use crate::leaky;
use crate::valgrind::{published, secret};
use crate::watch::{Outcomes, Watch};

/// Bytes before the Encrypted payload, and of its plaintext.
const HEAD: usize = 40;
const TEXT: usize = 64;

fn matches(cipher: &dyn Cipher) -> Outcomes {
    if cipher.is_combined() { MATCHES_COMBINED } else { MATCHES }
}

/// A message with its keys.
struct Sealed {
    message: Vec<u8>,
    encrypted: Encrypted,
    cipher: &'static dyn Cipher,
    integrity: Option<&'static dyn Integrity>,
    cipher_key: Secret,
    integrity_key: Secret,
}

impl Sealed {
    /// A message whose plaintext ends with so many bytes of padding and PAD LENGTH.
    fn new(cipher: &'static dyn Cipher, integrity: Option<&'static dyn Integrity>, pad_length: u8) -> Self {
        let iv = HEAD..HEAD + cipher.iv_length();
        let text = iv.end..iv.end + TEXT;
        let icv_length = integrity.map_or(cipher.icv_length(), Integrity::icv_length);
        let icv = text.end..text.end + icv_length;
        let mut message = bytes(1, icv.end);
        let pad_at = text.end - 1;
        message[pad_at] = pad_length;
        for (byte, counted) in message[pad_at - usize::from(pad_length)..pad_at].iter_mut().zip(1..) {
            *byte = counted;
        }
        let key = Secret::from(bytes(2, cipher.key_material_length(16)));
        let integrity_key = Secret::from(bytes(3, integrity.map_or(0, Integrity::key_length)));
        let encrypted = Encrypted { at: HEAD - 4, first: 0, iv, text, icv };
        let mut sealed = Self { message, encrypted, cipher, integrity, cipher_key: key, integrity_key };
        let mut message = sealed.message.clone();
        seal(&sealed.protection(), &mut message, &sealed.encrypted).unwrap();
        sealed.message = message;
        secret(sealed.cipher_key.expose_mut());
        secret(sealed.integrity_key.expose_mut());
        sealed
    }

    fn protection(&self) -> Protection<'_> {
        let Self { cipher, integrity, cipher_key, integrity_key, .. } = self;
        Protection {
            cipher: *cipher,
            cipher_key: cipher_key.expose(),
            integrity: *integrity,
            integrity_key: integrity_key.expose(),
        }
    }

    fn open(&self, profile: Profile) -> Result<usize, ProtectError> {
        open(profile, &self.protection(), &mut self.message.clone(), &self.encrypted)
    }
}

pub fn run(watch: &mut Watch) {
    let separate = [("CBC and HMAC-SHA1", AUTH_HMAC_SHA1_96), ("CBC and XCBC", AUTH_AES_XCBC_96)];
    let separate = separate.map(|(name, integrity)| (name, AES_CBC, Some(integrity)));
    for (name, cipher, integrity) in separate.into_iter().chain([("CCM", AES_CCM_16, None), ("GCM", AES_GCM_16, None)])
    {
        right(watch, name, cipher, integrity);
        wrong(watch, name, cipher, integrity);
    }
    leak(watch);
}

/// Of an authentic plaintext, PAD LENGTH alone is looked at in r3, and the padding besides it in SPC-4: nobody but the holder of
/// the keys chose them, and the field pointer of the sense data names the first wrong one.
fn right(watch: &mut Watch, name: &str, cipher: &'static dyn Cipher, integrity: Option<&'static dyn Integrity>) {
    for pad_length in [0, 1, 7, 15] {
        let all = usize::from(pad_length) + 1;
        for (dialect, profile, publishes) in
            [("r3", Profile::R3, Publishes::End(1)), ("SPC-4", Profile::SPC4, Publishes::End(all))]
        {
            let cipher = WatchedCipher::leaked(cipher, publishes);
            let sealed = Sealed::new(cipher, integrity, pad_length);
            let name = format!("{name}: open; {pad_length} bytes of padding; {dialect}");
            let opened = published(watch.quiet(&name, matches(cipher), || sealed.open(profile)));
            assert_eq!(opened, Ok(sealed.encrypted.text.end - all));
        }
    }
}

/// Of a plaintext that is not authentic nothing is looked at.
fn wrong(watch: &mut Watch, name: &str, cipher: &'static dyn Cipher, integrity: Option<&'static dyn Integrity>) {
    for (dialect, profile) in [("r3", Profile::R3), ("SPC-4", Profile::SPC4)] {
        let mut sealed = Sealed::new(WatchedCipher::leaked(cipher, Publishes::End(0)), integrity, 15);
        if let Some(last) = sealed.message.last_mut() {
            *last ^= 1;
        }
        let opened =
            watch.quiet(&format!("{name}: refuse a wrong code; {dialect}"), matches(cipher), || sealed.open(profile));
        assert!(matches!(published(opened), Err(ProtectError::Wire(_))));
    }
}

/// Decrypts and checks the padding, and then the code: an oracle.
fn leak(watch: &mut Watch) {
    let (key, iv) = (secret_bytes(2, 16), bytes(3, 16));
    for (name, number) in [("good", None), ("bad", Some(9))] {
        let mut data = bytes(4, 64);
        data[48..].copy_from_slice(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 15]);
        if let Some(wrong) = number {
            data[48 + wrong] ^= 1;
        }
        let mut plain_key = key.clone();
        crate::valgrind::public(plain_key.as_mut_slice());
        AES_CBC.seal(&plain_key, &iv, &[], &mut data, &mut []).unwrap();
        let name = format!("leaky: {name} padding checked byte by byte before the code");
        let good = watch.leaky(&name, MATCHES, || {
            AES_CBC.open(&key, &iv, &[], &mut data, &[]).unwrap();
            leaky::padding_is_good(&data)
        });
        assert_eq!(published(good), number.is_none());
    }
}
