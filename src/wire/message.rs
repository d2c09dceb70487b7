//! A whole message: written payload by payload, or read for printing (r3 7.7.3.1).

use super::{Body, Chain, EmitError, Encrypted, Header, Sai, WireError, Writer};
use crate::dialect::{Exchange, PayloadType, Profile};

/// A received message, to be printed: its header and its payloads.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// How the logical unit speaks.
    pub profile: Profile,
    /// The header.
    pub header: Header,
    pub(super) bytes: &'a [u8],
    pub(super) opened: Option<Opened>,
}

/// Where the parts of an Encrypted payload that has been opened in place begin and end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Opened {
    pub(super) at: usize,
    pub(super) first: u8,
    pub(super) text_at: usize,
    pub(super) inner_end: usize,
    pub(super) icv_at: usize,
    /// What is wrong with the padding, which an analyser shows beside the rest.
    pub(super) wrong_padding: Option<WireError>,
}

impl<'a> Message<'a> {
    /// Reads the header; payloads are read as [`Message::payloads`] is walked.
    ///
    /// # Errors
    /// Fewer than 28 bytes.
    pub fn parse(profile: Profile, bytes: &'a [u8]) -> Result<Self, WireError> {
        Ok(Self { profile, header: Header::parse(profile, bytes)?, bytes, opened: None })
    }

    /// The same message, whose Encrypted payload has been opened in place in the bytes given to [`Message::parse`].
    ///
    /// # Errors
    /// The PAD LENGTH byte does not fit.
    pub fn with_opened(mut self, encrypted: &Encrypted) -> Result<Self, WireError> {
        self.opened = Some(Opened {
            at: encrypted.at,
            first: encrypted.first,
            text_at: encrypted.text.start,
            inner_end: encrypted.inner_end(self.bytes)?,
            icv_at: encrypted.text.end,
            wrong_padding: encrypted.check_padding(self.profile, self.bytes).err(),
        });
        Ok(self)
    }

    /// The payloads behind the header.
    #[must_use]
    pub const fn payloads(&self) -> Chain<'a> {
        Chain::outer(self.profile, self.bytes, &self.header)
    }

    /// The payloads inside the opened Encrypted payload; `None` if it has not been opened.
    #[must_use]
    pub fn inner_payloads(&self) -> Option<Chain<'a>> {
        let Opened { at, first, text_at, inner_end, .. } = self.opened?;
        Some(Chain::inner(self.profile, self.bytes.get(..inner_end)?, text_at, first, at))
    }
}

/// Writes a message payload by payload.
///
/// NEXT PAYLOAD, PAYLOAD LENGTH and LENGTH fields are patched when their values are known; until
/// [`MessageWriter::finish`] the buffer holds no valid message.
#[derive(Debug)]
pub struct MessageWriter<'a> {
    profile: Profile,
    writer: Writer<'a>,
    next_at: usize,
    encrypted: Option<Begun>,
}

/// An Encrypted payload that has been begun.
#[derive(Debug)]
struct Begun {
    at: usize,
    text_at: usize,
    /// Code of the first payload inside.
    first: u8,
}

impl<'a> MessageWriter<'a> {
    /// Writes the header of a message into `buffer`.
    ///
    /// # Errors
    /// [`EmitError::BufferTooSmall`].
    pub fn new(
        profile: Profile,
        exchange: Exchange,
        (ac_sai, ds_sai): (Sai, Sai),
        message_id: u32,
        buffer: &'a mut [u8],
    ) -> Result<Self, EmitError> {
        let mut writer = Writer::new(buffer);
        let header = Header {
            ac_sai,
            ds_sai,
            next_payload: 0,
            major_version: Header::MAJOR_VERSION,
            minor_version: 0,
            exchange_type: profile.rules().exchange_type(exchange),
            initiator: exchange.is_out(),
            version: false,
            response: !exchange.is_out(),
            message_id,
            length: 0,
        };
        header.emit(profile, &mut writer)?;
        Ok(Self { profile, writer, next_at: Header::NEXT_PAYLOAD_AT, encrypted: None })
    }

    /// Writes one payload, CRIT set to one except in a Vendor ID payload (r3 7.7.3.1.1).
    ///
    /// # Errors
    /// [`EmitError`].
    pub fn payload<'b>(&mut self, payload: PayloadType, body: &impl Body<'b>) -> Result<(), EmitError> {
        let at = self.begin(payload)?;
        body.emit(&mut self.writer)?;
        self.end(at)
    }

    /// Writes one payload whose data is known as bytes: an echo.
    ///
    /// # Errors
    /// [`EmitError`].
    pub fn echo(&mut self, payload: PayloadType, data: &[u8]) -> Result<(), EmitError> {
        let at = self.begin(payload)?;
        self.writer.bytes(data)?;
        self.end(at)
    }

    /// Writes one payload whose data end with `length` bytes that are known later: zeros stand for them.
    ///
    /// # Errors
    /// [`EmitError`].
    pub fn room<'b>(&mut self, payload: PayloadType, body: &impl Body<'b>, length: usize) -> Result<(), EmitError> {
        let at = self.begin(payload)?;
        body.emit(&mut self.writer)?;
        self.writer.zeros(length)?;
        self.end(at)
    }

    /// The same for a payload whose data are four bytes, others and those: one function for all of them.
    #[inline(never)]
    pub(crate) fn framed(
        &mut self,
        payload: PayloadType,
        head: [u8; 4],
        data: &[u8],
        length: usize,
    ) -> Result<(), EmitError> {
        let at = self.begin(payload)?;
        self.writer.bytes(&head)?;
        self.writer.bytes(data)?;
        self.writer.zeros(length)?;
        self.end(at)
    }

    /// Overwrites bytes that were written before.
    pub(crate) fn patch(&mut self, at: usize, bytes: &[u8]) -> Result<(), EmitError> {
        self.writer.patch(at, bytes)
    }

    /// Bytes written so far.
    #[must_use]
    pub const fn at(&self) -> usize {
        self.writer.at()
    }

    /// Begins the Encrypted payload; the payloads that follow are inside it.
    ///
    /// # Errors
    /// [`EmitError::BufferTooSmall`].
    pub fn begin_encrypted(&mut self, iv: &[u8]) -> Result<(), EmitError> {
        let at = self.begin(PayloadType::Encrypted)?;
        self.writer.bytes(iv)?;
        self.encrypted = Some(Begun { at, text_at: self.writer.at(), first: 0 });
        Ok(())
    }

    /// Ends the Encrypted payload: padding (reading R13), PAD LENGTH, and room for the ICV.
    ///
    /// The text is not encrypted yet: room `keys` does that in place.
    ///
    /// # Errors
    /// [`EmitError`]; [`EmitError::TooLong`] also when no Encrypted payload was begun.
    pub fn end_encrypted(&mut self, alignment: usize, icv_length: usize) -> Result<Encrypted, EmitError> {
        let Begun { at, text_at, first } = self.encrypted.take().ok_or(EmitError::TooLong)?;
        let pad_length = super::pad_length_for(self.writer.at().wrapping_sub(text_at), alignment);
        for byte in 1..=pad_length {
            self.writer.u8(byte)?;
        }
        self.writer.u8(pad_length)?;
        let icv_at = self.writer.at();
        self.writer.zeros(icv_length)?;
        self.end(at)?;
        let iv_at = at.wrapping_add(super::RawPayload::HEADER_LEN);
        Ok(Encrypted { at, first, iv: iv_at..text_at, text: text_at..icv_at, icv: icv_at..self.writer.at() })
    }

    /// Writes LENGTH; the bytes returned are the message.
    ///
    /// # Errors
    /// [`EmitError::TooLong`].
    pub fn finish(mut self) -> Result<&'a mut [u8], EmitError> {
        self.writer.patch_length_u32(Header::LENGTH_AT, self.writer.at())?;
        Ok(self.writer.into_written())
    }

    fn begin(&mut self, payload: PayloadType) -> Result<usize, EmitError> {
        let at = self.writer.at();
        let code = self.profile.rules().payload_code(payload);
        self.writer.patch_u8(self.next_at, code)?;
        if let Some(begun) = self.encrypted.as_mut().filter(|begun| begun.at == self.next_at) {
            begun.first = code;
        }
        let critical = if payload == PayloadType::VendorId { 0 } else { 0x80 };
        self.writer.bytes(&[0, critical, 0, 0])?;
        self.next_at = at;
        Ok(at)
    }

    fn end(&mut self, at: usize) -> Result<(), EmitError> {
        self.writer.patch_length_u16(at.wrapping_add(2), self.writer.at().wrapping_sub(at))
    }
}
