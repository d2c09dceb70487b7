//! What `inspect` shows of captures, transcripts and hexadecimal bytes, and of bytes that are none.

use std::ffi::OsStr;

use super::*;

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
