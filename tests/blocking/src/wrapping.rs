//! Streams that the program has: those of a socket of its own, and its standard input.

use crate::bindings::asyncio::streams::blocking::{Error, from_stream, wrap};
use crate::bindings::wasi02::wasi::cli::stdin::get_stdin;
use crate::bindings::wasi02::wasi::io::streams::{InputStream, OutputStream};
use crate::bindings::wasi02::wasi::sockets::instance_network::instance_network;
use crate::bindings::wasi02::wasi::sockets::network::{
    ErrorCode, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress,
};
use crate::bindings::wasi02::wasi::sockets::tcp::{ShutdownType, TcpSocket};
use crate::bindings::wasi02::wasi::sockets::tcp_create_socket::create_tcp_socket;
use crate::checks::{MILLISECOND, NOW, Result, SOON, check, list, matching, same, timed};

list![
    standard_input,
    wrapped,
    wrapped_and_dropped,
    wrapped_and_reset: Races
];

/// The test ends the standard input at once.
fn standard_input(_: u16) -> Result {
    matching!(from_stream(get_stdin(), 0), Err(Error::InvalidArgument(_)));
    let reader = from_stream(get_stdin(), 100)?;
    same!(reader.limit(), 100);
    same!(reader.readline(SOON)?, b"");
    check!(reader.at_eof());
    Ok(())
}

fn wrapped(port: u16) -> Result {
    let (socket, incoming, outgoing) = connected(port)?;
    let (reader, writer) = wrap(incoming, outgoing, None)?;
    check!(writer.peername().is_none());
    writer.write(b"echo\n")?;
    for n in [1, 1_000, 300_000] {
        let message = vec![b'm'; n];
        writer.write(&message)?;
        same!(
            reader.readexactly(u32::try_from(n).unwrap_or(0), SOON)?,
            message
        );
    }
    matching!(reader.readline(NOW), Err(Error::Cancelled));
    writer.write(b"the end\n")?;
    writer.write_eof()?;
    writer.flush(SOON)?;
    shut(&socket)?;
    same!(reader.read(None, SOON)?, b"the end\n");
    check!(reader.at_eof());
    writer.close();
    writer.wait_closed(SOON)?;
    drop((reader, writer));
    keep(socket);
    Ok(())
}

/// The drop of a writer waits for what is queued, and ends the stream.
fn wrapped_and_dropped(port: u16) -> Result {
    let (socket, incoming, outgoing) = connected(port)?;
    let (reader, writer) = wrap(incoming, outgoing, None)?;
    writer.write(b"at-end\n")?;
    writer.write(&vec![b'd'; 100_000])?;
    let ((), took) = timed(|| drop(writer));
    check!(took < 20_000 * MILLISECOND);
    shut(&socket)?;
    matching!(reader.readline(SOON), Err(Error::Closed));
    drop(reader);
    keep(socket);
    let (reader, _writer) = crate::checks::peer(port, "was")?;
    same!(reader.readline(SOON)?, b"100000\n");
    Ok(())
}

fn wrapped_and_reset(port: u16) -> Result {
    let (socket, incoming, outgoing) = connected(port)?;
    let (reader, writer) = wrap(incoming, outgoing, None)?;
    writer.write(b"reset after 3\n")?;
    same!(reader.readexactly(3, SOON)?, b"xxx");
    matching!(reader.readline(SOON), Err(error) if crate::checks::is_loss(&error));
    drop((reader, writer));
    keep(socket);
    Ok(())
}

/// Connects a socket of the program.
pub(crate) fn connected(port: u16) -> Result<(TcpSocket, InputStream, OutputStream)> {
    let network = instance_network();
    let socket = create_tcp_socket(IpAddressFamily::Ipv4).map_err(failed)?;
    let address = IpSocketAddress::Ipv4(Ipv4SocketAddress {
        port,
        address: (127, 0, 0, 1),
    });
    socket.start_connect(&network, address).map_err(failed)?;
    loop {
        match socket.finish_connect() {
            Err(ErrorCode::WouldBlock) => socket.subscribe().block(),
            connected => {
                let (incoming, outgoing) = connected.map_err(failed)?;
                return Ok((socket, incoming, outgoing));
            }
        }
    }
}

/// Ends the output: the drop of its stream does not on every host.
fn shut(socket: &TcpSocket) -> Result {
    match socket.shutdown(ShutdownType::Send) {
        Ok(()) | Err(ErrorCode::InvalidState) => Ok(()),
        Err(code) => Err(failed(code)),
    }
}

fn failed(code: ErrorCode) -> crate::checks::Failure {
    crate::checks::Failure(format!("the program's own socket: {code:?}"))
}

/// Keeps a socket to the end of the program: the streams are its children, and the connection may still discard input.
fn keep(socket: TcpSocket) {
    std::mem::forget(socket);
}
