//! A server that calls a handler for each client, in place of `serve.wasm`.

use std::future::{Future, poll_fn};
use std::task::Poll;

use crate::bindings::asyncio::streams::blocking::start_server;
use crate::executor::NOW;
use crate::{Address, Error, Failure, Reader, Result, Writer, cli};

/// Listens on a free port of loopback, prints the address, and serves all clients at once, without end.
pub(crate) async fn serve<F>(handler: impl Fn(Reader, Writer) -> F) -> Result
where
    F: Future<Output = Result>,
{
    let server = start_server(&["127.0.0.1".to_owned()], 0, None, None)?;
    match server.sockets().first() {
        Some(Address::Inet(address)) => {
            cli::say(&format!("listening on {}:{}", address.host, address.port));
        }
        other => return Err(Failure::new(format_args!("no TCP server: {other:?}"))),
    }
    let mut clients = Vec::new();
    poll_fn(|cx| {
        loop {
            match server.accept(NOW) {
                Ok((reader, writer)) => {
                    clients.push(Box::pin(handler(Reader(reader), Writer(writer))));
                }
                Err(Error::Cancelled) => break,
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
        // Nothing wakes a single one: the executor polls all of them, turn by turn.
        clients.retain_mut(|client| match client.as_mut().poll(cx) {
            Poll::Ready(Err(failure)) => {
                cli::complain(&failure.to_string());
                false
            }
            Poll::Ready(Ok(())) => false,
            Poll::Pending => true,
        });
        Poll::Pending
    })
    .await
}
