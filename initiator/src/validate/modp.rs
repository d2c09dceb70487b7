//! The modulus of the 2048-bit MODP group, for public values at its edge (RFC 3526 3).

/// p, hexadecimal.
const PRIME: &str = "\
    FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD \
    EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED \
    EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F \
    83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B \
    E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510 \
    15728E5A8AACAA68FFFFFFFFFFFFFFFF";

/// p - 1, most significant byte first.
pub(super) fn largest() -> Vec<u8> {
    let digits: Vec<u8> =
        PRIME.chars().filter_map(|digit| digit.to_digit(16)).filter_map(|d| u8::try_from(d).ok()).collect();
    let (pairs, _) = digits.as_chunks::<2>();
    let mut bytes: Vec<u8> = pairs.iter().map(|[high, low]| high.unbounded_shl(4) | low).collect();
    // p is odd.
    bytes.last_mut().into_iter().for_each(|last| *last &= 0xFE);
    bytes
}
