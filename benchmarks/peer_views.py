"""One library beside ours as it answers a zoom. Runs in ``.venv-peers``
(requirements-peers.txt), so it imports nothing of ours.

``python -m benchmarks.peer_views PEER FOLDER``: the rows are ``times.npy`` (int64 ms UTC) and
``values.npy`` (float64 [series, rows]) of the folder. Of each line ``start_ms end_ms`` that comes
in, a line of JSON goes out: processor time of all threads and time by the clock (ms), and points,
first and last time (ms UTC) of each series that was drawn.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np


class Drawn(NamedTuple):
    """What a library answers: the JSON for the browser, and the times of each series."""

    text: str
    times: list[Any]


Zoom = Callable[[str, str], Drawn]
Numbers = np.ndarray[Any, Any]
RESAMPLER_POINTS, FLEXVIZ_POINTS = 2000, 4800  # of a series; the second draws as many as M4 on 1,200 pixels


def resampler(times: Numbers, values: Numbers) -> Zoom:
    """Return how plotly-resampler answers: its Dash callback, and Dash's JSON of it."""
    import plotly.graph_objects as go
    from plotly.io.json import to_json_plotly
    from plotly_resampler import FigureResampler

    figure = FigureResampler(go.Figure(), default_n_shown_samples=RESAMPLER_POINTS)
    for each in values:
        figure.add_trace(go.Scattergl(), hf_x=times, hf_y=each)

    def zoom(start: str, end: str) -> Drawn:
        patch = figure.construct_update_data_patch({"xaxis.range[0]": start, "xaxis.range[1]": end})
        operations = patch.to_plotly_json()["operations"]
        return Drawn(to_json_plotly(patch), [one["params"]["value"] for one in operations if one["location"][-1] == "x"])

    return zoom


def flexviz(times: Numbers, values: Numbers) -> Zoom:
    """Return how flexviz answers: its route's function, from the request's JSON to the answer's."""
    import polars as pl
    from flexviz import Figure, register_source
    from flexviz.server import DashboardRequest, dashboard_update
    from flexviz.spec import DashboardSpec

    names = [f"series_{number}" for number in range(len(values))]
    figure = Figure(pl.DataFrame({"time": times, **dict(zip(names, values, strict=True))}))
    for name in names:
        figure.add_line(x="time", y=name, n_points=FLEXVIZ_POINTS, assume_sorted_x=True)
    register_source("bench", figure._backend_lf)  # noqa: SLF001 - as its own show() does
    spec = figure.to_spec(source="bench")
    axis, loop = f"{spec.figure.uid}/x", asyncio.new_event_loop()
    asked = {"spec": DashboardSpec(figures=[spec.figure], state=spec.state).model_dump()}
    asked["event"] = {"type": "viewport", "viewport_keys": [axis]}

    def zoom(start: str, end: str) -> Drawn:
        asked["spec"]["state"]["viewport"] = {axis: {"min": start, "max": end}}
        request = DashboardRequest.model_validate_json(json.dumps(asked))
        answer = loop.run_until_complete(dashboard_update(request, None))
        text = answer.model_dump_json()
        return Drawn(text, [one["updates"]["x"] for one in answer.figure_deltas[spec.figure.uid]])

    return zoom


PEERS: dict[str, Callable[[Numbers, Numbers], Zoom]] = {"plotly-resampler": resampler, "flexviz": flexviz}


def _wall(ms: str) -> str:
    """A time as the browser sends it."""
    return str(np.datetime64(int(ms), "ms")).replace("T", " ")


def _timed(zoom: Zoom, start_ms: str, end_ms: str) -> dict[str, Any]:
    start, end = _wall(start_ms), _wall(end_ms)
    clock, processor = time.perf_counter(), time.process_time()
    drawn = zoom(start, end)
    processor, clock = time.process_time() - processor, time.perf_counter() - clock
    ends = [[int(np.datetime64(each, "ms").astype(np.int64)) for each in (times[0], times[-1])] for times in drawn.times]
    points = [len(times) for times in drawn.times]
    return {"processor_ms": processor * 1000, "clock_ms": clock * 1000, "points": points, "ends_ms": ends}


def _serve(peer: str, folder: str) -> None:
    times = np.load(Path(folder, "times.npy")).astype("datetime64[ms]")
    zoom = PEERS[peer](times, np.load(Path(folder, "values.npy")))
    for line in sys.stdin:
        print(json.dumps(_timed(zoom, *line.split())), flush=True)


if __name__ == "__main__":
    _serve(*sys.argv[1:])
