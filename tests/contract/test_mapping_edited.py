"""A mapping file that is edited after the site has read by it:
the site shows what a new one would, and nothing of before.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from data.load_plan import plan
from data.request import request_of
from data.site import Site
from data.source.mapped.check import check_mapping
from data.source.mapped.source import MappedSource
from data.source_sync import sync_inventory
from data.time.months import iso_utc
from errors import NoData, SourceMismatch, UnknownStation
from jobs.kinds.history import load_history
from tests.foreign import Foreign, foreign_at, load, rows_of

TALL = """
table = "obs"
layout = "tall"
time = "at"
timezone = "UTC"
station = "station"
[sensors]
temperature = "temp"
[tall]
tag = "tag"
value = "value"
"""
WIDE = """
table = "obs"
time = "at"
timezone = "UTC"
station = "station"
[sensors]
temperature = "temp"
"""
BOTH = {"tall": TALL, "wide": WIDE}

EDITS = {
    "a sensor more": ("[sensors]", '[sensors]\nrainfall = "rain"'),
    "another sensor": ('temperature = "temp"', 'rainfall = "rain"'),
    "the right place at last": ('"temp"', '"tmp"'),
    "a unit": ('= "temp"', '= {{ {place} = "temp", unit = "degF" }}'),
    "quality codes": ("[sensors]", '[quality]\ncolumn = "qc"\ngood = [0]\n[sensors]'),
    "a filter": ("[sensors]", 'where = [{{ column = "qc", equals = 0 }}]\n[sensors]'),
    "another time": ('"at"', '"stored"'),
    "another zone": ('"UTC"', '"Asia/Jakarta"'),
    "another station": ('"station"', '"site"'),
    "fewer stations": ("[sensors]", 'stations = ["B"]\n[sensors]'),
}


@pytest.fixture
def foreign(database_url: str, tmp_path: Path) -> Iterator[Foreign]:
    with foreign_at(database_url, tmp_path) as made:
        yield made


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Foreign]:
    with foreign_at(f"sqlite:///{tmp_path / 'desk.sqlite'}", tmp_path) as made:
        yield made


def fill(foreign: Foreign, layout: str, *, number: bool) -> None:
    """January has only rain, February both; a column or tag tmp has the
    temperature of another height.
    """
    values = "tag VARCHAR(9), value DOUBLE PRECISION" if layout == "tall" else "temp FLOAT, tmp FLOAT, rain FLOAT"
    foreign.make("obs", f"station VARCHAR(9), site VARCHAR(9), at WALL, stored WALL, qc INTEGER, {values}", number=number)
    days = ("01-10", "01-20", "02-10", "02-20", "02-28")
    rows = []
    for station in ("A", "B"):
        for number_of, day in enumerate(days):
            row: dict[str, object] = {
                "station": station,
                "site": f"{station}-site",
                "at": f"2019-{day} 12:00:00",
                "stored": f"2019-{day} 13:30:00",
            }
            row["qc"] = number_of % 2
            here = {"rain": 0.5, "tmp": 30.5 + number_of} | ({"temp": 10.5 + number_of} if day.startswith("02") else {})
            if layout == "tall":
                rows += [{**row, "tag": tag, "value": value} for tag, value in here.items()]
            else:
                rows.append({**row, "temp": None, **here})
    foreign.add("obs", rows)


def shown(site: Site) -> dict[tuple[str, str], list[list[float]]]:
    """Everything that the site offers, loaded and read."""
    offered = [(station.name, sensor) for station in site.inventory.stations() for sensor in station.sensors]
    stations, sensors = (list(dict.fromkeys(names)) for names in zip(*offered, strict=True))
    load_history(site, request_of(stations, sensors, "2019-01-01", "2020-01-01", "raw", "UTC"), lambda _: None)
    return {(name, sensor): [each.tolist() for each in rows_of(site, name, sensor)] for name, sensor in offered}


def require_edits_to_show(foreign: Foreign, layout: str, edit: str) -> None:
    """See that a site whose mapping was edited shows what a new one shows,
    and an undone edit what there was.
    """
    old, new = (text.replace("{place}", "tag" if layout == "tall" else "column") for text in EDITS[edit])
    edited = BOTH[layout].replace(old, new.replace("{{", "{").replace("}}", "}"))
    with foreign.site(BOTH[layout]) as site:
        before = shown(site)
    with foreign.site(edited) as site:
        after, stations = shown(site), site.inventory.stations()
        assert isinstance(site.source, MappedSource)
        trial = check_mapping(site.source, site.catalogue)
    with foreign.site(edited, name="new") as site:
        assert after == shown(site)
    assert after != before
    assert trial.stations == tuple((each.name, iso_utc(each.first_ms or 0), iso_utc(each.last_ms or 0)) for each in stations)
    with foreign.site(BOTH[layout]) as site:  # and back
        assert shown(site) == before


@pytest.mark.parametrize(
    ("edit", "layout"),
    [(edit, layout) for at, edit in enumerate(EDITS) for layout in BOTH if at < 3 or (layout == "tall") == at % 2],
)
def test_after_an_edit_of_the_mapping_the_site_shows_what_a_new_site_and_check_show(desk, layout, edit):
    fill(desk, layout, number=True)
    require_edits_to_show(desk, layout, edit)


@pytest.mark.parametrize("layout", BOTH)
def test_it_does_so_on_every_database_and_where_no_number_tells_new_rows(foreign, layout):
    fill(foreign, layout, number=False)
    require_edits_to_show(foreign, layout, "a sensor more")


def test_reading_one_sensor_of_a_tall_table_says_nothing_of_the_months_of_another(desk):
    fill(desk, "tall", number=True)
    with desk.site(TALL.replace("[sensors]", '[sensors]\nrainfall = "rain"')) as site:
        load(site, "A", ["temperature"])  # January has none
        load(site, "A", ["rainfall"])
        assert rows_of(site, "A", "rainfall")[1].tolist() == [0.5] * 5


@pytest.mark.parametrize("layout", BOTH)
def test_a_sensor_that_was_taken_out_is_not_offered_and_asking_for_it_is_a_sentence(desk, layout):
    fill(desk, layout, number=False)
    with desk.site(BOTH[layout].replace("[sensors]", '[sensors]\nrainfall = "rain"')) as site:
        load(site, "A", ["temperature", "rainfall"])
    with desk.site(BOTH[layout]) as site:
        assert {station.sensors for station in site.inventory.stations()} == {("temperature",)}
        both = request_of(["A"], ["temperature", "rainfall"], "2019-01-01", "2019-03-01", "raw", "UTC")
        assert {key.sensor for key, _ in plan(site, both).keys} == {"temperature"}
        load(site, "A", ["temperature", "rainfall"])
        with pytest.raises(NoData, match="No rainfall for A. Available: temperature"):
            load(site, "A", ["rainfall"])


def test_what_was_new_while_another_mapping_was_in_use_is_there_when_the_first_comes_back(desk):
    fill(desk, "tall", number=True)
    with desk.site(TALL) as site:
        load(site, "A", ["temperature"])
    with desk.site(TALL.replace('"temp"', '"tmp"')) as site:
        desk.add("obs", [{"station": "A", "site": "A", "at": "2019-02-15 00:00:00", "qc": 0, "tag": "temp", "value": 99.5 - 60}])
        sync_inventory(site)
    with desk.site(TALL) as site:
        load(site, "A", ["temperature"])
        assert rows_of(site, "A", "temperature")[1].tolist() == [12.5, 39.5, 13.5, 14.5]


def test_a_site_whose_mapping_was_edited_refuses_until_it_is_restarted(desk):
    fill(desk, "wide", number=True)
    request = request_of(["A"], ["temperature"], "2019-01-01", "2019-03-01", "raw", "UTC")
    with desk.site(WIDE) as site:
        plan(site, request)
        assert isinstance(site.source, MappedSource)
        file = site.source.mapping.file
        file.write_text(file.read_text().replace('"temp"', '"tmp"'))
        with pytest.raises(SourceMismatch, match="has changed since this site was started; restart"):
            plan(site, request)
        file.unlink()
        with pytest.raises(SourceMismatch, match="has changed"):
            plan(site, request)


def test_a_table_that_nobody_has_looked_at_by_this_mapping_says_how(desk):
    fill(desk, "wide", number=True)
    request = request_of(["A"], ["temperature"], "2019-01-01", "2019-03-01", "raw", "UTC")
    with desk.site(WIDE, synced=False) as site, pytest.raises(UnknownStation, match="manage.py source check"):
        plan(site, request)
