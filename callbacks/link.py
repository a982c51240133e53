"""What the query of the page's address asks for. Pure; whatever comes is untrusted text."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs

_MAX_QUERY = 8_000  # characters
_MAX_VALUES = 200  # stations or sensors in one link
_STATIONS, _SENSORS, _START, _END = ("station", "stations"), ("sensor", "sensors"), ("from", "start"), ("to", "end")
# Anything else is an option of the view. What is hidden the page alone draws so (assets/chart.js).
_KNOWN = frozenset(("job", "saved", "view", "hidden", "resolution", "zone", *_STATIONS, *_SENSORS, *_START, *_END))


@dataclass(frozen=True)
class Link:
    """``?job=ID`` with a view and its options, ``?saved=ID``, or what fills the form; empty where
    the address says nothing.
    """

    job: str = ""
    saved: str = ""
    stations: tuple[str, ...] = ()
    sensors: tuple[str, ...] = ()
    start: str = ""
    end: str = ""
    resolution: str = ""
    zone: str = ""
    view: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()

    @property
    def fills_form(self) -> bool:
        """Whether it says anything about the form."""
        return bool(self.stations or self.sensors or self.start or self.end or self.resolution)


def parse_link(search: str | None, known: Collection[str] = ()) -> Link:
    """A query such as ``?station=a&station=b&sensor=temperature&from=2019-01-01&to=2019-02-01``.

    Several names may also stand in one value, separated by commas,
    unless that whole value is a name of ``known``.
    """
    try:
        fields = parse_qs((search or "").removeprefix("?")[:_MAX_QUERY], max_num_fields=_MAX_VALUES)
    except ValueError:
        return Link()
    return Link(
        job=_first(fields, "job"),
        saved=_first(fields, "saved"),
        stations=_names(fields, _STATIONS, known),
        sensors=_names(fields, _SENSORS, known),
        start=_first(fields, *_START),
        end=_first(fields, *_END),
        resolution=_first(fields, "resolution"),
        zone=_first(fields, "zone"),
        view=_first(fields, "view"),
        options={name: _first(fields, name) for name in fields if name not in _KNOWN}
        if fields.get("view") or fields.get("job")
        else {},
        hidden=tuple(fields.get("hidden", ())),
    )


def _first(fields: dict[str, list[str]], *keys: str) -> str:
    return next((fields[key][0].strip() for key in keys if fields.get(key)), "")


def _names(fields: dict[str, list[str]], keys: tuple[str, ...], known: Collection[str]) -> tuple[str, ...]:
    values = [value for key in keys for value in fields.get(key, ())]
    names = [name.strip() for value in values for name in ([value] if value in known else value.split(","))]
    return tuple(dict.fromkeys(name for name in names if name))
