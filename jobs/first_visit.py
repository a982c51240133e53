"""The first visit of a site that ``make run`` has just made: a file in its folder until somebody
comes, so that of however many who come at once one is the first.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from config import Settings

_FILE = "first-visit"


def expect_first_visit(settings: Settings) -> None:
    """Remember that nobody has visited the site."""
    _path(settings).touch()


def is_first_visit(settings: Settings) -> bool:
    """Return whether nobody has visited the site since it was made."""
    return _path(settings).exists()


def take_first_visit(settings: Settings) -> bool:
    """Return whether this is the first visit, which it then was; True once."""
    with contextlib.suppress(OSError):
        _path(settings).unlink()
        return True
    return False


def _path(settings: Settings) -> Path:
    return settings.data_dir / _FILE
