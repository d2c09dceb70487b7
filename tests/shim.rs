//! The test bench from outside: its program, its lines. It replays every transcript, and survives what it is sent.
#![cfg(all(feature = "rustcrypto", feature = "x509"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a test may panic, and prints what it counted"
)]

mod support;

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use ikev2_scsi::Profile;
use serde_json::{Value, json};
use support::{Transcript, hex};

/// A running bench.
struct Shim {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    asked: usize,
}

impl Shim {
    /// The program is beside this test: `target/<profile>/deps/..` and `target/<profile>/examples/..`.
    fn start() -> Self {
        let test = std::env::current_exe().unwrap();
        let profile = test.parent().and_then(|deps| deps.parent()).unwrap();
        let program = profile.join("examples").join(format!("shim{}", std::env::consts::EXE_SUFFIX));
        assert!(
            program.exists(),
            "{} does not exist: `cargo test` builds it, `cargo test --test shim` does not; run `cargo build --example shim`",
            program.display()
        );
        let mut child = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, input, output, asked: 0 }
    }

    /// Sends one line of any bytes; the answer is one line with one object.
    fn send(&mut self, line: &[u8]) -> Value {
        self.input
            .write_all(line)
            .and_then(|()| self.input.write_all(b"\n"))
            .and_then(|()| self.input.flush())
            .unwrap();
        self.asked += 1;
        let mut answer = String::new();
        self.output.read_line(&mut answer).unwrap();
        let shown = String::from_utf8_lossy(&line[..line.len().min(200)]).into_owned();
        assert!(answer.ends_with('\n'), "no answer to {shown}");
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert!(answer.is_object(), "{answer} to {shown}");
        answer
    }

    fn ask(&mut self, request: &Value) -> Value {
        self.send(request.to_string().as_bytes())
    }

    /// Ends the input; the program ends by itself, with nothing left to say.
    fn finish(mut self) -> usize {
        drop(self.input);
        assert_eq!(self.output.read_line(&mut String::new()).unwrap(), 0);
        assert!(self.child.wait().unwrap().success());
        self.asked
    }
}

fn good() -> Value {
    json!({ "status": 0 })
}

/// The recorded commands as requests with the answers to them.
fn requests(transcript: &Transcript) -> Vec<(Value, Value)> {
    let request = |step: &support::Step| {
        let mut request = json!({ "op": "in", "nexus": step.nexus, "cdb": hex::encode(&step.cdb) });
        if step.is_out {
            request["op"] = "out".into();
            request["data"] = hex::encode(&step.data_out).into();
        }
        let (data, sense) = (hex::encode(&step.data_in), hex::encode(&step.sense));
        (request, json!({ "status": step.status, "data": data, "sense": sense }))
    };
    transcript.steps().iter().map(request).collect()
}

fn provision(transcript: &Transcript) -> Value {
    json!({ "op": "provision", "provisioning": transcript.json["provisioning"] })
}

fn replay(shim: &mut Shim, transcript: &Transcript) {
    assert_eq!(shim.ask(&provision(transcript)), good());
    let sas = json!({ "op": "sas" });
    let mut recorded_sas_seen = false;
    for (number, (request, answer)) in requests(transcript).iter().enumerate() {
        assert_eq!(shim.ask(request), *answer, "{} step {number}", transcript.name);
        // One whose sequence is abandoned has none.
        recorded_sas_seen |= shim.ask(&sas) == json!({ "status": 0, "sas": transcript.json["sa"] });
    }
    assert!(recorded_sas_seen, "{}: the recorded SAs never were", transcript.name);
    let is_deleted = transcript.json["scenario"] == "delete" || transcript.json["scenario"] == "abandon";
    assert_eq!(shim.ask(&sas)["sas"].as_array().unwrap().is_empty(), is_deleted);
}

#[test]
fn every_transcript_comes_back_byte_for_byte() {
    let mut shim = Shim::start();
    for transcript in support::transcripts() {
        replay(&mut shim, &transcript);
    }
    println!("{} lines", shim.finish());
}

/// A refused key exchange OUT leaves the recorded values for the next one, and two nexuses that interleave have each
/// its own.
#[test]
fn recorded_values_belong_to_the_sequence_that_begins() {
    let transcript = &support::transcripts()[0];
    let (nonces, steps) = (transcript.provisioning().script, requests(transcript));
    let find = |op: &str| steps.iter().find(|(request, _)| request["op"] == op && is_key_exchange(request)).unwrap();
    let ((out, _), (answer_in, _)) = (find("out"), find("in"));
    let on = |request: &Value, nexus: &str| {
        let mut request = request.clone();
        request["nexus"] = nexus.into();
        request
    };
    let mut shim = Shim::start();
    assert_eq!(shim.ask(&provision(transcript)), good());
    let mut wrong = on(out, "B");
    let data = wrong["data"].as_str().unwrap();
    wrong["data"] = data[..data.len() - 2].into();
    assert_eq!(shim.ask(&wrong)["status"], 2);
    for nexus in ["B", "A"] {
        assert_eq!(shim.ask(&on(out, nexus))["status"], 0);
    }
    let mut expect = |nexus: &str, values: &support::script::Values| {
        let data = shim.ask(&on(answer_in, nexus))["data"].as_str().unwrap().to_owned();
        assert_eq!(data[16..32], hex::encode(&values.ds_sai));
        assert!(data.ends_with(&hex::encode(&values.nonce)));
    };
    expect("A", &nonces[1]);
    expect("B", &nonces[0]);
    shim.finish();
}

fn is_key_exchange(request: &Value) -> bool {
    request["cdb"].as_str().unwrap()[2..8] == *"410102"
}

#[test]
fn clock_events_and_request_sense_are_served() {
    let transcript = support::transcripts().into_iter().find(|t| t.json["scenario"] == "full").unwrap();
    let steps = requests(&transcript);
    let event = |kind: &str| json!({ "op": "event", "kind": kind, "nexus": "A" });
    let mut shim = Shim::start();
    let mut provisioned = provision(&transcript);
    let begin = |shim: &mut Shim, upto: usize| {
        assert_eq!(shim.ask(&provisioned), good());
        steps[..upto].iter().for_each(|(request, answer)| assert_eq!(shim.ask(request), *answer));
    };
    let sas = |shim: &mut Shim| shim.ask(&json!({ "op": "sas" }))["sas"].as_array().unwrap().len();
    // Reading R37: nexus loss keeps SAs and drops the sequence, resets drop everything.
    begin(&mut shim, steps.len());
    assert_eq!((shim.ask(&event("nexus_loss")), sas(&mut shim)), (good(), 1));
    assert_eq!(shim.ask(&steps.last().unwrap().0)["status"], 2);
    for kind in ["lu_reset", "hard_reset", "power_on"] {
        begin(&mut shim, steps.len());
        assert_eq!((sas(&mut shim), shim.ask(&event(kind)), sas(&mut shim)), (1, good(), 0));
    }
    // r3 7.7.4.13: the recorded SA's inactivity timeout, to the millisecond.
    begin(&mut shim, steps.len());
    let timeout = transcript.json["sa"][0]["TIMEOUT"].as_u64().unwrap() * 1000;
    let tick = |shim: &mut Shim, ms: u64| assert_eq!(shim.ask(&json!({ "op": "tick", "ms": ms })), good());
    tick(&mut shim, timeout - 1);
    assert_eq!(sas(&mut shim), 1);
    tick(&mut shim, 1);
    assert_eq!(sas(&mut shim), 0);
    tick(&mut shim, u64::MAX);
    // NO SENSE, in both formats (SPC: response codes 70h and 72h).
    let request_sense = json!({ "op": "request_sense", "nexus": "A" });
    let none = |data: &str| json!({ "status": 0, "data": data });
    assert_eq!(shim.ask(&request_sense), none("700000000000000a00000000000000000000"));
    provisioned["provisioning"]["policy"]["descriptor_sense"] = true.into();
    assert_eq!(shim.ask(&provisioned), good());
    assert_eq!(shim.ask(&request_sense), none("7200000000000000"));
    // Other capabilities are reported from now on, exactly.
    let list: Vec<Value> = transcript.json["provisioning"]["capabilities"].as_array().unwrap().clone();
    let fewer: Vec<&Value> = list.iter().filter(|d| *d != "0200000c0000000700000000").collect();
    let mut capabilities = event("capabilities");
    capabilities["value"] = json!(fewer);
    assert_eq!((fewer.len() + 1, shim.ask(&capabilities)), (list.len(), good()));
    let data = shim.ask(&steps[0].0)["data"].as_str().unwrap().to_owned();
    assert_eq!(data[24..], fewer.iter().map(|d| d.as_str().unwrap()).collect::<String>());
    shim.finish();
}

/// SPC-4 5.14.4.5: changed capabilities are in force when one nexus has read them, and every other one is told, once.
#[test]
fn changed_capabilities_are_told_to_the_other_nexuses() {
    let transcripts = support::transcripts();
    let transcript = transcripts.iter().find(|t| t.profile() == Profile::SPC4 && t.json["scenario"] == "full").unwrap();
    let list: Vec<Value> = transcript.json["provisioning"]["capabilities"].as_array().unwrap().clone();
    let mut shim = Shim::start();
    assert_eq!(shim.ask(&provision(transcript)), good());
    let read = |nexus: &str| {
        let mut read = requests(transcript)[0].0.clone();
        read["nexus"] = nexus.into();
        read
    };
    let listed = |answer: &Value| (answer["data"].as_str().unwrap().len() - 24) / 24;
    for nexus in ["A", "B", "C"] {
        assert_eq!(listed(&shim.ask(&read(nexus))), list.len());
    }
    let change = json!({ "op": "event", "kind": "capabilities", "nexus": "A", "value": list[1..].to_vec() });
    assert_eq!(shim.ask(&change), good());
    // A read that is cut short does not put them in force.
    let mut short = read("A");
    short["cdb"] = "a24001010000000000040000".into();
    assert_eq!(shim.ask(&short)["status"], 0);
    assert_eq!(listed(&shim.ask(&read("B"))), list.len() - 1);
    let told = "700006000000000a000000002a1400000000";
    assert_eq!(shim.ask(&read("A")), json!({ "status": 2, "data": "", "sense": told }));
    assert_eq!(listed(&shim.ask(&read("A"))), list.len() - 1);
    let request_sense = |nexus: &str| json!({ "op": "request_sense", "nexus": nexus });
    assert_eq!(shim.ask(&request_sense("C")), json!({ "status": 0, "data": told }));
    for nexus in ["A", "B", "C"] {
        assert_eq!(shim.ask(&request_sense(nexus))["data"], "700000000000000a00000000000000000000", "{nexus}");
        assert_eq!(listed(&shim.ask(&read(nexus))), list.len() - 1);
    }
    shim.finish();
}

/// Replaces each member of `request` in turn, at every depth, by values that are none of its kind, and removes it.
fn spoil(request: &Value) -> Vec<Value> {
    let bad = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1.5),
        json!(u64::MAX),
        json!("zz"),
        json!("0"),
        json!("\u{0}\u{fffd}"),
        json!([[]]),
        json!({ "a": [] }),
    ];
    let mut spoilt = Vec::new();
    for name in request.as_object().unwrap().keys() {
        let mut without = request.clone();
        without.as_object_mut().unwrap().remove(name);
        spoilt.push(without);
        let mut put = |value: Value| {
            let mut changed = request.clone();
            changed[name] = value;
            spoilt.push(changed);
        };
        bad.iter().cloned().for_each(&mut put);
        match &request[name] {
            inner @ Value::Object(_) => spoil(inner).into_iter().for_each(&mut put),
            Value::Array(list) => {
                if let Some(first @ Value::Object(_)) = list.first() {
                    spoil(first).into_iter().for_each(|element| put(json!([element])));
                }
                bad.iter().for_each(|element| put(json!([element])));
            }
            _ => {}
        }
    }
    spoilt
}

/// Lines that are no requests at all: each must be answered with an error.
fn garbage() -> Vec<Vec<u8>> {
    let mut lines: Vec<Vec<u8>> = [
        "",
        " ",
        "{",
        "}",
        "[]",
        "null",
        "0",
        "\"op\"",
        "{}",
        "{\"op\"}",
        "{\"op\":}",
        "{\"op\":1}",
        "{\"op\":null}",
        "{\"op\":\"in\"",
        "{\"op\":\"tick\",\"ms\":1e999}",
        "{\"op\":\"tick\",\"ms\":18446744073709551616}",
        "{\"op\":\"tick\",\"ms\":-0.5}",
        "{\"op\":\"in\"}{\"op\":\"in\"}",
        "\u{feff}{\"op\":\"sas\"}",
        "op: in",
        "\r",
        "{'op':'sas'}",
        "{\"op\":\"\\ud800\"}",
    ]
    .map(|line| line.as_bytes().to_vec())
    .into();
    lines.extend((0..=255).filter(|byte| *byte != b'\n').map(|byte| vec![byte; 3]));
    lines.push(b"{\"op\":\"\xff\xfe\"}".to_vec());
    lines.push(vec![b'['; 1_000_000]);
    lines.push("{\"a\":".repeat(100_000).into_bytes());
    lines.push(vec![b'a'; 20 << 20]);
    lines
}

#[test]
fn no_line_ends_the_bench() {
    let transcript = &support::transcripts()[0];
    let mut shim = Shim::start();
    // Nothing is provisioned yet.
    let operations = [
        json!({ "op": "out", "nexus": "A", "cdb": "b541010200000000001c0000", "data": "00" }),
        json!({ "op": "in", "nexus": "A", "cdb": "a24001010000000040000000" }),
        json!({ "op": "tick", "ms": 1 }),
        json!({ "op": "event", "kind": "nexus_loss", "nexus": "A", "value": [] }),
        json!({ "op": "event", "kind": "capabilities", "nexus": "A", "value": ["0100000c0000000b00000000"] }),
        json!({ "op": "request_sense", "nexus": "A" }),
        json!({ "op": "sas" }),
    ];
    for operation in &operations {
        assert!(shim.ask(operation)["error"].is_string(), "{operation}");
    }
    for unknown in [json!({ "op": "reboot" }), json!({ "op": "event", "kind": "eclipse" })] {
        assert_eq!(shim.ask(&unknown), json!({ "unsupported": true }));
    }
    // With and without a logical unit.
    for line in garbage() {
        assert!(shim.send(&line)["error"].is_string());
    }
    assert_eq!(shim.ask(&provision(transcript)), good());
    for line in garbage() {
        assert!(shim.send(&line)["error"].is_string());
    }
    let is_answer =
        |answer: &Value| answer["error"].is_string() || answer["unsupported"] == true || answer["status"].is_u64();
    // Parts of the provisioning that are long and not looked at would only make the test slow.
    let mut small = provision(transcript);
    small["provisioning"]["device_server"]["keys"] = json!({});
    small["provisioning"]["device_server"]["certs"] = json!({});
    small["provisioning"]["trust_anchors"] = json!([]);
    for line in operations.iter().flat_map(spoil).chain(spoil(&small)) {
        let answer = shim.ask(&line);
        assert!(is_answer(&answer), "{answer} to {line}");
    }
    // CDBs and Data-Out of every length, and a nexus with any name.
    assert_eq!(shim.ask(&provision(transcript)), good());
    for length in 0..40 {
        let bytes = "b5".repeat(length);
        let answer = shim.ask(&json!({ "op": "out", "nexus": "\u{1F980}\"\\\n", "cdb": bytes, "data": bytes }));
        assert_eq!(answer["status"], 2, "{answer}");
    }
    replay(&mut shim, transcript);
    println!("{} lines", shim.finish());
}

/// What cannot be configured is an error, and leaves no logical unit behind.
#[test]
fn a_provisioning_that_cannot_work_is_refused() {
    let transcript = &support::transcripts()[0];
    let whole = provision(transcript);
    let mut shim = Shim::start();
    let wrong: [(&str, Value); 10] = [
        ("/profile", json!("spc3")),
        ("/header_flags", json!("rfc4306")),
        ("/capabilities", json!([])),
        ("/capabilities/0", json!("0100000d0000000b00000000")),
        ("/capabilities/0", json!("0100000c0000000b000000")),
        ("/device_server", json!(null)),
        ("/device_server/id_type", json!(1)),
        ("/device_server/psk", whole["provisioning"]["clients"][0]["psk"].clone()),
        ("/policy/nonce_length", json!(15)),
        ("/policy/max_auth_failures", json!(0)),
    ];
    for (member, value) in wrong {
        let mut request = whole.clone();
        assert_eq!(shim.ask(&request), good());
        *request["provisioning"].pointer_mut(member).expect(member) = value;
        assert!(shim.ask(&request)["error"].is_string(), "{member}");
        assert!(shim.ask(&json!({ "op": "sas" }))["error"].is_string(), "{member}");
    }
    // Every member of the policy has a default, and members that nobody knows are ignored.
    let mut request = whole;
    request["provisioning"]["policy"] = json!({ "flavour": "vanilla" });
    assert_eq!(shim.ask(&request), good());
    shim.finish();
}
