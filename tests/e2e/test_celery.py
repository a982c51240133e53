"""Jobs on Celery: real Redis, real PostgreSQL, two workers in folders of their own,
and what happens when parts of it die.
"""

import base64
import json
import os
import signal
import time
from contextlib import closing
from urllib.parse import urlsplit

import psutil
import pytest
import redis
from celery import Celery
from sqlalchemy import make_url

from config import Settings
from data.request import HistoryRequest
from data.site import open_site
from data.tiles.tile_store import SeriesKey
from jobs.celery.broker import Broker
from jobs.job import Status
from jobs.kinds.export_file import export_file_tag, start_export
from jobs.ledger.ledger import open_ledger
from jobs.manager import QueueManager, open_cache
from jobs.policy import HISTORY, LARGE, WORKBOOK
from jobs.start import start_job
from jobs.worker.wake import make_wake
from tests.brokers import REDIS, redis_prefix
from tests.contract.test_manager import SECRET, Page, make_app, render_progress, render_result
from tests.databases import POSTGRESQL, server_database
from tests.e2e.cable import Cable
from tests.e2e.fleet import Fleet, assert_harmless, become, child_of, idle, new_request, no_message_in
from tests.people import person
from tests.processes import STOP_S, assert_within, is_gone, run_manage, wait_until

pytestmark = pytest.mark.process

YEAR_MS = (1_356_998_400_000, 1_388_534_400_000)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """What all hosts share, as settings: databases with the sample, broker, tiles."""
    folder = tmp_path_factory.mktemp("shared")
    with redis_prefix() as prefix, server_database(POSTGRESQL) as url:
        common = {
            "database_url": url,
            "observations_url": url,
            "tile_dir": folder / "tiles",
            "tile_mmap": False,
            "queue": "celery",
            "redis_url": REDIS,
            "redis_prefix": prefix,
            "worker_slots": 1,
            "worker_slots_large": 1,
        }
        done = run_manage("setup", "--sample-only", cwd=folder, data_dir=folder / "var", **common)
        assert done.returncode == 0, done.stderr
        yield common


@pytest.fixture(scope="module")
def settings_of_web(shared, tmp_path_factory):
    made = Settings(data_dir=tmp_path_factory.mktemp("web") / "var", _env_file=None, **shared)
    made.prepare()
    return made


@pytest.fixture(scope="module")
def ledger(settings_of_web):
    opened = open_ledger(settings_of_web)
    yield opened
    opened.engine.dispose()


@pytest.fixture
def site(settings_of_web):
    opened = open_site(settings_of_web)
    yield opened
    opened.engine.dispose()


@pytest.fixture(scope="module")
def cable():
    """Between the workers and Redis."""
    server = urlsplit(REDIS)
    with Cable(server.hostname, server.port or 6379) as made:
        yield made


@pytest.fixture(scope="module")
def ledger_cable(shared):
    """Between the workers and the database of jobs."""
    server = make_url(shared["database_url"])
    with Cable(server.host, server.port) as made:
        yield made


@pytest.fixture(scope="module")
def all_workers(shared, ledger, cable, ledger_cable, tmp_path_factory):
    through = urlsplit(REDIS)._replace(netloc=f"127.0.0.1:{cable.port}").geturl()
    jobs = make_url(shared["database_url"]).set(host="127.0.0.1", port=ledger_cable.port).render_as_string(hide_password=False)
    fleet = Fleet(tmp_path_factory.mktemp("hosts"), shared | {"redis_url": through, "database_url": jobs}, ledger)
    try:
        yield fleet
        for worker in fleet.workers:  # all at once
            worker.process.terminate()
        for worker in fleet.workers:
            worker.stop()
    finally:
        fleet.kill()


@pytest.fixture
def fleet(all_workers, ledger):
    """Two workers that have nothing to do."""
    yield from idle(all_workers, ledger, 2)


@pytest.fixture
def one_worker(all_workers, ledger):
    """One worker that has nothing to do, at least."""
    yield from idle(all_workers, ledger, 1)


@pytest.fixture(scope="module")
def wake(settings_of_web, ledger):
    return make_wake(settings_of_web, ledger)


@pytest.fixture(scope="module")
def broker(settings_of_web):
    made = Broker(settings_of_web)
    yield made
    made.close()


@pytest.fixture
def submit(ledger, wake):
    def put(what, **how):
        job = ledger.submit(how.pop("owner", "siti"), new_request(what), **how)
        wake()
        return job

    return put


def test_a_load_ends_with_its_tiles(fleet, ledger, site, wake):
    request = HistoryRequest(("JFK",), ("temperature",), *YEAR_MS)
    done = become(ledger, start_job(site, ledger, person("siti"), request, wake, by_page=True), Status.COMPLETED)
    assert done.attempt == 1
    assert len(site.tiles.entries(SeriesKey(site.source_id, "JFK", "temperature"))) == done.metrics["tiles_read"] == 12


def test_a_workbook_is_written_where_all_hosts_find_it(fleet, ledger, site, wake):
    request = HistoryRequest(("LGA",), ("temperature",), *YEAR_MS)
    become(ledger, start_job(site, ledger, person("siti"), request, wake, by_page=True), Status.COMPLETED)
    done = become(ledger, start_export(site, ledger, person("siti"), request, WORKBOOK, wake), Status.COMPLETED)
    file = site.shelf.find(export_file_tag(site, request, WORKBOOK))
    assert file.stat().st_size == done.metrics["bytes"] > 100_000
    assert list(file.parent.iterdir()) == [file]


def test_both_workers_take_jobs_and_each_queue_has_slots_of_its_own(fleet, ledger, submit):
    jobs = [submit("slow"), submit("slow")]
    for job in jobs:
        child_of(ledger, job)
    assert fleet.worker_of(jobs[0]) is not fleet.worker_of(jobs[1])
    waiting, large = submit("quick"), submit("quick", queue=LARGE)
    become(ledger, large, Status.COMPLETED)
    assert ledger.get(waiting.id).status is Status.QUEUED
    ledger.cancel(jobs[0].id)
    become(ledger, waiting, Status.COMPLETED)


@pytest.mark.parametrize("what", ["slow", "ignore signals", "with family"])
def test_cancel_ends_the_child_and_all_it_started_within_two_seconds(fleet, ledger, submit, wake, what):
    def cancel():
        job = submit(what)
        child = child_of(ledger, job)
        family = [child, *child.children(recursive=True)]
        began_s = time.monotonic()
        ledger.cancel(job.id)
        wake()
        wait_until(lambda: all(is_gone(process) for process in family), "child to be gone")
        took_s = time.monotonic() - began_s
        assert (ledger.get(job.id).status, ledger.get(job.id).attempt) == (Status.CANCELLED, 1)
        noted = wait_until(lambda: ledger.get(job.id).metrics, "how long the cancel took, written down")
        assert noted["cancel_seconds"] >= 0
        return took_s

    assert_within(2.0, cancel)


def test_a_cancelled_job_can_be_retried_at_once(fleet, ledger, submit, wake):
    job = submit("slow once")
    child_of(ledger, job)
    ledger.cancel(job.id)
    wake()
    ledger.retry(job.id)
    wake()
    assert become(ledger, job, Status.COMPLETED).metrics["attempt"] == 2


def test_a_killed_child_is_noticed_told_and_tried_again(fleet, ledger, submit):
    job = submit("slow once")
    child_of(ledger, job).send_signal(signal.SIGKILL)
    waiting = become(ledger, job, Status.QUEUED)
    assert "SIGKILL" in waiting.error.message
    done = become(ledger, job, Status.COMPLETED)
    assert (done.metrics["attempt"], done.failures, done.error) == (2, 1, None)


def test_a_message_that_comes_again_is_harmless(fleet, ledger, submit, broker):
    job = submit("slow")
    child = child_of(ledger, job)
    broker.send(job.id, 0, queue=HISTORY, timeout_s=300)  # goes to the other worker, which is free
    wait_until(lambda: len([one for one in broker.messages() if one.job_id == job.id]) < 2, "the second message to be gone")
    assert not is_gone(child)
    assert (ledger.get(job.id).status, ledger.get(job.id).attempt) == (Status.RUNNING, 1)
    ledger.cancel(job.id)
    wait_until(lambda: is_gone(child), "child to be gone")
    # the last that is written of it
    wait_until(lambda: "cancel_seconds" in ledger.get(job.id).metrics, "the cancel to be noted")
    assert_harmless(ledger, broker, job)


def test_a_job_whose_message_is_lost_is_finished_all_the_same(fleet, ledger, settings_of_web, submit):
    slow = [submit("slow"), submit("slow")]
    for job in slow:
        child_of(ledger, job)
    waiting = submit("quick")
    with no_message_in(settings_of_web, HISTORY):
        for job in slow:
            ledger.cancel(job.id)
        assert become(ledger, waiting, Status.COMPLETED).attempt == 1


def test_a_job_that_never_had_a_message_is_found(fleet, ledger):
    job = ledger.submit("siti", new_request("quick"))
    assert become(ledger, job, Status.COMPLETED).attempt == 1


def test_a_child_that_takes_too_long_is_killed(fleet, ledger, submit):
    job = submit("slow", tries=1, timeout_s=4)
    child = child_of(ledger, job)
    failed = become(ledger, job, Status.FAILED)
    assert (failed.error.code, failed.error.message) == ("timeout", "The load exceeded the time limit of 4 s.")
    assert is_gone(child)


@pytest.fixture
def page(settings_of_web, ledger, wake):
    """A page of a site whose jobs run on Celery."""
    user = person("siti")
    manager = QueueManager(
        open_cache(settings_of_web), ledger, lambda: user, render_progress, render_result, wake=wake, signing_secret=SECRET
    )
    app = make_app(manager, lambda _job_id, _report: pytest.fail("the web process must not run a job"))
    return Page(app, app.server.test_client())


def test_the_page_follows_a_job_and_gets_its_end(fleet, ledger, page):
    job = ledger.submit("siti", new_request("soon"))
    assert page.start(job.id).status_code == 200  # attaching wakes, too
    shown = []

    def poll():
        answer = page.poll()
        shown.extend(answer.json.get("progress", {}).get("text", {}).values() if answer.status_code == 200 else ())
        return answer.json.get("response") if answer.status_code == 200 else None

    response = wait_until(poll, "the job's end")
    assert response["end"]["children"] == "ended: completed"


def test_cancel_on_the_page_kills_the_job(fleet, ledger, submit, page):
    job = submit("slow")
    child = child_of(ledger, job)
    page.start(job.id)
    page.click_cancel()
    assert ledger.get(job.id).status is Status.CANCELLED
    wait_until(lambda: is_gone(child), "child to be gone")
    response = wait_until(lambda: page.poll().json.get("response"), "the end")
    assert response["end"]["children"] == "ended: cancelled"


def test_a_broker_that_was_away_stops_no_job_and_brings_the_next(fleet, ledger, submit, cable):
    job, ending = submit("slow"), submit("slow")
    child = child_of(ledger, job)
    child_of(ledger, ending)
    # has to take the next job, since the other one's only slot is busy
    freed = fleet.worker_of(ending)
    failures = freed.output().count("Couldn't ack")
    cable.cut()
    try:
        ledger.cancel(ending.id)
        wait_until(lambda: freed.output().count("Couldn't ack") > failures, "the acknowledgement of its message to fail")
        wait_until(lambda: not ledger.workers(), "workers to be silent, so that pages say that nothing can be loaded")
        waiting = submit("quick")
    finally:
        cable.mend()
    assert become(ledger, waiting, Status.COMPLETED).attempt == 1
    assert not is_gone(child)
    assert (ledger.get(job.id).status, ledger.get(job.id).attempt) == (Status.RUNNING, 1)
    wait_until(lambda: len(ledger.workers()) == 2, "workers to be back")


def test_a_ledger_that_was_away_for_longer_than_any_lease_costs_no_try(fleet, ledger, submit, ledger_cable):
    job = submit("slow", tries=1)
    child = child_of(ledger, job)
    ledger_cable.cut()
    try:
        wait_until(ledger.expired, "the lease to run out")
        wait_until(lambda: not ledger.workers(), "workers to be silent")
    finally:
        ledger_cable.mend()
    wait_until(lambda: len(ledger.workers()) == 2 and not ledger.expired(), "workers to be back, and the lease")
    assert not is_gone(child)
    assert (ledger.get(job.id).status, ledger.get(job.id).attempt) == (Status.RUNNING, 1)


def test_jobs_of_a_killed_supervisor_and_of_a_killed_worker_are_finished_by_whoever_lives(fleet, ledger, submit, broker):
    one, other = submit("slow once"), submit("slow once")
    children = [child_of(ledger, one), child_of(ledger, other)]
    killed = fleet.worker_of(other)
    os.kill(children[0].ppid(), signal.SIGKILL)
    killed.kill()
    wait_until(lambda: all(is_gone(child) for child in children), "children to die with their supervisors")
    for job in (one, other):
        done = become(ledger, job, Status.COMPLETED)
        assert (done.metrics["attempt"], done.attempt, done.failures) == (2, 2, 1)
    # the dead worker's stays
    assert 0 in [message.attempt for message in broker.messages() if message.job_id == other.id]
    assert killed.family() == []
    assert_harmless(ledger, broker, other)


@pytest.mark.parametrize("broker_answers", [True, False])
def test_a_stopped_worker_gives_its_job_back_without_costing_a_try(fleet, ledger, submit, cable, broker_answers):
    job = submit("slow once", tries=1)
    child = child_of(ledger, job)
    if not broker_answers:
        cable.be_still()
    try:
        assert fleet.worker_of(job).stop() == 0
    finally:
        cable.flow()
    assert is_gone(child)
    done = become(ledger, job, Status.COMPLETED)
    assert (done.metrics["attempt"], done.failures) == (2, 0)
    assert len(ledger.workers()) == 1


def test_a_worker_whose_pool_dies_ends_and_says_so(one_worker, ledger, submit):
    job = submit("slow")
    supervisor = psutil.Process(child_of(ledger, job).ppid())
    worker = one_worker.worker_of(job)
    os.kill(supervisor.ppid(), signal.SIGKILL)
    assert worker.process.wait(STOP_S) != 0
    assert "ended with exit code -9" in worker.output()
    assert worker.family() == []


def hostile_messages(job_id: str, settings: Settings) -> list[bytes]:
    """What somebody who can write to Redis may leave in a queue."""
    elsewhere = settings.model_copy(update={"redis_prefix": f"{settings.redis_prefix}elsewhere:"})
    with closing(Broker(elsewhere)) as broker:  # one of ours, to begin with
        broker.send(job_id, 0, queue=HISTORY, timeout_s=300)
    with redis.Redis.from_url(settings.redis_url) as client:
        ours = json.loads(client.lpop(f"{elsewhere.redis_prefix}{HISTORY}"))

    def changed(body=None, **headers):
        made = json.loads(json.dumps(ours))
        made["headers"] |= headers
        made["body"] = made["body"] if body is None else base64.b64encode(json.dumps(body).encode()).decode()
        return json.dumps(made).encode()

    call = {"task": "riwayat.run", "args": ["evil"], "kwargs": {}, "options": {"queue": "evil"}, "subtask_type": None}
    after = {"callbacks": [call], "errbacks": None, "chain": [call], "chord": None}
    return [
        b"no json",
        b"[" * 100_000,
        b"17",
        b'{"properties": {}}',
        changed(task="celery.map", body=[[{"task": "riwayat.run"}, [["evil"]]], {}, after]),
        changed(task="nobody.knows"),
        changed(body=[[job_id], {}, after]),
        changed(timelimit=[0.01, 0.01]),
        changed(compression="application/x-bz2"),
        changed(eta="2999-01-01T00:00:00"),
        changed(id="unknownjob.0.00000000", body=[["unknownjob"], {}, {**dict.fromkeys(after)}]),
        changed(),
    ]


def test_who_can_write_to_redis_can_make_a_worker_look_for_a_job_and_nothing_more(one_worker, ledger, submit, settings_of_web):
    workers = [worker for worker in one_worker.workers if worker.process.poll() is None]
    done = become(ledger, submit("quick"), Status.COMPLETED)
    prefix = settings_of_web.redis_prefix
    with redis.Redis.from_url(settings_of_web.redis_url) as client:
        for text in hostile_messages(done.id, settings_of_web):
            client.lpush(f"{prefix}{HISTORY}", text)
        with Celery(broker=settings_of_web.redis_url) as stranger:
            stranger.conf.broker_transport_options = {"global_keyprefix": prefix}
            stranger.control.broadcast("shutdown")
            stranger.control.broadcast("pool_shrink", arguments={"n": 1})
        wait_until(lambda: not client.llen(f"{prefix}{HISTORY}"), "all to be taken")
        assert become(ledger, submit("quick"), Status.COMPLETED).attempt == 1
        assert not client.exists(f"{prefix}evil")
    assert [worker.process.poll() for worker in workers] == [None] * len(workers)
    assert (ledger.get(done.id).status, ledger.get(done.id).attempt) == (Status.COMPLETED, 1)
    said = "".join(worker.output() for worker in workers)
    assert said.count("message dropped") == 8
    assert "message for nothing" in said
    assert "Traceback" not in said
