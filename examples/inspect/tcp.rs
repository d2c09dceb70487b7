//! One direction of a TCP connection, put together: repeated, overlapping and out of order segments, and what was lost.

use std::collections::BTreeMap;

/// Bytes kept that came before those in front of them. When more come, those in front are taken for lost.
const WAITING: usize = 4 << 20;

/// What a segment brings.
pub(crate) enum Piece {
    /// The next bytes; each piece begins where a segment begins, or goes on in one.
    Data(Vec<u8>),
    /// So many bytes are missing in the capture.
    Gap(u64),
}

/// The bytes of one direction.
#[derive(Default)]
pub(crate) struct Stream {
    /// The sequence number of position zero, once a segment has told.
    base: Option<u32>,
    /// The position of the next byte.
    next: u64,
    /// Segments further on, by position.
    waiting: BTreeMap<u64, Vec<u8>>,
    waiting_bytes: usize,
}

impl Stream {
    /// Where the direction begins: the sequence number of its SYN.
    pub(crate) fn begin(&mut self, sequence: u32) {
        *self = Self { base: Some(sequence.wrapping_add(1)), ..Self::default() };
    }

    /// Whether a SYN with this sequence number is of another connection than the one that is known.
    pub(crate) fn is_another(&self, sequence: u32) -> bool {
        self.base.is_some_and(|base| base != sequence.wrapping_add(1)) || self.base.is_none()
    }

    /// The position that a sequence number names: the one nearest to the next byte. `None` is before the beginning.
    fn position(&self, sequence: u32) -> Option<u64> {
        let base = self.base?;
        // The low 32 bits of the next position.
        let [_, _, _, _, low @ ..] = self.next.to_be_bytes();
        let expected = base.wrapping_add(u32::from_be_bytes(low));
        let ahead = sequence.wrapping_sub(expected).cast_signed();
        self.next.checked_add_signed(ahead.into())
    }

    /// Takes a segment's bytes, and gives what can be read on.
    pub(crate) fn take(&mut self, sequence: u32, data: &[u8]) -> Vec<Piece> {
        if data.is_empty() {
            return Vec::new();
        }
        if self.base.is_none() {
            // The capture began later than the connection.
            self.base = Some(sequence);
        }
        let Some(at) = self.position(sequence) else { return Vec::new() };
        let known = usize::try_from(self.next.saturating_sub(at)).unwrap_or(usize::MAX);
        let Some(new) = data.get(known..).filter(|new| !new.is_empty()) else { return Vec::new() };
        let at = at.max(self.next);
        let is_longer = self.waiting.get(&at).is_none_or(|waiting| waiting.len() < new.len());
        if is_longer {
            let before = self.waiting.insert(at, new.to_vec()).map_or(0, |before| before.len());
            self.waiting_bytes = self.waiting_bytes.saturating_add(new.len()).saturating_sub(before);
        }
        let mut pieces = self.ready();
        while self.waiting_bytes > WAITING {
            pieces.extend(self.skip());
        }
        pieces
    }

    /// The other side has all bytes before this number: what is missing here will not be sent again.
    pub(crate) fn acknowledged(&mut self, sequence: u32) -> Vec<Piece> {
        let mut pieces = Vec::new();
        while let (Some(until), Some((first, _))) = (self.position(sequence), self.waiting.first_key_value()) {
            if until < *first || *first <= self.next {
                break;
            }
            pieces.extend(self.skip());
        }
        pieces
    }

    /// Nothing comes any more.
    pub(crate) fn finish(&mut self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        while !self.waiting.is_empty() {
            pieces.extend(self.skip());
        }
        pieces
    }

    /// Takes what is missing for lost.
    fn skip(&mut self) -> Vec<Piece> {
        let Some((first, _)) = self.waiting.first_key_value() else { return Vec::new() };
        let lost = first.saturating_sub(self.next);
        self.next = *first;
        let mut pieces = vec![Piece::Gap(lost)];
        pieces.extend(self.ready());
        pieces
    }

    /// What waited and does so no longer.
    fn ready(&mut self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        while let Some(first) = self.waiting.first_entry().filter(|first| *first.key() <= self.next) {
            let (at, mut data) = first.remove_entry();
            self.waiting_bytes = self.waiting_bytes.saturating_sub(data.len());
            let known = usize::try_from(self.next.saturating_sub(at)).unwrap_or(usize::MAX);
            if known >= data.len() {
                continue;
            }
            data.drain(..known);
            self.next = self.next.saturating_add(u64::try_from(data.len()).unwrap_or(u64::MAX));
            pieces.push(Piece::Data(data));
        }
        pieces
    }
}
