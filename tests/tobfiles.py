"""Campbell's binary tables, written byte by byte as LoggerNet's manual lays them out."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import datetime

STAMP = 24_405
EMPTY, MINOR = 0x4000, 0x8000

Field = tuple[str, str, str]  # name, unit, type


def seconds(text: str) -> int:
    """Campbell's seconds of a logger's clock: since 1990."""
    return int((datetime.fromisoformat(text) - datetime.fromisoformat("1990-01-01")).total_seconds())


def fp2(value: float, places: int) -> bytes:
    digits = round(abs(value) * 10**places)
    return struct.pack(">H", (value < 0) << 15 | places << 13 | digits)


def _lines(*lines: Sequence[str]) -> bytes:
    return b"".join(",".join(f'"{cell}"' for cell in line).encode() + b"\r\n" for line in lines)


def _described(fields: Sequence[Field]) -> list[list[str]]:
    names, units, types = (list(part) for part in zip(*fields, strict=True))
    return [names, units, ["Smp"] * len(names), types]


def tob1(fields: Sequence[Field], *records: bytes, station: str = "HillTop") -> bytes:
    environment = ("TOB1", station, "CR1000", "12345", "CR1000.Std.32", "CPU:met.CR1", "4711", "Ten")
    return _lines(environment, *_described(fields)) + b"".join(records)


def tob3_header(fields: Sequence[Field], *, frame_bytes: int, interval: str = "10 MIN", kind: str = "TOB3") -> bytes:
    environment = (kind, "HillTop", "CR1000", "12345", "CR1000.Std.32", "CPU:met.CR1", "4711", "2023-05-01 00:00:00")
    table = ("Ten", interval, str(frame_bytes), "1000", str(STAMP), "Sec100Usec", "         0", "         0", "0730014788")
    return _lines(environment, table, *_described(fields))


def footer(size: int = 0, flags: int = 0, stamp: int = STAMP) -> bytes:
    return struct.pack("<I", stamp << 16 | flags | size)


def start(time: str, number: int, subseconds: int = 0) -> bytes:
    return struct.pack("<III", seconds(time), subseconds, number)


def frame(time: str, number: int, *records: bytes, stamp: int = STAMP) -> bytes:
    return start(time, number) + b"".join(records) + footer(stamp=stamp)


def minor_frame(time: str, number: int, *records: bytes, stamp: int = STAMP) -> bytes:
    body = start(time, number) + b"".join(records)
    return body + footer(len(body) + 4, MINOR, stamp)


def empty_minor_frame(size: int, stamp: int = STAMP) -> bytes:
    return bytes(size - 4) + footer(size, MINOR | EMPTY, stamp)
