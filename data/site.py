"""Everything of the data layer that one process needs, made once and passed on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from config import Settings
from data.catalogue import Catalogue, load_catalogue
from data.drivers import SQLITE_BUSY_TIMEOUT_MS, WEB_BUSY_MS
from data.engine import make_engine, sqlite_path
from data.inventory import Inventory
from data.patience import Ask, Impatient, ask_directly
from data.source import Source, own_source
from data.source.mapped import MappedSource, as_others_see
from data.source.mapping import load_mapping
from data.tiles import TileStore
from data.workbooks import WorkbookShelf

_WEB_STATEMENT_S = 10.0  # a question that no page waits for any more ends by then


@dataclass(frozen=True)
class Site:
    """Settings, sensors, the observations database, and what was made of it. Never carried across a fork while in use."""

    settings: Settings
    catalogue: Catalogue
    engine: Engine
    inventory: Inventory
    tiles: TileStore
    source: Source
    ask: Ask = ask_directly

    @property
    def workbooks(self) -> WorkbookShelf:
        """Workbooks that were written, beside the tiles."""
        return open_shelf(self.settings)


def open_shelf(settings: Settings) -> WorkbookShelf:
    """The workbooks of a site."""
    return WorkbookShelf(settings.tiles_path, settings.workbook_ttl, settings.workbook_budget_bytes)


def open_site(
    settings: Settings,
    *,
    session_name: str = "riwayat",
    busy_ms: int = SQLITE_BUSY_TIMEOUT_MS,
    statement_timeout_s: float | None = None,
    ask: Ask = ask_directly,
) -> Site:
    """The site of some settings; opens no connection and reads no tile until it is used.

    ``session_name`` is how a server shows its sessions and queries, so that another process can stop them. No statement
    takes longer than ``statement_timeout_s`` (a job may); none in our own database waits longer than ``busy_ms`` for a SQLite
    file that is written to. ``ask`` puts the questions of plan and inventory to our own database.

    Raises:
        ConfigurationError: a wrong URL or catalogue.
    """
    catalogue = load_catalogue(settings.sensors)
    timeout_s = settings.job_timeout if statement_timeout_s is None else statement_timeout_s
    engine = make_engine(settings.history_url, application_name=session_name, statement_timeout_s=timeout_s, busy_ms=busy_ms)
    # A job writes its progress while it reads. In one SQLite file that forbids the fast path.
    jobs, observations = sqlite_path(settings.jobs_url), sqlite_path(settings.history_url)
    one_file = jobs is not None and observations is not None and jobs.resolve() == observations.resolve()
    source: Source
    if settings.source is not None:
        source, catalogue = _mapped(settings, settings.source, catalogue, session_name)
    else:
        source = own_source(
            engine, catalogue, fast=not one_file, session_name=session_name, statement_timeout_s=settings.job_timeout
        )
    return Site(
        settings=settings,
        catalogue=catalogue,
        engine=engine,
        inventory=Inventory(engine, source.id, ask),
        tiles=TileStore(settings.tiles_path, settings.tile_budget_bytes, mapped=settings.tile_mmap),
        source=source,
        ask=ask,
    )


def open_web_site(settings: Settings) -> Site:
    """The site for a web process, which no database may hold up: see data/patience.py."""
    return open_site(settings, busy_ms=WEB_BUSY_MS, statement_timeout_s=_WEB_STATEMENT_S, ask=Impatient())


def _mapped(settings: Settings, file: Path, catalogue: Catalogue, session_name: str) -> tuple[MappedSource, Catalogue]:
    """The source that a mapping describes, and the catalogue that knows where its values come from."""
    mapping = load_mapping(file, catalogue, settings.timezone)
    url, timeout_s = mapping.url.render_as_string(hide_password=False), settings.job_timeout
    engine = as_others_see(make_engine(url, application_name=session_name, statement_timeout_s=timeout_s))
    # Jobs and inventory are written while the table is read. In one SQLite file that forbids the fast path.
    ours = {path.resolve() for path in map(sqlite_path, (settings.jobs_url, settings.history_url)) if path is not None}
    theirs = sqlite_path(url)
    shared = theirs is not None and theirs.resolve() in ours
    source = MappedSource(mapping, engine, fast=not shared, session_name=session_name, statement_timeout_s=timeout_s)
    return source, mapping.catalogue_of(catalogue)
