"""Caches hold texts, numbers and bytes; nothing that is planted in one is run or read."""

from __future__ import annotations

import os
import pickle
import sqlite3
import stat
from pathlib import Path

import diskcache
import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.logins import open_logins
from access.store import migrate_access, open_access
from data.database.disk_cache import open_cache
from jobs.manager import open_cache as open_site_cache

STRANGER = 54_321
PLAIN = st.one_of(st.text(), st.integers(-(2**63) + 1, 2**63 - 1), st.floats(allow_nan=False), st.binary())


class Bomb:
    """What is run when it is unpickled: it leaves a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    with open_cache(tmp_path_factory.mktemp("plain") / "cache") as opened:
        yield opened


@given(key=st.text(min_size=1), value=PLAIN)
def test_what_is_plain_comes_back_as_it_was(cache, key, value):
    cache.set(key, value)
    found = cache.get(key)
    assert found == value
    assert type(found) is type(value)


def test_long_values_lie_in_the_database_too(cache):
    cache.set("long", "x" * 1_000_000)
    assert cache.get("long") == "x" * 1_000_000
    assert not [path for path in Path(cache.directory).iterdir() if not path.name.startswith("cache.db")]


@pytest.mark.parametrize("value", [None, [1], {"a": 1}, Bomb("x"), 2**70], ids=["none", "list", "dict", "object", "big integer"])
def test_what_is_not_plain_is_refused(cache, value):
    with pytest.raises(TypeError):
        cache.set("key", value)
    with pytest.raises(TypeError):
        cache.set(value, "value")


def plant(folder, name, bomb):
    """As diskcache itself keeps an object: in the database, and in a file."""
    with diskcache.Cache(str(folder)) as stock:
        stock.set(name, bomb)
        stock.set(f"{name} in a file", [bomb, "x" * 100_000])
        stock.set(("a", bomb), 1)  # as a key


def planted_file(folder):
    return next(path for path in folder.rglob("*.val"))


@pytest.mark.parametrize("kind", ["pages", "logins"])
def test_a_planted_pickle_is_not_loaded(settings, tmp_path, kind):
    migrate_access((access := open_access(settings)).engine)
    if kind == "pages":
        opened, folder = open_site_cache(settings), settings.data_dir / "cache"
    else:
        opened, folder = open_logins(settings, access)._cache, settings.data_dir / "logins"
    bomb = tmp_path / "exploded"
    plant(folder, "shown-a-b", Bomb(bomb))
    # it is there
    assert pickle.dumps(Bomb(bomb)) in (folder / "cache.db").read_bytes() or planted_file(folder).exists()
    assert opened.get("shown-a-b", "none") == opened.get("shown-a-b in a file", "none") == "none"
    opened.set("shown-a-b", "ours")
    assert opened.get("shown-a-b") == "ours"
    opened.delete("shown-a-b in a file")
    opened.expire()
    opened.cull()
    opened.close()
    assert not bomb.exists()
    with diskcache.Cache(str(folder)) as stock:  # the bomb is a real one
        stock.set("again", Bomb(bomb))
        stock.get("again")
    assert bomb.exists()


def test_an_entry_that_names_a_file_elsewhere_reads_and_deletes_nothing(tmp_path):
    precious = tmp_path / "precious"
    precious.write_text("secret")
    with open_cache(tmp_path / "cache") as opened:
        opened.set("key", "value")
        with sqlite3.connect(tmp_path / "cache" / "cache.db") as database:
            database.execute("UPDATE Cache SET mode = 3, filename = '../precious', value = NULL")
        assert opened.get("key") is None
        opened.delete("key")
        opened.set("key", "value")
    assert precious.read_text() == "secret"


def test_a_cache_that_others_could_write_is_thrown_away(tmp_path):
    folder = tmp_path / "cache"
    with open_cache(folder) as opened:
        opened.set("key", "value")
    folder.chmod(0o777)
    with open_cache(folder) as opened:
        assert opened.get("key") is None
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [path.name for path in tmp_path.iterdir()] == ["cache"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_cache_with_another_users_file_is_thrown_away(tmp_path):
    folder = tmp_path / "cache"
    with open_cache(folder) as opened:
        opened.set("key", "value")
    os.chown(folder / "cache.db", STRANGER, -1)
    with open_cache(folder) as opened:
        assert opened.get("key") is None


def test_a_cache_of_ours_is_kept_whatever_the_umask_was(tmp_path):
    before = os.umask(0o002)
    try:
        with open_cache(tmp_path / "cache") as opened:
            opened.set("key", "value")
    finally:
        os.umask(before)
    with open_cache(tmp_path / "cache") as opened:
        assert opened.get("key") == "value"
