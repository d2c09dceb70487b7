//! The Set Data Encryption page of the SSC standards, as far as a key needs it.
//!
//! ```text
//! 0..1 PAGE CODE 0010h   2..3 PAGE LENGTH       4 SCOPE, LOCK        5 CEEM and others
//! 6 ENCRYPTION MODE      7 DECRYPTION MODE      8 ALGORITHM INDEX    9 KEY FORMAT
//! 10..17 reserved        18..19 KEY LENGTH      20.. KEY
//! ```

use std::error::Error;

/// Offset of KEY.
pub(crate) const KEY_AT: usize = 20;

const PAGE_CODE: u16 = 0x0010;
/// SCOPE: all I_T nexuses.
const ALL_NEXUSES: u8 = 0x40;
/// ENCRYPTION MODE and DECRYPTION MODE.
const ENCRYPT: u8 = 2;
const DECRYPT: u8 = 2;
const ALGORITHM_INDEX: u8 = 1;
/// KEY FORMAT: KEY is protected by ESP-SCSI.
const ESP_SCSI: u8 = 3;

/// A page whose KEY is this descriptor.
pub(crate) fn set_data_encryption(descriptor: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let key_length = u16::try_from(descriptor.len())?;
    let page_length = key_length.checked_add(16).ok_or("the key is too long for the page")?;
    let head = [ALL_NEXUSES, 0, ENCRYPT, DECRYPT, ALGORITHM_INDEX, ESP_SCSI];
    Ok([
        &PAGE_CODE.to_be_bytes()[..],
        &page_length.to_be_bytes(),
        &head,
        &[0; 8],
        &key_length.to_be_bytes(),
        descriptor,
    ]
    .concat())
}

/// KEY of a page of this kind.
pub(crate) fn key(page: &mut [u8]) -> Option<&mut [u8]> {
    let (head, rest) = page.split_at_mut_checked(KEY_AT)?;
    let key_length = u16::from_be_bytes(*head.last_chunk()?);
    let is_ours = head.get(..2)? == PAGE_CODE.to_be_bytes() && *head.get(9)? == ESP_SCSI;
    rest.get_mut(..usize::from(key_length)).filter(|_| is_ours)
}
