"""Who is next, how many may wait, and what no setting of a clock changes;
on every database that is supported.
"""

import random

import pytest
from sqlalchemy import update

from config import Settings
from data.database.engine import make_engine
from data.request import HistoryRequest
from errors import QueueFull, SourceUnavailable
from jobs.job import JobError, Status, WorkerInfo
from jobs.ledger import tables
from jobs.ledger.ledger import Ledger, open_ledger
from jobs.policy import HISTORY, LARGE, QUEUES, Shares

HOUR_MS = 3_600_000
TIMES = ("created_ms", "queued_ms", "not_before_ms", "started_ms", "finished_ms", "lease_until_ms")


@pytest.fixture
def ledger(migrated_url):
    engine = make_engine(migrated_url)
    yield Ledger(engine)
    engine.dispose()


@pytest.fixture
def put(ledger):
    """Submit one more request of somebody."""
    starts = iter(range(10**6))

    def submit(owner, queue=HISTORY, **how):
        start_ms = next(starts)
        return ledger.submit(owner, HistoryRequest(("aws-1",), ("temperature",), start_ms, start_ms + 1), queue=queue, **how)

    return submit


def run_all(ledger, queues=(HISTORY,)):
    """The ids of all jobs in the order in which one worker with one slot gets them."""
    order = []
    while (job := ledger.claim("w", queues)) is not None:
        order.append(job.id)
        ledger.complete(job.id, job.attempt, {})
    return order


def set_clock(ledger, by_ms):
    """As if the database's clock had been set by so much:
    all that was noted before is now as much further from it.
    """
    with ledger.engine.begin() as connection:
        connection.execute(update(tables.job).values({name: tables.job.c[name] - by_ms for name in TIMES}))
        connection.execute(update(tables.worker).values(seen_ms=tables.worker.c.seen_ms - by_ms))


def test_ten_jobs_of_one_user_do_not_delay_the_first_of_another(ledger, put):
    many = [put("ayu") for _ in range(10)]
    first = put("budi")
    assert run_all(ledger) == [many[0].id, first.id, *(job.id for job in many[1:])]


def test_users_take_turns_and_each_ones_jobs_go_as_they_came(ledger, put):
    a1, a2, a3, b1, b2, c1 = (put(owner) for owner in ("a", "a", "a", "b", "b", "c"))
    assert run_all(ledger) == [job.id for job in (a1, b1, c1, a2, b2, a3)]


def test_the_last_served_waits_for_the_others_also_when_his_jobs_came_first(ledger, put):
    put("a")
    run_all(ledger)
    a, b = put("a"), put("b")
    assert [ledger.position(a), ledger.position(b)] == [2, 1]
    assert run_all(ledger) == [b.id, a.id]


def test_positions_are_the_order_in_which_jobs_are_claimed(ledger, put):
    chance = random.Random(1)
    for _ in range(3):
        for _ in range(4):  # some history, so that turns differ
            put(chance.choice("abcd"))
        for _ in range(2):
            job = ledger.claim("w", [HISTORY])
            ledger.complete(job.id, job.attempt, {})
        jobs = [put(chance.choice("abcde")) for _ in range(6)] + ledger.jobs(status=Status.QUEUED)
        place = {job.id: ledger.position(job) for job in jobs}
        assert sorted(place.values()) == list(range(1, len(place) + 1))
        assert ledger.positions(jobs) == place
        assert run_all(ledger) == sorted(place, key=place.__getitem__)


def test_queues_have_lines_of_their_own(ledger, put):
    large = [put("ayu", LARGE) for _ in range(2)]
    small = put("ayu")
    assert [ledger.position(job) for job in (*large, small)] == [1, 2, 1]
    assert ledger.positions([*large, small]) == {large[0].id: 1, large[1].id: 2, small.id: 1}
    assert run_all(ledger, [HISTORY]) == [small.id]
    assert set(run_all(ledger, QUEUES)) == {job.id for job in large}


def test_a_job_given_back_does_not_use_up_its_owners_turn(ledger, put):
    first, _ = put("ayu"), put("budi")
    job = ledger.claim("w", [HISTORY])
    ledger.requeue(job.id, job.attempt)
    assert ledger.position(ledger.get(first.id)) == 1
    assert ledger.claim("w", [HISTORY]).id == first.id


# -- shares ----------------------------------------------------------------------------------------


@pytest.fixture
def limited(ledger):
    return Ledger(ledger.engine, shares=Shares(user_jobs=2, queued_jobs=3))


def request_at(start_ms):
    return HistoryRequest(("aws-1",), ("temperature",), start_ms, start_ms + 1)


def test_a_user_may_have_so_many_jobs_queued_or_running(limited):
    jobs = [limited.submit("ayu", request_at(start)) for start in range(2)]
    limited.claim("w", [HISTORY])
    with pytest.raises(QueueFull, match="Your limit of active loads is reached \\(2 of 2\\)") as refused:
        limited.submit("ayu", request_at(9))
    assert refused.value.http_status == 429
    limited.submit("budi", request_at(9))  # another may
    # and so may an equal request: it is the same job
    assert limited.submit("ayu", request_at(1)).id == jobs[1].id
    limited.complete(jobs[0].id, 1, {})
    limited.submit("ayu", request_at(9))


def test_so_many_jobs_of_all_users_may_be_queued(limited):
    for owner in "abc":
        limited.submit(owner, request_at(0))
    with pytest.raises(QueueFull, match="The queue is full \\(3 of"):
        limited.submit("d", request_at(0))
    limited.claim("w", [HISTORY])
    limited.submit("d", request_at(0))


def test_those_who_look_at_a_users_charts_count_with_the_user_in_places_and_in_turns(ledger, limited, put):
    """A maker of many charts fills no queue by them, whatever kinds of jobs they start."""
    for number, kind in enumerate(("history", "workbook")):
        limited.submit(f"embed:{number}", request_at(0), kind=kind, share="ayu")
    for owner, share in (("ayu", ""), ("embed:2", "ayu")):
        with pytest.raises(QueueFull, match="is reached .2 of 2."):
            limited.submit(owner, request_at(1), share=share)
    limited.submit("budi", request_at(0))
    assert [job.owner for job in map(ledger.get, run_all(ledger))] == ["embed:0", "budi", "embed:1"]


def test_a_retry_counts_with_the_same_user(limited):
    old = limited.submit("embed:0", request_at(0), share="ayu")
    limited.cancel(old.id)
    for start in (1, 2):
        limited.submit("ayu", request_at(start))
    with pytest.raises(QueueFull):
        limited.retry(old.id)


@pytest.mark.parametrize(("of_one", "of_all", "may"), [(20, 500, 20), (20, 3, 2), (20, 1, 1)])
def test_no_user_takes_the_last_place_of_all(data_dir, of_one, of_all, may):
    ledger = open_ledger(Settings(data_dir=data_dir, user_jobs=of_one, queued_jobs=of_all, _env_file=None))
    for start in range(may):
        ledger.submit("ayu", request_at(start))
    with pytest.raises(QueueFull):
        ledger.submit("ayu", request_at(may))
    ledger.engine.dispose()


def test_what_needs_no_work_is_never_refused(limited):
    for start in range(5):
        limited.record_completed("ayu", request_at(start), {})


def test_a_retry_counts_as_well_but_not_for_whoever_runs_the_site(limited):
    old = limited.submit("ayu", request_at(0))
    limited.cancel(old.id)
    for start in (1, 2):
        limited.submit("ayu", request_at(start))
    with pytest.raises(QueueFull):
        limited.retry(old.id)
    assert limited.get(old.id).status is Status.CANCELLED
    assert limited.retry(old.id, limited=False).status is Status.QUEUED


# -- rows that nobody understands ------------------------------------------------------------------

BAD_REQUESTS = [
    "",
    "null",
    "[]",
    "{}",
    '{"stations": [], "sensors": ["x"], "start_ms": 0, "end_ms": 1}',
    '{"version": 9}',
    "\ufffd",
]


def spoil(ledger, job_id, text):
    with ledger.engine.begin() as connection:
        connection.execute(update(tables.job).where(tables.job.c.id == job_id).values(request=text))


def test_a_request_that_cannot_be_read_fails_and_holds_nobody_up(ledger, put):
    bad = {put("ayu").id: text for text in BAD_REQUESTS}
    good = put("ayu")
    for job_id, text in bad.items():
        spoil(ledger, job_id, text)
    assert {job.id for job in ledger.jobs()} == {good.id, *bad}
    assert ledger.claim("w", [HISTORY]).id == good.id
    for job_id, text in bad.items():
        failed = ledger.get(job_id)
        assert (failed.status, failed.failures, failed.error.details) == (Status.FAILED, 1, text)
        assert "cannot be read" in failed.error.message
    assert ledger.claim("w", [HISTORY]) is None


def test_a_request_that_cannot_be_read_and_is_cancelled_at_once_ends_no_worker(ledger, put, monkeypatch):
    bad, good = put("ayu"), put("budi")
    spoil(ledger, bad.id, "{}")
    fail = ledger.fail

    def cancelled_first(*args, **kwargs):
        ledger.cancel(bad.id)
        fail(*args, **kwargs)

    monkeypatch.setattr(ledger, "fail", cancelled_first)
    assert ledger.claim("w", [HISTORY]).id == good.id
    assert ledger.get(bad.id).status is Status.CANCELLED


def test_other_damage_in_a_row_does_not_hide_the_job(ledger, put):
    job = put("ayu")
    with ledger.engine.begin() as connection:
        connection.execute(update(tables.job).values(progress='{"newer": 1}', error='{"newer": 1}', metrics="?"))
    (found,) = ledger.jobs()
    assert (found.id, found.progress, dict(found.metrics)) == (job.id, None, {})
    assert found.error.details == '{"newer": 1}'


# -- clocks that are set ---------------------------------------------------------------------------


def test_a_clock_that_is_set_changes_nobodys_turn(ledger, put):
    for by_ms in (-HOUR_MS, HOUR_MS):
        put("a")
        run_all(ledger)
        set_clock(ledger, by_ms)
        put("b")
        run_all(ledger)  # b was served after a, whatever their times say
        b, a = put("b"), put("a")
        assert run_all(ledger) == [a.id, b.id]


def test_a_clock_that_is_set_back_does_not_prolong_a_back_off(ledger, put):
    job = put("ayu")
    ledger.claim("w", [HISTORY])
    ledger.fail(job.id, 1, JobError.of(SourceUnavailable()), jitter=0.0)
    set_clock(ledger, -HOUR_MS)
    assert ledger.claim("w", [HISTORY]).attempt == 2


@pytest.mark.parametrize("by_ms", [-HOUR_MS, HOUR_MS])
def test_a_clock_that_is_set_neither_hides_a_dead_worker_nor_keeps_him_alive(ledger, put, by_ms):
    me = WorkerInfo("w", "host", 1, (HISTORY,), 1, 0, 0)
    job = put("ayu", timeout_s=60)
    ledger.claim("w", [HISTORY])
    ledger.heartbeat(me, {job.id: 1})
    set_clock(ledger, by_ms)
    assert [lease.job_id for lease in ledger.expired()] == [job.id]
    assert ledger.workers() == ()
    ledger.heartbeat(me, {job.id: 1})  # who is alive says so within two seconds
    assert ledger.expired() == []
    assert [worker.id for worker in ledger.workers()] == ["w"]


def test_a_claim_whose_answer_was_lost_is_not_kept_alive_by_what_its_worker_runs_besides(ledger, put):
    lost, known = put("ayu"), put("budi")
    me = WorkerInfo("w", "host", 1, (HISTORY,), 2, 0, 0)
    for _ in range(2):
        Ledger(ledger.engine, lease_ms=-1).claim("w", [HISTORY])
    ledger.heartbeat(me, {known.id: 1})
    assert [lease.job_id for lease in ledger.expired()] == [lost.id]


def test_only_workers_of_a_queue_count_for_it(ledger):
    ledger.heartbeat(WorkerInfo("w", "host", 1, (HISTORY,), 1, 0, 0))
    assert [len(ledger.workers(queue)) for queue in (None, HISTORY, LARGE)] == [1, 1, 0]
