"""The bundled sample, tables of accounts and decisions, and the command line, as several files of
tests need them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from access.store import AccessStore, open_access
from config import Settings
from data.database.engine import make_engine
from data.site import Site, open_site
from manage import build


@pytest.fixture(scope="module")
def sample(sample_data_dir: Path) -> Iterator[Site]:
    """The data layer of the bundled sample; never write to it: take ``site``."""
    opened = open_site(Settings(data_dir=sample_data_dir, _env_file=None))
    yield opened
    opened.engine.dispose()


@pytest.fixture
def store(migrated_url: str) -> Iterator[AccessStore]:
    """Accounts, notes and decisions in a database of each kind, without a row."""
    engine = make_engine(migrated_url)
    yield AccessStore(engine)
    engine.dispose()


@pytest.fixture
def access(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AccessStore]:
    """The store of a site with the bundled sample, on which users sign in; ``run`` is of it."""
    for name, value in (("DATA_DIR", str(data_dir)), ("AUTH", "login"), ("TIMEZONE", "UTC")):
        monkeypatch.setenv(f"RIWAYAT_{name}", value)
    opened = open_access(Settings(data_dir=data_dir, auth="login", _env_file=None))
    yield opened
    opened.engine.dispose()


@pytest.fixture
def run(access: AccessStore) -> Callable[..., Result]:
    """Run a command; its errors are raised."""

    def invoke(*arguments: str, text: str = "") -> Result:
        done = CliRunner().invoke(build(), arguments, input=text)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done

    return invoke
