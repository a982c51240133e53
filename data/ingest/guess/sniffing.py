"""How a text file seems to be laid out: encoding, delimiter, header, units;
from its first megabyte, for first guesses.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from data.ingest.opening import opened
from errors import ImportRejected

BLANK = "blank"
_HEAD_BYTES = 1 << 20
_SAMPLE_ROWS = 400  # records that decide on delimiter and header
# of the second not every byte is a letter, of the third every one
_ENCODINGS = ("utf-8-sig", "cp1252", "latin-1")
_DELIMITERS = ("\t", ";", "|", ",", BLANK)  # a comma may be a decimal sign, a blank anything
_NUMBER = re.compile(r"[+-]?(\d[\d'’ .,]*|[.,]\d+)([eE][+-]?\d+)?(\s*\D{0,8})?")
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{8,14}|\d{1,2}[ -][A-Za-z]{3}")
_ANNOTATED = ("#group", "#datatype", "#default")  # what InfluxDB writes above each of its tables
_NO_VALUE = {"", "nan", "na", "n/a", "null", "none", "m", "-", "--", "---", "missing", "unavailable", "unknown", "t"}


@dataclass(frozen=True)
class Sniffed:
    """What a text file seems to be.

    ``comment``: with what lines begin that are annotations. ``skipped``: lines before the header,
    or before the data where there is none. ``header``: its records, of which ``names`` are made;
    none where there is no header. ``units``: a row of units beneath it. ``rows``: the first data,
    each as long as ``names``. ``longer``, ``shorter``: how many rows have more or fewer fields.
    """

    encoding: str
    delimiter: str
    skipped: int
    header: tuple[tuple[str, ...], ...]
    units: tuple[str, ...] | None
    names: tuple[str, ...]
    rows: list[list[str]]
    longer: int
    shorter: int
    comment: str | None = None


def sniff(path: Path) -> Sniffed:
    """Look at the first megabyte of a text file.

    Raises:
        ImportRejected: when no rows of one length are found in it.
    """
    with opened(path) as file:
        head = file.stream.read(_HEAD_BYTES)
    encoding, text = _decoded(head)
    if len(head) == _HEAD_BYTES:
        text = text[: text.rfind("\n") + 1]
    comment = "#" if text.startswith(_ANNOTATED) else None
    if comment:
        text = "".join("\n" if line.startswith(comment) else line for line in text.splitlines(keepends=True))
    delimiter = max(_DELIMITERS, key=lambda each: _delimiter_score(_records(text, each, _SAMPLE_ROWS)))
    records = _records(text, delimiter)
    width, data_at = _first_data(records, path)
    header_at, units = _header(records, data_at)
    names = tuple(" ".join(filter(None, cells)) for cells in zip(*_same_length(records, header_at, width), strict=True))
    if not header_at:
        names = tuple(f"column_{number + 1}" for number in range(width))
    header = records[header_at[-1]][0] if header_at else None
    rows = [
        [*cells[: len(names)], *[""] * (len(names) - len(cells))]
        for cells, _ in records[data_at:]
        if any(cells) and cells != header and not any(cells[len(names) :])
    ]
    first = header_at[0] if header_at else data_at
    lengths = [len(cells) for cells, _ in records[data_at:] if any(cells)]
    return Sniffed(
        encoding=encoding,
        delimiter=delimiter,
        comment=comment,
        skipped=records[first][1],
        header=tuple(tuple(records[at][0]) for at in header_at),
        units=units,
        names=names,
        rows=rows,
        longer=sum(length > len(names) for length in lengths),
        shorter=sum(length < len(names) for length in lengths),
    )


def _decoded(head: bytes) -> tuple[str, str]:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16", head[: len(head) // 2 * 2].decode("utf-16", "replace")
    for encoding in _ENCODINGS:
        try:
            return encoding.removesuffix("-sig"), head.decode(encoding)
        except UnicodeDecodeError as exc:
            # only the last character is cut
            if exc.start >= len(head) - 4 and len(head) == _HEAD_BYTES:
                return encoding.removesuffix("-sig"), head[: exc.start].decode(encoding)
    raise AssertionError("latin-1 reads every byte")


def _records(text: str, delimiter: str, limit: int | None = None) -> list[tuple[list[str], int]]:
    """Records with the number of lines before each."""
    found: list[tuple[list[str], int]] = []
    if delimiter == BLANK:
        lines = text.splitlines()[:limit]
        return [(line.split(), number) for number, line in enumerate(lines)]
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    before = 0
    try:
        for cells in reader:
            found.append(([" ".join(cell.split()) for cell in cells], before))
            before = reader.line_num
            if limit is not None and len(found) >= limit:
                break
    except csv.Error:  # a quote that never closes, or a NUL
        return found
    return found


def _delimiter_score(records: Sequence[tuple[list[str], int]]) -> tuple[float, int]:
    """How well a delimiter fits: the share of records of the usual length,
    where that is more than one.

    Of the later half: what stands before a table is laid out as it likes.
    """
    lengths = Counter(len(cells) for cells, _ in records[len(records) // 2 :] if any(cells))
    usual, count = max(lengths.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
    share = count / max(1, lengths.total())
    return (round(share, 1) if usual > 1 else 0.0, min(usual, 2))


def _first_data(records: Sequence[tuple[list[str], int]], path: Path) -> tuple[int, int]:
    """The usual number of fields, and which record is the first of data:
    after the last one that has words alone.
    """
    words = [at for at, (cells, _) in enumerate(records[:_SAMPLE_ROWS]) if _is_text(cells)]
    data = [(at, len(cells)) for at, (cells, _) in enumerate(records) if len(cells) > 1 and _is_data(cells)]
    last = max((at for at in words if any(later > at for later, _ in data)), default=-1)
    # a header may come again
    before = next((at for at in words if records[at][0] == records[last][0]), last)
    data = [(at, length) for at, length in data if at > before]
    if not data:
        raise ImportRejected("{file}: no rows with a time and values were found; expected a table of text.", file=path)
    lengths = Counter(length for _, length in data)
    first = next(at for at, (cells, _) in enumerate(records) if at > before and sum(map(bool, cells)) > 1)
    return max(lengths, key=lambda length: (lengths[length], length)), first


def _is_text(cells: Sequence[str]) -> bool:
    """Return whether cells are words alone, as those of a header or of units."""
    told = [cell for cell in cells if cell]
    words = [cell for cell in told if cell.lower() not in _NO_VALUE]
    return len(told) > 1 and bool(words) and not any(_NUMBER.fullmatch(cell) or _DATE.match(cell) for cell in told)


def _is_data(cells: Sequence[str]) -> bool:
    """Return whether cells are mostly numbers and times, and not names."""
    told = [cell for cell in cells if cell.lower() not in _NO_VALUE]
    numbers = [cell for cell in told if _NUMBER.fullmatch(cell) or _DATE.match(cell)]
    dated = len(told) > 1 and any(_DATE.match(cell) for cell in told)
    return dated or (len(numbers) >= 2 and len(numbers) * 5 >= len(told) * 2)


def _header(records: Sequence[tuple[list[str], int]], data_at: int) -> tuple[list[int], tuple[str, ...] | None]:
    """Which records are the header, and the units beneath it."""
    at = data_at - 1
    while at >= 0 and sum(map(bool, records[at][0])) <= 1:  # blank lines, lone comment signs
        at -= 1
    if at < 0:
        return [], None
    width = len(records[data_at][0])
    if not _may_be_header(records[at][0], width):
        return [], None
    above = at - 1
    if above >= 0 and _may_be_header(records[above][0], width):
        if _are_units(records[at][0]):
            return [above], tuple(records[at][0])
        # Names begun above go on below, where all columns have a name.
        if sum(map(bool, records[at][0])) > sum(map(bool, records[above][0])) and not records[above][0][0]:
            return [above, at], None
    return [at], None


def _may_be_header(cells: Sequence[str], width: int) -> bool:
    return abs(len(cells) - width) <= 2 and sum(map(bool, cells)) >= 2 and not _is_data(cells)


def _are_units(cells: Sequence[str]) -> bool:
    """Return whether cells are units or empty: short, and one at least a unit and no name."""
    from data.cells.sensor_synonyms import meaning

    told = [cell for cell in cells if cell]
    return all(len(cell) <= 20 for cell in told) and not any(meaning(cell) and len(cell) > 2 for cell in told) and len(told) > 0


def _same_length(records: Sequence[tuple[list[str], int]], header_at: Sequence[int], width: int) -> list[list[str]]:
    longest = max((len(records[at][0]) for at in header_at), default=width)
    return [[*records[at][0], *[""] * (longest - len(records[at][0]))] for at in header_at]
