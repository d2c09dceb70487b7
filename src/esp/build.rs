//! Building descriptors (SPC-4 5.14.7.3, 5.14.7.4.2, 5.14.7.5.2).

use alloc::vec::Vec;

use zeroize::Zeroize;

use super::layout::{FIXED, Flow, Form, LENGTH_SIZE, Parts};
use super::usage::Usage;
use super::{BuildError, EspScsi, Unusable};
use crate::crypto::{CryptoError, Purpose, Random};
use crate::keys::SaParameters;
use crate::memory;
use crate::wire::{EmitError, Writer};

/// A descriptor that was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The descriptor, whole.
    pub descriptor: Vec<u8>,
    /// True when it has the last sequence number, FFFF FFFF FFFF FFFFh: the association is to be deleted when it has been sent
    /// (`DeviceServer::build_data_in` does so).
    pub is_last: bool,
}

impl EspScsi<'_> {
    /// Builds a descriptor for `data` with the next sequence number, which the association then keeps: it is used up,
    /// whether the descriptor is sent or not.
    ///
    /// A combined mode's IV is the sequence number; another IV is drawn from `random` ([`Purpose::Iv`]). The receiver takes
    /// numbers up to [`WINDOW`](super::WINDOW) above the last one that it has taken: an association of which more descriptors
    /// in a row are lost is of no more use.
    ///
    /// # Errors
    /// [`BuildError`]; the association is as it was.
    pub fn build(
        &self,
        flow: Flow,
        sa: &mut SaParameters,
        data: &[u8],
        form: Form,
        random: &mut dyn Random,
    ) -> Result<Built, BuildError> {
        let sequence = flow.sequence(sa).checked_add(1).ok_or(BuildError::Exhausted)?;
        let length = self.built_length(flow, sa, data.len(), form)?;
        let mut descriptor = memory::zeroed(length).map_err(CryptoError::from)?;
        let usage = Usage::of(self, sa, flow)?;
        let sai = u32::try_from(flow.sai(sa).0).map_err(|_| Unusable::Sai)?;
        if let Err(error) = fill(&usage, &mut descriptor, (sai, sequence), data, form, random) {
            // Nothing of the data stays in memory that is given back.
            descriptor.zeroize();
            return Err(error);
        }
        flow.set_sequence(sa, sequence);
        Ok(Built { descriptor, is_last: sequence == u64::MAX })
    }

    /// Bytes of the descriptor for so many bytes of data.
    ///
    /// # Errors
    /// [`BuildError::Unusable`], [`BuildError::TooLong`].
    pub fn built_length(
        &self,
        flow: Flow,
        sa: &SaParameters,
        data_length: usize,
        form: Form,
    ) -> Result<usize, BuildError> {
        let usage = Usage::of(self, sa, flow)?;
        let trailer =
            if usage.encrypts() { usize::from(usage.pad_length(data_length)).checked_add(2) } else { Some(0) };
        let fixed = FIXED.saturating_add(usage.overhead());
        let length = trailer.and_then(|trailer| fixed.checked_add(trailer)?.checked_add(data_length));
        let fits = |length: &usize| form == Form::WithoutLength || *length <= MAX_WITH_LENGTH;
        length.filter(fits).ok_or(BuildError::TooLong)
    }
}

/// Bytes of the longest descriptor whose length DESCRIPTOR LENGTH can tell.
const MAX_WITH_LENGTH: usize = 0xFFFF + LENGTH_SIZE;

/// What stands before the data.
struct Head {
    /// DESCRIPTOR LENGTH, zero where it is reserved.
    counted: u16,
    sai: u32,
    sequence: u64,
}

fn fill(
    usage: &Usage<'_>,
    descriptor: &mut [u8],
    (sai, sequence): (u32, u64),
    data: &[u8],
    form: Form,
    random: &mut dyn Random,
) -> Result<(), BuildError> {
    let length = descriptor.len();
    let layout = usage.layout(length).ok_or(CryptoError::Length)?;
    let counted = match form {
        Form::WithLength => u16::try_from(length.saturating_sub(LENGTH_SIZE)).map_err(|_| BuildError::TooLong)?,
        Form::WithoutLength => 0,
    };
    // The buffer was made as long as this is.
    let head = Head { counted, sai, sequence };
    write(usage, descriptor, &head, layout.iv.len(), data).map_err(|_| CryptoError::Length)?;
    let iv = descriptor.get_mut(layout.iv.clone()).ok_or(CryptoError::Length)?;
    if usage.iv_is_sequence() {
        Writer::new(iv).u64(sequence).map_err(|_| CryptoError::Length)?;
    } else if !iv.is_empty() {
        random.fill(Purpose::Iv, iv)?;
    }
    usage.seal(Parts::of(descriptor, &layout).ok_or(CryptoError::Length)?)?;
    Ok(())
}

/// Writes everything but IV and ICV, the data in clear.
fn write(
    usage: &Usage<'_>,
    descriptor: &mut [u8],
    head: &Head,
    iv_length: usize,
    data: &[u8],
) -> Result<(), EmitError> {
    let mut writer = Writer::new(descriptor);
    writer.u16(head.counted)?;
    writer.zeros(2)?;
    writer.u32(head.sai)?;
    writer.u64(head.sequence)?;
    writer.zeros(iv_length)?;
    writer.bytes(data)?;
    if usage.encrypts() {
        let pad_length = usage.pad_length(data.len());
        for counted in 1..=pad_length {
            writer.u8(counted)?;
        }
        writer.u8(pad_length)?;
        writer.u8(0)?;
    }
    Ok(())
}
