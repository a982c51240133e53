"""Nobody gets, sees, cancels or resumes the job of somebody else,
whatever ids and handles they send.
"""

from __future__ import annotations

import shutil

import pytest

from config import Settings
from data.request import HistoryRequest
from data.site import open_site
from jobs.job import Status
from jobs.ledger.ledger import open_ledger
from layouts import ids
from tests.e2e.conftest import Running
from tests.e2e.gate import Gate
from tests.e2e.history_page import PATIENCE_S, HistoryPage
from tests.e2e.visitor import Visitor
from tests.people import grant_everyone
from tests.processes import SiteProcess, wait_until

pytestmark = [pytest.mark.process, pytest.mark.timeout(240)]

NO_JOB = "jAAAAAAAAAAAAAAAA"  # looks like one, and never was
FORM = {
    ids.LOAD: 1,
    ids.STATION: ["JFK"],
    ids.SENSOR: ["temperature"],
    ids.RANGE_START: "2013-01-01",
    ids.RANGE_END: "2014-01-02",
    ids.RESOLUTION: "raw",
}


@pytest.fixture(scope="module")
def shared(sample_data_dir, tmp_path_factory, site_port):
    """A site whose proxy says who is asking."""
    folder = tmp_path_factory.mktemp("proxied")
    data_dir = shutil.copytree(sample_data_dir, folder / "var")
    settings = Settings(data_dir=data_dir, auth="proxy", timezone="UTC", _env_file=None)
    grant_everyone(settings)
    with SiteProcess(cwd=folder, port=site_port, data_dir=data_dir, auth="proxy", timezone="UTC") as process:
        yield Running(process.start(), settings, open_site(settings), open_ledger(settings))


@pytest.fixture
def proxied(shared):
    """The site, as if it had loaded nothing yet; its ledger; its data."""
    shared.forget()
    return shared.process, shared.ledger, shared.site


@pytest.fixture
def loading(proxied):
    """Ayu's page load and her job, which waits half-way."""
    process, ledger, site = proxied
    with Gate(site) as gate:
        gate.hold_from("JFK", 0.5)
        ayu = Visitor(process.url, "ayu")
        answer = ayu.ask(ayu.changing(ids.JOB_ID, "data", ids.LOAD), FORM)
        job_id = next(value["data"] for name, value in answer.json["response"].items() if name.startswith(ids.JOB_ID))
        wait_until(lambda: (progress := ledger.get(job_id).progress) and progress.tiles_done >= 6, "half the load", PATIENCE_S)
        yield ayu, job_id


def follow(visitor, job_id):
    """Begin to follow a job as the page does; the handles that the site signed, or the refusal."""
    run = visitor.changing(ids.ALERT, "children", ids.POLL_ID)
    answer = visitor.ask(run, {ids.POLL_ID: job_id})
    found = answer.json
    return run, answer, [(name, found[name]) for name in ("cacheKey", "job") if name in found]


def cancel_handle(handles):
    return [("cancelJob", dict(handles)["job"])]


def cancelling(visitor):
    """Dash's own callback of Cancel."""
    return visitor.changing(ids.CANCEL, "id", ids.CANCEL)


def test_handles_signed_for_one_user_give_another_no_progress_no_result_and_no_cancel(proxied, loading):
    process, ledger, _site = proxied
    ayu, job_id = loading
    run, _answer, handles = follow(ayu, job_id)
    # they work for her
    assert "6 of 12 months" in ayu.ask(run, {ids.POLL_ID: job_id}, handles=handles).text

    budi = Visitor(process.url, "budi")
    _run, refused, nothing = follow(budi, job_id)
    assert (refused.status, refused.text, nothing) == (204, "", [])
    old = [("oldJob", dict(handles)["job"])]
    for token in (ayu.page_token, budi.page_token):
        polled = budi.ask(run, {ids.POLL_ID: job_id}, token, handles)
        assert "response" not in polled.json
        assert "progress" not in polled.json
        assert "months" not in polled.text
        for sent in (cancel_handle(handles), [*handles, *old], old):
            budi.ask(cancelling(budi), {ids.CANCEL: 1}, token, sent)
            budi.ask(run, {ids.POLL_ID: job_id}, token, sent)
    forged = [(name, f"{job_id}~{'0' * 64}") for name in ("cacheKey", "job")]
    assert "months" not in ayu.ask(run, {ids.POLL_ID: job_id}, handles=forged).text

    assert ledger.get(job_id).status is Status.RUNNING
    # hers cancels
    assert ayu.ask(cancelling(ayu), {ids.CANCEL: 1}, handles=cancel_handle(handles)).status < 300
    assert ledger.get(job_id).status is Status.CANCELLED


def test_a_job_of_another_user_is_to_every_callback_like_one_that_never_was(proxied, loading):
    process, ledger, _site = proxied
    ayu, job_id = loading
    before = ledger.get(job_id)
    view = ayu.changing(ids.CHART_ANSWER, "data", ids.JOB_ID)
    # hers draws
    assert "rows so far" in ayu.ask(view, {ids.JOB_ID: job_id, ids.CHART_WIDTH: 800, ids.THEME: "light"}).text
    budi = Visitor(process.url, "budi")
    callbacks = budi.using(ids.JOB_ID, ids.POLL_ID)
    assert len(callbacks) >= 6  # load, act, attach, run, view, overview, cancel …
    for callback in callbacks:
        for action in ("resume", "retry", "again"):
            answers = []
            for asked in (job_id, NO_JOB):
                window = {"start": None, "end": None, "job": asked, "sequence": 1}
                values = {ids.JOB_ID: asked, ids.POLL_ID: asked, ids.SELECTION: window, ids.CHART_WIDTH: 800}
                answer = budi.ask(callback, values | {ids.CANCEL: 1, ids.THEME: "light", "pattern": action})
                assert answer.status < 300, (callback["output"], answer.text)
                answers.append(answer.text.replace(asked, "ID"))
            assert answers[0] == answers[1], callback["output"]
    # Another load of his own in a tab whose Store names her job does not end that one.
    own = budi.ask(budi.changing(ids.JOB_ID, "data", ids.LOAD), FORM | {ids.JOB_ID: job_id})
    assert ids.JOB_ID in own.text
    after = ledger.get(job_id)
    assert (after.status, after.attempt, after.owner) == (Status.RUNNING, before.attempt, "ayu")
    assert {job.owner: job.id != job_id for job in ledger.jobs()} == {"ayu": False, "budi": True}


def test_routes_of_a_job_answer_its_owner_only(proxied, loading):
    process, ledger, _site = proxied
    _ayu, job_id = loading
    ledger.cancel(job_id)  # what had arrived may be had
    for part in ("data", "data?format=arrow", "figure", "stats"):
        path = f"api/jobs/{job_id}/{part}"
        found = {user: Visitor(process.url, user).get(path) for user in ("ayu", "budi", "")}
        assert {user: answer.status for user, answer in found.items()} == {"ayu": 200, "budi": 404, "": 401}, part
        assert found["budi"].json["error"]["code"] == "job_not_found"
        assert found[""].json["error"]["code"] == "not_authenticated"


@pytest.mark.browser
def test_a_link_of_another_user_makes_ones_own_job_from_the_tiles_there(proxied, dash_br):
    process, ledger, site = proxied
    station = site.inventory.station("JFK")
    request = HistoryRequest(("JFK",), ("temperature",), station.first_ms, station.last_ms + 1)
    hers = ledger.submit("ayu", request)
    page = HistoryPage(dash_br, process, ledger)
    page.wait_for_job(hers.id, Status.COMPLETED)
    page.driver.execute_cdp_cmd("Network.enable", {})
    page.driver.execute_cdp_cmd("Network.setExtraHTTPHeaders", {"headers": {"X-Forwarded-User": "budi"}})
    page.open_job(hers.id)
    wait_until(lambda: page.address_job not in ("", hers.id), "an own job in the address", PATIENCE_S)
    page.wait_until_drawn()
    (his,) = ledger.jobs(owner="budi")
    assert (his.id, his.request, his.status) == (page.address_job, request, Status.COMPLETED)
    assert his.metrics["tiles_read"] == 0
    assert page.drawn_job == his.id
    assert [job.id for job in ledger.jobs(owner="ayu")] == [hers.id]
