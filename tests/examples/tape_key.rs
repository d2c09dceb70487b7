//! The example `tape_key`.

use super::run;

/// A key is delivered and data come back; whatever is replayed, changed or late is refused. No secret is shown.
#[test]
fn a_tape_is_keyed() {
    let stdout = run("tape_key", &[""; 0], b"").succeeded();
    let lines: Vec<_> = stdout.lines().collect();
    let expected = [
        ("SA ", "runs out at 3600 s"),
        ("1800 s: host: Set Data Encryption page, 96 bytes", "DS_SQN 2"),
        ("1800 s: drive: GOOD", "runs out at 5400 s"),
        ("2000 s: drive: the same page again: ILLEGAL REQUEST, 26h/00h, parameter list byte 28", "5400 s"),
        ("2000 s: drive: a page with one bit changed: ILLEGAL REQUEST, 26h/00h, parameter list byte 80", "5400 s"),
        ("2400 s: drive: Data-In descriptor of 48 bytes; host: AC_SQN 2, \"keyed\"", "runs out at 6000 s"),
        ("2400 s: drive: SA ", "ILLEGAL REQUEST, 26h/00h, parameter list byte 4"),
        ("6000000 ms: SA ", "removed: inactivity timeout"),
        ("6000 s: drive: the next page: ILLEGAL REQUEST, 26h/00h, parameter list byte 24", "gone"),
    ];
    assert_eq!(lines.len(), expected.len(), "{stdout}");
    for (line, (begin, end)) in lines.iter().zip(expected) {
        assert!(line.starts_with(begin) && line.ends_with(end), "{line}");
    }
    assert!(!stdout.contains("demonstration key"));
    let longest = stdout.split(|c: char| !c.is_ascii_hexdigit()).map(str::len).max();
    assert_eq!(longest, Some(16), "no longer hexadecimal number than a SAI");
    assert!(run("tape_key", &["--help"], b"").succeeded().contains("Usage: tape_key"));
    assert!(run("tape_key", &["--key"], b"").failed(2).contains("unknown argument --key"));
}
