//! Input that was given away and is dropped before, during, or after the close: it is discarded, and the peer
//! receives every byte.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use asyncio_streams_tests::Program;
use asyncio_streams_tests::peers::pattern;

use super::{accept, listener};

const MUCH: usize = 200_004;

/// The number of orders in the program.
const ORDERS: usize = 9;

#[test]
fn dropped_in_every_order() {
    for (program, place) in Program::composed_and_linked("linger_given") {
        let (listener, port) = listener();
        let mut program = program.args([port]).start(place);
        for _ in 0..ORDERS {
            let mut conn = accept(&listener);
            let done = Arc::new(AtomicBool::new(false));
            let sending = thread::spawn({
                let done = done.clone();
                let mut stream = conn.stream().try_clone().expect("the same socket");
                move || {
                    let piece = [b'?'; 4096];
                    while !done.load(Ordering::SeqCst) {
                        if let Err(error) = stream.write_all(&piece) {
                            return Some(error);
                        }
                    }
                    None
                }
            });
            let order = program.line();
            let found = conn.read_to_end();
            done.store(true, Ordering::SeqCst);
            let failure = sending.join().expect("a peer that sends");
            assert!(
                found == pattern(MUCH),
                "{order}: {} bytes, or others than expected ({place:?})",
                found.len()
            );
            assert!(failure.is_none(), "{order}: {failure:?} ({place:?})");
        }
        program.wait().assert_success();
    }
}
