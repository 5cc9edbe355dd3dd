# aiosmtpd as the server, aiosmtplib as the client.
import asyncio
import sys
from email.message import EmailMessage

import aiosmtplib
from aiosmtpd.smtp import SMTP


class Keeper:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        lines = envelope.content.count(b"\n")
        return f"250 kept {lines} lines for {len(envelope.rcpt_tos)}"


async def run_server():
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(Keeper(), hostname="test"), "127.0.0.1", 0)
    print(f"Serving on 127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


async def ask(port):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "ann@example.test", "bob@example.test", "Hällo"
    message.set_content("A line\n" * 1000)
    refused, said = await aiosmtplib.send(message, hostname="127.0.0.1", port=int(port))
    print(refused, said)
    try:
        await aiosmtplib.send(message, hostname="127.0.0.1", port=int(port), recipients=["nobody@example.test"])
    except aiosmtplib.SMTPRecipientsRefused as reason:
        print([(refusal.code, refusal.message) for refusal in reason.recipients])


asyncio.run(run_server() if sys.argv[1] == "serve" else ask(sys.argv[2]))
