"""Flags of rules as tiles beside those of readings: made by the load, once, by today's limits."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from analysis.question import ask
from analysis.registry import find
from data.export.formats import export_csv, export_tag
from data.flag_choice import FLAG_CHOICES, FlagChoice
from data.flag_layer import FlagLayer, OverlaidSeries
from data.flag_names import FLAG_RULES
from data.flags_missing import flags_missing
from data.ingest.own_files import own_columns
from data.overlay import flag_layer
from data.quality_limits import QualityLimits
from data.range_rows import open_observations
from data.request import HistoryRequest, request_of
from data.site import Site
from data.tiles.index import read_used
from data.tiles.tile_store import SeriesKey, TileStore
from data.time.epoch import epoch_ms
from data.time.months import month_of
from data.view.rollup import rollups_missing
from data.view.view_request import view_request
from jobs.job import Progress, Status, WorkerInfo
from jobs.kinds.export_file import find_export, write_export
from jobs.kinds.history import load_history
from jobs.ledger.ledger import Ledger, migrate_jobs
from jobs.policy import NETCDF
from jobs.start import start_job
from tests.contract.test_analyses import HOUR, at, found, site, store  # noqa: F401 - a fixture
from tests.contract.test_quality import course
from tests.people import person

WORKER = WorkerInfo("w1", "here", 1, ("history", "history-large"), 1, 0, 0)
START, END = "2024-01-01", "2024-04-01"
TIMES = np.arange(at(START), at(END), HOUR)
SPIKE, STEP, STUCK, BEYOND = 100, 1000, slice(300, 340), 500


def faulty() -> np.ndarray:
    """A temperature with a spike in January, a value that stands still for 40 hours, one out of
    range, and in February a step up that stays.
    """
    values = course(TIMES, 1)
    values[STEP:] += 9
    values[SPIKE], values[STUCK], values[BEYOND] = -30, 9.9, 99
    return values


@pytest.fixture
def loaded(site: Site) -> Site:  # noqa: F811
    store(site, "a", TIMES, temperature=faulty(), humidity=np.full(len(TIMES), 50.0) + np.arange(len(TIMES)) % 24)
    load_history(site, request(), lambda _: None)
    return site


def request(resolution: str = "raw", sensors: tuple[str, ...] = ("temperature",)) -> HistoryRequest:
    return request_of(["a"], sensors, START, END, resolution, "UTC")


def layer(site: Site) -> FlagLayer:  # noqa: F811
    made = flag_layer(site, "a", "temperature")
    assert made is not None
    return made


def kept(site: Site, sensor: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # noqa: F811
    return site.tiles.open_series(SeriesKey("own", "a", sensor), at(START), at(END)).read()


def with_limits(site: Site, **limits: float) -> Site:  # noqa: F811
    """The site with other limits of temperature."""
    sensors = dict(site.catalogue.sensors)
    sensors["temperature"] = replace(sensors["temperature"], quality=QualityLimits(**limits))
    return replace(site, catalogue=replace(site.catalogue, sensors=sensors))


def left(site: Site, flags: FlagChoice, **how: Any) -> np.ndarray:  # noqa: F811
    """The places of readings that are left out."""
    _, _, flagged = open_observations(replace(site, flags=flags), request(**how), "a", "temperature").read()
    return np.flatnonzero(flagged)


def test_a_load_keeps_which_readings_the_rules_found_by_which_rule_and_whether_they_cannot_be_right(loaded: Site) -> None:
    times, rules, hard = kept(loaded, "temperature@flags")
    kept_flags = {(place, rule, bool(flag)) for place, rule, flag in zip(np.searchsorted(TIMES, times), rules, hard, strict=True)}
    stuck = {(place, FLAG_RULES.index("stuck"), True) for place in range(STUCK.start, STUCK.stop)}
    step = {(place, FLAG_RULES.index("step"), False) for place in (STEP - 1, STEP)}
    assert kept_flags == {(SPIKE, FLAG_RULES.index("spike"), True), *stuck, *step}  # out of range is a flag of the tile itself
    assert not flags_missing(loaded, request())


def test_hard_flags_leave_what_is_opened_and_suspect_ones_only_where_all_count(loaded: Site) -> None:
    hard = [SPIKE, *range(STUCK.start, STUCK.stop)]
    assert left(loaded, "none").tolist() == [BEYOND]
    assert left(loaded, "hard").tolist() == sorted([*hard, BEYOND])
    assert left(loaded, "all").tolist() == sorted([*hard, BEYOND, STEP - 1, STEP])


def test_statistics_and_view_are_of_what_is_left_and_the_rest_is_drawn_as_flagged(loaded: Site) -> None:
    out = [SPIKE, *range(STUCK.start, STUCK.stop), BEYOND]
    drawn = view_request(replace(loaded, flags="hard"), request(), at(START), at(END), 800)
    (exact,) = drawn.statistics
    rest = np.delete(faulty(), out)
    assert (exact.rows, exact.flagged, exact.min, exact.max) == (len(TIMES), len(out), rest.min(), rest.max())
    assert exact.mean == pytest.approx(rest.mean())
    assert {-30.0, 9.9, 99.0} <= set(drawn.series[0].flagged_y.tolist())
    assert view_request(loaded, request(), at(START), at(END), 800).statistics[0].min == -30


@pytest.mark.parametrize("flags", ["none", "hard", "all"])
def test_buckets_from_a_rollup_are_those_of_the_readings_that_are_left(loaded: Site, flags: FlagChoice) -> None:
    hourly = request("1h")
    load_history(loaded, hourly, lambda _: None)
    assert not rollups_missing(loaded, hourly)
    line = view_request(replace(loaded, flags=flags), hourly, at(START), at(END), 300).series[0]
    values = np.delete(faulty(), left(loaded, flags))
    drawn = line.y[np.isfinite(line.y)]
    assert (drawn.min(), drawn.max()) == pytest.approx((values.min(), values.max()))


def test_other_limits_make_flags_anew_and_read_no_month_again(loaded: Site) -> None:
    lenient = with_limits(loaded, still_hours=2000)
    assert len(flags_missing(lenient, request())) == 3
    assert left(lenient, "hard").tolist() == [BEYOND]  # what other limits found does not count
    assert load_history(lenient, request(), lambda _: None)["tiles_read"] == 0
    assert left(lenient, "hard").tolist() == [SPIKE, BEYOND]


def test_only_a_month_that_changed_is_looked_at_again(loaded: Site) -> None:
    before = loaded.tiles.entries(layer(loaded).key)
    store(loaded, "a", TIMES[-1:], temperature=[50.0])
    load_history(loaded, request(), lambda _: None)
    after = loaded.tiles.entries(layer(loaded).key)
    assert sorted(month for month in after if after[month] != before[month]) == [max(after)]
    assert not flags_missing(loaded, request())


def test_flags_of_a_series_are_the_same_whatever_was_loaded_beside_it(loaded: Site) -> None:
    alone = kept(loaded, "temperature@flags")
    loaded.tiles.clear()
    load_history(loaded, request(sensors=("temperature", "humidity")), lambda _: None)
    assert all(np.array_equal(one, other) for one, other in zip(alone, kept(loaded, "temperature@flags"), strict=True))


def test_a_load_of_what_is_there_makes_the_flags_that_are_not(loaded: Site) -> None:
    ledger = Ledger(loaded.engine)
    migrate_jobs(loaded.engine)
    assert start_job(loaded, ledger, person("ada"), request(), lambda: None).status is Status.COMPLETED
    key = layer(loaded).key
    loaded.tiles.drop(key, loaded.tiles.entries(key).values())
    shown = start_job(loaded, ledger, person("ada"), request(), lambda: None)
    assert shown.status is Status.COMPLETED  # there is no worker: better without flags than not at all
    assert start_job(loaded, ledger, person("ada"), request(), lambda: None, must_flag=True).status is Status.QUEUED
    ledger.heartbeat(WORKER)
    assert start_job(loaded, ledger, person("ada"), request(), lambda: None).status is Status.QUEUED


def test_a_load_that_makes_flags_alone_is_as_large_as_what_it_looks_at(loaded: Site) -> None:
    ledger = Ledger(loaded.engine)
    migrate_jobs(loaded.engine)
    ledger.heartbeat(WORKER)
    key, readings = layer(loaded).key, loaded.tiles.entries(layer(loaded).base)
    loaded.tiles.drop(key, loaded.tiles.entries(key).values())
    small = replace(loaded, settings=loaded.settings.model_copy(update={"large_job_rows": len(TIMES)}))
    started = start_job(small, ledger, person("ada"), request(), lambda: None)
    assert (started.rows_estimate, started.queue) == (sum(entry.rows for entry in readings.values()), "history-large")


def test_a_load_tells_how_far_it_is_while_it_makes_flags_of_what_is_there(loaded: Site) -> None:
    key = layer(loaded).key
    loaded.tiles.drop(key, loaded.tiles.entries(key).values())
    said: list[Progress] = []
    load_history(loaded, request(), said.append)
    assert [(told.station, told.month) for told in said[:-1]] == [("a", month) for month in sorted(loaded.tiles.entries(key))]
    fractions = [told.fraction for told in said]
    assert fractions == pytest.approx([0.5 + days / 182 for days in (31, 31 + 29, 91, 91)])
    assert {told.rows_total for told in said} == {len(TIMES)}


@pytest.mark.parametrize("resolution", ["raw", "1h"])
def test_a_job_that_writes_a_file_makes_the_flags_that_count_in_it(loaded: Site, resolution: str) -> None:
    load_history(loaded, request(resolution), lambda _: None)
    lenient = with_limits(loaded, still_hours=2000)
    write_export(lenient, request(resolution), NETCDF, "x-1", lambda _: None)
    assert len(flags_missing(lenient, request(resolution))) == 3  # none counts in that file
    hard = replace(lenient, flags="hard")
    write_export(hard, request(resolution), NETCDF, "x-2", lambda _: None)
    assert not flags_missing(hard, request(resolution))
    assert not rollups_missing(hard, request(resolution))
    assert find_export(hard, request(resolution), NETCDF)


def test_months_whose_flags_are_made_stay_made_when_a_load_ends_before_its_end(loaded: Site) -> None:
    long = request_of(["a"], ["humidity"], "2024-01-01", "2026-01-01", "raw", "UTC")
    times = np.arange(at("2024-01-01"), at("2026-01-01"), HOUR)
    store(loaded, "a", times, humidity=50.0 + np.arange(len(times)) % 24)
    load_history(loaded, long, lambda _: None)
    made = flag_layer(loaded, "a", "humidity")
    assert made is not None
    loaded.tiles.drop(made.key, loaded.tiles.entries(made.key).values())

    def stop(told: Progress) -> None:
        if told.month == month_of(at("2025-02-01")):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_history(loaded, long, stop)
    assert len(loaded.tiles.entries(made.key)) == 12


def test_a_tile_with_flags_that_was_removed_counts_as_not_made(loaded: Site) -> None:
    key = SeriesKey("own", "a", "temperature@hard")
    loaded.tiles.drop(key, loaded.tiles.entries(key).values())
    assert len(flags_missing(loaded, request())) == 1  # January alone has hard ones
    load_history(loaded, request(), lambda _: None)
    assert not flags_missing(loaded, request())
    assert SPIKE in left(loaded, "hard")


def test_limits_of_flags_that_were_removed_are_made_again(loaded: Site) -> None:
    before, key = kept(loaded, "temperature@limits"), layer(loaded).limits_key
    loaded.tiles.drop(key, loaded.tiles.entries(key).values())
    assert len(flags_missing(loaded, request())) == 2  # nothing is flagged in March
    load_history(loaded, request(), lambda _: None)
    assert not flags_missing(loaded, request())
    assert all(np.array_equal(one, other) for one, other in zip(before, kept(loaded, "temperature@limits"), strict=True))


def test_a_look_keeps_all_that_is_made_of_flags_from_being_evicted_first(loaded: Site) -> None:
    made, now = layer(loaded), epoch_ms() + 10**9
    store = TileStore(loaded.tiles.root, clock=lambda: now)
    OverlaidSeries(replace(made, tiles=store), "hard").open(at(START), at(END))
    january = month_of(at(START))
    for key in (made.key, made.limits_key, OverlaidSeries(made, "hard").key):
        assert read_used(store.folder(key))[january] == now


def test_a_view_tells_how_many_readings_are_left_out_and_where_suspect_ones_are(loaded: Site) -> None:
    (marks,) = view_request(replace(loaded, flags="hard"), request(), at(START), at(END), 800).marks
    assert (marks.left_out, marks.suspect, marks.unmade) == (1 + STUCK.stop - STUCK.start, 2, False)
    (start, end), (first, last) = (marks.start[0], marks.end[-1]), TIMES[[STEP - 1, STEP]]
    assert start <= first <= last < end
    assert end - start < (at(END) - at(START)) / 20
    (every,) = view_request(replace(loaded, flags="all"), request(), at(START), at(END), 800).marks
    assert (every.left_out, every.suspect) == (marks.left_out + 2, 0)
    assert view_request(loaded, request(), at(START), at(END), 800).marks == ()


def test_a_view_tells_that_no_rule_has_looked_at_it_yet(loaded: Site) -> None:
    loaded.tiles.drop(layer(loaded).key, loaded.tiles.entries(layer(loaded).key).values())
    (marks,) = view_request(replace(loaded, flags="hard"), request(), at(START), at(END), 800).marks
    assert marks.unmade


def test_where_only_whole_steps_may_be_seen_no_mark_tells_of_single_readings(loaded: Site) -> None:
    hourly = replace(loaded, flags="hard", floor="1h")
    assert view_request(hourly, request("1h"), at(START), at(END), 800).marks == ()


def test_analyses_are_of_the_readings_that_are_left_and_quality_of_all(loaded: Site) -> None:
    def least(site: Site) -> float:  # noqa: F811
        asked = ask(find("summary").site(site), request(), (at(START), at(END)))
        return float(found("summary", asked)["result"]["min"])

    hard = replace(loaded, flags="hard")
    assert (least(loaded), least(hard) > -30) == (-30, True)
    asked = ask(find("quality").site(hard), request(), (at(START), at(END)))
    assert {"spike", "stuck", "range", "step"} <= {each["rule"] for each in found("quality", asked)["result"]["events"]}


def test_rows_end_with_a_column_of_flags_where_it_is_asked_for_and_come_in_again_without_it(loaded: Site) -> None:
    text = b"".join(export_csv(loaded, request(), at(START), at(END), with_flags=True)).decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == len(TIMES)
    told = {place: row["flag"] for place, row in enumerate(rows) if row["flag"]}
    assert told[SPIKE] == "temperature spike hard"
    assert told[BEYOND] == "temperature range hard"
    assert told[STEP] == "temperature step suspect"
    assert set(told) == {SPIKE, BEYOND, STEP - 1, STEP, *range(STUCK.start, STUCK.stop)}
    assert own_columns(rows[0]) == {"temperature": ("temperature", None)}
    assert b"flag" not in next(export_csv(loaded, request(), at(START), at(END)))
    assert b"flag" not in next(export_csv(loaded, request("1d"), at(START), at(END), with_flags=True))


def test_kept_files_and_answers_are_others_where_other_flags_count(loaded: Site) -> None:
    tags = {export_tag(replace(loaded, flags=flags), request(), at(START), at(END), "csv") for flags in FLAG_CHOICES}
    assert len(tags) == len(FLAG_CHOICES)


def test_the_tag_of_a_file_with_a_column_of_flags_is_another_where_other_flags_are_made(loaded: Site) -> None:
    def tags() -> list[str]:
        none = replace(loaded, flags="none")
        return [export_tag(none, request(), at(START), at(END), "csv", with_flags=told) for told in (False, True)]

    before = tags()
    flags = layer(loaded).key
    loaded.tiles.drop(flags, loaded.tiles.entries(flags).values())
    after = tags()
    assert before[0] == after[0]
    assert before[1] != after[1]
