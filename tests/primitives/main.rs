//! Published values through the provider's traits: `vectors/primitives/`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a test that goes wrong should stop where it does"
)]

mod ciphers;
mod der;
mod forgeries;
mod groups;
mod keyed;
#[path = "../support/provider.rs"]
mod provider;
mod signature_abuse;
mod signatures;
mod signing_keys;

use serde_json::Value;

fn read(name: &str) -> Value {
    let path = format!("{}/vectors/primitives/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(&path).expect(&path)).expect(&path)
}

fn records(file: &Value, member: &str) -> Vec<Value> {
    file[member].as_array().expect(member).clone()
}

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().expect("a string");
    (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).expect(text)).collect()
}
