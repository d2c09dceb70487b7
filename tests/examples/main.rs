//! The examples `create_sa`, `inspect`, `slow_crypto` and `tape_key`, run as programs: what they print, what they keep to themselves, how they end.
#![cfg(all(feature = "std", feature = "rustcrypto", feature = "client", feature = "x509"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    reason = "a test may panic"
)]

mod inspected;
mod packets;
#[path = "../support/provider.rs"]
mod provider;
mod tape_key;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use serde_json::{Value, json};

/// What a program did.
struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Ran {
    /// The program succeeded and had nothing to complain of.
    fn succeeded(self) -> String {
        assert_eq!((self.code, self.stderr.as_str()), (0, ""));
        self.stdout
    }

    /// The program failed with this exit code and told why in one line.
    fn failed(&self, code: i32) -> &str {
        assert_eq!((self.code, self.stderr.lines().count()), (code, 1), "{}", self.stderr);
        &self.stderr
    }
}

/// An example: `cargo test` builds it next to the directory of this very program.
fn example(name: &str) -> Command {
    let this = std::env::current_exe().unwrap();
    let directory = this.parent().and_then(Path::parent).unwrap().join("examples");
    let path = directory.join(name).with_extension(std::env::consts::EXE_EXTENSION);
    assert!(path.exists(), "{name} is not built: `cargo test` builds it, and so does `cargo build --examples`");
    Command::new(path)
}

fn run(name: &str, arguments: &[impl AsRef<OsStr>], input: &[u8]) -> Ran {
    let mut command = example(name);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A program that ends early reads no further: that is its right.
    let feeder = thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    assert!(!stderr.contains("panicked"), "{stderr}");
    Ran { code: output.status.code().expect("an exit code"), stdout, stderr }
}

/// With the provider under test.
fn create_sa(arguments: &[&str]) -> Ran {
    let provider: &[&str] = if provider::IS_AWS_LC { &["--provider", "aws-lc-rs"] } else { &[] };
    run("create_sa", &[provider, arguments].concat(), b"")
}

fn inspect(input: impl AsRef<[u8]>) -> Ran {
    run("inspect", &[""; 0], input.as_ref())
}

/// A suite that can be asked for.
struct Suite {
    dialect: &'static str,
    name: String,
    description: String,
}

impl Suite {
    /// Authentication payloads of its exchange.
    fn authenticated(&self) -> usize {
        if self.description.contains("AUTH_NONE") { 0 } else { 2 }
    }

    fn is_given_up(&self) -> bool {
        self.description.contains("given up before the authentication")
    }
}

/// The suites of both dialects.
fn suites() -> Vec<Suite> {
    let of = |dialect| {
        let list = create_sa(&["--dialect", dialect, "--list"]).succeeded();
        let suite = |line: &str| {
            let (name, description) = line.split_once(' ').unwrap();
            Suite { dialect, name: name.to_owned(), description: description.trim().to_owned() }
        };
        list.lines().map(suite).collect::<Vec<_>>()
    };
    let (r3, spc4) = (of("r3"), of("spc4"));
    assert!(!r3.is_empty() && !spc4.is_empty());
    assert_eq!(create_sa(&["--list"]).succeeded(), create_sa(&["--dialect", "r3", "--list"]).succeeded());
    r3.into_iter().chain(spc4).collect()
}

fn transcripts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/transcripts");
    let mut paths: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The exchange with the algorithms that r3 makes mandatory.
fn mandatory() -> Value {
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/transcripts/r3-mandatory.json"))
}

/// Runs `create_sa` with a capture, and gives that besides what it printed.
fn captured(Suite { dialect, name, .. }: &Suite, test: &str) -> (String, Value) {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}-{dialect}-{name}.json"));
    let arguments = ["--suite", name, "--dialect", dialect, "--hex", "--capture", path.to_str().unwrap()];
    let stdout = create_sa(&arguments).succeeded();
    let capture = read(&path);
    std::fs::remove_file(&path).unwrap();
    (stdout, capture)
}

/// Everything in a capture that nobody else may know, in hexadecimal and, for keys that are text, as text.
fn secrets(capture: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (name, value) in capture["ccs"][0].as_object().unwrap() {
        let is_secret = ["SK_", "SKEYSEED", "shared", "dh_private"].iter().any(|start| name.starts_with(start));
        found.extend(is_secret.then_some(value));
    }
    assert!(found.len() >= 11, "SKEYSEED, seven keys, the shared secret and what it was made of");
    let sa = &capture["sa"][0];
    let provisioning = &capture["provisioning"];
    let management = &sa["MGMT_DATA"];
    // Those that the dialect keeps.
    let kept = [&sa["KEY_SEED"], &sa["KEYMAT"], &management["SK_ei"], &management["SK_ai"]];
    found.extend(kept.into_iter().chain([&management["SK_er"], &management["SK_ar"]]).filter(|key| key.is_string()));
    found.extend([&capture["client"]["psk"], &capture["client"]["server"]["psk"]]);
    found.extend([&provisioning["device_server"]["psk"], &provisioning["clients"][0]["psk"]]);
    let mut texts: Vec<_> = found.iter().map(|secret| secret.as_str().unwrap().to_owned()).collect();
    texts.extend(texts.clone().iter().filter_map(|hex| String::from_utf8(bytes(hex)).ok()));
    texts.retain(|text| !text.is_empty());
    assert!(texts.iter().all(|text| text.len() >= 16));
    texts
}

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |digit: u8| u8::try_from(char::from(digit).to_digit(16).unwrap()).unwrap();
    hex.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

fn assert_no_secret(text: &str, capture: &Value) {
    let unbroken = |text: &str| text.split_whitespace().collect::<String>().to_lowercase();
    let text = unbroken(text);
    for secret in secrets(capture) {
        assert!(!text.contains(&unbroken(&secret)), "{secret} is told");
    }
}

#[test]
fn every_suite_makes_an_association_and_deletes_it() {
    for suite in suites().iter().filter(|suite| !suite.is_given_up()) {
        let (stdout, capture) = captured(suite, "every-suite");
        let (authenticated, suite) = (suite.authenticated(), format!("{} {}", suite.dialect, suite.name));
        let lines: Vec<_> = stdout.lines().collect();
        assert!(lines[lines.len() - 2].starts_with("SA created: AC_SAI "), "{suite}");
        assert_eq!(lines[lines.len() - 1], "SA deleted: the device server has none left", "{suite}");
        assert!(stdout.contains("The SA parameters of both sides agree."), "{suite}");
        let provider = if provider::IS_AWS_LC { "aws-lc-rs" } else { "rustcrypto" };
        assert!(stdout.contains(&format!("\nCryptography of both: {provider}\n")), "{suite}");
        let count = |wanted: &str| stdout.matches(wanted).count();
        assert_eq!(count("Authentication (AUTH), byte"), authenticated, "{suite}: opened in both directions");
        assert_eq!(count("Delete (D), byte"), 2, "{suite}: the Delete and its repetition, opened");
        assert_eq!((count("not opened"), count("error:")), (0, 0), "{suite}");
        assert_eq!((count("Status: GOOD"), count("Status: CHECK CONDITION")), (4 + authenticated, 1), "{suite}");
        assert_no_secret(&stdout, &capture);
    }
}

/// SPC-4 5.14.4.10: after the key exchange, a Delete and nothing else.
#[test]
fn a_sequence_can_be_given_up() {
    let suites = suites();
    let given_up: Vec<_> = suites.iter().filter(|suite| suite.is_given_up()).collect();
    assert_eq!(given_up.len(), 1);
    let (stdout, capture) = captured(given_up[0], "given-up");
    let lines: Vec<_> = stdout.lines().collect();
    assert_eq!(lines[lines.len() - 2], "Sequence given up before the authentication, by a Delete");
    let commands: Vec<_> = capture["steps"].as_array().unwrap().iter().map(|step| step["command"].clone()).collect();
    assert_eq!(commands, ["capabilities", "key exchange", "key exchange", "delete"]);
    assert!(stdout.contains("sequence dropped: Delete") && capture["sa"].as_array().unwrap().is_empty());
    assert_no_secret(&stdout, &capture);
}

/// By the standard's names, on both sides, and the same values.
#[test]
fn sa_parameters_are_told_for_both_sides() {
    let stdout = create_sa(&[]).succeeded();
    let of = |side: &str| {
        let mut lines = stdout.lines().skip_while(|line| *line != format!("SA parameters of the {side}"));
        assert!(lines.next().is_some());
        lines.take_while(|line| !line.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    let parameters = of("application client");
    assert_eq!(parameters, of("device server"));
    let names: Vec<_> = parameters.iter().map(|line| line.trim().split(':').next().unwrap()).collect();
    let expected = [
        "AC_SAI",
        "DS_SAI",
        "TIMEOUT",
        "AC_NONCE",
        "DS_NONCE",
        "KEY_SEED",
        "KDF_ID",
        "USAGE_TYPE",
        "USAGE_DATA",
        "MGMT_DATA",
        "ENCR",
        "KEY LENGTH",
        "INTEG",
        "SK_ei",
        "SK_ai",
        "NEXT MESSAGE ID",
    ];
    assert_eq!(names, expected);
}

#[test]
fn a_provider_that_is_not_built_is_refused() {
    let with = |provider| run("create_sa", &["--provider", provider], b"");
    assert!(with("rustcrypto").succeeded().contains("\nCryptography of both: rustcrypto\n"));
    let aws_lc = with("aws-lc-rs");
    if cfg!(feature = "aws-lc-rs") {
        assert!(aws_lc.succeeded().contains("\nCryptography of both: aws-lc-rs\n"));
    } else {
        assert!(aws_lc.failed(2).contains("build with --features aws-lc-rs"));
    }
    assert!(with("openssl").failed(2).contains("no provider \"openssl\": `rustcrypto` or `aws-lc-rs`"));
}

#[test]
fn quiet_is_two_lines() {
    let stdout = create_sa(&["--quiet"]).succeeded();
    let lines: Vec<_> = stdout.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].starts_with("SA created: ") && lines[1].starts_with("SA deleted: "));
}

#[test]
fn the_bytes_are_shown_when_asked_for() {
    let cdb = "  a24001010000000040000000\n";
    assert!(create_sa(&["--hex"]).succeeded().contains(cdb));
    assert!(!create_sa(&[]).succeeded().contains(cdb));
}

/// Ten initiators at once, whatever becomes of two of their jobs.
#[test]
fn slow_cryptography_on_threads() {
    let stdout = run("slow_crypto", &[""; 0], b"").succeeded();
    let summary = stdout.lines().last().unwrap();
    assert!(summary.starts_with("10 security associations for 10 initiators: "), "{summary}");
    for part in
        ["on 4 threads", "1 job failed", "2 sequences dropped at their protocol timeout", "1 late result ignored"]
    {
        assert!(summary.contains(part), "{part}: {summary}");
    }
    for never in [" 0 results out of order", " 0 times NOT READY", " 0 times told by REQUEST SENSE"] {
        assert!(!summary.contains(never), "{summary}");
    }
    for nexus in 1..=10 {
        let made =
            stdout.lines().filter(|line| line.contains(&format!(": nexus {nexus}: SA ")) && line.ends_with(" created"));
        assert_eq!(made.count(), 1, "nexus {nexus}");
    }
    assert!(stdout.contains(": REQUEST SENSE: NOT READY, 04h/07h, progress "), "{stdout}");
}

#[test]
fn wrong_calls_are_told_in_one_line() {
    assert!(run("slow_crypto", &["fast"], b"").failed(2).starts_with("slow_crypto: "));
    for wrong in [
        &["--quite"][..],
        &["--suite"],
        &["--suite", "none"],
        &["--dialect", "spc4", "--suite", "mandatory"],
        &["--dialect", "spc3"],
        &["--dialect"],
        &["--capture"],
        &["mandatory"],
        &["--hex", "-"],
    ] {
        let ran = create_sa(wrong);
        assert!(ran.failed(2).starts_with("create_sa: ") && ran.stdout.is_empty(), "{wrong:?}");
    }
    for wrong in [&["--fully"][..], &["one", "two"]] {
        let ran = run("inspect", wrong, b"");
        assert!(ran.failed(2).starts_with("inspect: ") && ran.stdout.is_empty(), "{wrong:?}");
    }
    let folder = env!("CARGO_TARGET_TMPDIR");
    assert!(create_sa(&["--capture", folder]).failed(1).contains("cannot write"));
    assert!(run("inspect", &["no-such-file"], b"").failed(1).contains("cannot read"));
    for program in ["create_sa", "inspect", "slow_crypto"] {
        assert!(run(program, &["--help"], b"").succeeded().contains("Usage: "));
    }
}

#[test]
fn a_reader_who_stops_reading_is_no_failure() {
    let transcript = &transcripts()[0];
    for (name, arguments) in
        [("create_sa", vec!["--hex".into()]), ("inspect", vec!["--full".into(), transcript.clone()])]
    {
        let mut child = example(name).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()), "{name}");
    }
}

/// There is a suite for each transcript, and the form is that of the transcripts, which another program has written.
#[test]
fn a_capture_looks_like_a_transcript() {
    let suites = suites();
    let find = |dialect: &str, name: &str| suites.iter().find(|suite| suite.dialect == dialect && suite.name == name);
    for path in transcripts() {
        let transcript = read(&path);
        let name = transcript["name"].as_str().unwrap();
        let suite = find(transcript["profile"].as_str().unwrap(), name);
        let capture = captured(suite.unwrap_or_else(|| panic!("no suite {name}")), "form").1;
        for member in ["name", "profile", "algorithms", "identifiers", "options"] {
            assert_eq!(capture[member], transcript[member], "{name}: {member}");
        }
        let members = |value: &Value| -> BTreeSet<String> { value.as_object().unwrap().keys().cloned().collect() };
        let same =
            |of: &dyn Fn(&Value) -> Value| assert_eq!(members(&of(&capture)), members(&of(&transcript)), "{name}");
        same(&Value::clone);
        if capture["scenario"] != "abandon" {
            same(&|value| value["sa"][0].clone());
            same(&|value| value["sa"][0]["MGMT_DATA"].clone());
        }
        same(&|value| value["provisioning"]["random"]["ccs"][0].clone());
        same(&|value| value["steps"][0].clone());
        same(&|value| value["steps"][1].clone());
        // The recorded client goes on after its Delete, to be refused.
        if capture["scenario"] == transcript["scenario"] && capture["scenario"] != "abandon" {
            same(&|value| value["ccs"][0].clone());
            let commands = |value: &Value| -> Vec<_> {
                let steps = value["steps"].as_array().unwrap().iter();
                steps.map(|step| json!([step["op"], step["command"], step["status"], step["sense"]])).collect()
            };
            assert_eq!(commands(&capture), commands(&transcript), "{name}");
        }
    }
    for name in ["mandatory", "auth-none-cbc", "usage-data-fc-name"] {
        assert!(find("r3", name).is_some(), "{name}");
    }
}

#[test]
fn a_capture_is_inspected_opened() {
    for suite in suites().iter().filter(|suite| !suite.is_given_up()) {
        let capture = captured(suite, "inspected").1;
        let (authenticated, suite) = (suite.authenticated(), format!("{} {}", suite.dialect, suite.name));
        let stdout = inspect(capture.to_string()).succeeded();
        let count = |wanted: &str| stdout.matches(wanted).count();
        assert_eq!(count("Authentication (AUTH), byte"), authenticated, "{suite}");
        assert_eq!((count("Delete (D), byte"), count("not opened"), count("error:")), (2, 0, 0), "{suite}");
        assert_no_secret(&stdout, &capture);
    }
}
