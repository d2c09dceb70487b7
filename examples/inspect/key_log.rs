//! A record of keys in lines, and which exchange of a capture they open.
//!
//! Whoever has such a file reads and forges everything that its keys protect: it is for one's own captures. Each line is
//!
//! ```text
//! NAME AC_SAI DS_SAI VALUE
//! ```
//!
//! with a name that `KeyLog` of the library tells (`SK_ei`, `SK_er`, `SK_ai` and `SK_ar` are used, others passed over),
//! both SAIs as sixteen hexadecimal digits, and the key in hexadecimal digits; an empty line and one that begins with `#`
//! say nothing. A combined mode has no SK_ai and SK_ar, and its SK_ei and SK_er end with the salt.

use std::collections::HashMap;

use ikev2_scsi::Profile;
use ikev2_scsi::algorithm::AlgorithmType;
use ikev2_scsi::crypto::Secret;
use ikev2_scsi::dialect::PayloadType;
use ikev2_scsi::wire::{Algorithms as Sca, Descriptors, Header, Message, SaAlgorithms, find, protocol, specific};

use super::bytes::{u8_at, u64_at};
use super::dissect::{Algorithms, Keyring, Keys};
use super::hex;
use super::step::Step;

/// Both SAIs.
pub(crate) type Sais = (u64, u64);

/// Names of keys that open Encrypted payloads.
pub(crate) const NAMES: [&str; 4] = ["SK_ei", "SK_er", "SK_ai", "SK_ar"];

/// Keys by their exchange and their name.
#[derive(Default)]
pub(crate) struct KeyLog(HashMap<Sais, HashMap<&'static str, Secret>>);

impl KeyLog {
    /// Reads lines. The error names the line that is wrong.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut log = Self::default();
        for (number, line) in (1_usize..).zip(text.lines()) {
            let wrong = |what: &str| format!("line {number} of the key log: {what}");
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let mut words = line.split_whitespace();
            let (Some(name), Some(ac_sai), Some(ds_sai)) = (words.next(), words.next(), words.next()) else {
                return Err(wrong("fewer than a name and two SAIs"));
            };
            let sai = |digits: &str| {
                let sai =
                    Some(digits).filter(|digits| digits.len() == 16).map(|digits| u64::from_str_radix(digits, 16));
                sai.and_then(Result::ok).ok_or_else(|| wrong("a SAI is not sixteen hexadecimal digits"))
            };
            // A key without bytes is one that a combined mode does not have.
            let value = Secret::from(
                hex::decode(words.next().unwrap_or_default()).ok_or_else(|| wrong("the key is not hexadecimal"))?,
            );
            if words.next().is_some() {
                return Err(wrong("something after the key"));
            }
            log.put((sai(ac_sai)?, sai(ds_sai)?), name, value);
        }
        Ok(log)
    }

    /// Adds a key, if it is one that opens payloads.
    pub(crate) fn put(&mut self, sais: Sais, name: &str, value: Secret) {
        if let Some(name) = NAMES.into_iter().find(|known| *known == name) {
            self.0.entry(sais).or_default().insert(name, value);
        }
    }

    /// One key of an exchange.
    pub(crate) fn key(&self, sais: Sais, name: &str) -> Option<&[u8]> {
        self.0.get(&sais)?.get(name).map(Secret::expose)
    }

    fn is_known(&self, sais: Sais) -> bool {
        self.0.contains_key(&sais)
    }
}

/// What a key exchange selected, by the dialect's numbers.
#[derive(Clone, Copy)]
pub(crate) struct Selected {
    pub(crate) profile: Profile,
    pub(crate) encryption: u32,
    pub(crate) key_length: u16,
    pub(crate) integrity: u32,
}

/// The exchanges that were seen so far.
pub(crate) struct Exchanges<'a> {
    log: Option<&'a KeyLog>,
    named: Option<Profile>,
    /// The dialect of the last message that told.
    profile: Profile,
    selected: HashMap<Sais, Selected>,
    keyrings: HashMap<Sais, Keyring>,
    none: Keyring,
}

impl<'a> Exchanges<'a> {
    pub(crate) fn new(log: Option<&'a KeyLog>, named: Option<Profile>) -> Self {
        let none = Err(if log.is_some() { "no SAIs".into() } else { "no keys".into() });
        let profile = named.unwrap_or(Profile::R3);
        Self { log, named, profile, selected: HashMap::new(), keyrings: HashMap::new(), none }
    }

    /// The dialect of a command, and the keys of its exchange, which a key exchange adds to.
    pub(crate) fn look(&mut self, step: &Step) -> (Profile, &Keyring) {
        self.profile = self.named.or_else(|| dialect(step)).unwrap_or(self.profile);
        let profile = self.profile;
        let Some(sais) = sais(step) else { return (profile, &self.none) };
        if let Some(selected) = selected(profile, step.data()) {
            self.selected.insert(sais, selected);
        }
        let Some(log) = self.log else { return (profile, &self.none) };
        // A key exchange OUT does not know the device server's SAI.
        let selected = self.selected.get(&sais).or_else(|| self.selected.get(&(sais.0, 0)));
        let make = || match selected {
            Some(selected) => keyring(log, sais, selected),
            None => Err("the key exchange is not in the capture".into()),
        };
        // What was missing may have come.
        let keyring = self.keyrings.entry(sais).or_insert_with(make);
        if keyring.is_err() {
            *keyring = make();
        }
        (profile, keyring)
    }

    /// All exchanges whose algorithms are known, in the order of their SAIs.
    pub(crate) fn known(&self) -> Vec<(Sais, Selected)> {
        let mut known: Vec<_> = self.selected.iter().map(|(sais, selected)| (*sais, *selected)).collect();
        known.sort_by_key(|(sais, _)| *sais);
        known
    }
}

fn keyring(log: &KeyLog, sais: Sais, selected: &Selected) -> Keyring {
    if !log.is_known(sais) {
        return Err("the key log has no keys of these SAIs".into());
    }
    let Selected { profile, encryption, key_length, integrity } = *selected;
    let algorithms = Algorithms::find(profile, encryption, key_length, integrity)?;
    let keys = Keys::collect(algorithms, |name| log.key(sais, name).map(Secret::copy_of));
    keys.map(|keys| vec![keys]).ok_or_else(|| "the key log lacks SK_ei or SK_er of these SAIs".into())
}

/// What tells the dialects apart: EXCHANGE TYPE, which only r3 has, and where capabilities count their descriptors.
fn dialect(step: &Step) -> Option<Profile> {
    let data = step.data();
    let is = |is_r3: bool| Some(if is_r3 { Profile::R3 } else { Profile::SPC4 });
    match (u8_at(&step.cdb, 1)?, super::bytes::u16_at(&step.cdb, 2)?) {
        (protocol::IKEV2_SCSI, _) => match u8_at(data, 18)? {
            0 => is(false),
            0xF2..=0xF4 => is(true),
            _ => None,
        },
        (protocol::SA_CREATION_CAPABILITIES, specific::CAPABILITIES) => match (u8_at(data, 8)?, u8_at(data, 11)?) {
            (1.., 0) => is(true),
            (0, 1..) => is(false),
            _ => None,
        },
        _ => None,
    }
}

/// The SAIs of a message.
pub(crate) fn sais(step: &Step) -> Option<Sais> {
    let is_message = u8_at(&step.cdb, 1) == Some(protocol::IKEV2_SCSI) && step.data().len() >= Header::LEN;
    is_message.then(|| Some((u64_at(step.data(), 0)?, u64_at(step.data(), 8)?)))?
}

/// What the key exchange in these bytes selects.
fn selected(profile: Profile, data: &[u8]) -> Option<Selected> {
    let message = Message::parse(profile, data).ok()?;
    let payloads = message.payloads();
    let descriptors: Descriptors<'_> = match find(&payloads, PayloadType::Algorithms) {
        Some(raw) => raw.body::<Sca<'_>>(profile).ok()?.descriptors,
        None => find(&payloads, PayloadType::SaAlgorithms)?.body::<SaAlgorithms<'_>>(profile).ok()?.descriptors,
    };
    let of = |kind: AlgorithmType| descriptors.iter().find(|descriptor| descriptor.algorithm_type == kind.code());
    let encryption = of(AlgorithmType::Encryption)?;
    Some(Selected {
        profile,
        encryption: encryption.identifier,
        key_length: encryption.key_length(),
        integrity: of(AlgorithmType::Integrity)?.identifier,
    })
}
