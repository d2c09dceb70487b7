//! AUTH made and checked anywhere: the same work as in `proof`, with all that it needs owned, in blocks that are wiped.

use alloc::vec::Vec;
use core::fmt;

use super::{OwnAuth, PeerCheck, PeerError, SignedOctets};
use crate::crypto::{CryptoError, CryptoProvider, OwnMeans, OwnedJudges, Prf, Proof, PskError, Secret};
use crate::memory;
use crate::time::UnixTime;
use crate::wire::{Certificate, CertificateEncoding, IdType, Identification};

/// So many runs of bytes in one block.
struct Packed<const N: usize> {
    block: Secret,
    lengths: [usize; N],
}

impl<const N: usize> Packed<N> {
    fn new(parts: [&[u8]; N]) -> Result<Self, CryptoError> {
        let lengths = parts.map(<[u8]>::len);
        let block = packed(lengths.iter().fold(0, |sum, length| sum.wrapping_add(*length)), parts.into_iter())?;
        Ok(Self { block, lengths })
    }

    fn parts(&self) -> [&[u8]; N] {
        let mut rest = self.block.expose();
        self.lengths.map(|length| {
            let (part, later) = rest.split_at_checked(length).unwrap_or_default();
            rest = later;
            part
        })
    }
}

/// One after the other, `total` bytes in all.
fn packed<'a>(total: usize, parts: impl Iterator<Item = &'a [u8]>) -> Result<Secret, CryptoError> {
    let mut block = Secret::try_zeroed(total)?;
    let mut rest = block.expose_mut();
    for part in parts {
        let (to, later) = rest.split_at_mut_checked(part.len()).ok_or(CryptoError::Length)?;
        to.iter_mut().zip(part).for_each(|(to, from)| *to = *from);
        rest = later;
    }
    Ok(block)
}

/// A [`PeerCheck`] that owns what it needs.
pub(crate) struct PeerCheckWork {
    provider: CryptoProvider,
    prf: &'static dyn Prf,
    pad: &'static [u8],
    credentials: OwnedJudges,
    id_type: IdType,
    method: u8,
    at: Option<UnixTime>,
    /// The octets in their four parts, IDENTIFICATION DATA, AUTHENTICATION DATA.
    parts: Packed<6>,
    certificates: Secret,
    /// Of each certificate, in their order.
    encodings: Vec<(CertificateEncoding, usize)>,
}

impl fmt::Debug for PeerCheckWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PeerCheck({:?}, method {})", self.id_type, self.method)
    }
}

impl PeerCheckWork {
    pub(crate) fn new(check: &PeerCheck<'_>, credentials: &OwnedJudges) -> Result<Self, CryptoError> {
        let [capabilities, message, nonce, code] = *check.octets.parts();
        let mut encodings = memory::with_capacity(check.certificates.len())?;
        let mut total = 0_usize;
        for Certificate { encoding, data } in check.certificates {
            memory::push(&mut encodings, (*encoding, data.len()))?;
            total = total.wrapping_add(data.len());
        }
        Ok(Self {
            provider: *check.provider,
            prf: check.prf,
            pad: check.pad,
            credentials: credentials.clone(),
            id_type: check.identity.id_type,
            method: check.method,
            at: check.at,
            parts: Packed::new([capabilities, message, nonce, code, check.identity.data, check.auth])?,
            certificates: packed(total, check.certificates.iter().map(|certificate| certificate.data))?,
            encodings,
        })
    }

    /// As [`PeerCheck::run`].
    pub(crate) fn run(&self) -> Result<Proof, PeerError> {
        let [capabilities, message, nonce, code, identity, auth] = self.parts.parts();
        let mut certificates = memory::with_capacity(self.encodings.len()).map_err(CryptoError::from)?;
        let mut rest = self.certificates.expose();
        for (encoding, length) in &self.encodings {
            let (data, later) = rest.split_at_checked(*length).unwrap_or_default();
            memory::push(&mut certificates, Certificate { encoding: *encoding, data }).map_err(CryptoError::from)?;
            rest = later;
        }
        let check = PeerCheck {
            provider: &self.provider,
            prf: self.prf,
            pad: self.pad,
            credentials: self.credentials.borrowed(),
            identity: Identification { id_type: self.id_type, data: identity },
            method: self.method,
            certificates: &certificates,
            at: self.at,
            octets: SignedOctets::new(capabilities, message, nonce, code),
            auth,
        };
        check.run()
    }
}

/// An [`OwnAuth`] that owns what it needs, and has room for the AUTHENTICATION DATA.
pub(crate) struct OwnAuthWork {
    prf: &'static dyn Prf,
    pad: &'static [u8],
    by: OwnMeans,
    /// The octets.
    parts: Packed<4>,
    auth: Secret,
}

impl fmt::Debug for OwnAuthWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnAuth")
    }
}

impl OwnAuthWork {
    pub(crate) fn new(own: &OwnAuth<'_>) -> Result<Self, CryptoError> {
        let auth = Secret::try_zeroed(own.by.auth_length(own.prf))?;
        Ok(Self { prf: own.prf, pad: own.pad, by: own.by.owned(), parts: Packed::new(*own.octets.parts())?, auth })
    }

    /// The AUTHENTICATION DATA.
    pub(crate) fn run(self) -> Result<Secret, PskError> {
        let Self { prf, pad, by, parts, mut auth } = self;
        let [capabilities, message, nonce, code] = parts.parts();
        let octets = SignedOctets::new(capabilities, message, nonce, code);
        OwnAuth { prf, pad, by: by.borrowed(), octets }.run(auth.expose_mut())?;
        Ok(auth)
    }
}
