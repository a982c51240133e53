"""The OpenAPI document: it names what there is, and the API keeps what it promises,
whatever is sent (schemathesis).
"""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as bounded
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from app import create_app
from config import VERSION, Settings
from data.request import request_of
from data.site import open_site
from jobs.kinds.history import load_history
from tests.processes import ROOT

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
    allow_header_conformance,
]
EXAMPLES = 12  # of an operation and a kind of data: all of them take less than half a minute
BODY = {"stations": ["JFK"], "sensors": ["temperature"], "start": "2013-03-01", "end": "2013-04-01"}

load_all_checks()


@pytest.fixture(scope="module")
def server(sample_data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """A site with one loaded history."""
    folder = Path(shutil.copytree(sample_data_dir, tmp_path_factory.mktemp("document") / "var"))
    settings = Settings(data_dir=folder, _env_file=None)
    site = open_site(settings)
    request = request_of(BODY["stations"], BODY["sensors"], str(BODY["start"]), str(BODY["end"]), "raw", "America/New_York")
    load_history(site, request, lambda progress: None)
    site.engine.dispose()
    made = create_app(settings).server
    # what nobody expected is to be answered, as it is to users
    made.config["PROPAGATE_EXCEPTIONS"] = False
    return made


@pytest.fixture(scope="module")
def document(server: Flask) -> dict[str, Any]:
    answer = server.test_client().get("/api/openapi.json")
    assert answer.json is not None
    return dict(answer.json)


@pytest.fixture(scope="module")
def job(server: Flask) -> str:
    """Id of a job that has ended; the streams of others would last."""
    answer = server.test_client().post("/api/jobs", json=BODY)
    assert answer.json is not None
    assert answer.json["status"] == "completed"
    return str(answer.json["id"])


def from_here(server: Flask) -> Callable[[dict[str, Any], Any], Any]:
    """The server, asked from this machine, by a client that does not decompress."""
    return lambda environ, start: server(environ | {"REMOTE_ADDR": "127.0.0.1", "HTTP_ACCEPT_ENCODING": ""}, start)


@pytest.fixture(scope="module")
def schema(server: Flask) -> Any:
    """The document as schemathesis reads it."""
    return schemathesis.openapi.from_wsgi("/api/openapi.json", from_here(server))


OPERATIONS = [
    ("GET", "/api/stations"),
    ("GET", "/api/stations/status"),
    ("GET", "/api/series"),
    ("GET", "/api/version"),
    ("GET", "/api/jobs"),
    ("POST", "/api/jobs"),
    ("GET", "/api/jobs/{job_id}"),
    ("POST", "/api/jobs/{job_id}/cancel"),
    ("POST", "/api/jobs/{job_id}/retry"),
    ("GET", "/api/jobs/{job_id}/events"),
    ("GET", "/api/jobs/{job_id}/figure"),
    ("GET", "/api/jobs/{job_id}/picture"),
    ("GET", "/api/jobs/{job_id}/report"),
    ("POST", "/api/reports"),
    ("GET", "/api/schedules"),
    ("POST", "/api/schedules"),
    ("DELETE", "/api/schedules/{schedule_id}"),
    ("GET", "/api/alarms"),
    ("POST", "/api/alarms"),
    ("POST", "/api/alarms/{alarm_id}"),
    ("DELETE", "/api/alarms/{alarm_id}"),
    ("GET", "/api/alarms/{alarm_id}/events"),
    ("POST", "/api/alarms/{alarm_id}/test"),
    ("POST", "/api/alarms/{alarm_id}/acknowledge"),
    ("GET", "/api/jobs/{job_id}/analysis/{name}"),
    ("GET", "/api/jobs/{job_id}/stats"),
    ("GET", "/api/jobs/{job_id}/flags"),
    ("GET", "/api/jobs/{job_id}/data"),
    ("GET", "/api/jobs/{job_id}/manifest"),
    ("GET", "/api/jobs/{job_id}/rows"),
    ("GET", "/api/embed"),
    ("GET", "/api/embeds"),
    ("POST", "/api/embeds"),
    ("POST", "/api/embeds/{embed_id}/revoke"),
    ("POST", "/api/embeds/{embed_id}/token"),
    ("GET", "/api/views"),
    ("POST", "/api/views"),
    ("POST", "/api/views/{view_id}"),
    ("DELETE", "/api/views/{view_id}"),
    ("GET", "/api/formulas"),
    ("POST", "/api/formulas"),
    ("POST", "/api/formulas/{sensor}"),
    ("DELETE", "/api/formulas/{sensor}"),
    ("GET", "/api/decisions"),
    ("POST", "/api/decisions"),
    ("POST", "/api/decisions/{number}/undo"),
    ("GET", "/api/limits"),
    ("PATCH", "/api/limits"),
    ("GET", "/api/notes"),
    ("POST", "/api/notes"),
    ("PATCH", "/api/notes/{note_id}"),
    ("DELETE", "/api/notes/{note_id}"),
    ("POST", "/api/observations"),
    ("POST", "/api/aws/receiver"),
    ("GET", "/api/rejected"),
    ("POST", "/api/rejected/{item_id}/replay"),
    ("DELETE", "/api/rejected/{item_id}"),
    ("GET", "/api/audit"),
]


TAKES_SOMETHING = {
    *(
        "/api/jobs",
        "/api/jobs/{job_id}/figure",
        "/api/jobs/{job_id}/picture",
        "/api/jobs/{job_id}/report",
        "/api/reports",
        "/api/jobs/{job_id}/stats",
        "/api/jobs/{job_id}/flags",
        "/api/jobs/{job_id}/data",
    ),
    *("/api/jobs/{job_id}/manifest", "/api/jobs/{job_id}/rows"),
    *("/api/schedules", "/api/embeds", "/api/embeds/{embed_id}/token"),
    *("/api/alarms", "/api/alarms/{alarm_id}", "/api/alarms/{alarm_id}/events", "/api/alarms/{alarm_id}/acknowledge"),
    *("/api/views", "/api/views/{view_id}"),
    *("/api/formulas", "/api/formulas/{sensor}"),
    *("/api/decisions", "/api/decisions/{number}/undo"),
    *("/api/limits", "/api/notes", "/api/notes/{note_id}", "/api/rejected", "/api/rejected/{item_id}/replay"),
}
RIGHT = [(method, path, GenerationMode.POSITIVE) for method, path in OPERATIONS]
TAKES_NOTHING = {
    ("GET", "/api/embeds"),
    *(("GET", f"/api/{name}") for name in ("views", "formulas", "schedules", "alarms")),
    *(
        ("DELETE", f"/api/{name}")
        for name in ("schedules/{schedule_id}", "alarms/{alarm_id}", "views/{view_id}", "formulas/{sensor}", "notes/{note_id}")
    ),
}
WRONG = [
    (method, path, GenerationMode.NEGATIVE)
    for method, path in OPERATIONS
    if path in TAKES_SOMETHING and (method, path) not in TAKES_NOTHING
]


@pytest.mark.parametrize(("method", "path", "mode"), RIGHT + WRONG)
def test_whatever_is_sent_the_answer_is_one_that_the_document_promises(schema, job, method, path, mode):
    operation = schema[path][method]
    cases = operation.as_strategy(generation_mode=mode)

    @bounded(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, is_known=st.booleans())
    def send(case: Any, is_known: bool) -> None:
        if is_known and "job_id" in case.path_parameters:
            case.path_parameters["job_id"] = job
        case.call_and_validate(checks=CHECKS)

    send()


def test_the_document_is_openapi_and_names_every_route_of_the_api(server, document):
    schemathesis.openapi.from_dict(document).validate()
    documented = {(method.upper(), path) for path, found in document["paths"].items() for method in found}
    assert documented == set(OPERATIONS)
    routed = {
        (method, re.sub(r"<(\w+)>", r"{\1}", rule.rule))
        for rule in server.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/") and not rule.endpoint.endswith((".unknown", ".openapi"))
    }
    assert routed == documented


def test_every_operation_says_what_it_does_and_names_no_address_outside_the_site(document):
    for found in document["paths"].values():
        for operation in found.values():
            assert operation["summary"].endswith(".")
            assert {"401", "403", "500", "503"} <= operation["responses"].keys()
    assert "://" not in str(document)


def test_what_a_parameter_may_be_is_what_the_models_check(document):
    parameters = {one["name"]: one["schema"] for one in document["paths"]["/api/jobs"]["get"]["parameters"]}
    assert parameters["limit"] == {"default": 50, "maximum": 200, "minimum": 1, "type": "integer"}
    assert parameters["status"] == {"$ref": "#/components/schemas/Status"}
    assert document["components"]["schemas"]["Status"]["enum"] == ["queued", "running", "completed", "failed", "cancelled"]
    window = {one["name"] for one in document["paths"]["/api/jobs/{job_id}/data"]["get"]["parameters"]}
    assert window == {"job_id", "from", "to", "format", "flags", "units"}


def test_every_reference_leads_to_a_schema_and_every_schema_is_referred_to(document):
    references = {text.rpartition("/")[2] for text in re.findall(r"#/components/schemas/\w+", str(document))}
    assert references == document["components"]["schemas"].keys()


def test_examples_headers_and_refusals_are_in_it(document):
    started = document["paths"]["/api/jobs"]["post"]
    assert document["components"]["schemas"]["NewJob"]["properties"]["stations"]["examples"] == [["JFK"]]
    assert started["responses"]["202"]["headers"]["Location"]["schema"] == {"type": "string"}
    assert "Retry-After" in started["responses"]["429"]["headers"]
    refusals = {status: answer["content"] for status, answer in started["responses"].items() if status >= "400"}
    assert refusals.keys() == {"400", "401", "403", "404", "413", "415", "429", "500", "503"}
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    assert all(content == error for content in refusals.values())


def test_the_version_is_the_projects():
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION
