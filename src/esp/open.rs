//! Opening descriptors (SPC-4 5.14.7.3, 5.14.7.4.2, 5.14.7.5.2).

use core::ops::Range;

use zeroize::Zeroize;

use super::layout::{Flow, Form, Head, Parts};
use super::usage::Usage;
use super::{EspScsi, Fault, FaultKind, Field, OpenError, WINDOW};
use crate::crypto::CryptoError;
use crate::keys::SaParameters;
use crate::wire::Sai;

/// A descriptor that was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "the data stand in the descriptor, where this says"]
pub struct Opened {
    /// UNENCRYPTED BYTES: where in the descriptor the data are.
    pub data: Range<usize>,
    /// Bytes of the descriptor; what stands behind it was not looked at.
    pub length: usize,
    /// True when it had the last sequence number, FFFF FFFF FFFF FFFFh: the association is to be deleted
    /// (`DeviceServer::open_data_out` does so).
    pub is_last: bool,
}

impl EspScsi<'_> {
    /// Checks the descriptor that `bytes` begin with and decrypts it in place; the association keeps its sequence number.
    ///
    /// An application client opens Data-In of commands that ended with GOOD status only, and ignores what is refused
    /// (SPC-4 5.14.7.5.2).
    ///
    /// # Errors
    /// [`OpenError::Fault`]: unless it [is authentic](Fault::is_authentic), the association and its sequence number are as
    /// they were. The bytes then hold no plaintext that was not in them. [`OpenError::Unusable`], [`OpenError::Crypto`]: the
    /// same.
    pub fn open(&self, flow: Flow, sa: &mut SaParameters, bytes: &mut [u8], form: Form) -> Result<Opened, OpenError> {
        let head = Head::read(bytes, form)?;
        if head.sai != flow.sai(sa) {
            return Err(flow.sai_fault().into());
        }
        let usage = Usage::of(self, sa, flow)?;
        check_sequence(flow, flow.sequence(sa), head.sequence)?;
        let layout = usage.layout(head.length).ok_or_else(|| form.length_fault())?;
        let descriptor = bytes.get_mut(..head.length).ok_or_else(|| form.length_fault())?;
        let parts = Parts::of(descriptor, &layout).ok_or_else(|| form.length_fault())?;
        match usage.open(parts) {
            Ok(()) => {}
            Err(CryptoError::Refused) => {
                let icv = Fault::new(layout.icv.start, Field::IntegrityCheckValue, FaultKind::Mismatch);
                return Err(icv.into());
            }
            Err(error) => {
                wipe(descriptor, &layout.data);
                return Err(OpenError::Crypto(error));
            }
        }
        let encrypts = usage.encrypts();
        flow.set_sequence(sa, head.sequence);
        let end = if encrypts { end_of_plaintext(descriptor, &layout.data) } else { Ok(layout.data.end) };
        match end {
            Ok(end) => {
                let data = layout.data.start..end;
                Ok(Opened { data, length: head.length, is_last: head.sequence == u64::MAX })
            }
            Err(fault) => {
                // The decrypted data are to be ignored: nobody shall find them.
                wipe(descriptor, &layout.data);
                Err(fault.into())
            }
        }
    }

    /// The SAI of a descriptor, before anything of it is checked: the receiver's index of the association.
    ///
    /// # Errors
    /// The [`Fault`] of a descriptor that is too short, or longer than `bytes`.
    pub fn sai_of(bytes: &[u8], form: Form) -> Result<Sai, Fault> {
        Head::read(bytes, form).map(|head| head.sai)
    }
}

/// Zero, replayed, or too far ahead (SPC-4 5.14.7.4.2).
fn check_sequence(flow: Flow, last: u64, received: u64) -> Result<(), Fault> {
    let kind = if received == 0 {
        FaultKind::Zero
    } else if received <= last {
        FaultKind::Replayed
    } else if received > last.saturating_add(WINDOW) {
        FaultKind::TooFarAhead
    } else {
        return Ok(());
    };
    Err(flow.sequence_fault(kind))
}

/// Where UNENCRYPTED BYTES end, by the padding, PAD LENGTH and MUST BE ZERO behind them.
fn end_of_plaintext(descriptor: &[u8], data: &Range<usize>) -> Result<usize, Fault> {
    let last = data.end.saturating_sub(1);
    let wrong = |field, kind| Fault::new(last, field, kind);
    let wrong_padding = wrong(Field::Padding, FaultKind::Padding);
    let plain = descriptor.get(data.clone()).ok_or(wrong_padding)?;
    let (before, [pad_length, must_be_zero]) = plain.split_last_chunk::<2>().ok_or(wrong_padding)?;
    if *must_be_zero != 0 {
        return Err(wrong(Field::MustBeZero, FaultKind::NotZero));
    }
    let length = before.len().checked_sub(usize::from(*pad_length)).ok_or(wrong_padding)?;
    let padding = before.get(length..).unwrap_or_default();
    if padding.iter().zip(1..=u8::MAX).any(|(byte, counted)| *byte != counted) {
        return Err(wrong_padding);
    }
    data.start.checked_add(length).ok_or(wrong_padding)
}

fn wipe(descriptor: &mut [u8], data: &Range<usize>) {
    if let Some(data) = descriptor.get_mut(data.clone()) {
        data.zeroize();
    }
}
