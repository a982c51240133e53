"""``manage.py schedule``: what is added is listed, and removed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from access.saved.saved_selection import SavedSelection
from access.saved.saved_view import save_view
from access.schedules.report_schedule import all_schedules
from access.store import AccessStore, open_access
from config import Settings
from data.site import open_site
from manage import build
from tests.people import person
from tests.processes import run_manage

DEFINITION = 'stations = ["JFK"]\nsensors = ["temperature"]\ntimezone = "UTC"\n'


@pytest.fixture
def folder(sample_data_dir: Path, tmp_path: Path) -> Path:
    """A folder with a site, a definition, and a place for reports."""
    shutil.copytree(sample_data_dir, tmp_path / "var")
    (tmp_path / "jfk.toml").write_text(DEFINITION)
    (tmp_path / "out").mkdir()
    return tmp_path


def test_a_schedule_is_added_listed_and_removed(folder):
    def manage(*arguments: str) -> str:
        done = run_manage("schedule", *arguments, cwd=folder, data_dir=folder / "var")
        assert done.returncode == 0, done.stderr
        return done.stdout

    made = manage("add", "jfk.toml", "--every", "week", "--folder", "out", "--format", "xlsx").strip()
    (row,) = json.loads(manage("list", "--json"))
    assert (row["id"], row["every"], row["to"], row["periods"]) == (made, "week", [str(folder / "out")], [])
    manage("run", "--quiet")
    manage("remove", made)
    assert json.loads(manage("list", "--json")) == []


@pytest.fixture
def signed_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[AccessStore, Callable[..., Result]]]:
    """The same site with sign-in and a private view of Sari's; ``schedule add`` into the folder."""
    settings = Settings(data_dir=folder / "var", auth="login", _env_file=None)
    monkeypatch.setenv("RIWAYAT_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("RIWAYAT_AUTH", "login")
    monkeypatch.chdir(folder)
    access = open_access(settings)
    access.add_account("sari")
    site = open_site(settings)
    save_view(access, site, person("sari"), "Upper valley", SavedSelection(("JFK",), ("temperature",), preset="30d"))
    site.engine.dispose()
    yield access, lambda *arguments: CliRunner().invoke(build(), ["schedule", "add", *arguments, "--folder", "out"])
    access.engine.dispose()


def test_of_a_saved_view_the_owner_is_the_views(signed_in):
    access, add = signed_in
    assert add("Upper valley").exit_code == 0
    assert [each.owner for each in all_schedules(access.engine)] == ["sari"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("jfk.toml",), "whose rights"),
        (("jfk.toml", "--as", "sarri"), "no user 'sarri'"),
        (("jfk.toml", "--as", "local"), "no user 'local'"),
        (("Upper valley", "--as", "budi"), "no user 'budi'"),
    ],
)
def test_with_sign_in_a_schedule_runs_with_the_rights_of_a_user_whom_it_names(signed_in, arguments, said):
    access, add = signed_in
    done = add(*arguments)
    assert (done.exit_code, all_schedules(access.engine)) == (2, [])
    assert said in " ".join(done.stderr.replace("│", " ").split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--to", "a@example.org"), "RIWAYAT_SMTP_HOST"),
        ((), "Say where reports go"),
        (("--folder", "nowhere"), "is no folder"),
        (("--folder", "out", "--every", "day"), "month, week"),
    ],
)
def test_what_could_never_be_delivered_is_refused(folder, arguments, said):
    done = run_manage("schedule", "add", "jfk.toml", *arguments, cwd=folder, data_dir=folder / "var")
    assert done.returncode in (1, 2)
    assert said in done.stderr
