//! Providers with one thing wrong: the kit blames the right algorithm, and says what is wrong.

use ikev2_scsi::algorithm::{self, AlgorithmType};
use ikev2_scsi::crypto::conformance::{Fault, Report, Verdict, run};
use ikev2_scsi::crypto::{
    Cipher, CryptoError, CryptoProvider, DhGroup, HashKind, Integrity, Prf, Random, RandomError, SignatureScheme,
    Verifier,
};

use crate::provider::{
    AES_CBC, AES_CCM_8, AES_CCM_16, AES_GCM_16, AUTH_AES_XCBC_96, AUTH_HMAC_SHA1_96, ECDSA_P256_SHA256, ECP_256,
    MODP_2048, PRF_AES128_XCBC, PRF_HMAC_SHA2_256, RSA_PKCS1_SHA256,
};

pub(crate) const NOTHING: CryptoProvider =
    CryptoProvider { ciphers: &[], prfs: &[], integrity: &[], groups: &[], verifiers: &[] };

fn leak<T>(list: Vec<T>) -> &'static [T] {
    Box::leak(list.into_boxed_slice())
}

/// Exactly this algorithm is blamed, and this is among its faults.
fn blames(report: &Report, kind: AlgorithmType, identifier: u32, is_named: impl Fn(&Fault) -> bool) {
    assert!(!report.is_ok(), "{report}");
    let failed: Vec<_> = report.failed().collect();
    assert_eq!(failed.len(), 1, "{report}");
    assert_eq!((failed[0].algorithm_type, failed[0].identifier), (kind, identifier), "{report}");
    let is_found = failed[0].failures.iter().any(|failure| is_named(&failure.fault));
    assert!(is_found, "{report}");
    let text = report.to_string();
    assert!(text.contains("FAILED") && text.ends_with("DOES NOT CONFORM\n"), "{text}");
}

fn accepted(named: &'static str) -> impl Fn(&Fault) -> bool {
    move |fault| matches!(fault, Fault::Accepted { what } if *what == named)
}

fn differs(named: &'static str) -> impl Fn(&Fault) -> bool {
    move |fault| matches!(fault, Fault::Differs { what, .. } if *what == named)
}

fn has_size(named: &'static str) -> impl Fn(&Fault) -> bool {
    move |fault| matches!(fault, Fault::Size { what } if *what == named)
}

/// What is wrong with a cipher.
#[derive(Clone, Copy, PartialEq)]
enum Wrong {
    Nothing,
    /// `open` does not look at the ICV.
    Unchecked,
    /// `open` looks at the first half of the ICV.
    HalfChecked,
    /// A refusal leaves what was decrypted.
    LeavesPlaintext,
    /// A refusal is called a failure of the device.
    BlamesDevice,
    /// The salt is taken from before the key.
    SaltFirst,
    /// Associated data is not protected.
    NoAssociatedData,
    /// 12 bytes of initialization vector.
    Nonce,
    /// Another identifier.
    Identifier(u32),
    /// Keys of 16 bytes only.
    ShortKeys,
    /// No keys at all.
    NoKeys,
}

struct Twisted(&'static dyn Cipher, Wrong);

impl Twisted {
    fn key(&self, key: &[u8]) -> Vec<u8> {
        let mut key = key.to_vec();
        if self.1 == Wrong::SaltFirst {
            key.rotate_left(self.0.salt_length());
        }
        key
    }

    fn associated<'a>(&self, associated: &'a [u8]) -> &'a [u8] {
        if self.1 == Wrong::NoAssociatedData { &[] } else { associated }
    }

    /// Counter modes encrypt and decrypt alike: the plaintext, and the ICV that it should have.
    fn decrypt(&self, key: &[u8], iv: &[u8], associated: &[u8], data: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let (mut plain, mut icv) = (data.to_vec(), vec![0; self.0.icv_length()]);
        self.0.seal(key, iv, associated, &mut plain, &mut icv).unwrap();
        let mut again = plain.clone();
        self.0.seal(key, iv, associated, &mut again, &mut icv).unwrap();
        (plain, icv)
    }
}

impl Cipher for Twisted {
    fn identifier(&self) -> u32 {
        if let Wrong::Identifier(other) = self.1 { other } else { self.0.identifier() }
    }

    fn key_lengths(&self) -> &'static [u16] {
        match self.1 {
            Wrong::ShortKeys => &[16],
            Wrong::NoKeys => &[],
            _ => self.0.key_lengths(),
        }
    }

    fn salt_length(&self) -> usize {
        self.0.salt_length()
    }

    fn iv_length(&self) -> usize {
        if self.1 == Wrong::Nonce { 12 } else { self.0.iv_length() }
    }

    fn alignment(&self) -> usize {
        self.0.alignment()
    }

    fn block_length(&self) -> usize {
        self.0.block_length()
    }

    fn icv_length(&self) -> usize {
        self.0.icv_length()
    }

    fn seal(&self, key: &[u8], iv: &[u8], aad: &[u8], data: &mut [u8], icv: &mut [u8]) -> Result<(), CryptoError> {
        self.0.seal(&self.key(key), iv, self.associated(aad), data, icv)
    }

    fn open(&self, key: &[u8], iv: &[u8], aad: &[u8], data: &mut [u8], icv: &[u8]) -> Result<(), CryptoError> {
        let (key, aad, sealed) = (self.key(key), self.associated(aad), data.to_vec());
        let error = match self.0.open(&key, iv, aad, data, icv) {
            Err(CryptoError::Refused) => CryptoError::Refused,
            other => return other,
        };
        let (plain, expected) = self.decrypt(&key, iv, aad, &sealed);
        match self.1 {
            Wrong::HalfChecked if expected[..8] != icv[..8] => return Err(error),
            Wrong::BlamesDevice => return Err(CryptoError::Device),
            Wrong::Unchecked | Wrong::HalfChecked | Wrong::LeavesPlaintext => data.copy_from_slice(&plain),
            _ => return Err(error),
        }
        if self.1 == Wrong::LeavesPlaintext { Err(error) } else { Ok(()) }
    }
}

/// The kit's report on three ciphers of which the middle one is twisted.
fn run_cipher(inner: &'static dyn Cipher, wrong: Wrong) -> Report {
    let twisted: &'static dyn Cipher = Box::leak(Box::new(Twisted(inner, wrong)));
    run(&CryptoProvider { ciphers: leak(vec![AES_CBC, twisted, AES_CCM_8]), ..NOTHING })
}

#[test]
fn ciphers_that_check_too_little() {
    for cipher in [AES_CCM_16, AES_GCM_16] {
        let (kind, id) = (AlgorithmType::Encryption, cipher.identifier());
        let twist = |wrong| run_cipher(cipher, wrong);
        blames(&twist(Wrong::Unchecked), kind, id, accepted("a changed ICV"));
        blames(&twist(Wrong::HalfChecked), kind, id, accepted("a changed ICV"));
        let leaves = |fault: &Fault| matches!(fault, Fault::Leftover { what: "a changed ICV" });
        blames(&twist(Wrong::LeavesPlaintext), kind, id, leaves);
        let device = |fault: &Fault| matches!(fault, Fault::WrongError { error: CryptoError::Device, .. });
        blames(&twist(Wrong::BlamesDevice), kind, id, device);
        assert!(twist(Wrong::Nothing).is_ok());
    }
    let report = run_cipher(AES_GCM_16, Wrong::Unchecked);
    blames(&report, AlgorithmType::Encryption, AES_GCM_16.identifier(), accepted("a wrong ICV"));
}

#[test]
fn ciphers_that_compute_something_else() {
    let (kind, id) = (AlgorithmType::Encryption, AES_GCM_16.identifier());
    let twist = |wrong| run_cipher(AES_GCM_16, wrong);
    blames(&twist(Wrong::SaltFirst), kind, id, differs("the ICV"));
    blames(&twist(Wrong::SaltFirst), kind, id, differs("the ciphertext"));
    blames(&twist(Wrong::NoAssociatedData), kind, id, differs("the ICV"));
    blames(&twist(Wrong::Nonce), kind, id, has_size("the length of the initialization vector"));
    blames(&twist(Wrong::NoKeys), kind, id, has_size("KEY LENGTH"));
    // An identifier of another row, one that is IANA's, one that is T10's.
    let swapped = algorithm::ENCR_AES_CCM_16.identifier;
    blames(&twist(Wrong::Identifier(swapped)), kind, swapped, has_size("the length of the key material"));
    for id in [0x15, 0x0001_0000] {
        blames(&twist(Wrong::Identifier(id)), kind, id, |fault| *fault == Fault::Identifier);
    }
}

#[test]
fn an_accelerator_may_lack_a_key_length() {
    let report = run_cipher(AES_GCM_16, Wrong::ShortKeys);
    assert!(report.is_ok(), "{report}");
    // AES-128: 25 of NIST and 40 of Wycheproof that open, and those that shall not.
    let whole = run_cipher(AES_GCM_16, Wrong::Nothing).algorithms[1].vectors;
    let short = report.algorithms[1].vectors;
    assert!((65..whole).contains(&short), "{short} of {whole}");
}

struct WrongPrf {
    inner: &'static dyn Prf,
    /// One bit of the output.
    flips: bool,
    /// Parts but the first are left out.
    forgets: bool,
}

impl Prf for WrongPrf {
    fn identifier(&self) -> u32 {
        self.inner.identifier()
    }

    fn output_length(&self) -> usize {
        self.inner.output_length()
    }

    fn key_length(&self) -> usize {
        self.inner.key_length()
    }

    // The share of PRF_AES128_XCBC is left out.
    fn compute(&self, key: &[u8], parts: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
        self.inner.compute(key, if self.forgets { &parts[..1] } else { parts }, out)?;
        if let (true, Some(last)) = (self.flips, out.last_mut()) {
            *last ^= 0x01;
        }
        Ok(())
    }
}

#[test]
fn pseudo_random_functions() {
    let run_prf = |inner, flips, forgets| {
        let wrong: &'static dyn Prf = Box::leak(Box::new(WrongPrf { inner, flips, forgets }));
        run(&CryptoProvider { prfs: leak(vec![wrong]), ..NOTHING })
    };
    let (kind, id) = (AlgorithmType::PseudoRandom, PRF_HMAC_SHA2_256.identifier());
    let flipped = run_prf(PRF_HMAC_SHA2_256, true, false);
    blames(&flipped, kind, id, |fault| *fault == Fault::Differs { what: "the output", at: 31 });
    let forgetful = run_prf(PRF_HMAC_SHA2_256, false, true);
    blames(&forgetful, kind, id, differs("the output of the message in parts"));
    assert!(run_prf(PRF_HMAC_SHA2_256, false, false).is_ok());
    let share = has_size("the share of each nonce in the key of SKEYSEED");
    blames(&run_prf(PRF_AES128_XCBC, false, false), kind, PRF_AES128_XCBC.identifier(), share);
}

struct WrongIntegrity {
    inner: &'static dyn Integrity,
    /// Bytes of the ICV that are compared.
    compares: usize,
    none: bool,
}

impl Integrity for WrongIntegrity {
    fn identifier(&self) -> u32 {
        if self.none { algorithm::INTEG_NONE } else { self.inner.identifier() }
    }

    fn key_length(&self) -> usize {
        self.inner.key_length()
    }

    fn icv_length(&self) -> usize {
        self.inner.icv_length()
    }

    fn compute(&self, key: &[u8], parts: &[&[u8]], icv: &mut [u8]) -> Result<(), CryptoError> {
        self.inner.compute(key, parts, icv)
    }

    fn verify(&self, key: &[u8], parts: &[&[u8]], icv: &[u8]) -> Result<(), CryptoError> {
        let mut expected = vec![0; self.inner.icv_length()];
        self.inner.compute(key, parts, &mut expected)?;
        let (expected, icv) = (expected.get(..self.compares), icv.get(..self.compares));
        if icv.is_some() && expected == icv { Ok(()) } else { Err(CryptoError::Refused) }
    }
}

#[test]
fn integrity_algorithms() {
    let run_integrity = |inner: &'static dyn Integrity, compares, none| {
        let wrong: &'static dyn Integrity = Box::leak(Box::new(WrongIntegrity { inner, compares, none }));
        run(&CryptoProvider { integrity: leak(vec![wrong]), ..NOTHING })
    };
    let kind = AlgorithmType::Integrity;
    for inner in [AUTH_HMAC_SHA1_96, AUTH_AES_XCBC_96] {
        for compares in [0, 4, 11] {
            let report = run_integrity(inner, compares, false);
            blames(&report, kind, inner.identifier(), accepted("a changed ICV"));
        }
        // All bytes are compared, but not the length.
        let report = run_integrity(inner, 12, false);
        blames(&report, kind, inner.identifier(), |fault| matches!(fault, Fault::WrongError { .. }));
        let report = run_integrity(inner, 12, true);
        blames(&report, kind, algorithm::INTEG_NONE, |fault| *fault == Fault::Identifier);
    }
}

#[derive(Clone, Copy, PartialEq)]
enum WrongGroup {
    /// `check_public` looks at the length only.
    ChecksLength,
    /// `agree` answers everything of the right length.
    Agrees,
    /// The secret loses its leading zeros.
    Strips,
    /// The public value has another byte order.
    Reversed,
    /// The same private value every time.
    Draws,
    /// Both halves at once give something else than one by one.
    Both,
    /// Buffers may be longer.
    Longer,
}

struct Twisting(&'static dyn DhGroup, WrongGroup);

impl DhGroup for Twisting {
    fn identifier(&self) -> u32 {
        self.0.identifier()
    }

    fn public_length(&self) -> usize {
        self.0.public_length()
    }

    fn shared_length(&self) -> usize {
        self.0.shared_length()
    }

    fn private_length(&self) -> usize {
        self.0.private_length()
    }

    fn check_public(&self, public: &[u8]) -> Result<(), CryptoError> {
        match self.0.check_public(public) {
            Err(CryptoError::Refused) if self.1 == WrongGroup::ChecksLength => Ok(()),
            other => other,
        }
    }

    fn draw_private(&self, random: &mut dyn Random, out: &mut [u8]) -> Result<(), RandomError> {
        if self.1 == WrongGroup::Draws {
            out.fill(7);
            return Ok(());
        }
        self.0.draw_private(random, out)
    }

    fn public(&self, private: &[u8], out: &mut [u8]) -> Result<(), CryptoError> {
        let length = self.public_length();
        match self.1 {
            WrongGroup::Longer if out.len() > length => self.0.public(private, &mut out[..length])?,
            _ => self.0.public(private, out)?,
        }
        if self.1 == WrongGroup::Reversed {
            out.reverse();
        }
        Ok(())
    }

    fn agree(&self, private: &[u8], peer: &[u8], out: &mut [u8]) -> Result<(), CryptoError> {
        match (self.1, self.0.agree(private, peer, out)) {
            (WrongGroup::Agrees, Err(CryptoError::Refused)) => out.fill(0),
            (WrongGroup::Strips, Ok(())) => {
                let zeros = out.iter().take_while(|byte| **byte == 0).count();
                out.rotate_left(zeros);
            }
            (_, other) => return other,
        }
        Ok(())
    }

    fn exchange(&self, private: &[u8], peer: &[u8], public: &mut [u8], shared: &mut [u8]) -> Result<(), CryptoError> {
        self.public(private, public)?;
        self.agree(private, peer, shared)?;
        if self.1 == WrongGroup::Both {
            shared.reverse();
        }
        Ok(())
    }
}

#[test]
fn groups() {
    let kind = AlgorithmType::DiffieHellman;
    for group in [MODP_2048, ECP_256] {
        let run_group = |wrong| {
            let twisted: &'static dyn DhGroup = Box::leak(Box::new(Twisting(group, wrong)));
            run(&CryptoProvider { ciphers: &[AES_CBC], groups: leak(vec![twisted]), ..NOTHING })
        };
        let id = group.identifier();
        let outside = "a public value outside the group";
        blames(&run_group(WrongGroup::ChecksLength), kind, id, accepted(outside));
        blames(&run_group(WrongGroup::Agrees), kind, id, accepted(outside));
        blames(&run_group(WrongGroup::Strips), kind, id, differs("the shared secret"));
        blames(&run_group(WrongGroup::Reversed), kind, id, differs("the public value"));
        blames(&run_group(WrongGroup::Draws), kind, id, accepted("the same private value twice"));
        blames(&run_group(WrongGroup::Both), kind, id, differs("the shared secret of both halves"));
        blames(&run_group(WrongGroup::Longer), kind, id, accepted("a buffer of another length"));
    }
}

#[derive(Debug, Clone, Copy)]
enum WrongVerifier {
    /// Yes to everything.
    Yes,
    /// The message may be longer.
    LongerMessage,
    /// The signature may be longer.
    Longer,
    /// Another hash than it says.
    Hash,
    /// A wrong signature is a failure of the device.
    BlamesDevice,
}

#[derive(Debug)]
struct Twister(&'static dyn Verifier, WrongVerifier);

impl Verifier for Twister {
    fn scheme(&self) -> SignatureScheme {
        match (self.0.scheme(), self.1) {
            (SignatureScheme { key, .. }, WrongVerifier::Hash) => SignatureScheme::new(key, HashKind::Sha384),
            (scheme, _) => scheme,
        }
    }

    fn verify(&self, key: &[u8], message: &[&[u8]], signature: &[u8]) -> Result<(), CryptoError> {
        let verified = self.0.verify(key, message, signature);
        match self.1 {
            WrongVerifier::Yes => Ok(()),
            WrongVerifier::LongerMessage => {
                let whole = message.concat();
                let shorter = whole.split_last().map_or(&[][..], |(_, rest)| rest);
                verified.or_else(|_| self.0.verify(key, &[shorter], signature))
            }
            WrongVerifier::Longer => {
                let shorter = signature.split_last().map_or(&[][..], |(_, rest)| rest);
                verified.or_else(|_| self.0.verify(key, message, shorter))
            }
            WrongVerifier::Hash => verified,
            WrongVerifier::BlamesDevice => verified.map_err(|_| CryptoError::Device),
        }
    }
}

#[test]
fn verifiers() {
    let kind = AlgorithmType::Authentication;
    for verifier in [RSA_PKCS1_SHA256, ECDSA_P256_SHA256] {
        let run_verifier = |wrong| {
            let twister: &'static dyn Verifier = Box::leak(Box::new(Twister(verifier, wrong)));
            run(&CryptoProvider { ciphers: &[AES_CBC], verifiers: leak(vec![twister]), ..NOTHING })
        };
        let id = verifier.scheme().key.auth_method();
        let report = run_verifier(WrongVerifier::Yes);
        blames(&report, kind, id, accepted("a message with a byte more"));
        blames(&report, kind, id, accepted("a wrong signature"));
        blames(&run_verifier(WrongVerifier::LongerMessage), kind, id, accepted("a message with a byte more"));
        blames(&run_verifier(WrongVerifier::Longer), kind, id, accepted("a signature of another length"));
        let refused = |fault: &Fault| matches!(fault, Fault::Failed { error: CryptoError::Refused, .. });
        let report = run_verifier(WrongVerifier::Hash);
        blames(&report, kind, id, refused);
        // A verifier for certificates is none for AUTH.
        let is_missing = report.missing.iter().any(|row| (row.algorithm_type, row.identifier) == (kind, id));
        assert!(is_missing, "{report}");
        let device = |fault: &Fault| matches!(fault, Fault::WrongError { error: CryptoError::Device, .. });
        blames(&run_verifier(WrongVerifier::BlamesDevice), kind, id, device);
    }
}

/// An identifier of a vendor has no published values: it is named, and is no proof of anything.
#[test]
fn what_is_not_checked_proves_nothing() {
    let vendors: &'static dyn Cipher = Box::leak(Box::new(Twisted(AES_GCM_16, Wrong::Identifier(0x0400))));
    let report = run(&CryptoProvider { ciphers: leak(vec![vendors]), ..NOTHING });
    assert!(!report.is_ok());
    assert_eq!(report.unchecked().map(|outcome| outcome.identifier).collect::<Vec<_>>(), [0x0400]);
    assert_eq!(report.algorithms[0].verdict(), Verdict::Unchecked);
    assert!(report.to_string().contains("vendor-specific"), "{report}");
    let report = run(&CryptoProvider { ciphers: leak(vec![vendors, AES_GCM_16]), ..NOTHING });
    assert!(report.is_ok());
    assert_eq!(report.unchecked().count(), 1);
}

#[test]
fn a_provider_of_nothing_does_not_conform() {
    let report = run(&NOTHING);
    assert!(!report.is_ok());
    assert!(report.algorithms.is_empty());
    // All rows but NONE, IKE_AUTH_NONE and the shared key, which take no object.
    assert_eq!(report.missing.len(), algorithm::TABLE.len() - 3);
    let text = report.to_string();
    assert_eq!(text.lines().filter(|line| line.contains("not listed (mandatory)")).count(), 6, "{text}");
}
