//! Invariant: the transport is given exactly the bytes of the accepted writes, in order, one piece at a time, then the
//! end, once. The queued bytes are those accepted and not taken, within the bound. A writer that is lost or aborted
//! returns no more bytes, reports its error in every call, and its outcome never changes.

#![no_main]

use arbitrary::Arbitrary;
use asyncio_streams_core::{Transmit, WriteError, Writer};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Input {
    max_queued: u32,
    ops: Vec<Op>,
}

#[derive(Arbitrary, Debug)]
enum Op {
    Write(Vec<u8>),
    /// More bytes than fit into one piece.
    WriteMany(u8, u32),
    Writelines(Vec<Vec<u8>>),
    WriteEof,
    Close,
    Abort(u8),
    Lost(u8),
    Next,
    Sent(u32),
    Ended,
    SetLimits(Option<u32>, Option<u32>),
}

fuzz_target!(|input: Input| {
    let Ok(mut writer) = Writer::<u8>::new(input.max_queued as usize) else {
        assert_eq!(input.max_queued, 0);
        return;
    };
    let mut accepted: Vec<u8> = Vec::new();
    let mut given = 0;
    let mut taken = 0;
    let mut ends = 0;
    // Whether this direction has to end.
    let mut ending = false;
    for op in input.ops.into_iter().take(200) {
        let before = (writer.outcome(), writer.queued());
        match op {
            Op::Write(data) => write(&mut writer, &mut accepted, vec![data], false),
            Op::WriteMany(byte, count) => {
                write(
                    &mut writer,
                    &mut accepted,
                    vec![vec![byte; count as usize % (1 << 21)]],
                    false,
                );
            }
            Op::Writelines(parts) => write(&mut writer, &mut accepted, parts, true),
            Op::WriteEof => {
                let result = writer.write_eof();
                assert_eq!(result.is_err(), matches!(before.0, Some(Err(_))));
                ending = true;
            }
            Op::Close => {
                writer.close();
                ending = true;
            }
            Op::Abort(outcome) => {
                writer.abort(outcome);
                assert_eq!(writer.outcome(), before.0.or(Some(Err(outcome))));
            }
            Op::Lost(error) => {
                writer.lost(error);
                assert_eq!(writer.outcome(), before.0.or(Some(Err(error))));
            }
            Op::Next => match writer.next() {
                Transmit::Data(data) => {
                    assert!(given == taken && ends == 0 && before.0.is_none());
                    assert!(!data.is_empty() && accepted[given..].starts_with(&data));
                    given += data.len();
                }
                Transmit::End => {
                    assert!(taken == accepted.len() && ending && before.0.is_none());
                    ends += 1;
                    assert_eq!(ends, 1);
                }
                Transmit::Nothing => {
                    let idle = taken == accepted.len() && (ends == 1 || !ending);
                    assert!(given > taken || idle || before.0.is_some());
                }
            },
            Op::Sent(n) => {
                writer.sent(n as usize);
                if !matches!(before.0, Some(Err(_))) {
                    taken += (n as usize).min(given - taken);
                }
            }
            Op::Ended => {
                writer.ended();
                if ends == 0 {
                    assert_eq!(writer.outcome(), before.0);
                }
            }
            Op::SetLimits(high, low) => {
                let result = writer.set_limits(high.map(|n| n as usize), low.map(|n| n as usize));
                assert_eq!(
                    result.is_err(),
                    matches!((high, low), (Some(high), Some(low)) if low > high)
                );
            }
        }
        // An outcome is final.
        if before.0.is_some() {
            assert_eq!(writer.outcome(), before.0);
        }
        let failed = matches!(writer.outcome(), Some(Err(_)));
        assert_eq!(
            writer.queued(),
            if failed { 0 } else { accepted.len() - taken }
        );
        assert!(writer.queued() <= input.max_queued as usize);
        assert_eq!(writer.written(), accepted.len() as u64);
        assert_eq!(writer.flushed_to(writer.written()).is_err(), failed);
        let (low, high) = writer.limits();
        match writer.drain_ready() {
            Ok(true) => assert!(!failed && writer.queued() <= high),
            Ok(false) => assert!(
                !failed
                    && (writer.queued() > low || !matches!(before, (_, queued) if queued > low))
            ),
            Err(_) => assert!(failed),
        }
    }
});

fn write(writer: &mut Writer<u8>, accepted: &mut Vec<u8>, parts: Vec<Vec<u8>>, lines: bool) {
    let data = parts.concat();
    let (writable, queued) = (writer.writable(), writer.queued());
    let result = if lines {
        writer.writelines(parts)
    } else {
        writer.write(data.clone())
    };
    match result {
        Ok(()) => accepted.extend(&data),
        Err(WriteError::BufferFull) => {
            assert_eq!((writable, writer.queued()), (Ok(()), queued));
            assert!(!data.is_empty());
        }
        Err(error) => assert_eq!(writable, Err(error)),
    }
}
