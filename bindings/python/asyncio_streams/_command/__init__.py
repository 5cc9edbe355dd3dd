"""The command `asyncio-streams`: makes components of programs, and runs programs as components. Runs outside a component."""
