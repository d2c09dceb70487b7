//! The provider and a signer whose allocations are counted apart.

use std::sync::Arc;

use ikev2_scsi::crypto::{
    AuthorityHash, CertificateError, CertificateValidator, Cipher, CryptoError, CryptoProvider, DhGroup, Integrity,
    KnownKeys, PeerClaim, Prf, PublicKey, Random, RandomError, SignatureScheme, Signer, Verifier,
};

use super::inside;

/// The provider under test, each of its algorithms counted.
pub(crate) fn provider() -> CryptoProvider {
    let all = crate::provider::provider();
    let ciphers = all.ciphers.iter().map(|c| &*Box::leak(Box::new(Of(*c))) as &dyn Cipher);
    let prfs = all.prfs.iter().map(|p| &*Box::leak(Box::new(Of(*p))) as &dyn Prf);
    let integrity = all.integrity.iter().map(|i| &*Box::leak(Box::new(Of(*i))) as &dyn Integrity);
    let groups = all.groups.iter().map(|g| &*Box::leak(Box::new(Of(*g))) as &dyn DhGroup);
    let verifiers = all.verifiers.iter().map(|v| &*Box::leak(Box::new(Of(*v))) as &dyn Verifier);
    CryptoProvider {
        ciphers: Vec::leak(ciphers.collect()),
        prfs: Vec::leak(prfs.collect()),
        integrity: Vec::leak(integrity.collect()),
        groups: Vec::leak(groups.collect()),
        verifiers: Vec::leak(verifiers.collect()),
    }
}

struct Of<T: ?Sized + 'static>(&'static T);

impl Cipher for Of<dyn Cipher> {
    fn identifier(&self) -> u32 {
        self.0.identifier()
    }
    fn key_lengths(&self) -> &'static [u16] {
        self.0.key_lengths()
    }
    fn salt_length(&self) -> usize {
        self.0.salt_length()
    }
    fn key_material_length(&self, key_length: u16) -> usize {
        self.0.key_material_length(key_length)
    }
    fn iv_length(&self) -> usize {
        self.0.iv_length()
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
    fn seal(&self, key: &[u8], iv: &[u8], ad: &[u8], data: &mut [u8], icv: &mut [u8]) -> Result<(), CryptoError> {
        inside(|| self.0.seal(key, iv, ad, data, icv))
    }
    fn open(&self, key: &[u8], iv: &[u8], ad: &[u8], data: &mut [u8], icv: &[u8]) -> Result<(), CryptoError> {
        inside(|| self.0.open(key, iv, ad, data, icv))
    }
}

impl Prf for Of<dyn Prf> {
    fn identifier(&self) -> u32 {
        self.0.identifier()
    }
    fn output_length(&self) -> usize {
        self.0.output_length()
    }
    fn key_length(&self) -> usize {
        self.0.key_length()
    }
    fn nonce_share(&self) -> Option<usize> {
        self.0.nonce_share()
    }
    fn compute(&self, key: &[u8], parts: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
        inside(|| self.0.compute(key, parts, out))
    }
    fn expand(&self, key: &[u8], seed: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
        inside(|| self.0.expand(key, seed, out))
    }
}

impl Integrity for Of<dyn Integrity> {
    fn identifier(&self) -> u32 {
        self.0.identifier()
    }
    fn key_length(&self) -> usize {
        self.0.key_length()
    }
    fn icv_length(&self) -> usize {
        self.0.icv_length()
    }
    fn compute(&self, key: &[u8], parts: &[&[u8]], icv: &mut [u8]) -> Result<(), CryptoError> {
        inside(|| self.0.compute(key, parts, icv))
    }
    fn verify(&self, key: &[u8], parts: &[&[u8]], icv: &[u8]) -> Result<(), CryptoError> {
        inside(|| self.0.verify(key, parts, icv))
    }
}

impl DhGroup for Of<dyn DhGroup> {
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
        inside(|| self.0.check_public(public))
    }
    fn draw_private(&self, random: &mut dyn Random, out: &mut [u8]) -> Result<(), RandomError> {
        inside(|| self.0.draw_private(random, out))
    }
    fn public(&self, private: &[u8], out: &mut [u8]) -> Result<(), CryptoError> {
        inside(|| self.0.public(private, out))
    }
    fn agree(&self, private: &[u8], peer: &[u8], out: &mut [u8]) -> Result<(), CryptoError> {
        inside(|| self.0.agree(private, peer, out))
    }
    fn exchange(&self, private: &[u8], peer: &[u8], public: &mut [u8], shared: &mut [u8]) -> Result<(), CryptoError> {
        inside(|| self.0.exchange(private, peer, public, shared))
    }
}

impl std::fmt::Debug for Of<dyn Verifier> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Verifier for Of<dyn Verifier> {
    fn scheme(&self) -> SignatureScheme {
        self.0.scheme()
    }
    fn verify(&self, public_key: &[u8], message: &[&[u8]], signature: &[u8]) -> Result<(), CryptoError> {
        inside(|| self.0.verify(public_key, message, signature))
    }
}

pub(crate) struct Signing(pub(crate) Arc<dyn Signer>);

impl Signer for Signing {
    fn scheme(&self) -> SignatureScheme {
        self.0.scheme()
    }
    fn public_key(&self) -> PublicKey {
        self.0.public_key()
    }
    fn signature_length(&self) -> usize {
        self.0.signature_length()
    }
    fn sign(&self, message: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
        inside(|| self.0.sign(message, out))
    }
}

/// Known keys; certificates hold them. What it allocates is the device server's: it is a part of the crate.
pub(crate) struct Known {
    pub(crate) keys: KnownKeys,
    pub(crate) certificates: bool,
}

impl CertificateValidator for Known {
    fn validate(&self, claim: &PeerClaim<'_>) -> Result<PublicKey, CertificateError> {
        let sent = !claim.certificates.is_empty();
        assert_eq!(sent, self.certificates);
        self.keys.validate(&PeerClaim { certificates: &[], ..*claim })
    }
    fn authorities(&self) -> &[AuthorityHash] {
        if self.certificates { &[[7; 20]] } else { &[] }
    }
}
