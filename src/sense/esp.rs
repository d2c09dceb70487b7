//! Sense data for ESP-SCSI descriptors that were not opened or cannot be built (SPC-4 5.14.7.3, 5.14.7.4.2, 5.14.7.5.1).
//!
//! | what | sense key | additional sense code | pointer |
//! | --- | --- | --- | --- |
//! | a field of a descriptor | ILLEGAL REQUEST | INVALID FIELD IN PARAMETER LIST, in a CDB INVALID FIELD IN CDB | the field |
//! | SAIs that name nothing | ILLEGAL REQUEST | the same | the SAI; of a request for Data-In, where it has the SAIs |
//! | an association for another use | ILLEGAL REQUEST | INVALID SA USAGE | the same |
//! | no memory | ILLEGAL REQUEST | INSUFFICIENT RESOURCES | none |
//! | random source, provider | HARDWARE ERROR | INTERNAL TARGET FAILURE | none |

use super::{Sense, SenseKey, SenseKeySpecific, saturate};
use crate::crypto::CryptoError;
use crate::dialect::{Asc, SenseCodes};
use crate::esp::{BuildError, OpenError, Place, Unusable};

/// INVALID SA USAGE, which SPC-4 lists and leaves to the standards that use associations.
const INVALID_SA_USAGE: Asc = Asc::new(0x74, 0x12);
/// Offset of a descriptor's SAI.
const SAI_AT: usize = 4;

impl Sense {
    /// The sense data for a Data-Out or CDB descriptor that was not opened; `place` is where its first byte stands.
    #[must_use]
    pub fn of_descriptor(error: &OpenError, place: Place) -> Self {
        match error {
            OpenError::Fault(fault) => illegal(None, place, fault.byte),
            OpenError::Unusable(why) => unusable(*why, place, SAI_AT),
            OpenError::Crypto(error) => failed(*error),
        }
    }

    /// The sense data for a request for Data-In that has no descriptor to give; `place` is where it names the association.
    #[must_use]
    pub fn of_data_in(error: &BuildError, place: Place) -> Self {
        match error {
            BuildError::Unusable(why) => unusable(*why, place, 0),
            BuildError::Exhausted => Self::of_unknown_sa(place),
            BuildError::Crypto(error) => failed(*error),
            BuildError::TooLong | BuildError::Random(_) => HARDWARE,
        }
    }

    /// The sense data for a request for Data-In whose AC_SAI and DS_SAI name no association together; `place` is where it
    /// names them.
    #[must_use]
    pub fn of_unknown_sa(place: Place) -> Self {
        illegal(None, place, 0)
    }
}

const HARDWARE: Sense = Sense {
    key: SenseKey::HardwareError,
    asc: SenseCodes::Spc4.internal_target_failure(),
    specific: SenseKeySpecific::None,
};

const fn failed(error: CryptoError) -> Sense {
    match error {
        CryptoError::Memory => Sense {
            key: SenseKey::IllegalRequest,
            asc: SenseCodes::Spc4.insufficient_resources(),
            specific: SenseKeySpecific::None,
        },
        _ => HARDWARE,
    }
}

fn unusable(why: Unusable, place: Place, offset: usize) -> Sense {
    match why {
        Unusable::UsageType(_) | Unusable::NoAlgorithms | Unusable::Pairing | Unusable::Sai => {
            illegal(Some(INVALID_SA_USAGE), place, offset)
        }
        // The association was made here, by these algorithms.
        _ => HARDWARE,
    }
}

/// ILLEGAL REQUEST with a pointer `offset` bytes behind `place`.
fn illegal(asc: Option<Asc>, place: Place, offset: usize) -> Sense {
    let codes = SenseCodes::Spc4;
    let (in_cdb, at, invalid) = match place {
        Place::ParameterList(at) => (false, at, codes.invalid_field_in_parameter_list()),
        Place::Cdb(at) => (true, at, codes.invalid_field_in_cdb()),
    };
    let byte = saturate(at.saturating_add(offset));
    let specific = SenseKeySpecific::Field { in_cdb, byte, bit: None };
    Sense { key: SenseKey::IllegalRequest, asc: asc.unwrap_or(invalid), specific }
}
