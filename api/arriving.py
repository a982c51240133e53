"""Observations over HTTP: checked, kept on the disk, and only then accepted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from access.identity import Identity
from data.catalogue import Catalogue
from data.inbox.arrivals import Arrivals
from data.inbox.spool import Spool
from errors import NotPermitted

_MOST_NAMED = 5


@dataclass(frozen=True)
class Inbox:
    """Where deliveries go: ``spool`` keeps them, ``wake`` tells who stores them."""

    spool: Spool
    wake: Callable[[], None]
    catalogue: Catalogue

    def accept(self, identity: Identity, arrivals: Arrivals) -> None:
        """Keep a delivery of one whose key is for all its stations; returns when it is on the disk.

        Raises:
            NotPermitted: the key is not for one of the stations; nothing is kept.
            InboxFull, DiskFull, RiwayatError: as :meth:`Spool.put`.
        """
        refuse_other_stations(identity, dict.fromkeys(arrivals.stations.tolist()))
        if len(arrivals):
            self.spool.put(arrivals)
            self.wake()

    def unknown(self, names: Iterable[str]) -> list[str]:
        """Return those of some sensors that are no measured ones of the catalogue, sorted."""
        return sorted({name for name in names if name not in self.catalogue or self.catalogue[name].formula})


def refuse_other_stations(identity: Identity, stations: Iterable[str]) -> None:
    """Raise NotPermitted where a key is not for one of some stations."""
    asked = list(stations)
    allowed = set(identity.rights.stations(asked))
    others: Sequence[str] = [name for name in asked if name not in allowed]
    if others:
        named = ", ".join(others[:_MOST_NAMED])
        raise NotPermitted(
            "This key is not for the stations {stations}. RIWAYAT_INGEST_KEYS says which it is for.", stations=named
        )
