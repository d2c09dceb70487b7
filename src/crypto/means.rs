//! What a side's keys are asked through when an AUTH is made or checked: borrowed at once, or owned by a job.

use alloc::sync::Arc;
use core::ops::Deref;

use super::{CertificateValidator, HashKind, KeyKind, PresharedKeys, Prf, Signer};

/// Something of the embedder's: in memory that many count the holders of, or there for good, as firmware has it.
pub(crate) enum Shared<T: ?Sized + 'static> {
    Counted(Arc<T>),
    Static(&'static T),
}

impl<T: ?Sized> Clone for Shared<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Counted(counted) => Self::Counted(Arc::clone(counted)),
            Self::Static(there) => Self::Static(there),
        }
    }
}

impl<T: ?Sized> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            Self::Counted(counted) => counted,
            Self::Static(there) => there,
        }
    }
}

/// The hashes with which signatures are accepted, each once and in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hashes([Option<HashKind>; 4]);

impl Hashes {
    /// SHA-1 alone.
    pub(crate) const SHA1: Self = Self::one(HashKind::Sha1);

    const fn one(hash: HashKind) -> Self {
        Self([Some(hash), None, None, None])
    }

    pub(crate) fn of(list: &[HashKind]) -> Self {
        let mut hashes = Self([None; 4]);
        for hash in list {
            if !hashes.0.contains(&Some(*hash))
                && let Some(free) = hashes.0.iter_mut().find(|place| place.is_none())
            {
                *free = Some(*hash);
            }
        }
        hashes
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = HashKind> {
        self.0.into_iter().flatten()
    }
}

/// What tells whether a peer's AUTH is good.
#[derive(Clone, Copy)]
pub(crate) struct Judges<'a> {
    pub(crate) shared_keys: Option<&'a dyn PresharedKeys>,
    pub(crate) validator: Option<&'a dyn CertificateValidator>,
    /// Hashes accepted in RSA signatures (reading R16).
    pub(crate) rsa_hashes: Hashes,
}

impl Judges<'_> {
    /// The hashes with which a signature of this kind is accepted.
    pub(crate) const fn hashes(&self, kind: KeyKind) -> Hashes {
        match kind {
            KeyKind::Rsa => self.rsa_hashes,
            _ => Hashes::one(kind.auth_hash()),
        }
    }
}

/// The same, owned.
#[derive(Clone)]
pub(crate) struct OwnedJudges {
    pub(crate) shared_keys: Option<Shared<dyn PresharedKeys>>,
    pub(crate) validator: Option<Shared<dyn CertificateValidator>>,
    pub(crate) rsa_hashes: Hashes,
}

impl OwnedJudges {
    pub(crate) fn borrowed(&self) -> Judges<'_> {
        let Self { shared_keys, validator, rsa_hashes } = self;
        Judges { shared_keys: shared_keys.as_deref(), validator: validator.as_deref(), rsa_hashes: *rsa_hashes }
    }
}

/// How a message is authenticated.
#[derive(Clone, Copy)]
pub(crate) enum Means<'a> {
    SharedKey(&'a Shared<dyn PresharedKeys>),
    Signature(&'a Shared<dyn Signer>),
}

impl Means<'_> {
    /// Bytes of AUTHENTICATION DATA.
    pub(crate) fn auth_length(self, prf: &dyn Prf) -> usize {
        match self {
            Self::SharedKey(_) => prf.output_length(),
            Self::Signature(signer) => signer.signature_length(),
        }
    }

    pub(crate) fn owned(self) -> OwnMeans {
        match self {
            Self::SharedKey(keys) => OwnMeans::SharedKey(keys.clone()),
            Self::Signature(signer) => OwnMeans::Signature(signer.clone()),
        }
    }
}

/// The same, owned.
pub(crate) enum OwnMeans {
    SharedKey(Shared<dyn PresharedKeys>),
    Signature(Shared<dyn Signer>),
}

impl OwnMeans {
    pub(crate) const fn borrowed(&self) -> Means<'_> {
        match self {
            Self::SharedKey(keys) => Means::SharedKey(keys),
            Self::Signature(signer) => Means::Signature(signer),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn hashes_are_taken_once_and_in_their_order() {
        use HashKind::{Sha1, Sha256, Sha384, Sha512};
        let all = |list: &[HashKind]| Hashes::of(list).iter().collect::<Vec<_>>();
        assert_eq!(all(&[]), []);
        assert_eq!(all(&[Sha1]), Hashes::SHA1.iter().collect::<Vec<_>>());
        assert_eq!(all(&[Sha512, Sha1, Sha512, Sha1, Sha256, Sha384]), [Sha512, Sha1, Sha256, Sha384]);
    }

    #[test]
    fn what_is_there_for_good_is_not_counted() {
        static WORD: [u8; 3] = *b"yes";
        let (there, counted) = (Shared::<[u8]>::Static(&WORD), Shared::<[u8]>::Counted(Arc::from(b"yes".as_slice())));
        assert_eq!((&*there.clone(), &*counted.clone()), (&WORD[..], &WORD[..]));
    }
}
