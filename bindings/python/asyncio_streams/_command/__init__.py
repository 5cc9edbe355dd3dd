"""The command `asyncio-streams`: builds components from programs, and runs programs. It runs outside components."""
