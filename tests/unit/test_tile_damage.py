"""Nothing of a tile is believed that its checksum does not vouch for,
and no file that is cut or removed ends a reader.
"""

from __future__ import annotations

import os
import resource
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.tile_site import TileSite
from data.arrays import Integers
from data.catalogue import load_catalogue
from data.request import HistoryRequest
from data.tiles import block_rows, file_map, open_tiles
from data.tiles.blocks import Array
from data.tiles.format import BLOCK_BYTES, HEADER_BYTES, MAGIC, pack_entry, read_entry, row_sums
from data.tiles.series import Series
from data.tiles.tile_store import TileStore
from data.time.months import month_start_ms
from data.view.reduce import cut
from data.view.view_request import view_request
from errors import TileDamaged
from tests.processes import clean_forks
from tests.tiled import KEY, MARCH_2019, MINUTE, sensor_named, store_rows

TEMPERATURE = sensor_named("temperature")
MARCH, APRIL = 2019 * 12 + 2, 2019 * 12 + 3
ROWS = 5 * 256 + 17
TIMES = np.concatenate([month_start_ms(month) + np.arange(ROWS) * MINUTE for month in (MARCH, APRIL)])
VALUES = np.random.default_rng(3).normal(10, 5, 2 * ROWS)
VALUES[::300] = 999.0  # out of the valid range, so flagged
END = month_start_ms(APRIL + 1)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    store_rows(TileStore(tmp_path), TEMPERATURE, TIMES, VALUES)
    return tmp_path


def path_of(root: Path, month: str = "2019-03") -> Path:
    return next(TileStore(root).folder(KEY).glob(f"{month}*.tile"))


def read_all(series: Series) -> None:
    """Everything that a view, statistics or an export may read of a series."""
    series.read()
    for rows in ("good", "flagged", "all"):
        cut(series, np.linspace(MARCH_2019, END, 20).astype(np.int64)).columns(rows)


def open_march_and_april(store: TileStore) -> Series:
    return store.open_series(KEY, MARCH_2019, END)


def flip(path: Path, byte: int, bit: int) -> None:
    data = bytearray(path.read_bytes())
    data[byte] ^= 1 << bit
    path.write_bytes(data)


def places() -> Iterator[tuple[str, int]]:
    """Bytes of every section of a tile: of its first block, of its last, and any."""
    blocks = 6
    begins = {"header": 0, "times": HEADER_BYTES, "values": HEADER_BYTES + 2048 * blocks, "flags": HEADER_BYTES + 4096 * blocks}
    ends = [*list(begins.values())[1:], HEADER_BYTES + BLOCK_BYTES * blocks]
    random = np.random.default_rng(8)
    for (name, begin), end in zip(begins.items(), ends, strict=True):
        yield from ((name, at) for at in (begin, end - 1, *random.integers(begin, end, 3).tolist()))
    yield from (("summaries", -at) for at in (1, *random.integers(2, 58 * blocks, 10).tolist()))


@pytest.mark.parametrize("mapped", [True, False])
@pytest.mark.parametrize(("section", "byte"), [pytest.param(*place, id=f"{place[0]} {place[1]}") for place in places()])
def test_a_flipped_bit_anywhere_is_found_before_it_is_shown_and_the_month_is_read_again(
    root: Path, section: str, byte: int, mapped: bool
) -> None:
    flip(path_of(root), byte, byte % 8)
    store = TileStore(root, mapped=mapped)

    with pytest.raises(TileDamaged):
        read_all(open_march_and_april(store))

    assert sorted(store.entries(KEY)) == [APRIL]
    read_all(open_march_and_april(store))
    assert open_march_and_april(store).rows == ROWS


def test_a_view_leaves_a_damaged_month_out_and_does_not_call_it_there(root: Path) -> None:
    """The tile's first value, which is the first point of the line."""
    flip(path_of(root), HEADER_BYTES + 2048 * 6 + 6, 4)
    store = TileStore(root)
    request = HistoryRequest((KEY.station,), (KEY.sensor,), MARCH_2019, END)

    view = view_request(TileSite(store, load_catalogue()), request, MARCH_2019, END, 400)

    assert view.total_rows == ROWS
    assert view.series[0].x.min() >= month_start_ms(APRIL)
    assert sorted(store.entries(KEY)) == [APRIL]


def test_blocks_that_lie_together_are_copied_as_one_piece_and_rows_come_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    source, pieces = np.arange(4000, dtype=np.int64), list[list[int]]()
    write = file_map._write
    assert file_map.can_copy()  # which copies once to find out

    def counted(some: Integers, file: int) -> None:
        pieces.extend(some.tolist())
        write(some, file)

    monkeypatch.setattr(file_map, "_write", counted)
    monkeypatch.setattr(file_map, "_MOST_PIECES", 2)  # of one call
    numbers, begin = np.array([2, 3, 4, 9, 11, 12]), file_map.address_of(source)
    whole, halves = file_map.copied((begin + numbers * 800, 800), (begin + numbers[3:] * 800, 400))
    assert (whole.view(np.int64).reshape(-1, 100) == source.reshape(-1, 100)[numbers]).all()
    assert (halves.view(np.int64).reshape(-1, 50) == source.reshape(-1, 100)[numbers[3:], :50]).all()
    assert pieces == [
        *[[begin + first * 800, length] for first, length in ((2, 2400), (9, 800), (11, 1600))],
        *[[begin + number * 800, 400] for number in (9, 11, 12)],
    ]


def test_want_of_memory_is_no_damage(root: Path) -> None:
    store, series = TileStore(root), open_march_and_april(TileStore(root))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, limits[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            series.read()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert len(store.entries(KEY)) == 2


def test_a_block_is_compared_once_for_all_views_of_a_process(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, compared = TileStore(root), []

    def counted(times: Array, values: Array) -> Array:
        compared.append(len(times))
        return row_sums(times, values)

    monkeypatch.setattr(block_rows, "row_sums", counted)
    for _ in range(3):
        open_march_and_april(store).read()

    assert sum(compared) == 12


def test_a_tile_that_another_file_replaced_under_its_name_is_not_believed(root: Path) -> None:
    """As when a backup of another station is copied over it:
    whole, but not what the index names.
    """
    other = root / "other"
    store_rows(TileStore(other), TEMPERATURE, TIMES, VALUES + 1)
    store = TileStore(root)
    path_of(root).write_bytes(path_of(other).read_bytes())

    with pytest.raises(TileDamaged):
        open_march_and_april(store)

    assert sorted(store.entries(KEY)) == [APRIL]


def make_first_version(path: Path) -> None:
    """Write a tile as the first version had it: no checksums of blocks,
    one over all that follows the header.
    """
    entry, data = read_entry(path), path.read_bytes()
    sums = -(-4 * entry.blocks // 8) * 8
    body = data[HEADER_BYTES : len(data) - 2 * sums]
    old = replace(entry, crc=zlib.crc32(body), bytes=HEADER_BYTES + len(body))
    head = MAGIC + b"\x01" + struct.pack("<II", 256, HEADER_BYTES) + pack_entry(old)
    head = head.ljust(HEADER_BYTES - 4, b"\0")
    path.write_bytes(head + struct.pack("<I", zlib.crc32(head)) + body)


def test_tiles_of_the_first_version_are_read_as_they_are_and_checked_as_well(root: Path) -> None:
    before = open_march_and_april(TileStore(root)).read()
    for month in ("2019-03", "2019-04"):
        make_first_version(path_of(root, month))
    (TileStore(root).folder(KEY) / "index").write_bytes(b"")  # made again of its tiles

    store = TileStore(root)
    for found, expected in zip(open_march_and_april(store).read(), before, strict=True):
        np.testing.assert_array_equal(found, expected)
    read_all(open_march_and_april(store))
    assert store.verify() == (2, ())

    flip(path_of(root), HEADER_BYTES + 5000, 3)
    with pytest.raises(TileDamaged):
        open_march_and_april(TileStore(root))


def cut_to(path: Path, length: int) -> None:
    os.truncate(path, length)


def _read_when_told(root: Path, ready: Any, go: Any, found: Any) -> None:
    store = TileStore(root)
    series = open_march_and_april(store)
    ready.set()
    assert go.wait(60)
    try:
        series.read()
        found.put("whole")
    except TileDamaged as exc:
        found.put(exc.message)
    found.put(sorted(store.entries(KEY)))
    found.put(open_march_and_april(store).rows)


@pytest.mark.process
@pytest.mark.parametrize("length", [0, 100, 4096, 5000, HEADER_BYTES + 4 * BLOCK_BYTES])
def test_a_mapped_file_that_is_cut_short_does_not_end_the_process(root: Path, length: int) -> None:
    context = clean_forks()
    ready, go, found = context.Event(), context.Event(), context.Queue()
    process = context.Process(target=_read_when_told, args=(root, ready, go, found), daemon=True)
    process.start()
    assert ready.wait(60)
    cut_to(path_of(root), length)
    go.set()
    process.join(60)

    assert process.exitcode == 0
    assert "cut short, or removed" in found.get(timeout=10)
    assert found.get(timeout=10) == [APRIL]
    assert found.get(timeout=10) == ROWS


@pytest.mark.parametrize(("blocks", "end"), [(6, 0), (6, 1), (100, 0), (100, 1)])
def test_rows_in_what_is_left_of_the_page_of_a_cut_are_not_believed(tmp_path: Path, blocks: int, end: int) -> None:
    """They come as zeros, and were compared with their checksums before."""
    rows = blocks * 256
    store_rows(TileStore(tmp_path), TEMPERATURE, MARCH_2019 + np.arange(rows) * MINUTE, np.full(rows, 20.0))
    store = TileStore(tmp_path)
    series = open_march_and_april(store)
    series.read()
    ends = (HEADER_BYTES + 2048 * blocks, HEADER_BYTES + 4096 * blocks)
    cut_to(path_of(tmp_path), ends[end] - 8)

    with pytest.raises(TileDamaged, match="cut short"):
        series.read(MARCH_2019, MARCH_2019 + rows * MINUTE)

    assert store.entries(KEY) == {}


def _clear_again_and_again(root: Path, rounds: int) -> None:
    store = TileStore(root)
    for _ in range(rounds):
        store.clear()
        store_rows(store, TEMPERATURE, TIMES, VALUES)


@pytest.mark.process
def test_views_while_the_tiles_are_cleared_and_read_again_show_whole_months_or_none(root: Path) -> None:
    process = clean_forks().Process(target=_clear_again_and_again, args=(root, 60), daemon=True)
    process.start()
    site = TileSite(TileStore(root), load_catalogue())
    request = HistoryRequest((KEY.station,), (KEY.sensor,), MARCH_2019, END)
    seen = set()
    while process.is_alive():
        view = view_request(site, request, MARCH_2019, END, 100)
        assert view.statistics[0].rows == view.total_rows
        seen.add(view.total_rows)
    process.join(60)

    assert process.exitcode == 0
    assert seen <= {0, ROWS, 2 * ROWS}
    assert 2 * ROWS in seen


def deleted_bytes(pid: int, root: Path) -> int:
    """What removed tiles below a folder that a process has open still take on the disk."""
    total = 0
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            if ".tile" in link.readlink().name and link.readlink().is_relative_to(root):
                found = link.stat()
                total += found.st_blocks * 512 if found.st_nlink == 0 else 0
        except FileNotFoundError:
            continue
    return total


@pytest.mark.process
@pytest.mark.parametrize("remove", [TileStore.clear, TileStore.evict], ids=["clear", "evict"])
def test_what_is_removed_leaves_the_disk_at_once_though_a_process_has_it_open(
    root: Path, remove: Callable[[TileStore], int]
) -> None:
    context = clean_forks()
    ready, go, found = context.Event(), context.Event(), context.Queue()
    process = context.Process(target=_read_when_told, args=(root, ready, go, found), daemon=True)
    process.start()
    assert ready.wait(60)
    expected = sum(path.stat().st_size for path in root.rglob("*.tile"))

    assert remove(TileStore(root, 0)) == expected
    assert process.pid is not None
    assert deleted_bytes(process.pid, root) == 0
    assert list(root.rglob("*.tile")) == []

    go.set()
    process.join(60)
    assert process.exitcode == 0
    assert "removed" in found.get(timeout=10)


def test_a_backup_of_hard_links_is_left_as_it_is(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    backup = root / "backup"
    os.link(path_of(root), backup)
    before = backup.read_bytes()

    TileStore(root).clear()

    assert backup.read_bytes() == before


def test_a_month_that_was_replaced_is_let_go_by_who_had_it_open(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_tiles, "LET_GO_EVERY_S", 0.0)
    reader = TileStore(root)
    open_march_and_april(reader)
    store_rows(TileStore(root), TEMPERATURE, TIMES, VALUES + 1, generation=2)
    assert deleted_bytes(os.getpid(), root) > 0

    reader.open_series(KEY._replace(station="another"), MARCH_2019, END)

    assert deleted_bytes(os.getpid(), root) == 0


def test_where_memory_may_not_be_copied_files_are_read_whole(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a sandbox that forbids memfd_create."""
    expected = open_march_and_april(TileStore(root)).read()
    monkeypatch.setattr(file_map, "can_copy", lambda: False)
    monkeypatch.setattr(open_tiles, "can_copy", lambda: False)

    series = open_march_and_april(TileStore(root))
    cut_to(path_of(root), 0)

    for found, wanted in zip(series.read(), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)
