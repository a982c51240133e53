"""What a view needs of a site, without a database:
for benchmarks and tests that make their tiles themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

from data.catalogue import Catalogue
from data.decision import Decisions, no_decisions
from data.flag_choice import FlagChoice
from data.limit_overrides import SetLimits, no_set_limits
from data.tiles.tile_store import TileStore
from data.time.resolution import Resolution


@dataclass(frozen=True)
class TileSite:
    """Tiles, the sensors, and whose tiles they are."""

    tiles: TileStore
    catalogue: Catalogue
    source_id: str = "own"  # names the source among the tiles
    floor: Resolution = "raw"
    flags: FlagChoice = "none"
    decisions: Decisions = no_decisions
    limits: SetLimits = no_set_limits
