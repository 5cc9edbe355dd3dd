# grpclib: one method, with a custom codec instead of protobuf.
import asyncio
import sys

from grpclib.client import Channel, UnaryUnaryMethod
from grpclib.const import Cardinality, Handler, Status
from grpclib.encoding.base import CodecBase
from grpclib.exceptions import GRPCError
from grpclib.server import Server


class Plain(CodecBase):
    __content_subtype__ = "plain"

    def encode(self, message, message_type):
        return message

    def decode(self, data, message_type):
        return data


class Upper:
    async def call(self, stream):
        message = await stream.recv_message()
        if not message:
            raise GRPCError(Status.INVALID_ARGUMENT, "empty")
        await stream.send_message(message.upper())

    def __mapping__(self):
        return {"/Upper/Call": Handler(self.call, Cardinality.UNARY_UNARY, bytes, bytes)}


async def run_server():
    server = Server([Upper()], codec=Plain())
    await server.start("127.0.0.1", 0)
    print(f"Serving on 127.0.0.1:{server._server.sockets[0].getsockname()[1]}", flush=True)
    await server.wait_closed()


async def ask(port):
    async with Channel("127.0.0.1", int(port), codec=Plain()) as channel:
        method = UnaryUnaryMethod(channel, "/Upper/Call", bytes, bytes)
        print(await method(b"hello"), len(await method(b"a" * 200_000)))
        try:
            await method(b"")
        except GRPCError as reason:
            print(reason.status, reason.message)


asyncio.run(run_server() if sys.argv[1] == "serve" else ask(sys.argv[2]))
