//! `peername` and `sockname` of either end, during the connection and after it; none if it is not a socket.

use asyncio_streams::{Address, InetAddress, open_connection, start_server};
use asyncio_streams_test_programs::{Result, check, matching, memory, port, same};

asyncio_streams::run!(main);

async fn main() -> Result {
    for host in ["127.0.0.1", "::1"] {
        let server = start_server([host], 0).await?;
        let port = port(&server)?;
        let (left, right) = futures::join!(open_connection(host, port), server.accept());
        let (left, right) = (left?.1, right?.1);
        let server_end = Address::Inet(InetAddress {
            host: host.into(),
            port,
            scope_id: 0,
            flow_info: 0,
        });
        let client_end = matching!(left.sockname(), Some(address) => address);
        check!(
            matches!(&client_end, Address::Inet(it) if it.host == host && it.port != 0 && it.port != port)
        );
        for _ in 0..2 {
            same!(left.peername(), Some(server_end.clone()));
            same!(left.sockname(), Some(client_end.clone()));
            same!(right.sockname(), Some(server_end.clone()));
            same!(right.peername(), Some(client_end.clone()));
            left.close();
            right.abort();
            drop(left.wait_closed().await);
        }
    }
    let pair = memory().await?;
    same!(
        (pair.left.writer.peername(), pair.left.writer.sockname()),
        (None, None)
    );
    Ok(())
}
