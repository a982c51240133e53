"""The file of one tile, open for reading. Nothing of it is believed
before its checksum was compared.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np

from data.tiles.blocks import Array
from data.tiles.file_map import FileBytes, FileCut, copied
from data.tiles.format import (
    BLOCK_SUMS,
    HEADER_BYTES,
    TIME_BYTES,
    VALUE_BYTES,
    Summaries,
    TileEntry,
    checksum,
    flag_sums,
    parse_header,
    row_sums,
    rows_bytes,
)
from errors import TileDamaged

_PIECE_BYTES = 4_000_000

State = tuple[int, int, int]
OnDamage = Callable[["Tile"], None]


class Tile:
    """One month of one series. Threads may share it.

    ``times_at``, ``values_at``, ``flags_at``, ``ends_at`` (the file): addresses in memory, to be
    read by :func:`data.tiles.file_map.copied` alone. Whoever finds that it is damaged raises what
    :meth:`damage` returns, which tells ``on_damage`` first.
    """

    def __init__(self, path: str, entry: TileEntry, version: int, data: FileBytes, state: State | None) -> None:
        self.entry = entry
        self.path = path
        self.version = version
        self.on_damage: OnDamage = lambda _: None
        self._data, self._state = data, state
        self._summaries: Array | None = None
        self.was_removed = False
        self.times_at = data.address + HEADER_BYTES
        self.values_at = self.times_at + TIME_BYTES * entry.blocks
        self.flags_at = self.values_at + VALUE_BYTES * entry.blocks
        self.ends_at = data.address + data.length

    @property
    def is_current(self) -> bool:
        """Return whether the file is still there under its name, as it was when it was opened."""
        return self._state is None or _state_of(self.path) == self._state

    def summaries(self) -> Summaries:
        """Return the summaries of the tile's blocks.

        Raises:
            TileDamaged: it does not, or was cut short or removed meanwhile.
        """
        begin = HEADER_BYTES + rows_bytes(self.entry)
        read, self._summaries = self._summaries, None  # wanted once, as a rule
        data = self._read(begin, self.entry.bytes - begin) if read is None else read
        if self.version >= BLOCK_SUMS and checksum(data) != self.entry.crc:
            raise self.damage(TileDamaged("The tile {path} fails the checksum of its summaries.", path=self.path))
        return Summaries(self.entry, self.version, data)

    def read_summaries(self, file: BinaryIO) -> None:
        """Read them from the open file: they are wanted next,
        and page by page from the map it would take longer.
        """
        file.seek(HEADER_BYTES + rows_bytes(self.entry))
        data = np.frombuffer(file.read(), np.uint8)
        self._summaries = data if len(data) == self.entry.bytes - HEADER_BYTES - rows_bytes(self.entry) else None

    def refuse_cut(self) -> None:
        """Raise TileDamaged when the file was cut short; to be called after copying rows."""
        try:
            self._data.refuse_cut()
        except FileCut as exc:
            raise self.cut() from exc

    def refuse_damage(self) -> None:
        """Compare every byte with its checksum; raises TileDamaged."""
        if self.version < BLOCK_SUMS:
            crc = 0
            for at in range(HEADER_BYTES, self.entry.bytes, _PIECE_BYTES):
                crc = checksum(self._read(at, min(_PIECE_BYTES, self.entry.bytes - at)), crc)
            if crc != self.entry.crc:
                raise self.damage(TileDamaged("The tile {path} fails its checksum.", path=self.path))
            return
        sums, (times, values, flags) = self.summaries(), self.columns()
        if (row_sums(times, values) != sums["row_sums"]).any() or (flag_sums(flags) != sums["flag_sums"]).any():
            raise self.rows_damaged()

    def columns(self) -> tuple[Array, Array, Array]:
        """Times, values and flags, [blocks, 256] each, unchecked."""
        blocks, rows = self.entry.blocks, self._read(HEADER_BYTES, rows_bytes(self.entry))
        ends = TIME_BYTES * blocks, (TIME_BYTES + VALUE_BYTES) * blocks
        times, values, flags = rows[: ends[0]].view("<i8"), rows[ends[0] : ends[1]].view("<f8"), rows[ends[1] :]
        return times.reshape(blocks, -1), values.reshape(blocks, -1), flags.reshape(blocks, -1)

    def cut(self) -> TileDamaged:
        """Return the error of a file that is shorter than it was."""
        return self.damage(TileDamaged("The tile {path} was cut short, or removed, while it was read.", path=self.path))

    def rows_damaged(self) -> TileDamaged:
        """Return the error of a block whose checksum is wrong."""
        return self.damage(TileDamaged("The tile {path} fails the checksum of its rows.", path=self.path))

    def damage(self, error: TileDamaged) -> TileDamaged:
        """Report the damage, set ``was_removed`` (the file is no longer there under its name),
        and return the error.
        """
        found = _state_of(self.path)
        self.was_removed = self._state is not None and (found is None or found[0] != self._state[0])
        self.on_damage(self)
        return error

    def _read(self, begin: int, length: int) -> Array:
        try:
            if begin + length > self._data.length:
                raise FileCut
            (data,) = copied((np.array([self._data.address + begin]), length))
            self._data.refuse_cut()
        except FileCut as exc:
            raise self.cut() from exc
        return data


def open_tile(path: str, *, mapped: bool = True, on_damage: OnDamage = lambda _: None) -> Tile:
    """A tile of a file: mapped into memory (right on local disks only), else read whole.

    Raises:
        TileDamaged: header or length are wrong; of the first version,
            which has one checksum for all, anything.
        FileNotFoundError: there is no such file.
    """
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - thousands for one view
        found = os.fstat(file.fileno())
        entry, version = parse_header(file.read(HEADER_BYTES), found.st_size, path)
        file.seek(0)
        try:
            data = FileBytes(file, mapped=mapped)
        except FileCut as exc:
            raise TileDamaged("The tile {path} was cut short, or removed, while it was read.", path=path) from exc
        state = (found.st_ino, found.st_size, found.st_mtime_ns) if mapped else None
        tile = Tile(path, entry, version, data, state)
        if data.length != entry.bytes:
            raise tile.cut()
        if mapped:
            tile.read_summaries(file)
    if version < BLOCK_SUMS:
        tile.refuse_damage()
    tile.on_damage = on_damage  # from now on
    return tile


def verify_tile(path: Path) -> TileEntry:
    """Check everything: the header, the length, the checksum of all bytes, and that times increase.

    Raises:
        TileDamaged: saying what is wrong.
        FileNotFoundError: there is no such file.
    """
    tile = open_tile(str(path), mapped=False)
    tile.refuse_damage()
    times = tile.columns()[0].reshape(-1)[: tile.entry.rows]
    if not (times[1:] > times[:-1]).all():
        raise TileDamaged("The tile {path} is not sorted.", path=path)
    return tile.entry


def _state_of(path: str) -> State | None:
    """What changes when a file is written, cut or replaced; None when it is gone."""
    try:
        found = os.stat(path)  # noqa: PTH116 - thousands of them for one view
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
