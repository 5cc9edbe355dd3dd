//! Embeds asyncio:streams components.
