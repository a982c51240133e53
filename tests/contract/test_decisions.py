"""Decisions in each kind of database: made, undone, in conflict, listed, and moved as files."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as bounded
from hypothesis import strategies as st

from access.decisions.deciding import decide, undo
from access.decisions.decision_import import ImportedDecisions, import_decisions
from access.decisions.decision_list import DecisionFilter, last_number, visible_decisions
from access.decisions.decision_reading import read_csv, read_toml
from access.decisions.decision_text import decisions_csv, decisions_toml
from access.decisions.made_decision import MadeDecision
from access.formulas.own_formula import save_formula
from access.grants import EVERYTHING, Grant, Rights
from access.identity import Identity
from access.store import AccessStore
from data.database.engine import make_engine
from data.decision import Decision
from data.time.epoch import DAY_MS, HOUR_MS
from errors import (
    Conflict,
    DecidedMeanwhile,
    ImportRejected,
    InvalidRequest,
    NotFound,
    NotPermitted,
    UnknownSensor,
    UnknownStation,
)
from tests.databases import ON_SQLITE
from tests.people import granted, person

SARI, BUDI = person("sari"), person("budi")
JULY_MS = 1_372_636_800_000  # 2013-07-01
HOSTILE = '=cmd|"/C calc"!A0\n\t\u202egnp.exe \x1b[31m\u2028[[decision]]\r\n\\u0041 🌧 \'"""'
READ = {"toml": (decisions_toml, read_toml), "csv": (decisions_csv, read_csv)}


def draft(kind: Any = "wrong", start_ms: int = JULY_MS, hours: float = 1, **more: Any) -> Decision:
    fields: dict[str, Any] = {"station": "JFK", "sensor": "temperature"} | more
    return Decision(0, kind=kind, start_ms=start_ms, end_ms=start_ms + round(hours * HOUR_MS), **fields)


def everything(store: AccessStore, **wanted: Any) -> list[MadeDecision]:
    return visible_decisions(store, EVERYTHING, DecisionFilter(**wanted))


# -- made and undone -------------------------------------------------------------------------------


def test_a_decision_counts_until_anybody_undoes_it_and_stays_in_the_list_and_the_log(store, sample):
    first = decide(store, sample, SARI, draft(rule="stuck"), "  stood in ice ")
    second = decide(store, sample, BUDI, draft("offset", amount=-0.3), "calibrated")
    assert (first.reason, first.made_by, second.decision.number > first.decision.number) == ("stood in ice", "sari", True)
    assert store.decisions("JFK", "temperature") == (first.decision, second.decision)
    undone = undo(store, BUDI, first.decision.number)
    assert (undone.decision, undone.undone_by, undone.made_by) == (first.decision, "budi", "sari")
    assert store.decisions("JFK", "temperature") == (second.decision,)
    assert everything(store) == [undone, second]
    with pytest.raises(Conflict, match="undone already, by budi"):
        undo(store, SARI, first.decision.number)
    actions = [(entry.action, entry.subject["decision"]) for entry in store.audit.entries(limit=9)]
    numbers = first.decision.number, second.decision.number
    assert actions == [("decision_undone", numbers[0]), ("decision_made", numbers[1]), ("decision_made", numbers[0])]


def test_there_is_no_decision_of_a_number_that_was_not_given(store):
    for number in (0, 7, 2**52):
        with pytest.raises(NotFound):
            undo(store, SARI, number)


def test_what_is_decided_already_is_not_decided_twice_by_a_second_press(store, sample):
    first = decide(store, sample, SARI, draft("offset", amount=1.0), "x")
    with pytest.raises(DecidedMeanwhile, match=f"decision {first.decision.number}") as refused:
        decide(store, sample, SARI, draft("offset", amount=1.0), "pressed again")
    assert refused.value.newer == (first,)
    decide(store, sample, SARI, draft("factor", amount=2.0), "x")
    decide(store, sample, SARI, draft("offset", amount=1.0), "after the factor it is something else")
    assert len(everything(store)) == 3


def test_a_newer_decision_of_somebody_else_about_some_of_the_readings_is_a_conflict_and_is_shown(store, sample):
    seen = decide(store, sample, SARI, draft()).decision.number
    theirs = decide(store, sample, BUDI, draft("right", JULY_MS + HOUR_MS), seen=seen)  # sari's last reading is its first
    for what in (draft("suspect", JULY_MS - HOUR_MS, hours=2), draft("suspect", JULY_MS + 2 * HOUR_MS)):
        with pytest.raises(DecidedMeanwhile) as refused:
            decide(store, sample, SARI, what, seen=seen)
        assert refused.value.newer == (theirs,)
    with pytest.raises(DecidedMeanwhile):
        undo(store, SARI, seen, seen=seen)
    decide(store, sample, SARI, draft("suspect", JULY_MS + 2 * HOUR_MS + 1), seen=seen)  # beside it
    decide(store, sample, SARI, draft("suspect", sensor="humidity"), seen=seen)
    decide(store, sample, SARI, draft("suspect"), seen=theirs.decision.number)
    undo(store, BUDI, theirs.decision.number)
    decide(store, sample, SARI, draft("wrong", JULY_MS + HOUR_MS), seen=seen)  # what is undone is in nobody's way


def test_of_two_who_decide_at_once_having_seen_the_same_one_is_refused(store, sample, migrated_url):
    stores = [store, AccessStore(make_engine(migrated_url))]
    ready = threading.Barrier(2)

    def press(who: int, start_ms: int) -> MadeDecision | DecidedMeanwhile:
        ready.wait(timeout=20)
        try:
            return decide(stores[who], sample, (SARI, BUDI)[who], draft(("right", "wrong")[who], start_ms), seen=0)
        except DecidedMeanwhile as exc:
            return exc

    with ThreadPoolExecutor(2) as pool:
        for day in range(5):
            found = list(pool.map(press, (0, 1), 2 * [JULY_MS + day * DAY_MS]))
            (made,) = (one for one in found if isinstance(one, MadeDecision))
            (refused,) = (one for one in found if isinstance(one, DecidedMeanwhile))
            assert refused.newer == (made,)
    numbers = [one.decision.number for one in everything(store)]
    assert len(set(numbers)) == 5
    stores[1].engine.dispose()


# -- what can be decided ---------------------------------------------------------------------------


@pytest.mark.parametrize("migrated_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("what", "reason", "field", "says"),
    [
        (draft(hours=-1), "", "to", "before the start"),
        (draft(start_ms=-(10**15)), "", "from", "years"),
        (draft("shift", 253_402_300_000_000, hours=0, amount=HOUR_MS), "x", "from", "years"),
        (draft("smooth"), "x", "kind", "right, wrong"),
        (draft(rule="weather"), "", "rule", "stuck"),
        (draft("delete", rule="stuck"), "x", "rule", "no rule"),
        (draft("offset"), "x", "amount", "amount"),
        (draft(amount=1.0), "x", "amount", "amount"),
        (draft("offset", amount=float("nan")), "x", "amount", "finite"),
        (draft("factor", amount=float("inf")), "x", "amount", "finite"),
        (draft("factor", amount=0.0), "x", "amount", "must not be 0"),
        (draft("shift", amount=0.5), "x", "amount", "whole number"),
        (draft("shift", amount=-30.0 * DAY_MS - 1), "x", "amount", "30 days"),
        (draft("fill"), "x", "filled_from", "for fill only"),
        (draft("delete", filled_from=("LGA", "temperature")), "x", "filled_from", "for fill only"),
        (draft("fill", filled_from=("JFK", "temperature")), "x", "filled_from", "itself"),
        (draft("fill", filled_from=("JFK", "solar_radiation")), "x", "filled_from", "no sensor"),
        (draft("delete"), " ", "reason", "needs a reason"),
        (draft(), "x" * 501, "reason", "500"),
        (draft(), "a\0b", "reason", "500"),
        (draft(), "\ud800", "reason", "500"),
        (draft(sensor="dew_point"), "", "sensor", "made of: temperature, humidity"),
        (draft(sensor="solar_radiation"), "", "sensor", "no sensor"),
        (draft(sensor="temperature@flags"), "", "sensors", "no sensor"),
        (draft(station="ZZZ"), "", None, "no station ZZZ"),
        (draft("fill", filled_from=("ZZZ", "temperature")), "x", None, "no station ZZZ"),
    ],
)
def test_what_means_nothing_is_refused_at_its_field_and_leaves_nothing(store, sample, what, reason, field, says):
    with pytest.raises(InvalidRequest, match=says) as refused:
        decide(store, sample, SARI, what, reason)
    assert field is None or refused.value.field == field
    assert everything(store) == []


@ON_SQLITE
def test_a_series_is_filled_from_another_one_or_from_a_formula(store, sample):
    formula = save_formula(store, sample, SARI, "as at LGA", 'temperature["LGA"] + quantity(1, "K")', "°C").sensor
    site = replace(sample, catalogue=replace(sample.catalogue, definitions=store.definitions))
    for other in (("LGA", "temperature"), ("LGA", formula), ("JFK", "dew_point")):
        decide(store, site, SARI, draft("fill", filled_from=other), "no power")
    with pytest.raises(InvalidRequest, match="made of"):
        decide(store, site, SARI, draft(station="LGA", sensor=formula))


# -- who may ---------------------------------------------------------------------------------------


@ON_SQLITE
def test_whoever_decides_may_review_the_whole_span_and_where_a_shift_takes_it(store, sample):
    end_ms = JULY_MS + DAY_MS
    tia = granted(
        "tia", Grant(("JFK",)), Grant(("JFK",), to_ms=end_ms, may_review=True), Grant(("JFK",), finest="1h", may_review=True)
    )
    decide(store, sample, tia, draft(hours=23))
    with pytest.raises(NotPermitted, match="view this but not review it"):
        decide(store, sample, tia, draft(hours=24))
    with pytest.raises(NotPermitted, match="not review"):
        decide(store, sample, tia, draft("shift", hours=12, amount=12.0 * HOUR_MS), "x")
    late = decide(store, sample, SARI, draft(hours=24))
    with pytest.raises(NotPermitted, match="not review"):
        undo(store, tia, late.decision.number)
    with pytest.raises(UnknownStation, match="no station LGA"):
        decide(store, sample, tia, draft("fill", hours=2, filled_from=("LGA", "temperature")), "x")
    lodi = granted("lodi", Grant(("JFK",), may_review=True), Grant(("LGA",), sensors=("humidity",)))
    with pytest.raises((NotPermitted, UnknownSensor)):
        decide(store, sample, lodi, draft("fill", hours=2, filled_from=("LGA", "temperature")), "x")


@ON_SQLITE
def test_decisions_of_what_is_not_granted_are_not_there(store, sample):
    mine = decide(store, sample, SARI, draft())
    later = decide(store, sample, SARI, draft(start_ms=JULY_MS + 30 * DAY_MS))
    other = decide(store, sample, SARI, draft(station="LGA"))
    rights = Rights((Grant(("JFK",), ("temp*",), to_ms=JULY_MS + DAY_MS, finest="1d", may_review=True),))
    assert visible_decisions(store, rights, DecisionFilter()) == [mine]
    assert last_number(store, rights, DecisionFilter()) == later.decision.number
    assert last_number(store, rights, DecisionFilter(stations=("LGA",))) == 0
    tia = Identity("tia", rights=rights)
    for hidden in (other, later):
        with pytest.raises(NotFound) as refused:
            undo(store, tia, hidden.decision.number)
        assert refused.value.message == f"There is no decision {hidden.decision.number}."
    with pytest.raises(NotPermitted):
        undo(store, tia, mine.decision.number)


@ON_SQLITE
def test_decisions_are_listed_by_series_time_and_state_the_newest_where_they_are_many(store, sample):
    made = [decide(store, sample, SARI, draft(start_ms=JULY_MS + day * DAY_MS)) for day in range(6)]
    other = decide(store, sample, SARI, draft(sensor="humidity"))
    undone = undo(store, SARI, made[1].decision.number)
    assert everything(store, sensors=("humidity",)) == [other]
    assert everything(store, stations=("LGA",)) == []
    of_time = {"sensors": ("temperature",), "from_ms": JULY_MS + HOUR_MS, "to_ms": JULY_MS + 2 * DAY_MS}
    assert everything(store, **of_time) == [made[0], undone]  # the last stamp is part of it, the end of the range is not
    assert everything(store, undone=True) == [undone]
    assert everything(store, **of_time, undone=False) == [made[0]]
    newest = visible_decisions(store, EVERYTHING, DecisionFilter(("JFK",), ("temperature",)), limit=2)
    assert newest == made[4:]
    before = newest[0].decision.number
    assert visible_decisions(store, EVERYTHING, DecisionFilter(), limit=2, before=before) == made[2:4]


def test_what_a_removed_user_decided_counts_on_and_is_not_the_next_users_of_that_name(store, sample):
    store.add_account("sari")
    made = decide(store, sample, SARI, draft())
    store.remove_account("sari")
    (left,) = everything(store)
    assert left.decision == made.decision
    assert left.made_by.startswith("removed:")
    assert left.made_by.endswith(":sari")


# -- files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", READ)
def test_decisions_come_to_another_site_with_author_time_order_and_undoing(store, sample, kind, tmp_path):
    write, read = READ[kind]
    decide(store, sample, SARI, draft("offset", amount=0.1 + 0.2), HOSTILE)
    decide(store, sample, BUDI, draft("fill", filled_from=("LGA", "temperature")), "'=1")
    decide(store, sample, BUDI, draft("shift", JULY_MS + 1, amount=-61_234.0), "clock")
    undo(store, SARI, decide(store, sample, BUDI, draft(rule="stuck")).decision.number)
    before = everything(store)
    text = write(before).encode().decode()

    again = import_decisions(store, sample, SARI, read(text), "d")
    assert (again, everything(store)) == (ImportedDecisions(known=4), before)

    with store.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM quality_decision")
    assert import_decisions(store, sample, SARI, read(text), "d") == ImportedDecisions(made=4)
    after = everything(store)
    assert [replace(one, decision=replace(one.decision, number=0)) for one in after] == [
        replace(one, decision=replace(one.decision, number=0)) for one in before
    ]
    assert store.decisions("JFK", "temperature") == tuple(one.decision for one in after[:3])
    entry = store.audit.entries(limit=1)[0]
    assert (entry.action, entry.subject) == ("decisions_imported", {"file": "d", "made": 4, "undone": 0, "known": 0})


@ON_SQLITE
@pytest.mark.parametrize("author", ["sari", "s" * 255])
def test_a_file_is_known_before_and_after_its_author_was_removed(store, sample, author):
    store.add_account(author)
    decide(store, sample, replace(SARI, user=author), draft("offset", amount=1.0), "sensor renewed")
    before = decisions_toml(everything(store))
    store.remove_account(author)
    left = everything(store)
    for text in (before, decisions_toml(left)):
        assert import_decisions(store, sample, SARI, read_toml(text), "d") == ImportedDecisions(known=1)
    assert everything(store) == left
    with store.engine.begin() as connection:  # another site, where nobody was removed
        connection.exec_driver_sql("DELETE FROM quality_decision")
    assert import_decisions(store, sample, SARI, read_toml(before), "d") == ImportedDecisions(made=1)
    assert import_decisions(store, sample, SARI, read_toml(decisions_toml(left)), "d") == ImportedDecisions(known=1)


def test_what_a_file_has_undone_is_undone_and_what_it_has_not_stays_so(store, sample):
    made = decide(store, sample, SARI, draft())
    in_force = decisions_toml([made])
    ended = decisions_toml([replace(made, undone_by="budi", undone_ms=made.made_ms + 5)])
    assert import_decisions(store, sample, SARI, read_toml(ended), "d") == ImportedDecisions(undone=1)
    assert store.decisions("JFK", "temperature") == ()
    assert import_decisions(store, sample, SARI, read_toml(in_force), "d") == ImportedDecisions(known=1)
    assert [one.undone_by for one in everything(store)] == ["budi"]


ROW = "JFK,temperature,wrong,2013-07-01T00:00:00Z,2013-07-01T01:00:00Z,sari,2026-01-01T00:00:00Z"
HEADER = "station,sensor,kind,from,to,made_by,made"
TABLE = """[[decision]]
station = "JFK"
sensor = "temperature"
kind = "wrong"
from = 2013-07-01T00:00:00Z
to = 2013-07-01T01:00:00Z
made_by = "sari"
made = 2026-01-01T00:00:00Z
"""


@ON_SQLITE
@pytest.mark.parametrize(
    ("kind", "text", "says"),
    [
        ("csv", f"{HEADER}\n{ROW}\n{ROW.replace('JFK', 'ZZZ')}\n", "line 3: There is no station ZZZ"),
        ("csv", f"{HEADER}\n{ROW}\n\n{ROW},9\n", "line 4: it has 8 cells, not 7"),
        ("csv", f"{HEADER}\n{ROW.replace('wrong', 'offset')}\n", "line 2: Give an amount"),
        ("csv", f"{HEADER}\n{ROW.replace('2013-07-01T00:00:00Z', 'July')}\n", "line 2: 'July' is not a time"),
        ("csv", f"{HEADER}\n{ROW.replace('sari', ' ')}\n", "line 2: ' ' is no made_by"),
        ("csv", f'{HEADER},reason\n{ROW},"a\nb"\n{ROW},"c', "line 4|line 5"),
        ("csv", f"{HEADER},why\n{ROW},x\n", "first line must name"),
        ("csv", "", "first line must name"),
        ("toml", TABLE + TABLE.replace('"JFK"', '"ZZZ"'), "line 9: There is no station ZZZ"),
        ("toml", TABLE + 'why = "x"\n', "line 1: there is no field why"),
        ("toml", TABLE + "amount = true\n", "line 1: True is no number"),
        ("toml", TABLE.replace("made_by", "reason"), "line 1: the field made_by is missing"),
        ("toml", TABLE + 'undone_by = "x"\n', "undone and undone_by"),
        ("toml", "[[decision]\n", "not TOML.*line 1"),
        ("toml", 'title = "x"\n', "tables"),
    ],
)
def test_of_a_file_with_a_bad_line_nothing_is_imported_and_the_line_is_named(store, sample, kind, text, says):
    with pytest.raises(ImportRejected, match=says):
        import_decisions(store, sample, SARI, READ[kind][1](text), "d")
    assert everything(store) == []


@ON_SQLITE
def test_whoever_imports_may_review_what_is_imported(store, sample):
    tia = granted("tia", Grant(("JFK",)))
    with pytest.raises(ImportRejected, match="line 1: You can view this but not review it"):
        import_decisions(store, sample, tia, read_toml(TABLE), "d")


def test_a_sheet_that_was_sorted_otherwise_is_read_in_the_order_of_the_numbers():
    lines = [f"{number},{ROW.replace('wrong', kind)}" for number, kind in ((20, "right"), (3, "wrong"), (100, "suspect"))]
    found = read_csv("\ufeff" + "\r\n".join([f"number,{HEADER}", *lines]))
    assert [one.made.decision.kind for one in found] == ["wrong", "right", "suspect"]
    assert [one.line for one in found] == [3, 2, 4]


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
NAMES = TEXTS.filter(lambda text: len(text) > 0 and text.isprintable() and text == text.strip())
TIMES_MS = st.integers(-62_135_596_800_000, 253_402_300_799_999)
MADE = st.builds(
    MadeDecision,
    st.builds(
        Decision,
        st.integers(1, 9),
        TEXTS.filter(bool),
        TEXTS.filter(bool),
        TEXTS.filter(bool),
        TIMES_MS,
        TIMES_MS,
        st.none() | TEXTS.filter(bool),
        st.none() | st.floats(allow_nan=False),
        st.none() | st.tuples(TEXTS.filter(bool), TEXTS.filter(bool)),
    ),
    TEXTS,
    NAMES,
    TIMES_MS,
)


@pytest.mark.parametrize("kind", READ)
@bounded(max_examples=30)
@given(
    found=st.lists(
        st.builds(lambda one, by, at: replace(one, undone_by=by, undone_ms=at), MADE, NAMES, TIMES_MS) | MADE, max_size=3
    )
)
def test_whatever_is_written_is_read_again(kind, found):
    write, read = READ[kind]
    found = [replace(one, decision=replace(one.decision, number=place)) for place, one in enumerate(found)]
    read_again = [
        replace(one.made, decision=replace(one.made.decision, number=place)) for place, one in enumerate(read(write(found)))
    ]
    assert read_again == found
