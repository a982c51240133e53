"""A mapping that is wrong is an error that names file, key and what was expected."""

from dataclasses import fields, replace
from pathlib import Path

import pytest
from sqlalchemy import make_url

from data.catalogue import load_catalogue
from data.source.mapped.mapping import SourceMapping
from data.source.mapped.mapping_loading import parse_mapping
from errors import ConfigurationError

CATALOGUE = load_catalogue()
GOOD = """
url = "postgresql://reader:s%40cret@db.example/scada"
table = "t"
time = "at"
station = "station"
[sensors]
temperature = "temp"
"""


def parse(text: str):
    return parse_mapping(Path("site.toml"), text, CATALOGUE, "Asia/Jakarta")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('table = "t"', "", "expected one of table, query and tables"),
        ('table = "t"', 'table = "t"\ntabel = "x"', "tabel: Extra inputs"),
        ('station = "station"', "", "expected either station .* or station_name"),
        ('time = "at"', 'time = "at"\ntimezone = "Jakarta"', "timezone: 'Jakarta' is neither"),
        ('time = "at"', 'time = "at"\ntime_unit = "h"', "time_unit: Input should be 's', 'ms', 'us', 'ns' or 'excel_day'"),
        (
            'time = "at"',
            'time = "at"\ntime_unit = "s"\ntime_format = "%Y"',
            "time_unit is of times that are numbers",
        ),
        ('temperature = "temp"', 'temprature = "temp"', "sensors.temprature: expected a sensor of the catalogue"),
        ('temperature = "temp"', 'temperature = { tag = "temp" }', "sensors.temperature: expected column = NAME"),
        (
            'temperature = "temp"',
            'temperature = { column = "temp", unit = "m" }',
            "sensors.temperature.unit: m cannot become degC",
        ),
        ('temperature = "temp"', 'temperature = { column = "temp", quality = "q" }', "together with good"),
        ('table = "t"', 'table = "t"\nlayout = "tall"', r"expected the table \[tall\]"),
        ('table = "t"', 'table = "t"\nwhere = [{ column = "x" }]', "where.0: expected equals"),
        ('url = "postgresql://reader:s%40cret@db.example/scada"', 'url = "hunter2@"', "url: expected a URL such as"),
        (
            'url = "postgresql://reader:s%40cret@db.example/scada"',
            'url_env = "NOWHERE"',
            "url_env: expected the variable NOWHERE",
        ),
        ('time = "at"', "time = ", "is not TOML"),
        ("[sensors]", "[freshness]\ncheck = -1\n[sensors]", "freshness.check"),
        ('temperature = "temp"', 'temperature = { column = "temp", counts = "day_total" }', "counts: day_total is for sums"),
        ('temperature = "temp"', 'rainfall = { column = "r", counts = "rate" }', "a rate needs step_s"),
        ('temperature = "temp"', 'temperature = { column = "temp", scale = 0 }', "scale must not be 0"),
        ('time = "at"', 'time = "at"\ntime_parts = { yyyymmdd = "d" }', "or several columns, or time_parts, and not both"),
        ('time = "at"', "", "or several columns, or time_parts, and not both"),
        ('time = "at"', 'time_parts = { year = "y", hour = "h" }', "time_parts must give the day"),
        ('time = "at"', 'hour24 = true\ntime_parts = { yyyymmdd = "d" }', "hour24 = true needs a part that holds the hour"),
        ('time = "at"', 'time = ["a", "b"]\ntime_unit = "s"', "expected time_unit only where time is one column"),
    ],
)
def test_a_wrong_mapping_names_file_key_and_what_was_expected(old, new, message):
    with pytest.raises(ConfigurationError, match=message) as caught:
        parse(GOOD.replace(old, new))
    assert "site.toml" in caught.value.message
    assert "hunter2" not in caught.value.message


@pytest.mark.parametrize("field", [field.name for field in fields(SourceMapping)])
def test_every_field_of_a_mapping_is_in_the_sources_id_unless_it_says_nothing_of_what_is_read(field):
    first = parse(GOOD)
    other = replace(first, **{field: make_url("sqlite:///other.db") if field == "url" else ("another",)})
    assert (other.source_id == first.source_id) is (field in {"file", "text", "check_minutes"})


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("reader:s%40cret", "other:word", True),
        ("[sensors]", "# a comment\n[sensors]", True),
        ("scada", "scada2", False),
        ("scada", "scada?options=-csearch_path%3Dother", False),
        ('"temp"', '"temp2"', False),
        ('temperature = "temp"', 'temperature = "temp"\nhumidity = "hum"', False),
        ('"temp"', '{ column = "temp", unit = "degF" }', False),
        ('station = "station"', 'station = "station"\nstations = ["a"]', False),
    ],
)
def test_the_sources_id_tells_what_is_read_but_no_password(old, new, same):
    assert (parse(GOOD.replace(old, new)).source_id == parse(GOOD).source_id) is same


def test_a_sensors_place_and_unit_are_in_its_fingerprint():
    places = (GOOD, GOOD.replace('"temp"', '"temp2"'), GOOD.replace('"temp"', '{ column = "temp", unit = "degF" }'))
    found = {parse(text).catalogue_of(CATALOGUE)["temperature"].fingerprint for text in places}
    assert len(found) == 3
    assert parse(GOOD).catalogue_of(CATALOGUE)["humidity"].fingerprint == CATALOGUE["humidity"].fingerprint


def test_times_without_a_zone_are_the_sites_where_the_file_names_none():
    assert str(parse(GOOD).timezone) == "Asia/Jakarta"


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1",
        "select a, 'x;y -- z' from t;",
        "WITH a AS (SELECT 1) SELECT * FROM a -- done",
        "/* first */ SELECT replace(a, 'x', 'y') AS \"update\" FROM t",
        "-- a comment first\nSELECT 1 FROM (SELECT 2) AS x",
    ],
)
def test_a_query_that_only_reads_is_taken(query):
    text = GOOD.replace('table = "t"', f"query = '''{query}'''")
    assert parse(text).query == query.removesuffix(";")


@pytest.mark.parametrize("end", [";", " ; ", ";\n-- done; really: 100 %\n", "; /* it's; */ -- x"])
def test_a_semicolon_at_the_end_goes_whatever_comment_follows_it(end):
    query = "SELECT a, ';' AS b FROM t -- not this one;\nWHERE a = 1"
    assert parse(GOOD.replace('table = "t"', f"query = '''{query}{end}'''")).query == query


def test_two_dashes_are_a_comment_on_mariadb_only_where_a_blank_follows():
    text = GOOD.replace('table = "t"', 'query = "SELECT (a--1) FROM t"')
    with pytest.raises(ConfigurationError, match="parentheses"):
        parse(text)
    assert parse(text.replace("postgresql:", "mysql+pymysql:")).query == "SELECT (a--1) FROM t"


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("DELETE FROM t", "begins with DELETE"),
        ("SELECT 1; DROP TABLE t", "second statement"),
        ("SELECT 1) AS q; DROP TABLE t; --", "second statement"),
        ("SELECT 1) AS a, (SELECT 2", "parentheses"),
        ("WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone", "the word DELETE"),
        ("SELECT * INTO other FROM t", "the word INTO"),
        ("SELECT * FROM t FOR UPDATE", "the word UPDATE"),
        ("SELECT 'a", "not closed"),
        ("SELECT 1 /* open", "not closed"),
        ("SELECT 1 /*! INTO OUTFILE 'x' */", "MariaDB would run"),
        ("EXPLAIN SELECT 1", "begins with EXPLAIN"),
        ("   ", "begins with nothing"),
    ],
)
def test_a_query_that_could_do_more_than_read_is_refused(query, told):
    with pytest.raises(ConfigurationError, match=rf"query: expected one SELECT, or WITH … SELECT; .*{told}"):
        parse(GOOD.replace('table = "t"', f'query = """{query}"""'))


def test_a_backslash_hides_a_quote_only_where_the_database_reads_it_so():
    query = r"SELECT 'a\'; DROP TABLE t; --'"
    text = GOOD.replace('table = "t"', f"query = '''{query}'''")
    with pytest.raises(ConfigurationError, match="second statement"):
        parse(text)
    assert parse(text.replace("postgresql:", "mysql+pymysql:")).query == query


@pytest.mark.parametrize(
    ("tables", "told"),
    [("plain", "expected placeholders"), ("t_{Year}", "expected placeholders"), ("t_{item}_{item}", "{item} is there twice")],
)
def test_a_pattern_of_tables_that_is_none_is_refused(tables, told):
    with pytest.raises(ConfigurationError, match=told):
        parse(GOOD.replace('table = "t"', f'tables = "{tables}"'))
