//! Command lines, run against a logical unit of this process.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

use super::*;
use crate::test_unit::{TestUnit, check_condition, not_ready};
use crate::transport::Answer;

/// A logical unit that several transports reach.
#[derive(Debug, Clone)]
struct Shared(Rc<RefCell<TestUnit>>);

impl Transport for Shared {
    fn execute(&mut self, cdb: &[u8], data_out: &[u8], data_in: &mut [u8]) -> Result<Answer, TransportError> {
        self.0.borrow_mut().execute(cdb, data_out, data_in)
    }

    fn renew_nexus(&mut self) -> Result<(), TransportError> {
        self.0.borrow_mut().renew_nexus()
    }

    fn second_nexus(&mut self) -> Result<Box<dyn Transport>, TransportError> {
        Ok(Box::new(self.clone()))
    }
}

/// A unit, a directory for its files, and the targets that were opened.
struct Desk {
    unit: Rc<RefCell<TestUnit>>,
    dialect: &'static str,
    directory: PathBuf,
    opened: Vec<String>,
}

impl Desk {
    fn new(dialect: &'static str, name: &str) -> Self {
        let directory = std::env::temp_dir().join(format!("ikev2-scsi-cli-{}-{dialect}-{name}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        Self { unit: Rc::new(RefCell::new(TestUnit::new(dialect))), dialect, directory, opened: Vec::new() }
    }

    fn file(&self, name: &str) -> String {
        self.directory.join(name).display().to_string()
    }

    fn provisioning(&self) -> String {
        format!("{}/../emulators/provisioning/examples/{}-client.toml", env!("CARGO_MANIFEST_DIR"), self.dialect)
    }

    fn sas(&self) -> usize {
        self.unit.borrow().server.sas().len()
    }

    /// Exit status, standard output, standard error. `@` in a word stands for the target.
    fn run(&mut self, words: &[&str]) -> (u8, String, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let (unit, opened) = (Rc::clone(&self.unit), &mut self.opened);
        let open = &mut |target: Target, _: &Options| {
            opened.push(target.to_string());
            Ok(Box::new(Shared(Rc::clone(&unit))) as Box<dyn Transport>)
        };
        let words = words.iter().map(|word| if *word == "@" { TARGET.to_owned() } else { (*word).to_owned() });
        let status = run(words, &mut Surroundings { out: &mut out, err: &mut err, err_is_terminal: false, open });
        (status, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

const TARGET: &str = "iscsi://user%sesame@host:3260/iqn.2007-04.org.example:t/1";
const SHOWN: &str = "iscsi://host:3260/iqn.2007-04.org.example:t/1";

/// Text with all hexadecimal digits of some length, that is, with what could be a key.
fn has_key(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_hexdigit()).any(|word| word.len() >= 32)
}

#[test]
fn capabilities_in_the_dialect_that_fits() {
    for (dialect, named, method) in [("r3", "T10/06-449r3", "IKE-AUTH"), ("spc4", "SPC-4", "SA_AUTH_OUT")] {
        let mut desk = Desk::new(dialect, "capabilities");
        let (status, out, err) = desk.run(&["@", "capabilities"]);
        assert_eq!((status, err.as_str()), (0, ""), "{out}");
        for line in ["SA creation capabilities\n", named, "ENCR_AES_CBC, 16 bytes of key", "D-H", method] {
            assert!(out.contains(line), "{line}: {out}");
        }
        let (_, out, _) = desk.run(&["@", "capabilities", "--json"]);
        let json: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(json["dialect"], dialect);
        let encryption = |each: &&Value| each["type"] == "ENCR" && each["attributes"] == "00000010";
        assert!(json["algorithms"].as_array().unwrap().iter().filter(encryption).count() > 1);
        // The other dialect, where it is insisted on.
        let other = if dialect == "r3" { "spc4" } else { "r3" };
        let (status, out, err) = desk.run(&["@", "capabilities", "--dialect", other]);
        assert_eq!((status, out.as_str()), (1, ""));
        assert!(err.starts_with("ikev2-scsi-initiator: capabilities: Data-In "), "{err}");
    }
}

#[test]
fn create_show_and_delete_in_three_command_lines() {
    for dialect in ["r3", "spc4"] {
        let mut desk = Desk::new(dialect, "three");
        let (file, provisioning) = (desk.file("sa"), desk.provisioning());
        let (status, out, err) = desk.run(&["@", "create", "--provisioning", &provisioning, "--save", &file]);
        assert_eq!((status, err.as_str(), desk.sas()), (0, "", 1), "{out}");
        for part in ["created\n", "iqn.2007-04.org.example:drive-9 by a shared key", "iqn.2007-04.org.example:host-1"] {
            assert!(out.contains(part), "{part}: {out}");
        }
        for part in ["AC_SAI", "DS_SAI", "3600 s without use", "key exchange IN", "MGMT"] {
            assert!(out.contains(part), "{part}: {out}");
        }

        let (status, out, _) = desk.run(&["show", &file]);
        assert_eq!(status, 0);
        assert!(out.contains(SHOWN) && out.contains("SK_ei 36 bytes") && !out.contains("sesame"), "{out}");
        let key = {
            let unit = desk.unit.borrow();
            let sa = unit.server.sas().iter().next().unwrap();
            let mut key = String::new();
            crate::saved::push_hex(&mut key, sa.parameters.sk_ei());
            key
        };
        assert!(!out.contains(&key) && has_key(&key));
        let (_, out, _) = desk.run(&["show", &file, "--show-secrets"]);
        assert!(out.contains(&format!("SK_ei {key}")), "{out}");
        let (_, out, _) = desk.run(&["show", &file, "--json"]);
        assert!(!out.contains(&key) && serde_json::from_str::<Value>(&out).unwrap()["TIMEOUT"] == 3600);

        let (status, out, err) = desk.run(&["delete", &file]);
        assert_eq!((status, err.as_str(), desk.sas()), (0, "", 0), "{out}");
        assert!(out.starts_with("Security association deleted\n"), "{out}");
        assert_eq!(desk.opened, [SHOWN, SHOWN]);
        assert!(!PathBuf::from(file).exists());
    }
}

#[test]
fn create_and_delete_at_once_as_json() {
    for dialect in ["r3", "spc4"] {
        let mut desk = Desk::new(dialect, "once");
        let provisioning = desk.provisioning();
        let line = ["@", "create", "--delete", "--json", "--provisioning", &provisioning];
        let (status, out, _) = desk.run(&line);
        assert_eq!((status, desk.sas()), (0, 0));
        let json: Value = serde_json::from_str(&out).unwrap();
        let steps: Vec<_> = json["commands"].as_array().unwrap().iter().map(|each| &each["step"]).collect();
        assert_eq!(steps.len(), 6);
        assert_eq!(steps[5], "delete");
        assert!(json["took"].as_u64().unwrap() > 0 && json["AC_SAI"].is_string());
    }
}

#[test]
fn an_association_that_is_gone_keeps_its_file() {
    let mut desk = Desk::new("spc4", "gone");
    let (file, provisioning) = (desk.file("sa"), desk.provisioning());
    desk.run(&["@", "create", "--provisioning", &provisioning, "--save", &file]);
    desk.unit.borrow_mut().server.reset();
    let (status, out, err) = desk.run(&["@", "delete", &file, "--json"]);
    assert_eq!(status, 1);
    assert!(err.starts_with("ikev2-scsi-initiator: delete: refused by the device server: "), "{err}");
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&json["step"], &json["sense"]["key"]), (&Value::from("delete"), &Value::from(5)));
    assert!(PathBuf::from(&file).exists());
}

#[test]
fn nothing_is_created_that_cannot_be_kept() {
    let mut desk = Desk::new("r3", "kept");
    let (file, provisioning) = (desk.file("sa"), desk.provisioning());
    std::fs::write(&file, "precious").unwrap();
    let (status, _, err) = desk.run(&["@", "create", "--provisioning", &provisioning, "--save", &file]);
    assert_eq!((status, desk.sas(), desk.opened.len()), (1, 0, 0));
    assert!(err.contains("File exists"), "{err}");
    // And no file is left of an association that was not created.
    let other = desk.file("other");
    desk.unit.borrow_mut().say([Some(check_condition(&[0x72, 5, 0x20, 0, 0, 0, 0, 0]))]);
    let (status, _, err) = desk.run(&["@", "create", "--provisioning", &provisioning, "--save", &other]);
    assert_eq!((status, PathBuf::from(other).exists()), (1, false));
    assert!(
        err.contains("INVALID COMMAND OPERATION CODE (20h/00h); the logical unit has no SECURITY PROTOCOL"),
        "{err}"
    );
}

#[test]
fn a_key_log_opens_what_was_sent_and_is_written_only_if_asked_for() {
    let mut desk = Desk::new("r3", "key-log");
    let (log, provisioning) = (desk.file("keys"), desk.provisioning());
    desk.run(&["@", "create", "--provisioning", &provisioning]);
    assert!(!PathBuf::from(&log).exists());
    desk.run(&["@", "create", "--provisioning", &provisioning, "--keylog", &log]);
    let text = std::fs::read_to_string(&log).unwrap();
    for name in ["SK_ei ", "SK_er ", "SK_ai ", "SK_ar ", "SKEYSEED "] {
        assert!(text.lines().any(|line| line.starts_with(name)), "{name}");
    }
}

#[test]
fn who_waits_is_told_how_far_the_device_server_is() {
    let mut desk = Desk::new("r3", "progress");
    let provisioning = desk.provisioning();
    // The first pauses are too short to be told of.
    let putting_off = (0..6).map(|_| not_ready(0)).chain([not_ready(0x2000), not_ready(0x8000)]);
    desk.unit.borrow_mut().say([None, None].into_iter().chain(putting_off.map(Some)));
    let (status, _, err) = desk.run(&["@", "create", "--provisioning", &provisioning, "--verbose"]);
    assert_eq!(status, 0);
    let name = "key exchange IN: waiting: LOGICAL UNIT NOT READY, OPERATION IN PROGRESS";
    for line in
        [format!("{name}, 12 % done\n"), format!("{name}, 50 % done\n"), "capabilities: GOOD, 0 bytes out".into()]
    {
        assert!(err.contains(&line), "{line}: {err}");
    }
}

#[test]
fn a_bench_leaves_nothing_behind() {
    let mut desk = Desk::new("spc4", "bench");
    let provisioning = desk.provisioning();
    let (status, out, _) = desk.run(&["@", "bench", "3", "--provisioning", &provisioning, "--json"]);
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((status, &json["count"], desk.sas()), (0, &Value::from(3), 0));
}

#[test]
fn wrong_lines_and_files() {
    let mut desk = Desk::new("r3", "wrong");
    let (status, out, err) = desk.run(&["@", "explode"]);
    assert_eq!((status, out.as_str()), (2, ""));
    assert!(err.ends_with("Try ikev2-scsi-initiator --help.\n"), "{err}");
    let (status, out, _) = desk.run(&["--help"]);
    assert_eq!((status, out.as_str()), (0, HELP));
    let (status, _, err) = desk.run(&["@", "create", "--provisioning", "/nonexistent.toml"]);
    assert_eq!(status, 1);
    assert!(err.contains("/nonexistent.toml"), "{err}");
    // A device server's provisioning is no application client's.
    let servers = desk.provisioning().replace("client", "server");
    let (status, _, err) = desk.run(&["@", "create", "--provisioning", &servers]);
    assert!(status == 1 && err.contains("is for device servers"), "{err}");
}
