"""What people decided about readings, in what is drawn, computed and exported: made by the load,
of the months that it is about alone.
"""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from flask.testing import FlaskClient

from app import create_app
from data.decision import Decision
from data.export.formats import export_csv, export_file, export_tag
from data.export.manifest import FileRecord, manifest_of
from data.export.manifest_differences import differences
from data.flag_layer import FlagLayer, OverlaidSeries
from data.flags_missing import flags_missing, requests_beside
from data.overlay import flag_layer
from data.range_rows import open_observations
from data.request import HistoryRequest, request_of
from data.site import Site
from data.tiles.index import read_used
from data.tiles.tile_store import TileStore
from data.time.epoch import epoch_ms
from data.time.months import parse_month
from data.view.rollup import rollups_missing
from data.view.view_request import view_request
from jobs.job import Status
from jobs.kinds.history import load_history
from jobs.ledger.ledger import open_ledger
from jobs.start import start_job
from jobs.worker.child import make_run_job
from tests.contract.test_analyses import HOUR, at, site, store  # noqa: F401 - a fixture
from tests.contract.test_flag_layer import (  # noqa: F401 - a fixture
    BEYOND,
    END,
    SPIKE,
    START,
    STEP,
    STUCK,
    TIMES,
    WORKER,
    faulty,
    kept,
    loaded,
    request,
    with_limits,
)
from tests.people import person
from tests.sheets import sheets_of

OTHER = np.arange(at("2023-12-01"), at("2024-05-01"), HOUR)


def said(number: int, kind: str, first: int, last: int, *, station: str = "a", **more: Any) -> Decision:
    """A decision about the rows ``first`` to ``last`` of TIMES."""
    return Decision(number, station, "temperature", kind, int(TIMES[first]), int(TIMES[last]), **more)  # type: ignore[arg-type]


def with_decisions(site: Site, *made: Decision) -> Site:  # noqa: F811
    """The site where these decisions are in force."""
    return replace(site, decisions=lambda *series: tuple(one for one in made if (one.station, one.sensor) == series))


def decided(site: Site, *made: Decision, of: HistoryRequest | None = None) -> Site:  # noqa: F811
    """The same, with what comes of them."""
    found = with_decisions(site, *made)
    load_history(found, of or request(), lambda _: None)
    return found


def rows(site: Site, flags: Any = "hard", of: HistoryRequest | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # noqa: F811
    return open_observations(replace(site, flags=flags), of or request(), "a", "temperature").read()


def layer(site: Site) -> FlagLayer:  # noqa: F811
    made = flag_layer(site, "a", "temperature")
    assert made is not None
    return made


def same(some: tuple[np.ndarray, ...], others: tuple[np.ndarray, ...]) -> bool:
    return all(np.array_equal(one, other) for one, other in zip(some, others, strict=True))


def column(site: Site, flags: Any = "hard") -> dict[int, str]:  # noqa: F811
    """The column of flags of a file, by place in TIMES."""
    text = b"".join(export_csv(replace(site, flags=flags), request(), at(START), at(END), with_flags=True)).decode()
    found = list(csv.DictReader(io.StringIO(text)))
    stamps = np.array([at(row["timestamp_utc"].removesuffix("Z")) for row in found])
    return {int((stamp - TIMES[0]) // HOUR): row["flag"] for stamp, row in zip(stamps, found, strict=True) if row["flag"]}


def test_corrected_readings_count_and_rules_look_at_them_while_none_shows_what_was_measured(loaded: Site) -> None:  # noqa: F811
    measured = rows(loaded, "none")
    found = decided(loaded, said(1, "offset", STEP, len(TIMES) - 1, amount=-9.0), said(2, "delete", SPIKE, SPIKE))
    times, values, flags = rows(found, "all")
    assert len(times) == len(TIMES) - 1
    at_step = int(np.searchsorted(times, TIMES[STEP]))
    assert values[at_step] == pytest.approx(faulty()[STEP] - 9)
    assert not flags[[at_step - 1, at_step]].any()  # nothing steps any more
    assert same(rows(found, "none"), measured)


def test_only_the_months_of_a_decision_are_made_again_and_undoing_it_gives_back_what_was(loaded: Site) -> None:  # noqa: F811
    before, was = rows(loaded), dict(loaded.tiles.entries(layer(loaded).key))
    found = with_decisions(loaded, said(1, "wrong", 10, 20))
    assert flags_missing(found, request()) == {parse_month("2024-01")}
    decided(loaded, said(1, "wrong", 10, 20))
    now = loaded.tiles.entries(layer(loaded).key)
    assert [month for month in now if now[month] != was[month]] == [parse_month("2024-01")]
    assert not flags_missing(found, request())
    assert flags_missing(loaded, request()) == {parse_month("2024-01")}  # undone
    assert load_history(loaded, request(), lambda _: None)["tiles_read"] == 0
    assert same(rows(loaded), before)
    assert loaded.tiles.entries(layer(loaded).key) == was


def test_an_event_that_is_rejected_counts_again_and_one_that_is_confirmed_is_left_out(loaded: Site) -> None:  # noqa: F811
    found = decided(
        loaded,
        said(1, "right", STUCK.start, STUCK.stop - 1, rule="stuck"),
        said(2, "wrong", STEP - 1, STEP, rule="step"),
        said(3, "right", BEYOND, BEYOND),
        said(4, "wrong", 600, 602, rule="frozen"),
    )
    assert np.flatnonzero(rows(found)[2]).tolist() == [SPIKE, 600, 601, 602, STEP - 1, STEP]
    assert np.flatnonzero(rows(found, "none")[2]).tolist() == [BEYOND]


def test_a_file_tells_what_was_corrected_filled_in_and_flagged_by_hand(loaded: Site) -> None:  # noqa: F811
    store(loaded, "b", OTHER, temperature=np.full(len(OTHER), 7.0) + np.arange(len(OTHER)) % 2)
    found = decided(
        loaded,
        said(1, "offset", 40, 41, amount=0.5),
        said(2, "wrong", 42, 42),
        said(3, "suspect", 43, 43, rule="neighbours"),
        said(4, "wrong", STEP - 1, STEP, rule="step"),
        said(5, "delete", 50, 51),
        said(6, "fill", 50, 50, filled_from=("b", "temperature")),
    )
    told = column(found)
    assert {place: told[place] for place in (40, 41, 42, 43, STEP, 50, SPIKE)} == {
        40: "temperature offset corrected",
        41: "temperature offset corrected",
        42: "temperature hand hard",
        43: "temperature neighbours suspect by hand",
        STEP: "temperature step hard by hand",
        50: "temperature filled",
        SPIKE: "temperature spike hard",
    }
    assert "corrected" not in str(column(found, "none"))
    assert rows(found)[1][50] == 7.0 + ((TIMES[50] - OTHER[0]) // HOUR) % 2
    assert int(TIMES[51]) not in rows(found)[0].tolist()


def test_netcdf_and_workbook_tell_what_was_corrected_and_of_which_months_decisions_do_not_count_yet(
    loaded: Site,  # noqa: F811
    tmp_path: Path,
) -> None:
    made = said(1, "offset", 40, 41, amount=0.5), said(2, "factor", 42, 42, amount=2.0)
    found = replace(decided(loaded, *made), flags="hard")
    export_file(found, request(), tmp_path / "rows.nc")
    with h5py.File(tmp_path / "rows.nc") as file:
        kinds, variable = file["temperature_correction"][:], file["temperature"]
        words = file["temperature_correction"].attrs["flag_meanings"].split()
        assert variable.attrs["ancillary_variables"] == "temperature_flag temperature_correction"
        assert {place: words[kinds[place]] for place in np.flatnonzero(kinds)} == {
            40: "offset_added",
            41: "offset_added",
            42: "multiplied",
        }
    export_file(found, request(), tmp_path / "rows.xlsx")
    sheets = sheets_of(tmp_path / "rows.xlsx")
    assert [row[-1] for row in sheets["Data"]][41:44] == [
        "temperature offset corrected",
        "temperature offset corrected",
        "temperature factor corrected; temperature step suspect",
    ]
    assert [row[0:4] for row in sheets["About"][-2:]] == [[1, "a", "temperature", "offset"], [2, "a", "temperature", "factor"]]
    assert "not checked" not in {row[0] for row in sheets["About"]}
    pending = replace(with_decisions(loaded, *made, said(3, "wrong", 50, 50)), flags="hard")
    export_file(pending, request(), tmp_path / "pending.xlsx")
    sheets = sheets_of(tmp_path / "pending.xlsx")
    (unchecked,) = (row[1] for row in sheets["About"] if row[0] == "not checked")
    assert unchecked.startswith("2024-01: ")
    assert [row[-1] for row in sheets["Data"]][41:43] == ["temperature unchecked"] * 2
    assert not sheets["Data"][-5][-1]


def test_which_readings_are_corrected_is_made_again_where_it_was_removed_and_kept_where_it_is_seen(loaded: Site) -> None:  # noqa: F811
    found = decided(loaded, said(1, "offset", 40, 41, amount=0.5))
    key, january, now = layer(found).corrected_key, parse_month("2024-01"), epoch_ms() + 10**9
    later = replace(layer(found), tiles=TileStore(found.tiles.root, clock=lambda: now))
    OverlaidSeries(later, "hard").open(at(START), at(END))
    assert read_used(found.tiles.folder(key)) == {january: now}
    assert not flags_missing(found, request())
    found.tiles.drop(key, found.tiles.entries(key).values())
    assert flags_missing(found, request()) == {january}
    load_history(found, request(), lambda _: None)
    assert not flags_missing(found, request())
    assert column(found)[40] == "temperature offset corrected"


def test_what_fills_a_series_is_loaded_with_it_and_another_reading_of_it_is_noticed(loaded: Site) -> None:  # noqa: F811
    store(loaded, "b", OTHER, temperature=np.full(len(OTHER), 7.0))
    fill = said(9, "fill", STUCK.start, STUCK.stop - 1, filled_from=("b", "temperature"))
    found = decided(loaded, said(8, "delete", STUCK.start, STUCK.stop - 1), fill)
    assert (rows(found)[1][STUCK] == 7.0).all()
    store(loaded, "b", TIMES[STUCK], temperature=np.full(STUCK.stop - STUCK.start, 8.0))
    ledger = open_ledger(loaded.settings)
    ledger.heartbeat(WORKER)
    assert start_job(found, ledger, person("ada"), request(), lambda: None).status is Status.QUEUED
    load_history(found, request(), lambda _: None)
    assert (rows(found)[1][STUCK] == 8.0).all()
    assert start_job(found, ledger, person("bob"), request(), lambda: None).status is Status.COMPLETED


def test_what_is_loaded_for_fills_years_apart_leaves_out_the_years_between(loaded: Site) -> None:  # noqa: F811
    days = [(at(day), at(day) + 24 * HOUR) for day in ("1995-02-27", "1995-04-02", "2024-02-10")]
    fills = [Decision(n, "a", "temperature", "fill", *day, filled_from=("b", "temperature")) for n, day in enumerate(days, 1)]
    since = replace(request(), start_ms=at("1990-01-01"))
    needed = requests_beside(with_decisions(loaded, *fills), since)
    assert {(one.stations, one.sensors) for one in needed} == {(("b",), ("temperature",))}
    assert [(one.start_ms, one.end_ms) for one in needed] == [
        (at("1995-02-01"), at("1995-05-01")),
        (at("2024-02-01"), at("2024-03-01")),
    ]


def test_a_month_without_any_reading_is_filled(loaded: Site) -> None:  # noqa: F811
    longer = request_of(["a"], ["temperature"], START, "2024-05-01", "1h", "UTC")
    store(loaded, "b", OTHER, temperature=7.0 + np.arange(len(OTHER)) % 5)
    april = (at("2024-04-10"), at("2024-04-20") - 1)
    one = Decision(1, "a", "temperature", "fill", *april, filled_from=("b", "temperature"))
    found = decided(loaded, one, of=longer)
    times, values, _ = rows(found, of=longer)
    assert len(times) == len(TIMES) + 240
    assert set(values[len(TIMES) :].tolist()) == {7.0, 8.0, 9.0, 10.0, 11.0}
    assert not rollups_missing(found, longer)
    drawn = view_request(replace(found, flags="hard"), longer, at(START), at("2024-05-01"), 300)
    assert drawn.statistics[0].rows == len(TIMES) + 240
    assert drawn.series[0].x[np.isfinite(drawn.series[0].y)][-1] >= april[1] - 2 * 24 * HOUR
    text = b"".join(export_csv(replace(found, flags="hard"), longer, at(START), at("2024-05-01"))).decode()
    assert sum(line.startswith("2024-04") for line in text.splitlines()) == 240
    assert len(rows(found, "none", of=longer)[0]) == len(TIMES)
    file = FileRecord(name="x.csv", format="csv", units="none", bytes=0, rows=0, sha256="0")
    months = manifest_of(replace(found, flags="hard"), longer, file).series[0].months
    assert sorted(months) == ["2024-01", "2024-02", "2024-03", "2024-04"]


def test_a_range_without_any_reading_is_loaded_where_it_is_filled_and_its_decision_has_a_job(
    loaded: Site,  # noqa: F811
    client: FlaskClient,
) -> None:
    store(loaded, "b", OTHER, temperature=7.0 + np.arange(len(OTHER)) % 5)
    ledger = open_ledger(loaded.settings)
    ledger.heartbeat(WORKER)
    what = {"station": "a", "sensor": "temperature", "from": "2024-04-10T00:00Z", "to": "2024-04-20T00:00Z", "kind": "fill"}
    more = {"filled_from": {"station": "b", "sensor": "temperature"}, "reason": "was being repaired"}
    made = client.post("/api/decisions", json=what | more)
    assert made.status_code == 201, made.text
    claimed = ledger.claim("w1", ["history"])
    assert claimed is not None
    assert claimed.id == made.json["job"]  # type: ignore[index]
    make_run_job(loaded.settings)(claimed.id, claimed.attempt)
    assert ledger.get(claimed.id).status is Status.COMPLETED
    told = client.get(f"/api/jobs/{claimed.id}/stats").json["series"][0]  # type: ignore[index]
    assert (told["rows"], told["min"], told["max"]) == (241, 7.0, 11.0)
    ledger.engine.dispose()


def test_readings_that_are_shifted_over_the_end_of_a_month_are_there_once(loaded: Site) -> None:  # noqa: F811
    end = int(np.searchsorted(TIMES, at("2024-02-01")))
    for by in (30, -30):
        span = (end - 20, end - 1) if by > 0 else (end, end + 19)
        found = decided(loaded, said(1, "shift", *span, amount=float(by * HOUR / 2)), said(2, "delete", end - 60, end - 21))
        times, values, _ = rows(found)
        assert (np.diff(times) > 0).all()
        moved = TIMES[span[0] : span[1] + 1] + by * HOUR // 2
        stay = np.delete(TIMES, [*range(end - 60, end - 20), *range(span[0], span[1] + 1)])
        assert np.array_equal(times, np.union1d(stay, moved))
        fresh = moved[~np.isin(moved, stay)]
        assert np.array_equal(values[np.searchsorted(times, fresh)], faulty()[span[0] : span[1] + 1][~np.isin(moved, stay)])


def test_a_load_of_one_month_is_of_the_readings_that_are_shifted_into_it(loaded: Site) -> None:  # noqa: F811
    end = int(np.searchsorted(TIMES, at("2024-02-01")))
    made = [said(1, "delete", end, end + 19), said(2, "shift", end - 20, end - 1, amount=20.0 * HOUR)]
    whole = rows(decided(loaded, *made))
    loaded.tiles.clear()
    february = request_of(["a"], ["temperature"], "2024-02-01", "2024-03-01", "raw", "UTC")
    alone = rows(decided(loaded, *made, of=february), of=february)
    inside = (whole[0] >= february.start_ms) & (whole[0] < february.end_ms)
    assert same(alone, tuple(each[inside] for each in whole))


def test_buckets_and_statistics_are_of_what_was_decided(loaded: Site) -> None:  # noqa: F811
    hourly = request("1h")
    found = decided(loaded, said(1, "offset", 0, 40, amount=3.0), said(2, "delete", SPIKE, STUCK.stop), of=hourly)
    assert not rollups_missing(found, hourly)
    drawn = view_request(replace(found, flags="hard"), hourly, at(START), at(END), 300)
    times, values, flags = rows(found)
    good = flags == 0
    (exact,) = drawn.statistics
    assert (exact.rows, exact.flagged) == (len(times), int((~good).sum()))
    assert (exact.min, exact.max) == (values[good].min(), values[good].max())
    line = drawn.series[0].y
    assert (np.nanmin(line), np.nanmax(line)) == pytest.approx((values[good].min(), values[good].max()))


DAYS = [30, 29, 31]  # with a point, of January to March: of one day all readings stand still


def days_drawn(site: Site, of: HistoryRequest) -> list[int]:  # noqa: F811
    """How many days of each month have a point, drawn from buckets of an hour."""
    line = view_request(replace(site, flags="hard"), of, at(START), at(END), 600).series[0]
    days = np.unique(line.x[np.isfinite(line.y)].astype("datetime64[ms]").astype("datetime64[D]"))
    return np.unique(days.astype("datetime64[M]"), return_counts=True)[1].tolist()


@pytest.mark.parametrize("zone", ["UTC", "Asia/Jakarta"])
def test_a_chart_of_buckets_that_was_loaded_is_whole_after_a_decision_is_applied_to_the_rows(loaded: Site, zone: str) -> None:  # noqa: F811
    hourly, february = request_of(["a"], ["temperature"], START, END, "1h", zone), at("2024-02-12")
    load_history(loaded, hourly, lambda _: None)
    month = request_of(["a"], ["temperature"], "2024-02-01", "2024-03-01", "raw", "UTC")
    one = Decision(1, "a", "temperature", "offset", february, february + 24 * HOUR, amount=40.0)
    for made in ((one,), ()):  # and undone
        found = decided(loaded, *made, of=month)
        assert not rollups_missing(found, hourly)
        assert days_drawn(found, hourly) == DAYS
        line = view_request(replace(found, flags="hard"), hourly, at(START), at(END), 600).series[0]
        assert np.nanmax(line.y) == pytest.approx(rows(found)[1][rows(found)[2] == 0].max())


def test_a_month_that_is_filled_is_in_the_chart_of_buckets_that_was_loaded(loaded: Site) -> None:  # noqa: F811
    longer = request_of(["a"], ["temperature"], START, "2024-05-01", "1h", "UTC")
    load_history(loaded, longer, lambda _: None)
    store(loaded, "b", OTHER, temperature=7.0 + np.arange(len(OTHER)) % 5)
    april = (at("2024-04-10"), at("2024-04-20") - 1)
    one = Decision(1, "a", "temperature", "fill", *april, filled_from=("b", "temperature"))
    found = decided(loaded, one, of=replace(longer, resolution="raw", start_ms=at("2024-03-01")))
    assert not rollups_missing(found, longer)


def test_other_limits_leave_a_chart_of_buckets_whole_also_where_they_find_the_same(loaded: Site) -> None:  # noqa: F811
    hourly = request("1h")
    load_history(loaded, hourly, lambda _: None)
    for others, days in ((with_limits(loaded, twin=5), DAYS), (with_limits(loaded, still_hours=2000), [31, 29, 31])):
        assert len(flags_missing(others, request())) == 3
        load_history(others, request(), lambda _: None)
        assert not rollups_missing(others, hourly)
        assert days_drawn(others, hourly) == days


def test_a_decision_is_another_file_and_another_answer_and_the_manifest_lists_it(loaded: Site) -> None:  # noqa: F811
    def tag(site: Site, flags: Any = "hard") -> str:  # noqa: F811
        return export_tag(replace(site, flags=flags), request(), at(START), at(END), "csv")

    file = FileRecord(name="x.csv", format="csv", units="none", bytes=0, rows=0, sha256="0")
    before, old = tag(loaded), manifest_of(replace(loaded, flags="hard"), request(), file)
    one = said(3, "wrong", 10, 20, rule="frozen")
    pending = tag(with_decisions(loaded, one))
    found = decided(loaded, one)
    assert len({before, pending, tag(found)}) == 3
    assert tag(found, "none") == tag(loaded, "none")
    new = manifest_of(replace(found, flags="hard"), request(), file)
    assert [(each.number, each.kind, each.rule, each.start) for each in new.decisions] == [
        (3, "wrong", "frozen", "2024-01-01T10:00:00Z")
    ]
    assert any("decision 3 (a temperature wrong) is new" in line for line in differences(old, new))
    assert any("decision 3 (a temperature wrong) is gone" in line for line in differences(new, old))
    assert not manifest_of(replace(found, flags="none"), request(), file).decisions
    decided(loaded)
    assert tag(loaded) == before


@pytest.fixture
def client(loaded: Site) -> FlaskClient:  # noqa: F811
    """Of a site with what people decided in its database."""
    return create_app(loaded.settings).server.test_client()


def test_a_decision_counts_after_the_job_that_it_starts_and_no_more_when_it_is_undone(loaded: Site, client: FlaskClient) -> None:  # noqa: F811
    ledger = open_ledger(loaded.settings)
    ledger.heartbeat(WORKER)
    job = ledger.record_completed("local", request(), {})

    def flagged() -> int:
        return int(client.get(f"/api/jobs/{job.id}/stats").json["series"][0]["flagged"])  # type: ignore[index]

    def events() -> list[dict[str, Any]]:
        return list(client.get(f"/api/jobs/{job.id}/analysis/quality").json["result"]["events"])  # type: ignore[index]

    def run(answer: Any) -> None:
        assert answer.status_code in (200, 201), answer.text
        claimed = ledger.claim("w1", ["history"])
        assert claimed is not None
        assert claimed.id == answer.json["job"]
        make_run_job(loaded.settings)(claimed.id, claimed.attempt)
        assert ledger.get(claimed.id).status is Status.COMPLETED

    before, found = flagged(), events()
    assert {each["decision"] for each in found} == {None}
    stuck = next(each for each in found if each["rule"] == "stuck")
    what = {"station": "a", "sensor": "temperature", "from": stuck["from"], "to": stuck["to"], "rule": "stuck", "kind": "right"}
    made = client.post("/api/decisions", json=what)
    assert flagged() != before  # as measured, until it is applied
    run(made)
    assert flagged() == before - (STUCK.stop - STUCK.start)
    assert [each["rule"] for each in events() if each["decision"] == "right"] == ["stuck"]
    run(client.post(f"/api/decisions/{made.json['number']}/undo", json={}))  # type: ignore[index]
    assert flagged() == before
    assert events() == found
    ledger.engine.dispose()
