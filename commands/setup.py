"""``migrate`` and ``setup``: from a fresh clone to a site that shows data."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Annotated

import typer

from commands.printing import progress_bar, say
from config import Settings, load_settings
from data.time.epoch import epoch_ms
from errors import ConfigurationError, SourceError

LARGEST_PORT = 65535
SAMPLE = Path(__file__).resolve().parent.parent / "data" / "sample" / "nyc_airports.csv.gz"
SAMPLE_PROFILE = "nyc_airports"
# a file in DATA_DIR while the first observations come in, so that an interrupted start goes on
UNFINISHED = "setup-unfinished"
SYNTHETIC_YEARS = 3.0
SYNTHETIC_STEP_S = 60


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(migrate)
    app.command()(setup)


def migrate() -> None:
    """Bring the databases' schema up to date."""
    bring_up_to_date(load_settings())
    say("The databases are up to date.", err=True)


def setup(
    for_run: Annotated[
        bool, typer.Option("--for-run", help="Also see that the site's port is free, and greet the first visitor.")
    ] = False,
    sample_only: Annotated[bool, typer.Option("--sample-only", help="Bring in no synthetic station.")] = False,
) -> None:
    """Make the databases and, if there is no observation yet,
    bring in the bundled sample and a small synthetic station.
    """
    from access.addresses import refuse_open_door
    from jobs.first_visit import expect_first_visit
    from logs import configure_logs

    settings = load_settings()
    configure_logs("warning")  # what is done is said in words
    if for_run:
        refuse_open_door(settings, [settings.host])
        require_free_port(settings.host, settings.port)
    if not settings.data_dir.exists():
        say(f"First start: making the databases in {settings.data_dir.resolve()}", err=True)
    bring_up_to_date(settings)
    unfinished = settings.data_dir / UNFINISHED
    if settings.source is None and (unfinished.exists() or not _has_observations(settings)):
        unfinished.touch()
        _import_sample(settings)
        if not sample_only:
            _make_synthetic_station(settings)
        if for_run:
            expect_first_visit(settings)
        # another one that was started with this may have been first
        unfinished.unlink(missing_ok=True)
    if for_run:
        say(f"Starting on http://{settings.host}:{settings.port}{settings.url_prefix} (Ctrl-C stops it)", err=True)


def _has_observations(settings: Settings) -> bool:
    from data.site import open_site

    return bool(open_site(settings).inventory.stations())


def _import_sample(settings: Settings) -> None:
    from data.ingest.file_plan import ImportOptions
    from data.ingest.importing import import_files
    from data.site import open_site

    say("There is no observation yet: bringing in the bundled sample (New York airports, 2013, hourly)", err=True)
    site = open_site(settings)
    with progress_bar("importing") as advance:
        import_files(
            site.engine,
            site.catalogue,
            [SAMPLE],
            ImportOptions(profile=SAMPLE_PROFILE),
            lambda _file, _phase, done: advance(done),
            spool_folder=settings.data_dir,
        )


def _make_synthetic_station(settings: Settings) -> None:
    from data.demo.generator import make_demo, plan_demo
    from data.site import open_site

    say(f"Making a synthetic station: {SYNTHETIC_YEARS:g} years, one observation a minute", err=True)
    site = open_site(settings)
    demo = plan_demo(now_ms=epoch_ms(), stations=1, years=SYNTHETIC_YEARS, step_s=SYNTHETIC_STEP_S)
    with progress_bar("making") as advance:
        make_demo(site.engine, site.catalogue, demo, lambda done: advance(done / demo.rows))


def bring_up_to_date(settings: Settings, *, sync: bool = True) -> None:
    """Migrate the database of jobs and that of observations;
    makes them where they are SQLite files.

    Syncs the inventory of a mapped source as well, so that the page knows its stations;
    prints a warning where that fails.
    """
    from access.store import migrate_access
    from data.catalogue import load_catalogue
    from data.database.engine import make_engine, migrate_observations
    from jobs.ledger.ledger import migrate_jobs

    settings.prepare()
    observations, jobs = make_engine(settings.history_url), make_engine(settings.jobs_url)
    try:
        migrate_observations(observations, load_catalogue(settings.sensors))
        migrate_jobs(jobs)
        migrate_access(jobs)
    finally:
        observations.dispose()
        jobs.dispose()
    if sync and settings.source is not None:
        _sync_source(settings)


def _sync_source(settings: Settings) -> None:
    from data.site import open_site
    from data.source_sync import sync_inventory

    site = open_site(settings)
    try:
        sync_inventory(site)
    except SourceError as error:
        say(f"Warning: {error.message} What is known of it from before is shown.", err=True)
    finally:
        site.engine.dispose()


def require_free_port(host: str, port: int) -> None:
    """Raise ConfigurationError, with another port to try, when (host, port) is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as exc:
            raise ConfigurationError(
                "Cannot listen on {host}, port {port}: {why}. Choose another port, for example RIWAYAT_PORT={other} make run.",
                host=host,
                port=port,
                why=exc.strerror or exc,
                other=port + 1 if port < LARGEST_PORT else port - 1,
            ) from exc
