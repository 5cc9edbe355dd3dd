//! Keep-alive is set as in the options, and off without them: the test inspects the connections.

use std::time::Duration;

use asyncio_streams::{ConnectOptions, KeepAlive, ServerOptions, cli, open_connection};
use asyncio_streams_test_programs::{Result, peer_port, port};

asyncio_streams::run!(main);

async fn main() -> Result {
    let to = peer_port(0)?;
    let (input, _) = cli::stdin().await?;
    let all = KeepAlive {
        idle: Some(Duration::from_secs(5000)),
        interval: Some(Duration::from_secs(77)),
        count: Some(9),
    };
    let some = KeepAlive {
        count: Some(11),
        ..KeepAlive::default()
    };
    let _off = open_connection("127.0.0.1", to).await?;
    cli::println("off").await?;
    input.readline().await?;
    for (options, name) in [(all, "all"), (some, "some")] {
        let options = ConnectOptions::new().keep_alive(options);
        let _on = options.open_connection("127.0.0.1", to).await?;
        cli::println(name).await?;
        input.readline().await?;
    }
    // The clients of a server.
    let options = ServerOptions::new().keep_alive(all);
    let server = options.start_server(["127.0.0.1"], 0).await?;
    cli::println(port(&server)?).await?;
    let _client = server.accept().await?;
    cli::println("accepted").await?;
    input.readline().await?;
    Ok(())
}
