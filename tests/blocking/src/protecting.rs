//! TLS, between two runs of the program: a handshake blocks, so that one program cannot have both ends.

use crate::bindings::asyncio::streams::blocking::{
    ConnectOptions, Error, ServerOptions, open_connection,
};
use crate::bindings::asyncio::streams::tls::{ClientConfig, ServerConfig};
use crate::bindings::wasi02::wasi::cli::environment::get_environment;
use crate::checks::{Check, Node, Result, SOON, check, matching, same, say, serve};

/// Only with the component that has TLS, and certificates in the environment.
pub(crate) const SERVER: Check = Check {
    name: "tls_server",
    run: server,
    node: Node::Named,
};

/// The same; the port is that of the server.
pub(crate) const CLIENT: Check = Check {
    name: "tls_client",
    run: client,
    node: Node::Named,
};

/// The name in the server's certificate.
const NAME: &str = "server.test";

fn variable(name: &str) -> Result<Vec<u8>> {
    let found = get_environment().into_iter().find(|(of, _)| of == name);
    let (_, value) = found.ok_or_else(|| format!("there is no {name} in the environment"))?;
    Ok(value.into_bytes())
}

/// Serves a client that trusts it, one that does not, and one that begins without TLS.
fn server(_: u16) -> Result {
    let config = ServerConfig::new();
    config.add_certificate(&variable("CHAIN")?, &variable("KEY")?)?;
    let options = ServerOptions::new();
    options.set_tls(&config)?;
    let (protected, port) = serve(&options)?;
    let (plain, plain_port) = serve(&ServerOptions::new())?;
    say(&format!("{port} {plain_port}"));

    let (reader, writer) = protected.accept(SOON)?;
    check!(writer.tls_info().is_some());
    let all = reader.read(None, SOON)?;
    writer.send(&all, SOON)?;
    writer.close();
    writer.wait_closed(SOON)?;

    let (reader, writer) = plain.accept(SOON)?;
    same!(reader.readline(SOON)?, b"STARTTLS\n");
    writer.write(b"go\n")?;
    writer.start_tls_server(&reader, &config)?;
    same!(reader.readline(SOON)?, b"secret\n");
    writer.write(b"kept\n")?;
    // The drop sends the rest and the end.
    drop(writer);
    Ok(())
}

fn client(port: u16) -> Result {
    let distrust = ClientConfig::new();
    distrust.set_built_in_roots(true)?;
    let options = ConnectOptions::new();
    options.set_tls(&distrust, Some(NAME))?;
    let refused = open_connection("127.0.0.1", port, Some(&options));
    matching!(refused, Err(Error::Tls(_)));

    let config = ClientConfig::new();
    config.add_roots(&variable("ROOTS")?)?;
    options.set_tls(&config, Some(NAME))?;
    let (reader, writer) = open_connection("127.0.0.1", port, Some(&options))?;
    check!(writer.tls_info().is_some());
    let message = vec![b't'; 200_000];
    writer.write(&message)?;
    check!(writer.can_write_eof());
    writer.write_eof()?;
    same!(reader.read(None, SOON)?, message);
    writer.close();
    writer.wait_closed(SOON)?;

    let plain_port = variable("PLAIN_PORT")?;
    let plain_port = String::from_utf8_lossy(&plain_port).parse();
    let plain_port = plain_port.map_err(|_| "PLAIN_PORT is no port")?;
    let (reader, writer) = open_connection("127.0.0.1", plain_port, None)?;
    writer.write(b"STARTTLS\n")?;
    same!(reader.readline(SOON)?, b"go\n");
    writer.start_tls(&reader, &config, NAME)?;
    check!(writer.tls_info().is_some());
    writer.write(b"secret\n")?;
    same!(reader.readline(SOON)?, b"kept\n");
    same!(reader.readline(SOON)?, b"");
    Ok(())
}
