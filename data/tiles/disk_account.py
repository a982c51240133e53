"""How much disk the tiles of a folder take, without a look at each of them.

A look at all tells it, once in some hours; between two of them each process adds what it has
written. What was replaced or removed meanwhile is not taken off, so the sum is rather too large.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from data.tiles.index import replace_file

_SWEPT, _WRITTEN = ".swept", ".written"
SWEEP_EVERY_S: Final = 6 * 3600.0  # also what killed jobs left behind, which has a day


class DiskAccount:
    """The account of one folder, which several processes keep together; ``clock_s`` since 1970."""

    def __init__(self, root: Path, clock_s: Callable[[], float] = time.time) -> None:
        self._swept, self._written, self._clock_s = root / _SWEPT, root / _WRITTEN, clock_s

    def add(self, size: int) -> None:
        """Add the bytes of what was written."""
        if size:
            with suppress(FileNotFoundError), self._written.open("a", encoding="ascii") as file:  # no folder: no tile
                file.write(f"{size}\n")  # one write: nothing comes between

    def fits(self, budget_bytes: int) -> bool:
        """Return whether the tiles are known to take no more than a budget."""
        try:
            swept = json.loads(self._swept.read_text(encoding="ascii"))
            age_s, total = self._clock_s() - swept["at"], int(swept["bytes"])
        except (OSError, ValueError, KeyError, TypeError):
            return False
        return 0 <= age_s < SWEEP_EVERY_S and total + self._since() <= budget_bytes

    def begin(self) -> None:
        """Begin anew: what was written before is on the disk, where a look at all finds it."""
        self._written.unlink(missing_ok=True)

    def end(self, total: int) -> None:
        """Keep what a look at all tiles has found."""
        with suppress(FileNotFoundError):  # no folder: no tile
            replace_file(self._swept, [json.dumps({"at": self._clock_s(), "bytes": total}).encode()])

    def _since(self) -> int:
        try:
            return sum(int(line) for line in self._written.read_text(encoding="ascii").split())
        except FileNotFoundError:
            return 0
