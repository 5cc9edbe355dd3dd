# nats-py: subscribe, publish, a request and its reply.
import asyncio
import sys

import nats


async def main():
    client = await nats.connect(f"nats://127.0.0.1:{sys.argv[1]}")

    async def answer(message):
        await message.respond(message.data.upper())

    subscription = await client.subscribe("echo", cb=answer)
    reply = await client.request("echo", b"hello", timeout=5)
    print(reply.data)
    await subscription.unsubscribe()
    news = await client.subscribe("news.*")
    for number in range(3):
        await client.publish(f"news.{number}", str(number).encode())
    for _ in range(3):
        message = await news.next_msg(timeout=5)
        print(message.subject, message.data)
    await client.drain()


asyncio.run(main())
