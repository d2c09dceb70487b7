//! The enumerations. A caller's number is taken as `uint32_t` and looked up, since one that is none must be refused.

use ikev2_scsi::algorithm::AlgorithmType;
use ikev2_scsi::crypto::{HashKind, KeyKind, Presentation};
use ikev2_scsi::wire::IdType;
use ikev2_scsi::x509::Revocation;

use crate::boundary::Failure;

/// How a call ended. Everything but OK and NONE is a failure; ikev2_scsi_error() tells more about it.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallResult {
    /// It did what it says.
    Ok = 0,
    /// There is nothing to give: no job, no event, no deadline, no such association. No failure.
    None = 1,
    /// A pointer that must not be NULL is NULL, or is not aligned.
    NullPointer = 2,
    /// A handle that was freed, is of another kind, or was never given.
    InvalidHandle = 3,
    /// The object is in use: by another thread, or by a call that has called the callback which calls. Nothing happened.
    Busy = 4,
    /// An argument that is not allowed.
    InvalidArgument = 5,
    /// No device server can be made of the configuration.
    Configuration = 6,
    /// The buffer is too small; the length that it takes has been told, and nothing was written.
    BufferTooSmall = 7,
    /// There is no memory.
    OutOfMemory = 8,
    /// A fault of the library. The object can only be freed.
    Internal = 9,
}

/// How the logical unit speaks.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DialectCode {
    /// T10/06-449r3.
    R3 = 0,
    /// SPC-4.
    Spc4 = 1,
}

/// ID TYPE of an identity (r3 7.7.4.4).
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdTypeCode {
    /// A certificate's subject, in DER.
    DerAsn1Dn = 9,
    /// A name of a certificate's subjectAltName extension, in DER.
    DerAsn1Gn = 10,
    /// Arbitrary bytes.
    KeyId = 11,
    /// A Fibre Channel name.
    FcName = 12,
}

impl From<IdTypeCode> for IdType {
    fn from(code: IdTypeCode) -> Self {
        match code {
            IdTypeCode::DerAsn1Dn => Self::DerAsn1Dn,
            IdTypeCode::DerAsn1Gn => Self::DerAsn1Gn,
            IdTypeCode::KeyId => Self::KeyId,
            IdTypeCode::FcName => Self::FcName,
        }
    }
}

/// What a key signs with.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKindCode {
    /// RSA, PKCS #1 v1.5.
    Rsa = 0,
    /// ECDSA on P-256.
    P256 = 1,
    /// ECDSA on P-384.
    P384 = 2,
    /// ECDSA on P-521.
    P521 = 3,
}

impl From<KeyKindCode> for KeyKind {
    fn from(code: KeyKindCode) -> Self {
        match code {
            KeyKindCode::Rsa => Self::Rsa,
            KeyKindCode::P256 => Self::P256,
            KeyKindCode::P384 => Self::P384,
            KeyKindCode::P521 => Self::P521,
        }
    }
}

/// The hash of a signature.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashCode {
    /// What the standard has: SHA-1 of RSA, the curve's own of ECDSA.
    Standard = 0,
    /// SHA-1.
    Sha1 = 1,
    /// SHA-256.
    Sha256 = 2,
    /// SHA-384.
    Sha384 = 3,
    /// SHA-512.
    Sha512 = 4,
}

impl HashCode {
    /// The hash of a kind of key's signatures.
    pub(crate) fn of(self, kind: KeyKind) -> HashKind {
        match self {
            Self::Standard => kind.auth_hash(),
            Self::Sha1 => HashKind::Sha1,
            Self::Sha256 => HashKind::Sha256,
            Self::Sha384 => HashKind::Sha384,
            Self::Sha512 => HashKind::Sha512,
        }
    }
}

/// What one's own messages show of a key.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShowsCode {
    /// Nothing: the peer knows the key.
    Nothing = 0,
    /// The certificates, if the peer asks for certificates.
    OnRequest = 1,
    /// The certificates.
    Certificates = 2,
    /// The raw RSA key.
    RawKey = 3,
}

impl From<ShowsCode> for Presentation {
    fn from(code: ShowsCode) -> Self {
        match code {
            ShowsCode::Nothing => Self::Nothing,
            ShowsCode::OnRequest => Self::OnRequest,
            ShowsCode::Certificates => Self::Certificates,
            ShowsCode::RawKey => Self::RawKey,
        }
    }
}

/// Whether revocation is checked, for IKEV2_SCSI_POLICY_REVOCATION.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevocationCode {
    /// Each certificate below a trust anchor needs a list that answers for it.
    Required = 0,
    /// Lists are looked at where there are any.
    WhenListed = 1,
    /// Not at all.
    Off = 2,
}

impl From<RevocationCode> for Revocation {
    fn from(code: RevocationCode) -> Self {
        match code {
            RevocationCode::Required => Self::Required,
            RevocationCode::WhenListed => Self::WhenListed,
            RevocationCode::Off => Self::Off,
        }
    }
}

/// ALGORITHM TYPE (r3 Table K1).
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlgorithmTypeCode {
    /// ENCR.
    Encryption = 1,
    /// PRF.
    PseudoRandom = 2,
    /// INTEG.
    Integrity = 3,
    /// D-H.
    DiffieHellman = 4,
    /// IKE-AUTH.
    Authentication = 249,
}

impl From<AlgorithmTypeCode> for AlgorithmType {
    fn from(code: AlgorithmTypeCode) -> Self {
        match code {
            AlgorithmTypeCode::Encryption => Self::Encryption,
            AlgorithmTypeCode::PseudoRandom => Self::PseudoRandom,
            AlgorithmTypeCode::Integrity => Self::Integrity,
            AlgorithmTypeCode::DiffieHellman => Self::DiffieHellman,
            AlgorithmTypeCode::Authentication => Self::Authentication,
        }
    }
}

/// What ikev2_scsi_builder_policy() decides. A switch is 0 or 1.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyCode {
    /// Greatest IKEV2-SCSI PROTOCOL TIMEOUT accepted, in seconds; 60.
    MaxProtocolTimeout = 0,
    /// Greatest IKEV2-SCSI SA INACTIVITY TIMEOUT accepted, in seconds; 86 400.
    MaxInactivityTimeout = 1,
    /// Bytes of the device server's nonces, 16 to 256; 32.
    NonceLength = 2,
    /// Whether ENCR_3DES is offered; 0.
    AllowTripleDes = 3,
    /// Whether IKE_AUTH_NONE is offered, which protects nobody from a man in the middle; 0.
    AllowNoAuthentication = 4,
    /// Whether an SPC-4 device server may lack a complete row of SPC-4 table 82, as one with shared keys only does; 0.
    WaiveCompleteRow = 5,
    /// Whether the logical unit has one command sequence at a time, of SPC-4; 0.
    OneSequence = 6,
    /// Whether slow calculations are handed out as jobs, by ikev2_scsi_server_poll_job(); 0.
    Offload = 7,
    /// How long, in milliseconds, a progress indication pretends a calculation to take; 1000.
    ExpectedCalculationMs = 8,
    /// Whether each refused command is told of by an event, with the reason; 0.
    ReportRefusals = 9,
    /// Whether sense data has descriptor format; 0.
    DescriptorSense = 10,
    /// Whether header bits stand as RFC 4306 has them; 0.
    Rfc4306HeaderFlags = 11,
    /// Whether r3's conditions have the sense codes that were assigned later, which hosts' tables know; 0.
    AssignedSenseCodes = 12,
    /// Whether Certificate Requests name the trust anchors; 1.
    RequestCertificates = 13,
    /// Whether an identity must be its certificate's; 1.
    IdentityMatch = 14,
    /// Whether revocation is checked, an ikev2_scsi_revocation; REQUIRED.
    Revocation = 15,
}

/// A bound that ikev2_scsi_builder_limit() sets. At a bound a command is refused, and an event tells it.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitCode {
    /// Nexuses with a command sequence; 256.
    Nexuses = 0,
    /// Running command sequences; 64.
    Sequences = 1,
    /// Security associations; 1024.
    Sas = 2,
    /// Security associations of one identity; 1024.
    SasPerIdentity = 3,
    /// Bytes that a running sequence keeps of messages; 65 536.
    Retained = 4,
    /// Bytes of a parameter list, 16 384 at least; 16 384.
    ParameterList = 5,
    /// Payloads of a message; 256.
    Payloads = 6,
    /// CERT payloads of one authentication; 16.
    Certificates = 7,
    /// Failed authentications after which a sequence of r3 is abandoned; 3.
    AuthFailures = 8,
    /// Jobs that wait; 128.
    Jobs = 9,
    /// Events that wait; 256.
    Events = 10,
}

/// What a draw of random bytes is for. A source of production takes no notice of it.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PurposeCode {
    /// Something that this version has no name for.
    Other = 0,
    /// IKE_SA DEVICE SERVER SAI.
    DsSai = 1,
    /// A Diffie-Hellman private value.
    DhPrivate = 2,
    /// NONCE DATA.
    Nonce = 3,
    /// An INITIALIZATION VECTOR.
    Iv = 4,
}

/// Status of a reply.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusCode {
    /// GOOD.
    Good = 0,
    /// CHECK CONDITION, with sense data.
    CheckCondition = 2,
    /// Not yet: a job must run first. No SCSI status has this value.
    Held = 256,
}

/// What a job does.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobKindCode {
    /// Something that this version has no name for.
    Other = 0,
    /// A Diffie-Hellman exchange.
    KeyExchange = 1,
    /// Checks an application client's AUTH.
    Verify = 2,
    /// Makes the device server's AUTH.
    Sign = 3,
}

/// What runs out at a deadline.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeadlineCode {
    /// Something that this version has no name for.
    Other = 0,
    /// A protocol timeout.
    Protocol = 1,
    /// An SA inactivity timeout.
    Inactivity = 2,
}

/// What happened.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventCode {
    /// Something that this version has no name for; the text tells it.
    Other = 0,
    /// The nexus has read the capabilities.
    CapabilitiesRead = 1,
    /// Changed capabilities have taken effect: of SPC-4, every other nexus is to be told by the unit attention
    /// IKEV2_SCSI_SENSE_CAPABILITIES_CHANGED.
    CapabilitiesChanged = 2,
    /// A key exchange OUT was accepted; `ac_sai` and `ds_sai` are those that the association will have.
    SequenceStarted = 3,
    /// A command sequence will not be completed; `reason` is an ikev2_scsi_drop_reason.
    SequenceDropped = 4,
    /// An association has come into being.
    SaCreated = 5,
    /// An association is gone; `reason` is an ikev2_scsi_removal_reason.
    SaRemoved = 6,
    /// An application client has failed to authenticate itself; `reason` is its AUTH METHOD, the text tells who and why.
    AuthenticationFailed = 7,
    /// A command was refused, told with IKEV2_SCSI_POLICY_REPORT_REFUSALS; the text tells why.
    Refused = 8,
    /// A bound was reached; the text tells which.
    LimitReached = 9,
    /// `count` events were lost, since nobody took them.
    Lost = 10,
}

/// Why a command sequence was dropped.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DropReasonCode {
    /// Something that this version has no name for.
    Other = 0,
    /// The protocol timeout.
    ProtocolTimeout = 1,
    /// Too many failed authentications.
    AuthenticationFailures = 2,
    /// A command was refused in a way that ends the sequence (SPC-4).
    Refused = 3,
    /// A Delete (SPC-4).
    Delete = 4,
    /// I_T nexus loss.
    NexusLoss = 5,
    /// A reset.
    Reset = 6,
}

/// Why an association is gone.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemovalReasonCode {
    /// Something that this version has no name for.
    Other = 0,
    /// A Delete.
    Delete = 1,
    /// The inactivity timeout.
    Inactivity = 2,
    /// The same client made its Initial Contact.
    InitialContact = 3,
    /// A reset.
    Reset = 4,
    /// ikev2_scsi_server_remove_sa().
    Administrator = 5,
    /// The last sequence number was used (SPC-4).
    SequenceNumbers = 6,
}

/// A parameter of an association that is bytes, for ikev2_scsi_server_sa_bytes(). Those marked so are secret: wipe the copy.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaBytesCode {
    /// AC_NONCE; empty in SPC-4.
    AcNonce = 0,
    /// DS_NONCE; empty in SPC-4.
    DsNonce = 1,
    /// The USAGE DATA field.
    UsageData = 2,
    /// USAGE_DATA as the standard has it: in SPC-4 algorithms before the field.
    UsageDataParameter = 3,
    /// IDENTIFICATION DATA of the application client; empty without authentication.
    ClientIdentity = 4,
    /// KEY_SEED, secret; empty in SPC-4.
    KeySeed = 16,
    /// KEYMAT, secret; empty in r3.
    Keymat = 17,
    /// SK_ei of MGMT_DATA, secret.
    SkEi = 18,
    /// SK_ai of MGMT_DATA, secret; empty with a combined mode.
    SkAi = 19,
    /// SK_er of MGMT_DATA, secret; empty in r3.
    SkEr = 20,
    /// SK_ar of MGMT_DATA, secret; empty in r3, and with a combined mode.
    SkAr = 21,
}

/// Sense data that the embedder of an SPC-4 device server needs elsewhere, for ikev2_scsi_server_sense().
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SenseCode {
    /// The unit attention for nexuses that are to read the capabilities anew (SPC-4 5.14.4.5).
    CapabilitiesChanged = 0,
    /// For PERSISTENT RESERVE OUT of a nexus with a command sequence (SPC-4 5.13.4).
    SaCreationInProgress = 1,
}

/// Whether an ESP-SCSI descriptor tells its length.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EspFormCode {
    /// It begins with DESCRIPTOR LENGTH.
    WithLength = 0,
    /// Its length is told elsewhere, and the bytes given are exactly the descriptor.
    WithoutLength = 1,
}

/// Where an ESP-SCSI descriptor stands.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EspPlaceCode {
    /// In the parameter list.
    ParameterList = 0,
    /// In the CDB.
    Cdb = 1,
}

/// Lets numbers be looked up among the values of enumerations.
macro_rules! numbered {
    ($($name:ident, $what:literal: $($variant:ident)*;)*) => {$(
        impl $name {
            /// The value with this number.
            pub(crate) fn of_code(code: u32) -> Result<Self, Failure> {
                let all = [$(Self::$variant),*];
                let found = all.into_iter().find(|known| *known as u32 == code);
                found.ok_or_else(|| Failure::argument(format!(concat!("{} is no ", $what), code)))
            }
        }
    )*};
}

numbered! {
    DialectCode, "ikev2_scsi_dialect": R3 Spc4;
    IdTypeCode, "ikev2_scsi_id_type": DerAsn1Dn DerAsn1Gn KeyId FcName;
    KeyKindCode, "ikev2_scsi_key_kind": Rsa P256 P384 P521;
    HashCode, "ikev2_scsi_hash": Standard Sha1 Sha256 Sha384 Sha512;
    ShowsCode, "ikev2_scsi_shows": Nothing OnRequest Certificates RawKey;
    RevocationCode, "ikev2_scsi_revocation": Required WhenListed Off;
    AlgorithmTypeCode, "ikev2_scsi_algorithm_type": Encryption PseudoRandom Integrity DiffieHellman Authentication;
    PolicyCode, "ikev2_scsi_policy": MaxProtocolTimeout MaxInactivityTimeout NonceLength AllowTripleDes
        AllowNoAuthentication WaiveCompleteRow OneSequence Offload ExpectedCalculationMs ReportRefusals DescriptorSense
        Rfc4306HeaderFlags AssignedSenseCodes RequestCertificates IdentityMatch Revocation;
    LimitCode, "ikev2_scsi_limit": Nexuses Sequences Sas SasPerIdentity Retained ParameterList Payloads Certificates
        AuthFailures Jobs Events;
    SaBytesCode, "ikev2_scsi_sa_bytes": AcNonce DsNonce UsageData UsageDataParameter ClientIdentity KeySeed Keymat SkEi
        SkAi SkEr SkAr;
    SenseCode, "ikev2_scsi_sense_code": CapabilitiesChanged SaCreationInProgress;
    EspFormCode, "ikev2_scsi_esp_form": WithLength WithoutLength;
    EspPlaceCode, "ikev2_scsi_esp_place": ParameterList Cdb;
}
