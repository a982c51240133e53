"""Everything of the data layer that one process needs, made once and passed on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from config import Settings
from data.catalogue import Catalogue, load_catalogue
from data.database.circuit_breaker import RunQuery, run_directly, run_for_page
from data.database.drivers import SQLITE_BUSY_TIMEOUT_MS, WEB_BUSY_MS
from data.database.engine import make_engine, sqlite_path
from data.database.network_timeouts import install_network_timeouts
from data.database.tables import OWN_SOURCE
from data.decision import Decisions, no_decisions
from data.export.object_shelf import ObjectShelf
from data.export.shelf import Shelf
from data.file_note import FileNote
from data.flag_choice import FlagChoice
from data.inventory import Inventory
from data.limit_overrides import SetLimits, no_set_limits
from data.tiles.object_store import ObjectStore
from data.tiles.object_tile_store import ObjectTileStore
from data.tiles.tile_store import TileStore
from data.time.resolution import Resolution
from data.user_formula import Definitions, no_definition

if TYPE_CHECKING:
    from data.source import TableSource
    from data.source.mapped.source import MappedSource

_WEB_STATEMENT_S = 10.0  # a question that no page waits for any more ends by then


@dataclass(frozen=True)
class Site:
    """Settings, sensors, the observations database, and what was made of it.
    Never carried across a fork while in use.

    ``floor``: the finest steps that may be seen of it, each as a whole; raw:
    everything (access/restricted_site.py). ``flags``: which flags of rules count.
    ``decisions``: what people decided about its series, ``limits``: which limits of rules they set.
    ``notes`` are what a file that is made of it tells beside its rows. ``open_source`` returns
    where observations are read from; what reads them is imported then, which most processes never
    do.
    """

    settings: Settings
    catalogue: Catalogue
    engine: Engine
    inventory: Inventory
    tiles: TileStore
    open_source: Callable[[], TableSource]
    run_query: RunQuery = run_directly
    floor: Resolution = "raw"
    flags: FlagChoice = "none"
    decisions: Decisions = no_decisions
    limits: SetLimits = no_set_limits
    notes: tuple[FileNote, ...] = ()
    objects: ObjectStore | None = None

    def knowing(self, sensors: Iterable[str]) -> Site:
        """The site with the users' formulas among some sensors in its catalogue and inventory."""
        catalogue = self.catalogue.knowing(sensors)
        if catalogue is self.catalogue:
            return self
        return replace(self, catalogue=catalogue, inventory=self.inventory.knowing(catalogue))

    @property
    def source(self) -> TableSource:
        """Where observations are read from."""
        return self.open_source()

    @property
    def source_id(self) -> str:
        """Names the source among tiles and in the inventory."""
        return self.inventory.source

    @property
    def mapped(self) -> TableSource | None:
        """The source where it is a table of others; None of the own table."""
        return None if self.settings.source is None else self.source

    @property
    def shelf(self) -> Shelf:
        """What jobs wrote to be fetched, beside the tiles."""
        return open_shelf(self.settings, self.objects)


def open_object_store(settings: Settings, *, patient: bool = True) -> ObjectStore | None:
    """The object storage of a site, if it has one; asks it nothing yet. ``patient`` as there."""
    return ObjectStore(settings.object_store_url, patient=patient) if settings.object_store_url else None


def open_shelf(settings: Settings, objects: ObjectStore | None = None) -> Shelf:
    """The shelf of a site; without its object storage only that of this host."""
    kept = settings.tiles_path, settings.workbook_ttl, settings.workbook_budget_bytes
    return ObjectShelf(objects, *kept) if objects else Shelf(*kept)


def open_tiles(settings: Settings, objects: ObjectStore | None) -> TileStore:
    """The tiles of a site, in its object storage or its folder."""
    if objects:
        return ObjectTileStore(objects, settings.tiles_path, settings.tile_budget_bytes)
    return TileStore(settings.tiles_path, settings.tile_budget_bytes, mapped=settings.tile_mmap)


def open_site(
    settings: Settings,
    *,
    session_name: str = "riwayat",
    busy_ms: int = SQLITE_BUSY_TIMEOUT_MS,
    statement_timeout_s: float | None = None,
    run_query: RunQuery = run_directly,
    definitions: Definitions = no_definition,
    decisions: Decisions = no_decisions,
    limits: SetLimits = no_set_limits,
    patient: bool = True,
) -> Site:
    """The site of some settings; opens no connection and reads no tile until it is used.

    ``session_name`` is how a server shows its sessions and queries, so that another process can
    stop them. No statement takes longer than ``statement_timeout_s`` (a job may); none in our own
    database waits longer than ``busy_ms`` for a SQLite file that is written to. ``run_query`` puts
    the questions of plan and inventory to our own database, ``definitions`` knows users' formulas,
    ``decisions`` what people decided about series, ``limits`` which limits of rules they set. One
    that is not ``patient`` waits for no object storage.

    Raises:
        ConfigurationError: a wrong URL or catalogue.
    """
    catalogue = replace(load_catalogue(settings.sensors), definitions=definitions)
    timeout_s = settings.job_timeout if statement_timeout_s is None else statement_timeout_s
    engine = make_engine(settings.history_url, application_name=session_name, statement_timeout_s=timeout_s, busy_ms=busy_ms)
    source_id = OWN_SOURCE
    open_source: Callable[[], TableSource] = cache(partial(_own, settings, engine, catalogue, session_name))
    if settings.source is not None:
        source, catalogue = _mapped(settings, settings.source, catalogue, session_name)
        source_id, open_source = source.id, lambda: source
    objects = open_object_store(settings, patient=patient)
    return Site(
        settings=settings,
        catalogue=catalogue,
        engine=engine,
        inventory=Inventory(engine, source_id, run_query, catalogue=catalogue),
        tiles=open_tiles(settings, objects),
        open_source=open_source,
        run_query=run_query,
        decisions=decisions,
        limits=limits,
        objects=objects,
    )


def open_web_site(
    settings: Settings,
    definitions: Definitions = no_definition,
    decisions: Decisions = no_decisions,
    limits: SetLimits = no_set_limits,
) -> Site:
    """Open the site for a web process, which no database may hold up; the others are as in
    :func:`open_site`.
    """
    site = open_site(
        settings,
        busy_ms=WEB_BUSY_MS,
        statement_timeout_s=_WEB_STATEMENT_S,
        run_query=run_for_page,
        definitions=definitions,
        decisions=decisions,
        limits=limits,
        patient=False,
    )
    install_network_timeouts(site.engine, "observations")
    return site


def _own(settings: Settings, engine: Engine, catalogue: Catalogue, session_name: str) -> TableSource:
    """Return the own table as a source."""
    from data.source.own import own_source  # with pyarrow and connectorx, of which only what reads has need

    # A job writes its progress while it reads. In one SQLite file that forbids the fast path.
    jobs, observations = sqlite_path(settings.jobs_url), sqlite_path(settings.history_url)
    one_file = jobs is not None and observations is not None and jobs.resolve() == observations.resolve()
    return own_source(engine, catalogue, fast=not one_file, session_name=session_name, statement_timeout_s=settings.job_timeout)


def _mapped(settings: Settings, file: Path, catalogue: Catalogue, session_name: str) -> tuple[MappedSource, Catalogue]:
    """Return the source of a mapping, and the catalogue that knows where its values come from."""
    from data.source.mapped.mapping_loading import load_mapping
    from data.source.mapped.source import MappedSource, as_others_see

    mapping = load_mapping(file, catalogue, settings.timezone)
    url, timeout_s = mapping.url.render_as_string(hide_password=False), settings.job_timeout
    engine = as_others_see(make_engine(url, application_name=session_name, statement_timeout_s=timeout_s))
    # Jobs and inventory are written while the table is read.
    # In one SQLite file that forbids the fast path.
    ours = {path.resolve() for path in map(sqlite_path, (settings.jobs_url, settings.history_url)) if path is not None}
    theirs = sqlite_path(url)
    shared = theirs is not None and theirs.resolve() in ours
    source = MappedSource(mapping, engine, fast=not shared, session_name=session_name, statement_timeout_s=timeout_s)
    return source, mapping.catalogue_of(catalogue)
