"""``history``: the main job without a browser, through the queue."""

from __future__ import annotations

import resource
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.loading import flags_option, load, note_export, request_of_words
from commands.opening import opened_site, quiet_settings
from commands.picture_files import picture_kind, refuse_with_picture, write_trend
from commands.printing import AsJson, check_new, say, say_json, show
from data.file_columns import UNITS
from data.time.months import iso_utc, iso_utc_or_none
from data.time.resolution import RESOLUTION_LIST
from errors import InvalidRequest, RiwayatError

if TYPE_CHECKING:
    from config import Settings
    from data.request import HistoryRequest
    from data.site import Site
    from jobs.job import Job
    from jobs.ledger.ledger import Ledger


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(history)


def history(
    station: Annotated[list[str], typer.Option(help="Station; may be repeated.")],
    sensor: Annotated[list[str], typer.Option(help="Sensor; may be repeated.")],
    start: Annotated[str, typer.Option("--from", help="First time: 2019-03-31, or 2019-03-31 14:30, or with an offset.")],
    end: Annotated[str, typer.Option("--to", help="End; it is no longer part of the range.")],
    resolution: Annotated[str, typer.Option(help=f"{RESOLUTION_LIST}.")] = "raw",
    timezone: Annotated[
        str | None, typer.Option(help="Zone of bare times and of buckets; default: the stations' own, else the site's.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Also write all rows: FILE.csv, .parquet, .arrow, .xlsx or .nc; or the chart: .png, .svg, .pdf or .html."
        ),
    ] = None,
    units: Annotated[
        str, typer.Option(help="Where a CSV file names units: none, name (of each column) or row (beneath the header).")
    ] = "none",
    manifest: Annotated[
        bool, typer.Option("--manifest", help="With --out: also write FILE.manifest.json, for `reproduce` and for citing.")
    ] = False,
    flags: Annotated[
        str | None,
        typer.Option(
            help="Flags of quality rules that count: none, hard or all; default: hard. Given, CSV, Parquet and Arrow files of "
            "observations end with a column flag."
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="With --out: replace a file that is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Load a history through the queue and print each series' statistics; Ctrl-C cancels."""
    from access.names import LOCAL_USER

    settings = quiet_settings()
    picture, kind = _file_asked(settings, out, units, manifest=manifest, force=force)
    choice = flags_option(flags)
    with opened_site(settings) as (site, ledger):
        site = replace(site, flags=choice)
        request = request_of_words(site, station, sensor, start, end, resolution, timezone)
        job, read = load(site, ledger, LOCAL_USER, request, lambda: summaries(site, request))
        found = read or []
        if out is not None and found:
            if picture:
                write_trend(site, job, out, picture)
            else:
                _export(_with_notes(site, ledger, request), request, out, units, manifest=manifest, with_flags=flags is not None)
            note_export(ledger, job, str(kind), out)
    _print(job, found, as_json)
    if not found:
        raise typer.Exit(1)


def summaries(site: Site, request: HistoryRequest) -> list[dict[str, Any]]:
    """Exact statistics of every series of the request, from all its rows.

    ``rows`` counts finite values; min, max and mean are over those that are not flagged.

    Raises:
        TileDamaged: a tile is damaged; it is out of the index then.
    """
    return [_summary(site, request, station, sensor) for station, sensor in request.series]


def _summary(site: Site, request: HistoryRequest, station: str, name: str) -> dict[str, Any]:
    import numpy as np

    from data.range_rows import open_observations
    from data.view.reduce import cut
    from data.view.statistics import statistics

    sensor, (start, end) = site.catalogue[name], (request.start_ms, request.end_ms)
    series = open_observations(site, request, station, name)
    found = statistics(series, sensor, start, end, step_ms=None)
    everything = cut(series, np.array([start, end], np.int64)).columns("all")

    return {
        "station": station,
        "sensor": name,
        "unit": sensor.unit,
        "rows": found.rows,
        "flagged": found.flagged,
        "first": iso_utc(int(everything.first_time[0])) if found.rows else None,
        "last": iso_utc(int(everything.last_time[0])) if found.rows else None,
        "min": found.min,
        "min_time": iso_utc_or_none(found.min_time),
        "max": found.max,
        "max_time": iso_utc_or_none(found.max_time),
        "mean": found.mean,
    }


def _file_asked(
    settings: Settings, out: Path | None, units: str, *, manifest: bool, force: bool
) -> tuple[str | None, str | None]:
    """Return which picture --out means, and which file; None where it means none."""
    if units not in UNITS:
        raise typer.BadParameter(f"must be one of {', '.join(UNITS)}", param_hint="--units")
    if not force:
        _check_new(out, manifest=manifest)
    picture = picture_kind(settings, out)
    if picture:
        refuse_with_picture(manifest=manifest, units=units != "none")
    return picture, picture or _format_of(out, manifest=manifest)


def _format_of(out: Path | None, *, manifest: bool) -> str | None:
    if out is None:
        if manifest:
            raise typer.BadParameter("needs --out", param_hint="--manifest")
        return None
    from data.export.file_digest import refuse_without_manifest
    from data.export.formats import format_of  # here, so that what writes no file need not wait for pyarrow

    try:
        kind = format_of(out)
        if manifest:
            refuse_without_manifest(kind)
        return kind
    except InvalidRequest as exc:
        raise typer.BadParameter(exc.message) from exc


def _with_notes(site: Site, ledger: Ledger, request: HistoryRequest) -> Site:
    """Return the site with the notes that workbooks and manifests tell."""
    from access.identity import owner_identity
    from access.names import LOCAL_USER
    from access.notes.file_notes import with_file_notes
    from access.store import open_access

    store = open_access(site.settings, engine=ledger.engine)
    return with_file_notes(site, store, owner_identity(site.settings, store, LOCAL_USER), request)


def _check_new(out: Path | None, *, manifest: bool) -> None:
    for path in (out, _manifest_of(out) if out is not None and manifest else None):
        check_new(path)


def _manifest_of(out: Path) -> Path:
    from data.export.manifest import ENDING

    return out.with_name(out.name + ENDING)


def _export(site: Site, request: HistoryRequest, out: Path, units: Any, *, manifest: bool, with_flags: bool) -> None:
    """Write the rows, and the ``manifest`` of the file where it is asked for."""
    from data.export.file_digest import export_with_manifest
    from data.export.formats import export_file

    try:
        if not manifest:
            export_file(site, request, out, units=units, with_flags=with_flags)
        else:
            made = export_with_manifest(site, request, out, units, with_flags=with_flags)
            _manifest_of(out).write_text(made.to_json(), encoding="utf-8")
    except OSError as exc:
        raise RiwayatError("{file} cannot be written: {why}.", file=out, why=exc.strerror or exc) from exc
    say(f"Wrote {out}.", err=True)
    # an import takes each row for an observation, whose time may be the end of its interval
    if request.resolution != "raw":
        say(
            f"Its times are the starts of the {request.resolution} buckets; to import a file again, write it with raw rows.",
            err=True,
        )


def _print(job: Job, found: list[dict[str, Any]], as_json: bool) -> None:
    empty = sorted({each["station"] for each in found} - {each["station"] for each in found if each["rows"]})
    if as_json:
        say_json({"job": job_summary(job), "series": found, "without_data": empty})
    elif found:
        show(found, as_json=False)
    if empty:
        say(f"No data in this range: {', '.join(empty)}.", err=True)


def job_summary(job: Job) -> dict[str, Any]:
    """The job as ``--json`` gives it; ``seconds`` is started to finished."""
    known = job.started_ms is not None and job.finished_ms is not None
    # where no child was needed
    own_peak_mb = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6, 1)
    return {
        "id": job.id,
        "status": job.status.value,
        "seconds": ((job.finished_ms or 0) - (job.started_ms or 0)) / 1000 if known else None,
        "rows": job.metrics.get("rows", 0),
        "tiles_read": job.metrics.get("tiles_read", 0),
        "tiles_reused": job.metrics.get("tiles_reused", 0),
        "bad_values": job.metrics.get("bad_values", 0),
        "bad_times": job.metrics.get("bad_times", 0),
        "peak_memory_mb": job.metrics.get("peak_memory_mb", own_peak_mb),
    }
