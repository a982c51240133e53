"""Flags of derived series: those of their inputs, with what people decided about these
(docs/decisions/0039). No rule is asked of a derived series itself.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from data.flag_choice import LEFT_OUT
from data.flag_layer import Entries, FlagLayer, OverlaidSeries, empty_entry
from data.tiles.format import TileEntry
from data.tiles.series import SeriesKey
from data.time.months import month_of, month_start_ms

_DIFFERS = 1  # the bit of a mark that says that tiles with flags are needed


@dataclass(frozen=True)
class DerivedFlags(FlagLayer):
    """The flags of a derived series, made of ``inputs``, which its formula reads ``back_ms`` back.

    Its mark tells rules and decisions of the inputs, not their tiles: that their rows are others
    tells the generation of its own tile, also where they are evicted.
    """

    inputs: tuple[FlagLayer, ...] = ()
    back_ms: int = 0

    @property
    def is_plain(self) -> bool:
        """Return False: it is made of other series."""
        return False

    @property
    def read_keys(self) -> tuple[SeriesKey, ...]:
        """Return all series that tell what is still to be made."""
        decided = (key for each in self.inputs if each.decisions for key in each.read_keys)
        return (self.base, *self.keys_made, *dict.fromkeys(decided))

    @property
    def made_by(self) -> tuple[object, ...]:
        """Return what decides the flags besides the tiles of :attr:`read_keys`."""
        return (self.rules, *(each.decisions for each in self.inputs))

    def months_read(self, month: int) -> range:
        """Return the months of its inputs that a month is made of."""
        return range(month_of(month_start_ms(month) - self.back_ms), month + 1)

    def entries(self) -> Entries:
        """Return the tiles by month, and an empty one, of no file, of each month in which an input
        has only what people filled in or shifted there.
        """
        base = self.tiles.entries(self.base)
        if not any(each.decisions for each in self.inputs):
            return base
        there = [each.entries() for each in self.inputs]
        gained = {month for each in there for month, entry in each.items() if not entry.bytes}
        months = (month for month in gained - base.keys() if all(month in each for each in there))
        return {**base, **{month: empty_entry(month) for month in months}}

    def mark(self, entry: TileEntry) -> int:
        """Return the fingerprint of flags that are made of a tile of the series as it is now."""
        made = super().mark(entry)
        for each in self.inputs:
            months = self.months_read(entry.month)
            if any(each.reach_in(month).decisions for month in months):
                told = [each.decided(month, each.rules) for month in months]
                there = each.entries().get(entry.month) if not entry.bytes else None
                made = zlib.crc32(repr((told, there)).encode(), made)
        return made & ~_DIFFERS

    def mark_made(self, mark: int, *, differs: bool) -> int:
        """Return the mark of the flags of a month; ``differs``: there are tiles with flags, too."""
        return mark | (_DIFFERS if differs else 0)

    def fresh(self, made: Entries, base: Entries) -> set[int]:
        """Return the months whose tile is of today's rules, decisions and rows."""
        months = (month for month in made if month in base)
        return {month for month in months if made[month].fingerprint & ~_DIFFERS == self.mark(base[month])}

    def months(self, base: Entries) -> set[int]:
        """Return the months whose flags are made, of the tiles of the series as they are now."""
        made = self.tiles.entries(self.key)
        whole = [OverlaidSeries(self, choice).months(base) for choice in LEFT_OUT]
        return {
            month
            for month in self.fresh(made, base)
            if not made[month].fingerprint & _DIFFERS or all(month in each for each in whole)
        }
