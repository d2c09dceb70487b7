//! Where the fields of a descriptor stand (SPC-4 tables 95 to 98 and 100 to 103).

use core::ops::Range;

use super::{Fault, FaultKind, Field};
use crate::keys::SaParameters;
use crate::wire::Sai;

/// Which way the data go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Flow {
    /// From the application client to the device server: Data-Out, or a CDB.
    Out,
    /// From the device server to the application client: Data-In.
    In,
}

impl Flow {
    /// The receiver's index of the association.
    pub(super) const fn sai(self, sa: &SaParameters) -> Sai {
        match self {
            Self::Out => sa.ds_sai,
            Self::In => sa.ac_sai,
        }
    }

    pub(super) const fn sequence(self, sa: &SaParameters) -> u64 {
        match self {
            Self::Out => sa.ds_sqn,
            Self::In => sa.ac_sqn,
        }
    }

    pub(super) const fn set_sequence(self, sa: &mut SaParameters, number: u64) {
        match self {
            Self::Out => sa.ds_sqn = number,
            Self::In => sa.ac_sqn = number,
        }
    }

    pub(crate) const fn sai_fault(self) -> Fault {
        let field = match self {
            Self::Out => Field::DsSai,
            Self::In => Field::AcSai,
        };
        Fault::new(SAI_AT, field, FaultKind::UnknownSai)
    }

    pub(super) const fn sequence_fault(self, kind: FaultKind) -> Fault {
        let field = match self {
            Self::Out => Field::DsSqn,
            Self::In => Field::AcSqn,
        };
        Fault::new(SQN_AT, field, kind)
    }
}

/// Whether the descriptor tells its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// It begins with DESCRIPTOR LENGTH (SPC-4 tables 95, 96, 100, 101). What stands behind it is not looked at.
    WithLength,
    /// Its length is told elsewhere in the parameter list, and the bytes given are exactly the descriptor (SPC-4 tables 97,
    /// 98, 102, 103); not in CDBs.
    WithoutLength,
}

/// Bytes of DESCRIPTOR LENGTH, which it does not count.
pub(super) const LENGTH_SIZE: usize = 2;
/// Offset of the SAI.
pub(super) const SAI_AT: usize = 4;
/// Offset of the sequence number.
pub(super) const SQN_AT: usize = 8;
/// Offset of INITIALIZATION VECTOR, or of the data without one: the fixed part's length.
pub(super) const FIXED: usize = 16;

/// What every descriptor begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// Bytes of the descriptor.
    pub(super) length: usize,
    pub(super) sai: Sai,
    pub(super) sequence: u64,
}

impl Head {
    /// Reads the fixed part. All that it says is unauthenticated.
    pub(super) fn read(bytes: &[u8], form: Form) -> Result<Self, Fault> {
        let wrong = form.length_fault();
        let ([l0, l1, _, _, s0, s1, s2, s3], rest) = bytes.split_first_chunk::<8>().ok_or(wrong)?;
        let (sequence, _) = rest.split_first_chunk::<8>().ok_or(wrong)?;
        let length = match form {
            Form::WithLength => usize::from(u16::from_be_bytes([*l0, *l1])).saturating_add(LENGTH_SIZE),
            Form::WithoutLength => bytes.len(),
        };
        if length < FIXED || length > bytes.len() {
            return Err(wrong);
        }
        let sai = Sai(u32::from_be_bytes([*s0, *s1, *s2, *s3]).into());
        Ok(Self { length, sai, sequence: u64::from_be_bytes(*sequence) })
    }
}

impl Form {
    pub(super) const fn length_fault(self) -> Fault {
        let field = match self {
            Self::WithLength => Field::DescriptorLength,
            Self::WithoutLength => Field::Descriptor,
        };
        Fault::new(0, field, FaultKind::Length)
    }
}

/// The parts of a descriptor behind its fixed part, by offsets in the descriptor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) iv: Range<usize>,
    pub(super) data: Range<usize>,
    pub(super) icv: Range<usize>,
}

impl Layout {
    /// The parts of a descriptor of `length` bytes; `None` if it is too short for IV and ICV.
    pub(super) fn of(length: usize, iv_length: usize, icv_length: usize) -> Option<Self> {
        let data_at = FIXED.checked_add(iv_length)?;
        let icv_at = length.checked_sub(icv_length).filter(|icv_at| *icv_at >= data_at)?;
        Some(Self { iv: FIXED..data_at, data: data_at..icv_at, icv: icv_at..length })
    }
}

/// The bytes of those parts.
#[derive(Debug)]
pub(super) struct Parts<'d> {
    /// SAI and SQN: a combined mode's associated data.
    pub(super) associated: &'d [u8],
    pub(super) iv: &'d [u8],
    pub(super) data: &'d mut [u8],
    pub(super) icv: &'d mut [u8],
}

impl<'d> Parts<'d> {
    pub(super) fn of(descriptor: &'d mut [u8], layout: &Layout) -> Option<Self> {
        let (head, tail) = descriptor.split_at_mut_checked(layout.data.start)?;
        let (fixed, iv) = head.split_at_checked(FIXED)?;
        let (data, icv) = tail.split_at_mut_checked(layout.data.len())?;
        Some(Self { associated: fixed.get(SAI_AT..)?, iv, data, icv: icv.get_mut(..layout.icv.len())? })
    }
}
