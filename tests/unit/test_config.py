"""Settings and the signing secret."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from config import load_settings
from errors import ConfigurationError


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RIWAYAT_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("RIWAYAT_URL_PREFIX", "history")
    settings = load_settings()
    assert settings.jobs_url == f"sqlite:///{tmp_path / 'riwayat.sqlite'}"
    assert settings.history_url == f"sqlite:///{tmp_path / 'observations.sqlite'}"
    assert settings.tiles_path == tmp_path / "tiles"
    assert settings.url_prefix == "/history/"


@pytest.mark.parametrize(
    ("name", "value"),
    [("TIMEZONE", "Jakarta"), ("PORT", "http"), ("JOB_TIMEOUT", "0"), ("AUTH", "ldap"), ("WORKER_SLOTS", "0")],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"RIWAYAT_{name}", value)
    with pytest.raises(ConfigurationError, match=f"RIWAYAT_{name}"):
        load_settings()


@pytest.mark.parametrize(("threads", "most"), [(8, 6), (4, 2), (3, 1), (2, 0), (1, 0)])
def test_event_streams_leave_two_threads_to_others_or_nothing_starts(threads: int, most: int) -> None:
    assert load_settings(web_threads=threads, event_listeners=most).event_listeners == most
    with pytest.raises(ConfigurationError) as refused:
        load_settings(web_threads=threads, event_listeners=most + 1)
    assert f"set RIWAYAT_EVENT_LISTENERS to {most} or less" in refused.value.message
    assert f"or RIWAYAT_WEB_THREADS to {most + 3} or more" in refused.value.message


def test_the_secret_is_made_once_whoever_asks_first_and_only_the_owner_reads_it(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path / "var")
    with ThreadPoolExecutor(8) as pool:
        secrets = set(pool.map(lambda _: settings.signing_secret(), range(32)))
    assert len(secrets) == 1
    assert len(secrets.pop()) >= 40
    assert stat.S_IMODE((tmp_path / "var" / "secret_key").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "var").iterdir() if "secret" in path.name] == ["secret_key"]


def test_a_given_secret_is_used_and_nothing_is_written(tmp_path: Path) -> None:
    assert load_settings(data_dir=tmp_path, secret_key="given to all hosts").signing_secret() == "given to all hosts"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["PROXY_SECRET", "SECRET_KEY"])
def test_a_secret_that_can_be_guessed_is_refused_and_not_repeated(monkeypatch, name):
    monkeypatch.setenv(f"RIWAYAT_{name}", "rahasia")
    with pytest.raises(ConfigurationError, match=f"RIWAYAT_{name}.*16 characters") as refused:
        load_settings()
    assert "rahasia" not in refused.value.message


def test_a_setting_that_contradicts_another_is_told_without_words_of_the_library(monkeypatch):
    monkeypatch.setenv("RIWAYAT_QUEUE", "celery")
    with pytest.raises(ConfigurationError) as refused:
        load_settings()
    assert refused.value.message.startswith("Wrong setting: QUEUE=celery needs RIWAYAT_REDIS_URL")
