use super::*;
use crate::crypto::{CryptoError, KnownKeys, MemoryKeys, Secret, SignatureScheme};
use crate::wire::IdType;

struct Key(KeyKind, &'static [u8]);

impl Signer for Key {
    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::of_auth(self.0)
    }

    fn public_key(&self) -> PublicKey {
        PublicKey::new(self.0, self.1)
    }

    fn signature_length(&self) -> usize {
        256
    }

    fn sign(&self, _: &[&[u8]], _: &mut [u8]) -> Result<(), CryptoError> {
        Err(CryptoError::Device)
    }
}

const ROOT: AuthorityHash = [1; 20];
const OTHER_ROOT: AuthorityHash = [2; 20];

fn rsa(name: &'static [u8]) -> Credential {
    Credential::with_certificates(Arc::new(Key(KeyKind::Rsa, name)), &[name, b"intermediate"])
}

fn wish(encoding: CertificateEncoding, authorities: &[AuthorityHash]) -> CertificateWish {
    CertificateWish { encoding, authorities: authorities.into() }
}

fn sent(credentials: &Credentials, wishes: &[CertificateWish]) -> Vec<(CertificateEncoding, Box<[u8]>)> {
    let wishes = wishes.iter().map(CertificateWish::as_payload);
    let choice = credentials.choose(algorithm::IKE_AUTH_RSA, wishes).unwrap();
    credentials.certificates(choice).map(|sent| (sent.encoding, sent.data.into())).collect()
}

#[test]
fn the_peers_trust_anchors_choose_among_keys_of_one_kind() {
    let own = [rsa(b"first").authorities(&[OTHER_ROOT]), rsa(b"second").authorities(&[ROOT])];
    let credentials = Credentials { own: own.into(), ..Credentials::default() };
    let x509 = CertificateEncoding::X509Signature;
    let first = |wishes: &[CertificateWish]| sent(&credentials, wishes)[0].1.to_vec();
    assert_eq!(first(&[]), b"first");
    assert_eq!(first(&[wish(x509, &[ROOT])]), b"second");
    assert_eq!(first(&[wish(x509, &[[9; 20]]), wish(x509, &[[8; 20], OTHER_ROOT])]), b"first");
    assert_eq!(first(&[wish(x509, &[[9; 20]])]), b"first", "a request is no demand");
    let raw = [rsa(b"first"), rsa(b"raw").authorities(&[ROOT]).presenting(Presentation::RawKey)];
    let raw = Credentials { own: raw.into(), ..Credentials::default() };
    assert_eq!(*sent(&raw, &[wish(x509, &[ROOT])])[0].1, *b"first", "no certificate stands under an anchor");
    assert!(!credentials.can_use(algorithm::IKE_AUTH_ECDSA_256));
    assert!(!credentials.can_use(algorithm::IKE_AUTH_SHARED_KEY) && !credentials.can_use(0));
}

#[test]
fn what_is_presented() {
    let x509 = CertificateEncoding::X509Signature;
    let present = |presentation, wishes: &[CertificateWish]| {
        let own = [rsa(b"leaf").presenting(presentation)];
        let sent = sent(&Credentials { own: own.into(), ..Credentials::default() }, wishes);
        sent.into_iter().map(|(encoding, data)| (encoding.code(), data.to_vec())).collect::<Vec<_>>()
    };
    let (asked, raw) = ([wish(x509, &[])], [wish(CertificateEncoding::RawRsaKey, &[])]);
    let chain = [(4, b"leaf".to_vec()), (4, b"intermediate".to_vec())];
    assert_eq!(present(Presentation::Certificates, &[]), chain);
    assert_eq!(present(Presentation::OnRequest, &[]), []);
    assert_eq!(present(Presentation::OnRequest, &raw), []);
    assert_eq!(present(Presentation::OnRequest, &asked), chain);
    assert_eq!(present(Presentation::Nothing, &asked), []);
    assert_eq!(present(Presentation::RawKey, &asked), [(0x0B, b"leaf".to_vec())]);
}

#[test]
fn what_cannot_work() {
    let check = |own: Credential, identity: &Identity| {
        Credentials { own: alloc::vec![own], ..Credentials::default() }.check(Profile::R3, identity)
    };
    let (name, dn) = (Identity::key_id(b"drive"), Identity::new(IdType::DerAsn1Dn, b"0"));
    let bare = |kind| Credential::new(Arc::new(Key(kind, b"")));
    assert_eq!(check(rsa(b"leaf"), &dn), Ok(()));
    assert_eq!(check(bare(KeyKind::Rsa).presenting(Presentation::RawKey), &name), Ok(()));
    assert_eq!(check(rsa(b"leaf").presenting(Presentation::OnRequest), &name), Ok(()));
    for own in [bare(KeyKind::P256), rsa(b"leaf").presenting(Presentation::OnRequest)] {
        assert_eq!(check(own.clone(), &dn), Err(CredentialError::IdentityNeedsCertificate));
        assert_eq!(check(own.clone().identity(name.clone()), &dn), Ok(()));
        assert_eq!(check(own.identity(dn.clone()), &name), Err(CredentialError::IdentityNeedsCertificate));
    }
    for presentation in [Presentation::Certificates, Presentation::OnRequest] {
        let own = bare(KeyKind::Rsa).presenting(presentation);
        assert_eq!(check(own, &name), Err(CredentialError::NoCertificates));
    }
    let raw = bare(KeyKind::P384).presenting(Presentation::RawKey);
    assert_eq!(check(raw, &name), Err(CredentialError::RawKeyKind));
    let long = |length: usize| rsa(b"").identity(Identity::key_id(&alloc::vec![0; length]));
    let room = Credentials::ROOM - b"intermediate".len() - 2 * Credentials::AROUND_CERTIFICATE;
    assert_eq!(check(long(room), &name), Ok(()));
    assert_eq!(check(long(room + 1), &name), Err(CredentialError::TooLong));
    let mut keys = MemoryKeys::new();
    keys.set_own(Secret::copy_of(b"own")).unwrap();
    let mut credentials = Credentials::default();
    credentials.judges.shared_keys = Some(Shared::Counted(Arc::new(keys)));
    assert_eq!(credentials.check(Profile::R3, &dn), Err(CredentialError::IdentityNeedsCertificate));
    assert_eq!(credentials.check(Profile::SPC4, &dn), Ok(()));
    // 20 bytes for each hash and 5 for each request, of 8192.
    let any = wish(CertificateEncoding::X509Signature, &[]);
    for (hashes, requests, expected) in [(409, 1, Ok(())), (410, 1, Err(())), (0, 1638, Ok(())), (0, 1639, Err(()))] {
        let mut all = alloc::vec![any.clone(); requests];
        all[0].authorities = alloc::vec![ROOT; hashes].into();
        let asking = Credentials { requests: CertificateRequests::Exactly(all), ..Credentials::default() };
        assert_eq!(
            asking.check(Profile::R3, &name),
            expected.map_err(|()| CredentialError::TooLong),
            "{hashes} {requests}"
        );
    }
}

#[test]
fn requests_are_the_validators_unless_said_otherwise() {
    struct Roots;
    impl CertificateValidator for Roots {
        fn validate(&self, _: &crate::crypto::PeerClaim<'_>) -> Result<PublicKey, crate::crypto::CertificateError> {
            Err(crate::crypto::CertificateError::Unknown)
        }

        fn authorities(&self) -> &[AuthorityHash] {
            &[ROOT, OTHER_ROOT]
        }
    }
    let keys = KnownKeys::new().with_certificates(Arc::new(Roots));
    let with = |requests| {
        let keys = KnownKeys::new().with_certificates(Arc::new(Roots));
        let mut credentials = Credentials { requests, ..Credentials::default() };
        credentials.judges.validator = Some(Shared::Counted(Arc::new(keys)));
        let wishes = credentials.wishes();
        wishes.map(|request| wish(request.encoding, request.authorities)).collect::<Vec<_>>()
    };
    let x509 = CertificateEncoding::X509Signature;
    assert_eq!(keys.authorities(), [ROOT, OTHER_ROOT]);
    assert_eq!(with(CertificateRequests::TrustAnchors), [wish(x509, &[ROOT, OTHER_ROOT])]);
    assert_eq!(with(CertificateRequests::Nothing), []);
    let raw = wish(CertificateEncoding::RawRsaKey, &[]);
    assert_eq!(with(CertificateRequests::Exactly(alloc::vec![raw.clone()])), [raw]);
    assert_eq!(Credentials::default().wishes().count(), 0);
}
