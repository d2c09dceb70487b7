//! A device server that signs with RSA and certificates, and validates the certificates of its clients.

use alloc::sync::Arc;

use ikev2_scsi::crypto::{CertificateRequests, Credential, HashKind, KeyKind, KnownKeys, Presentation, Signer};
use ikev2_scsi::provider::{EcdsaSigner, RsaSigner};
use ikev2_scsi::time::UnixTime;
use ikev2_scsi::x509::{ChainValidator, IdentityMatch, Revocation, public_key_from_spki};
use ikev2_scsi::{CryptoProvider, DeviceServer, Instant, Profile};

use crate::device;
use crate::recording::Recording;

/// The device server of a recording with RSA.
#[must_use]
pub fn with_rsa(provider: CryptoProvider, profile: Profile, recording: Recording) -> Option<DeviceServer> {
    let key = recording.provisioning().private_key;
    with(provider, profile, recording, Arc::new(RsaSigner::from_pkcs8_der(key, HashKind::Sha1).ok()?))
}

/// The device server of a recording with ECDSA.
#[must_use]
pub fn with_ecdsa(provider: CryptoProvider, profile: Profile, recording: Recording) -> Option<DeviceServer> {
    let key = recording.provisioning().private_key;
    with(provider, profile, recording, Arc::new(EcdsaSigner::from_pkcs8_der(key).ok()?))
}

fn with(
    provider: CryptoProvider,
    profile: Profile,
    recording: Recording,
    signer: Arc<dyn Signer>,
) -> Option<DeviceServer> {
    let given = recording.provisioning();
    let chains = ChainValidator::builder()
        .trust_anchor(given.anchor)
        .revocation(Revocation::Off)
        .identity_match(IdentityMatch::Off)
        .build()
        .ok()?;
    let mut known = KnownKeys::new().with_certificates(Arc::new(chains));
    known.set(device::identity(given.client.identity)?, public_key_from_spki(given.client_key).ok()?);
    let is_rsa = signer.scheme().key == KeyKind::Rsa;
    let presentation = if is_rsa { Presentation::Certificates } else { Presentation::OnRequest };
    let requests =
        if profile == Profile::R3 { CertificateRequests::TrustAnchors } else { CertificateRequests::Nothing };
    let mut server = device::builder(provider, &given)?
        .profile(profile)
        .credential(Credential::with_certificates(signer, &given.certificates).presenting(presentation))
        .validator(Arc::new(known))
        .certificate_requests(requests)
        .build()
        .ok()?;
    let seconds = u64::from_be_bytes(*given.unix_time.first_chunk()?);
    server.set_unix_time(UnixTime(seconds), Instant::from_millis(1));
    Some(server)
}
