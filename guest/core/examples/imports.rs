//! Exercises the whole core in one function, as a separate module. `tests/imports.rs` builds it for WebAssembly and
//! checks that it imports nothing: that is the meaning of "without I/O" there.

use asyncio_streams_core::{
    ACCEPT_BACKOFF_FIRST, ACCEPT_BACKOFF_LONGEST, Backoff, DEFAULT_LIMIT, DEFAULT_MAX_QUEUED,
    DEFAULT_MAX_RESULT, HAPPY_EYEBALLS_DELAY, HappyEyeballs, InvalidArgument, Reader, Separators,
    ServerState, Step, Transmit, Wanted, Writer, interleave,
};

/// Sends `bytes` bytes from a writer to a reader and reads them in every way. The result depends on all of it, so that
/// the compiler can leave nothing out of the module.
#[unsafe(no_mangle)]
pub extern "C" fn exercise(bytes: u32, now: u64) -> u64 {
    let streams = stream(bytes as usize).unwrap_or_default();
    streams.wrapping_add(connections(bytes as usize, now).unwrap_or_default())
}

fn stream(bytes: usize) -> Result<u64, InvalidArgument> {
    let mut writer = Writer::<u32>::new(DEFAULT_MAX_QUEUED)?;
    let mut reader = Reader::<u32>::new(DEFAULT_LIMIT, DEFAULT_MAX_RESULT)?;
    writer.set_limits(Some(bytes), None)?;
    let _ = writer.write((0..bytes).map(|n| n as u8).collect());
    let _ = writer.writelines(vec![b"line\n".to_vec(), b"END".to_vec()]);
    let _ = writer.write_eof();
    writer.close();
    loop {
        match writer.next() {
            Transmit::Data(data) => {
                writer.sent(data.len());
                reader.feed_owned(data);
                reader.feed(b"again");
            }
            Transmit::End => {
                reader.feed_end();
                writer.ended();
            }
            Transmit::Nothing => break,
        }
    }
    let mut sum = reader.buffered() as u64;
    let separators = Separators::new(vec![b"END".to_vec(), b"e".to_vec()])?;
    while reader.is_ready(&Wanted::Line) && !reader.at_eof() {
        reader.about_to_wait();
        let results = [
            reader.readline(),
            reader.readlines(bytes),
            reader.readuntil(&separators),
            reader.readexactly(2),
            reader.read(1),
        ];
        sum += results
            .into_iter()
            .flatten()
            .flatten()
            .flatten()
            .map(u64::from)
            .sum::<u64>();
        sum += reader.peek(1).len() as u64 + reader.discard(1) as u64;
    }
    reader.fail(1);
    sum += reader
        .read_to_end()
        .ok()
        .flatten()
        .map_or(0, |rest| rest.len() as u64);
    writer.abort(2);
    writer.lost(3);
    let drained =
        writer.drain_ready() == Ok(true) && writer.flushed_to(writer.written()) == Ok(true);
    Ok(sum + u64::from(drained && writer.outcome() == Some(Ok(()))))
}

fn connections(count: usize, now: u64) -> Result<u64, InvalidArgument> {
    let mut race = HappyEyeballs::new(count, Some(HAPPY_EYEBALLS_DELAY));
    while let Step::Start(attempt) = race.next(now) {
        race.failed(attempt, now);
    }
    let order = interleave((0..count).collect(), 1, |address| address % 2);
    let mut server = ServerState::new(count)?;
    let mut backoff = Backoff::new(ACCEPT_BACKOFF_FIRST, ACCEPT_BACKOFF_LONGEST);
    let _ = server.start_serving();
    while server.may_accept() {
        server.client_joined();
        backoff.pause();
    }
    server.close();
    server.client_left();
    Ok(race.into_errors().len() as u64
        + order.len() as u64
        + backoff.pause()
        + u64::from(server.is_done()))
}
