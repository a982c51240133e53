"""The dialog "Embed this chart": what the frame shows and where, the line of HTML,
and the charts that are embedded already.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from access.embeds.embed_table import Embed
from access.embeds.spec import EmbedSpec, last_text
from data.catalogue import Catalogue
from i18n import LANGUAGES, format_date, format_range
from i18n import gettext as _
from layouts import ids
from layouts.controls import button, copy_button, field, options
from layouts.frame import FRAME_PX
from layouts.views import view_title

FIXED: Final = "fixed"
ROLLING: Final = "rolling"
CONTROLS: Final = "controls"
TRANSPARENT: Final = "transparent"
NOTES: Final = "notes"

LASTS: Final = ("24h", "3d", "7d", "30d", "90d", "365d")
DEFAULT_LAST: Final = "7d"
ENDS_DAYS: Final = {"day": 1, "week": 7, "month": 31, "year": 366, "never": 0}
DEFAULT_END: Final = "year"
_MOST_LISTED: Final = 50


def embed_dialog(language: str) -> Component:
    """The dialog, closed; callbacks/embedding.py opens it with the chart that is shown."""
    parts = [
        html.P(id=ids.EMBED_WHAT, className="embed-what"),
        html.Div([html.Div(_fields(language), className="embed-fields"), _preview()], className="embed-halves"),
        html.Div(id=ids.EMBED_RESULT, className="embed-result", **{"aria-live": "polite"}),
        html.Div(id=ids.EMBED_LIST, className="embed-list"),
    ]
    head = dbc.ModalHeader(dbc.ModalTitle(_("Embed this chart"), tag="h2", id="embed-title"), close_button=True)
    return dbc.Modal(
        [dcc.Store(id=ids.EMBED_SHOWN), head, dbc.ModalBody(parts)],
        id=ids.EMBED_DIALOG,
        labelledby="embed-title",
        is_open=False,
        scrollable=True,
        centered=True,
        size="xl",
        className="embed-dialog",
    )


def _fields(language: str) -> list[Component]:
    return [
        _range(),
        field(
            _("Portal address"),
            ids.EMBED_ORIGIN,
            dbc.Input(id=ids.EMBED_ORIGIN, type="url", placeholder="https://portal.example", autocomplete="url", size="sm"),
            _("Origin of the embedding site, such as https://portal.example. Only this site can show the chart."),
        ),
        field(_("Title"), ids.EMBED_LABEL, dbc.Input(id=ids.EMBED_LABEL, type="text", maxLength=120, size="sm", debounce=True)),
        html.Div(
            [
                field(_("Theme"), ids.EMBED_THEME, _select(ids.EMBED_THEME, theme_names(), "auto")),
                field(_("Language"), ids.EMBED_LANGUAGE, _select(ids.EMBED_LANGUAGE, dict(LANGUAGES), language)),
                field(_("Link expires"), ids.EMBED_EXPIRES, _select(ids.EMBED_EXPIRES, end_names(), DEFAULT_END)),
            ],
            className="embed-three",
        ),
        dbc.Checklist(
            id=ids.EMBED_SWITCHES,
            options=options(
                {
                    CONTROLS: _("Buttons to reset the zoom and to download picture and data"),
                    TRANSPARENT: _("Transparent background"),
                    NOTES: _("Shared notes on the time axis"),
                }
            ),
            value=[CONTROLS],
            className="embed-switches",
        ),
        button(_("Create link"), "btn btn-primary embed-create", ids.EMBED_CREATE),
    ]


def range_options(span: tuple[int, int], timezone: str) -> list[dict[str, str]]:
    """The two kinds of range, the fixed one with its times."""
    fixed = _("Current view: {range}").format(range=format_range(*span, timezone))
    return options({FIXED: fixed, ROLLING: _("Always the last")})


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
    return {"auto": _("Match the reader's system"), "light": _("Light"), "dark": _("Dark")}


def made(line: str, url: str) -> Component:
    """The line of HTML of a chart that was just made."""
    copy = copy_button(line, "btn btn-sm btn-primary", **{"data-copied": _("Copied")})
    look = html.A(_("Open the chart"), href=url, target="_blank", rel="noopener", className="btn btn-sm btn-link")
    words = _("Paste this into the page. Anyone who has it can see the chart. Copy it now: it is not shown again.")
    parts = [
        html.Label(words, htmlFor=ids.EMBED_LINE),
        dcc.Textarea(id=ids.EMBED_LINE, value=line, readOnly=True, rows=4, className="form-control embed-line"),
        html.Div([copy, look], className="embed-line-actions"),
    ]
    return html.Div(parts, className="embed-made")


def embed_list(found: Sequence[Embed], catalogue: Catalogue, timezone: str, now_ms: int) -> Component | None:
    """Return charts that other pages show now, each with a way to end it; or None."""
    live = [one for one in found if one.state(now_ms) == "live"][:_MOST_LISTED]
    if not live:
        return None
    items = [html.Li(_listed(one, catalogue, timezone), className="embed-item") for one in live]
    return html.Div([html.H3(_("Your embedded charts")), html.Ul(items)])


def revoke_id(embed_id: Any) -> dict[str, Any]:
    """The id of the button that ends a chart."""
    return {"type": "embed-revoke", "embed": embed_id}


def _listed(one: Embed, catalogue: Catalogue, timezone: str) -> list[Component]:
    spec = one.spec
    what = view_title(spec.stations, spec.sensors, catalogue, spec.view)
    ends = _("until {date}").format(date=format_date(one.expires_ms, timezone)) if one.expires_ms else _("without an end")
    details = [what, _range_text(spec), one.origin, ends] if one.label else [_range_text(spec), one.origin, ends]
    name = html.Span(one.label or what, className="embed-name")
    revoke = html.Summary(_("Revoke"), className="btn btn-sm embed-revoke")
    confirm = button(_("Confirm: revoke"), "btn btn-sm btn-danger", revoke_id(one.id))
    return [
        html.Div([name, html.Small(" · ".join(details))], className="embed-about"),
        html.Details([revoke, confirm], className="embed-ending"),
    ]


def _range_text(spec: EmbedSpec) -> str:
    if spec.last_ms is None:
        return format_range(spec.start_ms or 0, spec.end_ms or 0, spec.timezone)
    text = last_text(spec.last_ms)
    name = last_names().get(text) or (_("{count} days") if text.endswith("d") else _("{count} hours")).format(count=text[:-1])
    return _("the last {time}").format(time=name)


def _range() -> html.Fieldset:
    parts = [
        html.Legend(_("Range")),
        dbc.RadioItems(id=ids.EMBED_RANGE, name=ids.EMBED_RANGE, options=[], value=FIXED, className="embed-ranges"),
        html.Label(_("Length of the rolling range"), htmlFor=ids.EMBED_LAST, className="visually-hidden"),
        _select(ids.EMBED_LAST, last_names(), DEFAULT_LAST),
    ]
    return html.Fieldset(parts, className="field embed-range")


def _preview() -> html.Figure:
    frame = html.Iframe(
        id=ids.EMBED_PREVIEW, className="embed-preview", title=_("Preview"), style={"height": f"{FRAME_PX}px"}, src="about:blank"
    )
    words = _("As readers will see it, {height} pixels high.").format(height=FRAME_PX)
    caption = html.Figcaption([html.Strong(_("Preview")), html.Small(words)])
    return html.Figure([caption, html.Div(frame, id=ids.EMBED_STAGE, className="embed-stage")], className="embed-looks")


def _select(component_id: str, names: dict[str, str], value: str) -> dbc.Select:
    return dbc.Select(id=component_id, options=options(names), value=value, size="sm")
