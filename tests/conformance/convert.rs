//! `vectors/conformance/` is `vectors/primitives/` in another form: this makes it, and shows that it is.
//!
//! `CONFORMANCE_VECTORS=write cargo test --features conformance --test conformance` writes the files anew.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::path::Path;

use ikev2_scsi::algorithm::{self, Algorithm, AlgorithmType};
use num_bigint::BigUint;
use serde_json::Value;

/// The lines of one file.
struct File {
    text: String,
    names: HashSet<String>,
}

impl File {
    fn new(members: &str) -> Self {
        let head = "# Made from vectors/primitives/ by tests/conformance/convert.rs; their README tells the origins.";
        Self { text: format!("{head}\n# {members}\n"), names: HashSet::new() }
    }

    /// One line. The name is the origin without spaces, and has a number where it is not the first of its algorithm.
    fn line(&mut self, row: &Algorithm, action: &str, origin: &str, members: &[&str]) {
        let plain = origin.replace([',', ':', ';'], "").split_whitespace().collect::<Vec<_>>().join("-");
        let numbered = (1..).map(|n| if n == 1 { plain.clone() } else { format!("{plain}-#{n}") });
        let fresh = |name: &String| self.names.insert(format!("{:x} {name}", row.identifier));
        let name = numbered.into_iter().find(fresh).unwrap();
        write!(self.text, "{:02x} {action} {name}", row.identifier).unwrap();
        for member in members {
            self.text.push(' ');
            self.text.push_str(if member.is_empty() { "-" } else { member });
        }
        self.text.push('\n');
    }
}

fn read(name: &str) -> Value {
    let path = format!("{}/vectors/primitives/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(&path).expect(&path)).expect(&path)
}

fn records(file: &Value, member: &str) -> Vec<Value> {
    file[member].as_array().expect(member).clone()
}

fn text<'a>(record: &'a Value, member: &str) -> &'a str {
    record[member].as_str().expect(member)
}

fn origin(record: &Value) -> String {
    let origin = &record["origin"];
    origin.as_str().map_or_else(|| format!("Wycheproof tcId {origin}"), str::to_owned)
}

/// Everything; a combined mode's nonce is cut into the salt, which follows the key, and the vector.
fn ciphers() -> File {
    let mut file =
        File::new("seal: key iv associated plaintext ciphertext icv; refuse: key iv associated ciphertext icv");
    // RFC 2410 defines the algorithm as the identity; the two texts are not from a document.
    for plain in ["0123456789abcdef", "746578742074686174206e756c6c206c6561766573206173206974206973"] {
        file.line(&algorithm::ENCR_NULL, "seal", "RFC 2410 identity", &["", "", "", plain, plain, ""]);
    }
    for (row, name) in [(algorithm::ENCR_AES_CBC, "aes_cbc"), (algorithm::ENCR_3DES, "des3_cbc")] {
        for r in records(&read(name), "vectors") {
            let members = [text(&r, "key"), text(&r, "iv"), "", text(&r, "plaintext"), text(&r, "ciphertext"), ""];
            file.line(&row, "seal", &origin(&r), &members);
        }
    }
    let combined = [
        (algorithm::ENCR_AES_CCM_8, "aes_ccm_8", 3),
        (algorithm::ENCR_AES_CCM_16, "aes_ccm", 3),
        (algorithm::ENCR_AES_GCM_16, "aes_gcm", 4),
    ];
    for (row, name, salt) in combined {
        let json = read(name);
        for r in records(&json, "vectors") {
            let (salt, iv) = text(&r, "nonce").split_at(2 * salt);
            let key = [text(&r, "key"), salt].concat();
            let (plain, sealed) = (text(&r, "plaintext"), text(&r, "ciphertext"));
            let members = [&key, iv, text(&r, "associated"), plain, sealed, text(&r, "tag")];
            file.line(&row, "seal", &origin(&r), &members);
        }
        for r in json.get("refused").and_then(Value::as_array).into_iter().flatten() {
            let (salt, iv) = text(r, "nonce").split_at(2 * salt);
            let key = [text(r, "key"), salt].concat();
            let members = [&key, iv, text(r, "associated"), text(r, "ciphertext"), text(r, "tag")];
            file.line(&row, "refuse", &origin(r), &members);
        }
    }
    file
}

fn prf_row(name: &str) -> Algorithm {
    match name {
        "sha1" => algorithm::PRF_HMAC_SHA1,
        "sha256" => algorithm::PRF_HMAC_SHA2_256,
        "sha384" => algorithm::PRF_HMAC_SHA2_384,
        "sha512" => algorithm::PRF_HMAC_SHA2_512,
        "aesxcbc" => algorithm::PRF_AES128_XCBC,
        other => panic!("an unknown PRF: {other}"),
    }
}

/// Everything but prf+, which is checked against the outputs of the same PRF.
fn prfs() -> File {
    let mut file = File::new("compute: key message output");
    for r in records(&read("hmac"), "prf") {
        let members = [text(&r, "key"), text(&r, "msg"), text(&r, "out")];
        file.line(&prf_row(text(&r, "hash")), "compute", &origin(&r), &members);
    }
    for r in records(&read("aes_xcbc"), "vectors") {
        let members = [text(&r, "key"), text(&r, "msg"), text(&r, "out")];
        file.line(&algorithm::PRF_AES128_XCBC, "compute", text(&r, "name"), &members);
    }
    for r in records(&read("ikev2_kdf"), "vectors") {
        let nonces = r.get("ni_nr").map_or_else(
            || r.get("ni").map_or(String::new(), |ni| [ni.as_str().unwrap(), text(&r, "nr")].concat()),
            |both| both.as_str().unwrap().to_owned(),
        );
        let (key, message) = match text(&r, "kind") {
            "skeyseed" => (nonces.as_str(), text(&r, "dh_shared").to_owned()),
            "rekey_skeyseed" => (text(&r, "sk_d"), [text(&r, "dh_shared"), &nonces].concat()),
            _ => continue,
        };
        file.line(&prf_row(text(&r, "prf")), "compute", text(&r, "kind"), &[key, &message, text(&r, "out")]);
    }
    file
}

/// Everything; of AES-XCBC the records with a key of 16 bytes, cut to 12.
fn integrity() -> File {
    let mut file = File::new("verify: key message icv");
    for r in records(&read("hmac"), "integrity") {
        let row = match text(&r, "hash") {
            "sha1" => algorithm::AUTH_HMAC_SHA1_96,
            "sha256" => algorithm::AUTH_HMAC_SHA2_256_128,
            "sha384" => algorithm::AUTH_HMAC_SHA2_384_192,
            _ => algorithm::AUTH_HMAC_SHA2_512_256,
        };
        file.line(&row, "verify", &origin(&r), &[text(&r, "key"), text(&r, "msg"), text(&r, "icv")]);
    }
    for r in records(&read("aes_xcbc"), "vectors").iter().filter(|r| text(r, "key").len() == 32) {
        let members = [text(r, "key"), text(r, "msg"), &text(r, "out")[..24]];
        file.line(&algorithm::AUTH_AES_XCBC_96, "verify", text(r, "name"), &members);
    }
    file
}

fn groups() -> File {
    let mut file = File::new("agree: private public (or -) peer's-public shared; refuse: public");
    for row in
        [algorithm::MODP_2048, algorithm::MODP_3072, algorithm::MODP_4096, algorithm::MODP_6144, algorithm::MODP_8192]
    {
        modp(&mut file, &row);
    }
    for (row, name) in [(algorithm::ECP_256, "ecp256"), (algorithm::ECP_384, "ecp384"), (algorithm::ECP_521, "ecp521")]
    {
        ecp(&mut file, &row, name);
    }
    file
}

/// Every exchange, and the values that reading R17 excludes, computed from the prime.
fn modp(file: &mut File, row: &Algorithm) {
    let record = records(&read("modp"), "groups").into_iter().find(|r| r["group"] == row.identifier).unwrap();
    let sample = &record["sample"];
    let (a, b) = (text(sample, "A"), text(sample, "B"));
    file.line(row, "agree", "sample A", &[text(sample, "xa"), a, b, text(sample, "shared")]);
    file.line(row, "agree", "sample B", &[text(sample, "xb"), b, a, text(sample, "shared")]);
    let zero = &record["public_leading_zero"];
    assert_eq!(text(zero, "xb"), text(sample, "xb"));
    file.line(row, "agree", "public leading zero A", &[text(zero, "xa"), text(zero, "A"), b, text(zero, "shared")]);
    file.line(row, "agree", "public leading zero B", &[text(zero, "xb"), b, text(zero, "A"), text(zero, "shared")]);
    let zero = &record["shared_leading_zero"];
    file.line(row, "agree", "shared leading zero", &[text(zero, "xa"), "", text(zero, "B"), text(zero, "shared")]);
    let p = BigUint::parse_bytes(text(&record, "p").as_bytes(), 16).unwrap();
    let (zero, one) = (BigUint::ZERO, BigUint::from(1_u8));
    for (name, value) in [("0", &zero), ("1", &one), ("p-1", &(&p - 1_u8)), ("p", &p), ("p+1", &(&p + 1_u8))] {
        let hex = format!("{value:0>width$x}", width = text(&record, "p").len());
        file.line(row, "refuse", name, &[&hex]);
    }
}

/// Every exchange, one in five of Wycheproof's shared secrets, all that it refuses, and a few more: no point, y changed,
/// coordinates above the prime.
fn ecp(file: &mut File, row: &Algorithm, name: &str) {
    let json = read(name);
    for r in records(&json, "exchanges") {
        let (i, r_) = (text(&r, "public_i"), text(&r, "public_r"));
        file.line(row, "agree", &format!("{} i", origin(&r)), &[text(&r, "private_i"), i, r_, text(&r, "shared")]);
        file.line(row, "agree", &format!("{} r", origin(&r)), &[text(&r, "private_r"), r_, i, text(&r, "shared")]);
    }
    for r in records(&json, "agreed").iter().step_by(5) {
        file.line(row, "agree", &origin(r), &[text(r, "private"), "", text(r, "public"), text(r, "shared")]);
    }
    for r in records(&json, "refused") {
        file.line(row, "refuse", &origin(&r), &[text(&r, "public")]);
    }
    let good = text(&json["exchanges"][0], "public_i");
    let (rest, last) = good.split_at(good.len() - 1);
    let changed = format!("{rest}{:x}", u8::from_str_radix(last, 16).unwrap() ^ 1);
    for (name, public) in [("zeros", "0".repeat(good.len())), ("ones", "f".repeat(good.len())), ("y changed", changed)]
    {
        file.line(row, "refuse", name, &[&public]);
    }
}

/// Of Wycheproof and NIST a part, since the whole is above a megabyte: of the records that verify, for each hash one in so many;
/// of those that shall not, one in so many of the signature's length, and fewer of another one.
struct Part {
    verified: usize,
    refused: usize,
    of_another_length: usize,
}

fn signatures() -> File {
    let mut file = File::new("verify-HASH, refuse-HASH: key message signature");
    let curve = Part { verified: 8, refused: 4, of_another_length: 12 };
    let ecdsa = [
        (algorithm::IKE_AUTH_ECDSA_256, "ecdsa256"),
        (algorithm::IKE_AUTH_ECDSA_384, "ecdsa384"),
        (algorithm::IKE_AUTH_ECDSA_521, "ecdsa521"),
    ];
    for (identifier, name) in ecdsa {
        let row = algorithm::find(AlgorithmType::Authentication, identifier).unwrap();
        for r in records(&read(name), "signed") {
            let hash = ["sha256", "sha384", "sha512"][usize::try_from(identifier - 9).unwrap()];
            let members = [text(&r, "public"), text(&r, "msg"), text(&r, "sig")];
            file.line(row, &format!("verify-{hash}"), &origin(&r), &members);
        }
        part(&mut file, row, name, &curve);
    }
    let row = algorithm::find(AlgorithmType::Authentication, algorithm::IKE_AUTH_RSA).unwrap();
    for (name, refused) in [("rsa_sha1", 4), ("rsa_sha256", 24), ("rsa_sha384", 9), ("rsa_sha512", 24)] {
        part(&mut file, row, name, &Part { verified: 1, refused, of_another_length: 4 });
    }
    file
}

fn part(file: &mut File, row: &Algorithm, name: &str, part: &Part) {
    let mut counts: HashMap<(String, &str), usize> = HashMap::new();
    let mut take = |hash: &str, kind: &'static str, one_in: usize| {
        let count = counts.entry((hash.to_owned(), kind)).or_default();
        *count += 1;
        (*count - 1).is_multiple_of(one_in)
    };
    for group in records(&read(name), "groups") {
        let (key, hash) = (text(&group, "key"), text(&group, "hash"));
        // tcId begins anew in each of Wycheproof's files.
        let name = |r: &Value| {
            let source = text(&group, "origin").replace("_p1363_test", "");
            if r["origin"].is_u64() { format!("{source} {}", r["origin"]) } else { origin(r) }
        };
        for r in records(&group, "verified") {
            if take(hash, "verified", part.verified) {
                file.line(row, &format!("verify-{hash}"), &name(&r), &[key, text(&r, "msg"), text(&r, "sig")]);
            }
        }
        for r in records(&group, "refused") {
            let length = text(&r, "sig").len();
            let is_usual = records(&group, "verified").first().is_none_or(|r| text(r, "sig").len() == length);
            let chosen = match is_usual {
                true => take(hash, "refused", part.refused),
                false => take(hash, "other", part.of_another_length),
            };
            if chosen {
                file.line(row, &format!("refuse-{hash}"), &name(&r), &[key, text(&r, "msg"), text(&r, "sig")]);
            }
        }
    }
}

#[test]
fn the_kit_has_the_published_values() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/conformance");
    let files = [
        ("ciphers", ciphers()),
        ("prfs", prfs()),
        ("integrity", integrity()),
        ("groups", groups()),
        ("signatures", signatures()),
    ];
    for (name, file) in files {
        let path = directory.join(name).with_extension("txt");
        if std::env::var("CONFORMANCE_VECTORS").is_ok_and(|value| value == "write") {
            std::fs::write(&path, &file.text).unwrap();
        }
        assert!(std::fs::read_to_string(&path).unwrap() == file.text, "{name}.txt is not what it is made from");
        println!("{} values in {name}.txt, {} bytes", file.names.len(), file.text.len());
    }
}
