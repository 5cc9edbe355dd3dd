# redis: commands, a pipeline, a transaction, publish and subscribe.
import asyncio
import sys

import redis.asyncio as redis


async def main():
    async with redis.Redis(host="127.0.0.1", port=int(sys.argv[1]), decode_responses=True) as client:
        await client.flushall()
        print(await client.set("name", "value"), await client.get("name"))
        async with client.pipeline(transaction=True) as pipe:
            print(await pipe.incr("count").incr("count").lpush("list", "a", "b").lrange("list", 0, -1).execute())
        async with client.pubsub() as channel:
            await channel.subscribe("news")
            await client.publish("news", "hello")
            async for message in channel.listen():
                print(message["type"], message["data"])
                if message["type"] == "message":
                    break
        try:
            await client.lpush("name", "x")
        except redis.ResponseError as reason:
            print(type(reason).__name__, reason)


asyncio.run(main())
