//! By what a device server to be authenticates itself and its application clients.

use std::sync::Arc;

use ikev2_scsi::crypto::{Credential, KeyKind, KnownKeys, MemoryKeys, Presentation, Secret, Signer};
use ikev2_scsi::provider::{EcdsaSigner, KeyError, RsaSigner};
use ikev2_scsi::x509::{ChainValidator, authority_hash, public_key_from_spki};

use crate::boundary::Failure;
use crate::builder::{handles_with, identity};
use crate::callbacks::{Bytes, Key, KeyStore, PresharedKeyCallbacks, SignerCallbacks};
use crate::codes::{CallResult, HashCode, ShowsCode};
use crate::handles::BuilderHandle;
use crate::pointers;

/// The shared key by which the device server authenticates itself, one byte at least. Shared keys that are given by calls take
/// the place of all those of a configuration. The bytes are copied, and the copy is wiped when it goes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_builder_own_preshared_key(
    builder: *mut BuilderHandle,
    key: *const u8,
    key_length: usize,
) -> CallResult {
    handles_with(builder, |plan| {
        // SAFETY: the caller of C keeps the rules of README.md.
        let secret = Secret::from(unsafe { pointers::bytes("key", key, key_length) }?);
        plan.keys.get_or_insert_with(MemoryKeys::new).set_own(secret).map_err(Failure::configuration)
    })
}

/// The shared key of an application client, another one for each.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_builder_peer_preshared_key(
    builder: *mut BuilderHandle,
    id_type: u32,
    id: *const u8,
    id_length: usize,
    key: *const u8,
    key_length: usize,
) -> CallResult {
    handles_with(builder, |plan| {
        // SAFETY: the caller of C keeps the rules of README.md.
        let peer = unsafe { identity(id_type, id, id_length) }?;
        // SAFETY: likewise.
        let secret = Secret::from(unsafe { pointers::bytes("key", key, key_length) }?);
        let keys = plan.keys.get_or_insert_with(MemoryKeys::new);
        keys.add_peer(peer.as_payload(), secret).map_err(Failure::configuration)
    })
}

/// Shared keys that stay with the caller, in place of all others. The structure is copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_builder_preshared_keys(
    builder: *mut BuilderHandle,
    callbacks: *const PresharedKeyCallbacks,
) -> CallResult {
    handles_with(builder, |plan| {
        // SAFETY: the caller of C keeps the rules of README.md.
        let callbacks = unsafe { pointers::value("callbacks", callbacks) }?;
        plan.key_store = Some(KeyStore::of(&callbacks)?);
        Ok(())
    })
}

/// What goes with a private key.
struct Shown {
    certificates: Vec<Vec<u8>>,
    as_what: Presentation,
}

impl Shown {
    /// # Safety
    /// The certificates can be read.
    unsafe fn read(certificates: *const Bytes, count: usize, shows: u32) -> Result<Self, Failure> {
        let as_what = ShowsCode::of_code(shows)?.into();
        // SAFETY: the promise of whoever calls this.
        let places = unsafe { pointers::array("certificates", certificates, count) }?;
        let mut certificates = Vec::new();
        for Bytes { data, length } in places {
            // SAFETY: likewise.
            certificates.push(unsafe { pointers::bytes("a certificate", data, length) }?);
        }
        Ok(Self { certificates, as_what })
    }

    fn with(&self, signer: Arc<dyn Signer>) -> Credential {
        let chain: Vec<&[u8]> = self.certificates.iter().map(Vec::as_slice).collect();
        Credential::with_certificates(signer, &chain).presenting(self.as_what)
    }
}

/// Adds a private key that stays with the caller, and its certificates in DER, its own first. `shows` is an ikev2_scsi_shows:
/// what is sent of them. The structure is copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_builder_signer(
    builder: *mut BuilderHandle,
    callbacks: *const SignerCallbacks,
    certificates: *const Bytes,
    count: usize,
    shows: u32,
) -> CallResult {
    handles_with(builder, |plan| {
        // SAFETY: the caller of C keeps the rules of README.md.
        let callbacks = unsafe { pointers::value("callbacks", callbacks) }?;
        // Whatever is refused is refused before the caller's pointer is taken over.
        // SAFETY: likewise.
        let shown = unsafe { Shown::read(certificates, count, shows) }?;
        // SAFETY: likewise.
        let key = unsafe { Key::of(&callbacks) }?;
        plan.credentials.push(shown.with(Arc::new(key)));
        Ok(())
    })
}

/// Adds a private key, PKCS#8 in DER: RSA, P-256, P-384 or P-521; otherwise as ikev2_scsi_builder_signer(). `hash` is an
/// ikev2_scsi_hash. The key is copied, and the copy is wiped when it goes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_builder_private_key(
    builder: *mut BuilderHandle,
    key: *const u8,
    key_length: usize,
    hash: u32,
    certificates: *const Bytes,
    count: usize,
    shows: u32,
) -> CallResult {
    handles_with(builder, |plan| {
        // SAFETY: the caller of C keeps the rules of README.md.
        let key = Secret::from(unsafe { pointers::bytes("key", key, key_length) }?);
        let hash = HashCode::of_code(hash)?;
        let signer: Arc<dyn Signer> = match EcdsaSigner::from_pkcs8_der(key.expose()) {
            Ok(signer) if hash.of(signer.scheme().key) != signer.scheme().hash => {
                return Err(Failure::argument("an ECDSA key signs with its curve's hash"));
            }
            Ok(signer) => Arc::new(signer),
            Err(KeyError::Algorithm) => {
                let hash = hash.of(KeyKind::Rsa);
                Arc::new(RsaSigner::from_pkcs8_der(key.expose(), hash).map_err(Failure::configuration)?)
            }
            Err(error) => return Err(Failure::configuration(error)),
        };
        // SAFETY: likewise.
        let shown = unsafe { Shown::read(certificates, count, shows) }?;
        plan.credentials.push(shown.with(signer));
        Ok(())
    })
}

/// Adds the public key, a SubjectPublicKeyInfo in DER, with which an application client signs. Public keys and trust anchors
/// that are given by calls take the place of all those of a configuration.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_builder_peer_public_key(
    builder: *mut BuilderHandle,
    id_type: u32,
    id: *const u8,
    id_length: usize,
    key: *const u8,
    key_length: usize,
) -> CallResult {
    handles_with(builder, |plan| {
        // SAFETY: the caller of C keeps the rules of README.md.
        let peer = unsafe { identity(id_type, id, id_length) }?;
        // SAFETY: likewise.
        let key = unsafe { pointers::bytes("key", key, key_length) }?;
        let key = public_key_from_spki(&key).map_err(Failure::configuration)?;
        plan.known.get_or_insert_with(KnownKeys::new).set(peer, key);
        Ok(())
    })
}

/// Adds a trust anchor, a certificate in DER: application clients may authenticate themselves by certificates under it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_builder_trust_anchor(
    builder: *mut BuilderHandle,
    certificate: *const u8,
    length: usize,
) -> CallResult {
    handles_with(builder, |plan| {
        // SAFETY: the caller of C keeps the rules of README.md.
        let certificate = unsafe { pointers::bytes("certificate", certificate, length) }?;
        authority_hash(&certificate).map_err(Failure::configuration)?;
        let chains = plan.chains.take().unwrap_or_else(ChainValidator::builder);
        plan.chains = Some(chains.trust_anchor(&certificate));
        Ok(())
    })
}

/// Adds a certificate revocation list in DER. It is read when the device server is made.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_builder_revocation_list(
    builder: *mut BuilderHandle,
    list: *const u8,
    length: usize,
) -> CallResult {
    handles_with(builder, |plan| {
        // SAFETY: the caller of C keeps the rules of README.md.
        let list = unsafe { pointers::bytes("list", list, length) }?;
        let chains = plan.chains.take().unwrap_or_else(ChainValidator::builder);
        plan.chains = Some(chains.revocation_list(&list));
        Ok(())
    })
}
