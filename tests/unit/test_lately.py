"""Numbers of the queue for monitoring: what they say of known jobs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.monitoring.gauges import _counted, _ended, _quantiles
from jobs.job import Status
from jobs.monitoring.queue_metrics import EndedJob


def values(families: Iterator) -> dict[str, float]:
    found = {}
    for family in families:
        for sample in family.samples:
            found[" ".join([sample.name.removeprefix("riwayat_"), *sample.labels.values()])] = sample.value
    return found


def done(ran_s: float, **metrics: float) -> EndedJob:
    return EndedJob("history", Status.COMPLETED, 0.5, ran_s, None, metrics)


@pytest.mark.parametrize(
    ("some", "expected"),
    [([3.0], (3, 3, 3)), ([4.0, 1.0, 2.0, 3.0], (2, 4, 4)), ([float(n) for n in range(1, 101)], (50, 95, 100))],
)
def test_a_quantile_is_the_value_of_a_job_that_there_was(some: Sequence[float], expected):
    found = values(iter([_quantiles("x", "words", [("history", value) for value in some])]))
    assert tuple(found[f"x history {quantile}"] for quantile in ("0.5", "0.95", "1")) == expected


def test_jobs_are_counted_by_queue_status_and_reason():
    failed = EndedJob("history", Status.FAILED, 1.0, 2.0, "source_unavailable", {})
    stopped = EndedJob("history-large", Status.CANCELLED, None, None, None, {"cancel_seconds": 0.4})
    found = values(_ended([done(1), done(3), failed, stopped]))
    assert found["recent_jobs history completed"] == 2
    assert found["recent_failures history source_unavailable"] == 1
    assert found["recent_cancel_seconds history-large 1"] == 0.4
    assert "recent_wait_seconds history-large 1" not in found  # it never started


def test_tiles_rows_and_memory_are_those_of_completed_jobs():
    jobs = [done(1, rows=100, tiles_read=3, tiles_reused=1, peak_memory_mb=200.0), done(1, rows=20, tiles_read=0, tiles_reused=9)]
    found = values(_ended([*jobs, EndedJob("history", Status.FAILED, 1, 1, "died", {"rows": 7})]))
    assert found["recent_rows history"] == 120
    assert (found["recent_tiles history read"], found["recent_tiles history reused"]) == (3, 10)
    assert found["recent_peak_memory_bytes history 1"] == 200e6


def test_nothing_is_said_where_nothing_happened():
    assert values(_ended([])) == {}
    assert values(iter([_counted("x", "words", {})])) == {}


def test_names_survive_the_text_format():
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry()
    registry.register(type("Odd", (), {"collect": lambda self: iter([_counted("x", "words", {('a"b\\c\n', "é"): 1})])})())
    (family,) = text_string_to_metric_families(generate_latest(registry).decode())
    assert family.samples[0].labels == {"queue": 'a"b\\c\n', "reason": "é"}
