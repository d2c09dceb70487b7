//! Operations with their secrets marked as undefined.
//!
//! What is marked as public again, and why, stands where it happens. Memcheck sees branches and addresses. It does not see
//! instructions whose own time depends on their operands, and it computes as a processor without the newest instructions
//! would.

mod ciphers;
mod compare;
mod der;
mod exchange;
mod groups;
mod keys;
mod padding;
mod signatures;
mod watched;

use crate::valgrind;
use crate::watch::Watch;

/// A group of operations.
type Group = (&'static str, fn(&mut Watch));

const GROUPS: [Group; 7] = [
    ("compare", compare::run),
    ("ciphers", ciphers::run),
    ("padding", padding::run),
    ("keys", keys::run),
    ("signatures", signatures::run),
    ("groups", groups::run),
    ("exchange", exchange::run),
];

/// Runs the groups with these names, or all; tells whether all was as it should be.
pub fn run(names: &[&str]) -> bool {
    if !valgrind::is_running() {
        eprintln!("not under valgrind: nothing would be found");
        return false;
    }
    println!("the processor, as memcheck has it: {}", features().join(" "));
    let mut watch = Watch::default();
    let groups = || GROUPS.iter().filter(|(name, _)| names.is_empty() || names.contains(name));
    if groups().count() != if names.is_empty() { GROUPS.len() } else { names.len() } {
        eprintln!("an unknown group: there are {:?}", GROUPS.map(|(name, _)| name));
        return false;
    }
    for (_, group) in groups() {
        group(&mut watch);
    }
    watch.report()
}

/// What the cryptographic crates choose their implementations by, of what this processor has.
#[cfg(target_arch = "x86_64")]
fn features() -> Vec<&'static str> {
    macro_rules! present {
        ($($feature:tt)*) => {
            [$(($feature, std::arch::is_x86_feature_detected!($feature))),*]
        };
    }
    let all = present!("aes" "pclmulqdq" "avx" "avx2" "sha" "vaes" "vpclmulqdq" "avx512f");
    all.into_iter().filter(|(_, present)| *present).map(|(name, _)| name).collect()
}

#[cfg(not(target_arch = "x86_64"))]
fn features() -> Vec<&'static str> {
    Vec::new()
}

/// Bytes that differ from one another, by the number of the drawing.
pub fn bytes(number: u64, length: usize) -> Vec<u8> {
    let mut state = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_be_bytes()[3]
    };
    (0..length).map(|_| next()).collect()
}

/// Such bytes, secret.
pub fn secret_bytes(number: u64, length: usize) -> Vec<u8> {
    let mut bytes = bytes(number, length);
    valgrind::secret(bytes.as_mut_slice());
    bytes
}
