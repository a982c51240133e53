"""The table of rows: its place, its controls, and what its script is told (assets/table.js)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import dash_ag_grid as dag
from dash import html
from dash.development.base_component import Component

from data.catalogue import Catalogue
from data.export.row_question import FLAGS
from data.request import HistoryRequest
from escaping import visible
from i18n import THIN_SPACE, current_language
from i18n import gettext as _
from layouts.controls import Control, control_field
from layouts.jobs_grid import GRID_THEME, grid_words

TABLE: Final = "table"
SCRIPTS: Final = ("grid.js", "table.js", "dash_ag_grid")  # that the page needs for it
ROW_PX: Final = 28


def table_label() -> str:
    """Return the name of the tab."""
    return _("Table")


def table_controls(options: Mapping[str, str], request: HistoryRequest, catalogue: Catalogue, start: str) -> Component:
    """Return the fields of a table with what is chosen; ``start`` is a time of its window, as one
    writes it.
    """
    names = {"all": _("Marked ⚑"), "hidden": _("Hidden"), "only": _("Only these rows")}
    first = catalogue[catalogue.ordered(request.sensors)[0]].label(current_language())
    controls = (
        Control("at", _("Go to"), hint=start),
        Control("where", _("Filter"), hint=f"{first} > 10"),
        Control("flagged", _("Flagged values"), names, default=FLAGS[0]),
    )
    fields = [control_field(control, options.get(control.name, control.default)) for control in controls]
    return html.Div(fields, className="view-options table-options")


def table_told(
    request: HistoryRequest, catalogue: Catalogue, options: Mapping[str, str], *, rows: str, job: str, by_value: bool
) -> dict[str, Any]:
    """Return what assets/table.js is told. ``rows`` is the address of the rows; ``by_value`` says
    whether these are few enough to be sorted by a value.
    """
    return {
        "grid": f"table-{job}",
        "scripts": SCRIPTS,
        "rows": rows,
        "options": dict(options),
        "columns": [_column(catalogue, station, sensor) for station, sensor in request.series],
        "byValue": by_value,
        "thousands": THIN_SPACE,
        "decimal": "," if current_language() == "id" else ".",
        "words": _words(request.timezone),
    }


def table_view(grid_id: str) -> Component:
    """Return the place of a table, empty."""
    grid = dag.AgGrid(
        id=grid_id,
        rowModelType="infinite",
        defaultColDef={
            "resizable": True,
            "suppressHeaderMenuButton": True,
            "suppressMovable": True,
            "sortingOrder": ["asc", "desc"],
        },
        dashGridOptions={
            "theme": GRID_THEME,
            "rowHeight": ROW_PX,
            "headerHeight": 40,
            "cacheBlockSize": 200,
            "maxBlocksInCache": 20,
            "maxConcurrentDatasourceRequests": 1,
            "blockLoadDebounceMillis": 80,
            "rowSelection": {"mode": "multiRow", "checkboxes": False, "headerCheckbox": False, "enableClickSelection": True},
            "enableCellTextSelection": True,
            "ensureDomOrder": True,
            "animateRows": False,
            "localeText": grid_words(_("No rows")),
        },
        className="table-grid",
        style={"height": None, "width": None},
    )
    said = html.P(className="table-said", role="status")
    return html.Div([said, grid], className="table-view", key=grid_id)


def _column(catalogue: Catalogue, station: str, name: str) -> dict[str, Any]:
    sensor = catalogue[name]
    label = f"{visible(sensor.label(current_language()))} ({visible(sensor.unit)})"
    return {"id": f"{station}/{name}", "station": visible(station), "label": label, "decimals": sensor.decimals}


def _words(timezone: str) -> dict[str, str]:
    """What assets/table.js says; fields in braces are its to fill."""
    return {
        "time": _("Time"),
        "offset": _("UTC offset"),
        "zone": timezone,
        "rows": _("{count} rows"),
        "counting": _("Counting rows: {count} so far"),
        "none": _("No rows fit."),
        "chosen": _("{count} selected, Ctrl+C copies them"),
        "byTime": _("There are too many values here to sort by one of them, so rows are sorted by time only."),
        "again": _("The server does not answer; trying again."),
    }
