//! Names of additional sense codes against sg3_utils' table, which is T10's list of assigned codes.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test may panic, and says what it leaves out"
)]

use std::process::Command;

use ikev2_scsi::Dialect;
use ikev2_scsi::client::DeviceSense;
use ikev2_scsi_initiator::sense::{ASSIGNED, Named, key_name};

/// What sg_decode_sense prints of sense data in descriptor format; `None` without the program.
fn decoded(key: u8, code: u8, qualifier: u8) -> Option<String> {
    let bytes = [0x72, key, code, qualifier, 0, 0, 0, 0].map(|byte: u8| format!("{byte:02x}"));
    let ended = Command::new("sg_decode_sense").args(bytes).output().ok()?;
    Some(String::from_utf8(ended.stdout).unwrap().to_uppercase())
}

#[test]
fn assigned_codes_are_named_as_sg3_utils_names_them() {
    for (code, qualifier, name) in ASSIGNED {
        let Some(theirs) = decoded(5, code, qualifier) else {
            eprintln!("WARNING: skipped: no sg_decode_sense");
            return;
        };
        assert!(theirs.contains(&name.to_uppercase()), "{code:02X}h/{qualifier:02X}h {name}: {theirs}");
        // What we show of them in SPC-4 is that name.
        let sense = DeviceSense::parse(&[0x72, 5, code, qualifier]).unwrap();
        let named = Named { sense, dialect: Some(Dialect::Spc4) };
        assert_eq!(named.asc_name().as_deref(), Some(name));
    }
}

#[test]
fn sense_keys_are_named_as_sg3_utils_names_them() {
    for key in (0..=0xF_u8).filter(|key| *key != 0xC) {
        let Some(theirs) = decoded(key, 0, 0) else {
            eprintln!("WARNING: skipped: no sg_decode_sense");
            return;
        };
        assert!(theirs.contains(key_name(key)), "{key:X}h {}: {theirs}", key_name(key));
    }
}
