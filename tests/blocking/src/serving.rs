//! Servers and their options.

use crate::bindings::asyncio::streams::blocking::{
    ConnectOptions, Error, ServerOptions, from_stream, open_connection, start_server,
};
use crate::bindings::asyncio::streams::types::{Address, NetworkCode};
use crate::bindings::wasi02::wasi::cli::stdin::get_stdin;
use crate::checks::{
    BRIEFLY, Check, MILLISECOND, NOW, Node, Pair, Result, SECOND, SOON, check, is_network, list,
    matching, pair_with, pause, same, serve, timed,
};

list![
    accepts,
    in_use,
    later: Differs,
    capped,
    idle,
    shut_down,
    waits_for_clients: Slow,
    keeps_alive
];

fn accepts(_: u16) -> Result {
    let (server, port) = serve(&ServerOptions::new())?;
    check!(server.is_serving());
    check!(server.try_accept()?.is_none());
    matching!(server.accept(BRIEFLY), Err(Error::Cancelled));
    check!(!server.wait_connection(NOW)?);
    let client = open_connection("127.0.0.1", port, None)?;
    check!(server.wait_connection(SOON)?);
    let accepted = server.accept(NOW)?;
    client.1.write(b"hello\n")?;
    same!(accepted.0.readline(SOON)?, b"hello\n");
    let _second = open_connection("127.0.0.1", port, None)?;
    let (found, _) = timed(|| (0..100_000).any(|_| matches!(server.try_accept(), Ok(Some(_)))));
    check!(found);
    server.close();
    check!(!server.is_serving());
    check!(server.sockets().is_empty());
    matching!(server.accept(SOON), Err(Error::Closed));
    matching!(server.try_accept(), Err(Error::Closed));
    // Its clients go on.
    accepted.1.write(b"still\n")?;
    same!(client.0.readline(SOON)?, b"still\n");
    Ok(())
}

fn in_use(_: u16) -> Result {
    let (_server, port) = serve(&ServerOptions::new())?;
    let second = start_server(&["127.0.0.1".into()], port, None, SOON);
    matching!(second, Err(error) if is_network(&error, NetworkCode::AddressInUse));
    let elsewhere = start_server(&["192.0.2.1".into()], 0, None, SOON);
    matching!(elsewhere, Err(error) if is_network(&error, NetworkCode::AddressNotAvailable));
    Ok(())
}

fn later(_: u16) -> Result {
    let options = ServerOptions::new();
    options.set_start_serving(false);
    let (server, port) = serve(&options)?;
    check!(!server.is_serving());
    matching!(
        open_connection("127.0.0.1", port, None),
        Err(Error::Connect(_))
    );
    matching!(server.accept(BRIEFLY), Err(Error::Cancelled));
    matching!(server.accept(None), Err(Error::NotSupported(text)) if text.contains("`start-serving`"));
    server.start_serving()?;
    let _client = open_connection("127.0.0.1", port, None)?;
    server.accept(SOON)?;
    Ok(())
}

fn capped(_: u16) -> Result {
    let options = ServerOptions::new();
    options.set_max_connections(2)?;
    let (server, port) = serve(&options)?;
    let _clients: Vec<_> = (0..3)
        .map(|_| open_connection("127.0.0.1", port, None))
        .collect::<std::result::Result<_, _>>()?;
    let first = server.accept(SOON)?;
    let _second = server.accept(SOON)?;
    matching!(server.accept(BRIEFLY), Err(Error::Cancelled));
    first.1.abort();
    server.accept(SOON)?;
    Ok(())
}

fn idle(_: u16) -> Result {
    let options = ServerOptions::new();
    options.set_idle_timeout(Some(100 * MILLISECOND));
    let pair = pair_with(&ConnectOptions::new(), &options)?;
    pair.left.1.write(b"part of a line")?;
    let (line, took) = timed(|| pair.right.0.readline(SOON));
    matching!(line, Err(Error::DeadlineExceeded));
    check!(took >= 90 * MILLISECOND);
    matching!(pair.right.1.flush(SOON), Err(Error::DeadlineExceeded));
    Ok(())
}

fn shut_down(_: u16) -> Result {
    let (server, port) = serve(&ServerOptions::new())?;
    let clients = [
        open_connection("127.0.0.1", port, None)?,
        open_connection("127.0.0.1", port, None)?,
    ];
    let accepted = [server.accept(SOON)?, server.accept(SOON)?];
    accepted[0].1.write(b"bye\n")?;
    accepted[0].1.close();
    let (aborted, took) = timed(|| server.shutdown(50 * MILLISECOND));
    same!(aborted, 1);
    check!(took >= 50 * MILLISECOND);
    matching!(accepted[1].1.wait_closed(SOON), Err(Error::Closed));
    server.wait_closed(None)?;
    let lines: Vec<_> = clients
        .iter()
        .map(|client| client.0.read(None, SOON))
        .collect();
    check!(
        lines
            .iter()
            .any(|line| matches!(line, Ok(line) if line == b"bye\n"))
    );
    Ok(())
}

fn waits_for_clients(_: u16) -> Result {
    let (server, port) = serve(&ServerOptions::new())?;
    let _client = open_connection("127.0.0.1", port, None)?;
    let accepted = server.accept(SOON)?;
    matching!(server.wait_closed(BRIEFLY), Err(Error::Cancelled));
    server.close();
    // The program holds the client, and nothing closes it while this waits.
    matching!(server.wait_closed(None), Err(Error::NotSupported(_)));
    server.close_clients();
    server.wait_closed(None)?;
    accepted.1.wait_closed(NOW)?;
    Ok(())
}

fn keeps_alive(_: u16) -> Result {
    alive()?;
    Ok(())
}

/// By itself: the test looks at the sockets.
pub(crate) const KEPT_ALIVE: Check = Check {
    name: "kept_alive",
    run: kept_alive,
    node: Node::Named,
};

fn kept_alive(_: u16) -> Result {
    let input = from_stream(get_stdin(), 100)?;
    let pair = alive()?;
    let port = |address: Option<Address>| match address {
        Some(Address::Inet(inet)) => inet.port,
        _ => 0,
    };
    let ports = [pair.left.1.sockname(), pair.right.1.sockname()].map(port);
    pause(&input, &format!("{} {}", ports[0], ports[1]))
}

/// Makes a connection whose two ends have settings of their own.
fn alive() -> Result<Pair> {
    let (connect, serve) = (ConnectOptions::new(), ServerOptions::new());
    connect.set_keep_alive(true);
    connect.set_keep_alive_times(Some(60 * SECOND), Some(5 * SECOND), Some(4))?;
    serve.set_keep_alive(true);
    serve.set_keep_alive_times(Some(70 * SECOND), None, None)?;
    let pair = pair_with(&connect, &serve)?;
    pair.left.1.write(b"alive\n")?;
    same!(pair.right.0.readline(SOON)?, b"alive\n");
    Ok(pair)
}
