"""What may be seen through an embedded chart: what it shows, as far as its owner may embed it.
Pure: no database, no clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from glob import escape

from access.embeds.spec import EmbedSpec
from access.grants import Grant, Rights
from data.time.resolution import RESOLUTIONS


def shown_rights(spec: EmbedSpec, owner: Rights, now_ms: int) -> Rights:
    """Return the rights of a viewer of a chart: what it shows,
    as far as its owner may embed it now.

    A file of it may be had where the chart has controls and the owner may also export it.
    """
    reads = _reads(spec, owner)
    frames = [_frame(spec, *read, now_ms, owner.looks_back_ms(spec.request(now_ms))) for read in reads]
    may = replace(owner, grants=(), everything=False, shown=frozenset(spec.request(now_ms).series))
    if owner.everything:
        return replace(may, grants=tuple(replace(frame, may_export=spec.controls) for frame in frames))
    embed = [
        replace(cut, may_export=False)
        for frame, read in zip(frames, reads, strict=True)
        for cut in _cuts(frame, *read, (one for one in owner.grants if one.may_embed))
    ]
    if not spec.controls:
        return replace(may, grants=tuple(embed))
    allowed = [one for one in owner.grants if one.may_export]
    export = [cut for seen in embed for read in reads for cut in _cuts(seen, *read, allowed)]
    return replace(may, grants=(*embed, *(replace(cut, may_export=True) for cut in export)))


def _reads(spec: EmbedSpec, owner: Rights) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Return the stations and sensors that a chart is made of: its own, and for each other station
    that its formulas read what they read there.
    """
    pairs = dict.fromkeys(each for station in spec.stations for name in spec.sensors for each in owner.inputs(station, name))
    own = tuple(dict.fromkeys(name for station, name in pairs if station == spec.stations[0]))
    rest = [(station, name) for station, name in pairs if station not in spec.stations or name not in own]
    others = {station: tuple(name for at, name in rest if at == station) for station, _ in rest}
    return [(spec.stations, own), *(((station,), names) for station, names in others.items())]


def _frame(spec: EmbedSpec, stations: Iterable[str], sensors: Iterable[str], now_ms: int, back_ms: int) -> Grant:
    """A grant of just what is shown: of the stations and sensors that it is made of; ``back_ms``:
    how far its formulas look back.
    """
    start_ms, end_ms = spec.span(now_ms)
    return Grant(
        stations=tuple(escape(name) for name in stations),
        sensors=tuple(escape(name) for name in sensors),
        from_ms=start_ms - back_ms,
        to_ms=end_ms,
        finest=spec.resolution,
    )


def _cuts(frame: Grant, stations: Sequence[str], sensors: Sequence[str], grants: Iterable[Grant]) -> list[Grant]:
    """The parts of a grant of some names that each of some grants gives as well."""
    found = []
    for one in grants:
        at = [name for name in stations if one.names(name) and frame.names(name)]
        names = [name for name in sensors for first in at[:1] if one.names(first, name) and frame.names(first, name)]
        if at and names:
            found.append(_intersection(frame, one, at, names))
    return found


def _intersection(frame: Grant, other: Grant, stations: Iterable[str], sensors: Iterable[str]) -> Grant:
    """What two grants both give of some names; names are literal."""
    lengths = [ms for ms in (frame.longest_ms, other.longest_ms) if ms is not None]
    return Grant(
        stations=tuple(escape(name) for name in stations),
        sensors=tuple(escape(name) for name in sensors),
        from_ms=max(frame.span[0], other.span[0]),  # a frame has both ends
        to_ms=min(frame.span[1], other.span[1]),
        longest_ms=min(lengths, default=None),
        finest=max(frame.finest, other.finest, key=lambda name: RESOLUTIONS.index(name)),
    )
