//! Commands and SA parameters as lines of text. Secrets are told by fingerprints only.

use ikev2_scsi::algorithm::{self, AlgorithmType};
use ikev2_scsi::crypto::{CryptoError, Identity, Prf};
use ikev2_scsi::keys::SaParameters;
use ikev2_scsi::wire::Direction;
use ikev2_scsi::{Profile, provider};

use super::association;
use super::dissect::{Dissector, Keyring, hex_lines, indented};
use super::hex;
use super::pair::Step;

/// A command, its parameter data and its status, in the order in which they cross the wire.
pub(crate) fn step(number: usize, step: &Step, profile: Profile, keyring: &Keyring, with_bytes: bool) -> String {
    let dissector = Dissector { profile, keyring, in_full: false };
    let mut lines = vec![format!("Command {number}: {}", step.name), step.cdb.to_string()];
    if with_bytes {
        lines.push(format!("CDB:\n{}", indented(&hex::encode(&step.cdb.to_bytes()))));
    }
    let status = step.sense.map_or("GOOD".into(), |sense| format!("CHECK CONDITION: {sense}"));
    let status = format!("Status: {status}");
    let (name, data) = match step.cdb.direction {
        Direction::Out => ("Data-Out", &step.data_out),
        Direction::In => {
            lines.push(status.clone());
            ("Data-In", &step.data_in)
        }
    };
    if !data.is_empty() {
        lines.push(format!("{name}: {} bytes", data.len()));
        if with_bytes {
            lines.push(indented(&hex_lines(data)));
        }
        lines.push(indented(&dissector.parameter_data(&step.cdb, data)));
    }
    if step.cdb.direction == Direction::Out {
        lines.push(status);
    }
    lines.extend(step.events.iter().map(|event| format!("Device server event: {event}")));
    lines.join("\n") + "\n"
}

/// Eight digits that tell two secrets apart and tell nothing of them: prf(secret, name).
struct Fingerprints(&'static dyn Prf);

impl Fingerprints {
    fn line(&self, name: &str, secret: &[u8]) -> Result<String, CryptoError> {
        if secret.is_empty() {
            return Ok(format!("{name}: 0 bytes"));
        }
        let mut output = vec![0; self.0.output_length()];
        self.0.compute(secret, &[b"fingerprint of ", name.as_bytes()], &mut output)?;
        let shown = hex::encode(output.get(..4).ok_or(CryptoError::Length)?);
        Ok(format!("{name}: {} bytes, fingerprint {shown}", secret.len()))
    }
}

/// One side's parameters, by the standard's names (r3 5.13.4.5, SPC-4 5.14.4.9).
pub(crate) fn parameters(side: &str, parameters: &SaParameters) -> Result<String, CryptoError> {
    let prf = provider::provider().prfs.first().ok_or(CryptoError::Device)?;
    let fingerprints = Fingerprints(*prf);
    let management = &parameters.mgmt_data;
    // Only SPC-4 says by which algorithms an association is used, and makes the keys for it.
    let profile = if parameters.usage_algorithms.is_some() { Profile::SPC4 } else { Profile::R3 };
    let mut fields = vec![
        format!("AC_SAI: {}", association::sai(parameters, parameters.ac_sai)),
        format!("DS_SAI: {}", association::sai(parameters, parameters.ds_sai)),
        format!("TIMEOUT: {}", parameters.timeout),
    ];
    match parameters.usage_algorithms {
        None => fields.extend([
            format!("AC_NONCE: {}", bytes(parameters.ac_nonce())),
            format!("DS_NONCE: {}", bytes(parameters.ds_nonce())),
            fingerprints.line("KEY_SEED", parameters.key_seed())?,
        ]),
        Some(usage) => fields.extend([
            format!("AC_SQN: {}", parameters.ac_sqn),
            format!("DS_SQN: {}", parameters.ds_sqn),
            fingerprints.line("KEYMAT", parameters.keymat())?,
            format!("USAGE_DATA, ENCR: {}", named(profile, AlgorithmType::Encryption, usage.encr)),
            format!("USAGE_DATA, KEY LENGTH: {}", usage.key_length),
            format!("USAGE_DATA, INTEG: {}", named(profile, AlgorithmType::Integrity, usage.integ)),
        ]),
    }
    fields.extend([
        format!("KDF_ID: {}", number(parameters.kdf_id)),
        format!("USAGE_TYPE: {:04X}h", parameters.usage_type),
        format!("USAGE_DATA: {}", bytes(parameters.usage_data())),
        "MGMT_DATA:".into(),
        format!("  ENCR: {}", named(profile, AlgorithmType::Encryption, management.encr)),
        format!("  KEY LENGTH: {}", management.key_length),
        format!("  INTEG: {}", named(profile, AlgorithmType::Integrity, management.integ)),
        indented(&fingerprints.line("SK_ei", parameters.sk_ei())?),
        indented(&fingerprints.line("SK_ai", parameters.sk_ai())?),
    ]);
    if parameters.usage_algorithms.is_some() {
        fields.extend([
            indented(&fingerprints.line("SK_er", parameters.sk_er())?),
            indented(&fingerprints.line("SK_ar", parameters.sk_ar())?),
        ]);
    }
    fields.push(format!("  NEXT MESSAGE ID: {}", management.next_message_id));
    Ok(format!("SA parameters of the {side}\n{}\n", indented(&fields.join("\n"))))
}

/// An identity, as text where it is one.
pub(crate) fn identity(identity: &Identity) -> String {
    let name = identity.id_type.name();
    match std::str::from_utf8(&identity.data).ok().filter(|text| !text.contains(char::is_control)) {
        Some(text) => format!("{name} {text:?}"),
        None => format!("{name} {}", bytes(&identity.data)),
    }
}

fn bytes(bytes: &[u8]) -> String {
    if bytes.is_empty() { "0 bytes".into() } else { hex::encode(bytes) }
}

fn named(profile: Profile, kind: AlgorithmType, identifier: u32) -> String {
    let name = algorithm::numbered(profile, kind.code(), identifier).map_or("", |number| number.name);
    format!("{}, {name}", number(identifier))
}

/// A number of 32 bits as the standard prints it.
fn number(value: u32) -> String {
    let [b0, b1, b2, b3] = value.to_be_bytes();
    format!("{b0:02X}{b1:02X} {b2:02X}{b3:02X}h")
}
