"""Dash's background callbacks on the ledger: what a page gets, and what it cannot get."""

import json
from urllib.parse import urlencode

import diskcache
import pytest
from dash import Dash, Input, Output, dcc, html
from dash.background_callback.managers.diskcache_manager import DiskcacheManager
from sqlalchemy.exc import OperationalError

from data.request import HistoryRequest
from errors import SourceUnavailable
from jobs.job import JobError, Progress, Status
from jobs.ledger.ledger import open_ledger
from jobs.manager import QueueManager, open_cache
from tests.databases import migrate_as_new
from tests.people import person
from tests.processes import wait_until

SECRET = "a secret of the test"


def render_progress(job):
    return [f"{job.status.value} {job.progress.fraction if job.progress else 0:.0%}", job.version]


def render_result(job):
    return [f"ended: {job.status.value}", job.error.message if job.error else ""]


@pytest.fixture
def ledger(settings):
    migrate_as_new(settings)
    opened = open_ledger(settings)
    yield opened
    opened.engine.dispose()


class Site:
    """A Dash app of one background callback, and who is asking."""

    def __init__(self, settings, ledger):
        self.user = person("siti")
        self.woken = 0
        self.cache = open_cache(settings)
        self.manager = QueueManager(
            self.cache, ledger, lambda: self.user, render_progress, render_result, wake=self.wake, signing_secret=SECRET
        )
        self.app = make_app(self.manager, lambda _job_id, _report: pytest.fail("the web process must not run a job"))
        self.client = self.app.server.test_client()

    def wake(self):
        self.woken += 1


def make_app(manager, run_job):
    app = Dash("riwayat-test")
    app.server.secret_key = SECRET
    app.layout = html.Div(
        [dcc.Store(id="job-id"), dcc.Store(id="version"), html.Button(id="cancel")]
        + [html.Div(id=name) for name in ("text", "end", "error")]
    )

    @app.callback(
        Output("end", "children"),
        Output("error", "children"),
        Input("job-id", "data"),
        background=True,
        manager=manager,
        progress=[Output("text", "children"), Output("version", "data")],
        cancel=[Input("cancel", "n_clicks")],
        interval=100,
        prevent_initial_call=True,
    )
    def run(report, job_id):
        return run_job(job_id, report)

    app._setup_server()
    return app


class Page:
    """One page load: speaks to the site as Dash's renderer does."""

    def __init__(self, app, client):
        self.client = client
        end_id = json.loads(client.get("/").text.split('id="_dash-config" type="application/json">')[1].split("</script>")[0])[
            "end_id"
        ]
        self.query = {"endId": end_id}
        (self.output,) = [key for key in app.callback_map if "end.children" in key]
        self.cancel_output = next(key for key in app.callback_map if "cancel.id" in key)

    def post(self, body, query):
        return self.client.post(f"/_dash-update-component?{urlencode(self.query | query)}", json=body)

    def call(self, job_id, **query):
        outputs = [{"id": "end", "property": "children"}, {"id": "error", "property": "children"}]
        inputs = [{"id": "job-id", "property": "data", "value": job_id}]
        body = {"output": self.output, "outputs": outputs, "inputs": inputs, "changedPropIds": ["job-id.data"]}
        return self.post(body, query)

    def start(self, job_id, **query):
        answer = self.call(job_id, **query)
        self.handles = {name: answer.json[name] for name in ("cacheKey", "job")} if answer.status_code == 200 else {}
        return answer

    def poll(self, **query):
        return self.call(None, **(self.handles | query))

    def click_cancel(self):
        outputs = {"id": "cancel", "property": "id"}
        inputs = [{"id": "cancel", "property": "n_clicks", "value": 1}]
        body = {"output": self.cancel_output, "outputs": outputs, "inputs": inputs, "changedPropIds": ["cancel.n_clicks"]}
        return self.post(body, {"cancelJob": self.handles["job"]})


@pytest.fixture
def site(settings, ledger):
    made = Site(settings, ledger)
    yield made
    made.cache.close()


@pytest.fixture
def page(site):
    return Page(site.app, site.client)


@pytest.fixture
def job(ledger):
    return ledger.submit("siti", HistoryRequest(("aws-1",), ("temperature",), 0, 1000))


def half(ledger, job):
    claimed = ledger.claim("w", ["history"])
    ledger.report(job.id, claimed.attempt, Progress(0.5, 1, 2, 3, 4))
    return claimed


def ended(answer):
    return [answer.json["response"][name]["children"] for name in ("end", "error")]


def test_a_page_attaches_polls_and_gets_the_end(ledger, site, page, job):
    assert page.start(job.id).status_code == 200
    assert page.handles["job"].split("~")[0] == job.id
    assert site.woken == 1
    assert page.poll().json["progress"] == {"text.children": "queued 0%", "version.data": 0}
    claimed = half(ledger, job)
    assert page.poll().json["progress"]["text.children"] == "running 50%"
    ledger.complete(job.id, claimed.attempt, {})
    assert ended(page.poll()) == ["ended: completed", ""]
    assert ledger.get(job.id).status is Status.COMPLETED  # reading the result deleted nothing
    assert ended(page.poll()) == ["ended: completed", ""]


def test_each_poll_tells_all_and_the_server_remembers_nothing_of_it(ledger, site, page, job):
    half(ledger, job)
    page.start(job.id)
    known = set(site.cache)
    first = page.poll().json["progress"]
    assert page.poll().json["progress"] == first  # what is new, the page finds out (newBeat)
    assert set(site.cache) == known


def test_two_pages_follow_one_job_without_stealing_from_each_other(ledger, site, job):
    pages = [Page(site.app, site.client) for _ in range(2)]
    for one in pages:
        one.start(job.id)
    for one in pages:
        assert "progress" in one.poll().json
    ledger.complete(job.id, half(ledger, job).attempt, {})
    for one in pages:
        assert ended(one.poll()) == ["ended: completed", ""]
    assert ledger.watched(job.id, except_page="")


@pytest.mark.parametrize("how", ["failed", "cancelled"])
def test_a_job_that_failed_or_was_cancelled_is_told_never_silent(ledger, page, job, how):
    page.start(job.id)
    claimed = half(ledger, job)
    if how == "failed":
        ledger.fail(job.id, claimed.attempt, JobError("x", "It broke.", {}, False), jitter=0)
    else:
        ledger.cancel(job.id)
    answer = page.poll()
    assert answer.status_code == 200
    assert ended(answer) == [f"ended: {how}", "It broke." if how == "failed" else ""]


def test_a_job_that_ends_between_the_questions_of_one_poll_is_not_lost(ledger, site, page, job, monkeypatch):
    page.start(job.id)
    claimed = half(ledger, job)
    real = site.manager.get_result

    def ends_just_after(key, handle):
        result = real(key, handle)
        monkeypatch.setattr(site.manager, "get_result", real)
        ledger.complete(job.id, claimed.attempt, {})
        return result

    monkeypatch.setattr(site.manager, "get_result", ends_just_after)
    first = page.poll()
    assert (first.status_code, "response" in first.json) == (200, False)
    assert ended(page.poll()) == ["ended: completed", ""]


@pytest.mark.parametrize(
    "nonsense", [None, "", 7, {"id": "x"}, ["x"], "nope", "x" * 10_000, "'; DROP TABLE job", "../../etc", True]
)
def test_nonsense_in_the_store_gives_nothing(page, job, nonsense):
    answer = page.start(nonsense)
    assert (answer.status_code, answer.data) == (204, b"")


def test_another_users_id_in_the_store_gives_nothing(site, page, job):
    site.user = person("budi")
    assert page.start(job.id).status_code == 204
    site.user = person("root", admin=True)
    assert page.start(job.id).status_code == 200


def test_handles_of_another_user_give_nothing(ledger, site, page, job):
    """Even with the page's own signed handles: the identity is asked at every poll."""
    page.start(job.id)
    half(ledger, job)
    site.user = person("budi")
    answer = page.poll()
    assert (answer.status_code, answer.data) == (204, b"")
    page.click_cancel()
    assert ledger.get(job.id).status is Status.RUNNING


def test_handles_of_another_page_or_forged_ones_give_nothing(ledger, site, page, job):
    page.start(job.id)
    ledger.complete(job.id, half(ledger, job).attempt, {})
    other = Page(site.app, site.client)
    other.query["endId"] = "forged"
    other.handles = page.handles
    assert other.poll().status_code == 204
    other.handles = {"cacheKey": job.id, "job": job.id}
    assert other.poll().status_code == 204


def test_cancel_acts_only_when_a_user_asked_for_it(ledger, site, page, job):
    page.start(job.id)
    half(ledger, job)
    page.start(job.id, oldJob=page.handles["job"])  # the same tab runs the callback again
    page.poll()
    assert ledger.get(job.id).status is Status.RUNNING
    page.click_cancel()
    assert ledger.get(job.id).status is Status.CANCELLED
    assert ended(page.poll())[0] == "ended: cancelled"
    page.click_cancel()  # too late: nothing happens
    assert site.woken == 3  # two starts and one cancel


def test_a_ledger_that_does_not_answer_lets_the_page_poll_on(ledger, page, job, monkeypatch):
    def gone(*_asked):
        raise OperationalError("SELECT", {}, Exception("gone"))

    with monkeypatch.context() as broken:
        broken.setattr(ledger, "get", gone)
        broken.setattr(ledger, "followed", gone)
        assert page.start(job.id).status_code == 200
        answer = page.poll()
        assert (answer.status_code, answer.json) == (200, {"multi": True})
    ledger.complete(job.id, half(ledger, job).attempt, {})
    assert ended(page.poll()) == ["ended: completed", ""]


def test_the_cache_is_for_its_owner_only(settings, site):
    assert (settings.data_dir / "cache").stat().st_mode & 0o777 == 0o700


def test_the_same_callback_works_with_dashs_own_manager(settings, ledger, job, monkeypatch, tmp_path):
    """``return run_job(job_id, report)`` runs the job in the process
    that Dash's stock manager starts.
    """
    from jobs.worker import child

    def load(_site, request, report, _seen):
        report(Progress(0.5, 1, 2, 3, 4))
        if request.start_ms:
            raise SourceUnavailable
        return {"rows": 4}

    monkeypatch.setattr(child, "load_history", load)
    app = make_app(
        DiskcacheManager(diskcache.Cache(str(tmp_path / "stock"))),
        child.make_callback_job(settings, render_progress, render_result),
    )
    stock = Page(app, app.server.test_client())
    stock.start(job.id)

    def end():
        answer = stock.poll()
        return answer.status_code == 200 and "response" in answer.json and ended(answer)

    assert wait_until(end, "the stock manager's job to end") == ["ended: completed", ""]
    assert ledger.get(job.id).metrics["rows"] == 4
