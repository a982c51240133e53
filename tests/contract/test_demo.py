from __future__ import annotations

from dataclasses import replace

import pytest

from data.demo.generator import SENSORS, make_demo, plan_demo
from tests.store import store_at

NOW_MS = 1_735_689_600_000  # 2025-01-01T00:00Z


@pytest.fixture
def store(migrated_url, tmp_path):
    store = store_at(migrated_url, tmp_path)
    yield store
    store.engine.dispose()


def test_a_demo_is_marked_synthetic_and_again_changes_nothing(store):
    demo = plan_demo(now_ms=NOW_MS, stations=2, years=0.2, step_s=1800)
    first = make_demo(store.engine, store.catalogue, demo)
    generations = store.generations()
    again = make_demo(store.engine, store.catalogue, demo)
    assert first.stations == ("demo-1", "demo-2")
    assert (first.replaced, again.stored, again.replaced) == (0, 0, first.stored)
    assert store.generations() == generations
    for station in store.inventory.stations():
        assert (station.synthetic, station.step_ms, station.sensors) == (True, 1_800_000, tuple(sorted(SENSORS)))


def test_a_longer_demo_agrees_with_the_shorter(store):
    demo = plan_demo(now_ms=NOW_MS, years=0.1, step_s=3600)
    make_demo(store.engine, store.catalogue, demo)
    before = store.rows(*SENSORS)
    make_demo(store.engine, store.catalogue, replace(demo, start_ms=demo.start_ms - 40 * 86_400_000))
    assert set(before) < set(store.rows(*SENSORS))


def test_a_demo_reports_the_rows_that_are_done(store):
    report: list[int] = []
    demo = plan_demo(now_ms=NOW_MS, years=0.05, step_s=3600)
    make_demo(store.engine, store.catalogue, demo, report.append)
    assert report == sorted(report)
    assert report[-1] == demo.rows
