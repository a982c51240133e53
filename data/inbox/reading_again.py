"""What could not be read, read again: the profile, the mapping or the catalogue may be mended."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any, Final

from data.catalogue import Catalogue
from data.inbox.arrivals import Arrivals
from data.inbox.headed_lines import LineReader, PlanLines, whole_lines
from data.inbox.messages import MessageReader, TopicMessage
from data.inbox.rejected_items import RejectedItem, rejected_item
from data.inbox.topic_mapping import TopicMapping, load_topic_mapping, plan_messages
from data.ingest.file_plan import ImportOptions, plan_file
from data.time.months import iso_utc
from errors import ConfigurationError

_MESSAGE: Final = b""  # the header of a payload that was no line


def read_again(item: RejectedItem, catalogue: Catalogue, timezone: str) -> tuple[list[Arrivals], list[RejectedItem]]:
    """Return what an item holds by the profile or mapping of now, and what still cannot be read.

    Raises:
        ConfigurationError: the profile or mapping is gone, or wrong.
    """
    reading: dict[str, Any] = json.loads(item.reading)
    if "mapping" not in reading:
        wishes = ImportOptions(reading["profile"], reading["station"], reading["timezone"], timezone)
        return _lines(item, partial(plan_file, catalogue=catalogue, wishes=wishes))
    path = Path(reading["mapping"])
    mapping = load_topic_mapping(path)
    if item.header == _MESSAGE:
        received = iso_utc(int(item.since_s * 1000))
        return MessageReader(mapping, path, catalogue, timezone).read([TopicMessage(item.source, item.lines, received)])
    return _lines(item, _plan_of(mapping, reading["topic"], catalogue, timezone))


def _plan_of(mapping: TopicMapping, topic: str, catalogue: Catalogue, timezone: str) -> PlanLines:
    for rule in mapping.topics:
        if rule.topic == topic:
            return partial(plan_messages, rule, catalogue=catalogue, timezone=timezone)
    raise ConfigurationError("The mapping of topics no longer has the topic {topic}.", topic=topic)


def _lines(item: RejectedItem, plan: PlanLines) -> tuple[list[Arrivals], list[RejectedItem]]:
    lines = whole_lines(item.lines if item.lines.endswith(b"\n") else item.lines + b"\n")
    read = LineReader(plan, item.source).read(item.header, lines, item.header.count(b"\n") + 1)
    left = [rejected_item(item.source, item.reading, each.header, each.lines, each.why.message) for each in read.unread]
    return read.arrivals, left
