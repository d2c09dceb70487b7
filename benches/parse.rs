//! Reading and writing recorded messages.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a bench that goes wrong should stop where it does"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ikev2_scsi::Profile;
use ikev2_scsi::dialect::{Exchange, PayloadType};
use ikev2_scsi::wire::{
    Algorithms, Capabilities, Cdb, Chain, Header, KeyExchange, MessageWriter, Nonce, Payload, Timeouts, check_order,
    find,
};

/// The header, the order, and every payload to its last field.
fn read(message: &[u8], exchange: Exchange) -> usize {
    let header = Header::parse(Profile::R3, message).unwrap();
    let chain = Chain::outer(Profile::R3, message, &header);
    check_order(&chain, exchange, false).unwrap();
    let mut count = 0;
    for raw in chain {
        black_box(Payload::parse(Profile::R3, &raw.unwrap()).unwrap());
        count += 1;
    }
    count
}

fn write(message: &[u8], buffer: &mut [u8]) -> usize {
    let header = Header::parse(Profile::R3, message).unwrap();
    let chain = Chain::outer(Profile::R3, message, &header);
    let raw = |payload| find(&chain, payload).unwrap();
    let sais = (header.ac_sai, header.ds_sai);
    let mut writer = MessageWriter::new(Profile::R3, Exchange::KeyExchangeOut, sais, 0, buffer).unwrap();
    let stv: Timeouts = raw(PayloadType::Timeouts).body(Profile::R3).unwrap();
    writer.payload(PayloadType::Timeouts, &stv).unwrap();
    let sca: Algorithms<'_> = raw(PayloadType::Algorithms).body(Profile::R3).unwrap();
    writer.payload(PayloadType::Algorithms, &sca).unwrap();
    let ke: KeyExchange<'_> = raw(PayloadType::KeyExchange).body(Profile::R3).unwrap();
    writer.payload(PayloadType::KeyExchange, &ke).unwrap();
    let nonce: Nonce<'_> = raw(PayloadType::Nonce).body(Profile::R3).unwrap();
    writer.payload(PayloadType::Nonce, &nonce).unwrap();
    writer.finish().unwrap().len()
}

fn benches(criterion: &mut Criterion) {
    let mandatory = support::transcripts().into_iter().find(|transcript| transcript.name == "r3-mandatory").unwrap();
    let steps = mandatory.steps();
    let mut group = criterion.benchmark_group("wire");
    let (capabilities, key_exchange) = (&steps[0].data_in, &steps[1].data_out);
    group.bench_function("read CDB", |b| b.iter(|| Cdb::parse(black_box(&steps[1].cdb)).unwrap()));
    group.throughput(Throughput::Bytes(capabilities.len() as u64));
    group.bench_function("read capabilities", |b| {
        b.iter(|| Capabilities::parse_parameter_data(Profile::R3, black_box(capabilities)).unwrap());
    });
    group.throughput(Throughput::Bytes(key_exchange.len() as u64));
    group.bench_function("read key exchange OUT", |b| {
        b.iter(|| read(black_box(key_exchange), Exchange::KeyExchangeOut));
    });
    let mut buffer = vec![0; key_exchange.len()];
    assert_eq!(write(key_exchange, &mut buffer), key_exchange.len());
    assert_eq!(&buffer, key_exchange);
    group.bench_function("read and write key exchange OUT", |b| {
        b.iter(|| write(black_box(key_exchange), &mut buffer));
    });
    let authentication = &steps[3].data_out;
    group.throughput(Throughput::Bytes(authentication.len() as u64));
    group.bench_function("read authentication OUT, unopened", |b| {
        b.iter(|| read(black_box(authentication), Exchange::AuthenticationOut));
    });
    group.finish();
}

criterion_group!(parse, benches);
criterion_main!(parse);
