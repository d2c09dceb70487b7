//! The examples `create_sa`, `inspect`, `slow_crypto` and `tape_key`, run as programs: what they print, what they keep to themselves,
//! how they end.
#![cfg(all(feature = "std", feature = "rustcrypto", feature = "client", feature = "x509"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may panic"
)]

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

fn create_sa(arguments: &[&str]) -> Ran {
    run("create_sa", arguments, b"")
}

fn inspect(input: impl AsRef<[u8]>) -> Ran {
    run("inspect", &[""; 0], input.as_ref())
}

/// The suites, each with its description.
fn suites() -> Vec<(String, String)> {
    let list = create_sa(&["--list"]).succeeded();
    let suites: Vec<_> = list
        .lines()
        .map(|line| line.split_once(' ').unwrap())
        .map(|(name, description)| (name.to_owned(), description.trim().to_owned()))
        .collect();
    assert!(!suites.is_empty());
    suites
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
fn captured(suite: &str, test: &str) -> (String, Value) {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}-{suite}.json"));
    let stdout = create_sa(&["--suite", suite, "--hex", "--capture", path.to_str().unwrap()]).succeeded();
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
    found.extend([&sa["KEY_SEED"], &sa["MGMT_DATA"]["SK_ei"], &sa["MGMT_DATA"]["SK_ai"]]);
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
    for (suite, description) in suites() {
        let (stdout, capture) = captured(&suite, "every-suite");
        let lines: Vec<_> = stdout.lines().collect();
        assert!(lines[lines.len() - 2].starts_with("SA created: AC_SAI "), "{suite}");
        assert_eq!(lines[lines.len() - 1], "SA deleted: the device server has none left", "{suite}");
        assert!(stdout.contains("The SA parameters of both sides agree."), "{suite}");
        let count = |wanted: &str| stdout.matches(wanted).count();
        let authenticated = if description.contains("IKE_AUTH_NONE") { 0 } else { 2 };
        assert_eq!(count("Authentication (AUTH), byte"), authenticated, "{suite}: opened in both directions");
        assert_eq!(count("Delete (D), byte"), 2, "{suite}: the Delete and its repetition, opened");
        assert_eq!((count("not opened"), count("error:")), (0, 0), "{suite}");
        assert_eq!((count("Status: GOOD"), count("Status: CHECK CONDITION")), (4 + authenticated, 1), "{suite}");
        assert_no_secret(&stdout, &capture);
    }
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
    for wrong in [&["--quite"][..], &["--suite"], &["--suite", "none"], &["--capture"], &["mandatory"], &["--hex", "-"]]
    {
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
    let names: Vec<_> = suites().into_iter().map(|(name, _)| name).collect();
    for path in transcripts() {
        let transcript = read(&path);
        let name = transcript["name"].as_str().unwrap();
        if transcript["profile"] != "r3" {
            continue;
        }
        assert!(names.iter().any(|known| known == name), "no suite {name}");
        let capture = captured(name, "form").1;
        for member in ["name", "profile", "algorithms", "identifiers", "options"] {
            assert_eq!(capture[member], transcript[member], "{name}: {member}");
        }
        let members = |value: &Value| -> BTreeSet<String> { value.as_object().unwrap().keys().cloned().collect() };
        let same =
            |of: &dyn Fn(&Value) -> Value| assert_eq!(members(&of(&capture)), members(&of(&transcript)), "{name}");
        same(&Value::clone);
        same(&|value| value["sa"][0].clone());
        same(&|value| value["sa"][0]["MGMT_DATA"].clone());
        same(&|value| value["provisioning"]["random"]["ccs"][0].clone());
        same(&|value| value["steps"][0].clone());
        same(&|value| value["steps"][1].clone());
        if capture["scenario"] == transcript["scenario"] {
            same(&|value| value["ccs"][0].clone());
            let commands = |value: &Value| -> Vec<_> {
                let steps = value["steps"].as_array().unwrap().iter();
                steps.map(|step| json!([step["op"], step["command"], step["status"], step["sense"]])).collect()
            };
            assert_eq!(commands(&capture), commands(&transcript), "{name}");
        }
    }
    for name in ["mandatory", "auth-none-cbc", "usage-data-fc-name"] {
        assert!(names.iter().any(|known| known == name), "{name}");
    }
}

#[test]
fn a_capture_is_inspected_opened() {
    for (suite, description) in suites() {
        let capture = captured(&suite, "inspected").1;
        let stdout = inspect(capture.to_string()).succeeded();
        let count = |wanted: &str| stdout.matches(wanted).count();
        let authenticated = if description.contains("IKE_AUTH_NONE") { 0 } else { 2 };
        assert_eq!(count("Authentication (AUTH), byte"), authenticated, "{suite}");
        assert_eq!((count("Delete (D), byte"), count("not opened"), count("error:")), (2, 0, 0), "{suite}");
        assert_no_secret(&stdout, &capture);
    }
}

#[test]
fn every_transcript_is_inspected_opened() {
    for path in transcripts() {
        let transcript = read(&path);
        let commands: Vec<_> = transcript["steps"].as_array().unwrap().iter().map(|step| &step["command"]).collect();
        let of = |name: &str| commands.iter().filter(|command| **command == name).count();
        let stdout = run("inspect", &[&path], b"").succeeded();
        let count = |wanted: &str| stdout.matches(wanted).count();
        assert_eq!(count("Command "), commands.len(), "{}", path.display());
        assert_eq!(count("Authentication (AUTH), byte"), of("authentication"), "{}", path.display());
        assert_eq!(count("Delete (D), byte"), of("delete"), "{}", path.display());
        assert_eq!((count("not opened"), count("error:")), (0, 0), "{}", path.display());
    }
}

/// A capture tells its dialect; hexadecimal bytes are r3 unless an option says otherwise, which a capture obeys as well.
#[test]
fn a_dialect_can_be_named() {
    let path = transcripts().into_iter().find(|path| read(path)["profile"] == "spc4").unwrap();
    let told = run("inspect", &[path.as_os_str()], b"").succeeded();
    let named = run("inspect", &[OsStr::new("--dialect"), OsStr::new("spc4"), path.as_os_str()], b"").succeeded();
    assert_eq!(told, named);
    assert!(told.contains("Payload 83h: IKEv2-SCSI Timeout Values, byte 28"));
    let message = read(&path)["steps"][1]["data_out"].as_str().unwrap().to_owned();
    let as_spc4 = run("inspect", &["--dialect", "spc4"], message.as_bytes()).succeeded();
    assert!(as_spc4.contains("Payload 81h: IKEv2-SCSI SA Cryptographic Algorithms, byte 44"));
    assert!(!as_spc4.contains("error"));
    let as_r3 = run("inspect", &["--dialect", "r3"], message.as_bytes()).succeeded();
    assert_eq!(as_r3, inspect(&message).succeeded());
    assert!(as_r3.contains("Payload 83h: not recognised, byte 28"));
    let formats = b"a2 40 0000 00 00 00000008 00 00\n00000004 0000 0101";
    assert!(inspect(formats).succeeded().contains("SA creation capabilities formats: 0000h 0101h"));
    for wrong in [&["--dialect"][..], &["--dialect", "r4"]] {
        assert!(run("inspect", wrong, b"").failed(2).contains("dialect"), "{wrong:?}");
    }
}

/// Keys that are wrong, missing or of an algorithm that this build lacks leave a payload closed; the rest is shown.
#[test]
fn what_cannot_be_opened_is_shown_closed() {
    let transcript = mandatory();
    let with = |change: &dyn Fn(&mut Value)| {
        let mut changed = transcript.clone();
        change(&mut changed);
        inspect(changed.to_string()).succeeded()
    };
    for (why, stdout) in [
        (
            "this build lacks ENCR 00000003h (ENCR_3DES) with KEY LENGTH 16",
            with(&|json| json["identifiers"]["ENCR"] = "00000003".into()),
        ),
        ("this build lacks INTEG 000000FFh", with(&|json| json["identifiers"]["INTEG"] = "000000FF".into())),
        ("the capture does not name its algorithms", with(&|json| json["identifiers"] = Value::Null)),
        ("the capture has no keys", with(&|json| json["ccs"] = json!([]))),
        ("byte 28: INTEGRITY CHECKSUM DATA", with(&|json| json["ccs"][0]["SK_ai"] = "00".repeat(20).into())),
    ] {
        assert!(stdout.contains(&format!("not opened: {why}")), "{why}");
        assert!(!stdout.contains("Delete (D), byte"), "{why}");
        assert!(stdout.contains("Payload 22h: Key Exchange (KE), byte"), "{why}");
    }
}

/// The same command shows the same in hexadecimal, however the lines are broken, as in a capture.
#[test]
fn hexadecimal_is_inspected_like_a_capture() {
    let transcript = mandatory();
    let from_capture = inspect(transcript.to_string()).succeeded();
    for width in [7, 16, 4096] {
        let mut text = String::new();
        for step in &transcript["steps"].as_array().unwrap()[..3] {
            let data = step.get("data_out").or_else(|| step.get("data_in")).unwrap();
            text += &format!("\n  {}\r\n", step["cdb"].as_str().unwrap().to_uppercase());
            for line in bytes(data.as_str().unwrap()).chunks(width) {
                text += &line.iter().map(|byte| format!(" {byte:02x}")).collect::<String>();
                text += "\n";
            }
        }
        let stdout = inspect(text).succeeded();
        assert_eq!(stdout.matches("SECURITY PROTOCOL ").count(), stdout.matches("INC_512").count() * 3);
        assert_eq!(stdout.matches("INC_512").count(), 3);
        for line in stdout.lines() {
            assert!(from_capture.contains(line), "width {width}: {line}");
        }
    }
}

#[test]
fn data_of_protocol_00h_is_known_by_the_cdb_before_it() {
    let stdout = inspect("a20000000000000000200000\n0000000000000003004041\n").succeeded();
    assert!(stdout.contains("Supported security protocol list: 00h 40h 41h"));
}

#[test]
fn nasty_input_is_refused_or_shown() {
    let refused: [&[u8]; 15] = [
        b"",
        b" \r\n\t\n",
        b"abc",
        b"xyz",
        b"a2",
        b"0xA2",
        b"\xFF\xFE\x00",
        b"\0",
        b"{",
        b"{}",
        br#"{"steps":3}"#,
        br#"{"steps":[3]}"#,
        br#"{"steps":[{"cdb":"a"}]}"#,
        br#"{"profile":"spc5","steps":[]}"#,
        br#"{"identifiers":{"ENCR":"x"},"steps":[]}"#,
    ];
    for input in refused {
        assert!(inspect(input).failed(1).starts_with("inspect: "), "{}", input.escape_ascii());
    }
    assert!(inspect("{\"a\":".repeat(100_000)).failed(1).contains("recursion"));
    assert!(inspect(vec![b'f'; 65 << 20]).failed(1).contains("longer than"));
    for shown in ["ff".repeat(28), "00".repeat(28), "ff".repeat(1 << 20), "00\n".repeat(50_000)] {
        assert!(inspect(shown).succeeded().contains("IKEv2-SCSI header"));
    }
}

/// Every command of a transcript, cut at every seventh byte and with a byte changed there.
#[test]
fn broken_messages_are_shown() {
    for path in transcripts() {
        let mut transcript = read(&path);
        let mut steps = Vec::new();
        for step in transcript["steps"].as_array().unwrap() {
            let member = if step["op"] == "out" { "data_out" } else { "data_in" };
            let data = bytes(step[member].as_str().unwrap());
            for at in (0..data.len()).step_by(7) {
                let mut changed = data.clone();
                changed[at] ^= 0xFF;
                for broken in [&data[..at], &changed] {
                    let mut step = step.clone();
                    step[member] = broken.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into();
                    steps.push(step);
                }
            }
        }
        let count = steps.len();
        transcript["steps"] = steps.into();
        let stdout = inspect(transcript.to_string()).succeeded();
        assert_eq!(stdout.lines().filter(|line| line.starts_with("Command ")).count(), count);
    }
}

/// A key is delivered and data come back; whatever is replayed, changed or late is refused. No secret is shown.
#[test]
fn a_tape_is_keyed() {
    let stdout = run("tape_key", &[""; 0], b"").succeeded();
    let lines: Vec<_> = stdout.lines().collect();
    let expected = [
        ("SA ", "runs out at 3600 s"),
        ("1800 s: host: Set Data Encryption page, 132 bytes", "DS_SQN 2"),
        ("1800 s: drive: GOOD", "runs out at 5400 s"),
        ("2000 s: drive: the same page again: ILLEGAL REQUEST, 26h/00h, parameter list byte 28", "5400 s"),
        ("2000 s: drive: a page with one bit changed: ILLEGAL REQUEST, 26h/00h, parameter list byte 100", "5400 s"),
        ("2400 s: drive: Data-In descriptor of 80 bytes; host: AC_SQN 2, \"keyed\"", "runs out at 6000 s"),
        ("2400 s: drive: SA ", "ILLEGAL REQUEST, 26h/00h, parameter list byte 4"),
        ("6000000 ms: SA ", "removed: inactivity timeout"),
        ("6000 s: drive: the next page: ILLEGAL REQUEST, 26h/00h, parameter list byte 24", "gone"),
    ];
    assert_eq!(lines.len(), expected.len(), "{stdout}");
    for (line, (begin, end)) in lines.iter().zip(expected) {
        assert!(line.starts_with(begin) && line.ends_with(end), "{line}");
    }
    let path = transcripts().into_iter().find(|path| path.ends_with("spc4-table82-row2.json")).unwrap();
    assert_no_secret(&stdout, &read(&path));
    assert!(run("tape_key", &["--help"], b"").succeeded().contains("Usage: tape_key"));
    assert!(run("tape_key", &["--key"], b"").failed(2).contains("unknown argument --key"));
}
