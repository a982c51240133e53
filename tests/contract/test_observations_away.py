"""While the database of observations is away the page says so,
shows what it knows and what is loaded, and recovers by itself.
"""

from __future__ import annotations

import contextlib
import json
import socket
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import make_url

from app import create_app
from commands.setup import bring_up_to_date
from config import Settings
from data.database.drivers import CONNECT_TIMEOUT_S
from data.request import request_of
from data.site import open_site
from jobs.kinds.history import load_history
from jobs.ledger.ledger import migrate_jobs, open_ledger
from tests.databases import MIGRATED
from tests.e2e.cable import Cable
from tests.processes import free_port, wait_until
from tests.store import store_at

ROWS = "station,timestamp_utc,temperature\n" + "".join(
    f"aws-1,2019-01-{day:02}T00:00:00Z,2{day % 10}.5\n" for day in range(1, 29)
)
FORM = {
    "station.value": ["aws-1"], "sensor.value": ["temperature"], "range-start.value": "2019-01-01",
    "range-end.value": "2019-02-01", "resolution.value": "raw", "zone.value": "station", "job-ended.data": None,
}  # fmt: skip


@contextlib.contextmanager
def closed_port(_folder: Path) -> Iterator[str]:
    yield f"postgresql://postgres@127.0.0.1:{free_port()}/riwayat"


@contextlib.contextmanager
def silent_port(_folder: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"postgresql://postgres@127.0.0.1:{listener.getsockname()[1]}/riwayat"


@contextlib.contextmanager
def silent_mariadb(_folder: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"mysql://root@127.0.0.1:{listener.getsockname()[1]}/riwayat"


@contextlib.contextmanager
def locked_file(folder: Path) -> Iterator[str]:
    file = folder / "observations.sqlite"
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as holder:
        holder.execute("PRAGMA locking_mode = EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE")
        yield f"sqlite:///{file}"


def client(folder: Path, url: str) -> FlaskClient:
    settings = Settings(data_dir=folder / "var", observations_url=url)
    ledger = open_ledger(settings)
    migrate_jobs(ledger.engine)
    ledger.engine.dispose()
    return create_app(settings).server.test_client()


def layout(of: FlaskClient) -> str:
    answer = of.get("/_dash-layout")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def update(of: FlaskClient, outputs: list[str], inputs: dict[str, Any], state: dict[str, Any] | None = None) -> Any:
    """What one of the page's callbacks answers."""

    def listed(values: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"id": name.split(".")[0], "property": name.split(".")[1], "value": value} for name, value in values.items()]

    asked = [{"id": name.split(".")[0], "property": name.split(".")[1].split("@")[0]} for name in outputs]
    body = {
        "output": f"..{'...'.join(outputs)}..",
        "outputs": asked,
        "inputs": listed(inputs),
        "state": listed(state or {}),
        "changedPropIds": list(inputs)[:1],
    }
    answer = of.post("/_dash-update-component", json=body)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_json()["response"]


def estimate(of: FlaskClient) -> str:
    return str(update(of, ["estimate.children", "estimate.className"], FORM)["estimate"]["children"])


@pytest.mark.parametrize("away", [closed_port, silent_port, silent_mariadb, locked_file])
def test_a_page_without_a_database_from_the_start_says_so_with_one_action_and_does_not_hang(tmp_path, away):
    with away(tmp_path) as url:
        page = client(tmp_path, url)
        began_s = time.monotonic()
        shown = layout(page)
        assert time.monotonic() - began_s < CONNECT_TIMEOUT_S  # what a driver alone would take
        assert "so the stations are not known. Try again in a moment" in shown
        assert shown.count('"children":"Try again"') == 1
        assert "No data yet" not in shown
        assert page.get("/").status_code == 200
        assert "The database does not answer" in estimate(page)
        assert page.get("/readyz").get_json()["checks"]["observations"] is False
        answer = page.post(
            "/api/jobs", json={"stations": ["aws-1"], "sensors": ["temperature"], "start": "2019-01-01", "end": "2020-01-01"}
        )
        assert (answer.status_code, answer.get_json()["error"]["code"]) == (503, "source_unavailable")
        assert "Retry-After" in answer.headers


@pytest.fixture
def cabled(tmp_path: Path) -> Iterator[tuple[Cable, FlaskClient]]:
    """A site whose month is loaded, on PostgreSQL behind a cable."""
    with MIGRATED["postgresql"](tmp_path) as url:
        store = store_at(url, tmp_path)
        store.load(ROWS)
        store.engine.dispose()
        server = make_url(url)
        with Cable(str(server.host), server.port or 5432) as cable:
            far = server.set(host="127.0.0.1", port=cable.port).render_as_string(hide_password=False)
            settings = Settings(data_dir=tmp_path / "var", observations_url=far)
            bring_up_to_date(settings)
            site = open_site(settings)
            load_history(site, request_of(["aws-1"], ["temperature"], "2019-01-01", "2019-02-01", "raw", "UTC"), lambda _: None)
            site.engine.dispose()
            yield cable, create_app(settings).server.test_client()


@pytest.mark.parametrize("how", ["cut", "still"])
def test_a_page_lives_on_without_its_database_and_is_whole_when_it_is_back(cabled, how):
    cable, page = cabled
    assert "aws-1" in layout(page)
    body = {"stations": ["aws-1"], "sensors": ["temperature"], "start": "2019-01-02", "end": "2019-02-01", "timezone": "UTC"}
    job = page.post("/api/jobs", json=body).get_json()
    assert job["status"] == "completed"

    (cable.cut if how == "cut" else cable.be_still)()
    shown = layout(page)
    assert "aws-1" in shown
    assert "already loaded can still be viewed" in shown
    assert "The database does not answer" in estimate(page)
    inputs, state = {"link.data": f"?job={job['id']}"}, {"job-id.data": None, "selection.data": None}
    outputs = json.loads(page.get("/_dash-dependencies").get_data())
    arrive = next(each["output"] for each in outputs if any(of["id"] == "link" for of in each["inputs"]))
    arrived = update(page, arrive.strip(".").split("..."), inputs, state)
    assert arrived["job-id"]["data"] == job["id"]
    assert "already loaded can still be viewed" in json.dumps(arrived)
    figure = page.get(f"/api/jobs/{job['id']}/figure")
    assert figure.status_code == 200
    assert any(len(trace.get("y", ())) for trace in figure.get_json()["data"])
    assert figure.get_json()["layout"]["meta"]["complete"] is False  # nobody can say

    (cable.mend if how == "cut" else cable.flow)()
    wait_until(lambda: "observations does not answer" not in layout(page), "the page to be whole")
    wait_until(lambda: "ready" in estimate(page), "the estimate")
