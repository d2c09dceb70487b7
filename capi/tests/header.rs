//! The header that is committed is the one that the sources make.
#![allow(clippy::unwrap_used, clippy::string_slice, reason = "a test may panic")]

use std::fs;
use std::path::Path;

/// With this variable set, the header is written, and not compared.
const WRITE: &str = "IKEV2_SCSI_WRITE_HEADER";

/// What the sources make.
fn made() -> String {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(directory.join("cbindgen.toml")).unwrap();
    let mut made = Vec::new();
    let builder = cbindgen::Builder::new().with_src(directory.join("src/lib.rs")).with_config(config);
    builder.generate().unwrap().write(&mut made);
    String::from_utf8(made).unwrap()
}

#[test]
fn the_header_is_that_of_the_sources() {
    let (made, committed) = (made(), Path::new(env!("CARGO_MANIFEST_DIR")).join("include/ikev2_scsi.h"));
    if std::env::var_os(WRITE).is_some() {
        fs::write(&committed, &made).unwrap();
    }
    let text = fs::read_to_string(&committed).unwrap_or_default();
    let first = text.lines().zip(made.lines()).enumerate().find(|(_, (old, new))| old != new);
    let advice = format!("{WRITE}=1 cargo test -p ikev2-scsi-capi --test header makes it anew");
    assert!(text == made, "{advice}; the first difference is {first:?}");
}

/// What is exported is in the header, once, and the other way round.
#[test]
fn every_function_is_declared_once() {
    let mut exported = Vec::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let functions = text.split("#[unsafe(no_mangle)]").skip(1).map(|text| text.split('(').next().unwrap());
        exported.extend(functions.map(|head| head.split_whitespace().last().unwrap().to_string()));
    }
    let header = made();
    let code = header.lines().filter(|line| !line.trim_start().starts_with("//") && !line.starts_with(" *"));
    let code: String = code.collect::<Vec<_>>().join("\n");
    let names = code.match_indices("ikev2_scsi_").map(|(at, _)| &code[at..]);
    let called = |text: &str| {
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_')?;
        text[end..].starts_with('(').then(|| text[..end].to_string())
    };
    let mut declared: Vec<String> = names.filter_map(called).collect();
    declared.sort();
    exported.sort();
    assert!(exported.len() > 40, "{exported:?}");
    assert_eq!(declared, exported);
}
