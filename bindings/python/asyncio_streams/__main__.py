"""`python -m asyncio_streams` is the command `asyncio-streams`."""

import sys

from ._command.main import main

sys.exit(main())
