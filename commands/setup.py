"""``migrate``, ``setup`` and ``doctor``: from a fresh clone to a site that shows data, and what to do when it does not."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from errors import ConfigurationError

if TYPE_CHECKING:
    from config import Settings

LARGEST_PORT = 65535
SAMPLE = Path(__file__).resolve().parent.parent / "data" / "sample" / "nyc_airports.csv.gz"
SAMPLE_PROFILE = "nyc_airports"
UNFINISHED = "setup-unfinished"  # a file in DATA_DIR while the first observations come in, so that an interrupted start goes on
SYNTHETIC_YEARS = 3.0
SYNTHETIC_STEP_S = 60


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(migrate)
    app.command()(setup)


def migrate() -> None:
    """Bring the databases' schema up to date."""
    from config import load_settings

    bring_up_to_date(load_settings())
    typer.echo("The databases are up to date.", err=True)


def setup(
    for_run: Annotated[bool, typer.Option("--for-run", help="Also see that the site's port is free.")] = False,
    sample_only: Annotated[bool, typer.Option("--sample-only", help="Bring in no synthetic station.")] = False,
) -> None:
    """Make the databases and, if there is no observation yet, bring in the bundled sample and a small synthetic station."""
    from access.addresses import refuse_open_door
    from config import load_settings
    from logs import configure_logs

    settings = load_settings()
    configure_logs("warning")  # what is done is said in words
    if for_run:
        refuse_open_door(settings, [settings.host])
        require_free_port(settings.host, settings.port)
    if not settings.data_dir.exists():
        typer.echo(f"First start: making the databases in {settings.data_dir.resolve()}", err=True)
    bring_up_to_date(settings)
    unfinished = settings.data_dir / UNFINISHED
    if settings.source is None and (unfinished.exists() or not _has_observations(settings)):
        unfinished.touch()
        _import_sample(settings)
        if not sample_only:
            _make_synthetic_station(settings)
        unfinished.unlink(missing_ok=True)  # another one that was started with this may have been first
    if for_run:
        typer.echo(f"Starting on http://{settings.host}:{settings.port}{settings.url_prefix} (Ctrl-C stops it)", err=True)


def _has_observations(settings: Settings) -> bool:
    from data.site import open_site

    return bool(open_site(settings).inventory.stations())


def _import_sample(settings: Settings) -> None:
    from data.ingest.importing import import_files
    from data.ingest.plan import Wishes
    from data.site import open_site

    typer.echo("There is no observation yet: bringing in the bundled sample (New York airports, 2013, hourly)", err=True)
    site = open_site(settings)
    with progress_bar("importing") as advance:
        import_files(
            site.engine, site.catalogue, [SAMPLE], Wishes(profile=SAMPLE_PROFILE), lambda _file, _phase, done: advance(done)
        )


def _make_synthetic_station(settings: Settings) -> None:
    from data.demo import make_demo, plan_demo
    from data.site import open_site

    typer.echo(f"Making a synthetic station: {SYNTHETIC_YEARS:g} years, one observation a minute", err=True)
    site = open_site(settings)
    demo = plan_demo(now_ms=time.time_ns() // 1_000_000, stations=1, years=SYNTHETIC_YEARS, step_s=SYNTHETIC_STEP_S)
    with progress_bar("making") as advance:
        make_demo(site.engine, site.catalogue, demo, lambda done: advance(done / demo.rows))


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[float], None]]:
    """A bar on standard error; call what it yields with the fraction done, 0 to 1."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=1.0)
        yield lambda done: progress.update(task, completed=done)


def bring_up_to_date(settings: Settings, *, look: bool = True) -> None:
    """Migrate the database of jobs and that of observations; makes them where they are SQLite files.

    A mapped source is looked at as well, so that the page knows its stations; where that fails it is said, and the site starts.
    """
    from access.store import migrate_access
    from data.catalogue import load_catalogue
    from data.engine import make_engine, migrate_observations
    from jobs.ledger import migrate_jobs

    settings.prepare()
    observations, jobs = make_engine(settings.history_url), make_engine(settings.jobs_url)
    try:
        migrate_observations(observations, load_catalogue(settings.sensors))
        migrate_jobs(jobs)
        migrate_access(jobs)
    finally:
        observations.dispose()
        jobs.dispose()
    if look and settings.source is not None:
        _look_at_source(settings)


def _look_at_source(settings: Settings) -> None:
    from data.freshness import look
    from data.site import open_site
    from errors import SourceError

    site = open_site(settings)
    try:
        look(site)
    except SourceError as error:
        typer.echo(f"Warning: {error.message} What is known of it from before is shown.", err=True)
    finally:
        site.engine.dispose()


def require_free_port(host: str, port: int) -> None:
    """Raises ConfigurationError, with another port to try, when something listens on (host, port) already."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as exc:
            raise ConfigurationError(
                "Cannot listen on {host}, port {port}: {why}. Choose another, for example RIWAYAT_PORT={other} make run.",
                host=host,
                port=port,
                why=exc.strerror or exc,
                other=port + 1 if port < LARGEST_PORT else port - 1,
            ) from exc
