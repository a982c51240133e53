"""The dialog "Embed this chart": what the frame shows and where, the line of HTML, and the charts that are embedded already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from access.embed_table import Embed
from access.shown import Shows, last_text
from data.catalogue import Catalogue
from i18n import LANGUAGES, format_date, format_range
from i18n import gettext as _
from layouts import ids
from layouts.frame import FRAME_PX, shown_title

FIXED: Final = "fixed"
ROLLING: Final = "rolling"
CONTROLS: Final = "controls"
TRANSPARENT: Final = "transparent"

LASTS: Final = ("24h", "3d", "7d", "30d", "90d", "365d")
DEFAULT_LAST: Final = "7d"
ENDS_DAYS: Final = {"day": 1, "week": 7, "month": 31, "year": 366, "never": 0}
DEFAULT_END: Final = "year"
_MOST_LISTED: Final = 50


def embed_dialog(language: str) -> Component:
    """The dialog, closed; callbacks/embedding.py opens it with the chart that is shown."""
    return dbc.Modal(
        [
            dcc.Store(id=ids.EMBED_SPAN),
            dbc.ModalHeader(dbc.ModalTitle(_("Embed this chart"), tag="h2"), close_button=True),
            dbc.ModalBody(
                [
                    html.P(id=ids.EMBED_WHAT, className="embed-what"),
                    html.Div([html.Div(_fields(language), className="embed-fields"), _preview()], className="embed-halves"),
                    html.Div(id=ids.EMBED_RESULT, className="embed-result", **{"aria-live": "polite"}),
                    html.Div(id=ids.EMBED_LIST, className="embed-list"),
                ]
            ),
        ],
        id=ids.EMBED_DIALOG,
        is_open=False,
        scrollable=True,
        centered=True,
        size="xl",
        className="embed-dialog",
    )


def _fields(language: str) -> list[Component]:
    return [
        _range(),
        _field(
            _("Shown by pages of"),
            ids.EMBED_ORIGIN,
            dbc.Input(id=ids.EMBED_ORIGIN, type="url", placeholder="https://portal.example", autocomplete="url", size="sm"),
            _("Scheme and name of the site around the chart; no other can show it."),
        ),
        _field(_("Title"), ids.EMBED_LABEL, dbc.Input(id=ids.EMBED_LABEL, type="text", maxLength=120, size="sm", debounce=True)),
        html.Div(
            [
                _field(_("Theme"), ids.EMBED_THEME, _select(ids.EMBED_THEME, theme_names(), "auto")),
                _field(_("Language"), ids.EMBED_LANGUAGE, _select(ids.EMBED_LANGUAGE, dict(LANGUAGES), language)),
                _field(_("The link ends"), ids.EMBED_EXPIRES, _select(ids.EMBED_EXPIRES, end_names(), DEFAULT_END)),
            ],
            className="embed-three",
        ),
        dbc.Checklist(
            id=ids.EMBED_SWITCHES,
            options=[
                {"value": CONTROLS, "label": _("Buttons for the whole range, the picture and the rows")},
                {"value": TRANSPARENT, "label": _("No background of its own")},
            ],
            value=[CONTROLS],
            className="embed-switches",
        ),
        html.Button(
            _("Create the link"), id=ids.EMBED_CREATE, type="button", n_clicks=0, className="btn btn-primary embed-create"
        ),
    ]


def range_options(span: tuple[int, int], timezone: str) -> list[dict[str, str]]:
    """The two kinds of range, the fixed one with its times."""
    return [
        {"value": FIXED, "label": _("What is visible now: {range}").format(range=format_range(*span, timezone))},
        {"value": ROLLING, "label": _("Up to now, the last")},
    ]


def last_names() -> dict[str, str]:
    """Words for each rolling range, shortest first."""
    names = (_("24 hours"), _("3 days"), _("7 days"), _("30 days"), _("90 days"), _("365 days"))
    return dict(zip(LASTS, names, strict=True))


def end_names() -> dict[str, str]:
    """Words for each end of the link."""
    return {
        "day": _("in a day"),
        "week": _("in a week"),
        "month": _("in a month"),
        "year": _("in a year"),
        "never": _("when it is revoked"),
    }


def theme_names() -> dict[str, str]:
    """Words for each theme."""
    return {"auto": _("As the viewer's system"), "light": _("Light"), "dark": _("Dark")}


def made(line: str, url: str) -> Component:
    """The line of HTML of a chart that was just made."""
    copy = html.Button(
        _("Copy"), type="button", className="btn btn-sm btn-primary", **{"data-copy": line, "data-copied": _("Copied")}
    )
    look = html.A(_("Look at it"), href=url, target="_blank", rel="noopener", className="btn btn-sm btn-link")
    return html.Div(
        [
            html.Label(
                _("Put this line into the page. Whoever has it can see the chart; it is shown only now."), htmlFor=ids.EMBED_LINE
            ),
            dcc.Textarea(id=ids.EMBED_LINE, value=line, readOnly=True, rows=4, className="form-control embed-line"),
            html.Div([copy, look], className="embed-line-actions"),
        ],
        className="embed-made",
    )


def embed_list(found: Sequence[Embed], catalogue: Catalogue, timezone: str, now_ms: int) -> Component | None:
    """Charts that are shown by other pages now, each with a way to end it; None when there is none."""
    live = [one for one in found if one.state(now_ms) == "live"][:_MOST_LISTED]
    if not live:
        return None
    return html.Div(
        [
            html.H3(_("Charts that other pages show")),
            html.Ul([html.Li(_listed(one, catalogue, timezone), className="embed-item") for one in live]),
        ]
    )


def revoke_id(embed_id: Any) -> dict[str, Any]:
    """The id of the button that ends a chart."""
    return {"type": "embed-revoke", "embed": embed_id}


def _listed(one: Embed, catalogue: Catalogue, timezone: str) -> list[Component]:
    shows = one.shows
    what = shown_title(shows.stations, shows.sensors, catalogue)
    ends = _("until {date}").format(date=format_date(one.expires_ms, timezone)) if one.expires_ms else _("without an end")
    details = [what, _range_text(shows), one.origin, ends] if one.label else [_range_text(shows), one.origin, ends]
    return [
        html.Div(
            [html.Span(one.label or what, className="embed-name"), html.Small(" · ".join(details))],
            className="embed-about",
        ),
        html.Details(
            [
                html.Summary(_("Revoke"), className="btn btn-sm embed-revoke"),
                html.Button(
                    _("End it for good"),
                    id=revoke_id(one.id),
                    type="button",
                    n_clicks=0,
                    className="btn btn-sm btn-danger",
                ),
            ],
            className="embed-ending",
        ),
    ]


def _range_text(shows: Shows) -> str:
    if shows.last_ms is None:
        return format_range(shows.start_ms or 0, shows.end_ms or 0, shows.timezone)
    text = last_text(shows.last_ms)
    name = last_names().get(text) or (_("{count} days") if text.endswith("d") else _("{count} hours")).format(count=text[:-1])
    return _("the last {time}").format(time=name)


def _range() -> html.Fieldset:
    return html.Fieldset(
        [
            html.Legend(_("Range")),
            dbc.RadioItems(id=ids.EMBED_RANGE, options=[], value=FIXED, className="embed-ranges"),
            html.Label(_("Length of the rolling range"), htmlFor=ids.EMBED_LAST, className="visually-hidden"),
            _select(ids.EMBED_LAST, last_names(), DEFAULT_LAST),
        ],
        className="field embed-range",
    )


def _preview() -> html.Figure:
    frame = html.Iframe(
        id=ids.EMBED_PREVIEW, className="embed-preview", title=_("Preview"), style={"height": f"{FRAME_PX}px"}, src="about:blank"
    )
    words = _("As its viewers will see it, {height} pixels high.").format(height=FRAME_PX)
    return html.Figure(
        [
            html.Figcaption([html.Strong(_("Preview")), html.Small(words)]),
            html.Div(frame, id=ids.EMBED_STAGE, className="embed-stage"),
        ],
        className="embed-looks",
    )


def _field(label: str, component_id: str, control: Component, hint: str = "") -> html.Div:
    parts: list[Component] = [html.Label(label, htmlFor=component_id), control]
    if hint:
        parts.append(html.Small(hint, className="embed-hint"))
    return html.Div(parts, className="field")


def _select(component_id: str, names: dict[str, str], value: str) -> dbc.Select:
    options = [{"value": name, "label": label} for name, label in names.items()]
    return dbc.Select(id=component_id, options=options, value=value, size="sm")
