"""A command never replaces a file that is there without being told to."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from manage import build

SERIES = ("--station", "a", "--sensor", "temperature", "--from", "2020-01-01", "--to", "2020-01-02")


@pytest.mark.parametrize(
    "words",
    [
        ("history", *SERIES, "--out", "there.csv"),
        ("history", *SERIES, "--out", "there.html"),
        ("history", *SERIES, "--out", "new.csv", "--manifest"),
        ("analyse", "calendar", *SERIES, "--out", "there.csv"),
        ("report", "north", "--period", "2020-01", "--out", "there.html"),
        ("reproduce", "new.json", "--out", "there.csv"),
        ("audit", "export", "there.csv"),
    ],
)
def test_a_file_that_is_there_is_kept_and_said_before_anything_is_loaded(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RIWAYAT_DATA_DIR", str(tmp_path / "var"))
    files = [tmp_path / name for name in ("there.csv", "there.html", "new.csv.manifest.json")]
    for file in files:
        file.write_text("mine")
    result = CliRunner().invoke(build(), list(words))
    assert result.exit_code == 2
    assert "is there already" in " ".join(result.output.split())
    assert [file.read_text() for file in files] == ["mine"] * 3
