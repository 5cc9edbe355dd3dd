# tornado: its HTTP server and its HTTP client.
import asyncio
import sys

import tornado.httpclient
import tornado.httpserver
import tornado.netutil
import tornado.web


class Hello(tornado.web.RequestHandler):
    def get(self, name):
        self.write({"hello": name})

    def post(self, name):
        self.write(str(len(self.request.body)))


async def run_server():
    app = tornado.web.Application([(r"/hello/(\w+)", Hello)])
    server = tornado.httpserver.HTTPServer(app)
    sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    print(f"Serving on 127.0.0.1:{sockets[0].getsockname()[1]}", flush=True)
    await asyncio.Event().wait()


async def ask(port):
    client = tornado.httpclient.AsyncHTTPClient()
    answer = await client.fetch(f"http://127.0.0.1:{port}/hello/ann")
    print(answer.code, answer.body)
    answer = await client.fetch(f"http://127.0.0.1:{port}/hello/ann", method="POST", body=b"b" * 200_000)
    print(answer.code, answer.body)
    try:
        await client.fetch(f"http://127.0.0.1:{port}/none")
    except tornado.httpclient.HTTPClientError as reason:
        print(reason)


asyncio.run(run_server() if sys.argv[1] == "serve" else ask(sys.argv[2]))
