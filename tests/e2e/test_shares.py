"""Real workers and many jobs: nobody waits for another's long load, and nothing is read twice."""

import pytest

from jobs.job import Status
from jobs.policy import HISTORY, LARGE
from tests.e2e.desk import DAY_MS, LONG_S, desk_at
from tests.processes import wait_until

pytestmark = pytest.mark.process


def test_a_long_load_never_delays_a_short_one(data_dir, tmp_path):
    # a year of the sample has some 8,700 rows a sensor, a day is read as its month of some 700
    with desk_at(tmp_path, data_dir=data_dir, worker_slots=1, worker_slots_large=1, large_job_rows=5_000) as desk:
        desk.gate.hold("EWR", desk.gate.months("EWR"))
        desk.start_worker()
        long, waiting = desk.submit(desk.year_of("EWR")), desk.submit(desk.year_of("JFK"))
        assert [long.queue, waiting.queue] == [LARGE, LARGE]
        desk.become(long, Status.RUNNING)
        year = desk.year_of("LGA")
        for number in range(3):
            start_ms = year.start_ms + 60 * DAY_MS + number * 31 * DAY_MS
            short = desk.submit(type(year)(year.stations, year.sensors, start_ms, start_ms + DAY_MS))
            assert short.queue == HISTORY
            desk.become(short, Status.COMPLETED)
        assert [desk.now(long).status, desk.now(waiting).status] == [Status.RUNNING, Status.QUEUED]
        desk.gate.release()
        desk.become(waiting, Status.COMPLETED)
        assert desk.now(long).status is Status.COMPLETED


def test_overlapping_loads_of_two_workers_read_no_tile_twice(data_dir, tmp_path):
    with desk_at(tmp_path, data_dir=data_dir, worker_slots=2) as desk:
        desk.gate.hold("EWR", desk.gate.months("EWR"))
        year = desk.year_of("EWR", "temperature", "humidity")
        middle = (year.start_ms + year.end_ms) // 2
        requests = [
            year,
            type(year)(year.stations, ("temperature",), year.start_ms, year.end_ms),
            type(year)(year.stations, year.sensors, year.start_ms, middle),
            type(year)(year.stations, ("humidity", "pressure"), middle, year.end_ms),
        ]
        workers = [desk.start_worker(), desk.start_worker()]
        jobs = [desk.submit(request, owner) for request, owner in zip(requests, "abcd", strict=True)]
        # each of the four has looked what is missing before any of them may read
        wait_until(lambda: all(desk.now(job).progress for job in jobs), "all four loads to have begun", LONG_S)
        assert all(worker.child() for worker in workers)
        desk.gate.release()
        done = [desk.become(job, Status.COMPLETED) for job in jobs]
        assert sum(job.metrics["tiles_read"] for job in done) == len(desk.keys(*requests))
        assert sum(job.metrics["tiles_reused"] for job in done) > 0
