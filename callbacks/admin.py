"""The callbacks of the administrators' page. Each asks again whether whoever sends it is one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import structlog
from dash import ALL, Dash, Input, Output, State, ctx, no_update
from sqlalchemy.exc import SQLAlchemyError

from access.actions import ACTIONS
from access.audit import wanted_entries
from access.embed_table import embeds
from access.grants import Grant
from access.identity import Identity
from access.keys import keys_of
from callbacks.admin_change import GrantForm, act, add_grant, add_user, join_group, patterns, require_admin
from callbacks.admin_rows import embed_row, entry_row, grant_row, group_row, key_row, some_names, user_row
from callbacks.services import Services
from callbacks.start import refusal
from errors import RiwayatError
from i18n import format_number
from i18n import gettext as _
from layouts import ids
from layouts.admin import Action, details, details_id, options, preview
from layouts.admin_grids import AUDIT, KINDS, columns, grid_id
from layouts.status import alert

FIRST_ENTRIES: Final = 200  # of the log that the page shows at first, and how many more each press on "older" adds
MOST_ENTRIES: Final = 2_000  # older ones: by filter, or as CSV

log = structlog.get_logger(__name__)


def rows(services: Services, identity: Identity, kind: str) -> list[dict[str, Any]]:
    """Everything of a tab but the log, as rows of its grid.

    Raises:
        NotFound: the identity is no administrator's.
    """
    require_admin(identity)
    access, zone, now_ms = services.access, services.settings.timezone, _now_ms()
    if kind == "user":
        of_user = _groups_of(access.groups().items())
        return [user_row(account, of_user.get(account.name, []), zone) for account in access.accounts()]
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
class LogShown:
    """What the page shows of the log, in the order of the outputs."""

    rows: Any
    count: str
    no_older: bool
    csv: str
    wrong: Any = None


def log_shown(services: Services, identity: Identity, actor: Any, action: Any, since: Any, until: Any, presses: Any) -> LogShown:
    """The newest entries that are asked for; what is wrong with the question is said, and the grid left as it is.

    Raises:
        NotFound: the identity is no administrator's.
    """
    require_admin(identity)
    zone = services.settings.timezone
    texts = [str(text or "").strip() for text in (actor, action, since, until)]
    most = min(FIRST_ENTRIES * (1 + (presses if isinstance(presses, int) and presses > 0 else 0)), MOST_ENTRIES)
    try:
        found = services.access.audit.entries(wanted_entries(zone, *texts), limit=most + 1)
    except RiwayatError as error:
        return LogShown(no_update, no_update, no_update, no_update, alert(refusal(error, zone)))
    shown, more = found[:most], len(found) > most
    number = format_number(len(shown))
    words = _("The newest {count} entries") if more else _("{count} entries in all")
    query = {name: text for name, text in zip(("actor", "action", "from", "to"), texts, strict=True) if text}
    href = f"{services.settings.url_prefix}api/audit?{urlencode({**query, 'format': 'csv'})}"
    return LogShown(
        [entry_row(entry, zone) for entry in shown], words.format(count=number), not more or most >= MOST_ENTRIES, href
    )


def fitting(services: Services, identity: Identity, stations: Any, sensors: Any) -> Any:
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
        return preview(_("Name patterns of stations with commas between: * is any text, ? any letter."), "", wrong=False)
    at = [name for name in names if grant.names(name)]
    catalogue = [sensor.name for sensor in services.site.catalogue]
    of = [name for name in catalogue if Grant(("*",), grant.sensors).names("*", name)]
    words = _("{count} of {all} stations: {names}") if at else _("No station of today fits.")
    told = _("{count} of {all} sensors: {names}") if of else _("No sensor fits.")
    return preview(_told(words, at, names), _told(told, of, catalogue), wrong=not at)


def _told(words: str, some: Sequence[str], every: Sequence[str]) -> str:
    return words.format(count=format_number(len(some)), all=format_number(len(every)), names=some_names(some))


def _fact(row: dict[str, Any], field: str) -> str:
    return str(row.get(field.removesuffix("_order"), ""))


def _groups_of(groups: Iterable[tuple[str, Sequence[str]]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for group, members in groups:
        for member in members:
            found.setdefault(member, []).append(group)
    return found


def _user_actions(row: dict[str, Any], passwords: bool) -> list[Action]:
    name = row["name"]
    sure = _("Press again: {name} loses it")
    return [
        Action("unadmin", _("Take administration away"), name, sure.format(name=name))
        if row["admin"]
        else Action("admin", _("Make an administrator"), name, _("Press again: may see everything")),
        Action("enable", _("Enable"), name)
        if row["disabled"]
        else Action("disable", _("Disable"), name, _("Press again: refuse everything")),
        *([Action("password", _("New password"), name, _("Press again: ends all sessions"))] if passwords else []),
        Action("remove", _("Remove"), name, _("Press again to remove")),
    ]


def _group_actions(row: dict[str, Any], _passwords: bool) -> list[Action]:
    return [
        Action(
            "leave",
            _("Take {name} out").format(name=name),
            f"{row['name']}\n{name}",
            _("Press again: take {name} out").format(name=name),
        )
        for name in row["names"]
    ]


def _grant_actions(row: dict[str, Any], _passwords: bool) -> list[Action]:
    return [Action("remove", _("Take the grant away"), row["id"], _("Press again to take it away"))]


def _key_actions(row: dict[str, Any], _passwords: bool) -> list[Action]:
    return [Action("revoke", _("Revoke the key"), row["id"], _("Press again to revoke"))] if row["works"] else []


def _embed_actions(row: dict[str, Any], _passwords: bool) -> list[Action]:
    return [Action("revoke", _("Revoke the chart"), row["id"], _("Press again to revoke"))] if row["live"] else []


ACTIONS_OF: Final[dict[str, Callable[[dict[str, Any], bool], list[Action]]]] = {
    "user": _user_actions,
    "group": _group_actions,
    "grant": _grant_actions,
    "key": _key_actions,
    "embed": _embed_actions,
}


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
        Output(grid_id(AUDIT), "rowData"),
        Output(ids.AUDIT_COUNT, "children"),
        Output(ids.AUDIT_OLDER, "hidden"),
        Output(ids.AUDIT_CSV, "href"),
        Output(ids.AUDIT_WRONG, "children"),
        Input(ids.AUDIT_ACTOR, "value"),
        Input(ids.AUDIT_ACTION, "value"),
        Input(ids.AUDIT_FROM, "value"),
        Input(ids.AUDIT_TO, "value"),
        Input(ids.AUDIT_OLDER, "n_clicks"),
        Input(ids.ADMIN_DONE, "data"),
    )
    def show(actor: Any, action: Any, since: Any, until: Any, presses: Any, _done: Any) -> tuple[Any, ...]:
        asked = action if action in ACTIONS else ""
        found = _or_nothing(lambda: log_shown(services, services.identify(), actor, asked, since, until, presses))
        return (no_update,) * 5 if found is None else tuple(vars(found).values())


def _register_names(app: Dash, services: Services) -> None:
    @app.callback(Output(ids.ADMIN_USERS, "children"), Output(ids.ADMIN_GROUPS, "children"), Input(ids.ADMIN_DONE, "data"))
    def show(_done: Any) -> tuple[Any, Any]:
        require_admin(services.identify())
        groups = _or_nothing(services.access.groups) or {}
        accounts = _or_nothing(services.access.accounts) or []
        users = {account.name for account in accounts} | {name for members in groups.values() for name in members}
        return options(sorted(users)), options(list(groups))


def _register_changes(app: Dash, services: Services) -> None:
    @app.callback(
        Output(ids.ADMIN_ALERT, "children"),
        Output(ids.ADMIN_DONE, "data"),
        Output(ids.USER_NAME, "value"),
        Output(ids.GROUP_USER, "value"),
        Output(ids.GRANT_STATIONS, "value"),
        Input({"type": "admin-action", "kind": ALL, "name": ALL, "target": ALL}, "n_clicks"),
        Input(ids.USER_ADD, "n_clicks"),
        Input(ids.GROUP_JOIN, "n_clicks"),
        Input(ids.GRANT_ADD, "n_clicks"),
        State(ids.USER_NAME, "value"),
        State(ids.USER_ADMIN, "value"),
        State(ids.GROUP_NAME, "value"),
        State(ids.GROUP_USER, "value"),
        *(State(field, "value") for field in _GRANT_FIELDS),
        prevent_initial_call=True,
    )
    def change(*sent: Any) -> tuple[Any, ...]:
        name, admin, group, user, *grant = sent[4:]
        if not ctx.triggered_id or not any(trigger["value"] for trigger in ctx.triggered):
            return (no_update,) * 5  # buttons that have just appeared
        identity, pressed = services.identify(), ctx.triggered_id
        if pressed == ids.USER_ADD:
            said = add_user(services, identity, name, admin=bool(admin))
        elif pressed == ids.GROUP_JOIN:
            said = join_group(services, identity, group, user)
        elif pressed == ids.GRANT_ADD:
            said = add_grant(services, identity, GrantForm(*grant))
        else:
            said = act(services, identity, pressed["kind"], pressed["name"], pressed["target"])
        went_well = "notice-info" in said.className
        return said, time.time_ns(), *("" if went_well and pressed == button else no_update for button in _SENDS)


_SENDS = (ids.USER_ADD, ids.GROUP_JOIN, ids.GRANT_ADD)  # the first field of each form is empty again when all went well

_GRANT_FIELDS = (
    ids.GRANT_KIND,
    ids.GRANT_SUBJECT,
    ids.GRANT_STATIONS,
    ids.GRANT_SENSORS,
    ids.GRANT_FROM,
    ids.GRANT_TO,
    ids.GRANT_LONGEST,
    ids.GRANT_FINEST,
    ids.GRANT_MAY,
    ids.GRANT_NOTE,
)


def _register_grant_form(app: Dash, services: Services) -> None:
    @app.callback(Output(ids.GRANT_PREVIEW, "children"), Input(ids.GRANT_STATIONS, "value"), Input(ids.GRANT_SENSORS, "value"))
    def show(stations: Any, sensors: Any) -> Any:
        return fitting(services, services.identify(), stations, sensors)

    app.clientside_callback(
        f"function(kind) {{ return [kind === 'everyone', kind === 'group' ? '{ids.ADMIN_GROUPS}' : '{ids.ADMIN_USERS}']; }}",
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


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
