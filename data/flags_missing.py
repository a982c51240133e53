"""Which flags of rules, and of what people decided, are still to be made, and what must be loaded
for them besides a request's own months: months around it from which readings are shifted into it,
and series that fill it (docs/decisions/0041). Told from the tiles' indices and the inventory
alone, so that a form may ask at every change.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from data.arrays import Bools, Integers
from data.derived_flags import DerivedFlags
from data.flag_choice import LEFT_OUT
from data.flag_layer import FlagLayer, OverlaidSeries
from data.load_plan import Plan, plan
from data.overlay import flag_layer
from data.request import HistoryRequest
from data.site import Site
from data.site_like import SiteLike
from data.tiles.index import Marks
from data.tiles.series import SeriesKey
from data.time.epoch import EARLIEST_MS, LATEST_MS
from data.time.months import month_name, month_start_ms, months_between
from errors import NoData, UnknownSensor, UnknownStation

_JOINED_MONTHS = 12  # apart at most: each request is planned by itself, which takes 4 ms


def flags_missing(site: SiteLike, request: HistoryRequest) -> set[int]:
    """Return months of a request of which a tile is there and its flags are not made, or not by
    today's rules and decisions.
    """
    return {month for months, _ in _unmade(site, request) for month in months.tolist()}


def rows_without_flags(site: SiteLike, request: HistoryRequest) -> int:
    """Return how many rows the tiles of :func:`flags_missing` have, one at least a month."""
    return sum(int(np.maximum(rows, 1).sum()) for _, rows in _unmade(site, request))


def unchecked_months(site: SiteLike, request: HistoryRequest) -> list[str]:
    """Return names of UTC months of :func:`flags_missing`, in order; none where no rule's flags
    count at the site.
    """
    return [] if site.flags == "none" else [month_name(month) for month in sorted(flags_missing(site, request))]


def months_with_flags(request: HistoryRequest) -> range:
    """Return the UTC months in which readings of a request may be stamped."""
    return months_between(request.start_ms, request.end_ms + 1)


def _unmade(site: SiteLike, request: HistoryRequest) -> Iterator[tuple[Integers, Integers]]:
    """Yield months, and the rows of their tiles, of each series of a request that has any."""
    wanted = months_with_flags(request)
    for series in request.series:
        layer = flag_layer(site, *series)
        months, rows = _unmade_of(layer)
        if len(months):
            first, stop = np.searchsorted(months, [wanted.start, wanted.stop])
            yield months[first:stop], rows[first:stop]


def _unmade_of(layer: FlagLayer) -> tuple[Integers, Integers]:
    """Return months and rows of all tiles of a series without flags; found out once for each state
    of the indices.
    """
    found = layer.tiles.told(
        layer.read_keys, layer.made_by, lambda: _without_decisions(layer) if layer.is_plain else _with_decisions(layer)
    )
    return found[0], found[1]


def _with_decisions(layer: FlagLayer) -> Integers:
    base = layer.entries()
    lacking = sorted(base.keys() - layer.months(base))
    return np.array([lacking, [base[month].rows for month in lacking]], np.int64)


def _without_decisions(layer: FlagLayer) -> Integers:
    """Return the same many times quicker: with arrays, and without an object for each tile."""
    base, made = layer.tiles.marks(layer.base), layer.tiles.read_marks(layer.key)
    wanted = layer.marks(base)
    lacking, at = _lacking(made, base.month, wanted)
    beside = (*(OverlaidSeries(layer, choice).key for choice in LEFT_OUT), layer.limits_key)
    for key, counted in zip(beside, (made.flagged, made.rows, made.rows), strict=True):
        needed = np.zeros(len(base.month), bool)
        needed[~lacking] = counted[at[~lacking]] > 0
        if needed.any():
            other = layer.tiles.read_marks(key)
            lacking |= needed & _lacking(other, base.month, wanted)[0]
    return np.array([base.month[lacking], base.rows[lacking]], np.int64)


def _lacking(marks: Marks, months: Integers, fingerprints: Integers) -> tuple[Bools, Integers]:
    """Return of which months no tile has the fingerprint, and where those of the others are."""
    if not len(marks.month):
        return np.ones(len(months), bool), np.zeros(len(months), np.int64)
    at = np.minimum(np.searchsorted(marks.month, months), len(marks.month) - 1)
    return (marks.month[at] != months) | (marks.fingerprint[at] != fingerprints), at


def requests_beside(site: SiteLike, request: HistoryRequest) -> list[HistoryRequest]:
    """Return requests for whole months of what decisions need, one for each run of months without
    a gap of a year; none where nobody decided so. Before them those of the inputs of derived series
    whose flags are to be made, and of what decisions about these need.
    """
    return [*_inputs_beside(site, request), *_decided_beside(site, request)]


def _inputs_beside(site: SiteLike, request: HistoryRequest) -> Iterator[HistoryRequest]:
    """Yield requests for the inputs of derived series, of the months whose flags are not made, and
    of what decisions about them need.
    """
    wanted = months_with_flags(request)
    for station, name in request.series:
        layer = flag_layer(site, station, name)
        if not isinstance(layer, DerivedFlags):
            continue
        unmade = [month for month in _unmade_of(layer)[0].tolist() if month in wanted]
        months = {each for month in unmade for each in layer.months_read(month)}
        reached = range(layer.months_read(wanted.start).start, wanted.stop)
        for each in layer.inputs:
            if each.decisions:
                yield from _decided_beside(site, _request(each.base, reached))
            yield from (_request(each.base, run) for run in _runs(months))


def _decided_beside(site: SiteLike, request: HistoryRequest) -> list[HistoryRequest]:
    """Return what decisions about the series of a request need."""
    wanted = months_with_flags(request)
    needed: dict[SeriesKey, set[int]] = {}
    for series in request.series:
        if not site.decisions(*series):
            continue
        layer = flag_layer(site, *series)
        for month in wanted:
            for key, months in layer.reads(layer.reach.of(month)):
                is_own = (key.station, key.sensor) in request.series
                needed.setdefault(key, set()).update(each for each in months if not is_own or each not in wanted)
    return [_request(key, run) for key, months in needed.items() for run in _runs(months)]


def plan_beside(site: Site, request: HistoryRequest, *, synced: bool = False) -> Plan | None:
    """Return what one of :func:`requests_beside` lacks (:func:`data.load_plan.plan`); None where
    nothing is known of it, as of a station that is there no more.
    """
    try:
        return plan(site, request, synced=synced)
    except (NoData, UnknownSensor, UnknownStation):
        return None


def rows_beside(site: Site, request: HistoryRequest) -> int:
    """Return how many rows of :func:`requests_beside` must be read, one at least where it is not
    known whether there are new ones.
    """
    plans = (plan_beside(site, one) for one in requests_beside(site, request))
    return sum(planned.rows_missing + planned.sync_due for planned in plans if planned is not None)


def _runs(months: set[int]) -> Iterator[range]:
    """Yield runs of months that have no gap of a year or more."""
    ordered = sorted(months)
    starts = [at for at, month in enumerate(ordered) if not at or month - ordered[at - 1] > _JOINED_MONTHS]
    stops = [*starts[1:], len(ordered)] if starts else []
    for start, stop in zip(starts, stops, strict=True):
        yield range(ordered[start], ordered[stop - 1] + 1)


def _request(key: SeriesKey, months: range) -> HistoryRequest:
    start, end = month_start_ms(months.start), month_start_ms(months.stop)
    return HistoryRequest((key.station,), (key.sensor,), max(start, EARLIEST_MS), min(end, LATEST_MS))
