"""What lies in the broker, as the ledger changes: real Redis, no worker."""

import base64
import json
import socket
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress

import pytest
import redis
from sqlalchemy import update

from config import Settings, load_settings
from data.request import HistoryRequest
from errors import ConfigurationError
from jobs.celery.app import make_app, time_limits, visibility_timeout_s
from jobs.celery.broker import BROKER_TROUBLE, Broker
from jobs.celery.dispatcher import FRESH_MS, CeleryDispatcher
from jobs.celery.message import envelope, parse_message
from jobs.job import JobError, Status
from jobs.ledger.ledger import open_ledger
from jobs.ledger.tables import job as job_table
from jobs.policy import HISTORY, LARGE
from tests.brokers import REDIS, redis_prefix
from tests.databases import migrate_as_new
from tests.processes import ROOT, assert_within, free_port, run_manage, site_environment, wait_until


@pytest.fixture
def site_settings(tmp_path):
    with redis_prefix() as prefix:
        made = Settings(data_dir=tmp_path / "var", queue="celery", redis_url=REDIS, redis_prefix=prefix)
        made.prepare()
        yield made


@pytest.fixture
def ledger(site_settings):
    migrate_as_new(site_settings)
    opened = open_ledger(site_settings)
    yield opened
    opened.engine.dispose()


@pytest.fixture
def broker(site_settings):
    made = Broker(site_settings)
    yield made
    made.close()


@pytest.fixture
def line(ledger, broker):
    return CeleryDispatcher(ledger, broker)


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
    # back-off of 1 s
    ledger.fail(job.id, claimed.attempt, JobError("died", "It died.", {}, True, ""), jitter=0.0)
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
    monkeypatch.setattr("jobs.celery.dispatcher.TAKEN_S", 0.5)
    monkeypatch.setattr("jobs.celery.dispatcher.FRESH_MS", 0)

    def sent():
        line.tick()
        return len(broker.messages()) == 2

    wait_until(sent, "another message")
    assert {message.job_id for message in broker.messages()} == {job.id}
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
    CeleryDispatcher(ledger, away).wake()
    assert time.monotonic() - began_s < 4
    assert ledger.get(job.id).status is Status.QUEUED
    with pytest.raises(BROKER_TROUBLE):
        CeleryDispatcher(ledger, away).tick()
    with pytest.raises(BROKER_TROUBLE):
        away.send(job.id, 0, queue=HISTORY, timeout_s=1)
    away.close()


def test_who_submits_waits_a_second_for_a_broker_that_says_nothing(ledger, submit, tmp_path):
    job = submit()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
        silent = Broker(Settings(data_dir=tmp_path, queue="celery", redis_url=url))

        def wake():
            began_s = time.monotonic()
            CeleryDispatcher(ledger, silent).wake()
            return time.monotonic() - began_s

        assert_within(1.3, wake)
        silent.close()
    assert ledger.get(job.id).status is Status.QUEUED


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


def envelope_of(broker, site_settings, job) -> dict:
    """The message that we sent for a job, as it lies in Redis."""
    broker.send(job.id, 0, queue=HISTORY, timeout_s=300)
    with redis.Redis.from_url(REDIS) as client:
        return json.loads(client.lindex(f"{site_settings.redis_prefix}{HISTORY}", 0))


def test_a_message_of_ours_is_put_together_anew_as_it_was(broker, site_settings, submit):
    """All that Celery looks at; else a message that we send would be dropped,
    or run in another way.
    """
    sent = envelope_of(broker, site_settings, submit())
    made = envelope(parse_message(sent), HISTORY)
    for where in ("headers", "properties"):
        for name, value in made[where].items():
            if name != "delivery_tag":
                assert value == sent[where][name], name
    assert json.loads(base64.b64decode(made["body"])) == json.loads(base64.b64decode(sent["body"]))
    assert (made["content-type"], made["content-encoding"]) == (sent["content-type"], sent["content-encoding"])


def body_of(*parts) -> str:
    return base64.b64encode(json.dumps(parts).encode()).decode()


AFTER = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}


@pytest.mark.parametrize(
    "hostile",
    [
        {"content-type": "application/x-python-serialize"},
        {"body": "no base64"},
        {"body": body_of(["another"], {}, AFTER)},
        {"body": body_of([], {"job_id": "x"}, AFTER)},
        {"body": body_of(["x"], {}, AFTER | {"chain": [{"task": "celery.map", "args": []}]})},
        {"body": "A" * 50_000},
        {"properties": {"body_encoding": None}},
        {"properties": None},
        {"headers": None},
        {"headers": {"task": "celery.map"}},
        {"headers": {"id": "x"}},
        {"headers": {"id": 5}},
        {"headers": {"id": "../../etc.0.00000000"}},
        {"headers": {"id": "x.-1.00000000"}},
        {"headers": {"id": "x.0.00000000\n"}},
        {"headers": {"timelimit": [0, 0]}},
        {"headers": {"timelimit": [1e300, 60.5]}},
        {"headers": {"timelimit": [True, True]}},
        {"headers": {"timelimit": None}},
    ],
    ids=str,
)
def test_a_message_that_is_not_as_we_send_it_is_none_of_ours(broker, site_settings, submit, hostile):
    sent = envelope_of(broker, site_settings, submit())
    for name, changes in hostile.items():
        sent[name] = sent[name] | changes if isinstance(changes, dict) else changes
    assert parse_message(sent) is None


@pytest.mark.parametrize("text", [b"", b"nothing", b"[" * 100_000, b"5", b"[]", b"null", b"\xff\xfe", b'{"headers": 5}', b"{}"])
def test_rubbish_in_redis_stops_nobody(line, broker, ledger, site_settings, submit, text):
    with redis.Redis.from_url(REDIS) as client:
        client.lpush(f"{site_settings.redis_prefix}{HISTORY}", text)
        client.hset(f"{site_settings.redis_prefix}unacked", "tag", text)
    waiting = submit()
    line.wake()
    assert [message.job_id for message in broker.messages()] == [waiting.id]


def test_a_table_of_queues_that_somebody_wrote_to_is_trouble_with_the_broker_and_no_crash(broker, site_settings, submit):
    job = submit()
    with redis.Redis.from_url(REDIS) as client:
        client.sadd(f"{site_settings.redis_prefix}_kombu.binding.{HISTORY}", "rubbish")
    with suppress(*BROKER_TROUBLE):
        broker.send(job.id, 0, queue=HISTORY, timeout_s=300)
