"""Limits that people set: kept in each kind of database, who may set them, and what becomes of
flags by them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, event, select
from typer.testing import CliRunner

from access.audit.entries import AuditFilter
from access.audit.log import AuditLog
from access.grants import Grant, Rights
from access.identity import Identity
from access.limits.limit_changes import LIMIT_NAMES, LimitChange, change_limits
from access.limits.limit_list import series_limits
from access.limits.stored_limits import StoredLimits
from access.revision_look import LOOK_EVERY_S, RevisionLook
from access.store import AccessStore, migrate_access
from access.tables import quality_limit
from app import create_app
from data.catalogue import DEFAULT_CATALOGUE, load_catalogue
from data.database.engine import make_engine
from data.export.manifest import FileRecord, manifest_of
from data.export.manifest_differences import differences
from data.flags_missing import flags_missing
from data.limit_overrides import AS_CATALOGUE, LimitOverrides
from data.overlay import flag_layer
from data.quality_limits import QualityLimits
from data.range_rows import open_observations
from data.request import HistoryRequest
from data.site import Site
from data.station_metadata import StationMetadata
from data.tiles.tile_store import SeriesKey
from data.time.months import iso_utc
from data.usual_limits import layers_of, limits_of
from errors import Conflict, InvalidRequest, NotPermitted, UnknownSensor
from jobs.job import Status
from jobs.kinds.history import load_history
from jobs.ledger.ledger import open_ledger
from jobs.limit_job import latest_run
from jobs.worker.child import make_run_job
from manage import build
from tests.contract.test_analyses import site  # noqa: F401 - a fixture
from tests.contract.test_flag_layer import SPIKE, STUCK, WORKER, loaded, request  # noqa: F401 - a fixture

ROOT = Identity("root", admin=True, via="login", rights=Rights(everything=True))


@pytest.fixture
def engine(migrated_url: str) -> Iterator[Engine]:
    made = make_engine(migrated_url)
    yield made
    made.dispose()


@pytest.fixture
def access(loaded: Site) -> Iterator[AccessStore]:  # noqa: F811
    """Of the site's own database."""
    made = make_engine(loaded.settings.jobs_url)
    migrate_access(made)
    yield AccessStore(made)
    made.dispose()


def reviewer(*sensors: str, may_review: bool = True, **more: Any) -> Identity:
    return Identity("sari", via="login", rights=Rights((Grant(("a",), sensors, may_review=may_review, **more),)))


def put(
    store: AccessStore, of: Site, who: Identity = ROOT, station: str | None = "a", seen: int | None = None, **limits: Any
) -> int:
    return change_limits(store, of, who, LimitChange(station, "temperature", limits), seen=seen)


def test_what_is_set_comes_back_and_is_heard_of_by_one_statement_of_what_is_new(engine: Engine, loaded: Site) -> None:  # noqa: F811
    now_s, statements = [0.0], list[str]()
    store, other = AccessStore(engine), StoredLimits(engine, RevisionLook(engine, lambda: now_s[0]))
    assert other("a", "temperature") == AS_CATALOGUE
    put(store, loaded, station=None, still_hours=9, step=[[1, 3.5], [60, 1e300]])
    put(store, loaded, spike=None)
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    assert other("a", "temperature") == AS_CATALOGUE
    assert statements == []
    now_s[0] += 1.1 * LOOK_EVERY_S
    found = other("a", "temperature")
    assert found == LimitOverrides(QualityLimits(still_hours=9, step=((1, 3.5), (60, 1e300))), QualityLimits(spike=None))
    assert found.station.model_fields_set == {"spike"}
    assert (other("b", "temperature").station, other("a", "humidity")) == (QualityLimits(), AS_CATALOGUE)
    assert len([each for each in statements if "quality_limit" in each]) == 1
    change_limits(store, loaded, ROOT, LimitChange("a", "temperature", {"spike": [[60, 9]]}, ()))
    change_limits(store, loaded, ROOT, LimitChange(None, "temperature", {}, ("step", "still_hours")))
    now_s[0] += 1.1 * LOOK_EVERY_S
    assert other("a", "temperature") == store.limits("a", "temperature") == StoredLimits(engine)("a", "temperature")
    assert store.limits("a", "temperature") == LimitOverrides(station=QualityLimits(spike=((60, 9),)))
    with engine.connect() as connection:
        revisions = list(connection.scalars(select(quality_limit.c.revision).order_by(quality_limit.c.revision)))
    assert len(set(revisions)) == 2


def test_what_another_version_has_set_hides_nothing_else(engine: Engine, loaded: Site) -> None:  # noqa: F811
    store = AccessStore(engine)
    put(store, loaded, still_hours=9, twin=3)
    with engine.begin() as connection:
        connection.execute(quality_limit.update().where(quality_limit.c.name == "twin").values(name="cousin", value='"x"'))
    assert StoredLimits(engine)("a", "temperature").station == QualityLimits(still_hours=9)


def test_people_count_over_the_catalogue_and_a_station_over_its_sensor() -> None:
    said = QualityLimits(still_hours=5, twin=5, neighbour=5, dark=5)
    sensor = replace(load_catalogue(DEFAULT_CATALOGUE)["temperature"], quality=said)
    station = StationMetadata.model_validate({"quality": {"temperature": {"neighbour": 7, "dark": 7}}})
    people = LimitOverrides(QualityLimits(twin=6, neighbour=6, dark=6), QualityLimits(dark=None))
    found = limits_of(sensor, station, people)
    assert (found.variation, found.still_hours, found.twin, found.neighbour, found.dark) == (0.3, 5, 6, 7, None)
    assert list(layers_of(sensor, station, people)) == ["built_in", "catalogue", "set", "catalogue_station", "set_station"]
    assert limits_of(sensor, station) == limits_of(sensor, station, AS_CATALOGUE)


@pytest.mark.parametrize(
    ("limits", "reset", "field"),
    [
        ({}, (), "limits"),
        ({"quantity": "rain"}, (), "limits"),
        ({}, ("nothing",), "limits"),
        ({"twin": 1}, ("twin",), "limits"),
        ({"still_hours": 0}, (), "limits.still_hours"),
        ({"still_hours": "8"}, (), "limits.still_hours"),
        ({"still_hours": float("nan")}, (), "limits.still_hours"),
        ({"variation_days": None}, (), "limits.variation_days"),
        ({"step": [[60, 8], [10, 5]]}, (), "limits.step"),
        ({"quiet": [2, 1]}, (), "limits.quiet"),
        ({"climate": [[0, 1]]}, (), "limits.climate"),
        ({"step": [[n, 1] for n in range(1, 900)]}, (), "limits.step"),
    ],
)
def test_what_the_catalogue_would_refuse_is_refused(
    loaded: Site,  # noqa: F811
    access: AccessStore,
    limits: Any,
    reset: Any,
    field: str,
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        change_limits(access, loaded, ROOT, LimitChange("a", "temperature", limits, reset))
    assert refused.value.field == field
    assert access.limits("a", "temperature") == AS_CATALOGUE


def test_who_may_review_all_of_a_series_sets_its_limits_and_an_administrator_those_of_all(
    loaded: Site,  # noqa: F811
    access: AccessStore,
) -> None:
    signed_in = replace(loaded, settings=loaded.settings.model_copy(update={"auth": "login"}))
    sari = reviewer("temperature")
    put(access, signed_in, sari, twin=3)
    with pytest.raises(NotPermitted, match="administrator"):
        put(access, signed_in, sari, None, twin=3)
    for other in (reviewer("temperature", may_review=False), reviewer("temperature", from_ms=request().start_ms + 86_400_000)):
        with pytest.raises(NotPermitted):
            put(access, signed_in, other, twin=4)
        assert not series_limits(access, signed_in, other, "a", "temperature").may_set
    with pytest.raises(UnknownSensor):
        put(access, signed_in, Identity("tia", via="login"), twin=4)
    put(access, signed_in, ROOT, None, neighbour=9)
    found = series_limits(access, signed_in, sari, "a", "temperature")
    told = {one.name: (one.value, one.origin, one.catalogue, one.made_by) for one in found.limits}
    assert tuple(told) == LIMIT_NAMES
    assert told["twin"] == (3, "set_station", 2, "sari")
    assert told["neighbour"] == (9, "set", 8, "root")
    assert told["still_hours"] == (4, "built_in", 4, None)
    assert (found.may_set, found.may_set_all, found.quantity) == (True, False, "air_temperature")
    (entry, *_) = AuditLog(access.engine).entries(AuditFilter(action="limits_changed"), limit=9)
    assert entry.subject == {"sensor": "temperature", "limits": {"neighbour": 9}, "reset": []}


def test_of_two_who_set_the_same_limits_the_later_one_hears_of_the_other(loaded: Site, access: AccessStore) -> None:  # noqa: F811
    first = put(access, loaded, twin=3)
    second = put(access, loaded, reviewer("temperature"), twin=4, seen=first)
    with pytest.raises(Conflict, match="sari"):
        put(access, loaded, twin=5, seen=first)
    put(access, loaded, twin=5, seen=second)
    put(access, loaded, twin=6, seen=second)  # one's own


@pytest.mark.parametrize("name", [name for name in LIMIT_NAMES if not name.endswith("_days") and name != "neighbour_hours"])
def test_any_rule_can_be_switched_off(loaded: Site, name: str) -> None:  # noqa: F811
    off = replace(loaded, limits=lambda *_: LimitOverrides(station=QualityLimits(**{name: None})))
    load_history(off, request(), lambda _: None)
    layer = flag_layer(off, "a", "temperature")
    assert layer is not None
    assert getattr(layer.limits, name) is None
    assert not flags_missing(off, request())


def test_other_limits_make_flags_anew_and_no_tile_of_readings_and_given_back_all_is_as_before(
    loaded: Site,  # noqa: F811
    access: AccessStore,
) -> None:
    client, ledger = create_app(loaded.settings).server.test_client(), open_ledger(loaded.settings)
    ledger.heartbeat(WORKER)
    here = replace(loaded, limits=access.limits, flags="hard")
    readings = SeriesKey(loaded.source_id, "a", "temperature")
    tiles = dict(here.tiles.entries(readings))
    before: tuple[Any, ...] = open_observations(here, request(), "a", "temperature").read()
    file = FileRecord(name="x.csv", format="csv", units="none", bytes=0, rows=0, sha256="0")
    manifest = manifest_of(here, request(), file)

    def change(**body: Any) -> dict[str, Any]:
        answer = client.patch("/api/limits", json={"station": "a", "sensor": "temperature"} | body)
        assert answer.status_code == 200, answer.text
        access.limits.look_again()
        assert flags_missing(here, request())
        claimed = ledger.claim("w1", ["history"])
        assert claimed is not None
        assert claimed.id == answer.json["job"]
        make_run_job(loaded.settings)(claimed.id, claimed.attempt)
        done = ledger.get(claimed.id)
        assert (done.status, (done.metrics or {})["tiles_read"]) == (Status.COMPLETED, 0)
        assert not flags_missing(here, request())
        assert here.tiles.entries(readings) == tiles
        return dict(answer.json or {})

    changed = change(limits={"still_hours": 48, "spike": None})
    assert {one["name"]: one["value"] for one in changed["limits"] if one["origin"] == "set_station"} == {
        "still_hours": 48,
        "spike": None,
    }
    flags = open_observations(here, request(), "a", "temperature").read()[2]
    assert not flags[STUCK].any()
    assert flags.sum() < before[2].sum()
    assert before[2][SPIKE]
    new = manifest_of(here, request(), file)
    assert "a temperature: rules or their limits have changed" in differences(manifest, new)
    change(reset=["still_hours", "spike"], seen=changed["revision"])
    after: tuple[Any, ...] = open_observations(here, request(), "a", "temperature").read()
    assert all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))
    assert manifest_of(here, request(), file).series == manifest.series
    ledger.engine.dispose()


def test_limits_of_all_stations_start_the_load_that_is_asked_for_or_none(loaded: Site) -> None:  # noqa: F811
    client, ledger = create_app(loaded.settings).server.test_client(), open_ledger(loaded.settings)
    ledger.heartbeat(WORKER)
    body = {"sensor": "temperature", "limits": {"still_hours": 5}}
    assert client.patch("/api/limits", json=body).json["job"] is None
    load = {"station": ["a"], "from": "2024-01-01T00:00Z", "to": "2024-02-01T00:00Z"}
    job = ledger.get(client.patch("/api/limits", json=body | {"load": load}).json["job"])
    assert job.request == HistoryRequest(("a",), ("temperature",), request().start_ms, job.request.end_ms)
    assert client.get("/api/limits?sensor=temperature").json["revision"] > 0
    wrong = client.patch("/api/limits", json=body | {"limits": {"step": [[5]]}})
    assert (wrong.status_code, wrong.json["error"]["field"]) == (400, "limits.step")
    ledger.engine.dispose()


def test_times_of_the_load_without_an_offset_are_in_its_stations_zone(loaded: Site, tmp_path: Path) -> None:  # noqa: F811
    catalogue = tmp_path / "sensors.toml"
    station = '\n[stations.a]\ntimezone = "America/New_York"\n'
    catalogue.write_text(DEFAULT_CATALOGUE.read_text(encoding="utf-8") + station, encoding="utf-8")
    settings = loaded.settings.model_copy(update={"sensors": catalogue, "timezone": "Asia/Jakarta"})
    client, ledger = create_app(settings).server.test_client(), open_ledger(settings)
    ledger.heartbeat(WORKER)
    load = {"station": ["a"], "from": "2024-01-01", "to": "2024-01-02T00:00+07:00"}
    body = {"sensor": "temperature", "limits": {"still_hours": 5}, "load": load}
    job = ledger.get(client.patch("/api/limits", json=body).json["job"])
    assert (iso_utc(job.request.start_ms), iso_utc(job.request.end_ms)) == ("2024-01-01T05:00:00Z", "2024-01-01T17:00:00Z")
    ledger.engine.dispose()


def test_the_command_shows_sets_and_gives_back(loaded: Site, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setattr("commands.opening.load_settings", lambda: loaded.settings)

    def limits(*arguments: str) -> dict[str, Any]:
        done = CliRunner().invoke(build(), ("quality", "limits", "--sensor", "temperature", *arguments, "--json"))
        assert done.exit_code == 0, done.output
        found = json.loads(done.stdout)
        return {one["name"]: one["value"] for one in found["limits"] if "set" in one["origin"]}

    assert limits("--station", "a", "--set", "step=[[60, 8]]", "--set", "spike=off") == {"step": [[60, 8]], "spike": None}
    assert limits("--set", "twin=3") == {"twin": 3}
    assert limits("--station", "a", "--reset", "step", "--reset", "spike") == {"twin": 3}


def test_the_latest_months_without_a_gap_are_loaded() -> None:
    assert latest_run([1, 2, 4, 5, 6]) == [4, 5, 6]
    assert latest_run([]) == []
    assert latest_run([3]) == [3]
