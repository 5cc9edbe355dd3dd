//! Measures the cost of a line: 64-byte lines from chunks as a socket delivers them, by each way of reading lines.
//!
//! `cargo run --release -p asyncio-streams-core --example line_speed`

use std::convert::Infallible;
use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use asyncio_streams_core::{DEFAULT_LIMIT, DEFAULT_MAX_RESULT, ReadError, Reader, Separators};

const LINES: usize = 20_000_000;
const LINE: &[u8; 64] = b"sixty-four bytes with the newline, as in the tables of the docs\n";

type Answer = Result<Option<Vec<u8>>, ReadError<Infallible>>;

fn main() -> Result<(), Box<dyn Error>> {
    let separators = Separators::new(vec![b"\r\n".to_vec(), b"docs\n".to_vec()])?;
    report("readline", Reader::readline)?;
    report("readlines, 16 KiB", |reader| reader.readlines(16 * 1024))?;
    report("readexactly", |reader| reader.readexactly(64))?;
    report("readuntil, two separators", |reader| {
        reader.readuntil(&separators)
    })
}

/// Reads all lines by `read`, and prints the time for one.
fn report(
    name: &str,
    mut read: impl FnMut(&mut Reader<Infallible>) -> Answer,
) -> Result<(), Box<dyn Error>> {
    let chunk = LINE.repeat(1024);
    let mut reader = Reader::new(DEFAULT_LIMIT, DEFAULT_MAX_RESULT)?;
    let start = Instant::now();
    let mut bytes = 0;
    while bytes < LINES * LINE.len() {
        reader.feed(&chunk);
        while let Some(line) = read(&mut reader)? {
            bytes += black_box(line).len();
        }
    }
    let (seconds, lines) = (start.elapsed().as_secs_f64(), bytes / LINE.len());
    println!("{name:<26} {:>7.1} ns a line", seconds * 1e9 / lines as f64);
    Ok(())
}
