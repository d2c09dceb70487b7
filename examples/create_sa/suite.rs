//! The suites that can be asked for by name.

use ikev2_scsi::algorithm::{
    self, AUTH_AES_XCBC_96, AUTH_HMAC_SHA1_96, AUTH_HMAC_SHA2_256_128, AUTH_HMAC_SHA2_384_192, AUTH_HMAC_SHA2_512_256,
    AUTH_NONE, Algorithm, AlgorithmType, ECP_256, ECP_384, ECP_521, ENCR_AES_CBC, ENCR_AES_CCM_8, ENCR_AES_CCM_16,
    ENCR_AES_GCM_16, ENCR_NULL, IKE_AUTH_ECDSA_256, IKE_AUTH_ECDSA_384, IKE_AUTH_ECDSA_521, IKE_AUTH_NONE,
    IKE_AUTH_RSA, IKE_AUTH_SHARED_KEY, INTEG_NONE, MODP_2048, MODP_3072, PRF_AES128_XCBC, PRF_HMAC_SHA1,
    PRF_HMAC_SHA2_256, PRF_HMAC_SHA2_384, PRF_HMAC_SHA2_512,
};
use ikev2_scsi::client::SuiteIdentifiers;
use ikev2_scsi::wire::IdType;
use ikev2_scsi::{Profile, provider};

/// Which of an algorithm's key lengths.
#[derive(Clone, Copy)]
enum Key {
    Shortest,
    Longest,
}

/// What an exchange is made with.
#[derive(Clone, Copy)]
pub(crate) struct Suite {
    pub(crate) profile: Profile,
    pub(crate) name: &'static str,
    pub(crate) encryption: Algorithm,
    key: Key,
    pub(crate) prf: Algorithm,
    pub(crate) integrity: Algorithm,
    pub(crate) group: Algorithm,
    /// How the device server authenticates itself.
    pub(crate) authentication: u32,
    /// How the application client does.
    pub(crate) own_method: u32,
    /// What signers send of their keys, as `send_cert` of the test bench.
    pub(crate) presents: &'static str,
    /// Whether both sides send Certificate Requests.
    pub(crate) requests_certificates: bool,
    /// USAGE DATA.
    pub(crate) usage_data: &'static [u8],
    /// Bytes of the application client's nonce.
    pub(crate) nonce_length: usize,
    /// The application client's ID TYPE.
    pub(crate) id_type: IdType,
    /// Whether the sequence is given up before its authentication, by a Delete (SPC-4 5.14.4.10).
    pub(crate) is_abandoned: bool,
}

/// What r3 makes mandatory.
const MANDATORY: Suite = Suite {
    profile: Profile::R3,
    name: "mandatory",
    encryption: ENCR_AES_CBC,
    key: Key::Shortest,
    prf: PRF_HMAC_SHA1,
    integrity: AUTH_HMAC_SHA1_96,
    group: MODP_2048,
    authentication: IKE_AUTH_SHARED_KEY,
    own_method: IKE_AUTH_SHARED_KEY,
    presents: "none",
    requests_certificates: false,
    usage_data: &[],
    nonce_length: 32,
    id_type: IdType::KeyId,
    is_abandoned: false,
};

/// A cipher with HMAC of one hash for everything else.
const fn separate(name: &'static str, encryption: Algorithm, key: Key, prf: Algorithm, integrity: Algorithm) -> Suite {
    Suite { name, encryption, key, prf, integrity, ..MANDATORY }
}

/// A combined mode, which has no integrity algorithm beside it.
const fn combined(name: &'static str, encryption: Algorithm, key: Key, prf: Algorithm) -> Suite {
    separate(name, encryption, key, prf, AUTH_NONE)
}

static SUITES: &[Suite] = &[
    MANDATORY,
    Suite { name: "auth-none-cbc", authentication: IKE_AUTH_NONE, ..MANDATORY },
    Suite {
        name: "usage-data-fc-name",
        usage_data: &[1, 2, 3, 4, 5, 6, 7, 8],
        nonce_length: 16,
        id_type: IdType::FcName,
        ..MANDATORY
    },
    separate("null-sha1-modp2048-psk", ENCR_NULL, Key::Shortest, PRF_HMAC_SHA1, AUTH_HMAC_SHA1_96),
    separate("null-sha512-modp2048-psk", ENCR_NULL, Key::Shortest, PRF_HMAC_SHA2_512, AUTH_HMAC_SHA2_512_256),
    separate("cbc128-sha256-modp2048-psk", ENCR_AES_CBC, Key::Shortest, PRF_HMAC_SHA2_256, AUTH_HMAC_SHA2_256_128),
    separate("cbc256-sha256-modp2048-psk", ENCR_AES_CBC, Key::Longest, PRF_HMAC_SHA2_256, AUTH_HMAC_SHA2_256_128),
    separate("cbc256-sha384-modp2048-psk", ENCR_AES_CBC, Key::Longest, PRF_HMAC_SHA2_384, AUTH_HMAC_SHA2_384_192),
    separate("cbc256-sha512-modp2048-psk", ENCR_AES_CBC, Key::Longest, PRF_HMAC_SHA2_512, AUTH_HMAC_SHA2_512_256),
    separate("cbc128-xcbc-xcbc96-modp2048-psk", ENCR_AES_CBC, Key::Shortest, PRF_AES128_XCBC, AUTH_AES_XCBC_96),
    combined("ccm16-128-sha1-modp2048-psk", ENCR_AES_CCM_16, Key::Shortest, PRF_HMAC_SHA1),
    combined("ccm16-128-sha256-modp2048-psk", ENCR_AES_CCM_16, Key::Shortest, PRF_HMAC_SHA2_256),
    combined("ccm16-256-sha384-modp2048-psk", ENCR_AES_CCM_16, Key::Longest, PRF_HMAC_SHA2_384),
    combined("ccm16-256-sha512-modp2048-psk", ENCR_AES_CCM_16, Key::Longest, PRF_HMAC_SHA2_512),
    combined("ccm8-128-sha256-modp2048-psk", ENCR_AES_CCM_8, Key::Shortest, PRF_HMAC_SHA2_256),
    Suite {
        group: MODP_3072,
        ..combined("gcm-128-sha256-modp3072-psk", ENCR_AES_GCM_16, Key::Shortest, PRF_HMAC_SHA2_256)
    },
    Suite {
        group: ECP_256,
        ..combined("gcm-128-sha256-ecp256-psk", ENCR_AES_GCM_16, Key::Shortest, PRF_HMAC_SHA2_256)
    },
    Suite { group: ECP_384, ..combined("gcm-256-sha384-ecp384-psk", ENCR_AES_GCM_16, Key::Longest, PRF_HMAC_SHA2_384) },
    Suite { group: ECP_521, ..combined("gcm-256-sha512-ecp521-psk", ENCR_AES_GCM_16, Key::Longest, PRF_HMAC_SHA2_512) },
    Suite {
        group: ECP_256,
        ..combined("gcm-128-sha256-ecp256-ecdsa256", ENCR_AES_GCM_16, Key::Shortest, PRF_HMAC_SHA2_256)
    }
    .signed(IKE_AUTH_ECDSA_256, IKE_AUTH_ECDSA_256),
    Suite {
        group: ECP_384,
        ..combined("gcm-256-sha384-ecp384-ecdsa384", ENCR_AES_GCM_16, Key::Longest, PRF_HMAC_SHA2_384)
    }
    .signed(IKE_AUTH_ECDSA_384, IKE_AUTH_ECDSA_384),
    Suite {
        group: ECP_521,
        ..combined("gcm-256-sha512-ecp521-ecdsa521", ENCR_AES_GCM_16, Key::Longest, PRF_HMAC_SHA2_512)
    }
    .signed(IKE_AUTH_ECDSA_521, IKE_AUTH_ECDSA_521)
    .certified(),
    Suite {
        group: ECP_384,
        ..combined("client-ecdsa256-server-ecdsa384", ENCR_AES_GCM_16, Key::Shortest, PRF_HMAC_SHA2_256)
    }
    .signed(IKE_AUTH_ECDSA_256, IKE_AUTH_ECDSA_384)
    .certified(),
    separate("rsa-chain-certreq", ENCR_AES_CBC, Key::Shortest, PRF_HMAC_SHA2_256, AUTH_HMAC_SHA2_256_128)
        .signed(IKE_AUTH_RSA, IKE_AUTH_RSA)
        .certified(),
    Suite {
        presents: "raw",
        ..separate("rsa-raw-key", ENCR_AES_CBC, Key::Shortest, PRF_HMAC_SHA1, AUTH_HMAC_SHA1_96)
            .signed(IKE_AUTH_RSA, IKE_AUTH_RSA)
    },
    separate("client-psk-server-rsa", ENCR_AES_CBC, Key::Shortest, PRF_HMAC_SHA1, AUTH_HMAC_SHA1_96)
        .signed(IKE_AUTH_SHARED_KEY, IKE_AUTH_RSA)
        .certified(),
    Suite {
        group: ECP_256,
        ..combined("client-ecdsa256-server-psk", ENCR_AES_GCM_16, Key::Shortest, PRF_HMAC_SHA2_256)
    }
    .signed(IKE_AUTH_ECDSA_256, IKE_AUTH_SHARED_KEY)
    .certified(),
    Suite {
        authentication: IKE_AUTH_NONE,
        ..combined("auth-none-ccm16", ENCR_AES_CCM_16, Key::Longest, PRF_HMAC_SHA2_512)
    },
];

/// The first row of SPC-4 table 82.
const ROW_1: Suite = Suite {
    profile: Profile::SPC4,
    ..combined("table82-row1", ENCR_AES_GCM_16, Key::Shortest, PRF_HMAC_SHA2_256)
        .signed(IKE_AUTH_RSA, IKE_AUTH_RSA)
        .certified()
};

/// The second one.
const ROW_2: Suite = Suite {
    profile: Profile::SPC4,
    group: ECP_521,
    ..separate("table82-row2", ENCR_AES_CBC, Key::Longest, PRF_HMAC_SHA2_512, AUTH_HMAC_SHA2_512_256)
        .signed(IKE_AUTH_ECDSA_521, IKE_AUTH_ECDSA_521)
};

/// Shared keys, which SPC-4 has beside table 82.
const SHARED: Suite = Suite { profile: Profile::SPC4, ..MANDATORY };

static SPC4_SUITES: &[Suite] = &[
    ROW_1,
    ROW_2,
    Suite { name: "cbc128-sha1-modp2048-psk", ..SHARED },
    Suite { name: "auth-none-gcm", ..ROW_1.signed(IKE_AUTH_NONE, IKE_AUTH_NONE) },
    Suite {
        name: "client-ecdsa256-server-psk",
        group: ECP_256,
        ..ROW_1.signed(IKE_AUTH_ECDSA_256, IKE_AUTH_SHARED_KEY)
    },
    Suite { name: "client-psk-server-ecdsa521", ..ROW_2.signed(IKE_AUTH_SHARED_KEY, IKE_AUTH_ECDSA_521) },
    Suite {
        name: "delete-running-ccs",
        group: ECP_256,
        is_abandoned: true,
        ..ROW_2.signed(IKE_AUTH_SHARED_KEY, IKE_AUTH_SHARED_KEY)
    },
    Suite {
        name: "cbc128-xcbc-sha256-modp3072-psk",
        prf: PRF_AES128_XCBC,
        integrity: AUTH_HMAC_SHA2_256_128,
        group: MODP_3072,
        ..SHARED
    },
    Suite {
        name: "ccm16-256-sha512-ecp521-psk",
        group: ECP_521,
        profile: Profile::SPC4,
        ..combined("", ENCR_AES_CCM_16, Key::Longest, PRF_HMAC_SHA2_512)
    },
    Suite {
        name: "gcm-128-fc-name",
        id_type: IdType::FcName,
        nonce_length: 64,
        ..ROW_1.signed(IKE_AUTH_SHARED_KEY, IKE_AUTH_SHARED_KEY)
    },
];

impl Suite {
    /// The same with other ways to authenticate: the application client's, and the device server's.
    const fn signed(self, own_method: u32, authentication: u32) -> Self {
        Self { own_method, authentication, ..self }
    }

    /// The same with certificates, sent and asked for.
    const fn certified(self) -> Self {
        Self { presents: "x509", requests_certificates: true, ..self }
    }

    /// How the application client authenticates itself, if anybody does.
    pub(crate) const fn client_authentication(&self) -> u32 {
        if self.is_unauthenticated() { IKE_AUTH_NONE } else { self.own_method }
    }

    /// True if one of the sides signs.
    pub(crate) const fn has_signatures(&self) -> bool {
        !self.is_unauthenticated()
            && (self.own_method != IKE_AUTH_SHARED_KEY || self.authentication != IKE_AUTH_SHARED_KEY)
    }

    /// The suite that is used unless another one is named.
    pub(crate) fn standard(profile: Profile) -> &'static Self {
        if profile == Profile::SPC4 { &ROW_1 } else { &MANDATORY }
    }

    /// The suites of a dialect of which this build has every algorithm.
    pub(crate) fn all(profile: Profile) -> impl Iterator<Item = &'static Self> {
        let of_dialect = if profile == Profile::SPC4 { SPC4_SUITES } else { SUITES };
        of_dialect.iter().filter(|suite| suite.is_in_this_build())
    }

    pub(crate) fn find(profile: Profile, name: &str) -> Option<&'static Self> {
        Self::all(profile).find(|suite| suite.name == name)
    }

    /// An ALGORITHM IDENTIFIER as the dialect numbers it.
    pub(crate) fn number(&self, kind: AlgorithmType, identifier: u32) -> u32 {
        algorithm::number_of(self.profile, kind, identifier).unwrap_or(identifier)
    }

    fn is_in_this_build(&self) -> bool {
        let provider = provider::provider();
        let integrity = self.integrity.identifier;
        provider.cipher(self.encryption.identifier, self.key_length()).is_some()
            && provider.prf(self.prf.identifier).is_some()
            && (integrity == INTEG_NONE || provider.integrity(integrity).is_some())
            && provider.group(self.group.identifier).is_some()
    }

    pub(crate) fn key_length(&self) -> u16 {
        let lengths = self.encryption.encryption_sizes().map_or(&[][..], |sizes| sizes.key_lengths);
        let chosen = match self.key {
            Key::Shortest => lengths.first(),
            Key::Longest => lengths.last(),
        };
        chosen.copied().unwrap_or(0)
    }

    /// True if the Authentication phase is omitted.
    pub(crate) const fn is_unauthenticated(&self) -> bool {
        self.authentication == IKE_AUTH_NONE
    }

    pub(crate) fn identifiers(&self) -> SuiteIdentifiers {
        SuiteIdentifiers {
            encryption: self.encryption.identifier,
            key_length: self.key_length(),
            pseudo_random: self.prf.identifier,
            integrity: self.integrity.identifier,
            group: self.group.identifier,
            authentication: self.authentication,
        }
    }

    /// The algorithms, by the names of the standard's tables, and what else differs from the other suites.
    pub(crate) fn description(&self) -> String {
        let name = |row: &Algorithm| {
            let number = self.number(row.algorithm_type, row.identifier);
            algorithm::numbered(self.profile, row.algorithm_type.code(), number).map_or(row.name, |number| number.name)
        };
        let method = |identifier| algorithm::find(AlgorithmType::Authentication, identifier).map_or("", name);
        let cipher = format!("{} with KEY LENGTH {}", name(&self.encryption), self.key_length());
        let names = [name(&self.prf), name(&self.integrity), name(&self.group), method(self.authentication)];
        let mut parts = vec![cipher];
        parts.extend(names.map(Into::into));
        if !self.is_unauthenticated() && self.own_method != self.authentication {
            parts.push(format!("the application client by {}", method(self.own_method)));
        }
        match (self.has_signatures(), self.presents) {
            (true, "x509") => parts.push("X.509 certificates".into()),
            (true, "raw") => parts.push("raw keys".into()),
            _ => {}
        }
        if self.id_type != MANDATORY.id_type {
            parts.push(self.id_type.name().into());
        }
        if !self.usage_data.is_empty() {
            parts.push(format!("{} bytes of USAGE DATA", self.usage_data.len()));
        }
        if self.is_abandoned {
            parts.push("given up before the authentication".into());
        }
        parts.join(", ")
    }
}
