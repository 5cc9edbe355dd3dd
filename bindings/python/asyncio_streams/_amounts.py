"""Converts amounts for the component, whose integers have bounds: a number outside them would end the program."""

from __future__ import annotations

import math
import operator
from typing import Any

LARGEST_U32 = (1 << 32) - 1
# A duration of the component is an unsigned number; half of it is 292 years.
_LONGEST = (1 << 63) - 1


def nanoseconds(seconds: float, name: str) -> int:
    """Converts a duration. Negative ones are 0, and those too long to count, the longest.

    Raises ValueError for NaN, TypeError if it is no number.
    """
    if math.isnan(seconds):
        raise ValueError(f"{name} must be a number of seconds, not {seconds!r}")
    return int(max(0.0, min(seconds * 1e9, _LONGEST)))


def count(value: Any, least: int = 0) -> int:
    """Converts a number, which may be too small or too large.

    Raises TypeError if it is not whole.
    """
    return max(least, min(operator.index(value), LARGEST_U32))
