//! Device servers and application clients for the validator.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use ikev2_scsi::algorithm::{
    AUTH_HMAC_SHA1_96, AUTH_HMAC_SHA2_512_256, AlgorithmType, ECP_256, ECP_521, ENCR_AES_CBC, ENCR_AES_GCM_16,
    ENCR_NULL, IKE_AUTH_ECDSA_521, IKE_AUTH_SHARED_KEY, INTEG_NONE, MODP_2048, MODP_3072, MODP_4096, MODP_6144,
    MODP_8192, PRF_HMAC_SHA1, PRF_HMAC_SHA2_256, PRF_HMAC_SHA2_512,
};
use ikev2_scsi::client::{ClientConfig, ClientConfigBuilder, Preferences, SuiteIdentifiers};
use ikev2_scsi::crypto::{
    AuthorityHash, CertificateError, CertificateValidator, Credential, Identity, KnownKeys, MemoryKeys, PeerClaim,
    PublicKey, Purpose, Random, RandomError, Secret, Signer,
};
use ikev2_scsi::keys::KeyLog;
use ikev2_scsi::provider::{EcdsaSigner, provider};
use ikev2_scsi::{DeviceServer, Policy, Profile, SlowCrypto};
use ikev2_scsi_initiator::validate::{Clock, Report, Stop, Subject, assertions, run};
use ikev2_scsi_initiator::{InProcess, Transport};

/// Numbers, the same in every run.
pub(crate) struct Numbers(pub(crate) u64);

impl Random for Numbers {
    fn fill(&mut self, _: Purpose, out: &mut [u8]) -> Result<(), RandomError> {
        for byte in out {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            *byte = self.0.to_be_bytes()[3];
        }
        Ok(())
    }
}

/// The signer of a private value on P-521 (RFC 5915, RFC 5958).
fn signer(private: u8) -> Arc<dyn Signer> {
    let mut der = vec![0x30, 0x60, 2, 1, 0, 0x30, 0x10, 6, 7, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 2, 1];
    der.extend([6, 5, 0x2B, 0x81, 0x04, 0x00, 0x23, 4, 0x49, 0x30, 0x47, 2, 1, 1, 4, 0x42, 0]);
    der.extend([private; 65]);
    Arc::new(EcdsaSigner::from_pkcs8_der(&der).unwrap())
}

/// Index of the device server's keys, and of the application client's.
const DRIVE: usize = 0;
const HOST: usize = 1;

fn drive() -> Identity {
    Identity::key_id(b"drive-9")
}

fn host() -> Identity {
    Identity::key_id(b"host-1")
}

/// The signers of both sides and what each knows of the other, made once.
struct Keys {
    signers: [Arc<dyn Signer>; 2],
    known: [Arc<KnownKeys>; 2],
}

/// Nothing is validated: it knows keys, not certificates, but asks for them.
struct Asking(Arc<KnownKeys>);

const AUTHORITY: [u8; 20] = [7; 20];

impl CertificateValidator for Asking {
    fn validate(&self, claim: &PeerClaim<'_>) -> Result<PublicKey, CertificateError> {
        self.0.validate(&PeerClaim { certificates: &[], ..*claim })
    }

    fn authorities(&self) -> &[AuthorityHash] {
        &[AUTHORITY]
    }
}

/// A key of one's own, with something in the place of certificates.
fn credential(side: usize, has_certificates: bool) -> Credential {
    let signer = Arc::clone(&KEYS.signers[side]);
    if !has_certificates {
        return Credential::new(signer);
    }
    let certificates: [&[u8]; 2] = [b"a certificate, which nobody reads", b"another one"];
    Credential::with_certificates(signer, &certificates).authorities(&[AUTHORITY])
}

/// Who knows the other side's key.
fn validator(side: usize, has_certificates: bool) -> Arc<dyn CertificateValidator> {
    let known = Arc::clone(&KEYS.known[side]);
    if has_certificates { Arc::new(Asking(known)) } else { known }
}

static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let signers = [signer(3), signer(5)];
    let known = [(drive(), &signers[0]), (host(), &signers[1])].map(|(identity, signer)| {
        let mut keys = KnownKeys::new();
        keys.set(identity, signer.public_key());
        Arc::new(keys)
    });
    Keys { signers, known }
});

fn shared(own: &[u8], peer: &Identity, peers: &[u8]) -> Arc<MemoryKeys> {
    let mut keys = MemoryKeys::new();
    keys.set_own(Secret::copy_of(own)).unwrap();
    keys.add_peer(peer.as_payload(), Secret::copy_of(peers)).unwrap();
    Arc::new(keys)
}

const HOSTS_KEY: &[u8] = b"the key of host-1, known to these tests";
const DRIVES_KEY: &[u8] = b"the key of drive-9, known to these tests";

/// A device server with shared keys and a key on P-521, so that it has what either dialect makes mandatory. Large groups take long
/// where nothing is optimised, and are left out.
pub(crate) fn server_with(
    profile: Profile,
    slow: SlowCrypto,
    log: Option<Arc<dyn KeyLog>>,
    has_certificates: bool,
    change: impl FnOnce(&mut Policy),
) -> DeviceServer {
    let mut policy = Policy::default();
    policy.slow_crypto = slow;
    change(&mut policy);
    policy.hidden_algorithms =
        [MODP_3072, MODP_4096, MODP_6144, MODP_8192].map(|row| (AlgorithmType::DiffieHellman, row.identifier)).into();
    let builder = DeviceServer::builder(provider())
        .profile(profile)
        .identity(drive())
        .preshared_keys(shared(DRIVES_KEY, &host(), HOSTS_KEY))
        .credential(credential(DRIVE, has_certificates))
        .validator(validator(HOST, has_certificates))
        .policy(policy);
    let builder = if let Some(log) = log { builder.key_log(log) } else { builder };
    builder.build().unwrap()
}

/// What an exchange is protected by, and how both sides authenticate themselves.
#[derive(Clone, Copy)]
pub(crate) struct Suite {
    pub(crate) name: &'static str,
    identifiers: SuiteIdentifiers,
    own: u32,
    /// Both sides send certificates, and ask for them.
    pub(crate) has_certificates: bool,
}

const fn suite(name: &'static str, encr: (u32, u16), prf: u32, integ: u32, group: u32, auth: u32) -> Suite {
    let identifiers = SuiteIdentifiers {
        encryption: encr.0,
        key_length: encr.1,
        pseudo_random: prf,
        integrity: integ,
        group,
        authentication: auth,
    };
    Suite { name, identifiers, own: auth, has_certificates: false }
}

const CBC: u32 = ENCR_AES_CBC.identifier;
const GCM: u32 = ENCR_AES_GCM_16.identifier;

/// AES-CBC with HMAC-SHA1 on P-256.
pub(crate) const SEPARATE: Suite = suite(
    "CBC-128, SHA1-96, P-256, shared keys",
    (CBC, 16),
    PRF_HMAC_SHA1.identifier,
    AUTH_HMAC_SHA1_96.identifier,
    ECP_256.identifier,
    IKE_AUTH_SHARED_KEY,
);

/// AES-GCM on P-256.
pub(crate) const COMBINED: Suite = suite(
    "GCM-256, P-256, shared keys",
    (GCM, 32),
    PRF_HMAC_SHA2_256.identifier,
    INTEG_NONE,
    ECP_256.identifier,
    IKE_AUTH_SHARED_KEY,
);

/// What r3 makes mandatory.
pub(crate) const MANDATORY: Suite = Suite {
    name: "CBC-128, SHA1-96, MODP-2048, shared keys",
    identifiers: SuiteIdentifiers { group: MODP_2048.identifier, ..SEPARATE.identifiers },
    ..SEPARATE
};

/// r3 lets it protect an exchange.
pub(crate) const NULL: Suite = Suite {
    name: "NULL, SHA1-96, P-256, shared keys",
    identifiers: SuiteIdentifiers { encryption: ENCR_NULL.identifier, key_length: 0, ..SEPARATE.identifiers },
    ..SEPARATE
};

/// Row 2 of SPC-4 table 82.
pub(crate) const ROW_2: Suite = suite(
    "CBC-256, SHA2-512-256, P-521, ECDSA",
    (CBC, 32),
    PRF_HMAC_SHA2_512.identifier,
    AUTH_HMAC_SHA2_512_256.identifier,
    ECP_521.identifier,
    IKE_AUTH_ECDSA_521,
);

/// AES-CBC and ECDSA with certificates.
pub(crate) const CERTIFIED: Suite = Suite {
    name: "CBC-128, SHA1-96, P-256, ECDSA with certificates",
    identifiers: SuiteIdentifiers { authentication: IKE_AUTH_ECDSA_521, ..SEPARATE.identifiers },
    own: IKE_AUTH_ECDSA_521,
    has_certificates: true,
};

/// The application client with a suite.
pub(crate) fn client(suite: Suite) -> ClientConfigBuilder {
    ClientConfig::builder(provider(), host())
        .preshared_keys(shared(HOSTS_KEY, &drive(), DRIVES_KEY))
        .credential(credential(HOST, suite.has_certificates))
        .validator(validator(DRIVE, suite.has_certificates))
        .preferences(Preferences::exactly(suite.identifiers))
        .own_methods(&[suite.own])
}

/// All assertions against a transport.
pub(crate) fn validate(
    profile: Profile,
    suite: Suite,
    transport: &mut dyn Transport,
    clock: &mut dyn Clock,
    wanted: impl Fn(u16) -> bool,
) -> Vec<Report> {
    let mut random = Numbers(0x1234_5678_9ABC_DEF1);
    let mut subject =
        Subject { transport, profile, provider: provider(), client: &|| Ok(client(suite)), random: &mut random, clock };
    run(&mut subject, |assertion| wanted(assertion.number), |_| {})
}

pub(crate) fn in_process(profile: Profile, slow: SlowCrypto, has_certificates: bool) -> InProcess {
    InProcess::new(server_with(profile, slow, None, has_certificates, |_| {}), Box::new(Numbers(0x0F1E_2D3C_4B5A_6978)))
}

/// Nothing has failed; gives the numbers of what was skipped.
pub(crate) fn all_pass(what: &str, reports: &[Report]) -> BTreeSet<u16> {
    for report in reports.iter().filter(|report| report.has_failed()) {
        println!("{what}: {report}");
    }
    assert!(!reports.iter().any(Report::has_failed), "{what}");
    assert!(reports.iter().all(|report| assertions().any(|a| a.number == report.assertion.number)));
    let skipped = reports.iter().filter(|report| matches!(report.stop, Some(Stop::Skipped(_))));
    skipped.map(|report| report.assertion.number).collect()
}
