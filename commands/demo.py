"""``demo``: synthetic stations, marked as such."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Annotated

import typer

from commands.opening import own_table
from commands.printing import AsJson, progress_bar, say, say_json, some
from data.time.epoch import epoch_ms


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    stations: Annotated[int, typer.Option(min=1, max=10_000, help="How many stations: demo-1, demo-2 …")] = 1,
    years: Annotated[float, typer.Option(help="How many years, up to yesterday; decimals allowed.")] = 3.0,
    step: Annotated[int, typer.Option(min=1, max=86_400, help="Seconds between observations.")] = 60,
    as_json: AsJson = False,
) -> None:
    """Make plausible synthetic stations in a tropical climate. Made again, they are the same."""
    from data.demo.generator import make_demo, plan_demo

    if not 0 < years <= 500:
        raise typer.BadParameter("must be above 0 and at most 500", param_hint="--years")
    plan = plan_demo(now_ms=epoch_ms(), stations=stations, years=years, step_s=step)
    begun = time.monotonic()
    with own_table() as (_, catalogue, engine), progress_bar("synthetic rows", plan.rows, counted=True) as report:
        made = make_demo(engine, catalogue, plan, report)
    seconds = time.monotonic() - begun
    if as_json:
        say_json({**asdict(made), "seconds": round(seconds, 3)})
    names = made.stations[0] if len(made.stations) == 1 else f"{made.stations[0]} … {made.stations[-1]}"
    say(f"{names} (synthetic): {some(made.stored, 'row')} stored, {made.replaced} there already, {seconds:.1f} s", err=True)
