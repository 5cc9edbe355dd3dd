# hypercorn serving a Quart application; asked by httpx.
import asyncio
import sys

import httpx
from hypercorn.asyncio import serve
from hypercorn.config import Config
from quart import Quart, request, websocket

app = Quart(__name__)


@app.after_serving
async def end():
    await asyncio.sleep(0.01)
    print("the application ends", flush=True)


@app.get("/hello/<name>")
async def hello(name):
    return {"hello": name}


@app.post("/echo")
async def echo():
    return await request.get_data()


@app.websocket("/ws")
async def chat():
    while True:
        await websocket.send((await websocket.receive()).upper())


async def ask(port):
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        answer = await client.get("/hello/ann")
        print(answer.status_code, answer.json())
        answer = await client.post("/echo", content=b"q" * 50_000)
        print(answer.status_code, len(answer.content))
        print((await client.get("/none")).status_code)


if sys.argv[1] == "serve":
    config = Config()
    config.bind = ["127.0.0.1:0"]
    asyncio.run(serve(app, config))
else:
    asyncio.run(ask(sys.argv[2]))
