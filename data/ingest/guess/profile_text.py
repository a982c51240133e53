"""A guess written down as the TOML of a profile, with comments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data.ingest.guess.first_profile import FileSample, Guess
from data.ingest.guess.time_guess import TimeGuess
from escaping import toml_string, visible

_QUALITY = re.compile(r"flag|qc|quality|kvalitet|qualit|code|status|_q$", re.IGNORECASE)
_CODES = 12


def profile_text(found: Guess, path: Path, timezone: str, station_name: str | None = None) -> str:
    """A guess as TOML. ``timezone``: the site's, for times without an offset;
    ``station_name``: as the caller says.
    """
    tall = found.tall
    lines = [
        f"# A first guess for {visible(path.name)}: correct it, then",
        "#   manage.py import --profile THIS_FILE FILE…",
        "",
        *_time_lines(found.time, timezone),
        f"station = {toml_string(found.station)}" if found.station else _station_name(path, found.sample, station_name),
        *(f"{key} = {toml(value)}" + _comment(found.sample.notes.get(key)) for key, value in found.keys.items()),
        *(f"# unsure: {visible(note)}" for note in found.unclear),
        *(['layout = "tall"', "", "[tall]", f"tag = {toml_string(tall[0])}", f"value = {toml_string(tall[1])}"] if tall else []),
        "",
        f"[columns]   # {'tag' if tall else 'column'} of the file = what it gives",
        *(f"{_key(each.column)} = {toml(each.keys)}" + _comment("; ".join(each.notes)) for each in found.values),
        *(f"# {_key(name)} = …" + _comment(why) for name, why in found.left.items()),
        *(_left_line(name, found) for name in found.others),
    ]
    return "\n".join(lines) + "\n"


def _left_line(name: str, found: Guess) -> str:
    """A column that is not read; one that looks like quality codes with what it would take."""
    names = list(found.sample.columns)
    before = [each.sensor for each in found.values if names.index(each.column) < names.index(name)] if found.tall is None else []
    codes = sorted({cell for cell in found.sample.columns.get(name, ()) if cell})
    if before and codes and len(codes) <= _CODES and _QUALITY.search(name):
        rule = toml({"flags": before[-1], "good": codes})
        return f"# {_key(name)} = {rule}   # codes of quality? Leave the good ones; values of another are flagged"
    return f"# {_key(name)} = …"


def _time_lines(time: TimeGuess, timezone: str) -> list[str]:
    names = list(time.columns)
    lines = [f"time = {toml(names[0] if len(names) == 1 else names)}"] if names else []
    lines += [f"{key} = {toml(value)}" for key, value in time.keys.items()]
    lines += [f"# unsure: {visible(note)}" for note in time.notes]
    if time.zoned:
        return [*lines, 'timezone = "UTC"   # every time carries its offset, or counts from 1970 in UTC']
    if time.zone is not None:
        return [*lines, f"timezone = {toml_string(time.zone)}   # as the column's name says"]
    why = "unsure: the file does not say; the site's. A logger that stays on standard time wants an offset such as"
    return [*lines, f'timezone = {toml_string(timezone)}   # {why} "+07:00"']


def _station_name(path: Path, sample: FileSample, wished: str | None) -> str:
    if wished:
        return f"station_name = {toml_string(wished)}"
    if sample.station_name:
        return f"station_name = {toml_string(sample.station_name)}   # as the file says"
    stem = path.name.split(".")[0]
    return f"station_name = {toml_string(stem)}   # unsure: no column names stations, so this is the file's name"


def _comment(note: str | None) -> str:
    return f"   # {visible(note)}" if note else ""


def toml(value: Any) -> str:
    """A value as TOML writes it, in one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(key)} = {toml(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml(each) for each in value) + "]"
    return toml_string(str(value))


def _key(name: str) -> str:
    return name if name.replace("_", "").isalnum() and name.isascii() else toml_string(name)
