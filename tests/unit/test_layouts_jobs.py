"""The Jobs page as a tree of components."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from dash.development.base_component import Component

from i18n import set_language
from layouts import ids
from layouts.header import Chrome
from layouts.jobs import count_words, job_details, jobs_page
from layouts.jobs_grid import jobs_grid

ROW = {
    "id": "jobid", "status_words": "Failed", "stations": "aws-1", "sensors": "Rainfall", "range": "2016 – 2026",
    "resolution": "1 hour",
    "queue": "history", "owner": "sari", "created": "today", "duration": "2 s", "rows": "", "speed": "", "memory": "",
    "attempts": "1", "error": "It failed.", "details": "Traceback", "open": "/?job=jobid", "is_file": False,
    "repeat": "/?station=aws-1",
    "can_cancel": False, "can_retry": True,
}  # fmt: skip


@pytest.fixture(autouse=True)
def _english():
    set_language("en")
    yield
    set_language("en")


def made(*, prefix: str = "/", admin: bool = False) -> Component:
    return jobs_page(Chrome(prefix, "en", "auto", "light", "sari"), admin=admin)


def parts(tree: Any) -> list[Any]:
    return [part for one in (tree if isinstance(tree, list) else [tree]) for part in (one, *one._traverse())]


def texts(tree: Any) -> list[str]:
    return [part.children for part in parts(tree) if isinstance(getattr(part, "children", None), str)]


def test_every_id_is_there_once():
    found = Counter(str(part.id) for part in parts(made()) if getattr(part, "id", None))
    assert {name: count for name, count in found.items() if count > 1} == {}


def test_nothing_asks_the_server_until_it_is_known_that_a_job_is_active():
    (tick,) = [part for part in parts(made()) if getattr(part, "id", None) == ids.JOBS_TICK]
    assert tick.disabled is True


def test_the_owner_is_a_column_for_an_administrator_only():
    for admin in (False, True):
        (grid,) = [part for part in parts(made(admin=admin)) if getattr(part, "id", None) == ids.JOBS_GRID]
        assert any(column.get("field") == "owner" for column in grid.columnDefs) is admin


def test_links_stay_below_the_prefix_and_the_page_names_itself():
    links = [part for part in parts(made(prefix="/weather/")) if getattr(part, "href", None)]
    assert all(link.href.startswith(("/weather/", "#")) for link in links)
    assert [link.href for link in links if getattr(link, "aria-current", None)] == ["/weather/jobs"]


def test_the_grid_runs_no_code_from_data():
    assert not getattr(jobs_grid(with_owner=True), "dangerously_allow_code", False)


def test_the_details_give_the_error_in_full_to_copy_and_the_actions_that_are_legal():
    shown = parts(job_details(ROW, with_owner=False))
    assert [part for part in shown if getattr(part, "data-copy", None) == "It failed.\n\nTraceback"]
    assert {"Open", "Try again", "Edit …"} <= set(texts(job_details(ROW, with_owner=False)))
    assert "Cancel" not in texts(job_details(ROW, with_owner=False))
    assert "sari" not in texts(job_details(ROW, with_owner=False))
    assert "sari" in texts(job_details(ROW, with_owner=True))


def test_a_job_without_an_error_shows_none():
    shown = job_details({**ROW, "error": "", "details": ""}, with_owner=False)
    assert not [part for part in parts(shown) if getattr(part, "className", "") == "details-error"]


def test_the_page_says_how_many_jobs_it_holds():
    assert count_words(3, more=False) == "3 jobs in total"
    assert count_words(1, more=False) == "1 job in total"
    assert count_words(200, more=True) == "The newest 200 jobs"


def test_a_file_is_downloaded_by_a_link_that_waits_for_its_job():
    details = job_details(ROW | {"is_file": True, "open": "/api/jobs/jobid/data?format=xlsx"}, with_owner=False)
    (link,) = [part for part in parts(details) if getattr(part, "children", None) == "Download"]
    assert (link.href, getattr(link, "data-workbook")) == ("/api/jobs/jobid/data?format=xlsx", ids.JOBS_ALERT)
