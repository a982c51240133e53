"""What reading tiles needs of a site."""

from __future__ import annotations

from typing import Protocol

from data.catalogue import Catalogue
from data.decision import Decisions
from data.flag_choice import FlagChoice
from data.limit_overrides import SetLimits
from data.tiles.tile_store import TileStore
from data.time.resolution import Resolution


class SiteLike(Protocol):
    """What reading tiles needs of a site; see data/site.py."""

    @property
    def catalogue(self) -> Catalogue:
        """The sensors."""

    @property
    def tiles(self) -> TileStore:
        """The tiles."""

    @property
    def source_id(self) -> str:
        """Names the source of the tiles' rows among the tiles."""

    @property
    def floor(self) -> Resolution:
        """The finest steps that may be seen; raw: everything."""

    @property
    def flags(self) -> FlagChoice:
        """Which flags of the rules of quality control count."""

    @property
    def decisions(self) -> Decisions:
        """What people decided about its series."""

    @property
    def limits(self) -> SetLimits:
        """Return what people have set of the limits of quality control."""
