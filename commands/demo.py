"""``demo``: synthetic stations, marked as such."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    stations: Annotated[int, typer.Option(min=1, max=10_000, help="How many stations: demo-1, demo-2 …")] = 1,
    years: Annotated[float, typer.Option(help="How many years, up to yesterday; decimals allowed.")] = 3.0,
    step: Annotated[int, typer.Option(min=1, max=86_400, help="Seconds between observations.")] = 60,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Make plausible synthetic stations in a tropical climate. Made again, they are the same."""
    from config import load_settings
    from data.catalogue import load_catalogue
    from data.demo import DemoReport, make_demo, plan_demo
    from data.engine import explained, make_engine, migrate_observations

    if not 0 < years <= 500:
        raise typer.BadParameter("must be above 0 and at most 500", param_hint="--years")
    settings = load_settings()
    settings.prepare()
    catalogue = load_catalogue(settings.sensors)
    plan = plan_demo(now_ms=time.time_ns() // 1_000_000, stations=stations, years=years, step_s=step)
    engine = make_engine(settings.history_url)
    begun = time.monotonic()
    try:
        migrate_observations(engine, catalogue)
        with explained(engine), _progress(plan.rows) as report:
            made: DemoReport = make_demo(engine, catalogue, plan, report)
    finally:
        engine.dispose()
    seconds = time.monotonic() - begun
    if as_json:
        typer.echo(json.dumps({**asdict(made), "seconds": round(seconds, 3)}))
    names = made.stations[0] if len(made.stations) == 1 else f"{made.stations[0]} … {made.stations[-1]}"
    typer.echo(f"{names} (synthetic): {made.stored} rows stored, {made.replaced} there already, {seconds:.1f} s", err=True)


@contextmanager
def _progress(rows: int) -> Iterator[Callable[[int], None]]:
    """A bar on standard error; yields what takes the number of rows done."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("synthetic rows", total=rows)
        yield lambda done: progress.update(task, completed=done)
