"""Sends a request to a web server, and prints the headers of its answer.

    http_headers.py URL
"""

import asyncio
import sys
import urllib.parse


async def print_http_headers(url):
    url = urllib.parse.urlsplit(url)
    if url.scheme == "https":
        reader, writer = await asyncio.open_connection(url.hostname, url.port or 443, ssl=True)
    else:
        reader, writer = await asyncio.open_connection(url.hostname, url.port or 80)

    query = f"HEAD {url.path or '/'} HTTP/1.0\r\nHost: {url.hostname}\r\n\r\n"
    writer.write(query.encode("latin-1"))
    while line := await reader.readline():
        text = line.decode("latin-1").rstrip()
        if text:
            print(f"HTTP header> {text}")

    # A body is ignored.
    writer.close()
    await writer.wait_closed()


asyncio.run(print_http_headers(sys.argv[1]))
