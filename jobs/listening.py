"""The process that listens to an MQTT broker: a message is acknowledged once the inbox has it."""

from __future__ import annotations

import queue
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from config import Settings, outside_value
from data.catalogue import load_catalogue
from data.inbox.messages import MessageReader, TopicMessage
from data.inbox.posting import Posting
from data.inbox.rejected_items import RejectedItems
from data.inbox.topic_mapping import TopicMapping, load_topic_mapping
from errors import ConfigurationError
from jobs.receiving import open_spool, refuse_beside_source
from jobs.worker.wake import wake

_GATHER_S: Final = 0.05  # what comes meanwhile is one delivery
_MOST_AT_ONCE: Final = 5000
_IN_FLIGHT: Final = 10_000  # unacknowledged messages that a broker of MQTT 5 may send us
_SESSION_S: Final = 30 * 86_400  # how long the broker keeps messages for us while we are away
_LOOK_S: Final = 0.5
_LEAST_PAUSE_S, _LONGEST_PAUSE_S = 1, 60  # between attempts to connect
_QOS: Final = 1

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Received:
    message: TopicMessage
    number: int  # of the packet, by which it is acknowledged
    qos: int
    connection: int


class TopicListener:
    """Puts a broker's messages into the inbox, then acknowledges them. A broker sends again what
    was not acknowledged, also to a process that is started anew.
    """

    def __init__(self, settings: Settings) -> None:
        """Read the mapping.

        Raises:
            ConfigurationError: there is none, or it is wrong.
        """
        if settings.mqtt is None:
            raise ConfigurationError("Set RIWAYAT_MQTT to the path of a mapping of topics (TOML).")
        refuse_beside_source(settings, "RIWAYAT_MQTT")
        self._mapping = load_topic_mapping(settings.mqtt)
        catalogue = load_catalogue(settings.sensors)
        self._reader = MessageReader(self._mapping, settings.mqtt.resolve(), catalogue, settings.timezone)
        self._posting = Posting(open_spool(settings), RejectedItems(settings.inbox_path), lambda: wake(settings))
        self._come: queue.Queue[_Received] = queue.Queue()
        self._connection = 0
        self._client = self._make_client(self._mapping)

    def run(self, stopping: threading.Event) -> None:
        """Listen until ``stopping`` is set, connecting again whenever the broker is away."""
        clean: dict[str, Any] = {}
        if self._mapping.version == 5:
            session = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            session.SessionExpiryInterval, session.ReceiveMaximum = _SESSION_S, _IN_FLIGHT
            clean = {"clean_start": False, "properties": session}
        self._client.connect_async(self._mapping.host, self._mapping.real_port, **clean)
        self._client.loop_start()
        try:
            while not stopping.is_set():
                if come := self._gather():
                    self._keep(come, stopping)
        finally:
            self._client.disconnect()
            self._client.loop_stop()

    def _gather(self) -> list[_Received]:
        """Return messages that came within a short time; none where none did."""
        come: list[_Received] = []
        with suppress(queue.Empty):
            come.append(self._come.get(timeout=_LOOK_S))
            until_s = time.monotonic() + _GATHER_S
            while len(come) < _MOST_AT_ONCE:
                come.append(self._come.get(timeout=max(0.0, until_s - time.monotonic())))
        return come

    def _keep(self, come: list[_Received], stopping: threading.Event) -> None:
        arrivals, rejected = self._reader.read([each.message for each in come])
        if not self._posting.post(arrivals, rejected, stopping):
            return
        for each in come:
            if each.connection == self._connection:  # else the broker sends it again
                self._client.ack(each.number, each.qos)
        log.info("received", messages=len(come), observations=sum(map(len, arrivals)), rejected=len(rejected))

    def _make_client(self, mapping: TopicMapping) -> mqtt.Client:
        session: dict[str, Any] = {} if mapping.version == 5 else {"clean_session": False}
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=mapping.client_id,
            protocol=mqtt.MQTTv5 if mapping.version == 5 else mqtt.MQTTv311,
            manual_ack=True,
            **session,
        )
        client.reconnect_delay_set(_LEAST_PAUSE_S, _LONGEST_PAUSE_S)
        if mapping.user is not None:
            password = outside_value(mapping.password_env) if mapping.password_env else None
            if mapping.password_env and password is None:
                raise ConfigurationError(
                    "The mapping of topics takes its password from {name}, which is not set.", name=mapping.password_env
                )
            client.username_pw_set(mapping.user, password)
        if mapping.tls:
            client.tls_set(ca_certs=str(mapping.ca) if mapping.ca else None)
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_message = self._arrived
        return client

    def _connected(self, client: mqtt.Client, _data: object, _flags: object, reason: Any, _properties: object) -> None:
        if reason.is_failure:
            log.error("the broker refuses", host=self._mapping.host, why=str(reason))
            return
        self._connection += 1
        client.subscribe([(topic, _QOS) for topic in dict.fromkeys(rule.subscription for rule in self._mapping.topics)])
        log.info("listening", host=self._mapping.host, port=self._mapping.real_port)

    def _disconnected(self, _client: mqtt.Client, _data: object, _flags: object, reason: Any, _properties: object) -> None:
        log.warning("the broker is away; connecting again", host=self._mapping.host, why=str(reason))

    def _arrived(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        come = TopicMessage(message.topic, bytes(message.payload), now, bool(message.retain))
        self._come.put(_Received(come, message.mid, message.qos, self._connection))
