"""Where data is when a window has none: the readings next to it, from tiles."""

from __future__ import annotations

from data.range_rows import open_observations
from data.request import HistoryRequest
from data.site_like import SiteLike
from data.view.lines import neighbours
from data.view.window import Window


def nearest_readings(site: SiteLike, request: HistoryRequest, start_ms: int, end_ms: int) -> tuple[int | None, int | None]:
    """Return the times, int ms UTC, of the last reading of a request before [start_ms, end_ms), and
    of the first at its end or later; None where there is none. Flagged readings count.

    Raises:
        TileDamaged: a tile is damaged; it is out of the index now.
    """
    window = Window(start_ms, end_ms, 1, request.timezone, include_flagged=True)
    found = [neighbours(open_observations(site, request, *series), window) for series in request.series]
    before = [round(sides[0][0]) for sides in found if sides[0] is not None]
    after = [round(sides[1][0]) for sides in found if sides[1] is not None]
    return max(before, default=None), min(after, default=None)
