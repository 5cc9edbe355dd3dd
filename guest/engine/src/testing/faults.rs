//! Faults of one direction of a connection, and of the route to an address.

use crate::errors::SocketError;

/// The way bytes travel in one direction of a connection. The default delivers everything at the end of the turn.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Delivers one byte a turn.
    pub byte_by_byte: bool,
    /// Repeatedly delivers some bytes, then waits for some nanoseconds.
    pub slow: Option<Slow>,
    /// Delivers nothing, not even the end. The sender's system still takes as many bytes as its window holds.
    pub black_hole: bool,
    /// Ends the direction after some bytes.
    pub cut: Option<Cut>,
}

impl Faults {
    /// Delivers nothing.
    pub fn black_hole() -> Self {
        Faults {
            black_hole: true,
            ..Faults::default()
        }
    }

    /// Delivers one byte a turn.
    pub fn byte_by_byte() -> Self {
        Faults {
            byte_by_byte: true,
            ..Faults::default()
        }
    }

    /// Repeatedly delivers `bytes`, then waits for `nanoseconds`.
    pub fn slow(bytes: usize, nanoseconds: u64) -> Self {
        Faults {
            slow: Some(Slow { bytes, nanoseconds }),
            ..Faults::default()
        }
    }

    /// Delivers the first `bytes` of the direction, then applies `what`.
    pub fn cut(bytes: u64, what: CutKind) -> Self {
        Faults {
            cut: Some(Cut { bytes, what }),
            ..Faults::default()
        }
    }
}

/// A slow direction.
#[derive(Clone, Copy, Debug)]
pub struct Slow {
    /// Bytes that are delivered at once; at least 1.
    pub bytes: usize,
    /// Nanoseconds until the next delivery.
    pub nanoseconds: u64,
}

/// A direction that ends early.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    /// Bytes that arrive, counted from the beginning of the direction.
    pub bytes: u64,
    /// The fault that follows.
    pub what: CutKind,
}

/// How a direction ends early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CutKind {
    /// The receiver sees the end. The sender's next bytes reset the connection.
    End,
    /// Both sides see a reset.
    Reset,
    /// Nothing more arrives.
    BlackHole,
}

/// The result of attempts to connect to an address. Without a route, a listener answers or the attempt is refused.
#[derive(Clone, Debug)]
pub enum Route {
    /// The attempt fails with this error after some nanoseconds.
    Fails(SocketError, u64),
    /// The attempt continues after some nanoseconds.
    Slow(u64),
    /// The attempt never ends.
    BlackHole,
}
