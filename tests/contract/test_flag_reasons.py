"""Why a reading is flagged: rule, limit, value, since when and by whom, in data and in pictures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from app import create_app
from data.flag_choice import FlagChoice
from data.site import Site
from data.view.flag_reasons import FlagReason, flag_reasons
from data.view.view_request import view_request
from figures.flag_words import flag_words, reason_words
from figures.history import history_figure
from i18n import set_language
from jobs.ledger.ledger import open_ledger
from tests.contract.test_analyses import at, site  # noqa: F401 - a fixture
from tests.contract.test_decisions_applied import decided, said
from tests.contract.test_flag_layer import BEYOND, END, SPIKE, START, STEP, STUCK, TIMES, faulty, layer, loaded, request  # noqa: F401


def reason(site: Site, place: int, flags: FlagChoice = "hard", value: float | None = None) -> FlagReason:  # noqa: F811
    values = np.array([faulty()[place] if value is None else value])
    (found,) = flag_reasons(replace(site, flags=flags), "a", site.catalogue["temperature"], TIMES[[place]], values)
    return found


def test_a_flag_tells_rule_limit_and_since_when(loaded: Site) -> None:  # noqa: F811
    since = int(TIMES[STUCK.start])
    for place in (STUCK.start, STUCK.start + 7, STUCK.stop - 1):
        assert reason(loaded, place) == FlagReason("stuck", True, 4.0, since)  # h, of readings in steps of 0.1 °C
    spike = reason(loaded, SPIKE)
    assert (spike.rule, spike.hard, spike.since_ms) == ("spike", True, int(TIMES[SPIKE]))
    assert spike.limit is not None
    assert 0 < spike.limit < 30
    step = reason(loaded, STEP, "all")
    assert (step.rule, step.hard, step.since_ms) == ("step", False, int(TIMES[STEP - 1]))
    assert reason(loaded, BEYOND) == FlagReason("range", True, 60.0)
    assert reason(loaded, 7) == FlagReason("source", True)  # flagged, and by nothing else
    assert reason(loaded, SPIKE, "none").rule == "source"


def test_several_flags_are_told_at_once(loaded: Site) -> None:  # noqa: F811
    places = [SPIKE, STUCK.start, BEYOND, STEP]
    found = flag_reasons(replace(loaded, flags="all"), "a", loaded.catalogue["temperature"], TIMES[places], faulty()[places])
    assert found == [reason(loaded, place, "all") for place in places]


def test_a_flag_by_hand_tells_its_decision(loaded: Site) -> None:  # noqa: F811
    found = decided(loaded, said(4, "wrong", 10, 12), said(5, "wrong", STEP - 1, STEP, rule="step"))
    assert reason(found, 11) == FlagReason("hand", True, None, int(TIMES[10]), 4, "wrong")
    assert (reason(found, STEP).rule, reason(found, STEP).decision) == ("step", 5)


def test_without_the_tile_of_limits_the_rule_is_told_alone(loaded: Site) -> None:  # noqa: F811
    key = layer(loaded).limits_key
    loaded.tiles.drop(key, loaded.tiles.entries(key).values())
    assert reason(loaded, STUCK.start) == FlagReason("stuck", True)


@pytest.mark.parametrize(
    ("of", "text"),
    [
        (FlagReason("stuck", True, 4.0, at("2024-01-13")), "X, limit 4.0 h · since 13 Jan 2024 00:00"),
        (FlagReason("range", True, 60.0), "X, limit 60.0\u202f°C"),
        (FlagReason("spike", True, 6.0, at("2024-02-01")), "X, limit 6.0\u202f°C"),  # since itself
        (FlagReason("hand", True, None, None, 12, "wrong"), "X · decision 12"),
    ],
)
def test_a_reason_in_words(site: Site, of: FlagReason, text: str) -> None:  # noqa: F811
    set_language("en")
    said_so = reason_words(of, "X", site.catalogue["temperature"], "UTC", at("2024-02-01"))
    assert said_so.replace("\u2009", "\u202f") == text


def test_the_api_tells_stretches_of_flagged_readings(loaded: Site) -> None:  # noqa: F811
    client, job = (
        create_app(loaded.settings).server.test_client(),
        open_ledger(loaded.settings).record_completed("local", request(), {}),
    )
    (told,) = client.get(f"/api/jobs/{job.id}/flags").json["series"]
    assert [(each["rule"], each["severity"], each["left_out"], each["rows"]) for each in told["stretches"]] == [
        ("spike", "hard", True, 1),
        ("stuck", "hard", True, 40),
        ("range", "hard", True, 1),
        ("step", "suspect", False, 2),
    ]
    stuck = told["stretches"][1]
    assert (stuck["from"], stuck["since"]) == ("2024-01-13T12:00:00Z",) * 2
    assert (stuck["to"], stuck["least"], stuck["greatest"]) == ("2024-01-15T03:00:00Z", 9.9, 9.9)
    assert (stuck["limit"], stuck["unit"], stuck["decision"]) == (4.0, "h", None)
    (later,) = client.get(f"/api/jobs/{job.id}/flags?from=2024-01-14&to=2024-01-14T01:00").json["series"]
    assert [(each["rows"], each["since"]) for each in later["stretches"]] == [(1, stuck["since"])]
    (none,) = client.get(f"/api/jobs/{job.id}/flags?flags=none").json["series"]
    assert [each["rule"] for each in none["stretches"]] == ["range"]


def test_markers_of_a_picture_tell_why(loaded: Site) -> None:  # noqa: F811
    set_language("en")
    hard = replace(loaded, flags="hard")

    def marks(start: str, end: str) -> dict[str, Any]:
        view = view_request(hard, request(), at(start), at(end), 800)
        figure = history_figure(view, hard.catalogue, why=lambda *asked: flag_words(hard, "UTC", *asked))
        return next(trace for trace in figure["data"] if trace["uid"].endswith("flagged"))

    found = marks(START, END)
    assert len(found["text"]) > 3
    assert {each.split(",")[0] for each in found["text"]} == {"Spike", "Stuck", "Out of range"}
    assert "%{text}" in found["hovertemplate"]
