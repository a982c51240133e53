"""docs/databases.md as it is written: a database is made by its words,
and a site works on it with those rights alone.
"""

import json
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from tests.databases import MARIADB, POSTGRESQL, administrator
from tests.processes import ROOT, run_manage

pytestmark = pytest.mark.process

PASSWORD = "it's 100% /@:#"


def recipe(server: str) -> list[str]:
    """The statements that the page tells an administrator of this server to run."""
    page = (ROOT / "docs" / "databases.md").read_text()
    blocks = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    return [line.rstrip(";") for line in blocks[0 if server == "postgresql" else 1].splitlines()]


@pytest.fixture(params=["postgresql", "mariadb"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """URL of a database and a user that the recipe made, under names of the test's own;
    both are gone afterwards.
    """
    server = make_url(POSTGRESQL if request.param == "postgresql" else MARIADB)
    name = f"riwayat_test_{secrets.token_hex(4)}"
    secret = PASSWORD.replace("'", "''").replace("%", "%%")
    kind = "ROLE" if request.param == "postgresql" else "USER"
    with administrator(server.render_as_string(hide_password=False)) as connection:
        try:
            for statement in recipe(request.param):
                connection.exec_driver_sql(re.sub(r"\briwayat\b", name, statement).replace("change me", secret), ())
            yield server.set(
                drivername=server.get_backend_name(), username=name, password=PASSWORD, database=name
            ).render_as_string(hide_password=False)
        finally:
            force = " WITH (FORCE)" if kind == "ROLE" else ""
            connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {name}{force}")
            connection.exec_driver_sql(f"DROP {kind} IF EXISTS {name}")


def test_a_site_lives_in_a_database_made_by_the_page(url: str, tmp_path: Path) -> None:
    where: dict[str, Any] = {"cwd": tmp_path, "data_dir": tmp_path / "var", "database_url": url, "observations_url": url}
    for command in (["migrate"], ["setup", "--sample-only"]):
        done = run_manage(*command, **where)
        assert done.returncode == 0, done.stderr
    asked = ["history", "--station", "JFK", "--sensor", "temperature", "--from", "2013-01-01", "--to", "2014-01-01", "--json"]
    done = run_manage(*asked, **where)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["job"]["status"] == "completed"
    assert answer["series"][0]["rows"] > 8000
    assert not list((tmp_path / "var").glob("*.sqlite"))
    listed = json.loads(run_manage("queue", "list", "--json", **where).stdout)
    assert [job["id"] for job in listed] == [answer["job"]["id"]]
