//! Names with several addresses, for the test with a name service of its own.

use crate::bindings::asyncio::streams::blocking::{
    ConnectOptions, Error, Reader, Writer, from_stream, open_connection, start_server,
};
use crate::bindings::asyncio::streams::types::{Address, NetworkCode};
use crate::bindings::wasi02::wasi::cli::stdin::get_stdin;
use crate::checks::{
    MILLISECOND, Result, SECOND, SOON, check, is_network, list, matching, pause, port_of, same,
    timed,
};

list![
    name_refused: Named,
    name_black_hole: Named,
    name_one_after_another: Named,
    name_all_at_once: Named,
    name_all_fail: Named,
    name_local_addresses: Named,
    name_unknown: Named,
];

/// The name whose addresses the test knows.
const NAME: &str = "many.example";
/// A time that never passes while a test runs.
const HOUR: Option<u64> = Some(3_600 * SECOND);

fn open(options: &ConnectOptions, port: u16) -> std::result::Result<(Reader, Writer), Error> {
    open_connection(NAME, port, Some(options))
}

fn with_delay(delay: Option<u64>) -> ConnectOptions {
    let options = ConnectOptions::new();
    options.set_happy_eyeballs_delay(delay);
    options
}

fn host(address: Option<Address>) -> String {
    match address {
        Some(Address::Inet(inet)) => inet.host,
        other => format!("{other:?}"),
    }
}

fn end(writer: &Writer) -> Result {
    writer.close();
    Ok(writer.wait_closed(SOON)?)
}

/// After a failed attempt the next one starts at once, whatever the delay.
fn name_refused(port: u16) -> Result {
    for delay in [HOUR, None] {
        let (_reader, writer) = open(&with_delay(delay), port)?;
        same!(host(writer.peername()), "127.0.0.4");
        end(&writer)?;
    }
    Ok(())
}

/// Another attempt starts after the delay, and not before, if one gets no answer; the losing one is abandoned.
fn name_black_hole(port: u16) -> Result {
    let input = from_stream(get_stdin(), 100)?;
    let short = 40 * MILLISECOND;
    for (options, delay) in [
        (ConnectOptions::new(), 250 * MILLISECOND),
        (with_delay(Some(short)), short),
    ] {
        let (opened, took) = timed(|| open(&options, port));
        let (_reader, writer) = opened?;
        check!(took >= delay);
        same!(host(writer.peername()), "127.0.0.4");
        pause(&input, "connected")?;
        end(&writer)?;
    }
    Ok(())
}

/// Without a delay, an attempt without an answer blocks the next one until the deadline.
fn name_one_after_another(port: u16) -> Result {
    let input = from_stream(get_stdin(), 100)?;
    let options = with_delay(None);
    options.set_deadline(Some(300 * MILLISECOND));
    matching!(open(&options, port), Err(Error::DeadlineExceeded));
    pause(&input, "late")
}

/// With a delay of zero all start at once, one wins, and the others' connections end without data.
fn name_all_at_once(port: u16) -> Result {
    let input = from_stream(get_stdin(), 100)?;
    for _ in 0..20 {
        let (reader, writer) = open(&with_delay(Some(0)), port)?;
        writer.write(b"hello\n")?;
        same!(reader.readline(SOON)?, b"hello\n");
        end(&writer)?;
    }
    pause(&input, "done")
}

/// Each address has its own reason, in the order of the attempts: the families take turns.
fn name_all_fail(port: u16) -> Result {
    for options in [ConnectOptions::new(), with_delay(None), with_delay(Some(0))] {
        options.add_local_address("127.0.0.5", 0);
        let Err(Error::Connect(attempts)) = open(&options, port) else {
            return Err("an attempt did not fail".into());
        };
        let reasons: Vec<_> = attempts
            .into_iter()
            .map(|attempt| (host(Some(attempt.address)), attempt.error.code))
            .collect();
        same!(
            reasons,
            [
                ("127.0.0.2".to_owned(), NetworkCode::ConnectionRefused),
                // There is no local address of its family.
                ("::1".to_owned(), NetworkCode::AddressNotAvailable),
                // An address that cannot be reached (WASI refuses it).
                ("0.0.0.0".to_owned(), NetworkCode::Other),
                ("127.0.0.3".to_owned(), NetworkCode::ConnectionRefused),
            ]
        );
    }
    Ok(())
}

/// For each remote address, the local ones are tried in turn.
fn name_local_addresses(port: u16) -> Result {
    let server = start_server(&["127.0.0.9".into()], 0, None, SOON)?;
    let options = ConnectOptions::new();
    options.add_local_address("127.0.0.9", port_of(&server)?);
    for local in ["::1", "127.0.0.10", "127.0.0.11"] {
        options.add_local_address(local, 0);
    }
    let (_reader, writer) = open(&options, port)?;
    same!(host(writer.peername()), "127.0.0.4");
    same!(host(writer.sockname()), "127.0.0.10");
    end(&writer)
}

fn name_unknown(port: u16) -> Result {
    let opened = open_connection("other.example", port, None);
    matching!(opened, Err(error) if is_network(&error, NetworkCode::NameNotFound));
    let started = start_server(&["other.example".into()], 0, None, SOON);
    matching!(started, Err(error) if is_network(&error, NetworkCode::NameNotFound));
    Ok(())
}
