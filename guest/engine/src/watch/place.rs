//! The place of a member in a watch, which stays the same until the member is removed.

/// A member: its slot, and which of the members that had this slot one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub(super) slot: usize,
    pub(super) id: u64,
}
