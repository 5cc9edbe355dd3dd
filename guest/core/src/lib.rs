//! asyncio:streams without I/O.
