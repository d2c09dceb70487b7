//! The test bench: one device server on standard input and output.
//!
//! A tester in any language writes one JSON object per line and reads one for each; bytes are hexadecimal. Operations:
//! `provision`, `out`, `in`, `tick`, `event`, `request_sense`, `sas`. A line that cannot be obeyed is answered with
//! `{"error": why}`, an operation that does not exist with `{"unsupported": true}`.

mod association;
mod bench;
mod credentials;
mod hex;
mod member;
#[path = "../../tests/support/provider.rs"]
mod provider;
mod provisioning;
mod script;
mod unit;

use std::io::{self, BufRead, Write};

use bench::Bench;
use serde_json::{Value, json};

/// Longest line that is kept; a parameter list takes some thirty thousand characters at most.
const LONGEST_LINE: usize = 16 << 20;

fn main() -> io::Result<()> {
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let mut bench = Bench::default();
    while let Some(line) = next_line(&mut input)? {
        let answer = match line {
            Line::Whole(line) => bench.answer(&line),
            Line::TooLong => json!({ "error": "the line is too long" }),
        };
        write_line(&mut output, &answer)?;
    }
    Ok(())
}

enum Line {
    Whole(Vec<u8>),
    TooLong,
}

/// The next line without its end, whatever its bytes; `None` at the end of the input.
fn next_line(input: &mut impl BufRead) -> io::Result<Option<Line>> {
    let mut line = Vec::new();
    let (mut any, mut too_long) = (false, false);
    loop {
        let chunk = input.fill_buf()?;
        if chunk.is_empty() {
            break;
        }
        any = true;
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let part = end.and_then(|end| chunk.get(..end)).unwrap_or(chunk);
        too_long |= line.len().saturating_add(part.len()) > LONGEST_LINE;
        if !too_long {
            line.extend_from_slice(part);
        }
        let used = part.len().saturating_add(usize::from(end.is_some()));
        input.consume(used);
        if end.is_some() {
            break;
        }
    }
    let whole = if too_long { Line::TooLong } else { Line::Whole(line) };
    Ok(any.then_some(whole))
}

fn write_line(output: &mut impl Write, answer: &Value) -> io::Result<()> {
    let mut line = answer.to_string();
    line.push('\n');
    output.write_all(line.as_bytes())?;
    output.flush()
}
