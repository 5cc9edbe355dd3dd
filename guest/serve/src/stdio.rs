//! Serves one client on standard input and output, as inetd and systemd start a program for each connection.

use crate::arguments::Tls;
use crate::bindings::asyncio::streams::handler;
use crate::bindings::asyncio::streams::streams;
use crate::bindings::wasi::cli::types::ErrorCode;
use crate::bindings::wasi::cli::{stdin, stdout};
use crate::errors::describe;
use crate::output::Output;
use crate::protection;

/// Calls the handler once, and waits until the client has taken everything. Returns `Err` if the handler failed.
pub(crate) async fn serve(
    tls: Option<&Tls>,
    environment: &[(String, String)],
    output: &mut Output,
) -> Result<(), ()> {
    let tls = protection::wanted(tls, environment, output).await?;
    // The second result only repeats the end of the stream.
    let (input, _ended) = stdin::read_via_stream();
    let (reader, writer, outgoing) = match streams::wrap(input, None).await {
        Ok(connection) => connection,
        Err(error) => {
            let reason = format!("cannot serve standard input: {}", describe(&error));
            output.log(&reason).await;
            return Err(());
        }
    };
    let sent = stdout::write_via_stream(outgoing);
    if let Some(config) = &tls
        && let Err(error) = writer.start_tls_server(&reader, config).await
    {
        output.log(&format!("client: {}", describe(&error))).await;
        return Err(());
    }
    let handled = handler::client_connected(reader, writer).await;
    if let Err(reason) = &handled {
        output.log(&format!("client: {reason}")).await;
    }
    // The component closes what the handler leaves open, after it has sent what is queued. There is no limit of time:
    // hosts write standard output while the whole program waits.
    match sent.await {
        // A client may leave before the end, as on a socket.
        Ok(()) | Err(ErrorCode::Pipe) => handled.map_err(drop),
        Err(_) => {
            output
                .log("standard output: the system could not write to it")
                .await;
            Err(())
        }
    }
}
