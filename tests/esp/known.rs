//! Known answers, computed by other code (`vectors/esp/generate.py`), and the keys of the transcripts.

use super::*;

fn flow(case: &Value) -> Flow {
    if case["flow"] == "out" { Flow::Out } else { Flow::In }
}

fn form(case: &Value) -> Form {
    if case["with_length"] == true { Form::WithLength } else { Form::WithoutLength }
}

#[test]
fn descriptors_are_opened() {
    let mut opened_descriptors = 0;
    for association in Association::all() {
        for case in &association.cases {
            let (last, sequence) = (number(&case["last"]), number(&case["sequence"]));
            let mut sa = association.parameters(last);
            let mut descriptor = bytes(&case["descriptor"]);
            let length = descriptor.len();
            let opened = esp().open(flow(case), &mut sa, &mut descriptor, form(case)).unwrap();
            assert_eq!(descriptor[opened.data], bytes(&case["data"]), "{}: {case}", association.name);
            assert_eq!((opened.length, opened.is_last), (length, sequence == LAST));
            let mut expected = association.parameters(last);
            match flow(case) {
                Flow::Out => expected.ds_sqn = sequence,
                Flow::In => expected.ac_sqn = sequence,
            }
            assert_eq!(sa, expected);
            opened_descriptors += 1;
        }
    }
    assert_eq!(opened_descriptors, 280);
}

#[test]
fn descriptors_are_built_byte_for_byte() {
    let mut built_descriptors = 0;
    for association in Association::all() {
        for case in association.cases.iter().filter(|case| case["built"] == true) {
            let sequence = number(&case["sequence"]);
            let mut sa = association.parameters(sequence - 1);
            let data = bytes(&case["data"]);
            let length = esp().built_length(flow(case), &sa, data.len(), form(case)).unwrap();
            let mut random = Recorded(bytes(&case["iv"]));
            let built = esp().build(flow(case), &mut sa, &data, form(case), &mut random).unwrap();
            assert_eq!(built.descriptor, bytes(&case["descriptor"]), "{}: {case}", association.name);
            assert_eq!((built.is_last, built.descriptor.len()), (sequence == LAST, length));
            assert_eq!(number_of(flow(case), &sa), sequence);
            built_descriptors += 1;
        }
    }
    assert_eq!(built_descriptors, 240);
}

/// The associations of the recorded exchanges: KEYMAT of both sides, their SAIs and USAGE_DATA, as an independent
/// implementation wrote them.
#[test]
fn keys_of_recorded_exchanges_serve() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/transcripts");
    let (mut files, mut associations) = (0, 0);
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if !path.file_name().unwrap().to_str().unwrap().starts_with("spc4-") {
            continue;
        }
        files += 1;
        let json: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        for sa in json["sa"].as_array().into_iter().flatten() {
            let usage = bytes(&sa["USAGE_DATA"]);
            let part =
                |range: std::ops::Range<usize>| usage[range].iter().fold(0, |all, byte| all << 8 | u32::from(*byte));
            let association = Association {
                name: path.display().to_string(),
                sais: (number(&sa["AC_SAI"]), number(&sa["DS_SAI"])),
                algorithms: UsageAlgorithms {
                    encr: part(0..4),
                    key_length: part(4..6).try_into().unwrap(),
                    integ: part(6..10),
                },
                keymat: bytes(&sa["KEYMAT"]),
                cases: Vec::new(),
            };
            let parameters = || SaParameters {
                ac_sqn: sa["AC_SQN"].as_u64().unwrap(),
                ds_sqn: sa["DS_SQN"].as_u64().unwrap(),
                usage_type: sa["USAGE_TYPE"].as_u64().unwrap().try_into().unwrap(),
                ..association.parameters(0)
            };
            for flow in FLOWS {
                let [mut sender, mut receiver] = [parameters(), parameters()];
                for sequence in 2..5 {
                    let data = vec![0xA5; 20];
                    let mut random = Recorded(vec![7; association.iv_length()]);
                    let built = esp().build(flow, &mut sender, &data, Form::WithLength, &mut random).unwrap();
                    let mut descriptor = built.descriptor;
                    assert_eq!(descriptor[8..16], u64::to_be_bytes(sequence));
                    let opened = esp().open(flow, &mut receiver, &mut descriptor, Form::WithLength).unwrap();
                    assert_eq!(descriptor[opened.data], data);
                }
                assert_eq!(sender, receiver);
            }
            associations += 1;
        }
    }
    assert_eq!((files, associations), (6, 5));
}
