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
