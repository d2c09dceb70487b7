//! Any bytes as an ESP-SCSI descriptor under real keys: refused at a place inside them and with nothing changed, or opened as what
//! was built; and a sequence of honest, lost, replayed and changed descriptors.
#![no_main]

use std::sync::LazyLock;

use arbitrary::Arbitrary;
use ikev2_scsi::crypto::{Purpose, Random, RandomError};
use ikev2_scsi::esp::{EspScsi, Flow, Form, OpenError, TAPE_DATA_ENCRYPTION, WINDOW};
use ikev2_scsi::keys::{MgmtData, SaBlock, SaBytes, SaParameters, UsageAlgorithms};
use ikev2_scsi::wire::Sai;
use ikev2_scsi::{Profile, provider};
use libfuzzer_sys::fuzz_target;

/// ENCR, KEY LENGTH, INTEG, bytes of KEYMAT.
const SUITES: [(u32, u16, u32, usize); 5] = [
    (0x8001_000C, 32, 0x8003_000E, 192),
    (0x8001_000C, 16, 0x8003_0002, 72),
    (0x8001_0014, 16, 0xF003_0001, 40),
    (0x8001_0010, 32, 0xF003_0001, 70),
    (0x8001_000B, 0, 0x8003_0002, 40),
];

/// The descriptors of the vectors, as seeds.
static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let texts = include_str!("../../vectors/esp/esp.json").split("\"descriptor\": \"").skip(1);
    texts.map(|text| hex(text.split('"').next().unwrap())).collect()
});

fn hex(text: &str) -> Vec<u8> {
    text.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

#[derive(Arbitrary, Debug)]
struct Input {
    suite: u8,
    to_client: bool,
    with_length: bool,
    last: u64,
    steps: Vec<Step>,
}

#[derive(Arbitrary, Debug)]
enum Step {
    /// Built and opened.
    Honest(Vec<u8>),
    /// Built and lost.
    Lost(u8),
    /// The last one that was opened, once more.
    Replay,
    /// Built, changed on the way, and followed by other bytes.
    Changed { data: Vec<u8>, at: u16, xor: u8, behind: Vec<u8> },
    Cut { data: Vec<u8>, length: u16 },
    Raw(Vec<u8>),
    /// A descriptor of the vectors, whose SAI and sequence number may be made to fit.
    Seed { which: u16, fits: bool },
}

struct Zeros;

impl Random for Zeros {
    fn fill(&mut self, _: Purpose, out: &mut [u8]) -> Result<(), RandomError> {
        out.fill(0);
        Ok(())
    }
}

fn parameters(suite: u8, last: u64) -> SaParameters {
    let (encr, key_length, integ, length) = SUITES[usize::from(suite) % SUITES.len()];
    let keymat: Vec<u8> = (0..length).map(|byte| (byte * 7 + 1) as u8).collect();
    SaParameters {
        ac_sai: Sai(0x0A0B_0C0D),
        ds_sai: Sai(0xD0E0_F001),
        timeout: 60,
        ac_sqn: last,
        ds_sqn: last,
        kdf_id: 0x8002_0005,
        usage_type: TAPE_DATA_ENCRYPTION,
        usage_algorithms: Some(UsageAlgorithms { encr, key_length, integ }),
        mgmt_data: MgmtData {
            encr,
            key_length,
            integ,
            next_message_id: 2,
        },
        block: SaBlock::new(&SaBytes { keymat: &keymat, ..SaBytes::default() }).unwrap(),
    }
}

struct World {
    sender: SaParameters,
    receiver: SaParameters,
    flow: Flow,
    form: Form,
    opened: Option<Vec<u8>>,
}

impl World {
    fn numbers(&self) -> [u64; 2] {
        let number = |sa: &SaParameters| if self.flow == Flow::Out { sa.ds_sqn } else { sa.ac_sqn };
        [number(&self.sender), number(&self.receiver)]
    }

    fn build(&mut self, data: &[u8]) -> Option<Vec<u8>> {
        esp().build(self.flow, &mut self.sender, data, self.form, &mut Zeros).ok().map(|built| built.descriptor)
    }

    /// Opens bytes that nobody built, or that were changed: refused, whatever they are.
    fn refused(&mut self, mut bytes: Vec<u8>) {
        let before = self.numbers();
        let length = bytes.len();
        match esp().open(self.flow, &mut self.receiver, &mut bytes, self.form) {
            Ok(opened) => panic!("forged: {opened:?}"),
            Err(OpenError::Fault(fault)) => assert!(fault.byte < length.max(1) && !fault.is_authentic(), "{fault}"),
            Err(error) => panic!("{error}"),
        }
        assert_eq!(before, self.numbers());
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Honest(data) => {
                let Some(mut descriptor) = self.build(&data) else { return };
                let ([sent, last], sealed) = (self.numbers(), descriptor.clone());
                match esp().open(self.flow, &mut self.receiver, &mut descriptor, self.form) {
                    Ok(opened) => {
                        assert_eq!((&descriptor[opened.data], opened.is_last), (&data[..], sent == u64::MAX));
                        assert_eq!(self.numbers(), [sent; 2]);
                        self.opened = Some(sealed);
                    }
                    Err(_) => assert!(sent - last > WINDOW),
                }
            }
            Step::Lost(count) => (0..count % 40).for_each(|_| drop(self.build(b"lost"))),
            Step::Replay => {
                if let Some(descriptor) = self.opened.clone() {
                    self.refused(descriptor);
                }
            }
            Step::Changed { data, at, xor, behind } => {
                let Some(mut descriptor) = self.build(&data) else { return };
                let at = usize::from(at) % descriptor.len();
                // Reserved bytes are ignored.
                let reserved = if self.form == Form::WithLength { 2..4 } else { 0..4 };
                if xor == 0 || reserved.contains(&at) {
                    return;
                }
                descriptor[at] ^= xor;
                descriptor.extend(behind);
                self.refused(descriptor);
            }
            Step::Cut { data, length } => {
                let Some(mut descriptor) = self.build(&data) else { return };
                descriptor.truncate(usize::from(length) % descriptor.len());
                self.refused(descriptor);
            }
            Step::Raw(bytes) => self.refused(bytes),
            Step::Seed { which, fits } => {
                let mut bytes = SEEDS[usize::from(which) % SEEDS.len()].clone();
                if fits {
                    let sai = if self.flow == Flow::Out { [0xD0, 0xE0, 0xF0, 0x01] } else { [0x0A, 0x0B, 0x0C, 0x0D] };
                    bytes[4..8].copy_from_slice(&sai);
                    bytes[8..16].copy_from_slice(&self.numbers()[1].saturating_add(1).to_be_bytes());
                }
                self.refused(bytes);
            }
        }
    }
}

fn esp() -> EspScsi<'static> {
    EspScsi::new(Profile::SPC4, provider::provider(), &[TAPE_DATA_ENCRYPTION])
}

fuzz_target!(|input: Input| {
    let mut world = World {
        sender: parameters(input.suite, input.last),
        receiver: parameters(input.suite, input.last),
        flow: if input.to_client { Flow::In } else { Flow::Out },
        form: if input.with_length { Form::WithLength } else { Form::WithoutLength },
        opened: None,
    };
    for step in input.steps.into_iter().take(64) {
        world.step(step);
    }
});
