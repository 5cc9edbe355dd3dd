//! Bytes in blocks, by number.

use crate::bindings::asyncio::streams::blocking::{Error, Reader, Wanted, Writer};
use crate::bindings::asyncio::streams::bulk::{self, Block, Bytes};
use crate::checks::{BRIEFLY, NOW, Result, SOON, check, list, matching, pair, peer, same};

list![there_and_back: Slow, mixed, each_read, ends, too_short, silent_in_bulk, numbers_end];

/// Every length arrives, and every byte in its place.
fn there_and_back(_: u16) -> Result {
    let pair = pair()?;
    let (reader, writer) = numbers(&pair.right.0, &pair.left.1);
    for n in [1, 63, 64, 65, 127, 128, 1_000, 300_001] {
        let message: Vec<u8> = (0..=u8::MAX).cycle().take(n).collect();
        bulk::write(writer, &to_blocks(&message))?;
        let mut came = Vec::new();
        while came.len() < n {
            let rest = u32::try_from(n - came.len()).unwrap_or(u32::MAX);
            let bytes = bulk::read(reader, rest, SOON)?;
            check!(bytes.length > 0 && bytes.length <= rest);
            same!(bytes.blocks.len(), bytes.length.div_ceil(64) as usize);
            came.extend(to_bytes(&bytes));
        }
        check!(came == message);
    }
    Ok(())
}

/// Calls with blocks and calls with lists share one stream of bytes.
fn mixed(_: u16) -> Result {
    let pair = pair()?;
    let (reader, writer) = (&pair.right.0, &pair.left.1);
    let (from, to) = numbers(reader, writer);
    writer.write(b"first line\n")?;
    bulk::send(to, &to_blocks(b"second line\nand"), SOON)?;
    writer.write(b" the rest")?;
    same!(reader.readline(SOON)?, b"first line\n");
    same!(to_bytes(&bulk::read(from, 7, SOON)?), b"second ");
    same!(reader.readline(SOON)?, b"line\n");
    check!(reader.wait(&Wanted::Exactly(12), SOON)?);
    same!(to_bytes(&bulk::read(from, 100, NOW)?), b"and the rest");
    Ok(())
}

/// Each read does what that of `blocking` does, errors included.
fn each_read(_: u16) -> Result {
    let pair = pair()?;
    let writer = &pair.left.1;
    let (reader, _) = numbers(&pair.right.0, writer);
    let long = [&[b'x'; 200][..], b"\n"].concat();
    writer.write(&[b"first\n\n", &long[..], b"a\nb\nc"].concat())?;
    same!(to_bytes(&bulk::readline(reader, SOON)?), b"first\n");
    same!(to_bytes(&bulk::readline(reader, NOW)?), b"\n");
    same!(to_bytes(&bulk::readline(reader, SOON)?), long);
    same!(to_bytes(&bulk::readexactly(reader, 1, SOON)?), b"a");
    same!(bulk::readexactly(reader, 0, NOW)?.length, 0);
    same!(to_bytes(&bulk::readlines(reader, 100, SOON)?), b"\nb\n");
    matching!(bulk::readline(reader, NOW), Err(Error::Cancelled));
    matching!(bulk::readlines(reader, 100, BRIEFLY), Err(Error::Cancelled));
    matching!(
        bulk::readexactly(reader, u32::MAX, SOON),
        Err(Error::TooLarge(_))
    );
    writer.write_eof()?;
    matching!(bulk::readexactly(reader, 2, SOON), Err(Error::IncompleteRead(read)) if read.partial == b"c");
    same!(bulk::readline(reader, SOON)?.length, 0);
    same!(bulk::readlines(reader, 100, SOON)?.length, 0);
    Ok(())
}

fn ends(port: u16) -> Result {
    let (reader, writer) = peer(port, "send 100000")?;
    let (from, to) = numbers(&reader, &writer);
    let mut all = 0;
    loop {
        let bytes = bulk::read(from, 40_000, SOON)?;
        if bytes.length == 0 {
            check!(bytes.blocks.is_empty());
            break;
        }
        all += bytes.length;
    }
    same!(all, 100_000);
    same!(bulk::read(from, 0, SOON)?.length, 0);
    writer.close();
    matching!(bulk::write(to, &to_blocks(b"late")), Err(Error::Closed));
    matching!(
        bulk::send(to, &to_blocks(b"late"), SOON),
        Err(Error::Closed)
    );
    Ok(())
}

/// A length beyond the blocks is refused; blocks beyond the length are not sent.
fn too_short(_: u16) -> Result {
    let pair = pair()?;
    let writer = &pair.left.1;
    let (_, to) = numbers(&pair.right.0, writer);
    for (bytes, length) in [(64, 65), (0, 1), (64, u32::MAX)] {
        let data = Bytes {
            length,
            ..to_blocks(&vec![1; bytes])
        };
        matching!(bulk::write(to, &data), Err(Error::InvalidArgument(_)));
        matching!(bulk::send(to, &data, SOON), Err(Error::InvalidArgument(_)));
    }
    same!(writer.write_buffer_size(), 0);
    let data = Bytes {
        length: 3,
        ..to_blocks(b"abcdef")
    };
    bulk::write(to, &data)?;
    same!(writer.write_buffer_size(), 3);
    bulk::write(to, &to_blocks(b""))?;
    same!(pair.right.0.readexactly(3, SOON)?, b"abc");
    Ok(())
}

fn silent_in_bulk(port: u16) -> Result {
    let (reader, writer) = peer(port, "silence")?;
    let (from, _) = numbers(&reader, &writer);
    matching!(bulk::read(from, 10, BRIEFLY), Err(Error::Cancelled));
    matching!(bulk::read(from, 10, NOW), Err(Error::Cancelled));
    writer.write(b"go\n")?;
    same!(to_bytes(&bulk::read(from, 10, SOON)?), b"went\n");
    Ok(())
}

/// Numbers end with their resources. Wrong ones are errors, and change nothing.
fn numbers_end(_: u16) -> Result {
    let pair = pair()?;
    let (reader, writer) = (pair.right.0, &pair.left.1);
    let (from, to) = numbers(&reader, writer);
    same!(numbers(&reader, writer), (from, to));
    let (other, back) = numbers(&pair.left.0, &pair.right.1);
    let mut all = [from, to, other, back];
    all.sort_unstable();
    check!(!all.contains(&0) && all.windows(2).all(|two| two[0] != two[1]));

    bulk::write(to, &to_blocks(b"kept"))?;
    for wrong in [0, 1, u64::MAX, to, back, from ^ 1, from.rotate_left(32)] {
        matching!(bulk::read(wrong, 4, NOW), Err(Error::InvalidArgument(_)));
        matching!(bulk::readline(wrong, NOW), Err(Error::InvalidArgument(_)));
        matching!(
            bulk::readlines(wrong, 4, NOW),
            Err(Error::InvalidArgument(_))
        );
        matching!(
            bulk::readexactly(wrong, 4, NOW),
            Err(Error::InvalidArgument(_))
        );
    }
    for wrong in [0, 1, u64::MAX, from, other, to ^ 1, to.rotate_left(32)] {
        let data = to_blocks(b"lost");
        matching!(bulk::write(wrong, &data), Err(Error::InvalidArgument(_)));
        matching!(
            bulk::send(wrong, &data, NOW),
            Err(Error::InvalidArgument(_))
        );
    }
    same!(writer.write_buffer_size(), 4);
    same!(to_bytes(&bulk::readexactly(from, 4, SOON)?), b"kept");

    drop(reader);
    matching!(bulk::read(from, 1, NOW), Err(Error::InvalidArgument(_)));
    // It is still the number of another one.
    bulk::write(to, &to_blocks(b"more"))?;
    drop(pair.left.1);
    matching!(
        bulk::write(to, &to_blocks(b"late")),
        Err(Error::InvalidArgument(_))
    );
    Ok(())
}

fn numbers(reader: &Reader, writer: &Writer) -> (u64, u64) {
    (bulk::reader_number(reader), bulk::writer_number(writer))
}

fn to_blocks(bytes: &[u8]) -> Bytes {
    let blocks = bytes.chunks(64).map(|part| {
        let mut words = [0; 8];
        for (word, part) in words.iter_mut().zip(part.chunks(8)) {
            let mut octets = [0; 8];
            octets[..part.len()].copy_from_slice(part);
            *word = u64::from_le_bytes(octets);
        }
        let [a, b, c, d, e, f, g, h] = words;
        Block {
            a,
            b,
            c,
            d,
            e,
            f,
            g,
            h,
        }
    });
    Bytes {
        blocks: blocks.collect(),
        length: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
    }
}

fn to_bytes(bytes: &Bytes) -> Vec<u8> {
    let words = bytes.blocks.iter().flat_map(|block| {
        let Block {
            a,
            b,
            c,
            d,
            e,
            f,
            g,
            h,
        } = *block;
        [a, b, c, d, e, f, g, h]
    });
    let octets = words.flat_map(u64::to_le_bytes);
    octets.take(bytes.length as usize).collect()
}
