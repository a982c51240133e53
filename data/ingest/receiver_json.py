"""JSON as station gateways post it: ``{"DataArray": [{"_groupTag": …, "_terminalTime": …, sensor:
value, …}]}``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from data.ingest.opening import opened
from errors import ImportRejected

ITEMS = "DataArray"
STATION, TIME = "_groupTag", "_terminalTime"
_LARGEST_BYTES = 256_000_000  # JSON is read whole; a gateway posts 10,000 items at most, some 2 MB


def read_items(path: Path) -> list[dict[str, Any]]:
    """The items of a file, in order; a bare list of items will do, too.

    Raises:
        ImportRejected: when the file is no such JSON, with its place.
    """
    with opened(path) as file:
        data = file.stream.read(_LARGEST_BYTES + 1)
    if len(data) > _LARGEST_BYTES:
        raise ImportRejected("{file} is too large for JSON; expected at most {limit} MB, or CSV.", file=path, limit=256)
    try:
        document = json.loads(data)
    except json.JSONDecodeError as exc:
        raise ImportRejected("{file}, line {line}: not JSON: {why}.", file=path, line=exc.lineno, why=exc.msg) from exc
    except UnicodeDecodeError as exc:
        raise ImportRejected("{file} is not JSON: byte {position} is not UTF-8.", file=path, position=exc.start) from exc
    except RecursionError as exc:
        raise ImportRejected("{file} is not the JSON of a receiver: it is nested too deeply.", file=path) from exc
    items = document.get(ITEMS) if isinstance(document, dict) else document
    if not isinstance(items, list) or not items or not all(isinstance(item, dict) for item in items):
        raise ImportRejected(
            "{file}: expected {expected}.", file=path, expected='{"DataArray": [{"_groupTag": …, "_terminalTime": …, …}, …]}'
        )
    return items


def columns_of(items: list[dict[str, Any]]) -> tuple[str, ...]:
    """Return every key, in order of first appearance."""
    return tuple(dict.fromkeys(str(key) for item in items for key in item))
