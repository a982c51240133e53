"""LIKE's patterns of times that a column holds as text."""

from __future__ import annotations

import re
from datetime import datetime

from data.source.mapped.mapping import ISO


def month_patterns(time_format: str, month: int) -> list[str]:
    """LIKE's patterns of all texts of a month, which may be written with one digit or two,
    and of some others.
    """
    escaped = re.sub(r"(?<!%)([_!])", r"!\1", time_format)
    first = datetime(month // 12, month % 12 + 1, 1)  # noqa: DTZ001 - a month of the wall clock
    for directive in "Yyb":
        escaped = escaped.replace(f"%{directive}", first.strftime(f"%{directive}"))
    return [re.sub("%[a-zA-Z]", "%", escaped.replace("%m", number)) for number in (f"{first:%m}", str(first.month))]


def beginnings(time_format: str) -> tuple[str, ...]:
    """LIKE's patterns of texts that sort as time does:
    all digits of each number of the date, and of those beside them.
    """
    if time_format == ISO:
        return "____-__-__", "____-__-__ %", "____-__-__T%"
    day, hour, _rest = time_format.partition("%H")
    start, end = (time_format, "") if not hour or re.search("%[a-zA-Z]$", day) else (day, "%")
    digits = re.sub("%[mdHMS]", "__", re.sub(r"(?<!%)([_!])", r"!\1", start).replace("%Y", "____"))
    return (re.sub("%[a-zA-Z]", "%", digits) + end,)
