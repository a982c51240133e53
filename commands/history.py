"""``history``: the main job without a browser, through the queue."""

from __future__ import annotations

import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from commands.printing import print_table

if TYPE_CHECKING:
    from data.request import HistoryRequest
    from data.site import Site
    from jobs.job import Job
    from jobs.ledger import Ledger

_COLUMNS = ("station", "sensor", "unit", "rows", "flagged", "first", "last", "min", "min_time", "max", "max_time", "mean")


@dataclass(frozen=True)
class SeriesSummary:
    """One series of the answer. ``rows`` counts finite values; min, max and mean are over those that are not flagged."""

    station: str
    sensor: str
    unit: str
    rows: int
    flagged: int
    first: str | None
    last: str | None
    min: float | None
    min_time: str | None
    max: float | None
    max_time: str | None
    mean: float | None


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(history)


def history(
    station: Annotated[list[str], typer.Option(help="Station; may be repeated.")],
    sensor: Annotated[list[str], typer.Option(help="Sensor; may be repeated.")],
    start: Annotated[str, typer.Option("--from", help="First time: 2019-03-31, or 2019-03-31 14:30, or with an offset.")],
    end: Annotated[str, typer.Option("--to", help="End; it is no longer part of the range.")],
    resolution: Annotated[str, typer.Option(help="raw, 1min, 10min, 1h, 1d or 1mo.")] = "raw",
    timezone: Annotated[str | None, typer.Option(help="Zone of bare times and of buckets; default: the site's.")] = None,
    out: Annotated[Path | None, typer.Option(help="Also write all rows: FILE.csv, .parquet, .arrow or .xlsx.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For a machine: JSON on standard output, nothing else.")] = False,
) -> None:
    """Load a history through the queue and print exact statistics of each series; Ctrl-C cancels."""
    from access.audit import record, request_subject
    from access.names import LOCAL_USER
    from config import load_settings
    from data.engine import explained
    from data.site import open_site
    from jobs.ledger import open_ledger
    from logs import configure_logs

    settings = load_settings()
    if settings.log_level == "info":
        configure_logs("warning")  # what is done is shown
    request = _request(station, sensor, start, end, resolution, timezone or settings.timezone, out)
    site, ledger = open_site(settings), open_ledger(settings)
    with explained(site.engine), explained(ledger.engine):
        job, found = _load(site, ledger, LOCAL_USER, request)
    if out is not None and found:
        _export(site, request, out)
        record(
            ledger.engine, "export", request_subject(request, job=job.id, format=out.suffix.lower().lstrip("."), file=str(out))
        )
    _print(job, found, as_json)
    if not found:
        raise typer.Exit(1)


def _request(
    stations: list[str], sensors: list[str], start: str, end: str, resolution: str, timezone: str, out: Path | None
) -> HistoryRequest:
    """The request of the command's words; what is wrong with them is bad usage."""
    from data.export import check_format
    from data.request import request_of
    from errors import InvalidRequest

    try:
        if out is not None:
            check_format(out.suffix.lower().lstrip("."))
        return request_of(stations, sensors, start, end, resolution, timezone)
    except InvalidRequest as exc:
        raise typer.BadParameter(exc.message) from exc


def _load(site: Site, ledger: Ledger, owner: str, request: HistoryRequest) -> tuple[Job, list[SeriesSummary]]:
    """The job when it has ended, and its series; none when it has failed. A tile found damaged is read again, once."""
    from errors import TileDamaged

    job = _run(site, ledger, owner, request)
    if not _is_completed(job):
        return job, []
    try:
        return job, summaries(site, request)
    except TileDamaged:
        job = _run(site, ledger, owner, request)
        return job, summaries(site, request) if _is_completed(job) else []


def _is_completed(job: Job) -> bool:
    if job.status.value == "completed":
        return True
    reason = job.error.message if job.error else f"The job was {job.status.value}."
    Console(stderr=True, soft_wrap=True, markup=False, highlight=False).print(f"Error: {reason}")
    return False


def _run(site: Site, ledger: Ledger, owner: str, request: HistoryRequest) -> Job:
    from jobs.foreground import begin, cancel, wait_for

    job, ours = begin(site, ledger, owner, request)
    site.engine.dispose()  # nothing of it stays open while others write
    try:
        with _bar() as (progress, console):
            task = progress.add_task("queued", total=None)
            return wait_for(site.settings, ledger, job, lambda now: _show(progress, task, now), console.print)
    except KeyboardInterrupt:
        if ours:
            cancel(site.settings, ledger, job)
        raise


@contextmanager
def _bar() -> Iterator[tuple[Progress, Console]]:
    """A progress bar on standard error; only words where that is no terminal."""
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    words = TextColumn("{task.description}", markup=False)  # a station's name may hold [ and ]
    columns = (words, BarColumn(), TextColumn("{task.fields[detail]}"))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield progress, console


def _show(progress: Progress, task: Any, job: Job) -> None:
    from data.months import month_name

    now = job.progress
    if now is None:
        progress.update(task, description=job.status.value, detail="")
        return
    where = f"{now.station} {month_name(now.month)}" if now.station is not None and now.month is not None else job.status.value
    left = f" · about {now.seconds_left:.0f} s left" if now.seconds_left else ""
    detail = f"{now.tiles_done} of {now.tiles_total} tiles · {now.rows:,} of {now.rows_total:,} rows{left}"
    progress.update(task, description=where, total=1.0, completed=now.fraction, detail=detail)


def summaries(site: Site, request: HistoryRequest) -> list[SeriesSummary]:
    """Exact statistics of every series of the request, from all its rows.

    Raises:
        TileDamaged: a tile is damaged; it is out of the index then.
    """
    return [_summary(site, request, station, sensor) for station, sensor in request.series]


def _summary(site: Site, request: HistoryRequest, station: str, name: str) -> SeriesSummary:
    import numpy as np

    from data.months import iso_utc
    from data.reduce import reduce
    from data.series import SeriesKey
    from data.statistics import statistics

    sensor, (start, end) = site.catalogue[name], (request.start_ms, request.end_ms)
    series = site.tiles.open_series(SeriesKey(site.source.id, station, name), start, end)
    found = statistics(series, sensor, start, end, step_ms=None)
    everything = reduce(series, np.array([start, end], np.int64), include_flagged=True)

    def iso(time_ms: int | None) -> str | None:
        return None if time_ms is None else iso_utc(time_ms)

    return SeriesSummary(
        station=station,
        sensor=name,
        unit=sensor.unit,
        rows=found.rows,
        flagged=found.flagged,
        first=iso(int(everything.first_time[0])) if found.rows else None,
        last=iso(int(everything.last_time[0])) if found.rows else None,
        min=found.min,
        min_time=iso(found.min_time),
        max=found.max,
        max_time=iso(found.max_time),
        mean=found.mean,
    )


def _export(site: Site, request: HistoryRequest, out: Path) -> None:
    from data.export import export_file
    from errors import RiwayatError

    try:
        export_file(site, request, out)
    except OSError as exc:
        raise RiwayatError("{file} cannot be written: {why}.", file=out, why=exc.strerror or exc) from exc
    typer.echo(f"Wrote {out}.", err=True)


def _print(job: Job, found: list[SeriesSummary], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"job": job_summary(job), "series": [asdict(each) for each in found]}, ensure_ascii=False))
    elif found:
        print_table(_COLUMNS, [[_cell(value) for value in asdict(each).values()] for each in found])


def _cell(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def job_summary(job: Job) -> dict[str, Any]:
    """The job as ``--json`` gives it; ``seconds`` is started to finished."""
    known = job.started_ms is not None and job.finished_ms is not None
    own_peak_mb = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6, 1)  # where no child was needed
    return {
        "id": job.id,
        "status": job.status.value,
        "seconds": ((job.finished_ms or 0) - (job.started_ms or 0)) / 1000 if known else None,
        "rows": job.metrics.get("rows", 0),
        "tiles_read": job.metrics.get("tiles_read", 0),
        "tiles_reused": job.metrics.get("tiles_reused", 0),
        "peak_memory_mb": job.metrics.get("peak_memory_mb", own_peak_mb),
    }
