//! Wrong messages made of right ones.

use alloc::vec;
use alloc::vec::Vec;

use super::transcript::Command;
use crate::dialect::Profile;
use crate::keys::{Protection, open, seal};
use crate::wire::Encrypted;

const HEADER: usize = 28;

/// Payloads with their code, as long as they tile.
type Payloads = Vec<(u8, Vec<u8>)>;

fn length_of(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap()
}

/// The command with another list, TRANSFER LENGTH as long as it.
pub(super) fn with_list(command: &Command, list: Vec<u8>) -> Command {
    let mut cdb = command.cdb;
    cdb[6..10].copy_from_slice(&length_of(&list).to_be_bytes());
    Command { cdb, list }
}

/// The command with another list, TRANSFER LENGTH and the header's LENGTH as long as it.
fn fitted(command: &Command, mut list: Vec<u8>) -> Command {
    let length = length_of(&list).to_be_bytes();
    if let Some(field) = list.get_mut(24..HEADER) {
        field.copy_from_slice(&length);
    }
    with_list(command, list)
}

/// The list cut off at every length, in three ways by turns: as it is, with TRANSFER LENGTH, and with LENGTH too.
pub(super) fn truncations(command: &Command) -> impl Iterator<Item = Command> + '_ {
    (0..command.list.len()).map(|length| {
        let cut = command.list[..length].to_vec();
        match length % 3 {
            0 => fitted(command, cut),
            1 => with_list(command, cut),
            _ => Command { cdb: command.cdb, list: cut },
        }
    })
}

fn flip(list: &[u8], bit: usize) -> Vec<u8> {
    let mut flipped = list.to_vec();
    flipped[bit / 8] ^= 1 << (bit % 8);
    flipped
}

/// One bit of the list flipped, for every `stride`-th bit.
pub(super) fn flips(command: &Command, stride: usize) -> impl Iterator<Item = Command> + '_ {
    let bits = (0..command.list.len() * 8).step_by(stride);
    bits.map(|bit| Command { cdb: command.cdb, list: flip(&command.list, bit) })
}

/// One bit of the CDB flipped, for every bit that is not reserved (reading R7), nor the allocation length's; the list stays.
pub(super) fn cdb_flips(command: &Command) -> impl Iterator<Item = Command> + '_ {
    let transfer_length = if command.list.is_empty() { 48..48 } else { 48..80 };
    (0..32).chain([39]).chain(transfer_length).map(|bit| {
        let mut flipped = command.clone();
        flipped.cdb[bit / 8] ^= 1 << (bit % 8);
        flipped
    })
}

fn divide(mut code: u8, mut bytes: &[u8]) -> Payloads {
    let mut payloads = Vec::new();
    while let [next, _, high, low, ..] = *bytes {
        let (payload, rest) = bytes.split_at(usize::from(u16::from_be_bytes([high, low])));
        payloads.push((code, payload.to_vec()));
        (code, bytes) = (next, rest);
    }
    payloads
}

/// The code of the first payload, and all of them linked.
fn link(payloads: &Payloads) -> (u8, Vec<u8>) {
    let mut bytes = Vec::new();
    for (index, (_, payload)) in payloads.iter().enumerate() {
        let at = bytes.len();
        bytes.extend_from_slice(payload);
        bytes[at] = payloads.get(index + 1).map_or(0, |(code, _)| *code);
    }
    (payloads.first().map_or(0, |(code, _)| *code), bytes)
}

/// Each two payloads swapped, each dropped, each doubled, at each place one that is unknown and critical, and one that is not.
fn rearranged(payloads: &Payloads) -> Vec<Payloads> {
    let mut all = Vec::new();
    for first in 0..payloads.len() {
        let mut dropped = payloads.clone();
        dropped.remove(first);
        all.push(dropped);
        let mut doubled = payloads.clone();
        doubled.insert(first, payloads[first].clone());
        all.push(doubled);
        for second in first + 1..payloads.len() {
            let mut swapped = payloads.clone();
            swapped.swap(first, second);
            all.push(swapped);
        }
    }
    for place in 0..=payloads.len() {
        for flags in [0x80, 0x00] {
            let mut longer = payloads.clone();
            longer.insert(place, (0xC8, vec![0, flags, 0, 5, 1]));
            all.push(longer);
        }
    }
    all
}

/// The outer payloads rearranged.
pub(super) fn rearrangements(command: &Command) -> Vec<Command> {
    let payloads = divide(command.list[16], &command.list[HEADER..]);
    let message = |payloads: &Payloads| {
        let (first, bytes) = link(payloads);
        let mut list = [&command.list[..HEADER], &bytes].concat();
        list[16] = first;
        fitted(command, list)
    };
    rearranged(&payloads).iter().map(message).collect()
}

/// A sealed message whose keys are known.
pub(super) struct Sealed<'a> {
    command: &'a Command,
    protection: &'a Protection<'a>,
    alignment: usize,
    iv: Vec<u8>,
    first: u8,
    inner: Vec<u8>,
}

impl<'a> Sealed<'a> {
    pub(super) fn open(profile: Profile, command: &'a Command, protection: &'a Protection<'a>) -> Self {
        let mut list = command.list.clone();
        let (first, iv_end) = (list[HEADER], HEADER + 4 + protection.cipher.iv_length());
        let text_end = list.len() - protection.icv_length();
        let encrypted =
            Encrypted { at: HEADER, first, iv: HEADER + 4..iv_end, text: iv_end..text_end, icv: text_end..list.len() };
        let inner_end = open(profile, protection, &mut list, &encrypted).unwrap();
        let (iv, inner) = (list[encrypted.iv].to_vec(), list[iv_end..inner_end].to_vec());
        Self { command, protection, alignment: protection.cipher.alignment(), iv, first, inner }
    }

    /// The message with other plaintext, sealed again.
    fn seal(&self, first: u8, inner: &[u8]) -> Command {
        let mut text = inner.to_vec();
        let padding = (text.len() + 1).next_multiple_of(self.alignment) - text.len() - 1;
        text.extend((1..=padding).map(|number| u8::try_from(number).unwrap()));
        text.push(u8::try_from(padding).unwrap());
        let icv = self.protection.icv_length();
        let payload = 4 + self.iv.len() + text.len() + icv;
        let [high, low] = u16::try_from(payload).unwrap().to_be_bytes();
        let head = [first, 0x80, high, low];
        let list = [&self.command.list[..HEADER], &head, &self.iv, &text, &vec![0; icv]].concat();
        let mut sealed = fitted(self.command, list);
        let start = HEADER + 4 + self.iv.len();
        let encrypted = Encrypted {
            at: HEADER,
            first,
            iv: HEADER + 4..start,
            text: start..start + text.len(),
            icv: start + text.len()..HEADER + payload,
        };
        seal(self.protection, &mut sealed.list, &encrypted).unwrap();
        sealed
    }

    /// The plaintext cut off at every length, with every `stride`-th bit flipped, and its payloads rearranged.
    pub(super) fn mutants(&self, stride: usize) -> Vec<Command> {
        let cut = (0..self.inner.len()).map(|length| self.seal(self.first, &self.inner[..length]));
        let flipped =
            (0..self.inner.len() * 8).step_by(stride).map(|bit| self.seal(self.first, &flip(&self.inner, bit)));
        let payloads = rearranged(&divide(self.first, &self.inner));
        let rearranged = payloads.iter().map(|payloads| {
            let (first, bytes) = link(payloads);
            self.seal(first, &bytes)
        });
        cut.chain(flipped).chain(rearranged).collect()
    }
}
