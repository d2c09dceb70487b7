//! What a callback may want of the crate.

use ikev2_scsi::provider;

use crate::boundary::{Failure, call};
use crate::codes::CallResult;
use crate::pointers::{Buffer, bytes};

/// Writes prf(key, data) to `out`: what ikev2_scsi_preshared_key_callbacks ask for, where the secret is at hand. `prf` is the
/// number that the callback was given, and `out_length` is that function's length of output.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_prf(
    prf: u32,
    key: *const u8,
    key_length: usize,
    data: *const u8,
    data_length: usize,
    out: *mut u8,
    out_length: usize,
) -> CallResult {
    call(|| {
        let known = provider::provider().prf(prf).ok_or_else(|| Failure::argument("there is no such PRF"))?;
        // SAFETY: the caller of C keeps the rules of README.md.
        let key = unsafe { bytes("key", key, key_length) }?;
        // SAFETY: likewise.
        let data = unsafe { bytes("data", data, data_length) }?;
        // SAFETY: likewise.
        let out = unsafe { Buffer::new("out", out, out_length) }?;
        if out.length != known.output_length() {
            return Err(Failure::argument(format!("this PRF writes {} bytes", known.output_length())));
        }
        let mut value = ikev2_scsi::crypto::Secret::zeroed(out.length);
        let key = ikev2_scsi::crypto::Secret::from(key);
        let computed = known.compute(key.expose(), &[&data], value.expose_mut());
        computed.map_err(|error| Failure::argument(error.to_string()))?;
        out.put(value.expose());
        Ok(())
    })
}
