//! Writes the recordings that the images replay, from `vectors/transcripts/`: a list of members, each behind its length in
//! two bytes. `src/recording.rs` reads them.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use serde_json::Value;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// File, and the key with which the device server signs.
const TRANSCRIPTS: [(&str, &str); 6] = [
    ("r3-null-sha1-modp2048-psk", "p256"),
    ("r3-mandatory", "p256"),
    ("r3-gcm-128-sha256-ecp256-ecdsa256", "p256"),
    ("r3-rsa-chain-certreq", "rsa"),
    ("spc4-table82-row1", "rsa"),
    ("spc4-table82-row2", "p521"),
];

fn main() -> Outcome<()> {
    let vectors = Path::new("../vectors/transcripts");
    println!("cargo::rerun-if-changed={}", vectors.display());
    let out = env::var_os("OUT_DIR").ok_or("no OUT_DIR")?;
    for (name, key) in TRANSCRIPTS {
        let text = fs::read_to_string(vectors.join(name).with_extension("json"))?;
        let mut members = Vec::new();
        record(&serde_json::from_str(&text)?, key, &mut members)?;
        fs::write(Path::new(&out).join(name), members)?;
    }
    Ok(())
}

/// The provisioning, then the commands.
fn record(transcript: &Value, key: &str, out: &mut Vec<u8>) -> Outcome<()> {
    let given = &transcript["provisioning"];
    let server = &given["device_server"];
    let client = &given["clients"][0];
    for side in [server, client] {
        push(&[id_type(side)?.to_vec(), hex(&side["id"])?].concat(), out)?;
        push(&hex(&side["psk"])?, out)?;
    }
    let descriptors: Vec<Vec<u8>> = list(&given["capabilities"]).map(hex).collect::<Outcome<_>>()?;
    push(&descriptors.concat(), out)?;
    for drawn in ["ds_sai", "dh_private", "nonce", "iv"] {
        push(&hex(&given["random"]["ccs"][0][drawn])?, out)?;
    }
    let pem = server["keys"][key].as_str().unwrap_or_default();
    let (_, private) = pem_rfc7468::decode_vec(pem.as_bytes()).map_err(|error| format!("{error:?}"))?;
    push(&private, out)?;
    let kinds = ["rsa", "p256", "p384", "p521"];
    let place = kinds.iter().position(|kind| *kind == key).ok_or("an unknown kind of key")?;
    push(&hex(&client["public_keys"][place])?, out)?;
    for certificate in [&server["certs"][key][0], &server["certs"][key][1], &given["trust_anchors"][0]] {
        push(&hex(certificate)?, out)?;
    }
    let time = given["policy"]["unix_time"].as_u64().ok_or("no time")?;
    push(&time.to_be_bytes(), out)?;
    for step in list(&transcript["steps"]) {
        let status = u8::try_from(step["status"].as_u64().ok_or("no status")?)?;
        push(&hex(&step["cdb"])?, out)?;
        push(&hex(&step["data_out"])?, out)?;
        push(&hex(&step["data_in"])?, out)?;
        push(&[vec![status], hex(&step["sense"])?].concat(), out)?;
    }
    if transcript["identifiers"]["ENCR"] == "0000000B" {
        push_delete(transcript, out)?;
    }
    Ok(())
}

/// A Delete (r3 5.13.5) as ENCR_NULL leaves it, with an ICV that only the null provider accepts.
fn push_delete(transcript: &Value, out: &mut Vec<u8>) -> Outcome<()> {
    let ac_sai = hex(&transcript["sa"][0]["AC_SAI"])?;
    let ds_sai = hex(&transcript["sa"][0]["DS_SAI"])?;
    let header = hex(&"2e20f410000000020000003d2a800021".into())?;
    let payload = hex(&"0080001001080001".into())?;
    push(&hex(&"b541010400000000003d0000".into())?, out)?;
    push(&[ac_sai.clone(), ds_sai, header, payload, ac_sai, vec![0; 1 + 12]].concat(), out)?;
    push(&[], out)?;
    push(&[0], out)
}

fn id_type(side: &Value) -> Outcome<[u8; 1]> {
    Ok([u8::try_from(side["id_type"].as_u64().ok_or("no ID TYPE")?)?])
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn push(member: &[u8], out: &mut Vec<u8>) -> Outcome<()> {
    out.extend(u16::try_from(member.len())?.to_be_bytes());
    out.extend(member);
    Ok(())
}

/// The bytes of a hexadecimal string; none of a member that is not there.
fn hex(value: &Value) -> Outcome<Vec<u8>> {
    let digits = value.as_str().unwrap_or_default().as_bytes();
    digits.chunks(2).map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?)).collect()
}
