"""Each example of docs/importing.md stores what the page says."""

from __future__ import annotations

import re
from datetime import datetime

import pytest

from tests.processes import ROOT
from tests.store import open_store

EXAMPLE = re.compile(r"```csv\n(.*?)```\s+```toml\n(.*?)```\s+```stored\n(.*?)```", re.DOTALL)
PAGE = (ROOT / "docs" / "importing.md").read_text(encoding="utf-8")
EXAMPLES = EXAMPLE.findall(PAGE)


def stored(store) -> list[str]:
    """What is stored, as the page writes it; ! behind a value that is flagged."""
    flagged, lines = set(store.flags()), []
    sensors = [sensor.name for sensor in store.catalogue.measured]
    for station, time_ms, *values in store.rows(*sensors):
        given = {name: value for name, value in zip(sensors, values, strict=True) if value is not None}
        marks = {name: "!" if (station, time_ms, name) in flagged else "" for name in given}
        lines.append(
            f"{time_ms} {station} " + " ".join(sorted(f"{name}={value:.9g}{marks[name]}" for name, value in given.items()))
        )
    return sorted(lines)


def documented(text: str) -> list[str]:
    lines = []
    for line in text.splitlines():
        time, station, *values = line.split(" ")
        lines.append(f"{round(datetime.fromisoformat(time).timestamp() * 1000)} {station} " + " ".join(sorted(values)))
    return sorted(lines)


@pytest.mark.parametrize(("file", "profile", "result"), EXAMPLES, ids=[f"example-{number}" for number in range(len(EXAMPLES))])
def test_an_example_stores_what_the_page_says(tmp_path, file, profile, result):
    store = open_store(f"sqlite:///{tmp_path}/store.db", tmp_path)
    try:
        store.load(file, profile=profile)
        assert stored(store) == documented(result)
    finally:
        store.engine.dispose()


def test_every_block_of_the_examples_is_tried():
    section = PAGE[PAGE.index("## Profiles by example") : PAGE.index("## Bundled profiles")]
    assert len(EXAMPLES) == section.count("```csv") == section.count("```toml") == section.count("```stored") > 10


def test_every_key_of_a_profile_is_on_the_page():
    from data.ingest.profile import Profile, SplitRule, TallRule, ValueRule

    keys = {key for model in (Profile, ValueRule, TallRule, SplitRule) for key in model.model_fields}
    assert [key for key in sorted(keys) if not re.search(rf"`\[?{key}\b|\n{key} = |[{{ ]{key} = ", PAGE)] == []
