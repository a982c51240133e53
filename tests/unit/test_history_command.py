"""The progress of ``manage.py history``."""

from __future__ import annotations

from rich.progress import TextColumn

from commands.loading import _bar


def test_a_stations_name_with_brackets_is_shown_as_it_is() -> None:
    with _bar() as (progress, _):
        progress.add_task("aws[/1] 2019-03", total=None, detail="")
        words = progress.columns[0]
        assert isinstance(words, TextColumn)
        assert str(words.render(progress.tasks[0])) == "aws[/1] 2019-03"
