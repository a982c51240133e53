"""Observations that arrive: kept before they are accepted, stored once, in the order in which they
came.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from flask.testing import FlaskClient

from app import create_app
from commands.doctor import Check, examine
from config import Settings
from data.catalogue import load_catalogue
from data.database.engine import make_engine
from data.inbox.arrivals import Arrivals, arrivals_of, joined_arrivals, rows_by_station
from data.inbox.items import arrivals_of_items, times_of
from data.inbox.spool import Spool
from data.inbox.storing import Storekeeper, usual_step_ms
from data.time.zones import zone_of
from errors import ConfigurationError, InboxFull
from jobs.receiving import open_spool
from tests.store import Store

KEY, OTHER = "a" * 32, "b" * 32
MINUTE = 60_000
RECEIVER = "/api/aws/receiver"


def arrivals(*items: tuple[str, int, Mapping[str, float | None]]) -> Arrivals:
    stations, times, values = zip(*items, strict=True)
    return arrivals_of_items(stations, np.array(times, np.int64), values)


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "inbox", 1000)


@pytest.fixture
def store(migrated_url: str, tmp_path: Path) -> Iterator[Store]:
    engine = make_engine(migrated_url)
    yield Store(engine, load_catalogue(), tmp_path)
    engine.dispose()


@pytest.fixture
def keeper(store: Store, spool: Spool) -> Storekeeper:
    return Storekeeper(store.engine, store.catalogue, spool)


def test_a_delivery_comes_back_from_the_disk_as_it_went(spool: Spool) -> None:
    sent = arrivals(("s\u0435ti", 5, {"temperature": 21.5, "humidity": None}), ("b", 4, {"station": 1.0}))
    spool.put(sent)
    [(delivery, found)] = spool.take(10)
    assert delivery.rows == 2
    assert found.sensors == sent.sensors
    assert found.stations.tolist() == sent.stations.tolist()
    assert found.times.tolist() == [5, 4]
    np.testing.assert_array_equal(found.given, sent.given)
    np.testing.assert_array_equal(found.values, sent.values)


def test_of_equal_stations_and_times_the_later_delivery_holds_sensor_by_sensor() -> None:
    early = arrivals(("a", 1, {"temperature": 1.0, "humidity": 50.0}), ("a", 2, {"temperature": 2.0}))
    late = arrivals(("a", 1, {"temperature": None}), ("a", 2, {"humidity": 60.0}))
    found = {(row.sensors, *row.times.tolist()): row.values.tolist() for row in rows_by_station(joined_arrivals([early, late]))}
    assert list(found) == [(("temperature", "humidity"), 1, 2)]
    np.testing.assert_array_equal(next(iter(found.values())), [[np.nan, 50.0], [2.0, 60.0]])


def test_an_arrow_table_says_null_where_nothing_was_said() -> None:
    table = arrivals(("a", 1, {"temperature": None}), ("a", 2, {"humidity": 60.0})).to_arrow()
    assert table.column("temperature").is_null().to_pylist() == [False, True]
    assert arrivals_of(table).given.tolist() == [[True, False], [False, True]]


def test_a_full_inbox_refuses_and_keeps_nothing_of_it(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 3)
    spool.put(arrivals(*(("a", at, {"temperature": 1.0}) for at in range(4))))  # one delivery is always taken
    with pytest.raises(InboxFull):
        spool.put(arrivals(("a", 9, {"temperature": 1.0})))
    assert spool.rows_waiting() == 4


def test_a_delivery_that_cannot_be_read_is_set_aside_and_the_others_are_taken(spool: Spool) -> None:
    spool.put(arrivals(("a", 1, {"temperature": 1.0})))
    spool.put(arrivals(("b", 1, {"temperature": 1.0})))
    first = spool.waiting()[0].path
    first.write_bytes(first.read_bytes()[:40])
    assert [found.stations.tolist() for _, found in spool.take(10)] == [["b"]]
    assert (spool.folder / "damaged" / first.name).exists()
    assert len(spool.waiting()) == 1


def test_what_is_stored_is_new_once_and_sets_only_what_was_sent(store: Store, spool: Spool, keeper: Storekeeper) -> None:
    spool.put(arrivals(("a", MINUTE, {"temperature": 1.0, "humidity": 50.0}), ("a", 2 * MINUTE, {"temperature": 2.0})))
    spool.put(arrivals(("a", MINUTE, {"temperature": 1.5})))
    assert keeper.store().new == 2
    assert not spool.waiting()
    expected = [("a", MINUTE, 1.5, 50.0), ("a", 2 * MINUTE, 2.0, None)]
    assert store.rows("temperature", "humidity") == expected
    generation = store.inventory.months("a", 0, 99_999)[1970 * 12].generation
    spool.put(arrivals(("a", MINUTE, {"temperature": 1.5})))
    stored = keeper.store()
    assert (stored.rows, stored.new) == (1, 0)
    assert store.rows("temperature", "humidity") == expected
    assert store.inventory.months("a", 0, 99_999)[1970 * 12].generation == generation


def test_killed_between_storing_and_removing_the_same_is_stored_once_more_without_a_change(
    store: Store, spool: Spool, keeper: Storekeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool.put(arrivals(("a", MINUTE, {"temperature": 1.0})))
    with monkeypatch.context() as patch:
        patch.setattr(spool, "remove", lambda _: None)
        assert keeper.store().new == 1
    assert keeper.store().new == 0
    assert not spool.waiting()
    assert store.rows("temperature") == [("a", MINUTE, 1.0)]


def test_a_delivery_that_cannot_be_stored_is_set_aside_and_holds_up_no_other(
    store: Store, spool: Spool, keeper: Storekeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(connection: Any, rows: Any, steps_ms: Any) -> int:
        if rows.station == "b":
            raise ValueError("no database takes it")
        return really(connection, rows, steps_ms)

    really = keeper._write
    monkeypatch.setattr(keeper, "_write", write)
    for station in ("a", "b", "c"):
        spool.put(arrivals((station, MINUTE, {"temperature": 1.0})))
    guilty = spool.waiting()[1].path.name
    while spool.waiting():
        keeper.store()
    assert [path.name for path in (spool.folder / "damaged").iterdir()] == [guilty]
    assert sorted(store.rows("temperature")) == [("a", MINUTE, 1.0), ("c", MINUTE, 1.0)]


def test_a_transaction_takes_no_more_than_it_is_told_and_one_delivery_at_least(spool: Spool, keeper: Storekeeper) -> None:
    for at in range(3):
        spool.put(arrivals(*(("a", 10 * at + each, {"temperature": 1.0}) for each in range(5))))
    assert [keeper.store(most_rows=rows).deliveries for rows in (1, 10, 10)] == [1, 2, 0]


def test_the_inventory_knows_span_and_step_of_what_arrived(store: Store, spool: Spool, keeper: Storekeeper) -> None:
    spool.put(arrivals(*(("a", at * MINUTE, {"temperature": 1.0}) for at in (1, 2, 3, 5))))
    keeper.store()
    station = store.inventory.station("a")
    assert (station.rows, station.step_ms) == (4, MINUTE)
    assert station.spans["temperature"] == (MINUTE, 5 * MINUTE)


@pytest.mark.parametrize(
    ("minutes", "known_min", "expected_min"),
    [([1], None, None), ([1, 3], None, 2), ([1, 3], 1, None), (list(range(0, 40, 4)), 1, 4), ([0, 1, 2, 9], None, 1)],
)
def test_few_times_tell_a_step_only_while_none_is_known(
    minutes: list[int], known_min: int | None, expected_min: int | None
) -> None:
    known = None if known_min is None else known_min * MINUTE
    expected = None if expected_min is None else expected_min * MINUTE
    assert usual_step_ms(np.array(minutes) * MINUTE, known) == expected


def test_times_without_an_offset_are_of_the_zone_and_others_of_theirs() -> None:
    texts = ["2025-08-11 10:30:00", "2025-08-11T10:30:00Z", "2025-08-11T10:30:00+02:00", "next week", "2025-02-30"]
    times, wrong = times_of(texts, ["a"] * 5, zone_of("Asia/Jakarta"))
    assert (times[1] - times[0], times[1] - times[2]) == (7 * 60 * MINUTE, 2 * 60 * MINUTE)
    assert wrong.tolist() == [3, 4]


def test_a_time_that_clocks_skipped_is_wrong_and_an_hour_shown_twice_goes_on() -> None:
    texts = ["2024-03-31 02:30:00", "2024-10-27 02:30:00", "2024-10-27 02:45:00", "2024-10-27 02:15:00"]
    times, wrong = times_of(texts, ["a"] * 4, zone_of("Europe/Brussels"))
    assert wrong.tolist() == [0]
    assert np.diff(times[1:]).tolist() == [15 * MINUTE, 30 * MINUTE]


# over HTTP


@pytest.fixture
def settings(data_dir: Path) -> Settings:
    return Settings(data_dir=data_dir, auth="proxy", ingest_keys=f"{KEY}:aws*,LGA;{OTHER}:*", rate_ingest=0)


@pytest.fixture
def client(settings: Settings) -> FlaskClient:
    return create_app(settings).server.test_client()


@pytest.fixture
def post(client: FlaskClient) -> Callable[..., Any]:
    def post(body: Any, path: str = RECEIVER, key: str = KEY, kind: str = "application/json") -> Any:
        data = body if isinstance(body, bytes) else json.dumps(body)
        return client.post(path, data=data, content_type=kind, headers={"Authorization": f"Bearer {key}"})

    return post


def item(station: str = "aws1", at: str = "2025-08-11 10:30:00", **values: Any) -> dict[str, Any]:
    return {"_groupTag": station, "_terminalTime": at, **values}


def waiting(settings: Settings) -> Arrivals:
    return joined_arrivals([found for _, found in open_spool(settings).take(10**6)])


def test_the_receiver_answers_in_the_words_of_the_older_dashboard_once_the_disk_has_it(settings: Settings, post: Any) -> None:
    answer = post({"DataArray": [item(temperature=25.5, wind_speed=None, _battery=3, mystery=1)]})
    assert answer.status_code == 202
    assert set(answer.json) == {
        "status", "message", "data_count", "queue", "response_time_ms", "estimated_processing_time", "note"
    }  # fmt: skip
    assert (answer.json["status"], answer.json["data_count"], answer.json["queue"]) == ("accepted", 1, "scada-processing")
    assert answer.json["message"] == "Data accepted and queued for processing."
    assert "mystery" in answer.json["note"]
    assert "_battery" not in answer.json["note"]
    kept = waiting(settings)
    assert dict(zip(kept.sensors, kept.values[0].tolist(), strict=True))["temperature"] == 25.5
    assert sorted(kept.sensors) == ["temperature", "wind_speed"]
    assert kept.times.tolist() == [1_754_883_000_000]  # 03:30 UTC, Jakarta's 10:30


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (item(temperature=101), "DataArray.0.temperature"),
        (item(temperature="warm"), "DataArray.0.temperature"),
        (item(temperature=True), "DataArray.0.temperature"),
        (item(at="0001-01-01 00:00:00"), "DataArray.0._terminalTime"),
        (item(at="9999-12-31T23:59:59-12:00"), "DataArray.0._terminalTime"),
        (item(humidity=-1), "DataArray.0.humidity"),
        (item(pressure=799), "DataArray.0.pressure"),
        (item(wind_direction=361), "DataArray.0.wind_direction"),
        (item(rainfall=-0.1), "DataArray.0.rainfall"),
        (item(at="soon"), "DataArray.0._terminalTime"),
        (item(station="x" * 256), "DataArray.0._groupTag"),
        ({"_terminalTime": "2025-08-11 10:30:00"}, "DataArray.0._groupTag"),
        ({"_groupTag": "aws1"}, "DataArray.0._terminalTime"),
        (7, "DataArray.0"),
    ],
)
def test_what_the_receiver_cannot_take_is_named_and_none_is_kept(settings: Settings, post: Any, wrong: Any, field: str) -> None:
    answer = post({"DataArray": [wrong, item()]})
    assert answer.status_code == 422
    assert (answer.json["status"], answer.json["message"]) == ("error", "Data validation failed")
    assert list(answer.json["errors"]) == [field]
    assert all(sentence.startswith(f"The {field} field") for sentence in answer.json["errors"][field])
    assert not open_spool(settings).waiting()


@pytest.mark.parametrize("body", [{}, {"DataArray": []}, {"DataArray": "x"}, [], b"{", {"DataArray": [item()] * 10_001}])
def test_a_body_that_is_no_list_of_items_is_refused(post: Any, body: Any) -> None:
    answer = post(body)
    assert answer.status_code == 422
    assert answer.json["errors"]


def test_many_items_are_said_to_go_to_the_queue_of_large_datasets(post: Any) -> None:
    assert post({"DataArray": [item(temperature=1)] * 5000}).json["queue"] == "scada-large-datasets"


def test_a_key_is_for_its_stations_only(settings: Settings, post: Any) -> None:
    refused = post({"DataArray": [item("aws2"), item("JFK", temperature=1)]})
    assert refused.status_code == 403
    assert "JFK" in refused.json["error"]["message"]
    assert not open_spool(settings).waiting()
    assert post({"DataArray": [item("JFK", temperature=1)]}, key=OTHER).status_code == 202


@pytest.mark.parametrize("key", ["c" * 32, "", KEY[:-1]])
def test_without_a_key_of_the_site_nothing_is_taken(settings: Settings, post: Any, key: str) -> None:
    assert post({"DataArray": [item(temperature=1)]}, key=key).status_code in (401, 403)
    assert not open_spool(settings).waiting()


def test_a_key_in_x_api_key_will_do(client: FlaskClient) -> None:
    answer = client.post(RECEIVER, json={"DataArray": [item(temperature=1)]}, headers={"X-API-Key": KEY})
    assert answer.status_code == 202


@pytest.mark.parametrize("path", ["/api/jobs", "/api/stations", "/api/notes", "/api/audit", "/"])
def test_a_key_for_observations_opens_nothing_else(client: FlaskClient, path: str) -> None:
    assert client.get(path, headers={"Authorization": f"Bearer {KEY}"}).status_code in (401, 403, 404)


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ("short:*", "entry 1: expected a key of at least 16"),
        (f"{KEY}:a;{OTHER}", "entry 2: expected KEY:STATION"),
        (f"{KEY}:,", "entry 1: expected KEY:STATION"),
        (f"{KEY}:a;{KEY}:b", "twice"),
    ],
)
def test_keys_that_are_written_wrongly_stop_the_start_with_a_sentence(data_dir: Path, keys: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says) as raised:
        create_app(Settings(data_dir=data_dir, ingest_keys=keys))
    assert KEY not in str(raised.value)


def test_an_inbox_that_is_full_says_when_to_come_again(settings: Settings, post: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Spool, "rows_waiting", lambda _: settings.inbox_rows + 1)
    answer = post({"DataArray": [item(temperature=1)]})
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json["error"]["code"] == "inbox_full"


def test_observations_as_json_csv_and_parquet_are_the_same(settings: Settings, post: Any, tmp_path: Path) -> None:
    time, path = "2025-08-11T03:30:00Z", tmp_path / "body.parquet"
    table = pa.table({"timestamp_utc": [time], "station": ["aws1"], "temperature": [25.5]})
    pq.write_table(table, path)
    bodies = {
        "application/json": json.dumps({"observations": [{"station": "aws1", "time": time, "temperature": 25.5}]}).encode(),
        "text/csv": f"timestamp_utc,station,temperature\n{time},aws1,25.5\n".encode(),
        "application/vnd.apache.parquet": path.read_bytes(),
    }
    for kind, body in bodies.items():
        answer = post(body, "/api/observations", kind=kind)
        assert (answer.status_code, answer.json) == (202, {"accepted": 1, "left_out": [], "rejected": {}}), kind
    kept = [each for _, each in open_spool(settings).take(9)]
    found = [(each.stations.tolist(), each.times.tolist(), each.sensors, each.values.tolist()) for each in kept]
    assert found == [(["aws1"], [1_754_883_000_000], ("temperature",), [[25.5]])] * 3


@pytest.mark.parametrize(
    ("kind", "body", "says"),
    [
        ("application/json", b'{"observations": [{"station": "aws1", "time": "x", "temperature": 1}]}', "observations.0.time"),
        ("application/json", b'{"observations": [{"station": "aws1", "time": "2025-01-01", "temperature": "x"}]}', "temperature"),
        ("application/json", b'{"observations": [{"station": "aws1", "time": "2025-01-01", "mystery": 1}]}', "mystery"),
        (
            "application/json",
            b'{"observations": [{"station": "aws1", "time": "2025-01-01", "temperature": true}]}',
            "temperature",
        ),
        ("application/json", b'{"timezone": "Mars", "observations": [{"station": "aws1", "time": "2025-01-01"}]}', "Mars"),
        ("application/json", b"{", "JSON"),
        ("text/csv", b"timestamp_utc,station,temperature\n", "body"),
        ("text/csv", b"timestamp_utc,station,temperature\n2025-01-01,aws1,warm\n", "line 2"),
        ("text/csv", b"timestamp_utc,station,mystery\n2025-01-01,aws1,1\n", "body"),
    ],
)
def test_wrong_observations_are_refused_with_their_place(
    settings: Settings, post: Any, kind: str, body: bytes, says: str
) -> None:
    answer = post(body, "/api/observations", kind=kind)
    assert answer.status_code in (400, 422)
    assert says in answer.json["error"]["message"]
    assert not open_spool(settings).waiting()


def test_a_body_of_another_type_is_refused(post: Any) -> None:
    assert post(b"<x/>", "/api/observations", kind="text/xml").status_code == 415


def test_storing_while_others_deliver_loses_and_doubles_nothing(store: Store, spool: Spool, keeper: Storekeeper) -> None:
    for at in range(20):
        spool.put(arrivals((f"s{at % 3}", at * MINUTE, {"temperature": float(at)})))
        if at % 4 == 3:
            keeper.store(most_rows=2)
    while keeper.store(most_rows=2).deliveries:
        pass
    assert sorted(row[2] for row in store.rows("temperature")) == list(map(float, range(20)))


def test_the_doctor_tells_of_deliveries_that_nobody_stores(settings: Settings) -> None:
    def check() -> Check:
        return next(each for each in examine(settings) if each.check == "inbox")

    assert check().ok
    spool = open_spool(settings)
    spool.put(arrivals(("aws1", MINUTE, {"temperature": 1.0})))
    assert check().ok
    assert "1 observation waiting" in check().found
    path = spool.waiting()[0].path
    path.rename(path.with_name(f"{0:016d}-1-x.arrow"))
    assert not check().ok
    assert "manage.py receive" in check().advice
    assert KEY not in str(check())
