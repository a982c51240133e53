from __future__ import annotations

import pytest
from sqlalchemy.dialects import mssql, mysql, postgresql, sqlite

from data.catalogue import load_catalogue
from data.database.tables import observation_flag, observation_table
from data.database.upsert import upsert
from errors import ConfigurationError


@pytest.mark.parametrize(
    ("dialect", "words"),
    [
        (sqlite.dialect(), "ON CONFLICT (station, time) DO UPDATE SET rainfall = excluded.rainfall"),
        (postgresql.dialect(), "ON CONFLICT (station, time) DO UPDATE SET rainfall = excluded.rainfall"),
        (mysql.dialect(), "ON DUPLICATE KEY UPDATE rainfall = VALUES(rainfall)"),
    ],
)
def test_only_the_columns_that_are_given_are_set(dialect, words):
    statement = upsert(dialect, observation_table(load_catalogue()), ["rainfall"])
    text = " ".join(str(statement.compile(dialect=dialect, column_keys=["station", "time", "rainfall"])).split())
    assert words in text
    assert "temperature" not in text


@pytest.mark.parametrize(
    ("dialect", "words"),
    [(sqlite.dialect(), "DO NOTHING"), (postgresql.dialect(), "DO NOTHING"), (mysql.dialect(), "station = VALUES(station)")],
)
def test_a_key_alone_is_only_made_sure_of(dialect, words):
    assert words in str(upsert(dialect, observation_flag, ()).compile(dialect=dialect))


def test_another_database_is_refused_in_words():
    with pytest.raises(ConfigurationError, match="use SQLite, PostgreSQL or MariaDB"):
        upsert(mssql.dialect(), observation_flag, ())
