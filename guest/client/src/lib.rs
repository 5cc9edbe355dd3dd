//! asyncio streams for WebAssembly components.
