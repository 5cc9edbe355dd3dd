# uvicorn.run with a Starlette application: async and plain handlers, JSON, a stream, an error; asked by httpx.
import asyncio
import contextlib
import sys

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, StreamingResponse
from starlette.routing import Route


async def as_json(request):
    return JSONResponse({"query": request.query_params.get("q")})


def plain(request):
    return PlainTextResponse("from a thread, or at once")


async def echo(request):
    return PlainTextResponse(await request.body())


async def moved(request):
    return RedirectResponse("/json")


async def stream(request):
    async def lines():
        for number in range(3):
            yield f"line {number}\n"

    return StreamingResponse(lines())


async def fails(request):
    raise ValueError("a mistake")


@contextlib.asynccontextmanager
async def lifespan(app):
    print("the application starts", flush=True)
    yield
    await asyncio.sleep(0.01)
    print("the application ends", flush=True)


app = Starlette(
    lifespan=lifespan,
    routes=[
        Route("/json", as_json),
        Route("/plain", plain),
        Route("/echo", echo, methods=["POST"]),
        Route("/moved", moved),
        Route("/stream", stream),
        Route("/fails", fails),
    ]
)


async def ask(port):
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        for path in ("/json?q=1", "/plain", "/stream", "/none"):
            answer = await client.get(path)
            print(path, answer.status_code, answer.text)
        answer = await client.post("/echo", content=b"z" * 300_000)
        print(len(answer.content))
        # The server closes the connection after it.
        answer = await client.get("/fails")
        print(answer.status_code, answer.text)


if sys.argv[1] == "serve":
    uvicorn.run(app, host="127.0.0.1", port=0)
else:
    asyncio.run(ask(sys.argv[2]))
