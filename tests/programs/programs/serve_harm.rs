//! A handler that echoes lines, and does harm at a client's request.

use std::time::Duration;

use asyncio_streams::{Error, Reader, Writer};

asyncio_streams::serve!(obey);

async fn obey(reader: Reader, writer: Writer) -> Result<(), Error> {
    loop {
        let line = reader.readline().await?;
        match line.as_slice() {
            b"" => return Ok(()),
            b"trap\n" => panic!("as the client wished"),
            b"spin\n" => loop {
                std::hint::spin_loop();
            },
            b"hoard\n" => hoard().await,
            // Printed by the program, for the host's log.
            b"print\n" => asyncio_streams::cli::println("printed\u{1b}[2J").await?,
            b"peer\n" => {
                let names = format!("{:?} {:?}\n", writer.peername(), writer.sockname());
                writer.send(names).await?;
                continue;
            }
            _ => {}
        }
        writer.send(line).await?;
    }
}

/// Takes memory until it ends. It waits between, so that even a slow machine does not take it for a loop.
async fn hoard() -> ! {
    let mut hoard = Vec::new();
    loop {
        hoard.push(vec![1_u8; 1 << 20]);
        std::hint::black_box(&hoard);
        asyncio_streams::sleep(Duration::from_micros(100)).await;
    }
}
