//! Every member that is wrong is named, and no secret is told.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use std::fs;

use ikev2_scsi::SlowCrypto;
use ikev2_scsi::algorithm::AlgorithmType;
use ikev2_scsi::ccs::UsageType;
use ikev2_scsi::crypto::HashKind;
use ikev2_scsi_provisioning::Provisioning;
use support::{directory, empty, write_keys};

const OWN: &str = "own = { identity = { type = 'key_id', text = 'me' }, preshared_key = { text = 'mine' } }\n";

/// Each text, after or instead of [`OWN`], the member that is wrong in it, and a part of what is said.
const WRONG: &[(&str, &str, &str)] = &[
    ("profile = 'r4'", "profile", "unknown variant `r4`, expected `r3` or `spc4`"),
    ("colour = 'red'", "colour", "unknown field `colour`"),
    ("sense = 'long'", "sense", "unknown variant"),
    ("profile = 'spc4'\nsense_codes = 'r3'", "sense_codes", "SPC-4 has its own"),
    ("header_flags = 'x'", "header_flags", "unknown variant"),
    ("[[peer]]\nidentity = { type = 'key_id', text = 'a' }", "peer[0]", "neither preshared_key nor public_key"),
    ("[[peer]]\nidentity = { type = 'fqdn', text = 'a' }", "peer[0].identity.type", "unknown variant `fqdn`"),
    ("[[peer]]\nidentity = { type = 'key_id' }", "peer[0].identity", "one of text, hex and certificate"),
    ("[[peer]]\nidentity = { type = 'key_id', text = '' }", "peer[0].identity", "is empty"),
    ("[[peer]]\nidentity = { type = 'key_id', hex = 'abc' }", "peer[0].identity.hex", "even number"),
    ("[[peer]]\nidentity = { type = 'der_asn1_dn', text = 'CN=a' }", "peer[0].identity.text", "is DER"),
    ("[[peer]]\nidentity = { type = 'key_id', certificate = 'ca.crt' }", "peer[0].identity.certificate", "only"),
    (
        "[[peer]]\nidentity = { type = 'key_id', text = 'a' }\npreshared_key = { text = 'mine' }",
        "peer[0].preshared_key",
        "both",
    ),
    (
        "[[peer]]\nidentity = { type = 'key_id', text = 'a' }\npreshared_key = {}",
        "peer[0].preshared_key",
        "one of text",
    ),
    (
        "[[peer]]\nidentity = { type = 'key_id', text = 'a' }\npreshared_key = { hex = 'SECRET' }",
        "peer[0].preshared_key.hex",
        "digits",
    ),
    (
        "[[peer]]\nidentity = { type = 'key_id', text = 'a' }\npreshared_key = 'SECRET'",
        "peer[0].preshared_key",
        "a table",
    ),
    (
        "[[peer]]\nidentity = { type = 'key_id', text = 'a' }\npreshared_key = { text = 5533 }",
        "peer[0].preshared_key.text",
        "a string",
    ),
    (
        "[[peer]]\nidentity = { type = 'key_id', text = 'a' }\npreshared_key = { file = 'nobody.key' }",
        "peer[0].preshared_key.file",
        "nobody.key",
    ),
    (
        "[[peer]]\nidentity = { type = 'key_id', text = 'a' }\npublic_key = 'server-rsa.pem'",
        "peer[0].public_key",
        "no PUBLIC KEY",
    ),
    (
        "[[peer]]\nidentity = { type = 'key_id', text = 'a' }\npublic_key = '-----BEGIN PUBLIC KEY-----'",
        "peer[0].public_key",
        "no end",
    ),
    (
        "[[peer]]\nidentity = { type = 'key_id', text = 'a' }\npublic_key = 'text.txt'",
        "peer[0].public_key",
        "neither PEM nor DER",
    ),
    ("trust = { anchors = ['server-rsa.pem'] }", "trust.anchors[0]", "no CERTIFICATE"),
    ("trust = { anchors = ['ca.crt', 'wrong.crt'] }", "trust.anchors[1]", "malformed"),
    ("trust = { anchors = ['ca.crt'] }", "trust", "there is no list"),
    ("trust = { revocation = 'off' }", "trust.revocation", "trust.anchors"),
    ("trust = { rsa_hashes = ['md5'] }", "trust.rsa_hashes[0]", "unknown variant"),
    ("policy = { max_protocol_timeout = -1 }", "policy.max_protocol_timeout", "-1"),
    ("policy = { nonce = 1 }", "policy.nonce", "unknown field"),
    ("policy = { usage_types = [{ code = 70000 }] }", "policy.usage_types[0].code", "70000"),
    ("policy = { hidden_algorithms = { prf = ['md5'] } }", "policy.hidden_algorithms.prf[0]", "is none of hmac-sha1"),
    ("policy = { other_protocols = [0x20, 0x100] }", "policy.other_protocols[1]", "256"),
    ("limits = { sas = 'many' }", "limits.sas", "invalid type"),
    ("preferences = { encryption = ['aes-cbc-128', 'aes'] }", "preferences.encryption[1]", "is none of"),
    ("preferences = { usage = { type = 0x81, data = 'zz' } }", "preferences.usage.data", "digits"),
    ("preferences = { usage = { type = 0x81, encryption = 'null' } }", "preferences.usage", "both"),
    ("preferences = { device_server = { type = 'key_id' } }", "preferences.device_server", "one of"),
];

const WRONG_CREDENTIALS: &[(&str, &str, &str)] = &[
    ("key = 'server-rsa.crt'", "own.credential[0].key", "no PRIVATE KEY"),
    ("key = 'none.pem'", "own.credential[0].key", "none.pem"),
    ("key = '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n'", "own.credential[0].key", "malformed"),
    ("key = 'two.pem'", "own.credential[0].key", "more than one"),
    ("key = 'server-p256.pem'\nhash = 'sha256'", "own.credential[0].hash", "curve"),
    ("key = 'server-rsa.pem'\ncertificates = ['client-rsa.crt']", "own.credential[0].certificates[0]", "another key"),
    ("key = 'server-rsa.pem'\nshows = 'everything'", "own.credential[0].shows", "unknown variant"),
    ("certificates = []", "own.credential[0]", "missing field `key`"),
];

#[test]
fn each_wrong_member_is_named() {
    let base = write_keys("members");
    fs::write(base.join("wrong.crt"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    fs::write(base.join("text.txt"), "something else\n").unwrap();
    let two = [
        fs::read(base.join("server-rsa.pem")).unwrap(),
        b"\n".to_vec(),
        fs::read(base.join("client-rsa.pem")).unwrap(),
    ];
    fs::write(base.join("two.pem"), two.concat()).unwrap();
    let whole = WRONG.iter().map(|(text, member, said)| (format!("{OWN}{text}"), member, said));
    let credential = |text: &str| {
        format!(
            "own.identity = {{ type = 'key_id', text = 'me' }}\n[[own.credential]]\n{}",
            text.replace("'-", "'''-").replace("\n'", "\n'''")
        )
    };
    let credentials = WRONG_CREDENTIALS.iter().map(|(text, member, said)| (credential(text), member, said));
    for (text, member, said) in whole.chain(credentials) {
        let Err(error) = Provisioning::from_toml(&text, &base) else { panic!("{text} is accepted") };
        assert_eq!(error.member(), *member, "{text}: {error}");
        let told = error.to_string();
        assert!(told.contains(said) && told.starts_with(member), "{text}: {told}");
        let secrets = ["SECRET", "5533", "mine"];
        assert!(secrets.iter().all(|secret| !told.contains(secret)), "{told}");
    }
}

#[test]
fn text_that_is_none_has_a_line_and_no_secret() {
    let toml = Provisioning::from_toml("profile = 'r3'\n[own]\npreshared_key = { text = 'SECRET }\n", "").unwrap_err();
    assert!(toml.to_string().contains("at line 3") && !toml.to_string().contains("SECRET"), "{toml}");
    let json = Provisioning::from_json("{\n\"own\": {\"preshared_key\": {\"text\": \"SECRET\n", "").unwrap_err();
    assert!(json.to_string().contains("line 3") && !json.to_string().contains("SECRET"), "{json}");
    let after = Provisioning::from_json("{\"own\": {\"identity\": {\"type\": \"key_id\", \"text\": \"a\"}}} 5", "");
    assert!(after.unwrap_err().to_string().contains("trailing"));
    let debug = format!("{:?}", Provisioning::from_toml(&OWN.replace("mine", "SECRET"), "").unwrap());
    assert!(!debug.contains("SECRET"), "{debug}");
    assert!(Provisioning::load(directory().join("none.toml")).unwrap_err().to_string().contains("none.toml"));
}

/// A private key in the provisioning itself may come without its first line, or with others before it: then it is no file's name.
#[test]
fn a_key_that_is_not_pem_is_not_told() {
    let base = write_keys("pasted");
    let pem = fs::read_to_string(base.join("server-p256.pem")).unwrap();
    let own = |key: &str| {
        let toml =
            format!("own.identity = {{ type = 'key_id', text = 'me' }}\n[[own.credential]]\nkey = \'\'\'{key}\'\'\'");
        Provisioning::from_toml(&toml, &base)
    };
    assert!(own(&format!("Bag Attributes\n    friendlyName: drive\n{pem}")).is_ok());
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    for key in [body.clone(), body.replace('M', "\n")] {
        let told = own(&key).unwrap_err().to_string();
        assert!(!told.contains(body.get(..16).unwrap()) && told.contains("neither PEM"), "{told}");
    }
}

/// The same content in both formats is the same provisioning.
#[test]
fn json_is_toml() {
    let text = format!("{OWN}{ALL}");
    let value: serde_json::Value = toml::from_str(&text).unwrap();
    let json = Provisioning::from_json(&value.to_string(), "").unwrap();
    let toml = Provisioning::from_toml(&text, "").unwrap();
    assert_eq!(format!("{json:?}"), format!("{toml:?}"));
    for name in ["r3-server", "r3-client", "spc4-server", "spc4-client"] {
        let text = fs::read_to_string(directory().join(format!("examples/{name}.toml"))).unwrap();
        let value: serde_json::Value = toml::from_str(&text).unwrap();
        let json = Provisioning::from_json(&value.to_string(), "").unwrap();
        assert_eq!(format!("{json:?}"), format!("{:?}", Provisioning::from_toml(&text, "").unwrap()));
    }
}

/// Every decision of a device server.
const ALL: &str = "
    sense = 'descriptor'
    sense_codes = 'assigned'
    header_flags = 'rfc4306'
    [trust]
    rsa_hashes = ['sha256', 'sha512']
    [policy]
    max_protocol_timeout = 1
    max_inactivity_timeout = 2
    usage_types = [{ code = 0x81 }, { code = 0x82, max_data = 3 }]
    nonce_length = 64
    hidden_algorithms = { encryption = ['null'], group = ['modp-2048'], authentication = ['rsa'] }
    allow_triple_des = true
    allow_no_authentication = true
    waive_complete_row = true
    one_sequence = true
    slow_crypto = 'offload'
    expected_calculation_ms = 4
    other_protocols = [0x20]
    report_refusals = true
    [limits]
    nexuses = 11
    sequences = 12
    sas = 13
    sas_per_identity = 14
    retained = 15
    parameter_list = 16
    payloads = 17
    certificates = 18
    auth_failures = 19
    jobs = 20
    events = 21
";

#[test]
fn every_decision_arrives() {
    let read = Provisioning::from_toml(&format!("{OWN}{ALL}"), "").unwrap();
    let policy = read.policy();
    assert!(read.descriptor_sense());
    assert_eq!((policy.max_protocol_timeout, policy.max_inactivity_timeout), (1, 2));
    assert_eq!(*policy.usage_types, [UsageType::new(0x81), UsageType { code: 0x82, max_data: 3 }]);
    assert_eq!((policy.nonce_length, policy.expected_calculation_ms), (64, 4));
    let hidden =
        [(AlgorithmType::Encryption, 0x0B), (AlgorithmType::DiffieHellman, 0x0E), (AlgorithmType::Authentication, 1)];
    assert_eq!(policy.hidden_algorithms, hidden);
    assert!(policy.allow_triple_des && policy.allow_no_authentication && policy.waive_complete_row);
    assert!(policy.one_sequence && policy.slow_crypto == SlowCrypto::Offload);
    assert_eq!(*policy.rsa_hashes, [HashKind::Sha256, HashKind::Sha512]);
    let limits = read.limits();
    let counts = [limits.nexuses, limits.sequences, limits.sas, limits.sas_per_identity, limits.retained];
    assert_eq!(counts, [11, 12, 13, 14, 15]);
    assert_eq!((limits.parameter_list, limits.payloads, limits.certificates), (16, 17, 18));
    assert_eq!((limits.auth_failures, limits.jobs, limits.events), (19, 20, 21));
    // What is not said stays as it is by default.
    let plain = Provisioning::from_toml(OWN, "").unwrap();
    assert_eq!((plain.policy(), plain.limits()), (&Default::default(), Default::default()));
    assert!(!plain.descriptor_sense());
}

/// The key is the file's one line.
#[test]
fn a_key_from_a_file_has_no_end_of_line() {
    let base = empty("keys");
    let file = "identity = { type = 'key_id', text = 'a' }\npreshared_key = { file = 'mine.key' }";
    for (content, is_mine) in
        [("mine\n", true), ("mine\r\n", true), ("mine", true), ("mine\n\n", false), (" mine", false)]
    {
        fs::write(base.join("mine.key"), content).unwrap();
        // One key may not be both sides', so that it is refused when it is the same.
        let read = Provisioning::from_toml(&format!("{OWN}[[peer]]\n{file}"), &base);
        assert_eq!(read.is_err(), is_mine, "{content:?}");
    }
}
