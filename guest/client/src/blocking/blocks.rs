//! Bytes in blocks of 64, as the interface `bulk` moves them.

use asyncio_streams_face::blocks::to_blocks;
use asyncio_streams_face::bytemuck::{cast_slice, try_cast_slice};

use super::bindings::bulk::{Block, BytesParam, BytesResult};

asyncio_streams_face::blocks!(Block);

/// Calls a function with bytes in blocks. It copies them, unless they are whole blocks at an address that is fit for them.
pub(super) fn with_blocks<T>(data: &[u8], call: impl FnOnce(BytesParam<'_>) -> T) -> T {
    let copy: Vec<Block>;
    let blocks = if let Ok(blocks) = try_cast_slice(data) {
        blocks
    } else {
        copy = to_blocks(data);
        &copy
    };
    // An address of WebAssembly has 32 bits.
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
    call(BytesParam { blocks, length })
}

/// Copies the bytes out of blocks.
pub(super) fn to_bytes(read: &BytesResult) -> Vec<u8> {
    let bytes: &[u8] = cast_slice(&read.blocks);
    let length = usize::try_from(read.length).unwrap_or(usize::MAX);
    bytes.get(..length).unwrap_or(bytes).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_and_address_comes_back() {
        let all: Vec<u8> = (0..=u8::MAX).cycle().take(400).collect();
        for start in 0..16 {
            for n in [0, 1, 63, 64, 65, 128, 200, 256] {
                let data = &all[start..start + n];
                let back = with_blocks(data, |bytes| {
                    assert_eq!(bytes.blocks.len(), n.div_ceil(64));
                    to_bytes(&BytesResult {
                        blocks: bytes.blocks.to_vec(),
                        length: bytes.length,
                    })
                });
                assert_eq!(back, data);
            }
        }
    }

    #[test]
    fn a_length_beyond_the_blocks_is_cut() {
        let blocks = to_blocks(&[7; 64]);
        let read = BytesResult { blocks, length: 65 };
        assert_eq!(to_bytes(&read), [7; 64]);
    }
}
