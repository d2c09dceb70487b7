//! The published values: lines of `vectors/conformance/`, one for each.
//!
//! A line is ALGORITHM IDENTIFIER in hexadecimal, what is to be done with the value, its name, and its members in
//! hexadecimal; `-` is a member of no bytes. Lines that begin with `#` are comments.

use alloc::vec::Vec;

use super::Fault;

pub(super) const CIPHERS: &str = include_str!("../../../vectors/conformance/ciphers.txt");
pub(super) const PRFS: &str = include_str!("../../../vectors/conformance/prfs.txt");
pub(super) const INTEGRITY: &str = include_str!("../../../vectors/conformance/integrity.txt");
pub(super) const GROUPS: &str = include_str!("../../../vectors/conformance/groups.txt");
pub(super) const SIGNATURES: &str = include_str!("../../../vectors/conformance/signatures.txt");

/// One published value.
pub(super) struct Vector {
    pub(super) action: &'static str,
    pub(super) name: &'static str,
    members: Vec<Vec<u8>>,
}

impl Vector {
    /// Bytes of the first member.
    pub(super) fn first_length(&self) -> usize {
        self.members.first().map_or(0, Vec::len)
    }

    /// The members of a value that has so many.
    pub(super) fn members<const N: usize>(&self) -> Result<&[Vec<u8>; N], Fault> {
        self.members.as_slice().try_into().map_err(|_| Fault::Unreadable)
    }
}

/// The values of one algorithm.
pub(super) fn of(file: &'static str, identifier: u32) -> impl Iterator<Item = Vector> {
    file.lines().filter_map(move |line| {
        let mut words = line.split_whitespace();
        if u32::from_str_radix(words.next()?, 16) != Ok(identifier) {
            return None;
        }
        // What cannot be read is left out, and the value then lacks a member.
        Some(Vector { action: words.next()?, name: words.next()?, members: words.filter_map(hex).collect() })
    })
}

fn hex(word: &str) -> Option<Vec<u8>> {
    if word == "-" {
        return Some(Vec::new());
    }
    let (pairs, rest) = word.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| u8::from_str_radix(core::str::from_utf8(pair).ok()?, 16).ok();
    if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
}
