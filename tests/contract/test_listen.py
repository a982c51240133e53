"""Messages of a broker: in the inbox before they are acknowledged, so that none is lost."""

from __future__ import annotations

import json
import select
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from config import Settings
from data.catalogue import load_catalogue
from data.inbox.arrivals import Arrivals, joined_arrivals, rows_by_station
from data.inbox.messages import MessageReader, TopicMessage
from data.inbox.rejected_items import RejectedItem, RejectedItems
from data.inbox.topic_mapping import load_topic_mapping
from errors import ConfigurationError
from jobs.listening import TopicListener
from jobs.receiving import open_spool
from tests.processes import free_port, wait_until
from tests.served import program

MAPPING = """
host = "127.0.0.1"
port = {port}

[[topics]]
topic = "weather/{{station}}/state"
time = "ts"
time_unit = "s"
station = "station"
[topics.columns]
"air.temp" = {{ sensor = "temperature", unit = "degF" }}
hum = "humidity"

[[topics]]
topic = "roof/{{sensor}}"
payload = "plain"
station_name = "Roof"
layout = "tall"
[topics.tall]
tag = "sensor"
value = "payload"
[topics.columns]
t = "temperature"
rh = "humidity"
"""
Read = Callable[..., tuple[list[Arrivals], list[RejectedItem]]]
NOW = "2025-08-11T03:30:00.250Z"


def mapping_file(folder: Path, port: int = 1, text: str = MAPPING) -> Path:
    path = folder / "mqtt.toml"
    path.write_text(text.format(port=port))
    return path


@pytest.fixture
def read(tmp_path: Path) -> Read:
    path = mapping_file(tmp_path)
    reader = MessageReader(load_topic_mapping(path), path, load_catalogue(), "UTC")

    def read(*messages: tuple[str, object], kept: bool = False) -> tuple[list[Arrivals], list[RejectedItem]]:
        made = [body if isinstance(body, bytes) else json.dumps(body).encode() for _, body in messages]
        return reader.read([TopicMessage(topic, body, NOW, kept) for (topic, _), body in zip(messages, made, strict=True)])

    return read


def test_json_is_read_by_its_keys_levels_and_units_and_what_is_not_said_stays(read: Read) -> None:
    arrivals, rejected = read(
        ("weather/a/state", {"ts": 60, "air": {"temp": 212}, "battery": 3.3}),
        ("weather/b/state", [{"ts": 120, "hum": None}, {"ts": 180, "hum": 55.5}]),
        ("weather/a/other", b"\xff"),
    )
    assert rejected == []
    found = {(row.station, row.sensors): (row.times.tolist(), row.values) for row in rows_by_station(joined_arrivals(arrivals))}
    assert set(found) == {("a", ("temperature",)), ("b", ("humidity",))}
    assert found["a", ("temperature",)][0] == [60_000]
    assert found["a", ("temperature",)][1][0, 0] == pytest.approx(100)
    assert found["b", ("humidity",)][0] == [180_000]  # no row of a station without any value


def test_plain_payloads_have_the_time_of_their_coming_and_what_was_kept_is_none(read: Read) -> None:
    arrivals, _ = read(("roof/t", b" 21.5\n"), ("roof/rh", b"60"), ("roof/wind", b"3"))
    rows = {
        row.sensors: (row.station, row.times.tolist(), row.values.tolist()) for row in rows_by_station(joined_arrivals(arrivals))
    }
    assert rows == {("temperature", "humidity"): ("Roof", [1_754_883_000_250], [[21.5, 60.0]])}
    assert read(("roof/t", b"21.5"), kept=True) == ([], [])


@pytest.mark.parametrize(
    ("topic", "payload", "says"),
    [
        ("weather/a/state", b"{", "Expecting"),
        ("weather/a/state", b"7", "expected an object"),
        ("weather/a/state", b"\xff\xfe", "utf-8"),
        ("weather/a/state", {"ts": "soon", "hum": 1}, "soon"),
        ("weather/a/state", {"hum": 1}, "ts"),
        ("weather/a/state", {"ts": 60, "hum": "wet"}, "wet"),
        ("roof/t", b"warm", "warm"),
    ],
)
def test_a_message_that_cannot_be_read_is_kept_with_its_reason_and_others_are_taken(
    read: Read, topic: str, payload: object, says: str
) -> None:
    arrivals, [item] = read((topic, payload), ("weather/b/state", {"ts": 60, "hum": 50}))
    assert joined_arrivals(arrivals).stations.tolist() == ["b"]
    assert says in item.why
    assert item.lines


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"roof/{{sensor}}"', '"roof/#/x"', "topics.1.topic"),
        ('host = "127.0.0.1"', "", "host"),
        ('hum = "humidity"', "", None),
        ("time_unit", "time_unti", "time_unti"),
    ],
)
def test_a_mapping_that_is_wrong_is_refused_with_its_key(tmp_path: Path, old: str, new: str, says: str | None) -> None:
    path = mapping_file(tmp_path, text=MAPPING.replace(old, new))
    if says is None:
        load_topic_mapping(path)
        return
    with pytest.raises(ConfigurationError, match=says):
        load_topic_mapping(path)


# with a broker


class Broker:
    """mosquitto, on a port of its own, which remembers sessions while it is away."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location {folder}/\n"
            "max_queued_messages 100000\nuser root\n"
        )
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen([program("mosquitto"), "-c", str(self._config)], stderr=subprocess.DEVNULL)
        self.publish()

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()

    def publish(self, *messages: tuple[str, bytes]) -> None:
        """Publish messages with QoS 1; returns when the broker has them all."""
        client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)

        def is_connected() -> bool:
            try:
                return client.connect("127.0.0.1", self.port) == 0
            except OSError:
                return False

        wait_until(is_connected, "the broker")
        client.loop_start()
        for sent in [client.publish(topic, payload, qos=1) for topic, payload in messages]:
            sent.wait_for_publish(30)
        client.disconnect()
        client.loop_stop()


def polled(reads: Any, writes: Any, _errors: Any, timeout_s: float) -> tuple[list[Any], list[Any], list[Any]]:
    """select.select for file descriptors above 1,023 as well."""
    poll, asked = select.poll(), dict[int, int]()
    for kind, some in ((select.POLLIN, reads), (select.POLLOUT, writes)):
        for each in some:
            asked[each.fileno()] = asked.get(each.fileno(), 0) | kind
    for number, kinds in asked.items():
        poll.register(number, kinds)
    came = dict(poll.poll(timeout_s * 1000))
    ready = [
        [each for each in some if came.get(each.fileno(), 0) & ~other]
        for some, other in ((reads, select.POLLOUT), (writes, select.POLLIN))
    ]
    return ready[0], ready[1], []


@pytest.fixture(autouse=True, scope="module")
def _many_files_may_be_open() -> Iterator[None]:
    """A process of tests has many files open, of which select.select, which paho asks, knows the
    first thousand alone; a process that listens has a few.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("paho.mqtt.client.select", SimpleNamespace(select=polled))
        yield


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    made = Broker(tmp_path_factory.mktemp("mosquitto"))
    yield made
    made.stop()


@pytest.fixture
def settings(data_dir: Path, tmp_path: Path, broker: Broker, request: pytest.FixtureRequest) -> Settings:
    text = f'client_id = "{request.node.name[:60]}"\n' + MAPPING
    return Settings(data_dir=data_dir, timezone="UTC", mqtt=mapping_file(tmp_path, broker.port, text))


@contextmanager
def listening(settings: Settings) -> Iterator[TopicListener]:
    """A listener in a thread, once it has subscribed."""
    stopping, listener = threading.Event(), TopicListener(settings)
    subscribed = threading.Event()
    listener._client.on_subscribe = lambda *_: subscribed.set()
    thread = threading.Thread(target=listener.run, args=(stopping,))
    thread.start()
    try:
        assert subscribed.wait(20)
        yield listener
    finally:
        stopping.set()
        thread.join(20)
        assert not thread.is_alive()


def kept(settings: Settings) -> list[float]:
    taken = [each for _, each in open_spool(settings).take(10**9)]
    return sorted(joined_arrivals(taken).times.tolist()) if taken else []


def states(first: int, count: int) -> list[tuple[str, bytes]]:
    return [("weather/a/state", json.dumps({"ts": at, "hum": 50}).encode()) for at in range(first, first + count)]


def test_what_is_published_is_kept_many_messages_a_delivery_and_what_cannot_be_is_rejected(
    settings: Settings, broker: Broker
) -> None:
    with listening(settings):
        broker.publish(*states(1, 4000), ("roof/t", b"warm"))
        wait_until(lambda: open_spool(settings).rows_waiting() >= 4000, "4,000 observations")
        wait_until(lambda: RejectedItems(settings.inbox_path).count() == 1, "a rejected item")
    assert kept(settings) == [at * 1000 for at in range(1, 4001)]
    assert len(open_spool(settings).waiting()) < 400


def test_what_the_inbox_did_not_take_comes_again_to_the_next_process_and_what_came_while_none_ran(
    settings: Settings, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = threading.Event()
    with monkeypatch.context() as patch:
        patch.setattr("data.inbox.posting.Posting.post", lambda *_: refused.set())  # returns None: not kept
        with listening(settings):
            broker.publish(*states(1, 30))
            assert refused.wait(20)
    broker.publish(*states(31, 30))
    assert kept(settings) == []
    with listening(settings):
        wait_until(lambda: open_spool(settings).rows_waiting() >= 60, "all of them")
    assert kept(settings) == [at * 1000 for at in range(1, 61)]
    with listening(settings):
        broker.publish(*states(61, 1))
        wait_until(lambda: open_spool(settings).rows_waiting() >= 61, "one more")
    assert len(kept(settings)) == 61  # what was acknowledged does not come again


def test_a_broker_that_was_away_is_found_again(settings: Settings, broker: Broker) -> None:
    with listening(settings):
        broker.stop()
        broker.start()
        broker.publish(*states(1, 3))
        wait_until(lambda: open_spool(settings).rows_waiting() >= 3, "three observations")
    assert kept(settings) == [1000, 2000, 3000]
