"""A name server, for `servers.dns`: `dns_server.py PORT`."""

import sys

import servers

servers.run_dns(int(sys.argv[1]))
