//! Associations, capabilities and commands as lines of text and as JSON, by the standard's names.

use std::time::Duration;

use ikev2_scsi::Profile;
use ikev2_scsi::algorithm::{numbered, numbered_type};
use ikev2_scsi::client::Peer;
use ikev2_scsi::crypto::{Identity, Proof};
use ikev2_scsi::dialect::Dialect;
use ikev2_scsi::keys::SaParameters;
use ikev2_scsi::wire::{Descriptor, IdType};
use serde_json::{Map, Value, json};
use x509_parser::prelude::FromDer;
use x509_parser::x509::X509Name;

use crate::bench::Summary;
use crate::exchange::{Created, Timing};
use crate::saved::{Saved, byte_parameters, dialect_name, push_hex};

/// ALGORITHM TYPE codes, the same in both dialects.
const ENCR: u8 = 1;
const PRF: u8 = 2;
const INTEG: u8 = 3;

/// What is told, in order: a name for people, one for programs, and the value as each has it.
#[derive(Debug, Default)]
pub(super) struct Facts(Vec<(&'static str, String, Value)>);

impl Facts {
    fn say(&mut self, name: &'static str, text: impl Into<String>, json: impl Into<Value>) {
        self.0.push((name, text.into(), json.into()));
    }

    fn both(&mut self, name: &'static str, text: impl Into<String>) {
        let text = text.into();
        self.say(name, text.clone(), text);
    }

    /// Adds the Delete to the commands.
    pub(super) fn deleted(&mut self, timing: Timing) {
        let Some((_, text, Value::Array(json))) = self.0.iter_mut().find(|(name, ..)| *name == "commands") else {
            return;
        };
        text.push('\n');
        text.push_str(&timing_text(&timing));
        json.push(timing_json(&timing));
    }

    /// Lines of text, the values below one another.
    pub(super) fn text(&self) -> String {
        let widest = self.0.iter().map(|(name, ..)| name.len()).max().unwrap_or(0);
        let line = |(name, text, _): &(&str, String, Value)| {
            // The standard's names keep theirs.
            let is_ours = name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            let name = if is_ours { name.replace('_', " ") } else { (*name).to_owned() };
            let indented = text.replace('\n', &format!("\n  {:widest$}  ", ""));
            format!("  {name:widest$}  {indented}\n")
        };
        self.0.iter().map(line).collect()
    }

    /// Members of a JSON object.
    pub(super) fn json(self) -> Map<String, Value> {
        self.0.into_iter().map(|(name, _, json)| (name.to_owned(), json)).collect()
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    push_hex(&mut text, bytes);
    text
}

/// The dialect's name for people.
fn dialect(profile: Profile) -> &'static str {
    if profile.dialect == Dialect::R3 { "T10/06-449r3" } else { "SPC-4" }
}

/// An identity: a distinguished name and printable text as people write them, other bytes in hexadecimal digits.
fn identity(identity: &Identity) -> String {
    if identity.id_type == IdType::DerAsn1Dn
        && let Ok(([], name)) = X509Name::from_der(&identity.data)
    {
        return format!("{} {name}", identity.id_type.name());
    }
    let is_text = identity.data.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
    let name = identity.id_type.name();
    match std::str::from_utf8(&identity.data) {
        Ok(text) if is_text && !text.is_empty() => format!("{name} {text}"),
        _ => format!("{name} {}", hex(&identity.data)),
    }
}

fn peer(peer: &Peer) -> String {
    let by = match peer.proof {
        Proof::SharedKey(_) => "by a shared key",
        Proof::PublicKey(_) => "by a signature",
        _ => "",
    };
    format!("{} {by}", identity(&peer.identity)).trim_end().to_owned()
}

/// A SAI in as many digits as the dialect's SAIs have.
fn sai(profile: Profile, value: u64) -> String {
    if profile.dialect == Dialect::R3 { format!("{value:016x}") } else { format!("{value:08x}") }
}

/// The name of an algorithm, or its number.
fn algorithm(profile: Profile, kind: u8, identifier: u32) -> String {
    numbered(profile, kind, identifier).map_or_else(|| format!("{identifier:08X}h"), |number| number.name.to_owned())
}

fn encryption(profile: Profile, identifier: u32, key_length: u16) -> String {
    let name = algorithm(profile, ENCR, identifier);
    if key_length == 0 { name } else { format!("{name}, {key_length} bytes of key") }
}

/// One descriptor: its type, and its algorithm with what the attributes say.
fn descriptor(profile: Profile, descriptor: &Descriptor) -> (String, String) {
    let known = numbered_type(profile, descriptor.algorithm_type);
    let kind = known.map_or_else(|| format!("{:02X}h", descriptor.algorithm_type), |known| known.name.to_owned());
    let mut name = match descriptor.algorithm_type {
        ENCR => encryption(profile, descriptor.identifier, descriptor.key_length()),
        kind => algorithm(profile, kind, descriptor.identifier),
    };
    if known.is_some_and(|known| known.has_use_and_accept) {
        for (set, what) in [(descriptor.may_use(), ", USE"), (descriptor.accept(), ", ACCEPT")] {
            if set {
                name.push_str(what);
            }
        }
    }
    (kind, name)
}

/// Descriptors, one below the other.
fn descriptors(facts: &mut Facts, profile: Profile, list: &[Descriptor]) {
    let all: Vec<_> = list.iter().map(|each| descriptor(profile, each)).collect();
    let widest = all.iter().map(|(kind, _)| kind.len()).max().unwrap_or(0);
    let lines: Vec<_> = all.iter().map(|(kind, name)| format!("{kind:widest$}  {name}")).collect();
    let json: Vec<_> = list
        .iter()
        .zip(&all)
        .map(|(each, (kind, name))| {
            json!({ "type": kind, "name": name, "identifier": each.identifier, "attributes": hex(&each.attributes) })
        })
        .collect();
    facts.say("algorithms", lines.join("\n"), json);
}

/// What a device server offers.
pub(super) fn capabilities(profile: Profile, list: &[Descriptor]) -> Facts {
    let mut facts = Facts::default();
    facts.say("dialect", dialect(profile), dialect_name(profile));
    descriptors(&mut facts, profile, list);
    facts
}

fn parameters(facts: &mut Facts, profile: Profile, sa: &SaParameters, show_secrets: bool) {
    facts.both("AC_SAI", sai(profile, sa.ac_sai.0));
    facts.both("DS_SAI", sai(profile, sa.ds_sai.0));
    facts.say("TIMEOUT", format!("{} s without use", sa.timeout), sa.timeout);
    facts.say("USAGE_TYPE", format!("{:04X}h", sa.usage_type), sa.usage_type);
    let prf = if profile.dialect == Dialect::R3 { sa.kdf_id & 0xFFFF } else { sa.kdf_id };
    let name = algorithm(profile, PRF, prf);
    facts.say("KDF_ID", format!("{:08X}h, {name}", sa.kdf_id), json!({ "number": sa.kdf_id, "name": name }));
    let mgmt = &sa.mgmt_data;
    let protection =
        (encryption(profile, mgmt.encr, mgmt.key_length), algorithm(profile, INTEG, mgmt.integ), mgmt.next_message_id);
    facts.say(
        "MGMT_DATA",
        format!("{}; {}; next MESSAGE ID {}", protection.0, protection.1, protection.2),
        json!({ "encr": protection.0, "integ": protection.1, "next_message_id": protection.2 }),
    );
    if let Some(usage) = sa.usage_algorithms {
        let (encr, integ) = (encryption(profile, usage.encr, usage.key_length), algorithm(profile, INTEG, usage.integ));
        facts.say("USAGE_ALGORITHMS", format!("{encr}; {integ}"), json!({ "encr": encr, "integ": integ }));
        let (ac, ds) = (sa.ac_sqn, sa.ds_sqn);
        facts.say("SEQUENCE_NUMBERS", format!("AC_SQN {ac}, DS_SQN {ds}"), json!({ "ac_sqn": ac, "ds_sqn": ds }));
    }
    let mut lines = Vec::new();
    let mut json = Map::new();
    for (name, bytes) in byte_parameters(sa).into_iter().filter(|(_, bytes)| !bytes.is_empty()) {
        let is_secret = !matches!(name, "ac_nonce" | "ds_nonce" | "usage_data");
        let name = name.to_uppercase().replace("SK_EI", "SK_ei").replace("SK_AI", "SK_ai");
        let name = name.replace("SK_ER", "SK_er").replace("SK_AR", "SK_ar");
        if is_secret && !show_secrets {
            lines.push(format!("{name} {} bytes", bytes.len()));
            json.insert(name, json!({ "bytes": bytes.len() }));
        } else {
            let value = hex(bytes);
            lines.push(format!("{name} {value}"));
            json.insert(name, json!({ "bytes": bytes.len(), "value": value }));
        }
    }
    if !show_secrets {
        lines.push("(--show-secrets shows them)".to_owned());
    }
    facts.say("keys", lines.join("\n"), json);
}

/// An association that has just been created.
pub(super) fn created(profile: Profile, own: &Identity, created: &Created, show_secrets: bool) -> Facts {
    let mut facts = Facts::default();
    facts.say("dialect", dialect(profile), dialect_name(profile));
    facts.both("application_client", identity(own));
    let nobody = "nobody: authentication was omitted".to_owned();
    facts.both("device_server", created.device_server.as_ref().map_or(nobody, peer));
    descriptors(&mut facts, profile, &created.selected);
    parameters(&mut facts, profile, &created.parameters, show_secrets);
    timings(&mut facts, &created.timings);
    facts.say(
        "took",
        format!("{} ms, our own calculations included", milliseconds(created.took)),
        micros(created.took),
    );
    facts
}

/// The calendar's date and time of so many seconds since 1970, in UTC (by the cycle of 400 Gregorian years, 146 097 days).
fn date(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Years that begin with March have the leap day last; 719 468 days of them lie before 1970.
    let shifted = days.saturating_add(719_468);
    let (cycle, day) = (shifted / 146_097, shifted % 146_097);
    let leaps = (day / 1_460).saturating_add(day / 146_096);
    let year = day.saturating_add(day / 36_524).saturating_sub(leaps) / 365;
    let before = year.saturating_mul(365).saturating_add(year / 4).saturating_sub(year / 100);
    let of_year = day.saturating_sub(before);
    let month = of_year.saturating_mul(5).saturating_add(2) / 153;
    let day = of_year.saturating_sub(month.saturating_mul(153).saturating_add(2) / 5).saturating_add(1);
    let year = cycle.saturating_mul(400).saturating_add(year).saturating_add(u64::from(month > 9));
    let month = if month > 9 { month.saturating_sub(9) } else { month.saturating_add(3) };
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

/// An association that was saved.
pub(super) fn saved(saved: &Saved, show_secrets: bool) -> Facts {
    let mut facts = Facts::default();
    facts.both("target", saved.target.clone());
    facts.say("dialect", dialect(saved.profile), dialect_name(saved.profile));
    facts.say("created", date(saved.created), saved.created);
    let nobody = "nobody: authentication was omitted".to_owned();
    facts.both("device_server", saved.device_server.as_ref().map_or(nobody, identity));
    parameters(&mut facts, saved.profile, &saved.parameters, show_secrets);
    facts
}

/// Milliseconds with two decimals.
fn milliseconds(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1000.0)
}

fn timing_text(timing: &Timing) -> String {
    let again = if timing.tries > 1 { format!(", sent {} times", timing.tries) } else { String::new() };
    let (out, back) = (timing.data_out, timing.data_in);
    let name = timing.step.name();
    format!("{name:18} {:>8} ms  {out:>5} bytes out {back:>5} in{again}", milliseconds(timing.took))
}

/// Commands, one below the other; their times are from the first try to the answer.
fn timings(facts: &mut Facts, timings: &[Timing]) {
    let lines: Vec<_> = timings.iter().map(timing_text).collect();
    facts.say("commands", lines.join("\n"), timings.iter().map(timing_json).collect::<Vec<_>>());
}

fn timing_json(timing: &Timing) -> Value {
    let (name, out, back) = (timing.step.name(), timing.data_out, timing.data_in);
    json!({ "step": name, "microseconds": micros(timing.took), "tries": timing.tries, "data_out": out, "data_in": back })
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// What many associations come to.
pub(super) fn summary(summary: &Summary) -> Facts {
    let mut facts = Facts::default();
    facts.say("count", summary.count.to_string(), summary.count);
    facts.say("per_second", format!("{:.1}", summary.per_second), summary.per_second);
    let median = |time| format!("{} ms, median", milliseconds(time));
    facts.say("create", median(summary.create), micros(summary.create));
    facts.say("delete", median(summary.delete), micros(summary.delete));
    facts
}

/// A Delete.
pub(super) fn deleted(profile: Profile, id: (u64, u64), timing: Timing) -> Facts {
    let mut facts = Facts::default();
    facts.both("AC_SAI", sai(profile, id.0));
    facts.both("DS_SAI", sai(profile, id.1));
    timings(&mut facts, &[timing]);
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `date --utc --date=@N` prints them.
    #[test]
    fn dates() {
        for (seconds, date_and_time) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (951_868_799, "2000-02-29 23:59:59 UTC"),
            (1_709_251_199, "2024-02-29 23:59:59 UTC"),
            (1_735_689_599, "2024-12-31 23:59:59 UTC"),
            (1_795_307_610, "2026-11-22 00:33:30 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
        ] {
            assert_eq!(date(seconds), date_and_time);
        }
    }

    #[test]
    fn identities_for_people() {
        let shown = |id_type, data: &[u8]| identity(&Identity::new(id_type, data));
        assert_eq!(shown(IdType::KeyId, b"host-1"), "ID_KEY_ID host-1");
        assert_eq!(shown(IdType::KeyId, b"\x01\xFF"), "ID_KEY_ID 01ff");
        assert_eq!(shown(IdType::KeyId, b""), "ID_KEY_ID ");
        // CN=drive (X.501: a sequence of sets of an object identifier, 2.5.4.3, and a UTF8String).
        let name = [0x30, 0x10, 0x31, 0x0E, 0x30, 0x0C, 6, 3, 0x55, 4, 3, 0x0C, 5, b'd', b'r', b'i', b'v', b'e'];
        assert_eq!(shown(IdType::DerAsn1Dn, &name), "ID_DER_ASN1_DN CN=drive");
        assert_eq!(shown(IdType::DerAsn1Dn, &name[..17]), "ID_DER_ASN1_DN 3010310e300c06035504030c0564726976");
    }
}
