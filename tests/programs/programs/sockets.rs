//! `from-socket` and `from-listener`: the program's own sockets become connections and servers.

use asyncio_streams::sockets::types::{IpAddressFamily, IpSocketAddress, Ipv4SocketAddress};
use asyncio_streams::sockets::{TcpSocket, from_listener, from_socket};
use asyncio_streams::{
    Address, ConnectOptions, Error, KeepAlive, NetworkCode, ServerOptions, open_connection,
    start_server,
};
use asyncio_streams_test_programs::{Result, Side, check, follow, matching, pattern, port, same};

asyncio_streams::run!(main);

async fn main() -> Result {
    connected().await?;
    not_connected().await?;
    listening().await?;
    not_to_be_listened_on().await
}

fn loopback(port: u16) -> IpSocketAddress {
    IpSocketAddress::Ipv4(Ipv4SocketAddress {
        port,
        address: (127, 0, 0, 1),
    })
}

fn socket() -> Result<TcpSocket> {
    Ok(TcpSocket::create(IpAddressFamily::Ipv4)?)
}

fn is_invalid_state<T>(result: std::result::Result<T, Error>) -> bool {
    matches!(result, Err(Error::Network(error)) if error.code == NetworkCode::InvalidState)
}

async fn connected() -> Result {
    let server = start_server(["127.0.0.1"], 0).await?;
    let port = port(&server)?;
    let socket = socket()?;
    socket.connect(loopback(port)).await?;
    let options = ConnectOptions::new()
        .limit(99)
        .max_queued(200_000)
        .keep_alive(KeepAlive::default());
    let (near, far) = futures::join!(options.from_socket(socket), server.accept());
    let (near, far): (Side, Side) = (near?.into(), far?.into());

    same!(near.reader.limit(), 99);
    same!(near.writer.peername(), far.writer.sockname());
    same!(near.writer.sockname(), far.writer.peername());
    matching!(near.writer.write(vec![0; 200_001]), Err(Error::BufferFull));
    near.writer.write(pattern(0, 200_000))?;
    near.writer.write_eof()?;
    follow(0, &far.reader.read_to_end().await?)?;
    far.writer.write("answer\n")?;
    same!(near.reader.readline().await?, b"answer\n");
    near.writer.close();
    near.writer.wait_closed().await?;
    Ok(())
}

async fn not_connected() -> Result {
    check!(is_invalid_state(from_socket(socket()?).await));
    let bound = socket()?;
    bound.bind(loopback(0))?;
    check!(is_invalid_state(from_socket(bound).await));
    Ok(())
}

async fn listening() -> Result {
    let socket = socket()?;
    socket.bind(loopback(0))?;
    let options = ServerOptions::new().limit(77).start_serving(false);
    let server = options.from_listener(socket).await?;
    check!(!server.is_serving());
    let port = port(&server)?;
    matching!(
        open_connection("127.0.0.1", port).await,
        Err(Error::Connect(_))
    );
    server.start_serving()?;
    let (near, far) = futures::join!(open_connection("127.0.0.1", port), server.accept());
    let (near, far): (Side, Side) = (near?.into(), far?.into());
    same!(far.reader.limit(), 77);
    check!(matches!(near.writer.peername(), Some(Address::Inet(it)) if it.port == port));
    near.writer.write("hello")?;
    same!(far.reader.readexactly(5).await?, b"hello");
    server.close();
    near.writer.close();
    far.writer.close();
    server.wait_closed().await;
    Ok(())
}

async fn not_to_be_listened_on() -> Result {
    // The system reports this only when the socket listens.
    let already = socket()?;
    already.bind(loopback(0))?;
    let _clients = already.listen()?;
    let options = ServerOptions::new().start_serving(false);
    let server = options.from_listener(already).await?;
    check!(is_invalid_state(server.start_serving()));
    check!(is_invalid_state(from_listener(socket()?).await));
    let listening = socket()?;
    listening.bind(loopback(0))?;
    let _clients = listening.listen()?;
    check!(is_invalid_state(from_listener(listening).await));
    Ok(())
}
