//! Both ends of an exchange in one process, and files with keys in them.
#![allow(dead_code, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may panic")]

use std::fs;
use std::path::PathBuf;

use ikev2_scsi::client::{ApplicationClient, Outcome, Status};
use ikev2_scsi::crypto::Secret;
use ikev2_scsi::keys::SaParameters;
use ikev2_scsi::sa::SaId;
use ikev2_scsi::time::UnixTime;
use ikev2_scsi::wire::Direction;
use ikev2_scsi::{DeviceServer, Instant, NexusId, Reply, Request, provider};
use ikev2_scsi_provisioning::{Provisioning, SystemRandom};
use serde_json::Value;

pub(crate) const NOW: Instant = Instant::from_millis(1000);
/// When the certificates of the vectors are valid.
pub(crate) const CALENDAR: UnixTime = UnixTime(1_767_225_600);

/// The directory of this crate.
pub(crate) fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A provisioning among the examples.
pub(crate) fn example(name: &str) -> Provisioning {
    Provisioning::load(directory().join("examples").join(name)).unwrap()
}

/// Makes an association between the two, and checks that both have the same.
pub(crate) fn associate(server: &Provisioning, client: &Provisioning) -> Result<SaParameters, String> {
    let builder = server.device_server(provider::provider()).map_err(|error| error.to_string())?;
    let mut server = builder.build().map_err(|error| error.to_string())?;
    server.set_unix_time(CALENDAR, NOW);
    let config = client.application_client(provider::provider()).map_err(|error| error.to_string())?;
    let mut client = ApplicationClient::new(config.build().map_err(|error| error.to_string())?);
    client.set_unix_time(CALENDAR);
    let parameters = exchange(&mut server, &mut client)?;
    let id = SaId { ac_sai: parameters.ac_sai, ds_sai: parameters.ds_sai };
    let kept = server.sa(id, NOW).ok_or("the device server has no association")?;
    assert_eq!(kept.parameters, parameters);
    Ok(parameters)
}

fn exchange(server: &mut DeviceServer, client: &mut ApplicationClient) -> Result<SaParameters, String> {
    for _ in 0..16 {
        let command = client.next_command(&mut SystemRandom).map_err(|error| error.to_string())?;
        let mut data_out = command.data_out.to_vec();
        let mut data_in = vec![0; if command.cdb.direction == Direction::In { 16_384 } else { 0 }];
        let request = Request { cdb: &command.cdb.to_bytes(), data_out: &mut data_out, data_in: &mut data_in };
        let outcome = match server.execute(NexusId(1), request, NOW, &mut SystemRandom) {
            Reply::Good { len } => client.reply(Status::Good(&data_in[..len])),
            Reply::CheckCondition(sense) => client.reply(Status::CheckCondition(sense.to_fixed().as_ref())),
            Reply::Held(_) => return Err("held".into()),
        };
        match outcome.map_err(|error| error.to_string())? {
            Outcome::Established(parameters) => return Ok(*parameters),
            Outcome::Continue => {}
            Outcome::SendAgain(sense) => return Err(sense.to_string()),
        }
    }
    Err("an exchange takes six commands".into())
}

/// A transcript of the vectors.
pub(crate) fn transcript(name: &str) -> Value {
    let path = directory().join("../../vectors/transcripts").join(name).with_extension("json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    Secret::from_hex(value.as_str().unwrap()).unwrap().expose().to_vec()
}

/// PEM of the bytes in hexadecimal.
pub(crate) fn pem(label: &str, value: &Value) -> String {
    pem_rfc7468::encode_string(label, pem_rfc7468::LineEnding::LF, &bytes(value)).unwrap()
}

/// An empty directory of this name.
pub(crate) fn empty(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

/// The keys and certificates of both sides of a transcript, in a directory: `server-rsa.pem`, its certificates in
/// `server-rsa.crt`, its public key in `server-rsa.pub`, and so on for each kind; `ca.crt`.
pub(crate) fn write_keys(name: &str) -> PathBuf {
    let (path, transcript) = (empty(name), transcript("r3-rsa-chain-certreq"));
    let given = &transcript["provisioning"];
    fs::write(path.join("ca.crt"), pem("CERTIFICATE", &given["trust_anchors"][0])).unwrap();
    let sides = [
        ("server", &given["device_server"], &transcript["client"]["server"]["public_keys"]),
        ("client", &transcript["client"], &given["clients"][0]["public_keys"]),
    ];
    for (side, own, public) in sides {
        for (index, kind) in ["rsa", "p256", "p384", "p521"].into_iter().enumerate() {
            let chain = own["certs"][kind].as_array().unwrap().iter().map(|der| pem("CERTIFICATE", der));
            let files = [
                ("pem", own["keys"][kind].as_str().unwrap().to_string()),
                ("crt", chain.collect::<String>()),
                ("pub", pem("PUBLIC KEY", &public[index])),
            ];
            for (end, text) in files {
                fs::write(path.join(format!("{side}-{kind}.{end}")), text).unwrap();
            }
        }
    }
    path
}
