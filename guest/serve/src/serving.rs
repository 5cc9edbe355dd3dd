//! Accepts connections, calls the handler, and ends.

use asyncio_streams_text::escaped;
use futures::future::{Either, join_all, select};
use futures::stream::{FuturesUnordered, Stream, StreamExt};
use std::pin::{Pin, pin};
use std::task::Poll;

use crate::arguments::{Arguments, Place};
use crate::bindings::asyncio::streams::handler;
use crate::bindings::asyncio::streams::streams::{self, Reader, Server, ServerOptions, Writer};
use crate::bindings::asyncio::streams::tls::ServerConfig;
use crate::bindings::asyncio::streams::types::{Address, Error};
use crate::bindings::asyncio::streams::unix;
use crate::bindings::wasi::cli::stdin;
use crate::bindings::wasi::clocks::monotonic_clock;
use crate::errors::describe;
use crate::output::Output;
use crate::protection;

/// Listens and serves until it has to end. Returns `Err` if it could not serve, or had to abort clients.
pub(crate) async fn serve(
    arguments: &Arguments,
    environment: &[(String, String)],
    output: &mut Output,
) -> Result<(), ()> {
    let tls = protection::wanted(arguments.tls.as_ref(), environment, output).await?;
    let mut servers = Vec::new();
    for place in &arguments.addresses {
        match listen(place, arguments, tls.as_ref()).await {
            Ok(server) => servers.push(server),
            Err(error) => {
                output
                    .log(&format!("cannot listen on {place}: {}", describe(&error)))
                    .await;
                return Err(());
            }
        }
    }
    for address in servers.iter().flat_map(Server::sockets) {
        output
            .print(&format!("listening on {}\n", escaped(&name(&address))))
            .await;
    }
    let mut clients = FuturesUnordered::new();
    accept_all(arguments, &servers, &mut clients, output).await;
    end(arguments, &servers, clients, output).await
}

/// A client that is being served. Returns the client's name and the handler's result.
type Client = Pin<Box<dyn Future<Output = (String, Result<(), String>)>>>;

async fn listen(
    place: &Place,
    arguments: &Arguments,
    tls: Option<&ServerConfig>,
) -> Result<Server, Error> {
    let options = ServerOptions::new();
    if let Some(config) = tls {
        options.set_tls(config)?;
    }
    if let Some(n) = arguments.max_connections {
        options.set_max_connections(n)?;
    }
    options.set_idle_timeout(arguments.idle_timeout);
    match place {
        Place::Tcp(host, port) => {
            streams::start_server(vec![host.clone()], *port, Some(&options)).await
        }
        Place::Unix(path) => {
            let path = match path.strip_prefix('@') {
                Some(name) => [&[0], name.as_bytes()].concat(),
                None => path.as_bytes().to_vec(),
            };
            unix::start_unix_server(path, None, true, Some(&options)).await
        }
    }
}

/// An event while serving.
enum Event {
    Accepted(usize, Result<(Reader, Writer), Error>),
    Handled(String, Result<(), String>),
    StdinClosed,
}

/// Serves until standard input ends, if this was requested, or else forever.
async fn accept_all(
    arguments: &Arguments,
    servers: &[Server],
    clients: &mut FuturesUnordered<Client>,
    output: &mut Output,
) {
    let accept = |index: usize, server| async move { (index, Server::accept(server).await) };
    let cap = arguments
        .max_connections
        .map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(usize::MAX));
    let mut stdin = pin!(stdin_closed(arguments.until_stdin_closes));
    let mut accepts = FuturesUnordered::new();
    let mut idle: Vec<usize> = (0..servers.len()).collect();
    loop {
        // At the maximum nothing is accepted. Below it, one accept is pending for each server.
        while clients.len() < cap
            && let Some(index) = idle.pop()
            && let Some(server) = servers.get(index)
        {
            accepts.push(accept(index, server));
        }
        let event = std::future::poll_fn(|cx| {
            if stdin.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Event::StdinClosed);
            }
            if let Poll::Ready(Some((who, result))) = clients.poll_next_unpin(cx) {
                return Poll::Ready(Event::Handled(who, result));
            }
            match accepts.poll_next_unpin(cx) {
                Poll::Ready(Some((index, accepted))) => {
                    Poll::Ready(Event::Accepted(index, accepted))
                }
                Poll::Ready(None) | Poll::Pending => Poll::Pending,
            }
        });
        match event.await {
            Event::StdinClosed => break,
            Event::Handled(who, result) => report(&who, result, output).await,
            Event::Accepted(index, Ok((reader, writer))) => {
                idle.push(index);
                clients.push(Box::pin(handle(reader, writer)));
            }
            Event::Accepted(_, Err(error)) => stopped(&error, output).await,
        }
    }
    // A connection that has arrived is served, also if no accept has returned it yet.
    for accepted in end_accepts(servers, accepts).await {
        match accepted {
            Ok((reader, writer)) => clients.push(Box::pin(handle(reader, writer))),
            Err(Error::Cancelled) => {}
            Err(error) => stopped(&error, output).await,
        }
    }
    for server in servers {
        while let Ok(Some((reader, writer))) = server.try_accept() {
            clients.push(Box::pin(handle(reader, writer)));
        }
    }
}

/// Ends the pending accepts, and returns their results.
async fn end_accepts(
    servers: &[Server],
    mut accepts: impl Stream<Item = (usize, Result<(Reader, Writer), Error>)> + Unpin,
) -> Vec<Result<(Reader, Writer), Error>> {
    let mut ended = Vec::new();
    let mut begun = false;
    std::future::poll_fn(|cx| {
        loop {
            match accepts.poll_next_unpin(cx) {
                Poll::Ready(Some((_, accepted))) => ended.push(accepted),
                Poll::Ready(None) => return Poll::Ready(()),
                Poll::Pending if begun => return Poll::Pending,
                Poll::Pending => {
                    // A cancel ends only calls that have begun. The first poll begins the last of them.
                    begun = true;
                    servers.iter().for_each(Server::cancel);
                }
            }
        }
    })
    .await;
    ended
}

async fn stopped(error: &Error, output: &mut Output) {
    output
        .log(&format!("stopped accepting: {}", describe(error)))
        .await;
}

async fn handle(reader: Reader, writer: Writer) -> (String, Result<(), String>) {
    let who = match writer.peername() {
        // Clients of Unix sockets have no names, so the server's stands for them.
        Some(Address::Unix(path)) if path.is_empty() => writer.sockname(),
        named => named,
    };
    let who = who.as_ref().map_or_else(|| "unknown".to_owned(), name);
    (who, handler::client_connected(reader, writer).await)
}

/// Stops accepting, lets clients finish, and aborts those that do not.
async fn end(
    arguments: &Arguments,
    servers: &[Server],
    mut clients: FuturesUnordered<Client>,
    output: &mut Output,
) -> Result<(), ()> {
    let deadline = monotonic_clock::now().saturating_add(arguments.grace);
    let shutdown = join_all(
        servers
            .iter()
            .map(|server| server.shutdown(arguments.grace)),
    );
    let finishing = async {
        while let Some((who, result)) = clients.next().await {
            report(&who, result, output).await;
        }
    };
    let (aborted, _) = futures::future::join(shutdown, async {
        // A handler may outlive its connection, but not the grace time.
        match select(pin!(finishing), pin!(monotonic_clock::wait_until(deadline))).await {
            Either::Left(_) | Either::Right(_) => {}
        }
    })
    .await;
    // The system may still be sending the last bytes to closed clients.
    select(
        pin!(streams::linger()),
        pin!(monotonic_clock::wait_until(deadline)),
    )
    .await;
    let aborted: u32 = aborted.into_iter().fold(0, u32::saturating_add);
    let unfinished = clients.len();
    if aborted == 0 && unfinished == 0 {
        return Ok(());
    }
    output
        .log(&format!(
            "aborted {aborted} clients, left {unfinished} handlers unfinished"
        ))
        .await;
    Err(())
}

async fn report(who: &str, result: Result<(), String>, output: &mut Output) {
    if let Err(reason) = result {
        output.log(&format!("client {who}: {reason}")).await;
    }
}

/// Waits for the end of standard input if `wanted`, or else forever.
async fn stdin_closed(wanted: bool) {
    if !wanted {
        std::future::pending::<()>().await;
    }
    let (mut input, _result) = stdin::read_via_stream();
    loop {
        let (result, _) = input.read(Vec::with_capacity(1024)).await;
        if result == wit_bindgen::StreamResult::Dropped {
            return;
        }
    }
}

fn name(address: &Address) -> String {
    match address {
        Address::Inet(inet) if inet.host.contains(':') => format!("[{}]:{}", inet.host, inet.port),
        Address::Inet(inet) => format!("{}:{}", inet.host, inet.port),
        Address::Unix(path) => match path.strip_prefix('\0') {
            Some(name) => format!("unix:@{name}"),
            None => format!("unix:{path}"),
        },
    }
}
