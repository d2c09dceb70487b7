//! Algorithms that cost next to nothing under the numbers of real ones. Nothing here protects anybody: a group's public value is
//! the private one, and the keyed functions are a checksum.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use ikev2_scsi::crypto::{
    AuthorityHash, CertificateError, CertificateValidator, Cipher, CryptoError, CryptoProvider, DhGroup, Integrity,
    KeyKind, PeerClaim, Prf, PublicKey, Purpose, Random, RandomError, SignatureScheme, Signer, Verifier,
};
use ikev2_scsi::provider;

const fn xorshift(mut state: u64) -> u64 {
    state ^= state << 13;
    state ^= state >> 7;
    state ^ (state << 17)
}

/// FNV-1a over the key and the parts, drawn out to the length of `out`.
pub(crate) fn checksum(key: &[u8], parts: &[&[u8]], out: &mut [u8]) {
    let mut state = 0xCBF2_9CE4_8422_2325_u64;
    for bytes in [key].iter().chain(parts) {
        for byte in *bytes {
            state = (state ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3);
        }
    }
    for byte in out {
        state = xorshift(state | 1);
        *byte = state.to_be_bytes()[3];
    }
}

/// The text under a key and a vector, either way.
pub(crate) fn crypt(key: &[u8], iv: &[u8], text: &mut [u8]) {
    let mut stream = vec![0; text.len()];
    checksum(key, &[iv], &mut stream);
    text.iter_mut().zip(stream).for_each(|(byte, other)| *byte ^= other);
}

/// What an algorithm needs to have to be called by a number.
pub(crate) struct Toy {
    pub(crate) identifier: u32,
    pub(crate) length: usize,
}

/// A cipher with a separate integrity algorithm, of blocks of 16 bytes; or a combined mode.
struct ToyCipher {
    identifier: u32,
    salt: usize,
    iv: usize,
    alignment: usize,
    block: usize,
    icv: usize,
}

impl Cipher for ToyCipher {
    fn identifier(&self) -> u32 {
        self.identifier
    }
    fn key_lengths(&self) -> &'static [u16] {
        &[16, 32]
    }
    fn salt_length(&self) -> usize {
        self.salt
    }
    fn iv_length(&self) -> usize {
        self.iv
    }
    fn alignment(&self) -> usize {
        self.alignment
    }
    fn block_length(&self) -> usize {
        self.block
    }
    fn icv_length(&self) -> usize {
        self.icv
    }
    fn seal(
        &self,
        key: &[u8],
        iv: &[u8],
        associated: &[u8],
        data: &mut [u8],
        icv: &mut [u8],
    ) -> Result<(), CryptoError> {
        crypt(key, iv, data);
        checksum(key, &[associated, iv, data], icv);
        Ok(())
    }
    fn open(&self, key: &[u8], iv: &[u8], associated: &[u8], data: &mut [u8], icv: &[u8]) -> Result<(), CryptoError> {
        let mut own = vec![0; icv.len()];
        checksum(key, &[associated, iv, data], &mut own);
        if own != icv {
            return Err(CryptoError::Refused);
        }
        crypt(key, iv, data);
        Ok(())
    }
}

impl Prf for Toy {
    fn identifier(&self) -> u32 {
        self.identifier
    }
    fn output_length(&self) -> usize {
        self.length
    }
    fn key_length(&self) -> usize {
        self.length
    }
    fn compute(&self, key: &[u8], parts: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
        checksum(key, parts, out);
        Ok(())
    }
}

/// What the device behind the algorithms does from now on: nothing.
pub(crate) static BROKEN: AtomicBool = AtomicBool::new(false);

/// An integrity algorithm; the one with a key of 32 bytes is in a device that may break.
struct ToyIntegrity {
    identifier: u32,
    key: usize,
    icv: usize,
}

impl Integrity for ToyIntegrity {
    fn identifier(&self) -> u32 {
        self.identifier
    }
    fn key_length(&self) -> usize {
        self.key
    }
    fn icv_length(&self) -> usize {
        self.icv
    }
    fn compute(&self, key: &[u8], parts: &[&[u8]], icv: &mut [u8]) -> Result<(), CryptoError> {
        checksum(key, parts, icv);
        Ok(())
    }
    fn verify(&self, key: &[u8], parts: &[&[u8]], icv: &[u8]) -> Result<(), CryptoError> {
        if self.key == 32 && BROKEN.load(Ordering::Relaxed) {
            return Err(CryptoError::Device);
        }
        let mut own = vec![0; self.icv];
        checksum(key, parts, &mut own);
        if own == icv { Ok(()) } else { Err(CryptoError::Refused) }
    }
}

impl DhGroup for Toy {
    fn identifier(&self) -> u32 {
        self.identifier
    }
    fn public_length(&self) -> usize {
        self.length
    }
    fn shared_length(&self) -> usize {
        self.length
    }
    fn private_length(&self) -> usize {
        self.length
    }
    /// Zero is out of range; 7 is a point that a broken device cannot check.
    fn check_public(&self, public: &[u8]) -> Result<(), CryptoError> {
        match public {
            public if public.len() != self.length => Err(CryptoError::Length),
            public if public.iter().all(|byte| *byte == 0) => Err(CryptoError::Refused),
            public if public.iter().all(|byte| *byte == 7) => Err(CryptoError::Device),
            _ => Ok(()),
        }
    }
    fn draw_private(&self, random: &mut dyn Random, out: &mut [u8]) -> Result<(), RandomError> {
        random.fill(Purpose::DhPrivate, out)
    }
    fn public(&self, private: &[u8], out: &mut [u8]) -> Result<(), CryptoError> {
        out.copy_from_slice(private);
        Ok(())
    }
    /// With a public value of nines it breaks down.
    fn agree(&self, private: &[u8], peer: &[u8], out: &mut [u8]) -> Result<(), CryptoError> {
        if peer.iter().all(|byte| *byte == 9) {
            return Err(CryptoError::Device);
        }
        private.iter().zip(peer).zip(out).for_each(|((a, b), out)| *out = a ^ b);
        Ok(())
    }
}

/// As long as a signature on P-521.
pub(crate) fn signature(public_key: &[u8], message: &[&[u8]]) -> Vec<u8> {
    let mut signature = vec![0; 132];
    checksum(public_key, message, &mut signature);
    signature
}

const SCHEME: SignatureScheme = SignatureScheme::of_auth(KeyKind::P521);

/// Whoever knows the name of the key can sign with it.
pub(crate) struct ToySigner(pub(crate) &'static [u8]);

impl Signer for ToySigner {
    fn scheme(&self) -> SignatureScheme {
        SCHEME
    }
    fn public_key(&self) -> PublicKey {
        PublicKey::new(KeyKind::P521, self.0)
    }
    fn signature_length(&self) -> usize {
        132
    }
    fn sign(&self, message: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
        if self.0 == b"broken" {
            return Err(CryptoError::Device);
        }
        out.copy_from_slice(&signature(self.0, message));
        Ok(())
    }
}

#[derive(Debug)]
struct ToyVerifier;

impl Verifier for ToyVerifier {
    fn scheme(&self) -> SignatureScheme {
        SCHEME
    }
    fn verify(&self, public_key: &[u8], message: &[&[u8]], made: &[u8]) -> Result<(), CryptoError> {
        if signature(public_key, message) == made { Ok(()) } else { Err(CryptoError::Refused) }
    }
}

/// Takes the first certificate for the key, or the identity where there is none, and remembers the certificates.
#[derive(Default)]
pub(crate) struct First {
    pub(crate) seen: Mutex<Vec<Vec<u8>>>,
    pub(crate) authorities: Vec<AuthorityHash>,
}

impl CertificateValidator for First {
    fn validate(&self, claim: &PeerClaim<'_>) -> Result<PublicKey, CertificateError> {
        *self.seen.lock().unwrap() = claim.certificates.iter().map(|certificate| certificate.data.to_vec()).collect();
        let key = claim.certificates.first().map_or(claim.identity.data, |first| first.data);
        if key == b"untrusted" { Err(CertificateError::Untrusted) } else { Ok(PublicKey::new(claim.kind, key)) }
    }
    fn authorities(&self) -> &[AuthorityHash] {
        &self.authorities
    }
}

/// AES-CBC, AES-CCM-16, AES-GCM-16 and ENCR_NULL; the PRFs and integrity algorithms of SPC-4; groups 14 and 21; ECDSA on P-521. The
/// sizes are the real ones, but for the groups, whose values have 16 and 18 bytes.
pub(crate) fn toy_provider() -> CryptoProvider {
    const CBC: ToyCipher = ToyCipher { identifier: 12, salt: 0, iv: 16, alignment: 16, block: 16, icv: 0 };
    const CCM: ToyCipher = ToyCipher { identifier: 16, salt: 3, iv: 8, alignment: 4, block: 1, icv: 16 };
    const GCM: ToyCipher = ToyCipher { identifier: 20, salt: 4, iv: 8, alignment: 4, block: 1, icv: 16 };
    const SHA1: Toy = Toy { identifier: 2, length: 20 };
    const SHA256: Toy = Toy { identifier: 5, length: 32 };
    const SHA512: Toy = Toy { identifier: 7, length: 64 };
    const HMAC_SHA1: ToyIntegrity = ToyIntegrity { identifier: 2, key: 20, icv: 12 };
    const HMAC_SHA256: ToyIntegrity = ToyIntegrity { identifier: 12, key: 32, icv: 16 };
    const HMAC_SHA512: ToyIntegrity = ToyIntegrity { identifier: 14, key: 64, icv: 32 };
    const MODP_2048: Toy = Toy { identifier: 14, length: 16 };
    const ECP_521: Toy = Toy { identifier: 21, length: 18 };
    CryptoProvider {
        ciphers: &[provider::NULL, &CBC, &CCM, &GCM],
        prfs: &[&SHA1, &SHA256, &SHA512],
        integrity: &[&HMAC_SHA1, &HMAC_SHA256, &HMAC_SHA512],
        groups: &[&MODP_2048, &ECP_521],
        verifiers: &[&ToyVerifier],
    }
}
