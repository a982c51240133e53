"""One number, written by people or loggers."""

from __future__ import annotations

import math
import re

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_INFINITE = re.compile(r"([+-]?)inf(inity)?", re.IGNORECASE)


def parse_number(text: str) -> float | None:
    """The number that a text means; None when it means none."""
    text = text.strip()
    if _NUMBER.fullmatch(text):
        return float(text)
    infinite = _INFINITE.fullmatch(text)
    if infinite:
        return -math.inf if infinite.group(1) == "-" else math.inf
    return None
