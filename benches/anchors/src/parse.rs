//! Reading a key exchange OUT to its last field, beside ipsec-parser with a message that holds as much.

use std::hint::black_box;

use ikev2_scsi::Profile;

use crate::allocations;
use crate::harness::{Comparison, Effort};
use crate::message::{read, recorded};

/// Lines `parse,<message>,<ns>,<times ipsec-parser>,<allocations>`.
pub(crate) fn run(effort: Effort) {
    let (r3, spc4, init) = (recorded("r3-mandatory"), recorded("spc4-table82-row1"), ike_sa_init());
    let mut comparison = Comparison::new(effort);
    comparison.add("r3 key exchange OUT", || read(black_box(Profile::R3), black_box(&r3)));
    comparison.add("SPC-4 key exchange OUT", || read(black_box(Profile::SPC4), black_box(&spc4)));
    comparison.add("ipsec-parser: IKE_SA_INIT", || ipsec_parser(black_box(&init)));
    let times = comparison.run();
    let works: [&dyn Fn(); 3] =
        [&|| _ = black_box(read(Profile::R3, &r3)), &|| _ = black_box(read(Profile::SPC4, &spc4)), &|| {
            _ = black_box(ipsec_parser(&init));
        }];
    for (time, work) in times.iter().zip(works) {
        let ratio = time.ratio(&times[2]);
        println!("parse,{},{:.1},{ratio:.3},{}", time.name, time.nanoseconds(), allocations::of(work));
    }
}

fn ipsec_parser(message: &[u8]) -> usize {
    let (rest, header) = ipsec_parser::parse_ikev2_header(message).unwrap();
    let (rest, payloads) = ipsec_parser::parse_ikev2_payload_list(rest, header.next_payload).unwrap();
    assert!(rest.is_empty());
    black_box(payloads.unwrap()).len()
}

/// An IKE_SA_INIT request: one proposal, MODP-2048, a nonce of 32 bytes (RFC 7296 3).
fn ike_sa_init() -> Vec<u8> {
    let transforms: [&[u8]; 4] = [
        &[3, 0, 0, 12, 1, 0, 0, 12, 0x80, 14, 0, 128],
        &[3, 0, 0, 8, 2, 0, 0, 2],
        &[3, 0, 0, 8, 3, 0, 0, 2],
        &[0, 0, 0, 8, 4, 0, 0, 14],
    ];
    let transforms = transforms.concat();
    let mut proposal = vec![0, 0, 0, 8 + transforms.len() as u8, 1, 1, 0, 4];
    proposal.extend(transforms);
    let mut message = [[0x11; 8], [0; 8]].concat();
    message.extend([33, 0x20, 34, 0x08, 0, 0, 0, 0, 0, 0, 0, 0]);
    let mut payload = |next: u8, data: &[u8]| {
        message.extend([next, 0]);
        message.extend((4 + data.len() as u16).to_be_bytes());
        message.extend(data);
    };
    payload(34, &proposal);
    payload(40, &[&[0, 14, 0, 0][..], &[0x77; 256]].concat());
    payload(0, &[0x55; 32]);
    let length = (message.len() as u32).to_be_bytes();
    message[24..28].copy_from_slice(&length);
    message
}
