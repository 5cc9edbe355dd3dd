"""`python -m asyncio_streams` is the command `asyncio-streams`."""

import sys

from ._command.start import main

sys.exit(main())
