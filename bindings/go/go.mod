module asyncio-streams

go 1.27
