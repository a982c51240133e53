"""A source mapping (``RIWAYAT_SOURCE``):
a TOML file that says where in an existing table what is.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields
from datetime import tzinfo
from pathlib import Path

from sqlalchemy import URL

from data.catalogue import Catalogue
from data.cells.times import TimeReader, TimeUnit
from data.cells.values import Counts, ValueReader
from data.source.mapped.mapping_file import Scalar
from errors import SourceMismatch

ISO = "ISO8601"
# of the URL all but user, password and driver counts
_NOT_OF_ROWS = {"file", "text", "url", "check_minutes"}


@dataclass(frozen=True)
class Quality:
    """A column of quality codes; those in ``good``, and NULL, are good."""

    column: str
    good: tuple[int | str, ...]


@dataclass(frozen=True)
class MappedSensor:
    """A sensor's places: a column (wide) or tags (tall);
    how its cells become values, its quality code.

    ``counts``: what a value is, as of a file's column; ``step_s`` is the interval of a rate.
    """

    name: str
    places: tuple[str, ...]
    reader: ValueReader
    counts: Counts = "interval"
    step_s: float | None = None
    quality: Quality | None = None

    @property
    def place(self) -> str:
        """The column, or the tags for people."""
        return ", ".join(self.places)

    @property
    def is_total(self) -> bool:
        """Return whether values are running totals, whose increments need the rows before."""
        return self.counts in {"since_reset", "day_total"}

    @property
    def origin(self) -> str:
        """Return all that decides the values, as text; part of the sensor's fingerprint."""
        return repr(self)


@dataclass(frozen=True)
class Condition:
    """Only rows whose column equals one of these values, or is NULL (``equals`` empty)."""

    column: str
    equals: tuple[Scalar, ...] = ()


@dataclass(frozen=True)
class Names:
    """A table in which the tags of a tall table stand by name:
    a tag's column holds a ``key``, the mapping a ``name``.
    """

    table: str
    key: str
    name: str


@dataclass(frozen=True, kw_only=True)
class SourceMapping:
    """A mapping, checked as far as that goes without the database.

    What is read is a ``table`` (or view), a ``query``, or all ``tables`` whose name fits a pattern.
    Several columns of ``time`` make it up together; of several columns of ``values`` the first that
    holds one counts. ``text`` is the file's. ``station`` are columns, empty where ``station_name``
    names the only one; ``stations``, if any, are all that there are. ``timezone`` is of times
    without a zone. ``order`` tells in which order rows of equal time were written; ``high_water``
    grows with every new row, ``updated`` with every change (None: found by reflection).
    ``check_minutes``: how long closed months are trusted; None: for ever.
    """

    file: Path
    text: str = ""
    url: URL
    schema: str | None = None
    table: str | None
    query: str | None = None
    tables: str | None = None
    time: tuple[str, ...]
    time_unit: TimeUnit | None
    time_format: str | None = None
    time_reader: TimeReader = field(default_factory=TimeReader)
    timezone: tzinfo
    station: tuple[str, ...]
    station_name: str | None = None
    stations: tuple[str, ...] = ()
    sensors: tuple[MappedSensor, ...]
    where: tuple[Condition, ...] = ()
    tag: str | None = None
    values: tuple[str, ...] = ()
    names: Names | None = None
    order: str | None = None
    high_water: str | None = None
    updated: str | None = None
    check_minutes: float | None = None

    @property
    def label(self) -> str:
        """What messages call that which is read."""
        return self.table or self.tables or "query"

    @property
    def tall(self) -> bool:
        """Return whether a row holds one value and says by a tag of which sensor."""
        return self.tag is not None

    @property
    def source_id(self) -> str:
        """Names the source among inventory and tiles:
        a fingerprint of all that the file says of what is read.

        Of every field but those that say nothing of it, so that no key to come is forgotten.
        """
        url = self.url
        place = (url.get_backend_name(), url.host, url.port, url.database, sorted(url.query.items()))
        record = {field.name: getattr(self, field.name) for field in fields(self) if field.name not in _NOT_OF_ROWS}
        return "m-" + hashlib.blake2b(repr((place, record)).encode(), digest_size=8).hexdigest()

    def require_unchanged(self) -> None:
        """Check that the file still says what it said: a job reads it anew, a web process does not.

        Raises:
            SourceMismatch: it says something else, or can no longer be read.
        """
        try:
            text = self.file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            text = None
        if text != self.text:
            raise SourceMismatch(
                "The source mapping {path} has changed since this site was started; restart the web process to use it.",
                path=self.file,
            )

    def catalogue_of(self, catalogue: Catalogue) -> Catalogue:
        """The catalogue, its sensors marked with where their values come from."""
        origins = {sensor.name: sensor.origin for sensor in self.sensors}
        return catalogue.with_origins(origins)
