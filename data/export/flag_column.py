"""The column of flags: which readings of a row are flagged, by what, and how surely; which were
corrected, and of which no rule has been asked yet.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.arrays import Bools, Integers
from data.decision import CORRECTIONS
from data.export.rows import Piece
from data.export_names import export_names
from data.flag_layer import FlagLayer, within
from data.flag_names import BY_HAND, FLAG_NAMES, unpacked
from data.overlay import flag_layer
from data.readings import FLAG_RANGE, FLAG_SOURCE
from data.request import HistoryRequest
from data.site_like import SiteLike
from data.time.months import month_of, month_start_ms

_KINDS = ("csv", "parquet", "arrow", "json")
_OF_THE_TILE = ("range hard", "source hard")
_BETWEEN = "; "
_SEVERITIES = ("suspect", "hard")
_BY_PEOPLE = tuple("" if rule == BY_HAND else " by hand" for rule in FLAG_NAMES)
_WORDS = (
    "",
    *_OF_THE_TILE,
    *(
        f"{rule} {severity}{by}"
        for rule, hand in zip(FLAG_NAMES, _BY_PEOPLE, strict=True)
        for by in ("", hand)
        for severity in _SEVERITIES
    ),
)
_CORRECTED = ("", *("filled" if kind == "fill" else f"{kind} corrected" for kind in CORRECTIONS))
_UNCHECKED = ("", "unchecked")


def has_flag_column(kind: str, request: HistoryRequest, *, asked: bool) -> bool:
    """Return whether rows in a file of a format end with a column of flags where it is asked for:
    those of observations; a NetCDF file has a variable of flags beside each sensor's instead.
    """
    return asked and kind in _KINDS and request.resolution == "raw"


def flag_column(site: SiteLike, request: HistoryRequest, piece: Piece) -> Any:
    """Return texts such as ``temperature spike hard; humidity offset corrected``, one a row, empty
    where nothing is flagged or corrected. Rules are told whether their flags count or not, but not
    of readings that the rows do not have, since nothing is corrected in them. ``temperature
    unchecked`` are readings of months whose flags are still to be made, or made anew.

    Raises:
        TileDamaged: a tile is damaged, or was removed meanwhile.
    """
    columns = []
    shown = export_names(site.catalogue, request.sensors)
    for name, told, values, flags in zip(request.sensors, shown, piece.values, piece.flags, strict=True):
        code = np.where(flags & FLAG_RANGE, 1, np.where(flags & FLAG_SOURCE, 2, 0)).astype(np.int64)
        layer = flag_layer(site, piece.station, name) if len(piece.times) else None
        if layer is not None:
            changed = _corrected(layer, piece) if layer.decisions else np.zeros(len(piece.times), np.int64)
            is_measured = site.flags == "none"
            _add_rules(layer, piece, code, changed > 0 if is_measured else np.zeros(len(code), bool))
            if changed.any() and not is_measured:
                columns.append(_words(told, _CORRECTED, changed))
            unchecked = _unchecked(layer, piece) & np.isfinite(values)
            if unchecked.any():
                columns.append(_words(told, _UNCHECKED, unchecked.astype(np.int64)))
        columns.append(_words(told, _WORDS, code))
    return pc.utf8_slice_codeunits(pc.binary_join_element_wise(*columns, ""), len(_BETWEEN))


def corrected_sensors(site: SiteLike, request: HistoryRequest) -> tuple[str, ...]:
    """Return the sensors of a request of whose observations people corrected any, where that
    counts; none of a request for steps.
    """
    if request.resolution != "raw" or site.flags == "none":
        return ()
    return tuple(name for name in request.sensors if any(_is_corrected(site, request, each, name) for each in request.stations))


def _is_corrected(site: SiteLike, request: HistoryRequest, station: str, sensor: str) -> bool:
    made = (one for one in site.decisions(station, sensor) if one.kind in CORRECTIONS)
    return any(one.touched_ms[0] <= request.end_ms and one.touched_ms[1] >= request.start_ms for one in made)


def correction_kinds(site: SiteLike, piece: Piece, sensor: str) -> Integers:
    """Return for each row how its reading of a sensor was corrected: 1 + the place of the kind in
    CORRECTIONS; 0 of what is as it was measured, and of all where no decision counts.

    Raises:
        TileDamaged: as :func:`flag_column`.
    """
    layer = flag_layer(site, piece.station, sensor) if site.flags != "none" and len(piece.times) else None
    if layer is None or not layer.decisions:
        return np.zeros(len(piece.times), np.int64)
    return _corrected(layer, piece)


def _unchecked(layer: FlagLayer, piece: Piece) -> Bools:
    """Return which rows are stamped in months whose flags are not those of today."""
    start_ms, end_ms = _span(piece)
    months = range(month_of(start_ms), month_of(end_ms - 1) + 1)
    base = within(layer.entries(), months)
    lacking = base.keys() - layer.months(base)
    found = np.zeros(len(piece.times), bool)
    for month in lacking:
        first, stop = np.searchsorted(piece.times, [month_start_ms(month), month_start_ms(month + 1)])
        found[first:stop] = True
    return found


def _words(told: str, words: tuple[str, ...], code: Integers) -> Any:
    return pa.array([each and f"{_BETWEEN}{told} {each}" for each in words], pa.string()).take(pa.array(code))


def _add_rules(layer: FlagLayer, piece: Piece, code: Integers, left_out: Bools) -> None:
    times, values, hard = layer.open(*_span(piece)).read()
    at, there = _found(piece.times, times)
    place, decision = unpacked(values[there])
    told = 1 + len(_OF_THE_TILE) + 4 * place + 2 * (decision > 0) + hard[there]
    code[at] = np.where(left_out[at], code[at], told)


def _corrected(layer: FlagLayer, piece: Piece) -> Integers:
    """Return the place in _CORRECTED for each row."""
    found = np.zeros(len(piece.times), np.int64)
    places = {one.number: 1 + CORRECTIONS.index(one.kind) for one in layer.decisions if one.kind in CORRECTIONS}
    times, numbers, _ = layer.open_corrected(*_span(piece)).read()
    at, there = _found(piece.times, times)
    found[at] = [places.get(number, 0) for number in numbers[there].astype(np.int64).tolist()]
    return found


def _span(piece: Piece) -> tuple[int, int]:
    return int(piece.times[0]), int(piece.times[-1]) + 1


def _found(rows: Integers, times: Integers) -> tuple[Integers, Bools]:
    """Return the rows of some stamps, and which of these have one."""
    at = np.minimum(np.searchsorted(rows, times), len(rows) - 1)
    there = rows[at] == times
    return at[there], there
