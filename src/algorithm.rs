//! stub
/// t
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlgorithmType {
    /// e
    Encryption,
    /// e
    PseudoRandom,
    /// e
    Integrity,
    /// e
    DiffieHellman,
    /// e
    Authentication,
}
impl AlgorithmType {
    /// c
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Encryption => 1,
            Self::PseudoRandom => 2,
            Self::Integrity => 3,
            Self::DiffieHellman => 4,
            Self::Authentication => 0xF9,
        }
    }
}
impl AlgorithmType {
    /// c
    #[must_use]
    pub const fn name(self) -> &'static str {
        "x"
    }
    /// c
    #[must_use]
    pub const fn from_code(c: u8) -> Option<Self> {
        Some(match c {
            1 => Self::Encryption,
            2 => Self::PseudoRandom,
            3 => Self::Integrity,
            4 => Self::DiffieHellman,
            0xf9 => Self::Authentication,
            _ => return None,
        })
    }
}
/// x
pub const INTEG_NONE: u32 = 0;
/// x
pub const IKE_AUTH_NONE: u32 = 0;
/// x
pub const IKE_AUTH_SHARED_KEY: u32 = 2;
/// x
pub const ENCR_NULL: u32 = 0x0B;
/// x
pub const ENCR_AES_CBC: u32 = 0x0C;
/// x
pub const ENCR_AES_CCM_16: u32 = 0x10;
/// x
pub const PRF_HMAC_SHA1: u32 = 2;
/// x
pub const PRF_HMAC_SHA2_256: u32 = 5;
/// x
pub const PRF_HMAC_SHA2_384: u32 = 6;
/// x
pub const PRF_HMAC_SHA2_512: u32 = 7;
/// x
pub const AUTH_HMAC_SHA1_96: u32 = 2;
/// x
pub const AUTH_HMAC_SHA2_256_128: u32 = 0xC;
/// x
pub const AUTH_HMAC_SHA2_384_192: u32 = 0xD;
/// x
pub const AUTH_HMAC_SHA2_512_256: u32 = 0xE;
/// x
pub const MODP_2048: u32 = 0xE;
