//! What is written is read again, for its owner alone; what is damaged is told by the name of the line.

use super::*;
use crate::exchange::{Exchanges, Patience};
use crate::test_unit::{Seen, TestUnit, config};
use ikev2_scsi_provisioning::SystemRandom;

/// A directory of its own, which goes when the test ends.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("ikev2-scsi-saved-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("association")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn saved(dialect: &str) -> (Saved, TestUnit) {
    let (mut unit, mut seen, config) = (TestUnit::new(dialect), Seen::default(), config(dialect));
    let mut exchanges = Exchanges::new(&mut unit, config.profile(), Patience::default(), &mut seen);
    let created = exchanges.create(&config, None, &mut SystemRandom).unwrap();
    let peer = created.device_server.map(|peer| peer.identity);
    (Saved::new("iscsi://host:3260/iqn.x/1".into(), config.profile(), peer, created.parameters), unit)
}

#[test]
fn what_is_written_is_read_again() {
    for dialect in ["r3", "spc4"] {
        let directory = Directory::new(dialect);
        let (saved, _) = saved(dialect);
        Reserved::make(&directory.file()).unwrap().write(&saved).unwrap();
        let mode = std::fs::metadata(directory.file()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(Saved::load(&directory.file()).unwrap(), saved);
        assert!(saved.created > 1_700_000_000);
    }
    // Header bits and sense codes of another kind, and nobody authenticated.
    let (mut other, _) = saved("r3");
    other.profile.header_flags = HeaderFlags::Rfc4306;
    other.profile.sense_codes = SenseCodes::Assigned;
    other.device_server = None;
    assert_eq!(Saved::from_text(&other.to_text(), Path::new("f")).unwrap(), other);
}

#[test]
fn a_file_that_is_there_is_left_alone_and_one_that_is_not_needed_goes() {
    let directory = Directory::new("reserved");
    std::fs::write(directory.file(), "precious").unwrap();
    let error = Reserved::make(&directory.file()).unwrap_err().to_string();
    assert!(error.ends_with("association: File exists (os error 17)"), "{error}");
    assert_eq!(std::fs::read_to_string(directory.file()).unwrap(), "precious");
    std::fs::remove_file(directory.file()).unwrap();
    drop(Reserved::make(&directory.file()).unwrap());
    assert!(!directory.file().exists());
}

#[test]
fn a_file_that_others_may_read_is_refused() {
    let directory = Directory::new("mode");
    let (saved, _) = saved("r3");
    Reserved::make(&directory.file()).unwrap().write(&saved).unwrap();
    for mode in [0o640, 0o604, 0o644, 0o620] {
        std::fs::set_permissions(directory.file(), PermissionsExt::from_mode(mode)).unwrap();
        let error = Saved::load(&directory.file()).unwrap_err();
        assert!(matches!(error, SavedError::Open { mode: seen, .. } if seen == mode), "{error}");
    }
}

/// Each line is needed; a digit too few, a number too great and another format are told.
#[test]
fn damage_is_told_by_the_name_of_the_line() {
    let (saved, _) = saved("spc4");
    let text = saved.to_text();
    let load = |text: &str| Saved::from_text(text, Path::new("f"));
    let optional = ["header_flags", "sense_codes", "usage_encr", "device_server_id_type"];
    for line in text.lines().skip(2) {
        let name = line.split_once(' ').unwrap().0;
        if !optional.contains(&name) {
            let without: String = text.lines().filter(|other| *other != line).map(|line| format!("{line}\n")).collect();
            let error = load(&without).unwrap_err();
            assert!(matches!(error, SavedError::Line { name: told, .. } if told == name), "{name}: {error}");
        }
    }
    let replaced = |from: &str, to: &str| load(&text.replacen(from, to, 1)).unwrap_err().to_string();
    assert_eq!(replaced("\nusage_type 129\n", "\nusage_type 65536\n"), "f: usage_type is missing or wrong");
    assert_eq!(replaced("\nac_sai ", "\nac_sai 0"), "f: ac_sai is missing or wrong");
    assert_eq!(replaced("\nac_sai ", "\nac_sai 00"), "f: ac_sai is missing or wrong");
    assert_eq!(replaced("\ndialect spc4", "\ndialect spc5"), "f: dialect is missing or wrong");
    assert_eq!(replaced("association-1", "association-2"), "f: not a saved association of this format");
    assert!(matches!(load(""), Err(SavedError::Format(_))));
}

/// Neither errors nor Debug show a key.
#[test]
fn keys_are_in_the_file_and_nowhere_else() {
    let (saved, _) = saved("r3");
    let mut key = String::new();
    push_hex(&mut key, saved.parameters.sk_ei());
    assert!(saved.to_text().contains(&key) && !format!("{saved:?}").contains(&key));
}
