//! The tables of `src/guide/conformance.md` and `src/guide/conformance_spc4.md`: every function and every test that they name
//! exists, every clause has its line, every "shall" a row or a reason why not, and the numbers add up.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    reason = "a test may panic"
)]

mod clauses;
mod lexer;
mod tree;

use std::collections::{BTreeMap, BTreeSet};

use lexer::tokens;

/// One guide, and what its tables are made of.
struct Guide {
    text: &'static str,
    clauses: &'static [(&'static str, u32)],
    /// The letters that rows of the device server and of the application client begin with.
    letters: [&'static str; 2],
    is_reading: fn(&str) -> bool,
    /// Fewer rows than these of the device server are not all of them.
    least_rows: usize,
}

const R3: Guide = Guide {
    text: include_str!("../src/guide/conformance.md"),
    clauses: clauses::R3,
    letters: ["D", "A"],
    is_reading: is_r3_reading,
    least_rows: 150,
};

const SPC4: Guide = Guide {
    text: include_str!("../src/guide/conformance_spc4.md"),
    clauses: clauses::SPC4,
    letters: ["E", "B"],
    is_reading: is_spc4_reading,
    least_rows: 200,
};

/// The project's source files by their paths, as tokens.
type Files = BTreeMap<String, Vec<String>>;

fn files() -> Files {
    let all = ["src", "tests"].into_iter().flat_map(tree::files);
    all.filter(|(path, _)| path.ends_with(".rs")).map(|(path, text)| (path, tokens(&text))).collect()
}

/// The cells of the rows of the table below the heading that begins with `heading`, without its own heading and ruler.
fn table<'a>(text: &'a str, heading: &str) -> Vec<Vec<&'a str>> {
    let after = text.lines().skip_while(|line| !line.strip_prefix("## ").is_some_and(|h| h.starts_with(heading)));
    let lines = after.skip(1).take_while(|line| !line.starts_with("## ")).filter(|line| line.starts_with('|'));
    let cells = |line: &'a str| line.trim_matches('|').split('|').map(str::trim).collect();
    lines.skip(2).map(cells).collect()
}

/// The items of a cell: what stands between commas, nothing for `-`.
fn items(cell: &str) -> Vec<&str> {
    if cell == "-" { Vec::new() } else { cell.split(", ").collect() }
}

fn number(text: &str) -> Option<u32> {
    text.parse().ok()
}

/// True for R1 to R40 and R31a.
fn is_r3_reading(name: &str) -> bool {
    let digits = name.strip_prefix('R').map_or("", |rest| rest.strip_suffix('a').unwrap_or(rest));
    number(digits).is_some_and(|n| (1..=40).contains(&n)) && (!name.ends_with('a') || name == "R31a")
}

/// True for S1 to S12, Q1 to Q36 and those readings of r3 that hold in SPC-4.
fn is_spc4_reading(name: &str) -> bool {
    const SHARED: [u32; 17] = [1, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 26, 30, 32, 37, 38, 40];
    let is = |letter: &str, n: u32| name == format!("{letter}{n}");
    (1..=12).any(|n| is("S", n)) || (1..=36).any(|n| is("Q", n)) || SHARED.into_iter().any(|n| is("R", n))
}

/// Whether `name` is a function at the top of a file, or of a type's `impl` blocks in it.
fn has_function(tokens: &[String], type_name: Option<&str>, name: &str) -> bool {
    let at = |i: usize| tokens.get(i).map_or("", String::as_str);
    let (mut depth, mut inside) = (0_usize, None);
    let mut i = 0;
    while i < tokens.len() {
        match at(i) {
            "{" => depth += 1,
            "}" => depth -= 1,
            "impl" if depth == 0 && (i == 0 || ["}", ";", "]"].contains(&at(i - 1))) => {
                let end = (i..tokens.len()).find(|k| at(*k) == "{").unwrap_or(tokens.len());
                inside = implementing(&tokens[i + 1..end]);
                i = end;
                continue;
            }
            "fn" if at(i + 1) == name => match type_name {
                None if depth == 0 => return true,
                Some(wanted) if depth == 1 && inside == Some(wanted) => return true,
                _ => {}
            },
            "mod" | "fn" | "struct" | "enum" | "trait" if depth == 0 => inside = None,
            _ => {}
        }
        i += 1;
    }
    false
}

/// The type that an `impl` is of; `head` is what stands between that word and the brace.
fn implementing(head: &[String]) -> Option<&str> {
    let is_name = |token: &&String| token.starts_with(|c: char| c.is_alphabetic());
    let start = match head.iter().position(|token| token == "for") {
        Some(at) => at + 1,
        None if head.first().is_some_and(|token| token == "<") => {
            let mut open = 0_i32;
            let closes = |token: &String| {
                open += i32::from(token == "<") - i32::from(token == ">");
                open == 0
            };
            head.iter().position(closes)? + 1
        }
        None => 0,
    };
    let path = head[start..].iter().take_while(|token| *token == "::" || is_name(token));
    path.filter(is_name).last().map(String::as_str)
}

/// Whether a path like `wire::header::Header::check` leads to a function.
fn resolves(files: &Files, path: &str) -> bool {
    let segments: Vec<&str> = path.split("::").collect();
    (1..segments.len()).rev().any(|modules| {
        let module = segments[..modules].join("/");
        let source = [format!("src/{module}.rs"), format!("src/{module}/mod.rs")].iter().find_map(|f| files.get(f));
        match (source, &segments[modules..]) {
            (Some(source), [function]) => has_function(source, None, function),
            (Some(source), [type_name, function]) => has_function(source, Some(type_name), function),
            _ => false,
        }
    })
}

/// Whether something like `tests/house.rs::nothing_is_left_for_later` is a test.
fn is_test(files: &Files, path: &str) -> bool {
    let Some((file, name)) = path.split_once("::") else { return false };
    let Some(tokens) = files.get(file) else { return false };
    let at = |i: usize| tokens.get(i).map_or("", String::as_str);
    (0..tokens.len()).filter(|i| at(*i) == "fn" && at(i + 1) == name).any(|mut i| {
        // The attributes before it, from the last to the first.
        while i > 0 && at(i - 1) == "]" {
            let open = (0..i).rev().find(|k| at(*k) == "[").unwrap_or(0);
            if at(open + 1) == "test" && open + 3 == i {
                return true;
            }
            i = open.saturating_sub(1);
        }
        false
    })
}

/// What a clause has in the tables.
#[derive(Default)]
struct Clause<'a> {
    rows: Vec<&'a str>,
    covered: BTreeSet<u32>,
    excepted: BTreeSet<u32>,
}

/// Everything that is wrong with the tables of a guide whose text is `text`.
fn faults(guide: &Guide, text: &str, files: &Files) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut clauses: BTreeMap<&str, Clause<'_>> = BTreeMap::new();
    for (letter, heading) in guide.letters.into_iter().zip(["The device server: ", "The application client: "]) {
        let rows = table(text, heading);
        if !text.contains(&format!("\n## {heading}{} rows\n", rows.len())) {
            wrong.push(format!("{heading}{} rows", rows.len()));
        }
        let mut place = 0;
        for (index, row) in rows.iter().enumerate() {
            let [name, clause, shall, demand, readings, functions, tests] = row[..] else {
                wrong.push(format!("{row:?}: not seven cells"));
                continue;
            };
            if name != format!("{letter}{}", index + 1) || demand.is_empty() {
                wrong.push(format!("{name}: out of its place, or it demands nothing"));
            }
            match guide.clauses.iter().position(|(known, _)| *known == clause) {
                Some(at) if at >= place => place = at,
                _ => wrong.push(format!("{name}: clause {clause} is unknown or out of its place")),
            }
            let entry = clauses.entry(clause).or_default();
            entry.rows.push(name);
            entry.covered.extend(items(shall).iter().filter_map(|n| number(n)));
            if items(shall).iter().any(|n| number(n).is_none()) {
                wrong.push(format!("{name}: {shall}"));
            }
            wrong.extend(items(readings).iter().filter(|r| !(guide.is_reading)(r)).map(|r| format!("{name}: {r}")));
            wrong.extend(unresolved(name, functions, |path| resolves(files, path)));
            wrong.extend(unresolved(name, tests, |path| is_test(files, path)));
        }
    }
    for row in table(text, "Without a row") {
        let excepted = items(row[1]).into_iter().filter_map(number);
        clauses.entry(row[0]).or_default().excepted.extend(excepted);
    }
    wrong.extend(counts(guide, text, &clauses));
    wrong
}

/// The names in a cell, each between back quotes, that lead nowhere; and a cell without a name.
fn unresolved(row: &str, cell: &str, exists: impl Fn(&str) -> bool) -> Vec<String> {
    let is_good = |name: &&str| name.strip_prefix('`').and_then(|n| n.strip_suffix('`')).is_some_and(&exists);
    let names = items(cell);
    if names.is_empty() {
        return vec![format!("{row}: names nothing")];
    }
    names.iter().filter(|name| !is_good(name)).map(|name| format!("{row}: {name} does not exist")).collect()
}

/// The list of clauses: each with its number of "shall", its rows, and how many are without a row.
fn counts(guide: &Guide, text: &str, clauses: &BTreeMap<&str, Clause<'_>>) -> Vec<String> {
    let mut wrong = Vec::new();
    let list = table(text, "Clause by clause");
    if list.iter().map(|row| row[0]).ne(guide.clauses.iter().map(|(clause, _)| *clause)) {
        wrong.push("the clauses listed are not those of the document".into());
    }
    let nothing = Clause::default();
    for (row, &(clause, shall)) in list.iter().zip(guide.clauses) {
        let found = clauses.get(clause).unwrap_or(&nothing);
        let all: BTreeSet<u32> = found.covered.union(&found.excepted).copied().collect();
        if all != (1..=shall).collect() || !found.covered.is_disjoint(&found.excepted) {
            wrong.push(format!("{clause}: of {shall} shall: {:?}, without a row {:?}", found.covered, found.excepted));
        }
        if (number(row[1]), number(row[3])) != (Some(shall), u32::try_from(found.excepted.len()).ok()) {
            wrong.push(format!("{clause}: {} shall, {} without a row", row[1], row[3]));
        }
        if items(row[2]) != found.rows {
            wrong.push(format!("{clause}: its rows are {:?}", found.rows));
        }
    }
    let total: u32 = guide.clauses.iter().map(|(_, shall)| shall).sum();
    let excepted: usize = clauses.values().map(|clause| clause.excepted.len()).sum();
    for said in [format!("That makes {total}."), format!("\n## Without a row: {excepted} times \"shall\"\n")] {
        if !text.contains(&said) {
            wrong.push(format!("missing: {}", said.trim()));
        }
    }
    wrong
}

fn check(guide: &Guide) {
    let wrong = faults(guide, guide.text, &files());
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(table(guide.text, "The device server").len() >= guide.least_rows, "the table was not found");
}

#[test]
fn every_row_leads_to_a_function_and_a_test() {
    check(&R3);
}

#[test]
fn every_row_of_spc4_leads_to_a_function_and_a_test() {
    check(&SPC4);
}

/// How many faults one change adds to a guide.
fn added(guide: &Guide, files: &Files, from: &str, to: &str) -> usize {
    let changed = guide.text.replacen(from, to, 1);
    assert_ne!(changed, guide.text, "{from} is not in the guide");
    faults(guide, &changed, files).len() - faults(guide, guide.text, files).len()
}

#[test]
fn what_is_wrong_is_caught() {
    let files = files();
    let caught = |from: &str, to: &str| added(&R3, &files, from, to);
    assert_eq!(caught("`ccs::table::decide`", "`ccs::table::decides`"), 1);
    assert_eq!(caught("`wire::header::Header::check`", "`wire::header::Sai::check`"), 1);
    assert_eq!(caught("`wire::header::Header::check`", "wire::header::Header::check"), 1);
    assert_eq!(caught("turns.rs::", "turn.rs::"), 1);
    assert_eq!(caught("::commands_out_of_their_turn_are_in_progress", "::progress"), 1, "a function, not a test");
    assert_eq!(caught("| D2 |", "| D3 |"), 2, "its own place, and the list of its clause");
    assert_eq!(caught("| D5 | 5.13.4.2 | 1 |", "| D5 | 5.13.4.2 | - |"), 1, "a shall without a row");
    assert_eq!(caught("| D5 | 5.13.4.2 | 1 |", "| D5 | 5.13.4.2 | 1, 2 |"), 1, "a shall that there is not");
    assert_eq!(caught("| 5.13.4.1 | 5 |", "| 5.13.4.1 | 6 |"), 1);
    assert_eq!(caught("| R25 |", "| R41 |"), 1);
    assert_eq!(caught("| 5.13.6 | 3 |", "| 5.13.6 | 2 |"), 1, "both a row and a reason for none");
    assert_eq!(caught("That makes 1", "That makes 2"), 1);
}

#[test]
fn what_is_wrong_with_spc4_is_caught() {
    let files = files();
    let caught = |from: &str, to: &str| added(&SPC4, &files, from, to);
    assert_eq!(caught("`crypto::prf::expand_with`", "?"), 1);
    assert_eq!(caught("`wire::header::Header::check`", "wire::header::Header::check"), 1);
    assert_eq!(caught("spc4_order.rs::", "order_spc4.rs::"), 1);
    assert_eq!(caught("| E2 |", "| E3 |"), 2, "its own place, and the list of its clause");
    assert_eq!(caught("| E2 |", "| D2 |"), 2, "its own letter, and the list of its clause");
    assert_eq!(caught("| E1 | 5.14.2.1 | 1 |", "| E1 | 5.14.2.1 | - |"), 1, "a shall without a row");
    assert_eq!(caught("| E1 | 5.14.2.1 | 1 |", "| E1 | 5.14.2.1 | 1, 4 |"), 1, "a shall that there is not");
    assert_eq!(caught("| 5.14.2.1 | 3 | E1,", "| 5.14.2.1 | 4 | E1,"), 1);
    assert_eq!(caught("| 5.14.2.1 | 3 | E1,", "| 5.13.4.1 | 3 | E1,"), 1, "a clause of r3");
    for (from, to) in [("| R37 |", "| R36 |"), ("| S4 |", "| S13 |"), ("| Q13 |", "| Q37 |"), ("| S9 |", "| S09 |")] {
        assert_eq!(caught(from, to), 1, "{to}");
    }
    assert_eq!(caught("| 5.14.4.3.2 | 6 |", "| 5.14.4.3.2 | 7 |"), 1, "both a row and a reason for none");
    assert_eq!(caught("That makes 2", "That makes 1"), 1);
}

#[test]
fn functions_are_found_where_they_are() {
    let source = "fn free(f: impl Fn() -> u8) { fn inner() {} } mod tests { fn hidden() {} }
        impl<'a, T: Into<u8>> Body<'a> for super::Kind<'a> { fn method(self) {} } impl Other { const fn own() {} }
        #[test] #[should_panic] fn checked() {} // fn commented() {}";
    let source = tokens(source);
    let has = |type_name, name| has_function(&source, type_name, name);
    assert!(has(None, "free") && has(Some("Kind"), "method") && has(Some("Other"), "own") && has(None, "checked"));
    assert!(!has(None, "inner") && !has(None, "hidden") && !has(None, "method") && !has(None, "commented"));
    assert!(!has(Some("Body"), "method") && !has(Some("Kind"), "own") && !has(Some("Kind"), "free"));
    let files = Files::from([("tests/a.rs".into(), source.clone())]);
    assert!(is_test(&files, "tests/a.rs::checked"));
    assert!(!is_test(&files, "tests/a.rs::free") && !is_test(&files, "tests/b.rs::checked"));
}
