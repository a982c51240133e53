"""The administrators' page: users, grants, keys, embedded charts, and the audit log."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dash import dcc, html
from dash.development.base_component import Component

from i18n import gettext as _
from layouts import ids
from layouts.admin_grids import AUDIT, KINDS, action_names, admin_grid
from layouts.controls import ACTION, button, close_button, copy_button, details_head, facts, field, options, text_field
from layouts.form import TIME_HINT, resolution_names
from layouts.header import Chrome
from layouts.shell import shell

EXPORT, EMBED, REVIEW = "export", "embed", "review"
_BUTTON: Final = "btn btn-sm btn-primary"


@dataclass(frozen=True)
class Action:
    """What can be done with the selected row: a button.
    ``confirm`` is what it says before the second press that does it.

    ``target`` is what it is done with; of a group, ``member`` is who is meant.
    """

    name: str
    words: str
    target: str
    confirm: str = ""
    member: str = ""


def admin_page(chrome: Chrome, *, zone: str, passwords: bool) -> html.Div:
    """Return the page before anything was asked; times in ``zone``."""
    stores = [dcc.Store(id=ids.ADMIN_DONE, data=0), html.Datalist(id=ids.ADMIN_USERS), html.Datalist(id=ids.ADMIN_GROUPS)]
    forms: dict[str, Component] = {"user": _user_form(passwords), "group": _group_form(), "grant": _grant_form(zone)}
    parts = [
        html.H1(_("Administration"), className="jobs-title"),
        _tabs(),
        html.Div(id=ids.ADMIN_ALERT),
        *(_panel(kind, forms.get(kind)) for kind in KINDS),
        _audit(zone),
    ]
    main = html.Main(parts, id="admin-main", className="jobs-main admin-main")
    return shell(chrome, "admin", stores, (_("Skip to the content"), "admin-main"), [main])


def details_id(kind: str) -> str:
    """The id of what is told of the selected row of a tab."""
    return f"admin-{kind}-details"


def action_id(kind: Any, name: Any, target: Any, member: Any) -> dict[str, Any]:
    """Return the id of an action's button; with Dash's ``ALL`` the pattern of all of them."""
    return {"type": "admin-action", "kind": kind, "name": name, "target": target, "member": member}


def tab_names() -> dict[str, str]:
    """What each tab is called, in their order."""
    names = (_("Users"), _("Groups"), _("Grants"), _("Keys"), _("Embedded charts"), _("Audit log"))
    return dict(zip((*KINDS, AUDIT), names, strict=True))


def details(kind: str, title: str, found: Mapping[str, str], actions: Sequence[Action]) -> list[Component]:
    """Everything about the selected row, and what can be done with it."""
    return [
        details_head(title, close_button(**{"data-close": kind})),
        facts(found),
        html.Div([_action(kind, action) for action in actions], className="details-actions"),
    ]


def new_password(sentence: str, password: str) -> html.Div:
    """A password that is shown this once."""
    words = _("It is shown only once. The user should change it on the Account page.")
    return html.Div(
        [html.P(sentence), html.Code(password, className="command", tabIndex="0"), copy_button(password), html.Small(words)],
        className="notice notice-info",
        role="status",
    )


def name_options(names: Collection[str]) -> list[html.Option]:
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
    parts = [
        *([form] if form is not None else []),
        html.Div(admin_grid(kind), className="jobs-table"),
        html.P(_("Select a row to see its details and to change it."), className="admin-hint"),
        html.Section(id=details_id(kind), className="job-details", **{"aria-label": _("Details")}),
    ]
    return _tab_panel(kind, parts)


def _tab_panel(kind: str, parts: Sequence[Component]) -> html.Section:
    look = "admin-panel" if kind == KINDS[0] else "admin-panel admin-hidden"
    says = {"aria-label": tab_names()[kind]}
    return html.Section(parts, id=f"admin-{kind}-panel", className=look, role="tabpanel", **says)


def _user_form(passwords: bool) -> html.Div:
    note = (
        _("A password is generated and shown once.")
        if passwords
        else _("Proxy users need an account here only to be administrators or to be disabled.")
    )
    parts = [
        text_field(_("Name"), ids.USER_NAME),
        _checks(ids.USER_ADMIN, {"admin": _("Administrator")}),
        button(_("Add user"), _BUTTON, ids.USER_ADD),
        html.Small(note),
    ]
    return html.Div(parts, className="admin-form admin-line")


def _group_form() -> html.Div:
    parts = [
        text_field(_("User"), ids.GROUP_USER, list=ids.ADMIN_USERS),
        text_field(_("Group"), ids.GROUP_NAME, list=ids.ADMIN_GROUPS),
        button(_("Add to the group"), _BUTTON, ids.GROUP_JOIN),
        html.Small(_("A group exists as long as it has a member or a grant.")),
    ]
    return html.Div(parts, className="admin-form admin-line")


def _grant_form(zone: str) -> html.Details:
    whom = {"everyone": _("Everyone who is signed in"), "group": _("A group"), "user": _("A user")}
    may = {EXPORT: _("Download rows"), EMBED: _("Embed charts in other pages"), REVIEW: _("Flag and correct readings")}
    days = _("Longest range, days")
    send = [
        button(_("Add grant"), _BUTTON, ids.GRANT_ADD),
        html.Small(_("Times are {zone}, such as {example}.").format(zone=zone, example=TIME_HINT)),
    ]
    fields = [
        _choice(_("Granted to"), ids.GRANT_KIND, whom, "everyone"),
        text_field(_("Name"), ids.GRANT_SUBJECT, list=ids.ADMIN_USERS, disabled=True),
        text_field(_("Stations"), ids.GRANT_STATIONS, debounce=0.3, placeholder="aws-*, JFK"),
        text_field(_("Sensors"), ids.GRANT_SENSORS, "*", debounce=0.3, placeholder="wind_*, rainfall"),
        html.Div(id=ids.GRANT_PREVIEW, className="admin-preview", role="status", **{"aria-live": "polite"}),
        text_field(_("From"), ids.GRANT_FROM, placeholder=_("from the beginning")),
        text_field(_("To (not included)"), ids.GRANT_TO, placeholder=_("without an end")),
        text_field(days, ids.GRANT_LONGEST, placeholder=_("any"), inputMode="decimal"),
        _choice(_("Finest resolution"), ids.GRANT_FINEST, resolution_names(), "raw"),
        _checks(ids.GRANT_MAY, may, [EXPORT]),
        text_field(_("Note"), ids.GRANT_NOTE, placeholder=_("reason (optional)")),
        html.Div(send, className="admin-send"),
    ]
    form = html.Div(fields, className="admin-form admin-fields")
    return html.Details([html.Summary(_("Add a grant")), form], className="admin-add")


def _audit(zone: str) -> html.Section:
    names: dict[str, str] = {"": _("Everything")} | dict(action_names().items())
    foot = [
        html.Span(id=ids.AUDIT_COUNT),
        button(_("Show older entries"), component_id=ids.AUDIT_OLDER),
        html.A("CSV", id=ids.AUDIT_CSV, className=ACTION, title=_("Download all matching entries"), download=""),
    ]
    since, until = (f"{word} ({zone})" for word in (_("From"), _("To")))
    filters = [
        text_field(_("Who"), ids.AUDIT_ACTOR, list=ids.ADMIN_USERS, debounce=0.4),
        _choice(_("What"), ids.AUDIT_ACTION, names, ""),
        text_field(since, ids.AUDIT_FROM, placeholder=TIME_HINT, debounce=True),
        text_field(until, ids.AUDIT_TO, placeholder=TIME_HINT, debounce=True),
    ]
    parts = [
        html.Div(filters, className="admin-form admin-filters"),
        html.Div(id=ids.AUDIT_WRONG),
        html.Div(admin_grid(AUDIT), className="jobs-table"),
        html.Div(foot, className="jobs-foot"),
    ]
    return _tab_panel(AUDIT, parts)


def _action(kind: str, action: Action) -> html.Button:
    asks = {"data-confirm": action.confirm} if action.confirm else {}
    return button(action.words, component_id=action_id(kind, action.name, action.target, action.member), **asks)


def _choice(label: str, component_id: str, names: Mapping[Any, str], value: str) -> html.Div:
    control = dcc.Dropdown(
        id=component_id,
        options=options(names),
        value=value,
        clearable=False,
        searchable=False,
        maxHeight=320,
    )
    return field(label, component_id, control)


def _checks(component_id: str, names: Mapping[str, str], value: Sequence[str] = ()) -> dcc.Checklist:
    return dcc.Checklist(id=component_id, options=options(names), value=list(value), className="admin-checks")
