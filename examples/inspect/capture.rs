//! Captures as `create_sa --capture` writes them, and recorded transcripts.

use ikev2_scsi::Profile;
use ikev2_scsi::crypto::Secret;
use ikev2_scsi::wire::protocol;
use serde_json::Value;

use super::dissect::{Algorithms, Dissector, Keyring, Keys};
use super::key_log::{KeyLog, NAMES, sais};
use super::member::{Fault, Member};
use super::output::{Failure, Output};
use super::step::Step;
use super::{Options, profile_of};

/// Every command of a capture.
pub(crate) fn show(json: &Value, options: &Options, output: &mut Output) -> Result<(), Failure> {
    let wrong = |fault: Fault| format!("the capture is wrong: {fault}");
    let root = Member::root(json).map_err(wrong)?;
    let profile = options.profile.map_or_else(|| profile(&root), Ok).map_err(wrong)?;
    let keyring = keyring(profile, &root).map_err(wrong)?;
    let dissector = Dissector { profile, keyring: &keyring, in_full: options.in_full };
    let steps = root.get("steps").present().and_then(|steps| steps.elements()).map_err(wrong)?;
    for (number, step) in (1_usize..).zip(&steps) {
        let text = command(step).map_err(wrong)?.text(&dissector);
        output.lines(&format!("Command {number}{text}\n"))?;
    }
    Ok(())
}

/// Every command of a capture, for Wireshark.
pub(crate) fn commands(json: &Value) -> Result<Vec<Step>, Fault> {
    Member::root(json)?.get("steps").elements()?.iter().map(command).collect()
}

/// The dialect that a capture says it is in.
fn profile(root: &Member<'_>) -> Result<Profile, Fault> {
    let named = root.get("profile");
    match named.read::<String>()? {
        Some(name) => profile_of(&name).ok_or_else(|| named.fault("is not known to this build")),
        None => Ok(Profile::R3),
    }
}

/// The keys of a capture, by the SAIs of its key exchanges, which they are in the order of.
pub(crate) fn key_log(json: &Value) -> Result<KeyLog, Fault> {
    let mut log = KeyLog::default();
    let mut exchanges = Vec::new();
    for step in commands(json)? {
        let is_key_exchange = step.cdb.get(..4) == Some(&[0xA2, protocol::IKEV2_SCSI, 0x01, 0x02]);
        if let (true, Some(sais)) = (is_key_exchange, sais(&step))
            && !exchanges.contains(&sais)
        {
            exchanges.push(sais);
        }
    }
    for (sais, exchange) in exchanges.into_iter().zip(Member::root(json)?.get("ccs").elements()?) {
        for name in NAMES {
            if let Some(key) = exchange.get(name).read::<Vec<u8>>()? {
                log.put(sais, name, Secret::from(key));
            }
        }
    }
    Ok(log)
}

/// The keys of a capture. A member that is wrong is an error; keys or algorithms that are not there are none.
fn keyring(profile: Profile, root: &Member<'_>) -> Result<Keyring, Fault> {
    let identifiers = root.get("identifiers").object()?;
    let identifier = |name: &str| {
        let member = identifiers.get(name);
        let wrong = || member.fault("is no identifier in hexadecimal");
        let text = member.read::<String>()?;
        text.map(|text| u32::from_str_radix(&text, 16).map_err(|_| wrong())).transpose()
    };
    let key_length = identifiers.get("KEY LENGTH");
    let numbers = (identifier("ENCR")?, key_length.read::<u32>()?, identifier("INTEG")?);
    let (Some(encryption), Some(length), Some(integrity)) = numbers else {
        return Ok(Err("the capture does not name its algorithms".into()));
    };
    let length = u16::try_from(length).map_err(|_| key_length.fault("is no number of 16 bits"))?;
    let algorithms = match Algorithms::find(profile, encryption, length, integrity) {
        Ok(algorithms) => algorithms,
        Err(lacks) => return Ok(Err(lacks)),
    };
    let mut all = Vec::new();
    for exchange in root.get("ccs").elements()? {
        for name in ["SK_ei", "SK_ai", "SK_er", "SK_ar"] {
            exchange.get(name).read::<Vec<u8>>()?;
        }
        let value = |name: &str| exchange.get(name).read::<Vec<u8>>().ok().flatten().map(Secret::from);
        all.extend(Keys::collect(algorithms, value));
    }
    Ok(if all.is_empty() { Err("the capture has no keys".into()) } else { Ok(all) })
}

/// One command of a capture.
fn command(step: &Member<'_>) -> Result<Step, Fault> {
    let data = |name: &str| step.get(name).read::<Vec<u8>>().map(Option::unwrap_or_default);
    Ok(Step {
        cdb: step.get("cdb").need()?,
        data_out: data("data_out")?,
        data_in: data("data_in")?,
        status: step.get("status").read()?,
        sense: data("sense")?,
        name: step.get("command").read()?,
        nexus: step.get("nexus").read()?,
        ..Step::default()
    })
}
