//! Diffie-Hellman groups.

use ikev2_scsi::crypto::{CryptoError, DhGroup, Purpose, Random, RandomError, Secret};
use ikev2_scsi::provider::MODP_2048;
use num_bigint::BigUint;
use serde_json::Value;

use crate::{hex, read, records};

fn agree(group: &dyn DhGroup, private: &[u8], peer: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let exchange = group.start(Secret::copy_of(private)).unwrap();
    let public = exchange.public().to_vec();
    (public, exchange.agree(peer).unwrap().expose().to_vec())
}

fn group_14() -> Value {
    let groups = records(&read("modp"), "groups");
    groups.into_iter().find(|group| group["group"] == 14).unwrap()
}

#[test]
fn modp_2048() {
    let group = group_14();
    let (a, b) = (&group["sample"]["A"], &group["sample"]["B"]);
    let shared = hex(&group["sample"]["shared"]);
    assert_eq!(agree(MODP_2048, &hex(&group["sample"]["xa"]), &hex(b)), (hex(a), shared.clone()));
    assert_eq!(agree(MODP_2048, &hex(&group["sample"]["xb"]), &hex(a)), (hex(b), shared));
    let public = &group["public_leading_zero"];
    assert_eq!(hex(&public["A"])[0], 0);
    assert_eq!(agree(MODP_2048, &hex(&public["xa"]), &hex(b)).0, hex(&public["A"]));
    assert_eq!(agree(MODP_2048, &hex(&public["xb"]), &hex(&public["A"])).1, hex(&public["shared"]));
    let zero = &group["shared_leading_zero"];
    assert_eq!(hex(&zero["shared"])[0], 0);
    assert_eq!(agree(MODP_2048, &hex(&zero["xa"]), &hex(&zero["B"])).1, hex(&zero["shared"]));
}

/// Reading R17: 1 < y < p-1, and the length of the modulus.
#[test]
fn modp_public_values() {
    let p = BigUint::from_bytes_be(&hex(&group_14()["p"]));
    let bytes = |value: &BigUint| {
        let bytes = value.to_bytes_be();
        [vec![0; 256 - bytes.len()], bytes].concat()
    };
    let start = || MODP_2048.start(Secret::copy_of(&[3; 32])).unwrap();
    for outside in [BigUint::ZERO, BigUint::from(1_u8), &p - 1_u8, p.clone(), &p + 1_u8] {
        assert_eq!(MODP_2048.check_public(&bytes(&outside)), Err(CryptoError::Refused));
        assert_eq!(start().agree(&bytes(&outside)), Err(CryptoError::Refused));
    }
    assert_eq!(MODP_2048.check_public(&[0xFF; 256]), Err(CryptoError::Refused));
    for inside in [BigUint::from(2_u8), &p - 2_u8] {
        assert_eq!(MODP_2048.check_public(&bytes(&inside)), Ok(()));
        assert!(start().agree(&bytes(&inside)).is_ok());
    }
    for length in [0, 255, 257] {
        assert_eq!(MODP_2048.check_public(&vec![2; length]), Err(CryptoError::Length));
        assert_eq!(start().agree(&vec![2; length]), Err(CryptoError::Length));
    }
}

/// num-bigint computes the same powers by other code, for exponents of every length from one byte to the modulus'.
#[test]
fn modp_agrees_with_num_bigint() {
    let p = BigUint::from_bytes_be(&hex(&group_14()["p"]));
    let mut random = Counter(0x9E37_79B9);
    for case in 0..64 {
        let mut private = vec![0; [1, 2, 7, 31, 32, 33, 48, 256][case % 8]];
        let mut peer = vec![0; 256];
        random.fill(Purpose::DhPrivate, &mut private).unwrap();
        random.fill(Purpose::Nonce, &mut peer).unwrap();
        private[0] |= 1;
        peer[0] &= 0x7F;
        let power = |base: &BigUint| base.modpow(&BigUint::from_bytes_be(&private), &p);
        let (public, shared) = agree(MODP_2048, &private, &peer);
        assert_eq!(BigUint::from_bytes_be(&public), power(&BigUint::from(2_u8)), "case {case}");
        assert_eq!(BigUint::from_bytes_be(&shared), power(&BigUint::from_bytes_be(&peer)), "case {case}");
    }
}

#[test]
fn modp_private_values() {
    let refused = |private: &[u8]| MODP_2048.start(Secret::copy_of(private)).err();
    assert_eq!(refused(&[]), Some(CryptoError::Refused));
    assert_eq!(refused(&[0; 32]), Some(CryptoError::Refused));
    assert_eq!(refused(&[1; 257]), Some(CryptoError::Refused));
    assert_eq!(MODP_2048.private_length(), 32, "256 bits: RFC 3526 section 8, twice the strength");
    assert_eq!(MODP_2048.draw_private(&mut Counter(1)).unwrap().len(), 32);
    assert_eq!(MODP_2048.draw_private(&mut Zeros).err(), Some(RandomError), "zero is never used");
}

/// Numbers that look random (xorshift), the same in every run.
struct Counter(u64);

impl Random for Counter {
    fn fill(&mut self, _: Purpose, out: &mut [u8]) -> Result<(), RandomError> {
        for byte in out {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            *byte = self.0.to_be_bytes()[3];
        }
        Ok(())
    }
}

struct Zeros;

impl Random for Zeros {
    fn fill(&mut self, _: Purpose, out: &mut [u8]) -> Result<(), RandomError> {
        out.fill(0);
        Ok(())
    }
}
