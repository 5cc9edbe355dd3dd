# dnspython: questions by UDP and TCP, and records of several types.
import asyncio
import sys

import dns.asyncquery
import dns.asyncresolver
import dns.message
import dns.rdataset


async def main():
    port = int(sys.argv[1])
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], port
    for kind in ("A", "AAAA", "MX", "TXT"):
        print(sorted(record.to_text() for record in await resolver.resolve("example.test", kind)))
    print(sorted(record.to_text() for record in await resolver.resolve("example.test", "A", tcp=True)))
    try:
        await resolver.resolve("none.test", "A")
    except dns.resolver.NXDOMAIN as reason:
        print(type(reason).__name__)
    answer = await dns.asyncquery.tcp(dns.message.make_query("example.test", "A"), "127.0.0.1", port=port, timeout=5)
    print(answer.rcode(), len(answer.answer))
    print(dns.rdataset.from_rdata(60, dns.rdata.from_wire("IN", "A", bytes([192, 0, 2, 1]), 0, 4))[0])


asyncio.run(main())
