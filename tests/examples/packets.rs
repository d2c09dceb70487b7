//! What `inspect` shows of packets: `captures/make.py` made the files from the recorded transcripts, and is no part of this crate.

use super::*;

fn captures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/examples/captures")
}

fn transcript(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("vectors/transcripts/{name}.json"))
}

/// Runs `inspect` on a file of packets with the keys of a transcript.
fn inspected(file: &str, keys: &Path, more: &[&str]) -> String {
    let path = captures().join(file);
    let arguments = [&["--keys", keys.to_str().unwrap(), path.to_str().unwrap()], more].concat();
    run("inspect", &arguments, b"").succeeded()
}

/// The commands of an output, each without its title, which only packets have places in.
fn commands(stdout: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for line in stdout.lines().filter(|line| !line.starts_with("Remark: ")) {
        if line.starts_with("Command ") {
            all.push(String::new());
        } else {
            *all.last_mut().unwrap() += &format!("{line}\n");
        }
    }
    all
}

/// Those of the transcript itself, which other tests look at.
fn recorded(name: &str) -> Vec<String> {
    commands(&run("inspect", &[transcript(name)], b"").succeeded())
}

const WHOLE: [(&str, &str, &[&str]); 4] = [
    ("r3-mandatory.pcap", "r3-mandatory", &[]),
    ("spc4-table82-row1.pcapng", "spc4-table82-row1", &[]),
    ("r3-ccm16.pcap", "r3-ccm16-128-sha256-modp2048-psk", &[]),
    ("no-login.pcap", "r3-gcm-128-sha256-ecp256-ecdsa256", &["--port", "9999", "--digests", "both"]),
];

/// Data at once, after R2T, in pieces, out of order, twice; with digests, additional headers, tags; over IPv4 and IPv6; in
/// each form of file: the same commands as in the transcript, opened.
#[test]
fn packets_show_what_the_transcript_shows() {
    for (file, name, options) in WHOLE {
        let stdout = inspected(file, &transcript(name), options);
        assert_eq!(commands(&stdout), recorded(name), "{file}");
        assert!(!stdout.contains("Remark: ") && !stdout.contains("Note: "), "{file}");
        let command = "Command 2: key exchange, I_T nexus ";
        assert_eq!(stdout.lines().filter(|line| line.starts_with(command)).count(), 1, "{file}");
    }
}

/// A title has the nexus by the names of the login, the LUN, the packets and the time.
#[test]
fn titles_tell_where_a_command_is() {
    let nexus = "I_T nexus iqn.2007-04.org.example:host-1,i,0x00023d010203 to iqn.2007-04.org.example:drive-9";
    let stdout = inspected("r3-mandatory.pcap", &transcript("r3-mandatory"), &[]);
    let first = format!("Command 1: capabilities, {nexus}, LUN 1, packets 10 to 12, 0.090000 s");
    assert_eq!(stdout.lines().next(), Some(first.as_str()));
    let stdout = inspected("r3-ccm16.pcap", &transcript("r3-ccm16-128-sha256-modp2048-psk"), &[]);
    assert!(stdout.contains(", LUN 258, "), "4102h is number 0102h, addressed flat");
    let (file, name, options) = WHOLE[3];
    let stdout = inspected(file, &transcript(name), options);
    assert!(
        stdout
            .starts_with("Command 1: capabilities, I_T nexus 198.51.100.7:40005 to 198.51.100.9:9999, LUN 1, packets ")
    );
}

#[test]
fn connections_are_kept_apart() {
    let names = ["r3-gcm-128-sha256-ecp256-ecdsa256", "spc4-cbc128-sha1-modp2048-psk"];
    let mut log = String::from("# Keys of two captures.\n\n");
    names.iter().for_each(|name| log += &key_log(&read(&transcript(name))));
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("two-connections.keys");
    std::fs::write(&path, &log).unwrap();
    let stdout = inspected("two-connections.pcapng", &path, &[]);
    assert!(!stdout.contains("not opened") && !stdout.contains("Remark"));
    let of = |lun: &str| {
        let numbered = stdout.lines().filter(|line| line.starts_with("Command "));
        let places: Vec<_> = numbered.map(|line| line.contains(lun)).collect();
        let own = commands(&stdout).into_iter().zip(places).filter(|(_, is_own)| *is_own);
        own.map(|(command, _)| command).collect::<Vec<_>>()
    };
    assert_eq!(of(", LUN 1, "), recorded(names[0]));
    assert_eq!(of(", LUN 0, "), recorded(names[1]));
    // With the keys of one, the other stays closed.
    let one = inspected("two-connections.pcapng", &transcript(names[0]), &[]);
    assert_eq!(one.matches("not opened: the key log has no keys of these SAIs").count(), 2);
}

/// The lines of a key log for the exchange of a transcript. The SAIs are the first sixteen bytes of its third command.
fn key_log(transcript: &Value) -> String {
    let sais = &transcript["steps"][2]["data_in"].as_str().unwrap()[..32];
    let keys = transcript["ccs"][0].as_object().unwrap().iter().filter(|(name, _)| name.starts_with("SK_"));
    let line =
        |(name, key): (&String, &Value)| format!("{name} {} {} {}\n", &sais[..16], &sais[16..], key.as_str().unwrap());
    keys.map(line).collect()
}

#[test]
fn a_key_log_opens_as_a_capture_does() {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("one.keys");
    let log = key_log(&mandatory());
    std::fs::write(&path, &log).unwrap();
    let opened = inspected("r3-mandatory.pcap", &path, &[]);
    assert_eq!(opened, inspected("r3-mandatory.pcap", &transcript("r3-mandatory"), &[]));
    // A wrong key is no key.
    std::fs::write(&path, log.replace("SK_ai ", "SK_xx ")).unwrap();
    let closed = inspected("r3-mandatory.pcap", &path, &[]);
    assert_eq!((closed.matches("not opened").count(), closed.matches("Authentication (AUTH), byte").count()), (3, 1));
    for (wrong, why) in [
        ("SK_ei 00", "line 1 of the key log: fewer than a name and two SAIs"),
        ("\nSK_ei 00 11 22", "line 2 of the key log: a SAI is not sixteen hexadecimal digits"),
        ("SK_ei 0000000000000001 0000000000000002 2", "the key is not hexadecimal"),
        ("SK_ei 0000000000000001 0000000000000002 22 33", "something after the key"),
    ] {
        std::fs::write(&path, wrong).unwrap();
        let file = captures().join("r3-mandatory.pcap");
        let ran = run("inspect", &["--keys".as_ref(), path.as_os_str(), file.as_os_str()], b"");
        assert!(ran.failed(1).contains(why), "{why}: {}", ran.stderr);
    }
}

/// One packet is missing: its command lacks data, and the others are whole.
#[test]
fn what_is_missing_is_said() {
    let stdout = inspected("r3-mandatory-lost.pcap", &transcript("r3-mandatory"), &[]);
    let (found, whole) = (commands(&stdout), recorded("r3-mandatory"));
    assert_eq!(found.len(), whole.len());
    for (number, (found, whole)) in found.iter().zip(&whole).enumerate() {
        let has_lost = number == 2;
        assert_eq!(found != whole, has_lost, "command {}", number + 1);
        assert_eq!(found.contains("Note: data of this command are missing in the capture"), has_lost);
    }
    // A header and 300 bytes of data.
    assert!(stdout.contains("Remark: 348 bytes of TCP streams are missing"), "{stdout}");
    // Without the login nobody knows where iSCSI is, or how far a PDU goes.
    let (file, name, _) = WHOLE[3];
    let nothing = inspected(file, &transcript(name), &[]);
    assert!(nothing.contains("Remark: no iSCSI connection: --port tells where") && !nothing.contains("Command "));
}

/// A file that ends anywhere shows what was there, and is no failure.
#[test]
fn files_that_are_cut_are_shown() {
    for (file, step) in [("r3-mandatory.pcap", 97), ("two-connections.pcapng", 211)] {
        let whole = std::fs::read(captures().join(file)).unwrap();
        let full = inspect(&whole).succeeded();
        let titles = |stdout: &str| stdout.lines().filter(|line| line.starts_with("Command ")).count();
        let (mut before, mut remarks, mut cuts) = (0, 0, 0);
        for length in (28..whole.len()).step_by(step) {
            let stdout = inspect(&whole[..length]).succeeded();
            cuts += 1;
            remarks += usize::from(stdout.contains("Remark: the file ends inside of a record, after packet "));
            assert!(titles(&stdout) >= before && titles(&stdout) <= titles(&full));
            before = titles(&stdout);
        }
        assert!(before + 1 >= titles(&full), "{file}");
        // A cut between two records is none.
        assert!(remarks + 3 >= cuts, "{file}: {remarks} of {cuts}");
    }
}

/// Changed bytes anywhere: nothing panics, and whatever ends ends soon.
#[test]
fn files_that_are_broken_do_no_harm() {
    let mut state = 1_u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    for file in ["r3-mandatory.pcap", "r3-ccm16.pcap", "two-connections.pcapng", "tgtd-spc4.pcapng"] {
        let whole = std::fs::read(captures().join(file)).unwrap();
        for _ in 0..25 {
            let mut broken = whole.clone();
            for _ in 0..=random(20) {
                let at = random(broken.len());
                broken[at] = [0x00, 0xFF, 0x80, 0x7F][random(4)];
            }
            let ran = run("inspect", &[""; 0], &broken);
            assert!(ran.code == 0 || ran.code == 1, "{file}: {}", ran.stderr);
        }
    }
}

/// Lengths that promise what is not there cost nothing.
#[test]
fn lengths_that_lie_are_refused() {
    let head = |link: u32| [&[0xD4, 0xC3, 0xB2, 0xA1, 2, 0, 4, 0][..], &[0; 12], &link.to_le_bytes()].concat();
    let record = |length: u32| [&[0; 8][..], &length.to_le_bytes(), &length.to_le_bytes()].concat();
    let huge = inspect([head(1), record(u32::MAX)].concat()).succeeded();
    assert!(
        huge.contains("Remark: the file is wrong before byte 40, after packet 0: a record of 4294967295 bytes"),
        "{huge}"
    );
    let cut = inspect([head(1), record(60_000_000)].concat()).succeeded();
    assert!(cut.contains("Remark: the file ends inside of a record, after packet 0"));
    let link = inspect([head(147), record(1), vec![0]].concat()).succeeded();
    assert!(link.contains("Remark: 1 packets have link type 147, which is not known"));
    let block = [0x0A, 0x0D, 0x0D, 0x0A, 28, 0, 0, 0, 0x4D, 0x3C, 0x2B, 0x1A];
    let section = [&block[..], &[1, 0, 0, 0], &[0xFF; 8], &[28, 0, 0, 0]].concat();
    assert!(inspect(&section).succeeded().contains("no SECURITY PROTOCOL command"));
    let packet = [6, 0, 0, 0, 44, 0, 0, 0, 3, 0, 0, 0];
    let lost = inspect([&section[..], &packet, &[0; 36]].concat()).succeeded();
    assert!(lost.contains("a packet of an interface that no block describes"), "{lost}");
    let short = inspect([&section[..], &[6, 0, 0, 0, 11, 0, 0, 0]].concat()).succeeded();
    assert!(short.contains("a block of 11 bytes"), "{short}");
}

/// A PDU's digest over other bytes is told.
#[test]
fn wrong_digests_are_told() {
    let mut whole = std::fs::read(captures().join("no-login.pcap")).unwrap();
    // The CDB of the first command: A2h 40h 0101h. Its ALLOCATION LENGTH becomes another.
    let at = whole.windows(4).position(|bytes| bytes == [0xA2, 0x40, 0x01, 0x01]).unwrap();
    whole[at + 9] ^= 1;
    let stdout = run("inspect", &["--port", "9999", "--digests", "both"], &whole).succeeded();
    assert_eq!(stdout.matches("Note: wrong iSCSI header digest, packet 2").count(), 1);
}

/// The folder for Wireshark has the messages in datagrams, and the keys in its table's columns.
#[test]
fn messages_are_exported_for_wireshark() {
    let (file, name, _) = WHOLE[0];
    let transcript_path = transcript(name);
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("exported");
    inspected(file, &transcript_path, &["--wireshark", folder.to_str().unwrap()]);
    let recorded = mandatory();
    let sais = &recorded["steps"][2]["data_in"].as_str().unwrap()[..32];
    let key = |name: &str| recorded["ccs"][0][name].as_str().unwrap().to_owned();
    let row = |encryption: &str, integrity: &str| {
        let (ac_sai, ds_sai) = sais.split_at(16);
        let cipher = format!("{},{},\"AES-CBC-128 [RFC3602]\"", key("SK_ei"), key(encryption));
        format!("{ac_sai},{ds_sai},{cipher},{},{},\"HMAC_SHA1_96 [RFC2404]\"\n", key("SK_ai"), key(integrity))
    };
    let table = |side: &str| std::fs::read_to_string(folder.join(side).join("ikev2_decryption_table")).unwrap();
    assert_eq!((table("in"), table("out")), (row("SK_er", "SK_ar"), row("SK_ei", "SK_ai")));
    let messages = std::fs::read(folder.join("messages.pcap")).unwrap();
    let mut rest = &messages[24..];
    for step in recorded["steps"].as_array().unwrap().iter().filter(|step| step["cdb"].as_str().unwrap()[2..4] == *"41")
    {
        let data = bytes(step.get("data_out").or_else(|| step.get("data_in")).unwrap().as_str().unwrap());
        let (record, packet) = rest.split_at(16);
        let length = usize::try_from(u32::from_be_bytes(record[8..12].try_into().unwrap())).unwrap();
        assert_eq!((length, &packet[28..length]), (data.len() + 28, &data[..]));
        let ends: [[u8; 4]; 2] = [[198, 51, 100, 7], [198, 51, 100, 9]];
        let (from, to) = if step["op"] == "out" { (ends[0], ends[1]) } else { (ends[1], ends[0]) };
        assert_eq!((&packet[12..16], &packet[16..20]), (&from[..], &to[..]));
        rest = &packet[length..];
    }
    assert!(rest.is_empty());
    // A capture is exported as well, with addresses of its own.
    let from_capture = folder.join("capture");
    let arguments = ["--wireshark".as_ref(), from_capture.as_os_str(), transcript_path.as_os_str()];
    run("inspect", &arguments, b"").succeeded();
    assert_eq!(std::fs::read_to_string(from_capture.join("in/ikev2_decryption_table")).unwrap(), table("in"));
    assert_eq!(std::fs::read(from_capture.join("messages.pcap")).unwrap().len(), messages.len());
}

#[test]
fn options_for_packets_are_checked() {
    for (wrong, why) in [
        (&["--port", "70000"][..], "is no port"),
        (&["--port"], "--port needs a number"),
        (&["--digests", "some"], "no digests are called some"),
        (&["--keys"], "--keys needs a file"),
        (&["--keys", "some"], "--keys is for packets"),
        (&["--wireshark", "some"], "--wireshark is for packets and captures"),
    ] {
        assert!(run("inspect", wrong, b"00").failed(2).contains(why), "{wrong:?}");
    }
}

/// Recorded by dumpcap on the loopback interface of a machine with an unmodified tgtd and our plugin. The application client was
/// `emulators/e2e` first and `initiator` after it; tshark counts as many commands.
#[test]
fn recordings_of_a_real_target_are_opened() {
    for (file, keys, commands_in, commands_out, refused) in [
        ("tgtd-r3.pcap", "tgtd-r3.keys", 9, 7, "5h, 2Ch/00h, parameter list byte 0"),
        ("tgtd-spc4.pcapng", "tgtd-spc4.keys", 8, 7, "5h, 26h/00h, parameter list byte 4"),
    ] {
        let stdout = inspected(file, &captures().join(keys), &[]);
        let count = |wanted: &str| stdout.matches(wanted).count();
        assert_eq!(
            (count("\nSECURITY PROTOCOL IN: "), count("\nSECURITY PROTOCOL OUT: ")),
            (commands_in, commands_out)
        );
        assert_eq!((count("Authentication (AUTH), byte"), count("Delete (D), byte")), (4, 3), "{file}");
        for wrong in ["not opened", "error:", "Remark: ", "Note: "] {
            assert_eq!(count(wrong), 0, "{file}: {wrong}");
        }
        // The second Delete of the Python initiator, and calculations that were waited for.
        assert_eq!(count(&format!("Status: CHECK CONDITION: sense key {refused}")), 1, "{file}");
        assert!(count("Status: CHECK CONDITION: sense key 2h, 04h/") > 0, "{file}");
        let initiators =
            ["python-1", "python-2", "ikev2-scsi-initiator"].map(|name| count(&format!(".example:{name},i,0x")));
        assert_eq!(initiators.iter().sum::<usize>(), commands_in + commands_out);
        assert!(initiators.iter().all(|count| *count > 0), "{initiators:?}");
    }
}
