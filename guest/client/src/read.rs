//! A read as a value.

/// A read, with its argument.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Read<'a> {
    /// `read(n)`.
    Some(usize),
    /// `read_to_end`.
    ToEnd,
    /// `readline`.
    Line,
    /// `readexactly`.
    Exactly(usize),
    /// `readuntil_any`.
    Until(&'a [&'a [u8]]),
    /// `readlines`.
    Lines(usize),
}
