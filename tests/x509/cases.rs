//! The vectors, and a validator made of one.

use std::sync::{Arc, LazyLock};

use ikev2_scsi::crypto::{
    CertificateError, CertificateValidator, Identity, IdentityMap, KeyKind, PeerClaim, PublicKey, Verifier,
};
use ikev2_scsi::time::UnixTime;
use ikev2_scsi::wire::{Certificate, CertificateEncoding, IdType, Identification};
use ikev2_scsi::x509::{BuildError, ChainValidator, ChainValidatorBuilder, Revocation};
use serde_json::Value;

use crate::provider;

/// What is asked of one chain, and what the answer must be.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) anchors: Vec<Vec<u8>>,
    pub(crate) chain: Vec<Vec<u8>>,
    pub(crate) lists: Vec<Vec<u8>>,
    pub(crate) kind: KeyKind,
    pub(crate) identity: Identity,
    pub(crate) at: Option<UnixTime>,
    pub(crate) expect: String,
    /// `when_listed`, `mapped`, `policy`.
    pub(crate) other: Value,
}

pub(crate) fn hex(text: &str) -> Vec<u8> {
    text.as_bytes().chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

pub(crate) static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
    let all: Value = serde_json::from_str(include_str!("../../vectors/certificates/certificates.json")).unwrap();
    let pool: Vec<_> = all["der"].as_array().unwrap().iter().map(|der| hex(der.as_str().unwrap())).collect();
    let default_at = all["at"].as_u64().unwrap();
    let read = |case: &Value| {
        let text = |member: &str| case[member].as_str().unwrap().to_owned();
        let ders = |member: &str| {
            let numbers = case[member].as_array().unwrap().iter();
            numbers.map(|number| pool[usize::try_from(number.as_u64().unwrap()).unwrap()].clone()).collect()
        };
        let kind = match text("kind").as_str() {
            "rsa" => KeyKind::Rsa,
            "p256" => KeyKind::P256,
            "p384" => KeyKind::P384,
            "p521" => KeyKind::P521,
            other => panic!("{other}"),
        };
        let id_type = IdType::from_code(u8::try_from(case["id_type"].as_u64().unwrap()).unwrap()).unwrap();
        Case {
            name: text("name"),
            anchors: ders("anchors"),
            chain: ders("chain"),
            lists: ders("lists"),
            kind,
            identity: Identity::new(id_type, &hex(&text("id"))),
            at: Some(UnixTime(case["at"].as_u64().unwrap_or(default_at))),
            expect: text("expect"),
            other: case.clone(),
        }
    };
    all["cases"].as_array().unwrap().iter().map(read).collect()
});

pub(crate) fn case(name: &str) -> &'static Case {
    CASES.iter().find(|case| case.name == name).unwrap_or_else(|| panic!("no case {name}"))
}

/// The answer's name.
pub(crate) fn answer(outcome: &Result<PublicKey, CertificateError>) -> String {
    match outcome {
        Ok(_) => "ok".into(),
        Err(error) => format!("{error:?}"),
    }
}

/// Maps any identity to any certificate.
pub(crate) struct Anybody;

impl IdentityMap for Anybody {
    fn belongs(&self, identity: Identification<'_>, key: &PublicKey, certificate: &[u8]) -> bool {
        !identity.data.is_empty() && certificate.windows(key.bytes.len()).any(|part| *part == *key.bytes)
    }
}

impl Case {
    /// A validator with the anchors and lists; revocation is checked where there are lists.
    pub(crate) fn builder(&self) -> ChainValidatorBuilder {
        let mut builder = ChainValidator::builder();
        for anchor in &self.anchors {
            builder = builder.trust_anchor(anchor);
        }
        for list in &self.lists {
            builder = builder.revocation_list(list);
        }
        if self.lists.is_empty() { builder.revocation(Revocation::Off) } else { builder }
    }

    pub(crate) fn ask(&self, builder: ChainValidatorBuilder) -> String {
        match builder.build() {
            Ok(validator) => answer(&self.ask_built(&validator)),
            Err(BuildError::RevocationList(0)) => "BuildError".into(),
            Err(other) => format!("{other:?}"),
        }
    }

    pub(crate) fn ask_built(&self, validator: &ChainValidator) -> Result<PublicKey, CertificateError> {
        self.ask_with(validator, &self.chain, provider::provider().verifiers)
    }

    pub(crate) fn ask_with(
        &self,
        validator: &ChainValidator,
        chain: &[impl AsRef<[u8]>],
        verifiers: &'static [&'static dyn Verifier],
    ) -> Result<PublicKey, CertificateError> {
        let certificates: Vec<_> = chain.iter().map(|data| x509(data.as_ref())).collect();
        let identity = self.identity.as_payload();
        validator.validate(&PeerClaim {
            identity,
            kind: self.kind,
            certificates: &certificates,
            at: self.at,
            verifiers,
        })
    }

    pub(crate) fn mapped(&self) -> ChainValidatorBuilder {
        self.builder().identity_map(Arc::new(Anybody))
    }
}

pub(crate) fn x509(data: &[u8]) -> Certificate<'_> {
    Certificate { encoding: CertificateEncoding::X509Signature, data }
}
