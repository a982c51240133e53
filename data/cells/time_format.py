"""strptime's formats where they mislead: what is refused when a profile or mapping is read,
and cells made unambiguous.

strptime takes one digit for two (%H%M reads 100 as 10:00), does not heed the names of zones, and
fills in what a format lacks (the year 1900, morning) without a word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.arrays import Floats

ISO = "ISO8601"

_SAMPLE = datetime(2005, 11, 23, 17, 34, 56, tzinfo=UTC)
_TOKEN = re.compile(r"%.|\s+|[^%\s]", re.DOTALL)
_WIDTHS = {"Y": 4, "G": 4, "y": 2, "m": 2, "d": 2, "H": 2, "I": 2, "M": 2, "S": 2, "j": 3, "U": 2, "W": 2, "V": 2, "w": 1, "u": 1}
_ZONE = "[A-Za-z]+(?:[+-][0-9:]+)?"
_OTHERS = {
    "f": "[0-9]{1,9}",
    "p": r"[AaPp]\.?(?:[Mm]\.?)?",
    "z": r"(?:[Zz]|[+-][0-9]{2}:?[0-9]{2}(?::?[0-9]{2}(?:\.[0-9]+)?)?)",
    "Z": _ZONE,
    "%": "%",
    **dict.fromkeys("aAbB", r"\pL+\.?"),
}
_WITHIN_HOUR = {"%M", "%S", "%f"}
_KNOWN_ZONES = {"UTC": "+00:00", "GMT": "+00:00", "Z": "+00:00"}
_ISO_24 = r"^([0-9]{4}-?[0-9]{2}-?[0-9]{2}[T ])24((?::?00){0,2}(?:[.,]0+)?(?:[Zz]|[+-][0-9:]+)?)$"


def check_format(time_format: str) -> None:
    """Refuse a format that would be read wrongly without a word.

    Raises:
        ValueError: saying what to write.
    """
    if time_format == ISO:
        return
    try:
        read = datetime.strptime(_SAMPLE.strftime(time_format), time_format)  # noqa: DTZ007 - only the format is looked at
    except (ValueError, re.error) as exc:  # re.error: a directive twice
        raise ValueError(f"{exc}; expected ISO8601 or a strptime format such as %d/%m/%Y %H:%M") from exc
    given = set(re.findall(r"%(.)", time_format))
    if not given & set("YyGcx"):
        raise ValueError("without a year (%Y) every time would be of 1900; expected the year, too, perhaps of another column")
    if "I" in given and "p" not in given:
        raise ValueError("%I without %p takes every afternoon for a morning; expected %I with %p, or %H")
    if "p" in given and "I" not in given:
        raise ValueError("%p has no effect without %I; expected %I in place of %H")
    if given & set("UWV") and not given & set("aAwu"):
        raise ValueError("a week says nothing without a weekday (%u); expected the day, too")
    exact = {"S": 0, "M": 1, "H": 2, "I": 2}
    if given & set(exact):
        finest = 3 - min(exact[letter] for letter in given & set(exact))
        if read.timetuple()[: 3 + finest] != _SAMPLE.timetuple()[: 3 + finest]:
            raise ValueError("between the year and the smallest part one is lacking; expected such as %Y-%m-%d %H:%M")


class Format:
    """A strptime format that reads every cell as it is meant, or not at all.

    ``hour24``: hour 24 is the midnight at the end of the day. ``zones``: offsets (+07:00) of the
    words that %Z finds, besides UTC, GMT and Z.
    """

    def __init__(self, time_format: str, *, hour24: bool = False, zones: Mapping[str, str] | None = None) -> None:
        self.strptime = time_format.replace("%Z", "%z")
        self._tokens = _TOKEN.findall(time_format)
        packed = time_format != ISO and any(_packed(self._tokens, at) for at in range(len(self._tokens)))
        self._pattern = f"^{_regex(self._tokens)}$" if packed else None
        self._leap = _leap_pattern(self._tokens)
        self._zones = {word.lower(): offset for word, offset in {**_KNOWN_ZONES, **(zones or {})}.items()}
        self._midnight = self._midnight_pattern(time_format) if hour24 else None

    def prepare(self, cells: pa.Array) -> tuple[pa.Array, pa.Array | None]:
        """Cells as strptime reads them rightly, null where it would not;
        and which are of hour 24 (None: none is).

        ``cells`` are trimmed texts, null where empty.
        """
        if self._pattern is not None:
            cells = _only(cells, pc.match_substring_regex(cells, self._pattern))
        if self._leap is not None and pc.any(pc.match_substring_regex(cells, "6[01]")).as_py():
            cells = _only(cells, pc.invert(pc.match_substring_regex(cells, self._leap)))
        if "%p" in self._tokens:
            cells = pc.replace_substring_regex(cells, r"([0-9]\s*)([AaPp])\.?(?:[Mm]\.?)?", r"\1\2M")
        if "%Z" in self._tokens:
            cells = self._with_offsets(cells)
        if self._midnight is None:
            return cells, None
        at = pc.match_substring_regex(cells, self._midnight)
        # RE2's references have one digit
        return pc.replace_substring_regex(cells, self._midnight, r"\100\2"), at

    @property
    def packed(self) -> bool:
        """Return whether numbers stand side by side, so that each must have its full width."""
        return self._pattern is not None

    def days_of_year(self, cells: pa.Array) -> Floats | None:
        """The day of the year that cells tell, NaN where none does; None for a format without."""
        if "%j" not in self._tokens:
            return None
        at = self._tokens.index("%j")
        pattern = f"^{_regex(self._tokens, 0, at)}(?P<day>{_piece(self._tokens, at)}){_regex(self._tokens, at + 1)}$"
        days = pc.struct_field(pc.extract_regex(cells, pattern), "day").cast(pa.float64())
        return np.asarray(days.to_numpy(zero_copy_only=False), np.float64)

    def _with_offsets(self, cells: pa.Array) -> pa.Array:
        at = self._tokens.index("%Z")
        before, after = _regex(self._tokens, 0, at), _regex(self._tokens, at + 1)
        parts = pc.extract_regex(cells, f"^(?P<before>{before})(?P<word>{_ZONE})(?P<after>{after})$")
        words = pc.struct_field(parts, "word").dictionary_encode()
        offsets = pa.array([self._zones.get(word.lower()) for word in words.dictionary.to_pylist()], pa.string())
        found = offsets.take(words.indices)
        return pc.binary_join_element_wise(pc.struct_field(parts, "before"), found, pc.struct_field(parts, "after"), "")

    def _midnight_pattern(self, time_format: str) -> str:
        if time_format == ISO:
            return _ISO_24
        directives = _TOKEN.findall(self.strptime)  # words of zones have been replaced by then
        at = directives.index("%H")
        after = (
            _piece(directives, later).replace("[0-9]", "0" if directives[later] in _WITHIN_HOUR else "[0-9]")
            for later in range(at + 1, len(directives))
        )
        return f"^({_regex(directives, 0, at)})24({''.join(after)})$"


def _only(cells: pa.Array, good: pa.Array) -> pa.Array:
    return pc.if_else(good, cells, pa.scalar(None, pa.string()))


def _leap_pattern(tokens: list[str]) -> str | None:
    """Times of second 60 or 61, which strptime takes for the next minute's."""
    if "%S" not in tokens:
        return None
    at = tokens.index("%S")
    return f"^{_regex(tokens, 0, at)}6[01]{_regex(tokens, at + 1)}$"


def _packed(tokens: list[str], at: int) -> bool:
    """Return whether a number stands directly before or behind another,
    so that only its full width tells where it ends.
    """
    if tokens[at][0] != "%" or tokens[at][1] not in _WIDTHS:
        return False
    near = [tokens[n] for n in (at - 1, at + 1) if 0 <= n < len(tokens)]
    return any(token[-1] in {*_WIDTHS, "f"} if token[0] == "%" and len(token) > 1 else token.isdecimal() for token in near)


def _regex(tokens: list[str], start: int = 0, end: int | None = None) -> str:
    """Return the expression (RE2) of part of a format; lone numbers may lack leading zeros."""
    return "".join(_piece(tokens, at) for at in range(start, len(tokens) if end is None else end))


def _piece(tokens: list[str], at: int) -> str:
    token = tokens[at]
    if token.isspace():
        return r"\s+"
    if token[0] != "%" or len(token) == 1:
        return re.escape(token)
    width = _WIDTHS.get(token[1])
    if width is None:
        return _OTHERS.get(token[1], ".+")
    return f"[0-9]{{{width}}}" if _packed(tokens, at) else f"[0-9]{{1,{width}}}"
