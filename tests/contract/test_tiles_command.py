"""``manage.py tiles``: status, verify, clear."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from commands.tiles import register
from data.tiles.tile_store import TileStore
from tests.tiled import KEY, MARCH_2019, MINUTE, sensor_named, store_rows


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TileStore:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RIWAYAT_TILE_DIR", str(tmp_path / "tiles"))
    store = TileStore(tmp_path / "tiles")
    for station in ("aws-1", "aws 2"):
        store_rows(
            store,
            sensor_named("temperature"),
            [MARCH_2019, MARCH_2019 + MINUTE],
            [20.0, 999.0],
            key=KEY._replace(station=station),
        )
    return store


def tiles(*arguments: str) -> Result:
    app = typer.Typer()
    register(app)
    return CliRunner().invoke(app, ["tiles", *arguments])


def answer(result: Result) -> Any:
    # log lines go to standard error only once manage.py has set them up
    return json.loads(result.stdout.splitlines()[-1])


@pytest.mark.usefixtures("store")
def test_status_lists_every_series() -> None:
    result = tiles("status", "--json")

    found = answer(result)
    assert result.exit_code == 0
    assert [(one["station"], one["rows"], one["flagged"], one["first_month"]) for one in found["series"]] == [
        ("aws 2", 2, 1, "2019-03"),
        ("aws-1", 2, 1, "2019-03"),
    ]
    assert found["bytes"] == sum(one["bytes"] for one in found["series"])
    assert "aws-1" in tiles("status").stdout


def test_verify_fails_once_when_a_tile_is_damaged(store: TileStore) -> None:
    assert (tiles("verify").exit_code, answer(tiles("verify", "--json"))) == (0, {"checked": 2, "damaged": []})
    path = next(store.folder(KEY).glob("*.tile"))
    path.write_bytes(path.read_bytes()[:-1])

    result = tiles("verify", "--json")

    assert result.exit_code == 1
    assert [(one["station"], one["month"]) for one in answer(result)["damaged"]] == [("aws-1", "2019-03")]
    assert answer(tiles("verify", "--json"))["checked"] == 1


def test_clear_removes_one_station_or_all(store: TileStore) -> None:
    assert tiles("clear", "--station", "aws 2", "--yes").exit_code == 0
    assert [one.key.station for one in store.status()] == ["aws-1"]
    assert answer(tiles("clear", "--json"))["bytes"] > 0
    assert store.status() == ()
