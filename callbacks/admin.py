"""The callbacks of the administrators' page. Each asks again whether whoever sends it is one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import structlog
from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, no_update
from sqlalchemy.exc import SQLAlchemyError

from access.audit.actions import ACTIONS
from access.audit.entries import parse_audit_filter
from access.embeds.embed_table import embeds
from access.grants import Grant, Rights
from access.identity import Identity
from access.keys import keys_of
from access.made_of import made_of
from callbacks.admin_change import ACTIONS_OF, Press, act, require_admin
from callbacks.admin_forms import GrantForm, add_grant, add_user, join_group, patterns
from callbacks.admin_rows import embed_row, entry_row, grant_row, group_row, key_row, some_names, user_row
from callbacks.submit import refusal, was_pressed
from data.time.epoch import epoch_ms
from errors import RiwayatError
from i18n import format_number
from i18n import gettext as _
from jobs.services import Services
from layouts import ids
from layouts.admin import action_id, details, details_id, name_options, preview
from layouts.admin_grids import AUDIT, KINDS, columns, grid_id
from layouts.notices import alert

# of the log that the page shows at first, and how many more each press on "older" adds
FIRST_ENTRIES: Final = 200
MOST_ENTRIES: Final = 2_000  # older ones: by filter, or as CSV

log = structlog.get_logger(__name__)


def rows(services: Services, identity: Identity, kind: str) -> list[dict[str, Any]]:
    """Everything of a tab but the log, as rows of its grid.

    Raises:
        NotFound: the identity is no administrator's.
    """
    require_admin(identity)
    access, zone, now_ms = services.access, services.settings.timezone, epoch_ms()
    if kind == "user":
        of_user = _groups_of(access.groups().items())
        waits_s = services.logins.waits_s if services.logins is not None else lambda _name: 0
        return [user_row(one, of_user.get(one.name, []), zone, waits_s(one.name)) for one in access.accounts()]
    if kind == "group":
        return [group_row(group, members) for group, members in access.groups().items()]
    if kind == "grant":
        return [grant_row(row, zone) for row in access.grants()]
    if kind == "key":
        return [key_row(key, now_ms, zone) for key in keys_of(access)]
    return [embed_row(embed, now_ms, zone) for embed in embeds(access)]


def selected_details(services: Services, kind: str, found: Sequence[dict[str, Any]], selected: object) -> Any:
    """What is told of the selected row, if it is among those found: facts, and what can be done."""
    first = selected[0] if isinstance(selected, list) and selected else None
    wanted = str(first.get("id", "")) if isinstance(first, dict) else ""
    row = next((row for row in found if row["id"] == wanted), None)
    if row is None:
        return None
    title = row.get("name") or row.get("subject") or row.get("label") or ""
    facts = {column["headerName"]: _fact(row, column["field"]) for column in columns()[kind]}
    facts = {word: text for word, text in facts.items() if text != title}
    if kind == "grant":
        facts |= {_("Created"): row["created"], _("By"): row["by"]}
    return details(kind, str(title), facts, ACTIONS_OF[kind](row, services.settings.auth == "login"))


@dataclass(frozen=True)
class LogAnswer:
    """What the page shows of the log; :data:`LOG_OUTPUTS` says where."""

    rows: Any = no_update
    count: Any = no_update
    no_older: Any = no_update
    csv: Any = no_update
    wrong: Any = None


LOG_OUTPUTS: Final = {
    "rows": Output(grid_id(AUDIT), "rowData"),
    "count": Output(ids.AUDIT_COUNT, "children"),
    "no_older": Output(ids.AUDIT_OLDER, "hidden"),
    "csv": Output(ids.AUDIT_CSV, "href"),
    "wrong": Output(ids.AUDIT_WRONG, "children"),
}


def log_answer(
    services: Services, identity: Identity, actor: Any, action: Any, since: Any, until: Any, presses: Any
) -> LogAnswer:
    """The newest entries that are asked for; what is wrong with the question is said,
    and the grid left as it is.

    Raises:
        NotFound: the identity is no administrator's.
    """
    require_admin(identity)
    zone = services.settings.timezone
    texts = [str(text or "").strip() for text in (actor, action, since, until)]
    most = min(FIRST_ENTRIES * (1 + (presses if isinstance(presses, int) and presses > 0 else 0)), MOST_ENTRIES)
    try:
        found = services.access.audit.entries(parse_audit_filter(zone, *texts), limit=most + 1)
    except RiwayatError as error:
        return LogAnswer(wrong=alert(refusal(error, zone)))
    shown, more = found[:most], len(found) > most
    number = format_number(len(shown))
    words = _("The newest {count} entries") if more else _("{count} entries in total")
    query = {name: text for name, text in zip(("actor", "action", "from", "to"), texts, strict=True) if text}
    href = f"{services.settings.url_prefix}api/audit?{urlencode({**query, 'format': 'csv'})}"
    return LogAnswer(
        rows=[entry_row(entry, zone) for entry in shown],
        count=words.format(count=number),
        no_older=not more or most >= MOST_ENTRIES,
        csv=href,
    )


def preview_patterns(services: Services, identity: Identity, stations: Any, sensors: Any) -> Any:
    """Which known stations and sensors the patterns of the form fit.

    Raises:
        NotFound: the identity is no administrator's.
    """
    require_admin(identity)
    try:
        names = [station.name for station in services.site.inventory.known().stations]
    except (RiwayatError, SQLAlchemyError):
        return None
    grant = Grant(patterns(stations), patterns(sensors))
    if not grant.stations:
        return preview(_("Separate patterns with commas. * stands for any text, ? for any one character."), "", wrong=False)
    at = [name for name in names if grant.names(name)]
    catalogue = [sensor.name for sensor in services.site.catalogue]
    rights = Rights((Grant(("*",), grant.sensors),), derived=made_of(services.site.catalogue))
    of = [name for name in catalogue if rights.names_sensor(name)]
    words = _("{count} of {all} stations: {names}") if at else _("No current station matches.")
    told = _("{count} of {all} sensors: {names}") if of else _("No sensor matches.")
    return preview(_all_or_some(words, at, names), _all_or_some(told, of, catalogue), wrong=not at)


def _all_or_some(words: str, some: Sequence[str], every: Sequence[str]) -> str:
    return words.format(count=format_number(len(some)), all=format_number(len(every)), names=some_names(some))


def _fact(row: dict[str, Any], field: str) -> str:
    return str(row.get(field.removesuffix("_order"), ""))


def _groups_of(groups: Iterable[tuple[str, Sequence[str]]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for group, members in groups:
        for member in members:
            found.setdefault(member, []).append(group)
    return found


def register(app: Dash, services: Services) -> None:
    """Add the callbacks of the administrators' page."""
    for kind in KINDS:
        _register_tab(app, services, kind)
    _register_log(app, services)
    _register_names(app, services)
    _register_changes(app, services)
    _register_grant_form(app, services)


def _register_tab(app: Dash, services: Services, kind: str) -> None:
    @app.callback(
        Output(grid_id(kind), "rowData"),
        Output(details_id(kind), "children"),
        Input(ids.ADMIN_DONE, "data"),
        Input(grid_id(kind), "selectedRows"),
    )
    def show(_done: Any, selected: Any) -> tuple[Any, Any]:
        found = _or_nothing(lambda: rows(services, services.identify(), kind))
        if found is None:
            return no_update, no_update
        shown = no_update if ctx.triggered_id == grid_id(kind) else found
        return shown, selected_details(services, kind, found, selected)


def _register_log(app: Dash, services: Services) -> None:
    @app.callback(
        output=LOG_OUTPUTS,
        inputs={
            "actor": Input(ids.AUDIT_ACTOR, "value"),
            "action": Input(ids.AUDIT_ACTION, "value"),
            "since": Input(ids.AUDIT_FROM, "value"),
            "until": Input(ids.AUDIT_TO, "value"),
            "presses": Input(ids.AUDIT_OLDER, "n_clicks"),
            "_done": Input(ids.ADMIN_DONE, "data"),
        },
    )
    def show(actor: Any, action: Any, since: Any, until: Any, presses: Any, _done: Any) -> Any:
        asked = action if action in ACTIONS else ""
        found = _or_nothing(lambda: log_answer(services, services.identify(), actor, asked, since, until, presses))
        return no_update if found is None else vars(found)


def _register_names(app: Dash, services: Services) -> None:
    @app.callback(Output(ids.ADMIN_USERS, "children"), Output(ids.ADMIN_GROUPS, "children"), Input(ids.ADMIN_DONE, "data"))
    def show(_done: Any) -> tuple[Any, Any]:
        require_admin(services.identify())
        groups = _or_nothing(services.access.groups) or {}
        accounts = _or_nothing(services.access.accounts) or []
        users = {account.name for account in accounts} | {name for members in groups.values() for name in members}
        return name_options(sorted(users)), name_options(list(groups))


def _register_changes(app: Dash, services: Services) -> None:
    @app.callback(
        output={
            "said": Output(ids.ADMIN_ALERT, "children"),
            "done": Output(ids.ADMIN_DONE, "data"),
            "fields": {button: Output(field, "value") for button, field in FIRST_FIELD.items()},
        },
        inputs={
            "_presses": [
                Input(action_id(ALL, ALL, ALL, ALL), "n_clicks"),
                Input(ids.USER_ADD, "n_clicks"),
                Input(ids.GROUP_JOIN, "n_clicks"),
                Input(ids.GRANT_ADD, "n_clicks"),
            ]
        },
        state={
            "user": {"name": State(ids.USER_NAME, "value"), "admin": State(ids.USER_ADMIN, "value")},
            "join": {"group": State(ids.GROUP_NAME, "value"), "user": State(ids.GROUP_USER, "value")},
            "grant": {name: State(field, "value") for name, field in GRANT_FIELDS.items()},
        },
        prevent_initial_call=True,
    )
    def change(_presses: Any, user: dict[str, Any], join: dict[str, Any], grant: dict[str, Any]) -> Any:
        if not was_pressed():
            return no_update  # buttons that have just appeared
        identity, button = services.identify(), ctx.triggered_id
        if button == ids.USER_ADD:
            outcome = add_user(services, identity, user["name"], admin=bool(user["admin"]))
        elif button == ids.GROUP_JOIN:
            outcome = join_group(services, identity, join["group"], join["user"])
        elif button == ids.GRANT_ADD:
            outcome = add_grant(services, identity, GrantForm(**grant))
        else:
            outcome = act(services, identity, Press.of(button))
        fields = {sends: "" if outcome.ok and sends == button else no_update for sends in FIRST_FIELD}
        return {"said": outcome.said, "done": time.time_ns(), "fields": fields}


# By the button that sends a form: its first field, which is empty again when all went well.
FIRST_FIELD: Final = {ids.USER_ADD: ids.USER_NAME, ids.GROUP_JOIN: ids.GROUP_USER, ids.GRANT_ADD: ids.GRANT_STATIONS}

# By the fields of GrantForm.
GRANT_FIELDS: Final = {
    "kind": ids.GRANT_KIND,
    "subject": ids.GRANT_SUBJECT,
    "stations": ids.GRANT_STATIONS,
    "sensors": ids.GRANT_SENSORS,
    "start": ids.GRANT_FROM,
    "end": ids.GRANT_TO,
    "longest": ids.GRANT_LONGEST,
    "finest": ids.GRANT_FINEST,
    "may": ids.GRANT_MAY,
    "note": ids.GRANT_NOTE,
}


def _register_grant_form(app: Dash, services: Services) -> None:
    @app.callback(Output(ids.GRANT_PREVIEW, "children"), Input(ids.GRANT_STATIONS, "value"), Input(ids.GRANT_SENSORS, "value"))
    def show(stations: Any, sensors: Any) -> Any:
        return preview_patterns(services, services.identify(), stations, sensors)

    app.clientside_callback(
        ClientsideFunction("admin", "subjectField"),
        Output(ids.GRANT_SUBJECT, "disabled"),
        Output(ids.GRANT_SUBJECT, "list"),
        Input(ids.GRANT_KIND, "value"),
    )


def _or_nothing(ask: Callable[[], Any]) -> Any:
    """What the database says; None while it does not answer: the page keeps what it has."""
    try:
        return ask()
    except SQLAlchemyError as error:
        log.warning("the database of accounts and grants does not answer a page", error=str(error))
        return None
