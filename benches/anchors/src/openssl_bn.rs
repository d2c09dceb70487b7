//! OpenSSL's constant-time exponentiation with a Montgomery context that is kept, as its own Diffie-Hellman has it. The `openssl` crate
//! has no safe interface for that.

use foreign_types::ForeignTypeRef;
use openssl::bn::{BigNum, BigNumContext, BigNumRef};

mod raw {
    #![allow(unsafe_code)]
    use std::os::raw::c_int;

    use openssl_sys::{BIGNUM, BN_CTX};

    #[repr(C)]
    pub(super) struct BN_MONT_CTX {
        _private: [u8; 0],
    }

    unsafe extern "C" {
        pub(super) fn BN_MONT_CTX_new() -> *mut BN_MONT_CTX;
        pub(super) fn BN_MONT_CTX_free(mont: *mut BN_MONT_CTX);
        pub(super) fn BN_MONT_CTX_set(mont: *mut BN_MONT_CTX, modulus: *const BIGNUM, ctx: *mut BN_CTX) -> c_int;
        pub(super) fn BN_mod_exp_mont_consttime(
            out: *mut BIGNUM,
            base: *const BIGNUM,
            exponent: *const BIGNUM,
            modulus: *const BIGNUM,
            ctx: *mut BN_CTX,
            mont: *mut BN_MONT_CTX,
        ) -> c_int;
    }
}

/// Exponentiation modulo one odd number.
pub(crate) struct Modulus {
    modulus: BigNum,
    context: BigNumContext,
    montgomery: *mut raw::BN_MONT_CTX,
}

impl Modulus {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let modulus = BigNum::from_slice(bytes).unwrap();
        let context = BigNumContext::new().unwrap();
        // SAFETY: a new object, filled from live ones, freed once in `drop`.
        let montgomery = unsafe {
            let montgomery = raw::BN_MONT_CTX_new();
            assert!(!montgomery.is_null());
            assert_eq!(raw::BN_MONT_CTX_set(montgomery, modulus.as_ptr(), context.as_ptr()), 1);
            montgomery
        };
        Self { modulus, context, montgomery }
    }

    /// `out` = `base` ^ `exponent`.
    pub(crate) fn power(&mut self, out: &mut BigNumRef, base: &BigNumRef, exponent: &BigNumRef) {
        // SAFETY: all objects are alive, and only `out` and the context are written to.
        let done = unsafe {
            raw::BN_mod_exp_mont_consttime(
                out.as_ptr(),
                base.as_ptr(),
                exponent.as_ptr(),
                self.modulus.as_ptr(),
                self.context.as_ptr(),
                self.montgomery,
            )
        };
        assert_eq!(done, 1);
    }
}

impl Drop for Modulus {
    fn drop(&mut self) {
        // SAFETY: it was made in `new`, and nobody else has it.
        unsafe { raw::BN_MONT_CTX_free(self.montgomery) }
    }
}
