"""A view against those of other libraries that draw long series with Plotly, in the same run:
the same rows and windows, taking turns.

Times are those of the processor, all threads together, since the web process shares its cores.
Theirs are in memory, sorted and known to be; ours come from tiles.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.measurement import Measurement
from benchmarks.peer_views import FLEXVIZ_POINTS, RESAMPLER_POINTS
from benchmarks.processor_time import in_turns, once_ms
from benchmarks.tile_site import TileSite
from benchmarks.view import PARTS, SENSORS, STATION, TEN_YEARS_MS, WIDTH_PX, make_tiles, part_of, view_json
from data.request import HistoryRequest
from data.tiles.tile_store import SeriesKey

ROOT = Path(__file__).resolve().parent.parent
PYTHON = ROOT / ".venv-peers" / "bin" / "python"  # make bench puts it there
ROWS, ROUNDS = 10_000_000, 9
LIMIT = 0.2
POINTS = {"plotly-resampler": RESAMPLER_POINTS, "flexviz": FLEXVIZ_POINTS}
_LEAST_OF_POINTS = 0.9  # of those asked for: a library may leave a bucket empty
_BESIDE = 2  # rows at the edges of a window, which may be drawn as well


@dataclass(frozen=True)
class Peer:
    """A library beside ours, in a process of its own that answers zooms."""

    name: str
    process: subprocess.Popen[str]

    def zoom(self, start_ms: int, end_ms: int, rows: int) -> dict[str, Any]:
        """Return what it took, and what was drawn (benchmarks/peer_views.py), of a window with so
        many rows a series.

        Raises:
            RuntimeError: it ended, or did not draw the window in as many points as it should.
        """
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{start_ms} {end_ms}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended with {self.process.wait()}.")
        answer: dict[str, Any] = json.loads(line)
        points = min(POINTS[self.name], rows)
        if not _is_reduced(answer, points, start_ms, end_ms):
            raise RuntimeError(f"{self.name} did not draw {start_ms} … {end_ms} in {points} points a series: {answer}")
        return answer


def measure(quick: bool) -> Iterator[Measurement]:
    """The rows of the table that are about other libraries."""
    if not PYTHON.exists():
        raise RuntimeError(f"{PYTHON} is missing, which has the other libraries: `make bench` installs it.")
    rows = ROWS // 100 if quick else ROWS
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        site, request = make_tiles(Path(folder) / "tiles", rows, TEN_YEARS_MS / rows)
        _save_rows(site, request, Path(folder))
        peers = [stack.enter_context(_started(name, Path(folder))) for name in POINTS]
        for part in PARTS:
            yield _compared(site, request, part, int(rows * part), peers)


def _save_rows(site: TileSite, request: HistoryRequest, folder: Path) -> None:
    """Save the rows that are drawn, as the other libraries read them."""
    values = []
    for sensor in SENSORS:
        times, numbers, flags = site.tiles.open_series(SeriesKey("own", STATION, sensor), request.start_ms, request.end_ms).read()
        values.append(np.where(flags == 0, numbers, np.nan))
    np.save(folder / "times.npy", times)
    np.save(folder / "values.npy", np.stack(values))


@contextmanager
def _started(name: str, folder: Path) -> Iterator[Peer]:
    command = [str(PYTHON), "-m", "benchmarks.peer_views", name, str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Peer(name, process)
        finally:
            process.kill()


def _is_reduced(answer: dict[str, Any], points: int, start_ms: int, end_ms: int) -> bool:
    """Whether a window was drawn from edge to edge, to a tenth, and in about so many points."""
    inner = (end_ms - start_ms) / 10
    ends = all(start_ms <= first <= start_ms + inner and end_ms - inner <= last <= end_ms for first, last in answer["ends_ms"])
    enough = [_LEAST_OF_POINTS * points <= drawn <= points + _BESIDE for drawn in answer["points"]]
    return ends and enough == [True] * len(SENSORS)


def _compared(site: TileSite, request: HistoryRequest, part: float, rows: int, peers: list[Peer]) -> Measurement:
    """A window in all ways, in turns; the first round does not count."""
    window = part_of(request, part)
    zooms = [partial(peer.zoom, *window, rows) for peer in peers]
    runs: list[Callable[[], Any]] = [partial(once_ms, partial(view_json, site, request, *window)), *zooms]
    ours, *theirs = in_turns(runs, ROUNDS)
    names = [peer.name for peer in peers]
    middle, clock = (
        {name: median(one[which] for one in found) for name, found in zip(names, theirs, strict=True)}
        for which in ("processor_ms", "clock_ms")
    )
    told = ", ".join(f"{name} {middle[name]:.1f} ms ({clock[name]:.1f} by the clock, {POINTS[name]:,} points)" for name in middle)
    note = f"{median(ours):.1f} ms; {told}; {len(SENSORS)} series, {WIDTH_PX} px"
    ratio = median(ours) / min(middle.values())
    return Measurement(f"view of {part:.0%} of the range against the better peer", ratio, "×", LIMIT, note=note)
