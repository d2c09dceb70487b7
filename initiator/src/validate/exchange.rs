//! An exchange of the crate's own application client, step by step, whose messages can be replaced by others with the same keys.
//!
//! The keys come by the application client's key log; AUTH is its own as well, so that every way to authenticate can be
//! validated.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use ikev2_scsi::client::{ApplicationClient, ClientConfigBuilder, Outcome, Status, Step};
use ikev2_scsi::crypto::{Secret, Suite};
use ikev2_scsi::keys::{KeyLog, Protection};
use ikev2_scsi::time::UnixTime;
use ikev2_scsi::wire::{Descriptor, Sai};

use super::bench::{Bench, Nexus};
use super::message::{
    CRIT, HEADER, Message, PAYLOAD_HEADER, Padding, Part, Plain, byte, code, field, link, part_of, put, unlink,
    write_length,
};
use super::outcome::{Ended, Seen, Stop};

/// The keys of one exchange, by their names.
#[derive(Default)]
pub(super) struct Secrets(Mutex<BTreeMap<&'static str, Secret>>);

impl KeyLog for Secrets {
    fn record(&self, _: Sai, _: Sai, name: &'static str, value: &[u8]) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(name, Secret::copy_of(value));
    }
}

impl Secrets {
    /// Hands a value to a function; nothing where there is none.
    fn with<R>(&self, name: &str, then: impl FnOnce(&[u8]) -> R) -> R {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        then(known.get(name).map_or(&[], Secret::expose))
    }

    fn copy(&self, name: &str) -> Secret {
        self.with(name, Secret::copy_of)
    }
}

/// An exchange and its messages, as far as it has come.
pub(super) struct Exchange {
    pub(super) nexus: Nexus,
    client: ApplicationClient,
    secrets: Arc<Secrets>,
    /// Key exchange OUT and IN, authentication OUT and IN, as they were sent and received.
    pub(super) out: Vec<u8>,
    pub(super) answer: Vec<u8>,
    pub(super) claim: Vec<u8>,
    pub(super) proof: Vec<u8>,
    /// Whether a command was NOT READY on the way.
    pub(super) waited: Option<Seen>,
    pub(super) is_established: bool,
}

/// A message that was opened.
pub(super) struct Opened {
    /// Offset of the Encrypted payload.
    pub(super) at: usize,
    pub(super) iv: Vec<u8>,
    pub(super) inner: Vec<Part>,
    pub(super) padding: Vec<u8>,
}

impl Bench<'_, '_> {
    /// An exchange that has read the capabilities.
    pub(super) fn begin_on(
        &mut self,
        nexus: Nexus,
        more: impl FnOnce(ClientConfigBuilder) -> ClientConfigBuilder,
    ) -> Result<Exchange, Stop> {
        let secrets = Arc::new(Secrets::default());
        let mut client = ApplicationClient::new(self.config(&secrets, more)?);
        if let Ok(now) = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
            client.set_unix_time(UnixTime(now.as_secs()));
        }
        let empty = Vec::new;
        let mut exchange = Exchange {
            nexus,
            client,
            secrets,
            out: empty(),
            answer: empty(),
            claim: empty(),
            proof: empty(),
            waited: None,
            is_established: false,
        };
        self.step(&mut exchange)?;
        Ok(exchange)
    }

    /// An exchange that has read the capabilities and made its key exchange OUT, which is not sent.
    pub(super) fn ready(&mut self) -> Result<(Exchange, Message), Stop> {
        let mut exchange = self.begin_on(Nexus::First, |builder| builder)?;
        let message = self.peek(&mut exchange)?;
        let message = Message::parse(&message).ok_or(Stop::Broken("our own key exchange OUT cannot be read".into()))?;
        Ok((exchange, message))
    }

    /// An exchange of which so many of the four commands of protocol 41h are done.
    pub(super) fn after(&mut self, commands: usize) -> Result<Exchange, Stop> {
        self.after_on(Nexus::First, commands)
    }

    pub(super) fn after_on(&mut self, nexus: Nexus, commands: usize) -> Result<Exchange, Stop> {
        let mut exchange = self.begin_on(nexus, |builder| builder)?;
        for _ in 0..commands {
            self.step(&mut exchange)?;
        }
        Ok(exchange)
    }

    /// A complete exchange.
    pub(super) fn established(&mut self) -> Result<Exchange, Stop> {
        self.after(4)
    }

    /// The list of the next command, which is not sent yet.
    pub(super) fn peek(&mut self, exchange: &mut Exchange) -> Result<Vec<u8>, Stop> {
        let command = exchange.client.next_command(self.subject.random);
        let command = command.map_err(|error| Stop::Skipped(format!("no exchange is possible: {error}")))?;
        let list = command.data_out.to_vec();
        match exchange.client.step() {
            Step::KeyExchangeOut => exchange.out.clone_from(&list),
            Step::AuthenticationOut => exchange.claim.clone_from(&list),
            _ => {}
        }
        Ok(list)
    }

    /// The next command of the exchange as it should be.
    pub(super) fn step(&mut self, exchange: &mut Exchange) -> Ended {
        let nexus = exchange.nexus;
        for _ in 0..400 {
            self.peek(exchange)?;
            let command = exchange.client.next_command(self.subject.random);
            let command = command.map_err(|error| Stop::Broken(error.to_string()))?;
            let room = if command.data_out.is_empty() { command.cdb.length } else { 0 };
            let room = usize::try_from(room).unwrap_or(0);
            let seen = self.send(nexus, &command.cdb.to_bytes(), &command.data_out, room)?;
            let step = exchange.client.step();
            match step {
                Step::KeyExchangeIn if seen.is_good() => exchange.answer.clone_from(&seen.data),
                Step::AuthenticationIn if seen.is_good() => exchange.proof.clone_from(&seen.data),
                _ => {}
            }
            let status = if seen.is_good() { Status::Good(&seen.data) } else { Status::CheckCondition(&seen.sense) };
            let outcome = exchange.client.reply(status);
            if let Some(failure) = exchange.client.failure() {
                let expected = format!("GOOD, and what the standard has, in answer to an honest {step}");
                return Err(Stop::failed(expected, format!("{seen}: {failure}")));
            }
            match outcome {
                Ok(Outcome::SendAgain(_)) => {
                    exchange.waited = Some(seen);
                    self.pause();
                }
                Ok(outcome) => {
                    exchange.is_established = matches!(outcome, Outcome::Established(_));
                    if matches!(step, Step::KeyExchangeIn | Step::AuthenticationIn) {
                        self.leave(exchange);
                    }
                    return Ok(());
                }
                Err(error) => return Err(Stop::failed(format!("an honest {step} is taken"), error.to_string())),
            }
        }
        Err(Stop::failed("a command that was put off is processed in the end", "NOT READY without end"))
    }

    /// Remembers to delete what the exchange has made or may make.
    fn leave(&mut self, exchange: &Exchange) {
        if let Ok(suite) = self.suite(exchange) {
            let delete = self.plain_delete(exchange, &suite);
            let list = exchange.seal(&suite, &delete);
            if !self.leftovers.contains(&list) {
                self.leftovers.push(list);
            }
        }
    }

    /// Brings the exchange to its end.
    pub(super) fn finish(&mut self, exchange: &mut Exchange) -> Ended {
        for _ in 0..4 {
            if exchange.is_established {
                return Ok(());
            }
            self.step(exchange)?;
        }
        if exchange.is_established { Ok(()) } else { Err(Stop::failed("a complete exchange", "no association")) }
    }

    /// The descriptors by which a key exchange OUT selects, with the offset of the first in the payload.
    pub(super) fn selected(&self, message: &Message) -> (usize, Vec<Descriptor>) {
        let data = message.part(code::ALGORITHMS).map_or(&[][..], |part| &part.data);
        let rest = |at: usize| data.get(at..).unwrap_or_default();
        let at = match self.is_r3() {
            true => 12,
            false if rest(16).len().is_multiple_of(12) => 16,
            false => 17,
        };
        let (each, _) = rest(at).as_chunks::<12>();
        (at.saturating_add(PAYLOAD_HEADER), each.iter().map(Descriptor::from_bytes).collect())
    }

    /// The algorithms of an exchange.
    pub(super) fn suite(&self, exchange: &Exchange) -> Result<Suite, Stop> {
        let unknown = || Stop::skipped("the application client has other algorithms than the provider at hand");
        let message = Message::parse(&exchange.out).ok_or_else(unknown)?;
        let (_, descriptors) = self.selected(&message);
        let known = |index: usize| descriptors.get(index).and_then(|each| each.known(self.profile()));
        let (Some(encr), Some(prf), Some(integ), Some(group)) = (known(0), known(1), known(2), known(3)) else {
            return Err(unknown());
        };
        let provider = &self.subject.provider;
        Ok(Suite {
            cipher: provider.cipher(encr.identifier, encr.key_length()).ok_or_else(unknown)?,
            key_length: encr.key_length(),
            prf: provider.prf(prf.identifier).ok_or_else(unknown)?,
            integrity: provider.integrity(integ.identifier),
            group: provider.group(group.identifier).ok_or_else(unknown)?,
        })
    }

    /// The honest authentication OUT, opened; the key exchange must be done.
    pub(super) fn plain_claim(&mut self, exchange: &mut Exchange) -> Result<(Suite, Plain), Stop> {
        let list = self.peek(exchange)?;
        let suite = self.suite(exchange)?;
        let unread = || Stop::Broken("our own authentication OUT cannot be read".into());
        let text = exchange.secrets.copy("plaintext_i");
        let padding = text.expose().last().copied().ok_or_else(unread)?;
        let end = text.expose().len().checked_sub(usize::from(padding).saturating_add(1)).ok_or_else(unread)?;
        let inner = unlink(byte(&list, HEADER), part_of(text.expose(), 0, end)).ok_or_else(unread)?;
        let plain = Plain {
            header: part_of(&list, 0, HEADER).to_vec(),
            before: Vec::new(),
            inner,
            padding: Padding::Right,
            iv: suite.cipher.iv_length(),
        };
        Ok((suite, plain))
    }

    /// The honest Delete of what the exchange has made.
    pub(super) fn plain_delete(&self, exchange: &Exchange, suite: &Suite) -> Plain {
        let [ac_sai, ds_sai] = exchange.sais();
        let [_, _, exchange_type] = self.exchange_types();
        let header = [
            ac_sai.as_slice(),
            &ds_sai,
            &[code::ENCRYPTED, 0x20, exchange_type, self.our_flags()],
            &2_u32.to_be_bytes(),
            &[0; 4],
        ];
        let data = match self.is_r3() {
            true => [&[1, 8, 0, 1], ac_sai.as_slice()].concat(),
            false => [&[1, 8, 0, 2], ac_sai.as_slice(), &ds_sai].concat(),
        };
        Plain {
            header: header.concat(),
            before: Vec::new(),
            inner: vec![Part::new(code::DELETE, &data)],
            padding: Padding::Right,
            iv: suite.cipher.iv_length(),
        }
    }

    /// The honest Delete, sealed.
    pub(super) fn delete_of(&self, exchange: &Exchange) -> Result<Vec<u8>, Stop> {
        let suite = self.suite(exchange)?;
        Ok(exchange.seal(&suite, &self.plain_delete(exchange, &suite)))
    }
}

impl Exchange {
    /// The SAIs of the key exchange IN, as they stand in its header.
    pub(super) fn sais(&self) -> [[u8; 8]; 2] {
        [field(&self.answer, 0), field(&self.answer, 8)]
    }

    /// Tells the application client that its key exchange OUT, sent by somebody else, was answered GOOD.
    pub(super) fn has_sent_key_exchange_out(&mut self) -> Ended {
        let taken = self.client.reply(Status::Good(&[]));
        taken.map(|_| ()).map_err(|error| Stop::Broken(error.to_string()))
    }

    /// The device server's NONCE, KE and so on, as they were received.
    pub(super) fn answered(&self) -> Result<Message, Stop> {
        let unread = || Stop::failed("payloads that tile the key exchange IN", "they do not");
        Message::parse(&self.answer).ok_or_else(unread)
    }

    /// Seals a message with the keys of our direction.
    pub(super) fn seal(&self, suite: &Suite, plain: &Plain) -> Vec<u8> {
        let (first, text) = plain.text(suite.cipher.alignment());
        let (cipher_key, integrity_key) = (self.secrets.copy("SK_ei"), self.secrets.copy("SK_ai"));
        let protection = Protection::new(suite, cipher_key.expose(), integrity_key.expose());
        seal(&protection, &plain.header, &plain.before, first, &text)
    }

    /// Opens a message of the device server; `None` if it cannot be.
    pub(super) fn open(&self, suite: &Suite, message: &[u8]) -> Option<Opened> {
        let (cipher_key, integrity_key) = (self.secrets.copy("SK_er"), self.secrets.copy("SK_ar"));
        open(&Protection::new(suite, cipher_key.expose(), integrity_key.expose()), message)
    }

    /// What AUTH of the device server covers, once it has been checked.
    pub(super) fn device_server(&self) -> Option<Vec<u8>> {
        self.client.device_server().map(|peer| peer.identity.data.to_vec())
    }
}

/// Writes and seals a message: header, payloads in front, Encrypted payload.
pub(super) fn seal(protection: &Protection<'_>, header: &[u8], before: &[Part], first: u8, text: &[u8]) -> Vec<u8> {
    let cipher = protection.cipher;
    let iv = vec![0x5C; cipher.iv_length()];
    let mut icv = vec![0; protection.icv_length()];
    let length =
        [PAYLOAD_HEADER, iv.len(), text.len(), icv.len()].iter().fold(0, |sum: usize, n| sum.saturating_add(*n));
    let [high, low] = u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
    let (outer, payloads) = link(before, code::ENCRYPTED);
    let mut message = [header, &payloads, &[first, CRIT, high, low], &iv].concat();
    put(&mut message, 16, &[outer]);
    let total = [message.len(), text.len(), icv.len()].iter().fold(0, |sum: usize, n| sum.saturating_add(*n));
    put(&mut message, 24, &u32::try_from(total).unwrap_or(u32::MAX).to_be_bytes());
    let mut text = text.to_vec();
    let associated = part_of(&message, 0, message.len().saturating_sub(iv.len())).to_vec();
    let sealed = match protection.integrity {
        None => cipher.seal(protection.cipher_key, &iv, &associated, &mut text, &mut icv),
        Some(integrity) => cipher
            .seal(protection.cipher_key, &iv, &[], &mut text, &mut [])
            .and_then(|()| integrity.compute(protection.integrity_key, &[&message, &text], &mut icv)),
    };
    // Without keys of the right length nothing is sealed, and the device server refuses what is sent.
    if sealed.is_err() {
        icv.fill(0);
    }
    message.extend(text);
    message.extend(icv);
    write_length(&mut message);
    message
}

/// Opens a message; `None` if its check value, its padding or its payloads are wrong.
pub(super) fn open(protection: &Protection<'_>, message: &[u8]) -> Option<Opened> {
    let outer = Message::parse(message)?;
    let at = outer.at(outer.index(code::ENCRYPTED)?);
    let (iv, icv) = (protection.cipher.iv_length(), protection.icv_length());
    let iv_at = at.checked_add(PAYLOAD_HEADER)?;
    let (head, rest) = message.split_at_checked(iv_at)?;
    let (iv, rest) = rest.split_at_checked(iv)?;
    let (text, icv) = rest.split_at_checked(rest.len().checked_sub(icv)?)?;
    let mut plain = text.to_vec();
    match protection.integrity {
        None => protection.cipher.open(protection.cipher_key, iv, head, &mut plain, icv).ok()?,
        Some(integrity) => {
            integrity.verify(protection.integrity_key, &[head, iv, text], icv).ok()?;
            protection.cipher.open(protection.cipher_key, iv, &[], &mut plain, &[]).ok()?;
        }
    }
    let told = usize::from(plain.pop()?);
    let end = plain.len().checked_sub(told)?;
    let padding = plain.split_off(end);
    let inner = unlink(byte(message, at), &plain)?;
    Some(Opened { at, iv: iv.to_vec(), inner, padding })
}
