//! Small writes of one turn leave together, even with calls between them that do not wait. The peer counts segments;
//! this program sends each question in two parts.

use asyncio_streams::{Reader, Writer, cli};
use asyncio_streams_test_programs::{Failure, Result, Side, check, peer, same};
use futures::future::try_join_all;

asyncio_streams::run!(main);

/// How often each way is used on each connection; the peer knows the number of questions.
const ROUNDS: usize = 3;

#[derive(Clone, Copy, Debug)]
enum Way {
    WriteWrite,
    Writelines,
    WriteDrainWriteDrain,
    WriteTryDrainWriteTryDrain,
    SendSend,
}

const WAYS: [Way; 5] = [
    Way::WriteWrite,
    Way::Writelines,
    Way::WriteDrainWriteDrain,
    Way::WriteTryDrainWriteTryDrain,
    Way::SendSend,
];

async fn main() -> Result {
    let arguments = cli::arguments();
    same!(
        arguments.get(1).map(String::as_str),
        Some((ROUNDS * WAYS.len()).to_string().as_str())
    );
    let connections: usize = arguments
        .get(2)
        .and_then(|number| number.parse().ok())
        .ok_or_else(|| Failure::new("argument 2 is to be the number of connections"))?;

    let Side { reader, writer } = peer().await?;
    for way in ways() {
        ask(&writer, way).await?;
        answered(&reader).await?;
    }
    end(&writer).await?;

    // Each connection at its own time.
    let sides = try_join_all((0..connections).map(|_| peer())).await?;
    let conversations = sides.iter().map(async |Side { reader, writer }| {
        for way in ways() {
            ask(writer, way).await?;
            answered(reader).await?;
        }
        end(writer).await
    });
    try_join_all(conversations).await?;

    // All in one turn, and the second parts only after all the first ones.
    let sides = try_join_all((0..connections).map(|_| peer())).await?;
    for _ in ways() {
        for side in &sides {
            side.writer.write("ask ")?;
            side.writer.drain().await?;
        }
        for side in &sides {
            side.writer.write("now\n")?;
            side.writer.drain().await?;
        }
        for side in &sides {
            answered(&side.reader).await?;
        }
    }
    for side in &sides {
        end(&side.writer).await?;
    }
    Ok(())
}

fn ways() -> impl Iterator<Item = Way> {
    WAYS.into_iter().cycle().take(ROUNDS * WAYS.len())
}

async fn ask(writer: &Writer, way: Way) -> Result {
    match way {
        Way::WriteWrite => {
            writer.write("ask ")?;
            writer.write("now\n")?;
        }
        Way::Writelines => writer.writelines(&["ask ", "now\n"])?,
        Way::WriteDrainWriteDrain => {
            writer.write("ask ")?;
            writer.drain().await?;
            writer.write("now\n")?;
            writer.drain().await?;
        }
        Way::WriteTryDrainWriteTryDrain => {
            for part in ["ask ", "now\n"] {
                writer.write(part)?;
                check!(writer.try_drain()?, "a small write does not reach the mark");
            }
        }
        Way::SendSend => {
            writer.send("ask ").await?;
            writer.send("now\n").await?;
        }
    }
    Ok(())
}

async fn answered(reader: &Reader) -> Result {
    same!(reader.readexactly(1).await?, b".");
    Ok(())
}

async fn end(writer: &Writer) -> Result {
    writer.close();
    Ok(writer.wait_closed().await?)
}
