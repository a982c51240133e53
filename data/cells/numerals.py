"""Numbers as people and loggers write them: signs for decimals and thousands,
and what is no number at all.
"""

from __future__ import annotations

import math
import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.arrays import Floats, Integers

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_INFINITE = re.compile(r"([+-]?)inf(inity)?", re.IGNORECASE)
# What stands for a sign that groups thousands: typographers have spaces
# and apostrophes of their own.
_GROUPING = {".": "[.]", ",": "[,]", " ": r"[ \x{a0}\x{2009}\x{202f}]", "'": "['’]"}


def parse_number(text: str) -> float | None:
    """The number that a text means; None when it means none."""
    text = text.strip()
    if _NUMBER.fullmatch(text):
        return float(text)
    infinite = _INFINITE.fullmatch(text)
    if infinite:
        return -math.inf if infinite.group(1) == "-" else math.inf
    return None


def widened(singles: pa.Array) -> Floats:
    """Singles as the shortest decimals that mean them, NaN for null: 22.2, not 22.200000762939453,
    so that a code of -99.9 is found among them, too.
    """
    encoded = singles.dictionary_encode()  # measurements repeat: each number is written out once
    written = pc.cast(pc.cast(encoded.dictionary, pa.string()), pa.float64())
    return np.array(written.take(encoded.indices).to_numpy(zero_copy_only=False), np.float64)


def _numeral(decimal: str, thousands: str | None) -> str:
    """A regular expression (RE2) of a number with these signs;
    groups are of three digits, so that 1.2 is never 12.
    """
    grouped = f"|[1-9][0-9]{{0,2}}(?:{_GROUPING[thousands]}[0-9]{{3}})+" if thousands else ""
    sign = f"[{decimal}]"
    return rf"^(?:[+-]?(?:(?:[0-9]+{grouped})(?:{sign}[0-9]*)?|{sign}[0-9]+)(?:[eE][+-]?[0-9]+)?|(?i:[+-]?inf(?:inity)?))$"


def standard_numerals(cells: pa.Array, decimal: str, thousands: str | None) -> tuple[pa.Array, Integers]:
    """Numbers as a computer writes them, of those written with other signs;
    and the positions of those that do not match.

    A number that does not match is ambiguous (1.013 where the comma is decimal) or none:
    it becomes null.
    """
    good = pc.match_substring_regex(cells, _numeral(decimal, thousands))
    wrong = np.flatnonzero(np.asarray(pc.equal(good, False).fill_null(False).to_numpy(zero_copy_only=False), np.bool_))
    cells = pc.if_else(good, cells, pa.scalar(None, pa.string()))
    if thousands is not None:
        cells = pc.replace_substring_regex(cells, _GROUPING[thousands], "")
    if decimal != ".":
        cells = pc.replace_substring(cells, decimal, ".")
    return cells, wrong
