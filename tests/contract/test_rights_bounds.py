"""Bounds, presets and estimates come from granted sensors alone:
those of one sensor say nothing of another.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from access.grants import Grant, Rights
from access.identity import Identity
from access.restricted_site import restricted_site
from access.store import migrate_access, open_access
from app import create_app
from callbacks.form import preset_text
from callbacks.start import start_values
from config import Settings
from data.ingest.file_plan import ImportOptions
from data.ingest.importing import import_files
from data.load_plan import plan
from data.request import request_of
from data.site import open_site
from errors import NoData
from jobs.ledger.ledger import migrate_jobs, open_ledger
from jobs.services import Services
from jobs.start import start_job
from layouts.start import start
from tests.people import granted, person
from tests.store import open_store

A, B = "humidity", "temperature"
OTHERS_YEARS = re.compile(r"199\d|2024")  # when only B had values
SARI = granted("sari", Grant(("aws-1",), (A,)))


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    """A station of 1990, whose sensor B reported until 2024, and A in January 2020 alone."""
    settings = Settings(data_dir=tmp_path / "var", timezone="UTC", auth="proxy", _env_file=None)
    settings.prepare()
    opened = open_store(settings.history_url, tmp_path)
    days = [f"1990-01-{day:02d},aws-1,20,\n2020-01-{day:02d},aws-1,20,60\n2024-01-{day:02d},aws-1,20," for day in range(10, 20)]
    file = opened.file("a.csv", "\n".join([f"timestamp_utc,station,{B},{A}", *days]) + "\n")
    import_files(opened.engine, opened.catalogue, [file], ImportOptions())
    opened.engine.dispose()
    site, ledger = open_site(settings), open_ledger(settings)
    migrate_jobs(ledger.engine)
    migrate_access(ledger.engine)
    yield Services(settings, site, ledger, open_access(settings, engine=ledger.engine), lambda: SARI, lambda: None)
    ledger.engine.dispose()
    site.engine.dispose()


def test_who_sees_one_sensor_is_told_its_bounds_by_lists_presets_and_the_start(services):
    (station,) = services.seen().inventory.known().stations
    assert station.span == (1_578_614_400_000, 1_579_392_000_000)  # 10 and 19 January 2020
    assert station.rows < 10
    assert preset_text(services, "all", [], []) == ["2020-01-09 23:59", "2020-01-19 00:01"]
    assert preset_text(services, "7d", ["aws-1"], [A]) == ["2020-01-12 00:01", "2020-01-19 00:01"]
    assert start_values(services, ["aws-1"])[4] == "2020-01-19 00:01"
    assert not OTHERS_YEARS.search(str(start(services.seen().inventory.stations(), services.site.catalogue, "UTC")))


def test_each_grant_is_limited_to_the_bounds_of_the_sensors_that_it_names(services):
    """All time of A and the time from 2010 on of B are no right to know of 1990."""
    from_2010_ms, last_ms = 1_262_304_000_000, 1_705_622_400_000
    both = granted("sari", Grant(("aws-1",), (A,)), Grant(("aws-1",), (B,), from_ms=from_2010_ms))
    (station,) = restricted_site(services.site, both.rights).inventory.stations()
    assert station.span == (from_2010_ms, last_ms)


def test_a_page_names_no_time_of_a_sensor_that_is_not_granted(services):
    server = create_app(services.settings).server
    services.access.add_grant("user", "sari", Grant(("aws-1",), (A,)), by="test")
    client = server.test_client()
    text = client.get("/_dash-layout", headers={"X-Forwarded-User": "sari"}).text
    assert "2020" in text
    assert not re.search(r"\b199\d\b|Jan 2024|2024-01", text)


@pytest.mark.parametrize("via", ["proxy", "key", "embed"])
def test_a_load_where_only_another_sensor_reported_is_refused_as_without_data(services, via):
    identity = Identity("sari", via=via, rights=Rights((Grant(("aws-1",), (A,), may_embed=True),)))
    for year in (1990, 2024):
        request = request_of(["aws-1"], [A], f"{year}-01-01", f"{year + 1}-01-01", "raw", "UTC")
        with pytest.raises(NoData) as caught:
            start_job(services.site, services.ledger, identity, request, lambda: None)
        said = caught.value.message
        assert said.endswith(" 2020-01-10T00:00:00Z to 2020-01-19T00:00:00Z.")


def test_an_estimate_counts_rows_within_a_sensors_bounds(services):
    def estimate(identity: Identity, *sensors: str) -> tuple[int, int]:
        request = request_of(["aws-1"], sensors, "1980-01-01", "2030-01-01", "raw", "UTC")
        planned = plan(restricted_site(services.site, identity.rights), request)
        return planned.rows_total, planned.tiles_total

    assert estimate(SARI, A) == (10, 1)
    assert estimate(person("root"), A) == (10, 1)
    assert estimate(person("root"), A, B) == (40, 4)


def test_a_preset_means_the_newest_data_of_the_chosen_sensors(services):
    everybody = replace(services, identify=lambda: person("root"))
    assert preset_text(everybody, "7d", ["aws-1"], [A, B]) == ["2024-01-12 00:01", "2024-01-19 00:01"]
    assert preset_text(everybody, "7d", ["aws-1"], [A]) == ["2020-01-12 00:01", "2020-01-19 00:01"]
    assert preset_text(everybody, "all", ["aws-1"], [A]) == ["2020-01-09 23:59", "2020-01-19 00:01"]


def test_the_api_tells_a_user_of_one_sensor_nothing_of_another(services):
    server = create_app(services.settings).server
    services.access.add_grant("user", "sari", Grant(("aws-1",), (A,)), by="test")
    body = {"stations": ["aws-1"], "sensors": [A], "start": "2000-01-01", "end": "2030-01-01", "timezone": "UTC"}
    client = server.test_client()
    client.environ_base["HTTP_X_FORWARDED_USER"] = "sari"
    found = client.post("/api/jobs", json=body)
    assert found.status_code == 202
    job = client.get(f"/api/jobs/{found.json['id']}").json
    refused = client.post("/api/jobs", json=body | {"start": "2023-01-01"})
    assert refused.json["error"]["code"] == "no_data"
    assert not OTHERS_YEARS.search(json.dumps(refused.json).replace("2023-01-01", ""))
    assert services.ledger.get(job["id"]).request.sensors == (A,)
