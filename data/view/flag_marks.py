"""What the rules of quality control found in a window: counts, and where suspect readings are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from data.flag_layer import within
from data.overlay import flag_layer
from data.range_rows import lag_ms
from data.request import HistoryRequest
from data.site_like import SiteLike
from data.time.months import months_between
from data.view.records import FlagMarks
from data.view.reduce import cut
from data.view.window import Window

_PIXELS = 4  # of a mark: narrower ones are not seen


def flag_marks(site: SiteLike, request: HistoryRequest, station: str, name: str, window: Window) -> FlagMarks | None:
    """Return what was found in a window of a series; None where no rule's flags count, or only
    whole steps may be seen.

    Raises:
        TileDamaged: a tile of flags is damaged; it is out of the index then.
    """
    layer = None if site.flags == "none" or site.floor != "raw" else flag_layer(site, station, name)
    start, end = max(window.start_ms, request.start_ms), min(window.end_ms, request.end_ms)
    if layer is None or start >= end:
        return None
    lag = lag_ms(site.catalogue[name])
    months = months_between(start + lag, end + lag)
    base = within(layer.entries(), months)
    made = layer.months(base)
    found = [site.tiles.entries(layer.key)[month] for month in made]
    nothing = FlagMarks(station, name, 0, 0, np.empty(0), np.empty(0), unmade=len(made) < len(base))
    if not any(entry.rows for entry in found):
        return nothing
    is_marked = site.flags == "hard" and any(entry.rows > entry.flagged for entry in found)
    edges = replace(window, start_ms=start, end_ms=end).edges(_PIXELS) if is_marked else np.array([start, end], np.int64)
    columns = cut(layer.open(start, end, lag_ms=lag), edges).columns("good", want=())
    hard, total = int(columns.flagged.sum()), int(columns.total.sum())
    if not is_marked:
        return replace(nothing, left_out=total)
    marked = np.diff((columns.total > columns.flagged).astype(np.int8), prepend=0, append=0)
    begin, stop = (edges[np.flatnonzero(marked == side)].astype(np.float64) for side in (1, -1))
    return replace(nothing, left_out=hard, suspect=total - hard, start=begin, end=stop)
