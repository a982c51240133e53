"""Packing the objects of a PDF: what a reader finds by the new table is what was there."""

from __future__ import annotations

import re
import zlib

import pytest

from reports.packed_pdf import packed

OBJECTS = {
    1: b"<</Type /Catalog\n/Pages 2 0 R>>",
    2: b"<</Type /Pages\n/Kids [3 0 R]\n/Count 1>>",
    3: b"<</Type /Page\n/Parent 2 0 R\n/Contents 4 0 R>>",
    4: b"<</Length 9>> stream\nBT endobj\nendstream",
    **{number: b"<</Type /StructElem\n/S /TD\n/P %d 0 R>>" % (number - 1) for number in range(5, 450)},
}


def written(objects: dict[int, bytes]) -> bytes:
    """A PDF as Chromium writes one."""
    parts, places, size = [b"%PDF-1.4\n"], {}, 9
    for number, body in objects.items():
        places[number] = size
        parts.append(b"%d 0 obj\n%b\nendobj\n" % (number, body))
        size += len(parts[-1])
    lines = b"".join(b"%010d 00000 n \n" % places[number] for number in sorted(objects))
    table = b"xref\n0 %d\n0000000000 65535 f \n%b" % (len(objects) + 1, lines)
    return b"".join(parts) + table + b"trailer\n<</Size %d\n/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, size)


def stream_at(pdf: bytes, at: int) -> tuple[bytes, bytes]:
    """The entries and the data of a stream object at an offset."""
    match = re.compile(rb"\d+ 0 obj\n(<<.*?>>)stream\n", re.DOTALL).match(pdf, at)
    assert match
    length = int(re.search(rb"/Length (\d+)", match[1])[1])  # type: ignore[index]
    return match[1], zlib.decompress(pdf[match.end() : match.end() + length])


def found(pdf: bytes) -> dict[int, bytes]:
    """Every object, by the table of a PDF with streams of objects."""
    entries, data = stream_at(pdf, int(re.search(rb"startxref\n(\d+)\n%%EOF\n$", pdf)[1]))  # type: ignore[index]
    assert b"/Root 1 0 R" in entries
    rows = [
        (data[at], int.from_bytes(data[at + 1 : at + 5]), int.from_bytes(data[at + 5 : at + 7])) for at in range(0, len(data), 7)
    ]
    objects = {}
    for number, (kind, where, which) in enumerate(rows):
        if kind == 1:
            assert pdf.startswith(b"%d 0 obj" % number, where)
            objects[number] = pdf[where:].split(b"endobj\n\n")[0].split(b"\n", 1)[1]
        elif kind == 2:
            inside, text = stream_at(pdf, rows[where][1])
            first = int(re.search(rb"/First (\d+)", inside)[1])  # type: ignore[index]
            numbers = [int(word) for word in text[:first].split()]
            assert numbers[2 * which] == number
            starts = [*numbers[1::2], len(text) - first + 1]
            objects[number] = text[first + starts[which] : first + starts[which + 1] - 1]
    return objects


def test_every_object_is_found_as_it_was_and_the_file_is_smaller():
    pdf = written(OBJECTS)
    smaller = packed(pdf)
    objects = found(smaller)
    assert {number: objects[number] for number in OBJECTS if number != 4} == {n: body for n, body in OBJECTS.items() if n != 4}
    assert objects[4].startswith(OBJECTS[4])
    assert len(smaller) < len(pdf) / 5


@pytest.mark.parametrize(
    "broken", [b"", b"%PDF-1.4 cut", written(OBJECTS)[:-8], written(OBJECTS).replace(b"7 0 obj", b"8 0 obj", 1)]
)
def test_what_is_written_in_another_way_stays_as_it_is(broken):
    assert packed(broken) == broken
