//! Messages that hold an Encrypted payload: written and sealed, checked and opened (r3 7.7.4.10; readings R10-R13).

use alloc::vec;
use alloc::vec::Vec;

use bytes::Bytes;

use super::config::ClientConfig;
use super::error::Fault;
use crate::crypto::{Purpose, Random};
use crate::dialect::{Exchange, PayloadType, Profile};
use crate::keys::{Protection, open, seal};
use crate::wire::{
    Chain, EmitError, Encrypted, Expected, Field, Header, MessageWriter, RawPayload, Sai, WireError, WireErrorKind,
    check_order, find,
};

/// A message that we send, before its payloads.
pub(super) struct Outgoing<'a> {
    pub(super) exchange: Exchange,
    pub(super) sais: (Sai, Sai),
    pub(super) message_id: u32,
    pub(super) protection: Protection<'a>,
    /// Under which name the plaintext is recorded.
    pub(super) plaintext: &'static str,
    /// Bytes of the inner payloads, their headers included.
    pub(super) inner_length: usize,
}

impl Outgoing<'_> {
    /// Draws the IV, writes the inner payloads by `payloads`, and seals.
    pub(super) fn write(
        &self,
        config: &ClientConfig,
        random: &mut dyn Random,
        payloads: impl FnOnce(&mut MessageWriter<'_>) -> Result<(), EmitError>,
    ) -> Result<Bytes, Fault> {
        let cipher = self.protection.cipher;
        let mut iv = vec![0; cipher.iv_length()];
        random.fill(Purpose::Iv, &mut iv)?;
        let padded = self.inner_length.saturating_add(1).next_multiple_of(cipher.alignment().max(1));
        let around = iv.len().saturating_add(self.protection.icv_length());
        let total = (Header::LEN + RawPayload::HEADER_LEN).saturating_add(padded).saturating_add(around);
        let mut buffer = vec![0; total];
        let mut writer = MessageWriter::new(config.profile, self.exchange, self.sais, self.message_id, &mut buffer)?;
        writer.begin_encrypted(&iv)?;
        payloads(&mut writer)?;
        let encrypted = writer.end_encrypted(cipher.alignment(), self.protection.icv_length())?;
        let message = writer.finish()?;
        let (ac_sai, ds_sai) = self.sais;
        let text = message.get(encrypted.text.clone()).unwrap_or(&[]);
        config.logger(ac_sai, ds_sai).record(self.plaintext, text);
        seal(&self.protection, message, &encrypted)?;
        Ok(Bytes::from(buffer))
    }
}

/// A message that was received and opened.
pub(super) struct Opened {
    message: Vec<u8>,
    encrypted: Encrypted,
    inner_end: usize,
}

impl Opened {
    /// Checks header, outer payloads and ICV, decrypts, and checks the order of the inner payloads.
    pub(super) fn open(
        profile: Profile,
        protection: &Protection<'_>,
        expected: &Expected,
        data_in: &[u8],
    ) -> Result<Self, Fault> {
        let header = Header::parse(profile, data_in)?;
        header.check(profile, expected)?;
        let chain = Chain::outer(profile, data_in, &header);
        check_order(&chain, expected.exchange, false)?;
        let encrypted = protection.divide(&required(&chain, PayloadType::Encrypted)?)?;
        let mut message = data_in.to_vec();
        let inner_end = open(profile, protection, &mut message, &encrypted)?;
        let opened = Self { message, encrypted, inner_end };
        check_order(&opened.inner(profile), expected.exchange, true)?;
        Ok(opened)
    }

    /// The inner payloads.
    pub(super) fn inner(&self, profile: Profile) -> Chain<'_> {
        let message = self.message.get(..self.inner_end).unwrap_or(&self.message);
        Chain::inner(profile, message, self.encrypted.text.start, self.encrypted.first, self.encrypted.at)
    }

    /// The plaintext with its padding.
    pub(super) fn plaintext(&self) -> &[u8] {
        self.message.get(self.encrypted.text.clone()).unwrap_or(&[])
    }
}

/// A payload that `check_order` has found.
pub(super) fn required<'a>(chain: &Chain<'a>, payload: PayloadType) -> Result<RawPayload<'a>, WireError> {
    let missing = WireError::new(Header::NEXT_PAYLOAD_AT, Field::NextPayload, WireErrorKind::Missing);
    find(chain, payload).ok_or(missing)
}
