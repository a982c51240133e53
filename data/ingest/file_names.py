"""A profile fitted to one file: which columns its names mean, and what zone the header tells."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from data.ingest.layout import Layout
from data.ingest.profile import HEADER, REQUIRED_ZONE, SITE_ZONE, Profile, Rule
from data.ingest.text.header import meant
from errors import ImportRejected

_OFFSET_IN_NAME = re.compile(r"\b(?:GMT|UTC)\s*([+-]\d{1,2})?(?::?(\d{2}))?\b", re.ASCII)


def with_file_names(profile: Profile, layout: Layout) -> Profile:
    """The profile with the file's own spelling of each name;
    one that the file lacks stays as it is.

    Raises:
        ImportRejected: when a name with ``*`` fits several columns.
    """
    name_of = _Names(layout, profile)
    split = {name_of(name): rule for name, rule in profile.split.items()}
    if profile.some_columns:
        split = {name: rule for name, rule in split.items() if name in layout.columns}
    changes: dict[str, object] = {"split": split}
    if profile.time_parts is not None:
        changes["time_parts"] = {part: name_of(name) for part, name in profile.time_parts.items()}
    else:
        changes["time"] = tuple(map(name_of, profile.time))
    changes["only"] = {name_of(name): codes for name, codes in profile.only.items()}
    if profile.station is not None:
        changes["station"] = name_of(profile.station)
    if profile.tall is not None:
        tall = profile.tall
        named = {"tag": tuple(map(name_of, tall.tag)), "value": name_of(tall.value)}
        changes["tall"] = tall.model_copy(update=named | ({"flags": name_of(tall.flags)} if tall.flags else {}))
    elif profile.layout == "station_columns":
        changes["columns"] = _columns_of_stations(profile, name_of)
    else:
        columns: dict[str, Rule] = {}
        for name, rule in profile.columns.items():
            columns.setdefault(name_of(name), rule)
        changes["columns"] = columns
    return profile.model_copy(update=changes)


class _Names:
    """Finds the file's spelling of a name."""

    def __init__(self, layout: Layout, profile: Profile) -> None:
        self._layout = layout
        self.columns = [*layout.columns, *profile.made_columns]

    def __call__(self, name: str) -> str:
        found = meant(name, self.columns)
        if len(found) > 1:
            raise ImportRejected(
                "{file}: {name} of the import profile matches {count} columns: {columns}. Name one of them.",
                file=self._layout.path,
                name=name,
                count=len(found),
                columns=", ".join(found),
            )
        return found[0] if found else name


def _columns_of_stations(profile: Profile, name_of: _Names) -> dict[str, Rule]:
    """Each column with its station; ``"*"`` is every column that no other key names."""
    taken = {name_of(name) for name in profile.time_columns} | {name_of(name) for name in profile.columns if "*" not in name}
    found: dict[str, Rule] = {}
    for name, rule in profile.values.items():
        several = "*" in name and name not in name_of.columns
        for column in [each for each in meant(name, name_of.columns) if each not in taken] if several else [name_of(name)]:
            found[column] = rule.model_copy(update={"station": rule.station if rule.station and not several else column})
    return found


def zone_name(profile: Profile, path: Path, wished: str | None, site: str) -> str:
    """The zone of times without an offset: as wished, else as the profile says.

    Raises:
        ImportRejected: when the profile leaves it to the caller or the header, and there it is not.
    """
    if wished:
        return wished
    if profile.timezone == REQUIRED_ZONE:
        raise ImportRejected("{file} does not say which time zone its times are in; give --timezone, such as -05:00.", file=path)
    if profile.timezone == HEADER:
        return _zone_of_names(profile.time_columns, path)
    return site if profile.timezone == SITE_ZONE else profile.timezone


def _zone_of_names(names: Sequence[str], path: Path) -> str:
    for name in names:
        found = _OFFSET_IN_NAME.search(name)
        if found:
            hours, minutes = found.groups()
            return f"{hours[0]}{int(hours[1:]):02d}:{minutes or '00'}" if hours else "UTC"
    raise ImportRejected(
        "{file}: the name of its time column, {columns}, gives no time zone such as GMT-05:00; give --timezone.",
        file=path,
        columns=", ".join(names),
    )
