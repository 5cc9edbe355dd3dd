//! A server that accepts no client until a line arrives on standard input: meanwhile the backlog decides how many
//! clients the system holds. The arguments are the backlog and how many clients to accept then.

use asyncio_streams::{ServerOptions, cli};
use asyncio_streams_test_programs::{Failure, Result, port};

asyncio_streams::run!(main);

async fn main() -> Result {
    let numbers: Vec<u32> = cli::arguments()
        .iter()
        .filter_map(|argument| argument.parse().ok())
        .collect();
    let &[backlog, clients] = numbers.as_slice() else {
        return Err(Failure::new("two numbers as arguments"));
    };
    let server = ServerOptions::new()
        .backlog(backlog)
        .start_server(["127.0.0.1"], 0)
        .await?;
    cli::println(port(&server)?).await?;
    let (input, _) = cli::stdin().await?;
    input.readline().await?;
    for _ in 0..clients {
        let (_, writer) = server.accept().await?;
        writer.send("accepted\n").await?;
        writer.close();
        writer.wait_closed().await?;
    }
    Ok(())
}
