"""What a worker sees to besides jobs: asked now and then, started once, never in the way."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine, create_engine, text

from jobs.worker.chore import Chore
from tests.processes import wait_until


def asked(engine: Engine) -> bool:
    with engine.connect() as connection:
        return bool(connection.execute(text("select due from something")).scalar())


def test_a_database_that_cannot_answer_stops_no_worker(tmp_path: Path) -> None:
    clock = [0.0]
    chore, engine = Chore(asked, ("--help",), clock=lambda: clock[0]), create_engine(f"sqlite:///{tmp_path / 'x'}")
    for clock[0] in (0.0, 30.0, 61.0):
        chore.look(engine)
    chore.stop()
    engine.dispose()


def test_what_is_due_is_started_once_while_it_runs_and_asked_again_a_minute_later(tmp_path: Path) -> None:
    clock, questions = [0.0], []

    def due(_engine: Engine) -> bool:
        questions.append(clock[0])
        return True

    chore, engine = Chore(due, ("--help",), clock=lambda: clock[0]), create_engine("sqlite://")
    chore.look(engine)
    first = chore.process
    assert first is not None
    clock[0] = 61.0
    if first.poll() is None:  # it runs still: it is not started beside itself
        chore.look(engine)
        assert questions == [0.0]
    wait_until(lambda: first.poll() is not None, "the command to end")
    assert first.returncode == 0
    chore.look(engine)
    assert questions == [0.0, 61.0]
    chore.stop()
    assert chore.process is None
    engine.dispose()
