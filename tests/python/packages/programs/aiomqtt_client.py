# aiomqtt: connect, subscribe, publish with each quality of service.
import asyncio
import sys

import aiomqtt


async def main():
    async with aiomqtt.Client("127.0.0.1", int(sys.argv[1])) as client:
        await client.subscribe("things/#", qos=2)
        for qos in range(3):
            await client.publish(f"things/{qos}", payload=f"on {qos}", qos=qos)
        seen = []
        async for message in client.messages:
            seen.append((str(message.topic), message.payload))
            if len(seen) == 3:
                break
        print(sorted(seen))


asyncio.run(main())
