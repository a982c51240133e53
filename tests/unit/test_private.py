"""Folders and files that are nobody else's."""

from __future__ import annotations

import os
import stat

import pytest

from config import Settings
from errors import ConfigurationError
from private import own_folder

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
STRANGER = 54_321


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


@pytest.mark.parametrize("setting", ["DATA_DIR", "TILE_DIR"])
def test_a_folder_that_cannot_be_made_is_named_with_its_setting(tmp_path, setting):
    (tmp_path / "file").touch()
    places = {"data_dir": tmp_path / "var"} | {setting.lower(): tmp_path / "file"}
    with pytest.raises(ConfigurationError, match=rf"file cannot be used: a file is in its place.*RIWAYAT_{setting}"):
        Settings(**places).prepare()
    with pytest.raises(ConfigurationError, match="Not a directory"):
        Settings(**(places | {setting.lower(): tmp_path / "file" / "below"})).prepare()
