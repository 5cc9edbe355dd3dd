//! Measures the cost of a line: 64-byte lines from chunks as a socket delivers them, by each way of reading lines.
//!
//! `cargo run --release -p asyncio-streams-core --example line_speed`

use asyncio_streams_core::{DEFAULT_LIMIT, DEFAULT_MAX_RESULT, Reader, Separators};
use std::hint::black_box;
use std::time::Instant;

const LINES: usize = 20_000_000;
const LINE: &[u8; 64] = b"sixty-four bytes with the newline, as in the tables of the docs\n";

type Read = fn(&mut Reader<()>) -> Option<Vec<u8>>;

fn main() {
    let crlf = Separators::new(vec![b"\r\n".to_vec(), b"docs\n".to_vec()]).expect("two separators");
    report("readline", |reader| reader.readline().expect("a line"));
    report("readlines, 16 KiB", |reader| {
        reader.readlines(16 * 1024).expect("lines")
    });
    report("readexactly", |reader| {
        reader.readexactly(64).expect("64 bytes")
    });
    let (seconds, lines) = measure(|reader| reader.readuntil(&crlf).expect("a line"));
    print("readuntil, two separators", seconds, lines);
}

fn report(name: &str, read: Read) {
    let (seconds, lines) = measure(read);
    print(name, seconds, lines);
}

fn print(name: &str, seconds: f64, lines: usize) {
    println!("{name:<26} {:>7.1} ns a line", seconds * 1e9 / lines as f64);
}

/// Returns the seconds, and how many lines were read.
fn measure(mut read: impl FnMut(&mut Reader<()>) -> Option<Vec<u8>>) -> (f64, usize) {
    let chunk = LINE.repeat(1024);
    let mut reader = Reader::new(DEFAULT_LIMIT, DEFAULT_MAX_RESULT).expect("limits");
    let start = Instant::now();
    let mut bytes = 0;
    while bytes < LINES * LINE.len() {
        reader.feed(&chunk);
        while let Some(line) = read(&mut reader) {
            bytes += black_box(line).len();
        }
    }
    (start.elapsed().as_secs_f64(), bytes / LINE.len())
}
