"""What could not be taken: kept within bounds, read again when it is mended."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from app import create_app
from config import Settings
from data.catalogue import load_catalogue
from data.inbox.arrivals import joined_arrivals
from data.inbox.messages import MessageReader, TopicMessage
from data.inbox.rejected_items import RejectedItem, RejectedItems, rejected_item
from data.inbox.topic_mapping import load_topic_mapping
from errors import ImportRejected, NotFound
from jobs.receiving import open_spool
from jobs.replaying import replay
from jobs.watching import Watcher, watched_folder

PROFILE = """
time = "when"
station_name = "Roof"
missing = [{missing}]
[columns]
t = "temperature"
"""


@pytest.fixture
def settings(data_dir: Path) -> Settings:
    return Settings(data_dir=data_dir, timezone="UTC")


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    path = tmp_path / "roof.toml"
    path.write_text(PROFILE.format(missing=""))
    return path


@pytest.fixture
def item(settings: Settings, tmp_path: Path, profile: Path) -> RejectedItem:
    """A line that the profile does not read yet; the other one is in the inbox."""
    folder = tmp_path / "loggers"
    folder.mkdir()
    (folder / "a.csv").write_text("when,t\n2025-01-01 00:00,1.5\n2025-01-01 00:01,1.5x\n")
    Watcher(settings, [watched_folder(settings, str(folder), str(profile))]).look(threading.Event())
    [found] = RejectedItems(settings.inbox_path).newest(9)
    return found


def found(settings: Settings) -> list[tuple[str, int, float]]:
    all_of = joined_arrivals([each for _, each in open_spool(settings).take(10**9)])
    return list(
        zip(all_of.stations.tolist(), (all_of.times // 60_000 % 1440).tolist(), all_of.values[:, 0].tolist(), strict=True)
    )


def test_an_item_is_taken_once_its_lines_are_mended_and_is_gone_then(settings: Settings, item: RejectedItem) -> None:
    with pytest.raises(ImportRejected, match="still cannot be read: .*a.csv, line 2, column t: '1.5x'"):
        replay(settings, load_catalogue(), item.id)
    assert RejectedItems(settings.inbox_path).count() == 1
    done = replay(settings, load_catalogue(), item.id, "2025-01-01 00:01,2.5\n2025-01-01 00:02,hot\n")
    assert (done.observations, done.left) == (1, 1)
    assert found(settings) == [("Roof", 0, 1.5), ("Roof", 1, 2.5)]
    [left] = RejectedItems(settings.inbox_path).newest(9)
    assert left.lines == b"2025-01-01 00:02,hot\n"
    with pytest.raises(NotFound):
        replay(settings, load_catalogue(), item.id)


def test_an_item_is_read_by_the_profile_of_now(settings: Settings, item: RejectedItem, profile: Path) -> None:
    profile.write_text(PROFILE.format(missing='"1.5x"'))
    assert replay(settings, load_catalogue(), item.id).observations == 0  # a missing value is none
    assert RejectedItems(settings.inbox_path).count() == 0
    assert found(settings) == [("Roof", 0, 1.5)]


def test_a_message_is_read_by_the_mapping_of_now_at_the_time_of_its_first_coming(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "mqtt.toml"
    text = 'host = "h"\n[[topics]]\ntopic = "w/{station}"\nstation = "station"\npayload = "json"\n'
    text += '[topics.columns]\nt = "temperature"\n'
    path.write_text(text)
    catalogue = load_catalogue()
    reader = MessageReader(load_topic_mapping(path), path, catalogue, "UTC")
    _, rejected = reader.read([TopicMessage("w/a", b"21.5", "2025-01-01T00:00:00Z")])
    RejectedItems(settings.inbox_path).add([replace(rejected[0], since_s=60.0)])
    path.write_text(text.replace('"json"', '"plain"').replace("\nt =", "\npayload ="))
    assert replay(settings, catalogue, rejected[0].id).observations == 1
    assert found(settings) == [("a", 1, 21.5)]


def test_of_too_many_items_the_oldest_are_dropped_and_the_same_is_kept_once(tmp_path: Path) -> None:
    items = [replace(rejected_item("f", "{}", b"", f"line {at}".encode(), "why"), since_s=float(at)) for at in range(6)]
    kept = RejectedItems(tmp_path, most_items=4)
    assert kept.add(items[:4]) == 0
    assert kept.add(items[2:]) == 2
    assert [item.lines for item in kept.newest(9)] == [b"line 5", b"line 4", b"line 3", b"line 2"]
    assert RejectedItems(tmp_path, most_bytes=13).add([items[0]]) == 3
    assert [item.lines for item in kept.newest(9)] == [b"line 5", b"line 4"][:2]


def test_over_http_an_item_is_listed_replayed_and_removed(settings: Settings, item: RejectedItem) -> None:
    served = settings.model_copy(update={"auth": "proxy", "admins": "root"})
    client = create_app(served).server.test_client()
    client.environ_base["HTTP_X_FORWARDED_USER"] = "root"
    listed = client.get("/api/rejected").json
    assert listed["count"] == 1
    assert (listed["rejected"][0]["id"], listed["rejected"][0]["lines"]) == (item.id, item.lines.decode())
    refused = client.post(f"/api/rejected/{item.id}/replay", json={})
    assert (refused.status_code, "1.5x" in json.dumps(refused.json)) == (422, True)
    taken = client.post(f"/api/rejected/{item.id}/replay", json={"lines": "2025-01-01 00:01,2.5"})
    assert taken.json == {"observations": 1, "left": 0}
    RejectedItems(settings.inbox_path).add([item])
    assert client.delete(f"/api/rejected/{item.id}").status_code == 204
    assert client.delete(f"/api/rejected/{item.id}").status_code == 404
