//! Embeds asyncio:streams components in a Rust program.

pub mod compose;
