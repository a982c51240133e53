"""Folders and files that are nobody else's."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager

import pytest

from config import Settings, load_settings
from data.database.engine import make_engine
from errors import ConfigurationError
from jobs.ledger.ledger import migrate_jobs
from private import own_folder

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
STRANGER = 54_321


@contextmanager
def as_user(user):
    os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(0)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_folder_is_made_for_its_owner_only(tmp_path):
    own_folder(tmp_path / "a" / "b")
    assert mode(tmp_path / "a" / "b") == 0o700


def test_an_open_folder_of_ours_is_closed(tmp_path):
    for name in ("data", "tiles"):
        (tmp_path / name).mkdir()
        (tmp_path / name).chmod(0o755)
    Settings(data_dir=tmp_path / "data", tile_dir=tmp_path / "tiles").prepare()
    assert mode(tmp_path / "data") == mode(tmp_path / "tiles") == 0o700


@ROOT_ONLY
def test_another_users_data_folder_is_refused_and_their_tiles_are_left_as_they_are(tmp_path):
    folder = tmp_path / "theirs"
    folder.mkdir()
    folder.chmod(0o755)
    os.chown(tmp_path, STRANGER - 1, -1)
    os.chown(folder, STRANGER, -1)
    with pytest.raises(ConfigurationError, match="another user's"):
        own_folder(folder)
    own_folder(folder, ours=False)
    assert mode(folder) == 0o755


def test_a_folder_of_everybody_is_refused_and_not_closed(tmp_path):
    folder = tmp_path / "tmp"
    folder.mkdir()
    folder.chmod(0o1777)
    with pytest.raises(ConfigurationError, match="everybody's"):
        Settings(data_dir=folder).prepare()
    assert mode(folder) == 0o1777


@pytest.mark.parametrize("open_to", [0o640, 0o604])
def test_a_secret_that_others_could_read_is_closed_and_keeps_its_value(settings, open_to):
    secret = settings.signing_secret()
    path = settings.data_dir / "secret_key"
    path.chmod(open_to)
    assert settings.signing_secret() == secret
    assert mode(path) == 0o600


@pytest.mark.parametrize("open_to", [0o660, 0o602])
def test_a_secret_that_others_could_write_is_not_believed(settings, open_to):
    settings.signing_secret()
    (settings.data_dir / "secret_key").chmod(open_to)
    with pytest.raises(ConfigurationError, match="could have written"):
        settings.signing_secret()


@ROOT_ONLY
def test_a_secret_of_another_user_is_not_believed(settings):
    settings.signing_secret()
    os.chown(settings.data_dir / "secret_key", STRANGER, -1)
    with pytest.raises(ConfigurationError, match="could have written"):
        settings.signing_secret()


def test_a_link_to_a_secret_elsewhere_is_not_believed(settings, tmp_path):
    (tmp_path / "theirs").write_text("known to them")
    (settings.data_dir / "secret_key").symlink_to(tmp_path / "theirs")
    with pytest.raises(ConfigurationError, match="could have written"):
        settings.signing_secret()


def test_a_secret_of_the_settings_needs_no_file(tmp_path):
    settings = Settings(data_dir=tmp_path / "none", secret_key="given to all hosts")
    assert settings.signing_secret() == "given to all hosts"
    assert not (tmp_path / "none").exists()


# -- settings and databases ------------------------------------------------------------------------


@pytest.fixture(params=[".env", "jobs.sqlite", "jobs.sqlite-wal", "observations.sqlite"])
def believed(request, tmp_path, monkeypatch):
    """A file that is believed, in a folder that others may enter."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(Settings.model_config, "env_file", ".env")
    monkeypatch.setenv("RIWAYAT_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("RIWAYAT_DATABASE_URL", f"sqlite:///{tmp_path}/jobs.sqlite")
    monkeypatch.setenv("RIWAYAT_OBSERVATIONS_URL", "sqlite:///observations.sqlite?timeout=5")
    path = tmp_path / request.param
    path.touch()
    return path


@pytest.mark.usefixtures("logs_not_set_up")
@pytest.mark.parametrize("open_to", [0o644, 0o640, 0o604])
def test_settings_and_databases_that_others_could_read_are_closed(believed, open_to, capsys):
    believed.chmod(open_to)
    load_settings()
    assert mode(believed) == 0o600
    load_settings().prepare()
    assert capsys.readouterr().out == ""  # which is for programs


@pytest.mark.parametrize("open_to", [0o660, 0o602, 0o666])
def test_settings_and_databases_that_others_could_write_are_not_believed(believed, open_to):
    believed.chmod(open_to)
    with pytest.raises(ConfigurationError, match=rf"could have written .*{believed.name}.*chmod 600"):
        load_settings()


@ROOT_ONLY
def test_settings_and_databases_of_another_user_are_not_believed(believed):
    os.chown(believed, STRANGER, -1)
    with pytest.raises(ConfigurationError, match="could have written"):
        load_settings()


@ROOT_ONLY
@pytest.mark.parametrize(("before", "after"), [(0o640, 0o640), (0o644, 0o640), (0o600, 0o600)])
def test_what_root_lets_a_group_read_stays_so(believed, before, after):
    os.chown(believed, 0, STRANGER)
    believed.chmod(before)
    load_settings()
    assert mode(believed) == after


@ROOT_ONLY
def test_settings_that_may_not_be_read_are_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").touch(0o600)
    with as_user(STRANGER), pytest.raises(ConfigurationError, match=r"\.env cannot be read by .*chown"):
        load_settings(_env_file=".env")


def test_a_database_is_made_for_its_owner_only(tmp_path):
    engine = make_engine(f"sqlite:///{tmp_path}/jobs.sqlite")
    migrate_jobs(engine)
    assert {mode(path) for path in tmp_path.glob("jobs.sqlite*")} == {0o600}
    engine.dispose()


@pytest.mark.parametrize("setting", ["DATA_DIR", "TILE_DIR"])
def test_a_folder_that_cannot_be_made_is_named_with_its_setting(tmp_path, setting):
    (tmp_path / "file").touch()
    places = {"data_dir": tmp_path / "var"} | {setting.lower(): tmp_path / "file"}
    with pytest.raises(ConfigurationError, match=rf"file cannot be used: a file is in its place.*RIWAYAT_{setting}"):
        Settings(**places).prepare()
    with pytest.raises(ConfigurationError, match="Not a directory"):
        Settings(**(places | {setting.lower(): tmp_path / "file" / "below"})).prepare()
