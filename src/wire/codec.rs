//! A reader that knows its offset, and a writer whose length fields are patched, never predicted.

use thiserror::Error;

use super::{Field, WireError, WireErrorKind};
use crate::dialect::Profile;
use crate::memory::OutOfMemory;

/// Big-endian reading from a slice whose place in the whole message is known.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    pub(super) rest: &'a [u8],
    at: usize,
    length_at: usize,
    length_field: Field,
}

impl<'a> Reader<'a> {
    /// Reads `bytes`, the first of which stands at offset `at` of the message; `length_field` at `length_at` is the
    /// field that gives their number, and the one blamed when something does not fit.
    #[must_use]
    pub const fn new(bytes: &'a [u8], at: usize, length_at: usize, length_field: Field) -> Self {
        Self { rest: bytes, at, length_at, length_field }
    }

    /// Offset of the next byte in the message.
    #[must_use]
    pub const fn at(&self) -> usize {
        self.at
    }

    /// Number of bytes left.
    #[must_use]
    pub const fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// The error that blames the length field.
    #[must_use]
    #[cold]
    #[inline(never)]
    pub const fn length_error(&self) -> WireError {
        WireError::new(self.length_at, self.length_field, WireErrorKind::Length)
    }

    /// The next `count` bytes.
    ///
    /// # Errors
    /// [`Reader::length_error`] when fewer are left; nothing is consumed then.
    #[inline]
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], WireError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or_else(|| self.length_error())?;
        self.rest = rest;
        self.at = self.at.wrapping_add(count);
        Ok(taken)
    }

    /// The next `N` bytes.
    ///
    /// # Errors
    /// As [`Reader::take`].
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or_else(|| self.length_error())?;
        self.rest = rest;
        self.at = self.at.wrapping_add(N);
        Ok(*taken)
    }

    /// The next byte.
    ///
    /// # Errors
    /// As [`Reader::take`].
    #[inline]
    pub fn u8(&mut self) -> Result<u8, WireError> {
        self.array::<1>().map(u8::from_be_bytes)
    }

    /// The next two bytes.
    ///
    /// # Errors
    /// As [`Reader::take`].
    #[inline]
    pub fn u16(&mut self) -> Result<u16, WireError> {
        self.array().map(u16::from_be_bytes)
    }

    /// The next four bytes.
    ///
    /// # Errors
    /// As [`Reader::take`].
    #[inline]
    pub fn u32(&mut self) -> Result<u32, WireError> {
        self.array().map(u32::from_be_bytes)
    }

    /// The next eight bytes.
    ///
    /// # Errors
    /// As [`Reader::take`].
    #[inline]
    pub fn u64(&mut self) -> Result<u64, WireError> {
        self.array().map(u64::from_be_bytes)
    }

    /// All bytes that are left.
    #[must_use]
    pub const fn rest(self) -> &'a [u8] {
        self.rest
    }

    /// Ends the reading of a format of fixed length.
    ///
    /// # Errors
    /// [`Reader::length_error`] when bytes are left.
    #[inline]
    pub const fn end(&self) -> Result<(), WireError> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.length_error()) }
    }
}

/// Why a message cannot be written: the caller's mistake, never the peer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EmitError {
    /// The buffer is shorter than the message.
    #[error("the buffer is too small for the message")]
    BufferTooSmall,
    /// A part is longer than its length field can tell.
    #[error("a part is longer than its length field can tell")]
    TooLong,
    /// There is no memory for the message.
    #[error("there is no memory for the message")]
    Memory,
}

impl From<OutOfMemory> for EmitError {
    fn from(OutOfMemory: OutOfMemory) -> Self {
        Self::Memory
    }
}

/// Big-endian writing into a slice.
#[derive(Debug)]
pub struct Writer<'a> {
    buffer: &'a mut [u8],
    at: usize,
}

impl<'a> Writer<'a> {
    /// Writes from the first byte of `buffer` on.
    #[must_use]
    pub const fn new(buffer: &'a mut [u8]) -> Self {
        Self { buffer, at: 0 }
    }

    /// Number of bytes written, which is the offset of the next one.
    #[must_use]
    pub const fn at(&self) -> usize {
        self.at
    }

    /// Writes `bytes`.
    ///
    /// # Errors
    /// [`EmitError::BufferTooSmall`]; nothing is written then.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), EmitError> {
        let end = self.at.checked_add(bytes.len()).ok_or(EmitError::BufferTooSmall)?;
        put(self.buffer.get_mut(self.at..end), bytes)?;
        self.at = end;
        Ok(())
    }

    /// Writes `count` zero bytes (reserved fields, or room for a field to be patched).
    ///
    /// # Errors
    /// As [`Writer::bytes`].
    pub fn zeros(&mut self, count: usize) -> Result<(), EmitError> {
        let end = self.at.checked_add(count).ok_or(EmitError::BufferTooSmall)?;
        self.buffer.get_mut(self.at..end).ok_or(EmitError::BufferTooSmall)?.fill(0);
        self.at = end;
        Ok(())
    }

    /// Writes one byte.
    ///
    /// # Errors
    /// As [`Writer::bytes`].
    pub fn u8(&mut self, value: u8) -> Result<(), EmitError> {
        self.bytes(&[value])
    }

    /// Writes two bytes.
    ///
    /// # Errors
    /// As [`Writer::bytes`].
    pub fn u16(&mut self, value: u16) -> Result<(), EmitError> {
        self.bytes(&value.to_be_bytes())
    }

    /// Writes four bytes.
    ///
    /// # Errors
    /// As [`Writer::bytes`].
    pub fn u32(&mut self, value: u32) -> Result<(), EmitError> {
        self.bytes(&value.to_be_bytes())
    }

    /// Writes eight bytes.
    ///
    /// # Errors
    /// As [`Writer::bytes`].
    pub fn u64(&mut self, value: u64) -> Result<(), EmitError> {
        self.bytes(&value.to_be_bytes())
    }

    /// Overwrites one byte that was written before.
    ///
    /// # Errors
    /// [`EmitError::BufferTooSmall`] when `at` was not written yet.
    pub fn patch_u8(&mut self, at: usize, value: u8) -> Result<(), EmitError> {
        self.patch(at, &[value])
    }

    /// Overwrites the two bytes at `at` with a length.
    ///
    /// # Errors
    /// [`EmitError::TooLong`] for a length above 65 535; [`EmitError::BufferTooSmall`] when the place was not written yet.
    pub fn patch_length_u16(&mut self, at: usize, length: usize) -> Result<(), EmitError> {
        let length = u16::try_from(length).map_err(|_| EmitError::TooLong)?;
        self.patch(at, &length.to_be_bytes())
    }

    /// Overwrites the four bytes at `at` with a length.
    ///
    /// # Errors
    /// [`EmitError::TooLong`] for a length of 4 GiB or more; [`EmitError::BufferTooSmall`] when the place was not
    /// written yet.
    pub fn patch_length_u32(&mut self, at: usize, length: usize) -> Result<(), EmitError> {
        let length = u32::try_from(length).map_err(|_| EmitError::TooLong)?;
        self.patch(at, &length.to_be_bytes())
    }

    pub(super) fn patch(&mut self, at: usize, bytes: &[u8]) -> Result<(), EmitError> {
        let end = at.checked_add(bytes.len()).filter(|end| *end <= self.at).ok_or(EmitError::BufferTooSmall)?;
        put(self.buffer.get_mut(at..end), bytes)
    }

    /// The bytes written so far.
    #[must_use]
    pub fn into_written(self) -> &'a mut [u8] {
        self.buffer.split_at_mut_checked(self.at).map_or(&mut [], |(written, _)| written)
    }
}

/// Copies byte by byte, which compilers make one copy of: `copy_from_slice` brings a panic for other lengths along.
fn put(to: Option<&mut [u8]>, bytes: &[u8]) -> Result<(), EmitError> {
    match to {
        Some(to) if to.len() == bytes.len() => {
            to.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
            Ok(())
        }
        _ => Err(EmitError::BufferTooSmall),
    }
}

/// The data of a payload, behind its four-byte payload header.
#[expect(clippy::len_without_is_empty, reason = "no payload is empty in a sense that anybody asks for")]
pub trait Body<'a>: Sized {
    /// Reads the data; `reader` holds exactly the payload's bytes after its header.
    ///
    /// # Errors
    /// [`WireError`] with the first wrong byte.
    fn parse(profile: Profile, reader: Reader<'a>) -> Result<Self, WireError>;

    /// Number of bytes that [`Body::emit`] writes.
    fn len(&self) -> usize;

    /// Writes the data.
    ///
    /// # Errors
    /// [`EmitError`].
    fn emit(&self, writer: &mut Writer<'_>) -> Result<(), EmitError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_tells_offsets_and_blames_the_length_field() {
        let mut reader = Reader::new(&[1, 2, 3, 4, 5, 6, 7], 32, 30, Field::PayloadLength);
        assert_eq!(reader.u8(), Ok(1));
        assert_eq!((reader.at(), reader.remaining()), (33, 6));
        assert_eq!(reader.u32(), Ok(0x0203_0405));
        let error = WireError::new(30, Field::PayloadLength, WireErrorKind::Length);
        assert_eq!(reader.u32(), Err(error));
        assert_eq!(reader.end(), Err(error));
        assert_eq!(reader.take(3), Err(error));
        assert_eq!(reader.u16(), Ok(0x0607));
        assert_eq!(reader.end(), Ok(()));
    }

    #[test]
    fn writing_stops_at_the_end_of_the_buffer() {
        let mut buffer = [0xA5; 9];
        let mut writer = Writer::new(&mut buffer);
        writer.u16(0x0102).unwrap();
        writer.zeros(2).unwrap();
        assert_eq!(writer.patch_length_u16(3, 7), Err(EmitError::BufferTooSmall));
        writer.patch_length_u16(2, 7).unwrap();
        assert_eq!(writer.patch_length_u16(2, 65536), Err(EmitError::TooLong));
        assert_eq!(writer.u64(1), Err(EmitError::BufferTooSmall));
        writer.u32(0x0304_0506).unwrap();
        assert_eq!(writer.into_written(), [1, 2, 0, 7, 3, 4, 5, 6]);
        assert_eq!(buffer[8], 0xA5);
    }
}
