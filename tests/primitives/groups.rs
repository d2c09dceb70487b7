//! Diffie-Hellman groups.

use ikev2_scsi::crypto::{CryptoError, DhGroup, Purpose, Random, RandomError};
use num_bigint::BigUint;
use serde_json::Value;

use crate::provider::{ECP_256, ECP_384, ECP_521, MODP_2048, MODP_3072, MODP_4096, MODP_6144, MODP_8192};
use crate::{hex, read, records};

fn agree(group: &dyn DhGroup, private: &[u8], peer: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (mut public, mut shared) = (vec![0; group.public_length()], vec![0; group.shared_length()]);
    group.exchange(private, peer, &mut public, &mut shared).unwrap();
    assert_eq!(
        (public_of(group, private), shared_with(group, private, peer)),
        (Ok(public.clone()), Ok(shared.clone()))
    );
    (public, shared)
}

fn public_of(group: &dyn DhGroup, private: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let mut public = vec![0; group.public_length()];
    group.public(private, &mut public).map(|()| public)
}

fn shared_with(group: &dyn DhGroup, private: &[u8], peer: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let mut shared = vec![0; group.shared_length()];
    group.agree(private, peer, &mut shared).map(|()| shared)
}

/// A private value as long as the group draws them.
fn drawn(group: &dyn DhGroup, random: &mut dyn Random) -> Result<Vec<u8>, RandomError> {
    let mut private = vec![0; group.private_length()];
    group.draw_private(random, &mut private).map(|()| private)
}

/// The MODP groups, and bits of their private values.
const MODP: [(&dyn DhGroup, usize); 5] =
    [(MODP_2048, 256), (MODP_3072, 320), (MODP_4096, 384), (MODP_6144, 448), (MODP_8192, 512)];

/// What is published of a MODP group.
fn published(group: &dyn DhGroup) -> Value {
    let groups = records(&read("modp"), "groups");
    groups.into_iter().find(|record| record["group"] == group.identifier()).unwrap()
}

/// The prime, and a number as a public value.
fn prime(group: &dyn DhGroup) -> (BigUint, impl Fn(&BigUint) -> Vec<u8>) {
    let length = group.public_length();
    let padded = move |value: &BigUint| {
        let bytes = value.to_bytes_be();
        [vec![0; length - bytes.len()], bytes].concat()
    };
    (BigUint::from_bytes_be(&hex(&published(group)["p"])), padded)
}

#[test]
fn modp_exchanges() {
    for (group, _) in MODP {
        let record = published(group);
        let (a, b) = (&record["sample"]["A"], &record["sample"]["B"]);
        let shared = hex(&record["sample"]["shared"]);
        assert_eq!(agree(group, &hex(&record["sample"]["xa"]), &hex(b)), (hex(a), shared.clone()));
        assert_eq!(agree(group, &hex(&record["sample"]["xb"]), &hex(a)), (hex(b), shared));
        let public = &record["public_leading_zero"];
        assert_eq!(hex(&public["A"])[0], 0);
        assert_eq!(agree(group, &hex(&public["xa"]), &hex(b)).0, hex(&public["A"]));
        assert_eq!(agree(group, &hex(&public["xb"]), &hex(&public["A"])).1, hex(&public["shared"]));
        let zero = &record["shared_leading_zero"];
        assert_eq!(hex(&zero["shared"])[0], 0);
        assert_eq!(agree(group, &hex(&zero["xa"]), &hex(&zero["B"])).1, hex(&zero["shared"]));
    }
}

/// Reading R17: 1 < y < p-1, and the length of the modulus.
#[test]
fn modp_public_values() {
    for (group, _) in MODP {
        let (p, bytes) = prime(group);
        let length = group.public_length();
        let shared = |public: &[u8]| shared_with(group, &[3], public);
        for outside in [BigUint::ZERO, BigUint::from(1_u8), &p - 1_u8, p.clone(), &p + 1_u8] {
            assert_eq!(group.check_public(&bytes(&outside)), Err(CryptoError::Refused));
            assert_eq!(shared(&bytes(&outside)), Err(CryptoError::Refused));
        }
        assert_eq!(group.check_public(&vec![0xFF; length]), Err(CryptoError::Refused));
        for inside in [BigUint::from(2_u8), &p - 2_u8] {
            assert_eq!(group.check_public(&bytes(&inside)), Ok(()));
            assert!(shared(&bytes(&inside)).is_ok());
        }
        for length in [0, length - 1, length + 1] {
            assert_eq!(group.check_public(&vec![2; length]), Err(CryptoError::Length));
            assert_eq!(shared(&vec![2; length]), Err(CryptoError::Length));
        }
    }
}

/// r3 7.7.4.3: zero bits go in front of a value that is shorter than the modulus; the shared secret is as long, too.
#[test]
fn modp_public_values_are_as_long_as_the_modulus() {
    for (group, _) in MODP {
        let length = group.public_length();
        let peer = [vec![0; length - 1], vec![2]].concat();
        let eight = [vec![0; length - 1], vec![8]].concat();
        assert_eq!(agree(group, &[3], &peer), (eight.clone(), eight));
    }
}

/// num-bigint computes the same powers by other code: for the first group many, with exponents of every length from one
/// byte to the modulus', for each other a few.
#[test]
fn modp_agrees_with_num_bigint() {
    let mut random = Counter(0x9E37_79B9);
    let mut check = |group: &dyn DhGroup, length: usize| {
        let (p, _) = prime(group);
        let (mut private, mut peer) = (vec![0; length], vec![0; group.public_length()]);
        random.fill(Purpose::DhPrivate, &mut private).unwrap();
        random.fill(Purpose::Nonce, &mut peer).unwrap();
        private[0] |= 1;
        peer[0] &= 0x7F;
        let power = |base: &BigUint| base.modpow(&BigUint::from_bytes_be(&private), &p);
        let (public, shared) = agree(group, &private, &peer);
        assert_eq!(BigUint::from_bytes_be(&public), power(&BigUint::from(2_u8)), "{length} bytes");
        assert_eq!(BigUint::from_bytes_be(&shared), power(&BigUint::from_bytes_be(&peer)), "{length} bytes");
    };
    for case in 0..64 {
        check(MODP_2048, [1, 2, 7, 31, 32, 33, 48, 256][case % 8]);
    }
    for (group, _) in &MODP[1..] {
        [1, 7, 33, group.private_length()].into_iter().for_each(|length| check(*group, length));
    }
    check(MODP_3072, 384);
}

/// RFC 3526 section 8, NIST SP 800-56A: at least twice the strength.
#[test]
fn modp_private_values() {
    for (group, bits) in MODP {
        let length = group.public_length();
        let two = [vec![0; length - 1], vec![2]].concat();
        let refused = |private: &[u8]| {
            let error = public_of(group, private).err();
            assert_eq!(shared_with(group, private, &two).err(), error);
            error
        };
        assert_eq!(refused(&[]), Some(CryptoError::Refused));
        assert_eq!(refused(&[0; 32]), Some(CryptoError::Refused));
        assert_eq!(refused(&vec![1; length + 1]), Some(CryptoError::Refused));
        assert_eq!(group.private_length() * 8, bits);
        assert!(public_of(group, &drawn(group, &mut Counter(1)).unwrap()).is_ok());
        assert_eq!(drawn(group, &mut Zeros), Err(RandomError), "zero is never used");
    }
}

const ECP: [(&dyn DhGroup, &str); 3] = [(ECP_256, "ecp256"), (ECP_384, "ecp384"), (ECP_521, "ecp521")];

/// Reading R15; both sides of RFC 5903 section 8 and of the recorded exchanges.
#[test]
fn ecp_exchanges() {
    let mut count = 0;
    for (group, file) in ECP {
        for record in records(&read(file), "exchanges") {
            let shared = hex(&record["shared"]);
            let (public_i, public_r) = (hex(&record["public_i"]), hex(&record["public_r"]));
            assert_eq!(agree(group, &hex(&record["private_i"]), &public_r), (public_i.clone(), shared.clone()));
            assert_eq!(agree(group, &hex(&record["private_r"]), &public_i), (public_r, shared));
            count += 1;
        }
    }
    println!("{count} exchanges on curves");
    assert_eq!(count, 5);
}

/// Edge cases of scalars, coordinates and shared secrets.
#[test]
fn ecp_shared_secrets() {
    let counts = ECP.map(|(group, file)| {
        let records = records(&read(file), "agreed");
        for record in &records {
            let public = hex(&record["public"]);
            assert_eq!(group.check_public(&public), Ok(()), "{record}");
            assert_eq!(shared_with(group, &hex(&record["private"]), &public), Ok(hex(&record["shared"])), "{record}");
        }
        records.len()
    });
    println!("{counts:?} shared secrets on P-256, P-384, P-521");
    assert_eq!(counts, [152, 190, 169]);
}

/// Reading R17: points of other curves, of no curve, in other forms.
#[test]
fn ecp_public_values() {
    let counts = ECP.map(|(group, file)| {
        let file = read(file);
        let refused = |public: &[u8]| {
            let error = if public.len() == group.public_length() { CryptoError::Refused } else { CryptoError::Length };
            assert_eq!(group.check_public(public), Err(error));
            assert_eq!(shared_with(group, &[3], public), Err(error));
        };
        let records = records(&file, "refused");
        records.iter().for_each(|record| refused(&hex(&record["public"])));
        let good = hex(&file["exchanges"][0]["public_i"]);
        let coordinate = group.shared_length();
        let (x, y) = good.split_at(coordinate);
        for wrong in [
            vec![],
            [&[4], &good[..]].concat(),
            good[..good.len() - 1].to_vec(),
            x.to_vec(),
            [x, y, &[0]].concat(),
            // The identity, as some write it; coordinates exchanged; the prime or more.
            vec![0; 2 * coordinate],
            [y, x].concat(),
            vec![0xFF; 2 * coordinate],
            [x, &vec![0xFF; coordinate][..]].concat(),
        ] {
            refused(&wrong);
        }
        for bit in 0..good.len() * 8 {
            let mut flipped = good.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(group.check_public(&flipped), Err(CryptoError::Refused), "bit {bit}");
        }
        records.len()
    });
    println!("{counts:?} public values refused on P-256, P-384, P-521");
    assert_eq!(counts, [25, 19, 29]);
}

/// The orders of the curves (FIPS 186-4 appendix D.1.2).
const ORDERS: [&str; 3] = [
    "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
    concat!("ffffffffffffffffffffffffffffffffffffffffffffffff", "c7634d81f4372ddf581a0db248b0a77aecec196accc52973"),
    concat!(
        "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "fa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409"
    ),
];

/// A scalar is above zero and below the order; zeros before it may be left out.
#[test]
fn ecp_private_values() {
    for ((group, file), order) in ECP.into_iter().zip(ORDERS) {
        let order = BigUint::parse_bytes(order.as_bytes(), 16).unwrap();
        let length = group.private_length();
        let bytes = |value: &BigUint| {
            let bytes = value.to_bytes_be();
            [vec![0; length - bytes.len()], bytes].concat()
        };
        let peer = hex(&read(file)["exchanges"][0]["public_r"]);
        let refused = |private: &[u8]| {
            let error = public_of(group, private).err();
            assert_eq!(shared_with(group, private, &peer).err(), error);
            error
        };
        for outside in [vec![], vec![0], vec![0; length], bytes(&order), bytes(&(&order + 1_u8)), vec![0xFF; length]] {
            assert_eq!(refused(&outside), Some(CryptoError::Refused), "{outside:02x?}");
        }
        assert_eq!(refused(&[&[0], &bytes(&BigUint::from(1_u8))[..]].concat()), Some(CryptoError::Refused));
        // The base point, and its negative: the same x.
        let one = public_of(group, &[1]).unwrap();
        let last = public_of(group, &bytes(&(&order - 1_u8))).unwrap();
        assert!(one[..length] == last[..length] && one[length..] != last[length..]);
        assert_eq!(agree(group, &[0, 0, 7], &peer), agree(group, &[7], &peer));
        assert!(public_of(group, &drawn(group, &mut Counter(1)).unwrap()).is_ok());
        assert_eq!(drawn(group, &mut Zeros), Err(RandomError), "zero is never used");
    }
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
