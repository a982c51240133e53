"""The administrators' page: who there is, what is granted, keys, embedded charts, and the audit log."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dash import dcc, html
from dash.development.base_component import Component

from data.request import RESOLUTIONS
from i18n import gettext as _
from layouts import ids
from layouts.admin_grids import AUDIT, KINDS, action_names, admin_grid
from layouts.form import TIME_HINT, resolution_names
from layouts.header import NO_MENU, Menu, header
from layouts.status import offline

EXPORT, EMBED = "export", "embed"
_SMALL: Final = "btn btn-sm action"
_BUTTON: Final = "btn btn-sm btn-primary"


@dataclass(frozen=True)
class AdminContext:
    """Site, language, theme and who is asking; as layouts.page.PageContext."""

    prefix: str
    language: str
    theme_choice: str
    shade: str
    user: str
    zone: str
    passwords: bool
    menu: Menu = NO_MENU


@dataclass(frozen=True)
class Action:
    """What can be done with the selected row: a button. ``confirm`` is what it says before the second press that does it."""

    name: str
    words: str
    target: str
    confirm: str = ""


def admin_page(context: AdminContext) -> html.Div:
    """The page, before anything was asked."""
    return html.Div(
        [
            dcc.Store(id=ids.THEME, data=context.shade),
            dcc.Store(id=ids.LANGUAGE, data=context.language),
            dcc.Store(id=ids.ADMIN_DONE, data=0),
            html.Datalist(id=ids.ADMIN_USERS),
            html.Datalist(id=ids.ADMIN_GROUPS),
            html.A(_("Skip to the content"), href="#admin-main", className="skip-link"),
            header(
                prefix=context.prefix,
                language=context.language,
                theme_choice=context.theme_choice,
                user=context.user,
                here="admin",
                menu=context.menu,
            ),
            offline(context.menu.sign_in),
            html.Main(
                [
                    html.H1(_("Administration"), className="jobs-title"),
                    _tabs(),
                    html.Div(id=ids.ADMIN_ALERT),
                    *(_panel(kind, form) for kind, form in _forms(context).items()),
                    _audit(context),
                ],
                id="admin-main",
                className="jobs-main admin-main",
            ),
        ],
        className="page",
    )


def details_id(kind: str) -> str:
    """The id of what is told of the selected row of a tab."""
    return f"admin-{kind}-details"


def action_id(kind: str, name: str, target: str) -> dict[str, str]:
    """The id of a button that does something with ``target``; callbacks listen to all of them by pattern."""
    return {"type": "admin-action", "kind": kind, "name": name, "target": target}


def tab_names() -> dict[str, str]:
    """What each tab is called, in their order."""
    names = (_("Users"), _("Groups"), _("Grants"), _("Keys"), _("Embedded charts"), _("Audit log"))
    return dict(zip((*KINDS, AUDIT), names, strict=True))


def details(kind: str, title: str, facts: Mapping[str, str], actions: Sequence[Action]) -> list[Component]:
    """Everything about the selected row, and what can be done with it."""
    close = html.Button("×", type="button", className="details-close", **{"data-close": kind, "aria-label": _("Close")})
    return [
        html.Div([html.H2(title), close], className="details-head"),
        html.Dl([html.Div([html.Dt(word), html.Dd(text)]) for word, text in facts.items() if text]),
        html.Div([_action(kind, action) for action in actions], className="details-actions"),
    ]


def new_password(sentence: str, password: str) -> html.Div:
    """A password that is shown this once."""
    copy = html.Button(_("Copy"), type="button", className="btn btn-sm copy", **{"data-copy": password})
    words = _("It is shown this once; whoever has it should change it on the page Account.")
    return html.Div(
        [html.P(sentence), html.Code(password, className="command", tabIndex="0"), copy, html.Small(words)],
        className="notice notice-info",
        role="status",
    )


def options(names: Collection[str]) -> list[html.Option]:
    """Names that a field proposes."""
    return [html.Option(value=name) for name in names]


def preview(stations: str, sensors: str, *, wrong: bool) -> list[Component]:
    """Which known stations and sensors the patterns of the form fit; ``wrong``: none of either."""
    return [html.P(stations, className="estimate-wrong" if wrong else None), html.P(sensors)]


def _tabs() -> html.Div:
    """Buttons of the tabs; assets/admin.js shows and hides."""
    return html.Div(
        [
            html.Button(
                html.Span(name, **{"data-words": name}),
                id=f"admin-{kind}-tab",
                type="button",
                role="tab",
                tabIndex="0" if kind == KINDS[0] else "-1",
                **{"aria-selected": str(kind == KINDS[0]).lower(), "aria-controls": f"admin-{kind}-panel", "data-tab": kind},
            )
            for kind, name in tab_names().items()
        ],
        className="admin-tabs",
        role="tablist",
        **{"aria-label": _("Administration")},
    )


def _panel(kind: str, form: Component | None) -> html.Section:
    label = tab_names()[kind]
    parts = [
        *([form] if form is not None else []),
        html.Div(admin_grid(kind), className="jobs-table"),
        html.P(_("Choose a row to see all of it, and to change it."), className="admin-hint"),
        html.Section(id=details_id(kind), className="job-details", **{"aria-label": _("Details")}),
    ]
    return html.Section(
        parts,
        id=f"admin-{kind}-panel",
        className="admin-panel" if kind == KINDS[0] else "admin-panel admin-hidden",
        role="tabpanel",
        **{"aria-label": label},
    )


def _forms(context: AdminContext) -> dict[str, Component | None]:
    return {"user": _user_form(context), "group": _group_form(), "grant": _grant_form(context), "key": None, "embed": None}


def _user_form(context: AdminContext) -> html.Div:
    note = (
        _("A password is made and shown once.")
        if context.passwords
        else _("Who signs in through the proxy needs no account, unless as an administrator or to be disabled.")
    )
    return html.Div(
        [
            _field(_("Name"), ids.USER_NAME, _input(ids.USER_NAME)),
            _checks(ids.USER_ADMIN, {"admin": _("Administrator")}),
            html.Button(_("Add user"), id=ids.USER_ADD, type="button", n_clicks=0, className=_BUTTON),
            html.Small(note),
        ],
        className="admin-form admin-line",
    )


def _group_form() -> html.Div:
    return html.Div(
        [
            _field(_("User"), ids.GROUP_USER, _input(ids.GROUP_USER, list=ids.ADMIN_USERS)),
            _field(_("Group"), ids.GROUP_NAME, _input(ids.GROUP_NAME, list=ids.ADMIN_GROUPS)),
            html.Button(_("Put into the group"), id=ids.GROUP_JOIN, type="button", n_clicks=0, className=_BUTTON),
            html.Small(_("A group is there as long as it has a member or a grant.")),
        ],
        className="admin-form admin-line",
    )


def _grant_form(context: AdminContext) -> html.Details:
    whom = {"everyone": _("Everyone who is signed in"), "group": _("A group"), "user": _("A user")}
    steps = resolution_names()
    may = {EXPORT: _("Download rows"), EMBED: _("Embed charts in other pages")}
    days = _("Longest range, days")
    return html.Details(
        [
            html.Summary(_("Add a grant")),
            html.Div(
                [
                    _field(_("Granted to"), ids.GRANT_KIND, _choice(ids.GRANT_KIND, whom, "everyone")),
                    _field(_("Name"), ids.GRANT_SUBJECT, _input(ids.GRANT_SUBJECT, list=ids.ADMIN_USERS, disabled=True)),
                    _field(_("Stations"), ids.GRANT_STATIONS, _input(ids.GRANT_STATIONS, debounce=0.3, placeholder="aws-*, JFK")),
                    _field(
                        _("Sensors"),
                        ids.GRANT_SENSORS,
                        _input(ids.GRANT_SENSORS, "*", debounce=0.3, placeholder="wind_*, rainfall"),
                    ),
                    html.Div(id=ids.GRANT_PREVIEW, className="admin-preview", role="status", **{"aria-live": "polite"}),
                    _field(_("From"), ids.GRANT_FROM, _input(ids.GRANT_FROM, placeholder=_("from the beginning"))),
                    _field(_("To (not included)"), ids.GRANT_TO, _input(ids.GRANT_TO, placeholder=_("without an end"))),
                    _field(days, ids.GRANT_LONGEST, _input(ids.GRANT_LONGEST, placeholder=_("any"), inputMode="decimal")),
                    _field(
                        _("Finest resolution"),
                        ids.GRANT_FINEST,
                        _choice(ids.GRANT_FINEST, {r: steps[r] for r in RESOLUTIONS}, "raw"),
                    ),
                    _checks(ids.GRANT_MAY, may, [EXPORT]),
                    _field(_("Note"), ids.GRANT_NOTE, _input(ids.GRANT_NOTE, placeholder=_("why, for whoever reads the list"))),
                    html.Div(
                        [
                            html.Button(_("Add grant"), id=ids.GRANT_ADD, type="button", n_clicks=0, className=_BUTTON),
                            html.Small(_("Times are {zone}, such as {example}.").format(zone=context.zone, example=TIME_HINT)),
                        ],
                        className="admin-send",
                    ),
                ],
                className="admin-form admin-fields",
            ),
        ],
        className="admin-add",
    )


def _audit(context: AdminContext) -> html.Section:
    names: dict[str, str] = {"": _("Everything")} | dict(action_names().items())
    foot = [
        html.Span(id=ids.AUDIT_COUNT),
        html.Button(_("Show older entries"), id=ids.AUDIT_OLDER, type="button", n_clicks=0, className=_SMALL),
        html.A("CSV", id=ids.AUDIT_CSV, className=_SMALL, title=_("Download all entries that are asked for"), download=""),
    ]
    since, until = (f"{word} ({context.zone})" for word in (_("From"), _("To")))
    return html.Section(
        [
            html.Div(
                [
                    _field(_("Who"), ids.AUDIT_ACTOR, _input(ids.AUDIT_ACTOR, list=ids.ADMIN_USERS, debounce=0.4)),
                    _field(_("What"), ids.AUDIT_ACTION, _choice(ids.AUDIT_ACTION, names, "")),
                    _field(since, ids.AUDIT_FROM, _input(ids.AUDIT_FROM, placeholder=TIME_HINT, debounce=True)),
                    _field(until, ids.AUDIT_TO, _input(ids.AUDIT_TO, placeholder=TIME_HINT, debounce=True)),
                ],
                className="admin-form admin-filters",
            ),
            html.Div(id=ids.AUDIT_WRONG),
            html.Div(admin_grid(AUDIT), className="jobs-table"),
            html.Div(foot, className="jobs-foot"),
        ],
        id=f"admin-{AUDIT}-panel",
        className="admin-panel admin-hidden",
        role="tabpanel",
        **{"aria-label": tab_names()[AUDIT]},
    )


def _action(kind: str, action: Action) -> html.Button:
    asks = {"data-confirm": action.confirm} if action.confirm else {}
    return html.Button(
        action.words, id=action_id(kind, action.name, action.target), type="button", n_clicks=0, className=_SMALL, **asks
    )


def _field(label: str, component_id: str, control: Component) -> html.Div:
    return html.Div([html.Label(label, htmlFor=component_id), control], className="field")


def _input(component_id: str, value: str = "", **more: Any) -> dcc.Input:
    settings: dict[str, Any] = {"debounce": False, "autoComplete": "off", "spellCheck": "false"} | more
    return dcc.Input(id=component_id, type="text", value=value, className="form-control form-control-sm", **settings)


def _choice(component_id: str, names: Mapping[Any, str], value: str) -> dcc.Dropdown:
    return dcc.Dropdown(
        id=component_id,
        options=[{"value": name, "label": words} for name, words in names.items()],
        value=value,
        clearable=False,
        searchable=False,
        maxHeight=320,
    )


def _checks(component_id: str, names: Mapping[str, str], value: Sequence[str] = ()) -> dcc.Checklist:
    return dcc.Checklist(
        id=component_id,
        options=[{"value": name, "label": words} for name, words in names.items()],
        value=list(value),
        className="admin-checks",
    )
