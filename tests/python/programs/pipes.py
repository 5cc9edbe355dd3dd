"""Standard input and output as pipes of the loop, whose protocols change on the way. It reads lines until the end."""

import asyncio
import sys


class Reading(asyncio.Protocol):
    """Keeps what arrives in `received`; `ended` is set at the end."""

    def __init__(self, paused=False):
        self.paused = paused
        self.received = bytearray()
        self.ended = asyncio.get_running_loop().create_future()
        self.said = []

    def connection_made(self, transport):
        self.said.append("made")
        if self.paused:
            transport.pause_reading()

    def data_received(self, data):
        self.received += data

    def eof_received(self):
        self.said.append("end")

    def connection_lost(self, reason):
        self.ended.set_result(reason)


async def main():
    loop = asyncio.get_running_loop()
    first, second, last = Reading(paused=True), Reading(), Reading()
    reading, protocol = await loop.connect_read_pipe(lambda: first, sys.stdin)
    said = [protocol is first, reading.get_protocol() is first, reading.get_extra_info("pipe") is sys.stdin]
    reading.set_protocol(second)
    said += [reading.get_protocol() is second, reading.is_closing(), reading.is_reading()]
    reading.resume_reading()
    said += [reading.is_reading(), await second.ended, reading.is_closing(), reading.is_reading()]
    writing, first_writer = await loop.connect_write_pipe(Reading, sys.stdout)
    said += [writing.get_extra_info("pipe") is sys.stdout, writing.get_protocol() is first_writer, writing.can_write_eof()]
    writing.set_protocol(last)
    said += [writing.get_protocol() is last, writing.is_closing(), first.received, first.said, second.said, first_writer.said]
    writing.write(bytes(second.received).upper() + f"{said}\n".encode())
    writing.close()
    assert writing.is_closing()
    assert (await last.ended, writing.get_write_buffer_size(), last.said) == (None, 0, [])


asyncio.run(main())
