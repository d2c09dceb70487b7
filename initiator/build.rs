//! Asks pkg-config where libiscsi is, if it is wanted.
#![allow(clippy::print_stdout, reason = "a build script talks to cargo on its standard output")]

use std::env;
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=PKG_CONFIG");
    println!("cargo::rerun-if-env-changed=PKG_CONFIG_PATH");
    if env::var_os("CARGO_FEATURE_ISCSI").is_none() {
        return ExitCode::SUCCESS;
    }
    let program = env::var_os("PKG_CONFIG").unwrap_or_else(|| "pkg-config".into());
    // The layout of `struct scsi_task` that `iscsi::ffi` knows came with this version.
    let asked = Command::new(program).args(["--libs", "libiscsi >= 1.18"]).output();
    let found = match asked {
        Ok(answer) if answer.status.success() => answer.stdout,
        Ok(answer) => return missing(&String::from_utf8_lossy(&answer.stderr)),
        Err(error) => return missing(&error.to_string()),
    };
    for word in String::from_utf8_lossy(&found).split_whitespace() {
        if let Some(directory) = word.strip_prefix("-L") {
            println!("cargo::rustc-link-search=native={directory}");
        } else if let Some(library) = word.strip_prefix("-l") {
            println!("cargo::rustc-link-lib={library}");
        }
    }
    ExitCode::SUCCESS
}

fn missing(reason: &str) -> ExitCode {
    println!("cargo::error=feature `iscsi` takes libiscsi and pkg-config (Debian: libiscsi-dev, pkg-config): {reason}");
    ExitCode::FAILURE
}
