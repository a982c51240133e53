"""What a job gives on the page and over HTTP: the same view of the same tiles,
to those who may see it.
"""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import plotly.graph_objects as go
import pytest
from dash import no_update
from flask.testing import FlaskClient
from sqlalchemy import event

from access.store import open_access
from analysis.question import ask
from analysis.registry import find
from app import create_app
from callbacks.pictures import ViewQuery
from callbacks.selection import Selection
from callbacks.view import draw
from callbacks.widen import widened
from config import Settings
from data.request import HistoryRequest
from data.site import open_site
from data.tiles.series import SeriesKey
from data.time.months import iso_utc, parse_month
from i18n import set_language
from jobs.job import Job
from jobs.kinds.history import load_history
from jobs.ledger.ledger import open_ledger
from jobs.services import Services
from tests.people import person

START, END = 1_356_998_400_000, 1_388_534_400_000  # 2013, UTC
DAY = 86_400_000
REQUEST = HistoryRequest(("EWR", "JFK"), ("temperature", "rainfall", "wind_direction"), START, END, "raw", "America/New_York")
MINE, OTHER = person("local"), person("somebody else")


@pytest.fixture(scope="module")
def folder(sample_data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of which the request is loaded."""
    made = Path(shutil.copytree(sample_data_dir, tmp_path_factory.mktemp("view") / "var"))
    load_history(open_site(Settings(data_dir=made, _env_file=None)), REQUEST, lambda progress: None)
    return made


@pytest.fixture
def services(folder: Path) -> Iterator[Services]:
    set_language("en")
    settings = Settings(data_dir=folder)
    yield Services(settings, open_site(settings), open_ledger(settings), open_access(settings), lambda: MINE, lambda: None)
    set_language("en")


@pytest.fixture
def job(services: Services) -> Job:
    return services.ledger.record_completed("local", REQUEST, {})


@pytest.fixture
def foreign(services: Services) -> Job:
    return services.ledger.record_completed("somebody else", REQUEST, {})


@pytest.fixture
def client(services: Services) -> FlaskClient:
    return create_app(services.settings).server.test_client()


def asked(job_id: Any, window: Any = None, **fields: Any) -> ViewQuery:
    return ViewQuery(
        **{
            "job_id": job_id,
            "selection": Selection.of(window),
            "include_flagged": False,
            "theme": "light",
            "width_px": 800,
            **fields,
        }
    )


def test_a_view_is_a_figure_a_badge_and_statistics(services: Services, job: Job) -> None:
    drawn = draw(services, asked(job.id))
    go.Figure(drawn.answer["figure"])
    assert drawn.answer["job"] == job.id
    assert "rows" in drawn.badge
    assert drawn.statistics is not None
    assert drawn.answer["figure"]["layout"]["meta"]["whole"] == [START, END]


def test_statistics_tell_what_the_summary_of_the_window_finds(services: Services, job: Job) -> None:
    window = {"job": job.id, "start": START, "end": START + DAY, "sequence": 1, "options": {"only": "temperature"}}
    table = draw(services, asked(job.id, window)).statistics
    heads, *rows = [line.split("\t") for line in table.to_plotly_json()["props"]["data-tsv"].splitlines()]
    request = replace(REQUEST, sensors=("temperature",))
    summary = find("summary")
    found = summary.answer(ask(services.site, request, (START, START + DAY)), summary.options({})).subjects
    gaps, medians = ({row[0]: row[heads.index(name)] for row in rows} for name in ("gaps", "median"))
    assert gaps == {each.station: str(each.result.gaps) for each in found}
    numbers = {station: float(median) for station, median in medians.items()}
    assert numbers == pytest.approx({each.station: each.result.median for each in found}, abs=0.051)


def test_the_sequence_of_the_gesture_comes_back_with_its_window(services: Services, job: Job) -> None:
    window = {"job": job.id, "start": START + DAY, "end": START + 2 * DAY, "sequence": 7}
    meta = draw(services, asked(job.id, window)).answer["figure"]["layout"]["meta"]
    assert (meta["sequence"], meta["start"], meta["end"]) == (7, START + DAY, START + 2 * DAY)


def test_the_window_of_another_job_is_not_this_ones(services: Services, job: Job) -> None:
    window = {"job": "another", "start": START + DAY, "end": START + 2 * DAY, "sequence": 7}
    meta = draw(services, asked(job.id, window)).answer["figure"]["layout"]["meta"]
    assert (meta["sequence"], meta["start"], meta["end"]) == (7, START, END)


@pytest.mark.parametrize("window", ["x", 5, [], {"job": 1}, {"sequence": "7"}, {"sequence": None, "start": {}, "end": "now"}])
def test_any_window_that_a_browser_may_send_is_drawn_whole(services: Services, job: Job, window: Any) -> None:
    with_job = {"job": job.id, **window} if isinstance(window, dict) else window
    meta = draw(services, asked(job.id, with_job)).answer["figure"]["layout"]["meta"]
    assert (meta["start"], meta["end"]) == (START, END)


@pytest.mark.parametrize("job_id", ["nothing", 7, {"a": 1}, ["x"]])
def test_an_unknown_job_draws_nothing_and_says_so(services: Services, job_id: Any) -> None:
    drawn = draw(services, asked(job_id))
    assert drawn.answer["figure"]["data"] == []
    assert "no job" in drawn.badge
    assert (drawn.statistics, drawn.rows_href) == (None, None)


def test_another_users_job_draws_the_same_nothing(services: Services, foreign: Job) -> None:
    drawn = draw(services, asked(foreign.id))
    assert drawn.answer["figure"]["data"] == []
    assert drawn.answer["job"] is None
    assert drawn.overview is not None
    assert drawn.overview["data"] == []


def test_no_view_asks_the_table_of_observations(services: Services, job: Job) -> None:
    seen: list[str] = []
    event.listen(services.site.engine, "before_cursor_execute", lambda *call: seen.append(call[2]))
    draw(services, asked(job.id, theme="dark"))
    assert not [statement for statement in seen if "FROM observation" in statement.replace('"', "")]


def test_while_a_job_runs_its_rows_are_not_offered_and_its_badge_calls_nothing_incomplete(services: Services) -> None:
    waiting = services.ledger.submit("local", HistoryRequest(("LGA",), ("humidity",), START, END))
    drawn = draw(services, asked(waiting.id))
    assert drawn.rows_href is None
    assert drawn.badge == "0 rows so far"
    (shape,) = drawn.answer["figure"]["layout"]["shapes"]
    assert shape["label"]["text"] == "not loaded yet"


def test_the_page_tints_what_a_completed_job_has_lost_as_the_api_does(data_dir: Path) -> None:
    settings = Settings(data_dir=data_dir)
    site, ledger = open_site(settings), open_ledger(settings)
    load_history(site, REQUEST, lambda progress: None)
    services = Services(settings, site, ledger, open_access(settings), lambda: MINE, lambda: None)
    job = ledger.record_completed("local", REQUEST, {})
    rain = SeriesKey(site.source_id, "EWR", "rainfall")
    site.tiles.drop(rain, [site.tiles.entries(rain)[parse_month("2013-07")]])
    layout = draw(services, asked(job.id)).answer["figure"]["layout"]
    shape = layout["shapes"][0]  # those after it mark what is suspect
    assert shape["label"]["text"] == "no longer cached; load again"
    theirs = create_app(settings).server.test_client().get(f"/api/jobs/{job.id}/figure?width=800").json
    assert theirs["layout"]["shapes"] == layout["shapes"]


def test_the_overview_is_the_whole_range_in_one_sensor(services: Services, job: Job) -> None:
    figure = draw(services, asked(job.id, {"job": job.id, "start": START + DAY, "end": START + 2 * DAY})).overview
    go.Figure(figure)
    assert figure is not None
    assert len(figure["data"]) == 2  # one sensor, two stations
    assert figure["layout"]["meta"]["start"] == START


def test_the_overview_is_drawn_anew_only_when_another_one_would_be_seen(services: Services, job: Job) -> None:
    shown = draw(services, asked(job.id)).overview_version
    window = {"job": job.id, "start": START + DAY, "end": START + 2 * DAY, "sequence": 7}
    assert draw(services, asked(job.id, window, overview=shown)).overview is None
    assert draw(services, asked(job.id, theme="dark", overview=shown)).overview
    assert draw(services, asked(job.id, width_px=900, overview=shown)).overview
    another = services.ledger.record_completed("local", REQUEST, {})
    assert draw(services, asked(another.id, overview=shown)).overview


def test_rows_come_as_csv_with_a_name_that_says_what_they_are(client: FlaskClient, job: Job) -> None:
    answer = client.get(f"/api/jobs/{job.id}/data?format=csv&from=2013-07-01&to=2013-07-02")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == (
        'attachment; filename="riwayat_EWR-JFK_temperature-rainfall-wind_direction_20130701_20130702.csv"'
    )
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert {row["station"] for row in rows} == {"EWR", "JFK"}
    times = [row["timestamp_utc"] for row in rows]
    assert min(times) >= "2013-07-01T04:00:00Z"  # midnight in New York, summer time
    assert max(times) == "2013-07-02T04:00:00Z"
    last = [row for row in rows if row["timestamp_utc"] == max(times)]
    # rain of the day's last hour is stamped at its end
    assert all(row["rainfall"] and not row["temperature"] for row in last)


@pytest.mark.parametrize(("kind", "magic"), [("parquet", b"PAR1"), ("arrow", b"\xff\xff\xff\xff")])
def test_rows_come_in_other_formats_too(client: FlaskClient, job: Job, kind: str, magic: bytes) -> None:
    answer = client.get(f"/api/jobs/{job.id}/data?format={kind}&from=2013-07-01&to=2013-07-02")
    assert answer.status_code == 200
    assert answer.data.startswith(magic)


def test_a_running_job_gives_no_rows_yet(client: FlaskClient, services: Services) -> None:
    waiting = services.ledger.submit("local", HistoryRequest(("LGA",), ("temperature",), START, END))
    answer = client.get(f"/api/jobs/{waiting.id}/data")
    assert answer.status_code == 409
    assert answer.json is not None
    assert answer.json["error"]["code"] == "conflict"


@pytest.mark.parametrize("what", ["data", "figure", "stats"])
def test_another_owners_job_is_not_there(client: FlaskClient, foreign: Job, what: str) -> None:
    answer = client.get(f"/api/jobs/{foreign.id}/{what}")
    unknown = client.get(f"/api/jobs/xnothing/{what}")
    assert answer.status_code == unknown.status_code == 404
    assert answer.json is not None
    assert unknown.json is not None
    assert answer.json["error"]["code"] == unknown.json["error"]["code"] == "job_not_found"
    assert set(answer.json["error"]) == {"code", "message", "field"}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("format=doc", "format"),
        ("from=yesterday", "from"),
        ("from=2013-07-02&to=2013-07-01", "to"),
    ],
)
def test_a_wrong_query_is_refused_by_field(client: FlaskClient, job: Job, query: str, field: str) -> None:
    answer = client.get(f"/api/jobs/{job.id}/data?{query}")
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["error"]["field"] == field


def test_a_width_that_is_no_number_is_refused(client: FlaskClient, job: Job) -> None:
    answer = client.get(f"/api/jobs/{job.id}/figure?width=wide")
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["error"]["field"] == "width"


def test_the_figure_over_http_draws_the_points_of_the_pages(client: FlaskClient, services: Services, job: Job) -> None:
    answer = client.get(f"/api/jobs/{job.id}/figure?width=800").json
    assert answer is not None
    here, there = (
        [(trace["uid"], trace["x"], trace["y"]) for trace in data]
        for data in (answer["data"], draw(services, asked(job.id)).answer["figure"]["data"])
    )
    assert here == there


def test_a_line_over_http_has_columns_of_the_screens_pixels(client: FlaskClient, job: Job) -> None:
    def bytes_of(ratio: float) -> int:
        figure: Any = client.get(f"/api/jobs/{job.id}/figure?width=300&ratio={ratio}").json
        return len(next(trace for trace in figure["data"] if trace["legendgroup"] == "EWR.temperature")["y"]["bdata"])

    assert bytes_of(1) == bytes_of(0.1)
    assert bytes_of(1) * 1.7 < bytes_of(2) < bytes_of(4) == bytes_of(9)
    assert client.get(f"/api/jobs/{job.id}/figure?ratio=nan").status_code == 400


def test_statistics_over_http_have_units_and_utc_times(client: FlaskClient, job: Job) -> None:
    answer = client.get(f"/api/jobs/{job.id}/stats?from=2013-07-01&to=2013-08-01").json
    assert answer is not None
    assert (answer["from"], answer["to"]) == ("2013-07-01T04:00:00Z", "2013-08-01T04:00:00Z")
    temperature = next(one for one in answer["series"] if (one["station"], one["sensor"]) == ("JFK", "temperature"))
    assert temperature["unit"] == "°C"
    assert 700 < temperature["rows"] <= 31 * 24
    assert temperature["min"] < temperature["mean"] < temperature["max"]
    assert temperature["max_time"].endswith("Z")


def test_an_earlier_window_that_is_not_loaded_is_offered_and_a_press_loads_it_and_keeps_the_view(
    services: Services, job: Job
) -> None:
    window = {"job": job.id, "start": START, "end": START + 7 * DAY, "view": "earlier", "options": {"offset": "week"}}
    told = draw(services, asked(job.id, window)).whole
    assert f"'start': {START - 7 * DAY}" in str(told["note"])
    search, notice = widened(services, job.id, START - 7 * DAY, window)
    query = {name: values[0] for name, values in parse_qs(search.removeprefix("?")).items()}
    assert notice is None
    assert (query["view"], query["offset"], query["from"]) == ("earlier", "week", iso_utc(START))
    loaded = services.ledger.get(query["job"])
    assert (loaded.request.start_ms, loaded.request.end_ms) == (START - 7 * DAY, END)
    compared = draw(services, asked(loaded.id, {**window, "job": loaded.id})).whole
    assert (compared["note"], len(compared["figure"]["data"])) == (None, 12)


@pytest.mark.parametrize("start", [START, True, "2012", None, -(10**18)])
def test_nothing_is_loaded_from_a_time_that_is_not_before_what_is_there(services: Services, job: Job, start: object) -> None:
    search, notice = widened(services, job.id, start, {})
    assert search is no_update
    assert "no such range" in str(notice)
