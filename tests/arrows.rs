//! The arrows between the rooms: a room looks only to its left, and nobody looks through the crate root's re-exports.
//!
//! Every path of `src/` that begins with `crate`, `super` or `self` is read, comments and strings left out, and
//! resolved to the room that it reaches. What may see what is said once, in [`LINE`] and [`may_see`].
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    reason = "a test may panic"
)]

mod lexer;
mod tree;

use lexer::tokens;

/// The rooms from left to right.
const LINE: [&str; 14] = [
    "memory",
    "collections",
    "time",
    "dialect",
    "algorithm",
    "wire",
    "crypto",
    "capabilities",
    "keys",
    "esp",
    "sense",
    "sa",
    "ccs",
    "server",
];

/// Modules beside the line: nobody but `lib.rs` looks into them, but for what is in `may_see`.
const LEAVES: [&str; 6] = ["provider", "aws_lc", "client", "x509", "guide", TESTED];

/// The provider under test, which is a file of tests/.
const TESTED: &str = "tested";

/// Whether code of the room `from` may name the room `to`.
fn may_see(from: &str, to: &str, in_test: bool) -> bool {
    let place = |room| LINE.iter().position(|r| *r == room);
    match from {
        _ if from == to => true,
        _ if [TESTED, "provider"].contains(&to) => in_test || (from, to) == ("aws_lc", "provider"),
        "memory" | "guide" => false,
        _ if to == "memory" => true,
        "collections" | "time" | "dialect" => false,
        "provider" | "aws_lc" => ["algorithm", "crypto"].contains(&to),
        "x509" => ["time", "wire", "crypto"].contains(&to),
        "client" => ["time", "dialect", "algorithm", "wire", "crypto", "keys"].contains(&to),
        _ => place(to).is_some_and(|to| Some(to) < place(from)),
    }
}

/// The module that a file of `src/` is: `wire/codec.rs` is `wire::codec`.
fn module_of(file: &str) -> Vec<&str> {
    let mut module: Vec<&str> = file.trim_end_matches(".rs").split('/').collect();
    module.pop_if(|last| *last == "mod");
    module
}

/// What is wrong with the paths in `source`, the text of `file` (a path below `src/`).
fn wrong_arrows(file: &str, source: &str) -> Vec<String> {
    if file == "lib.rs" {
        return Vec::new();
    }
    let file_module = module_of(file);
    let room = file_module[0];
    if !LINE.contains(&room) && !LEAVES.contains(&room) {
        return vec![format!("{file}: no such room in tests/arrows.rs")];
    }
    let mut wrong = Vec::new();
    for Found { path, in_test } in paths(&file_module, &tokens(source)) {
        let why = match path.first().map(String::as_str) {
            None | Some("*") => "names the crate root itself",
            Some(to) if to.starts_with(char::is_uppercase) => "goes through a re-export of the crate root",
            Some(to) if !LINE.contains(&to) && !LEAVES.contains(&to) => "reaches no room",
            Some(to) if !may_see(room, to, in_test) => "is an arrow to the right",
            Some(_) => continue,
        };
        wrong.push(format!("{file}: `crate::{}` {why}", path.join("::")));
    }
    wrong
}

/// A path, resolved to begin at the crate root.
struct Found {
    path: Vec<String>,
    in_test: bool,
}

/// Every path that begins with `crate`, `super` or `self`, in the order of the text.
fn paths(file_module: &[&str], tokens: &[String]) -> Vec<Found> {
    let at = |i: usize| tokens.get(i).map_or("", String::as_str);
    let mut found = Vec::new();
    // The braces that are open: the inline module that one opens, if it does, and whether it is test code.
    let mut open: Vec<(Option<&str>, bool)> = Vec::new();
    let mut test_follows = file_module.last() == Some(&"tests");
    let whole_file_tests = test_follows;
    let mut i = 0;
    while i < tokens.len() {
        match at(i) {
            "#" if (1..7).map(|k| at(i + k)).eq(["[", "cfg", "(", "test", ")", "]"]) => test_follows = true,
            ";" => test_follows = false,
            "{" => {
                let module = (i >= 2 && at(i - 2) == "mod").then(|| at(i - 1));
                open.push((module, test_follows));
                test_follows = false;
            }
            "}" => {
                open.pop();
            }
            "crate" | "super" | "self" if ["::", "as"].contains(&at(i + 1)) && (i == 0 || at(i - 1) != "::") => {
                let module = file_module.iter().copied().chain(open.iter().filter_map(|(module, _)| *module));
                let here: Vec<String> = module.map(String::from).collect();
                let in_test = whole_file_tests || test_follows || open.iter().any(|(_, test)| *test);
                let (end, tree) = use_tree(tokens, i, &here);
                found.extend(tree.into_iter().map(|path| Found { path, in_test }));
                i = end;
                continue;
            }
            _ => {}
        }
        i += 1;
    }
    found
}

/// The paths of the tree `a::b::{c, d::*}` that begins at token `i` inside the module `prefix`, and where it ends.
fn use_tree(tokens: &[String], mut i: usize, prefix: &[String]) -> (usize, Vec<Vec<String>>) {
    let at = |i: usize| tokens.get(i).map_or("", String::as_str);
    let mut path = prefix.to_vec();
    loop {
        match at(i) {
            "crate" => path.clear(),
            "super" => drop(path.pop()),
            "self" => {}
            "{" => break,
            // A turbofish: the path ended before it.
            "<" => return (i, vec![path]),
            segment => path.push(segment.into()),
        }
        i += 1;
        if at(i) != "::" {
            return (if at(i) == "as" { i + 2 } else { i }, vec![path]);
        }
        i += 1;
    }
    let mut all = Vec::new();
    i += 1;
    while !["}", ""].contains(&at(i)) {
        let (end, branch) = use_tree(tokens, i, &path);
        all.extend(branch);
        i = if at(end) == "," { end + 1 } else { end };
    }
    (i + 1, all)
}

#[test]
fn no_room_looks_to_its_right() {
    let files = tree::files("src");
    let sources: Vec<_> = files.iter().filter(|(path, _)| path.ends_with(".rs")).collect();
    assert!(sources.len() > 20, "the walk found only {} source files", sources.len());
    let wrong: Vec<_> = sources.iter().flat_map(|(path, text)| wrong_arrows(&path["src/".len()..], text)).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// How often the tokens look at a dialect: a variant named, or the field compared or matched.
///
/// Handing the dialect on, as errors do, is no look at it; a variant cannot be imported, for `Dialect::{` counts as well.
fn looks_at_dialect(tokens: &[String]) -> usize {
    let at = |i: usize| tokens.get(i).map_or("", String::as_str);
    let named = |i: usize| at(i) == "Dialect" && at(i + 1) == "::";
    let compared = |i: usize| at(i) == "." && at(i + 1) == "dialect" && ["=", "!", "{"].contains(&at(i + 2));
    (0..tokens.len()).filter(|i| named(*i) || compared(*i)).count()
}

/// What differs between dialects is data of the room `dialect`. One place branches: the table of what may come when is not a
/// number but a table of its own for each dialect, whose documentation, code and test are one. It names each dialect once.
#[test]
fn one_place_outside_its_room_looks_at_the_dialect() {
    let files = tree::files("src");
    let outside = files.iter().filter(|(path, _)| path.ends_with(".rs") && !path.starts_with("src/dialect/"));
    let looks = outside.map(|(path, text)| (path.as_str(), looks_at_dialect(&tokens(text)))).filter(|(_, n)| *n > 0);
    assert_eq!(looks.collect::<Vec<_>>(), [("src/ccs/table.rs", 2)]);
    for (source, count) in [
        ("match dialect { Dialect::R3 => 1, Dialect::Spc4 => 2 }", 2),
        ("if profile.dialect == Dialect::Spc4 {}", 2),
        ("match profile.dialect { _ => {} }", 1),
        ("use crate::dialect::Dialect::{R3, Spc4};", 1),
        ("table::decide(profile.dialect, phase, step); E::NotSpoken(self.profile.dialect)", 0),
        ("// Dialect::R3\nuse crate::dialect::{Dialect, Profile};", 0),
    ] {
        assert_eq!(looks_at_dialect(&tokens(source)), count, "{source}");
    }
}

/// How many wrong arrows there are in a snippet of a file.
fn count(file: &str, source: &str) -> usize {
    wrong_arrows(file, source).len()
}

#[test]
fn arrows_to_the_left_pass() {
    assert_eq!(count("server/mod.rs", "use crate::{ccs::{self, table}, wire::Message, time::Instant};"), 0);
    assert_eq!(count("wire/codec.rs", "use super::error::{WireError as E}; use super::*; use crate::wire::X;"), 0);
    assert_eq!(count("client/mod.rs", "use crate::keys::Schedule; fn f() { crate::wire::a::b::<u8>() }"), 0);
    assert_eq!(count("provider/aes.rs", "use crate::{algorithm, crypto::Cipher}; pub(crate) use super::hmac;"), 0);
    assert_eq!(count("lib.rs", "pub use crate::server::DeviceServer; pub use sa::SaDatabase;"), 0);
}

#[test]
fn arrows_to_the_right_are_caught() {
    assert_eq!(count("wire/mod.rs", "use crate::server::DeviceServer;"), 1);
    assert_eq!(count("sa.rs", "use super::ccs::Ccs;"), 1);
    assert_eq!(count("wire/codec.rs", "fn f() { super::super::crypto::g(); }"), 1);
    assert_eq!(count("time.rs", "mod inner { use super::super::dialect::Profile; }"), 1);
    assert_eq!(count("dialect/mod.rs", "use crate::time::Instant;"), 1);
    assert_eq!(count("keys/mod.rs", "pub(in crate::keys) fn f(x: &dyn crate::client::T) {}"), 1);
    assert_eq!(count("client/mod.rs", "use crate::capabilities::Selection;"), 1);
    assert_eq!(count("provider/aes.rs", "use crate::wire::Message;"), 1);
    assert_eq!(count("x509/mod.rs", "use crate::{keys::Schedule, dialect::Profile, wire::IdType};"), 2);
    assert_eq!(count("server/mod.rs", "use crate::x509::ChainValidator;"), 1);
    assert_eq!(count("guide.rs", "use crate::time::Instant;"), 1);
    assert_eq!(count("sense.rs", "macro_rules! m { () => { $crate::sa::f() } }"), 1);
}

#[test]
fn grouped_imports_are_read() {
    assert_eq!(count("wire/mod.rs", "use crate::{dialect::Profile, keys::{self, prf_plus}, sa};"), 3);
    assert_eq!(count("wire/mod.rs", "use {crate::time::Instant, crate::ccs::Ccs, super::server as s};"), 2);
    assert_eq!(count("wire/codec.rs", "use super::{error, super::{time, crypto::*}};"), 1);
}

#[test]
fn the_crate_root_is_no_way_around() {
    assert_eq!(count("sa.rs", "use crate::Instant;"), 1);
    assert_eq!(count("sa.rs", "use crate::{DeviceServer, time::Instant};"), 1);
    assert_eq!(count("sa.rs", "use super::*;"), 1);
    assert_eq!(count("sa.rs", "use crate as root; use super as root; use crate::{self as root};"), 3);
    assert_eq!(count("sa.rs", "use crate::helpers::x;"), 1);
    assert_eq!(count("helpers.rs", ""), 1);
}

#[test]
fn tests_may_use_the_provider_and_nothing_else() {
    let inline = "#[cfg(test)] #[allow(x)] mod tests { use super::*; use crate::provider; use crate::server; }";
    assert_eq!(count("keys/mod.rs", inline), 1);
    assert_eq!(count("keys/tests.rs", "use crate::provider; use crate::server;"), 1);
    assert_eq!(count("keys/tests.rs", "use crate::tested; use crate::aws_lc;"), 1);
    assert_eq!(count("keys/mod.rs", "use crate::provider; use crate::tested;"), 2);
    assert_eq!(count("aws_lc/rsa.rs", "use crate::provider; use crate::crypto::Signer; use crate::wire::Body;"), 1);
    assert_eq!(count("keys/mod.rs", "#[cfg(test)] mod tests {} use crate::provider;"), 1);
    assert_eq!(count("keys/mod.rs", "#[cfg(test)] mod tests; mod other { use crate::provider; }"), 1);
}

#[test]
fn comments_and_strings_are_no_paths() {
    let prose = "//! [`crate::server`]\n/* crate::sa /* super::sa */ crate::ccs */ fn f<'a>() { '\"'; '\\''; b'\"'; }";
    assert_eq!(count("wire/mod.rs", prose), 0);
    assert_eq!(count("wire/mod.rs", "const A: &str = \"crate::sa \\\" crate::ccs\"; use crate::sa;"), 1);
    assert_eq!(count("wire/mod.rs", "const A: &str = r#\"crate::sa \" crate::ccs\"#; use crate::sa;"), 1);
}
