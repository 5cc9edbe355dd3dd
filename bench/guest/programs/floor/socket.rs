//! A connection and a listening socket, as WASI defines them.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use asyncio_streams_bench_guest::Result;
use asyncio_streams_bench_plan::Client;
use wit_bindgen::{StreamReader, StreamResult, StreamWriter};

use bindings::wasi::sockets::types::{
    IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, TcpSocket,
};

mod bindings {
    #![allow(
        missing_docs,
        unreachable_pub,
        clippy::all,
        clippy::allow_attributes_without_reason,
        reason = "generated"
    )]

    wit_bindgen::generate!({
        inline: "
            package asyncio:bench;

            world floor {
                import wasi:sockets/types@0.3.0;
            }
        ",
        path: "../../wit",
        generate_all,
    });
}

const ENDED: &str = "the other side ended the connection";

/// A connection: its two streams. They keep it alive.
pub(crate) struct Connection {
    incoming: StreamReader<u8>,
    outgoing: StreamWriter<u8>,
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(client: &Client) -> Result<Self> {
        let address = to_wasi(client.address)?;
        let socket = TcpSocket::create(IpAddressFamily::Ipv4)?;
        socket.connect(address).await?;
        Ok(Self::of(&socket))
    }

    fn of(socket: &TcpSocket) -> Self {
        // The results of the two directions are not needed here.
        let (incoming, _) = socket.receive();
        let (outgoing, data) = bindings::wit_stream::new();
        drop(socket.send(data));
        Connection { incoming, outgoing }
    }

    /// Reads the available bytes into the spare capacity of `room`.
    pub(crate) async fn read(&mut self, room: Vec<u8>) -> Result<Vec<u8>> {
        let (result, bytes) = self.incoming.read(room).await;
        if result == StreamResult::Dropped {
            return Err(ENDED.into());
        }
        Ok(bytes)
    }

    /// Reads exactly `n` bytes.
    pub(crate) async fn read_exactly(&mut self, n: usize) -> Result<Vec<u8>> {
        // The capacity of a Vec may be larger than requested; the other side sends nothing beyond the request.
        let mut bytes = Vec::with_capacity(n);
        while bytes.len() < n {
            bytes = self.read(bytes).await?;
        }
        Ok(bytes)
    }

    /// Writes all of `bytes`, and returns the buffer.
    pub(crate) async fn write(&mut self, bytes: Vec<u8>) -> Result<Vec<u8>> {
        let left = self.outgoing.write_all(bytes).await;
        if left.is_empty() {
            return Ok(left);
        }
        Err(ENDED.into())
    }
}

/// A socket that listens.
pub(crate) struct Listener {
    arrivals: StreamReader<TcpSocket>,
    /// The address on which it listens.
    pub(crate) address: SocketAddr,
    _socket: TcpSocket,
}

impl Listener {
    /// Binds and listens.
    pub(crate) fn bind(address: SocketAddr) -> Result<Self> {
        let socket = TcpSocket::create(IpAddressFamily::Ipv4)?;
        socket.bind(to_wasi(address)?)?;
        socket.set_listen_backlog_size(1000)?;
        let arrivals = socket.listen()?;
        let address = to_std(socket.get_local_address()?)?;
        Ok(Listener {
            arrivals,
            address,
            _socket: socket,
        })
    }

    /// Returns the next connection.
    pub(crate) async fn accept(&mut self) -> Result<Connection> {
        let socket = self.arrivals.next().await.ok_or("the listener ended")?;
        Ok(Connection::of(&socket))
    }
}

fn to_wasi(address: SocketAddr) -> Result<IpSocketAddress> {
    let SocketAddr::V4(address) = address else {
        return Err("only IPv4 here".into());
    };
    let [a, b, c, d] = address.ip().octets();
    Ok(IpSocketAddress::Ipv4(Ipv4SocketAddress {
        port: address.port(),
        address: (a, b, c, d),
    }))
}

fn to_std(address: IpSocketAddress) -> Result<SocketAddr> {
    let IpSocketAddress::Ipv4(address) = address else {
        return Err("only IPv4 here".into());
    };
    let (a, b, c, d) = address.address;
    Ok(SocketAddrV4::new(Ipv4Addr::new(a, b, c, d), address.port).into())
}
