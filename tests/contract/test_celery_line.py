"""What lies in the broker, as the ledger changes: real Redis, no worker."""

import subprocess
import sys
import time
from collections import Counter

import pytest
import redis
from sqlalchemy import update

from config import Settings, load_settings
from data.request import HistoryRequest
from errors import ConfigurationError
from jobs.celery_app import make_app, time_limits, visibility_timeout_s
from jobs.celery_broker import BROKER_TROUBLE, Broker
from jobs.celery_line import FRESH_MS, CeleryLine
from jobs.job import JobError, Status
from jobs.ledger import migrate_jobs, open_ledger
from jobs.policy import HISTORY, LARGE
from jobs.tables import job as job_table
from tests.brokers import REDIS, redis_prefix
from tests.processes import ROOT, free_port, run_manage, site_environment, wait_until


@pytest.fixture
def site_settings(tmp_path):
    with redis_prefix() as prefix:
        made = Settings(data_dir=tmp_path / "var", queue="celery", redis_url=REDIS, redis_prefix=prefix)
        made.prepare()
        yield made


@pytest.fixture
def ledger(site_settings):
    opened = open_ledger(site_settings)
    migrate_jobs(opened.engine)
    yield opened
    opened.engine.dispose()


@pytest.fixture
def broker(site_settings):
    made = Broker(site_settings)
    yield made
    made.close()


@pytest.fixture
def line(ledger, broker):
    return CeleryLine(ledger, broker)


@pytest.fixture
def submit(ledger):
    def put(number=0, owner="siti", **how):
        return ledger.submit(owner, HistoryRequest(("JFK",), ("temperature",), 0, 1000 + number), **how)

    return put


def carried(broker):
    return Counter((message.job_id, message.attempt) for message in broker.messages())


def lanes(site_settings, broker, queue):
    """Job ids by list, the list that is served first at the beginning."""
    with redis.Redis.from_url(REDIS) as client:
        names = list(broker.list_keys([queue]))
        return [client.llen(name) for name in names]


def test_a_queued_job_has_one_message_however_often_somebody_wakes(line, broker, submit):
    job = submit()
    for _ in range(3):
        line.wake()
    assert carried(broker) == {(job.id, 0): 1}


def test_a_message_carries_an_id_and_nothing_else(line, site_settings, submit):
    job = submit(timeout_s=100, queue=LARGE)
    line.wake()
    app = make_app(site_settings)
    with app.connection_for_read() as connection, connection.channel() as channel:
        message = channel.basic_get(LARGE, no_ack=True)
        assert message.decode()[:2] == [[job.id], {}]
        assert message.headers["timelimit"] == list(reversed(time_limits(100, site_settings.ledger_patience)))
        assert message.headers["id"].startswith(f"{job.id}.0.")
    app.close()


def test_ten_jobs_of_one_user_do_not_delay_anothers_first(line, broker, site_settings, submit):
    for number in range(12):
        submit(number)
    line.wake()
    assert lanes(site_settings, broker, HISTORY) == [1] * 9 + [3]
    submit(owner="budi")
    line.wake()
    assert lanes(site_settings, broker, HISTORY) == [2] + [1] * 8 + [3]


def test_a_worker_leaves_a_fresh_job_to_whoever_queued_it_and_then_sends_what_is_lost(ledger, line, broker, submit):
    job = submit()

    def queued_later(by_ms):
        with ledger.engine.begin() as connection:
            connection.execute(update(job_table).values(queued_ms=job_table.c.queued_ms + by_ms))

    def sent():
        line.tick()
        return carried(broker)

    queued_later(60_000)  # so that no machine is too slow to find it fresh
    line.tick()
    assert carried(broker) == {}
    queued_later(-60_000 - FRESH_MS)
    assert wait_until(sent, "a message") == {(job.id, 0): 1}


def test_of_many_workers_one_at_a_time_looks_after_lost_messages(broker):
    assert [broker.my_turn("tick") for _ in range(3)] == [True, False, False]
    wait_until(lambda: broker.my_turn("tick"), "the next turn")


def test_a_failed_job_gets_its_next_message_when_its_back_off_is_over_and_not_before(line, broker, ledger, submit):
    job = submit()
    claimed = ledger.claim("me", [HISTORY], only=job.id)
    ledger.fail(job.id, claimed.attempt, JobError("died", "It died.", {}, True, ""), jitter=0.0)  # back-off of 1 s
    assert line.reconcile() == 0
    wait_until(lambda: line.reconcile(), "a message")
    assert carried(broker) == {(job.id, 1): 1}


def take(site_settings, queue):
    """Take a message as a worker does that then dies."""
    app = make_app(site_settings)
    connection = app.connection_for_read()
    channel = connection.channel()
    channel.qos.restore_at_shutdown = False
    assert channel.basic_get(queue) is not None
    return app, connection


def test_a_message_in_the_hands_of_a_dead_worker_counts_only_for_a_while(line, broker, site_settings, submit, monkeypatch):
    job = submit()
    line.wake()
    app, connection = take(site_settings, HISTORY)
    line.wake()
    assert [message.taken for message in broker.messages()] == [True]
    monkeypatch.setattr("jobs.celery_line.TAKEN_S", 0.5)
    monkeypatch.setattr("jobs.celery_line.FRESH_MS", 0)

    def sent():
        line.tick()
        return len(broker.messages()) == 2

    wait_until(sent, "another message")
    assert {message.job_id for message in broker.messages()} == {job.id}
    connection.release()
    app.close()


def test_only_taken_messages_of_cancelled_jobs_are_revoked(line, broker, ledger, site_settings, submit, monkeypatch):
    taken, waiting = submit(1, queue=LARGE), submit(2)
    line.wake()
    app, connection = take(site_settings, LARGE)
    revoked = []
    monkeypatch.setattr(broker, "revoke", revoked.extend)
    line.wake()
    assert revoked == []
    for job in (taken, waiting):
        ledger.cancel(job.id)
    line.wake()
    assert [task_id.split(".")[0] for task_id in revoked] == [taken.id]
    connection.release()
    app.close()


def test_messages_of_other_programs_are_left_alone(line, broker, site_settings):
    with redis.Redis.from_url(REDIS) as client:
        client.lpush(f"{site_settings.redis_prefix}{HISTORY}", '{"headers": {"id": "x", "task": "theirs"}}', "[]")
    assert broker.messages() == []


def test_a_broker_that_does_not_answer_keeps_nobody_from_submitting(ledger, submit, tmp_path):
    url = f"redis://127.0.0.1:{free_port()}/0"
    away = Broker(Settings(data_dir=tmp_path, queue="celery", redis_url=url))
    job = submit()
    began_s = time.monotonic()
    CeleryLine(ledger, away).wake()
    assert time.monotonic() - began_s < 4
    assert ledger.get(job.id).status is Status.QUEUED
    with pytest.raises(BROKER_TROUBLE):
        CeleryLine(ledger, away).tick()
    with pytest.raises(BROKER_TROUBLE):
        away.send(job.id, 0, queue=HISTORY, timeout_s=1)
    away.close()


def test_the_command_sends_what_no_message_carries(line, broker, site_settings, ledger, submit, tmp_path):
    jobs = [submit(number) for number in range(3)]
    common = {name: getattr(site_settings, name) for name in ("data_dir", "queue", "redis_url", "redis_prefix")}
    done = run_manage("queue", "reconcile", cwd=tmp_path, **common)
    assert (done.returncode, "3 messages" in done.stderr) == (0, True), done.stderr
    assert carried(broker) == {(job.id, 0): 1 for job in jobs}
    refused = run_manage("queue", "reconcile", cwd=tmp_path, data_dir=site_settings.data_dir)
    assert (refused.returncode, "RIWAYAT_QUEUE=celery" in refused.stderr) == (1, True), refused.stderr


@pytest.mark.parametrize("timeout_s", [0.5, 300, 86_400])
def test_celery_waits_longer_than_the_job_may_take_and_redis_longer_than_celery(tmp_path, timeout_s):
    made = Settings(data_dir=tmp_path, job_timeout=timeout_s)
    soft_s, hard_s = time_limits(timeout_s, made.ledger_patience)
    assert timeout_s + made.ledger_patience < soft_s < hard_s < visibility_timeout_s(made)


SERVER = "postgresql+psycopg://u@db.example/riwayat"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "RIWAYAT_REDIS_URL"),
        ({"redis_url": "amqp://127.0.0.1"}, "RIWAYAT_REDIS_URL"),
        ({"redis_url": "redis://redis.example/0"}, "RIWAYAT_DATABASE_URL"),
        ({"redis_url": "redis://redis.example/0", "database_url": SERVER}, "RIWAYAT_OBSERVATIONS_URL"),
    ],
)
def test_celery_without_what_it_needs_is_refused_with_the_setting_that_is_missing(tmp_path, settings, words):
    with pytest.raises(ConfigurationError, match=words):
        load_settings(data_dir=tmp_path, queue="celery", **settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"redis_url": "redis://127.0.0.1:6379/0"},
        {"redis_url": "rediss://redis.example/0", "database_url": SERVER, "observations_url": SERVER},
    ],
)
def test_celery_with_what_it_needs_is_accepted(tmp_path, settings):
    assert load_settings(data_dir=tmp_path, queue="celery", **settings).queue == "celery"


def test_a_site_without_celery_does_not_load_it(tmp_path):
    code = "import sys, app, commands.worker, config\napp.create_app(config.load_settings())\nprint('celery' in sys.modules)"
    environment = site_environment(data_dir=tmp_path / "var") | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "False", done.stderr
