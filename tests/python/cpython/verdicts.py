"""The output of `more_main.py`, `more_stock.py` and the like: a line for each test."""

import re


def verdicts(text):
    """The verdict of each test, by its name."""
    return dict(line.split(" ", 1) for line in text.splitlines() if re.match(r"\w+\.\w+(\[\S+\])? (ok|skipped|failed)", line))
