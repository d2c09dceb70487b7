//! The house rules that neither the compiler nor clippy reads (`CONTRIBUTING.md`).
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    reason = "a test may panic"
)]

mod tree;

/// The lines of the files below `under` that `wrong` finds, as `path:line: text`.
fn lines(under: &str, wrong: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in tree::files(under) {
        let numbered = text.lines().enumerate().filter(|(_, line)| wrong(&path, line));
        found.extend(numbered.map(|(i, line)| format!("{path}:{}: {line}", i + 1)));
    }
    found
}

/// The dependencies of a manifest that no comment justifies: it stands above them or above their group, and an empty
/// line or a new table ends a group.
fn unjustified(manifest: &str) -> Vec<&str> {
    let (mut in_dependencies, mut justified) = (false, false);
    let mut found = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            in_dependencies = line.contains("dependencies");
            justified = false;
            // One dependency in a table of its own is out of reach of this test.
            found.extend(line.contains("dependencies.").then_some(line));
        } else if line.starts_with('#') {
            justified = true;
        } else if line.is_empty() {
            justified = false;
        } else if in_dependencies && !justified && line.starts_with(char::is_alphanumeric) {
            found.push(line);
        }
    }
    found
}

/// How often `version` stands in `text` as a version of its own.
fn mentions(text: &str, version: &str) -> usize {
    let part = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    let whole = |i: usize| {
        let (before, after) = (&text[..i], &text[i + version.len()..]);
        !part(before.chars().next_back()) && !before.ends_with('.') && !part(after.chars().next())
    };
    text.match_indices(version).filter(|(i, _)| whole(*i)).count()
}

#[test]
fn no_source_file_is_longer_than_500_lines() {
    for (path, text) in tree::files("src").iter().filter(|(path, _)| path.ends_with(".rs")) {
        assert!(text.lines().count() <= 500, "{path} has {} lines", text.lines().count());
    }
}

#[test]
fn every_dependency_is_justified() {
    for (path, text) in tree::files("").iter().filter(|(path, _)| path.ends_with("Cargo.toml")) {
        assert_eq!(unjustified(text), [""; 0], "{path}: say in a comment above it what it is for");
    }
    assert_eq!(unjustified("[dependencies]\n# Why.\na = \"1\"\nb = \"1\"\n\nc = \"1\""), ["c = \"1\""]);
    assert_eq!(unjustified("# Why.\n[dev-dependencies]\na = \"1\"\n[lints]\nx = 1"), ["a = \"1\""]);
}

#[test]
fn the_minimum_rust_version_is_stated_once() {
    let manifest = include_str!("../Cargo.toml");
    let stated = manifest.lines().find_map(|line| line.strip_prefix("rust-version = "));
    let version = stated.unwrap().trim_matches('"');
    let ours = |path: &str| [".toml", ".md", ".rs", ".yml", ".ci/run"].iter().any(|end| path.ends_with(end));
    let files = tree::files("").into_iter().filter(|(path, _)| ours(path));
    let counts = files.map(|(path, text)| (mentions(&text, version), path)).filter(|(count, _)| *count > 0);
    assert_eq!(counts.collect::<Vec<_>>(), [(1, "Cargo.toml".into())]);
    assert_eq!(mentions("1.2, 1.23, 0.1.2, 11.2, 1.2.0", "1.2"), 2);
}

#[test]
fn nothing_is_left_for_later() {
    let later = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("to", "do!"),
        concat!("unimpl", "emented!"),
        concat!("#[ig", "nore"),
    ];
    for under in ["src", "tests"] {
        let found = lines(under, |_, line| later.iter().any(|word| line.contains(word)));
        assert!(found.is_empty(), "\n{}", found.join("\n"));
    }
}

#[test]
fn no_machine_and_no_em_dash_is_in_the_text() {
    let machine = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];
    let found = lines("", |_, line| line.contains('\u{2014}') || machine.iter().any(|path| line.contains(path)));
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}
