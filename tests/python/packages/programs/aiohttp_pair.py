# aiohttp: `web.run_app` with routes, a WebSocket and a stream; `ClientSession` that uses them.
import asyncio
import sys

import aiohttp
from aiohttp import web


async def hello(request):
    return web.json_response({"name": request.match_info["name"], "query": dict(request.query)})


async def echo(request):
    return web.Response(body=await request.read())


async def stream(request):
    response = web.StreamResponse()
    await response.prepare(request)
    for number in range(5):
        await response.write(b"%d\n" % number)
    return response


async def chat(request):
    websocket = web.WebSocketResponse()
    await websocket.prepare(request)
    async for message in websocket:
        await websocket.send_str(message.data.upper())
    return websocket


async def tell(app):
    print("Starting", flush=True)


def run_server(port):
    app = web.Application(client_max_size=1 << 24)
    app.add_routes(
        [web.get("/hello/{name}", hello), web.post("/echo", echo), web.get("/stream", stream), web.get("/ws", chat)]
    )
    app.on_startup.append(tell)
    web.run_app(app, host="127.0.0.1", port=int(port))


async def ask(port):
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        async with session.get("/hello/ann", params={"a": "ö"}) as answer:
            print(answer.status, await answer.json())
        async with session.post("/echo", data=b"y" * 1_000_000) as answer:
            print(len(await answer.read()))
        async with session.get("/stream") as answer:
            print([line async for line in answer.content])
        async with session.ws_connect("/ws") as websocket:
            await websocket.send_str("quiet")
            print((await websocket.receive()).data)
        async with session.get("/none") as answer:
            print(answer.status, await answer.text())


if sys.argv[1] == "serve":
    run_server(sys.argv[2])
else:
    asyncio.run(ask(sys.argv[2]))
