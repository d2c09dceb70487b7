//! The ID, CERT, CERTREQ and AUTH payloads (r3 7.7.4.4-7.7.4.6; RFC 4306 3.5-3.8; reading R34).
//!
//! ```text
//! ID       4        5..7      8..
//!          ID TYPE  reserved  IDENTIFICATION DATA
//! CERT     4                     5..
//!          CERTIFICATE ENCODING  certificate or key
//! CERTREQ  4                     5..
//!          CERTIFICATE ENCODING  20-byte hashes of trust anchors' keys
//! AUTH     4            5..7      8..
//!          AUTH METHOD  reserved  AUTHENTICATION DATA
//! ```

use super::{Body, Chain, EmitError, Field, RawPayload, Reader, WireError, WireErrorKind, Writer};
use crate::dialect::{PayloadType, Profile};

/// ID TYPE values that r3 7.7.4.4 allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdType {
    /// 9: the subject field of a certificate, in DER.
    DerAsn1Dn,
    /// 10: a name of a certificate's subjectAltName extension, in DER.
    DerAsn1Gn,
    /// 11: arbitrary identity data.
    KeyId,
    /// 12: a Fibre Channel name (RFC 4595).
    FcName,
}

impl IdType {
    /// The value on the wire.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::DerAsn1Dn => 9,
            Self::DerAsn1Gn => 10,
            Self::KeyId => 11,
            Self::FcName => 12,
        }
    }

    /// The type with this value; `None` for every type that shall not be used.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            9 => Self::DerAsn1Dn,
            10 => Self::DerAsn1Gn,
            11 => Self::KeyId,
            12 => Self::FcName,
            _ => return None,
        })
    }

    /// The name in r3 7.7.4.4.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DerAsn1Dn => "ID_DER_ASN1_DN",
            Self::DerAsn1Gn => "ID_DER_ASN1_GN",
            Self::KeyId => "ID_KEY_ID",
            Self::FcName => "ID_FC_NAME",
        }
    }

    /// True for the types that shall not be used without a certificate (r3 7.7.4.4 a).
    #[must_use]
    pub const fn needs_certificate(self) -> bool {
        matches!(self, Self::DerAsn1Dn | Self::DerAsn1Gn)
    }
}

/// The data of an ID payload: 4 bytes and the identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identification<'a> {
    /// ID TYPE.
    pub id_type: IdType,
    /// IDENTIFICATION DATA.
    pub data: &'a [u8],
}

impl Identification<'_> {
    /// What stands before IDENTIFICATION DATA.
    pub(crate) const fn head(&self) -> [u8; 4] {
        [self.id_type.code(), 0, 0, 0]
    }

    /// Offset of ID TYPE from the payload's first byte.
    pub const TYPE_AT: usize = 4;

    /// Refuses an identity that is one of a certificate's names when none of the payloads beside it is an X.509
    /// certificate (r3 7.7.4.4 a, reading R34). `raw` is the ID payload, `inner` the chain that it stands in.
    ///
    /// # Errors
    /// [`WireErrorKind::Invalid`] at ID TYPE.
    pub fn check_presented(&self, inner: &Chain<'_>, raw: &RawPayload<'_>) -> Result<(), WireError> {
        let x509 = CertificateEncoding::X509Signature.code();
        let is_presented = |payload: RawPayload<'_>| {
            payload.payload == Some(PayloadType::Certificate) && payload.data.first() == Some(&x509)
        };
        if !self.id_type.needs_certificate() || inner.clone().flatten().any(is_presented) {
            return Ok(());
        }
        Err(raw.error(Self::TYPE_AT, Field::IdType, WireErrorKind::Invalid))
    }
}

impl<'a> Body<'a> for Identification<'a> {
    fn parse(_: Profile, mut reader: Reader<'a>) -> Result<Self, WireError> {
        let type_at = reader.at();
        let [code, _, _, _] = reader.array()?;
        let id_type = IdType::from_code(code).ok_or(WireError::new(type_at, Field::IdType, WireErrorKind::Invalid))?;
        Ok(Self { id_type, data: reader.rest() })
    }

    fn len(&self) -> usize {
        self.data.len().wrapping_add(4)
    }

    fn emit(&self, writer: &mut Writer<'_>) -> Result<(), EmitError> {
        writer.bytes(&self.head())?;
        writer.bytes(self.data)
    }
}

/// CERTIFICATE ENCODING values that r3 Table H2 allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CertificateEncoding {
    /// 04h: X.509 Certificate - Signature.
    X509Signature,
    /// 0Bh: Raw RSA Key.
    RawRsaKey,
}

impl CertificateEncoding {
    /// The value on the wire.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::X509Signature => 0x04,
            Self::RawRsaKey => 0x0B,
        }
    }

    /// The name in r3 Table H2.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::X509Signature => "X.509 Certificate - Signature",
            Self::RawRsaKey => "Raw RSA Key",
        }
    }

    fn parse(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let at = reader.at();
        match reader.u8()? {
            0x04 => Ok(Self::X509Signature),
            0x0B => Ok(Self::RawRsaKey),
            _ => Err(WireError::new(at, Field::CertificateEncoding, WireErrorKind::Invalid)),
        }
    }
}

/// The data of a CERT payload: 1 byte and the certificate or key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Certificate<'a> {
    /// CERTIFICATE ENCODING.
    pub encoding: CertificateEncoding,
    /// The certificate in DER, or a PKCS#1 RSAPublicKey in DER.
    pub data: &'a [u8],
}

impl<'a> Body<'a> for Certificate<'a> {
    fn parse(_: Profile, mut reader: Reader<'a>) -> Result<Self, WireError> {
        let encoding = CertificateEncoding::parse(&mut reader)?;
        Ok(Self { encoding, data: reader.rest() })
    }

    fn len(&self) -> usize {
        self.data.len().wrapping_add(1)
    }

    fn emit(&self, writer: &mut Writer<'_>) -> Result<(), EmitError> {
        writer.u8(self.encoding.code())?;
        writer.bytes(self.data)
    }
}

/// The data of a CERTREQ payload: 1 byte and 20 for each trust anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CertificateRequest<'a> {
    /// CERTIFICATE ENCODING.
    pub encoding: CertificateEncoding,
    /// SHA-1 of the SubjectPublicKeyInfo of each trust anchor.
    pub authorities: &'a [[u8; 20]],
}

impl<'a> Body<'a> for CertificateRequest<'a> {
    fn parse(_: Profile, mut reader: Reader<'a>) -> Result<Self, WireError> {
        let encoding = CertificateEncoding::parse(&mut reader)?;
        let length_error = reader.length_error();
        let (authorities, left) = reader.rest().as_chunks();
        if left.is_empty() { Ok(Self { encoding, authorities }) } else { Err(length_error) }
    }

    fn len(&self) -> usize {
        self.authorities.as_flattened().len().wrapping_add(1)
    }

    fn emit(&self, writer: &mut Writer<'_>) -> Result<(), EmitError> {
        writer.u8(self.encoding.code())?;
        writer.bytes(self.authorities.as_flattened())
    }
}

/// The data of an AUTH payload: 4 bytes and the signature or message integrity code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Authentication<'a> {
    /// AUTH METHOD: the low byte of an IKE authentication algorithm's identifier (r3 Table K6).
    pub method: u8,
    /// AUTHENTICATION DATA.
    pub data: &'a [u8],
}

impl Authentication<'_> {
    /// What stands before AUTHENTICATION DATA.
    pub(crate) const fn head(&self) -> [u8; 4] {
        [self.method, 0, 0, 0]
    }
}

impl<'a> Body<'a> for Authentication<'a> {
    fn parse(_: Profile, mut reader: Reader<'a>) -> Result<Self, WireError> {
        let [method, _, _, _] = reader.array()?;
        Ok(Self { method, data: reader.rest() })
    }

    fn len(&self) -> usize {
        self.data.len().wrapping_add(4)
    }

    fn emit(&self, writer: &mut Writer<'_>) -> Result<(), EmitError> {
        writer.bytes(&self.head())?;
        writer.bytes(self.data)
    }
}
