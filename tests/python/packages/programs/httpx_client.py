# httpx: a session, JSON, a stream, a redirect, an error of the network.
import asyncio
import importlib.metadata
import sys

import certifi
import httpx


async def main():
    # Data and metadata of a package, which httpx itself needs.
    print("BEGIN CERTIFICATE" in certifi.contents(), importlib.metadata.version("certifi"))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{sys.argv[1]}") as client:
        answer = await client.get("/json", params={"q": "ä"})
        print(answer.status_code, answer.json())
        answer = await client.post("/echo", content=b"x" * 100_000)
        print(answer.status_code, len(answer.content))
        answer = await client.get("/moved", follow_redirects=True)
        print([hop.status_code for hop in answer.history], answer.status_code)
        async with client.stream("GET", "/stream") as answer:
            print([line async for line in answer.aiter_lines()])
        print((await client.get("/nothing")).status_code)
    try:
        async with httpx.AsyncClient() as client:
            await client.get("http://127.0.0.1:1/")
    except httpx.ConnectError as reason:
        print(type(reason).__name__)


asyncio.run(main())
