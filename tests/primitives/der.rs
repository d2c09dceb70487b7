//! DER as the tests need it, wrong DER included.

use num_bigint::BigUint;

pub(crate) const RSA_ENCRYPTION: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01];
pub(crate) const RSASSA_PSS: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0A];
pub(crate) const EC_PUBLIC_KEY: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01];
pub(crate) const SECP256R1: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07];
pub(crate) const SECP384R1: &[u8] = &[0x2B, 0x81, 0x04, 0x00, 0x22];
pub(crate) const SECP521R1: &[u8] = &[0x2B, 0x81, 0x04, 0x00, 0x23];
pub(crate) const SECP256K1: &[u8] = &[0x2B, 0x81, 0x04, 0x00, 0x0A];

pub(crate) fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = content.len().to_be_bytes();
    let used: Vec<u8> = length.iter().copied().skip_while(|byte| *byte == 0).collect();
    let head = match content.len() {
        0..0x80 => vec![tag, u8::try_from(content.len()).unwrap()],
        _ => [vec![tag, 0x80 | u8::try_from(used.len()).unwrap()], used].concat(),
    };
    [head, content].concat()
}

pub(crate) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(0x30, parts)
}

/// An INTEGER of these bytes as they are.
pub(crate) fn raw_integer(bytes: &[u8]) -> Vec<u8> {
    element(0x02, &[bytes])
}

pub(crate) fn integer(number: &BigUint) -> Vec<u8> {
    let bytes = number.to_bytes_be();
    if bytes[0] < 0x80 { raw_integer(&bytes) } else { raw_integer(&[&[0], bytes.as_slice()].concat()) }
}

pub(crate) fn oid(bytes: &[u8]) -> Vec<u8> {
    element(0x06, &[bytes])
}

pub(crate) fn null() -> Vec<u8> {
    element(0x05, &[])
}

/// PrivateKeyInfo (RFC 5208).
pub(crate) fn pkcs8(algorithm: &[u8], parameters: &[u8], key: &[u8]) -> Vec<u8> {
    let zero = raw_integer(&[0]);
    sequence(&[&zero, &sequence(&[&oid(algorithm), parameters]), &element(0x04, &[key])])
}

/// PrivateKeyInfo with an ECPrivateKey (RFC 5915), perhaps with a public key.
pub(crate) fn ec_pkcs8(curve: &[u8], private: &[u8], public: Option<&[u8]>) -> Vec<u8> {
    let point = public.map(|point| element(0xA1, &[&element(0x03, &[&[0], point])])).unwrap_or_default();
    let key = sequence(&[&raw_integer(&[1]), &element(0x04, &[private]), &point]);
    pkcs8(EC_PUBLIC_KEY, &oid(curve), &key)
}

/// RSAPublicKey (RFC 8017 A.1.1).
pub(crate) fn rsa_public(modulus: &BigUint, exponent: &BigUint) -> Vec<u8> {
    sequence(&[&integer(modulus), &integer(exponent)])
}

/// RSAPrivateKey (RFC 8017 A.1.2).
pub(crate) fn rsa_private(n: &BigUint, e: &BigUint, d: &BigUint, p: &BigUint, q: &BigUint) -> Vec<u8> {
    let one = BigUint::from(1_u8);
    let inverse = q.modpow(&(p - 2_u8), p);
    let numbers = [n, e, d, p, q, &(d % (p - &one)), &(d % (q - &one)), &inverse];
    let numbers: Vec<u8> = numbers.into_iter().flat_map(integer).collect();
    sequence(&[&raw_integer(&[0]), &numbers])
}

pub(crate) fn rsa_pkcs8(key: &[u8]) -> Vec<u8> {
    pkcs8(RSA_ENCRYPTION, &null(), key)
}
