//! Random bytes from the host, with the part of getrandom 0.2's interface that ring uses.

#![no_std]

extern crate alloc;

use core::fmt;

#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::allow_attributes_without_reason,
    reason = "generated"
)]
mod bindings {
    #[cfg(not(feature = "wasi02"))]
    wit_bindgen::generate!({
        path: "../../../wit/deps/random.wit",
        inline: "
            package asyncio:getrandom;
            world random { import wasi:random/random@0.3.0; }
        ",
        generate_all,
    });
    #[cfg(feature = "wasi02")]
    wit_bindgen::generate!({
        path: "../../../wit/wasi-0.2/deps/random.wit",
        inline: "
            package asyncio:getrandom;
            world random { import wasi:random/random@0.2.0; }
        ",
        generate_all,
    });
}

use bindings::wasi::random::random;

/// Up to this many bytes come as numbers of eight bytes, without an allocation.
const FEW: usize = 64;

/// The error of a failed call. It never occurs: the host's function cannot fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error(());

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no random bytes")
    }
}

impl core::error::Error for Error {}

/// Fills `to` with random bytes that are suitable for keys.
///
/// # Errors
/// None.
pub fn getrandom(to: &mut [u8]) -> Result<(), Error> {
    let mut rest = to;
    if rest.len() <= FEW {
        for piece in rest.chunks_mut(8) {
            for (to, byte) in piece.iter_mut().zip(random::get_random_u64().to_le_bytes()) {
                *to = byte;
            }
        }
        return Ok(());
    }
    while !rest.is_empty() {
        // The host may return fewer bytes than requested.
        let bytes = random::get_random_bytes(rest.len() as u64);
        let n = bytes.len().min(rest.len());
        let (now, later) = rest.split_at_mut(n);
        now.copy_from_slice(bytes.get(..n).unwrap_or_default());
        rest = later;
    }
    Ok(())
}
