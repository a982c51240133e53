"""A PDF with its small objects packed: Chromium writes each cell's place in the order of reading
(what a screen reader goes by) as an object of plain text, which of a long report is four fifths
of the file. ISO 32000-1, 7.5.7 (object streams) and 7.5.8 (cross-reference streams).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

_TOGETHER: Final = 200  # objects in a stream: a reader unpacks all of it for one
_TABLE: Final = re.compile(rb"xref\s+0 (\d+)\s+")
_ENTRY: Final = 20  # bytes of a line of the table
_TRAILER: Final = re.compile(rb"trailer\s*<<(.*?)>>\s*startxref\s+(\d+)\s+%%EOF\s*$", re.DOTALL)
_SIZE: Final = re.compile(rb"/Size\s+\d+")
_OBJECT: Final = re.compile(rb"\d+ 0 obj\s*(.*?)\s*endobj\s*", re.DOTALL)
_HEADER: Final = b"%PDF-1.5\n%\xd3\xeb\xe9\xe1\n"


def packed(pdf: bytes) -> bytes:
    """Return the same document in fewer bytes; itself where it is written in another way than
    Chromium's, with one table of objects at its end.
    """
    trailer = _TRAILER.search(pdf)
    table = _TABLE.match(pdf, int(trailer[2])) if trailer else None
    if trailer is None or table is None:
        return pdf
    bodies = _bodies(pdf, table.end(), int(table[1]), int(trailer[2]))
    return pdf if bodies is None else _written(bodies, _SIZE.sub(b"", trailer[1]).strip())


def _bodies(pdf: bytes, at: int, number: int, end: int) -> Mapping[int, bytes] | None:
    """Return what each object is, by its number; None where one is not where the table says."""
    lines = {each: pdf[at + each * _ENTRY : at + (each + 1) * _ENTRY].split() for each in range(number)}
    places = sorted((int(line[0]), each) for each, line in lines.items() if line[2:] == [b"n"])
    found = {}
    for (start, each), (stop, _) in pairwise([*places, (end, 0)]):
        match = _OBJECT.fullmatch(pdf, start, stop)
        if match is None or not pdf.startswith(b"%d 0 obj" % each, start):
            return None
        found[each] = match[1]
    return found


def _written(bodies: Mapping[int, bytes], trailer: bytes) -> bytes:
    parts, size = [_HEADER], len(_HEADER)
    fresh = max(bodies, default=0) + 1  # the number of the next stream
    places: dict[int, tuple[int, int, int]] = {0: (0, 0, 65535)}  # kind, where, which

    def add(number: int, body: bytes) -> None:
        nonlocal size
        places[number] = (1, size, 0)
        parts.append(b"%d 0 obj\n%b\nendobj\n" % (number, body))
        size += len(parts[-1])

    for number, body in bodies.items():
        if body.endswith(b"endstream"):
            add(number, body)
    small = [number for number, body in bodies.items() if not body.endswith(b"endstream")]
    for some in (small[at : at + _TOGETHER] for at in range(0, len(small), _TOGETHER)):
        places |= {number: (2, fresh, place) for place, number in enumerate(some)}
        add(fresh, _object_stream(some, bodies))
        fresh += 1
    begin = size
    add(fresh, _cross_reference(places | {fresh: (1, size, 0)}, trailer))
    return b"".join([*parts, b"startxref\n%d\n%%%%EOF\n" % begin])


def _object_stream(numbers: Sequence[int], bodies: Mapping[int, bytes]) -> bytes:
    at, head = 0, []
    for number in numbers:
        head.append(b"%d %d" % (number, at))
        at += len(bodies[number]) + 1
    first = b" ".join(head) + b"\n"
    data = first + b"\n".join(bodies[number] for number in numbers)
    return _stream(b"/Type/ObjStm/N %d/First %d" % (len(numbers), len(first)), data)


def _cross_reference(places: Mapping[int, tuple[int, int, int]], trailer: bytes) -> bytes:
    number = max(places) + 1
    rows = (places.get(each, (0, 0, 0)) for each in range(number))
    data = b"".join(kind.to_bytes(1) + where.to_bytes(4) + which.to_bytes(2) for kind, where, which in rows)
    return _stream(b"/Type/XRef/Size %d/W[1 4 2]%b" % (number, trailer), data)


def _stream(entries: bytes, data: bytes) -> bytes:
    small = zlib.compress(data, 9)
    return b"<<%b/Filter/FlateDecode/Length %d>>stream\n%b\nendstream" % (entries, len(small), small)
