"""A site without sign-in starts for its own machine only, however it is started."""

from __future__ import annotations

import pytest

from tests.processes import MANAGE, ROOT, free_port, run_program, site_environment

WAYS = {
    "app.py": [str(ROOT / "app.py")],
    "make run": [MANAGE, "setup", "--for-run"],
    "gunicorn": ["-m", "gunicorn", "--config", str(ROOT / "gunicorn.conf.py")],
}


def refused(words, cwd, **settings):
    environment = site_environment(data_dir=cwd / "var", port=free_port(), **settings)
    done = run_program(words, cwd=cwd, env=environment)
    assert done.returncode != 0
    return done.stdout + done.stderr


@pytest.mark.parametrize("way", WAYS)
def test_without_sign_in_nothing_listens_where_others_reach_it_and_a_sentence_says_why(tmp_path, way):
    said = refused(WAYS[way], tmp_path, host="0.0.0.0")
    assert "RIWAYAT_AUTH=none has no sign-in, so whoever reaches 0.0.0.0 would see everything" in said
    assert "RIWAYAT_AUTH=login" in said
    assert "serving" not in said
    assert "Listening" not in said


def test_an_address_of_gunicorns_command_line_counts_as_well(tmp_path):
    words = [*WAYS["gunicorn"], "--bind", f"0.0.0.0:{free_port()}"]
    assert "whoever reaches 0.0.0.0 would see everything" in refused(words, tmp_path)
