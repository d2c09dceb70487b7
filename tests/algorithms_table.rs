//! The table in `src/guide/algorithms.md` is the one of the code, and what it names is there.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may panic"
)]

use std::path::{Path, PathBuf};

use ikev2_scsi::algorithm::{AlgorithmType, TABLE};

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(project(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The cells of each line of the table, its head left out.
fn rows() -> Vec<Vec<String>> {
    let text = read("src/guide/algorithms.md");
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let lines: Vec<_> = text.lines().filter(|line| line.starts_with('|')).map(cells).collect();
    assert!(lines.iter().all(|cells| cells.len() == 11), "nine columns each");
    assert_eq!(lines[0][1..3], ["type", "identifier"]);
    lines.into_iter().skip(2).map(|cells| cells[1..10].to_vec()).collect()
}

/// A list of names in backticks.
fn names(cell: &str) -> Vec<&str> {
    cell.split(", ").map(|name| name.strip_prefix('`').and_then(|name| name.strip_suffix('`')).expect(cell)).collect()
}

#[test]
fn every_row_of_the_code_is_there_once_and_in_its_order() {
    let printed: Vec<_> = rows().iter().map(|cells| cells[..4].to_vec()).collect();
    let in_code = TABLE.iter().map(|row| {
        let mandatory = if row.mandatory { "mandatory" } else { "optional" };
        let identifier = format!("{:08X}h", row.identifier);
        vec![row.algorithm_type.name().to_owned(), identifier, row.name.to_owned(), mandatory.to_owned()]
    });
    assert_eq!(printed, in_code.collect::<Vec<_>>());
}

/// The file of a row of the provider has the object; that of another row has the function or member.
#[test]
fn what_implements_a_row_is_where_it_is_said_to_be() {
    for cells in rows() {
        let [file] = names(&cells[4])[..] else { panic!("one file: {cells:?}") };
        let [item] = names(&cells[5])[..] else { panic!("one item: {cells:?}") };
        let text = read(&format!("src/{file}"));
        let is_there = |before: &str, after: &str| text.contains(&format!("{before}{item}{after}"));
        let found = match file.starts_with("provider/") {
            true => is_there("pub const ", ": &dyn "),
            false => is_there("fn ", "(") || is_there("pub ", ": Option<"),
        };
        assert!(found, "{file} has no {item}");
    }
}

/// The provider lists exactly the rows that are implemented in `provider/`.
#[cfg(feature = "rustcrypto")]
#[test]
fn the_provider_has_the_rows() {
    use ikev2_scsi::crypto::{KeyKind, SignatureScheme};
    let provider = ikev2_scsi::provider::provider();
    for (row, cells) in TABLE.iter().zip(rows()) {
        let id = row.identifier;
        let listed = match row.algorithm_type {
            AlgorithmType::Encryption => provider.ciphers.iter().any(|cipher| cipher.identifier() == id),
            AlgorithmType::PseudoRandom => provider.prf(id).is_some(),
            AlgorithmType::Integrity => provider.integrity(id).is_some(),
            AlgorithmType::DiffieHellman => provider.group(id).is_some(),
            AlgorithmType::Authentication => KeyKind::of_auth_method(id)
                .is_some_and(|key| provider.verifier(SignatureScheme::of_auth(key)).is_some()),
        };
        assert_eq!(listed, names(&cells[4])[0].starts_with("provider/"), "{cells:?}");
    }
}

#[test]
fn what_checks_a_row_is_there() {
    let kit = |kind| match kind {
        AlgorithmType::Encryption => "ciphers",
        AlgorithmType::PseudoRandom => "prfs",
        AlgorithmType::Integrity => "integrity",
        AlgorithmType::DiffieHellman => "groups",
        AlgorithmType::Authentication => "signatures",
    };
    for (row, cells) in TABLE.iter().zip(rows()) {
        for file in names(&cells[6]) {
            assert!(project(&format!("vectors/{file}")).is_file(), "no file vectors/{file}");
        }
        let lines = read(&format!("vectors/conformance/{}.txt", kit(row.algorithm_type)));
        let of_row = |line: &&str| {
            let identifier = line.split(' ').next().and_then(|word| u32::from_str_radix(word, 16).ok());
            identifier == Some(row.identifier)
        };
        let count = lines.lines().filter(of_row).count();
        let printed = if cells[7].is_empty() { 0 } else { cells[7].parse().expect(&cells[7]) };
        assert_eq!(printed, count, "values in the kit: {cells:?}");
        assert_eq!(count > 0, cells[4].contains("provider/"), "the kit has values of what a provider has: {cells:?}");
    }
}

/// Every file of published values checks a row.
#[test]
fn no_published_value_is_left_out() {
    let table = read("src/guide/algorithms.md");
    for entry in std::fs::read_dir(project("vectors/primitives")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(name == "README.md" || table.contains(&format!("`primitives/{name}`")), "{name}");
    }
}
