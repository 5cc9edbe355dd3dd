//! What can go wrong with one direction of a connection, and on the way to an address.

use crate::errors::SocketError;

/// How bytes travel in one direction of a connection. The default delivers everything at the end of the turn.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Delivers one byte a turn.
    pub byte_by_byte: bool,
    /// Delivers so many bytes, then waits for so many nanoseconds.
    pub slow: Option<Slow>,
    /// Delivers nothing, not even the end. The sender's system still takes as much as its window holds.
    pub black_hole: bool,
    /// Ends the direction after so many bytes.
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

    /// Delivers `bytes`, then waits for `nanoseconds`, and so on.
    pub fn slow(bytes: usize, nanoseconds: u64) -> Self {
        Faults {
            slow: Some(Slow { bytes, nanoseconds }),
            ..Faults::default()
        }
    }

    /// Delivers the first `bytes` of the direction; then happens `what`.
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
    /// Bytes that are delivered at once, at least 1.
    pub bytes: usize,
    /// Nanoseconds until the next ones are.
    pub nanoseconds: u64,
}

/// A direction that ends early.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    /// Bytes that arrive, counted from the beginning of the direction.
    pub bytes: u64,
    /// What happens then.
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

/// What happens to attempts to connect to an address. Without a rule a listener answers, or the attempt is refused.
#[derive(Clone, Debug)]
pub enum Route {
    /// The attempt fails with this error, after so many nanoseconds.
    Fails(SocketError, u64),
    /// The attempt goes on after so many nanoseconds.
    Slow(u64),
    /// The attempt never ends.
    BlackHole,
}
