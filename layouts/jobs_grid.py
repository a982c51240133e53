"""The grid of the Jobs page: columns, words, look. What it shows: callbacks/job_rows.py."""

from __future__ import annotations

from typing import Any, Final

import dash_ag_grid as dag

from i18n import THIN_SPACE, current_language
from i18n import gettext as _
from layouts import ids
from layouts.controls import workbook_link

ROWS_A_PAGE: Final = 20

# Calls of assets/grid.js.
GRID_THEME: Final = {"function": "gridTheme(themeQuartz)"}
SHOWN: Final = {"function": "shownText(params)"}  # of a column that sorts by another field

# A cell whose text breaks instead of being cut, in a row as high as it needs (assets/jobs.css).
_TWO_LINES: Final = {"wrapText": True, "autoHeight": True}


def status_names() -> dict[str, str]:
    """A word for each status of a job."""
    return {
        "queued": _("Queued"),
        "running": _("Running"),
        "completed": _("Completed"),
        "failed": _("Failed"),
        "cancelled": _("Cancelled"),
    }


def jobs_grid(*, with_owner: bool) -> dag.AgGrid:
    """The grid, still empty; ``with_owner`` shows whose job each is."""
    return grid(ids.JOBS_GRID, columns(with_owner=with_owner), _("No jobs"))


def grid(grid_id: str, column_defs: list[dict[str, Any]], empty: str, *, is_log: bool = False, more: str = "") -> dag.AgGrid:
    """Return a grid without rows, which then says ``empty``;
    of a log nothing is sorted or selected. ``more``: of its class.
    """
    selection = {"rowSelection": {"mode": "singleRow", "checkboxes": False, "enableClickSelection": True}}
    return dag.AgGrid(
        id=grid_id,
        rowData=[],
        columnDefs=column_defs,
        defaultColDef={"resizable": True, "sortable": not is_log, "suppressHeaderMenuButton": True, "suppressMovable": True},
        getRowId="params.data.id",
        dashGridOptions={
            "theme": GRID_THEME,
            "domLayout": "autoHeight",
            "pagination": True,
            "paginationPageSize": ROWS_A_PAGE,
            "paginationPageSizeSelector": False,
            **({} if is_log else selection),
            "enableCellTextSelection": True,
            "ensureDomOrder": True,
            "animateRows": False,
            "tooltipShowDelay": 400,
            "localeText": grid_words(empty),
        },
        className=f"jobs-grid {more}".strip(),
        style={"height": None},
    )


def columns(*, with_owner: bool) -> list[dict[str, Any]]:
    """Columns, the ones that matter on a phone first."""
    found = [
        {"field": "status_words", "headerName": _("Status"), "cellRenderer": "JobStatus", "width": 136},
        {
            "field": "stations",
            "headerName": _("Data"),
            "cellRenderer": "JobData",
            "minWidth": 220,
            "flex": 2,
            **_TWO_LINES,
            "cellRendererParams": {"workbook": workbook_link(ids.JOBS_ALERT)},
        },
        sorted_column("range", _("Range"), width=216, **_TWO_LINES),
        {
            "colId": "actions",
            "headerName": _("Actions"),
            "cellRenderer": "JobActions",
            "width": 194,
            "sortable": False,
            "cellRendererParams": _action_words(),
        },
        {"field": "error", "headerName": _("Error"), "minWidth": 150, "flex": 1, "tooltipField": "error"},
        sorted_column("created", _("Created"), width=190),
        _number("duration", _("Duration"), width=100),
        _number("rows", _("Rows"), width=112),
        _number("speed", _("Rows/s"), width=96),
        _number("memory", _("Memory"), width=100),
        sorted_column("attempts", _("Attempts"), width=110),
        {"field": "resolution", "headerName": _("Resolution"), "width": 146},
        {"field": "queue", "headerName": _("Queue"), "width": 160},
    ]
    owner = {"field": "owner", "headerName": _("Owner"), "width": 130}
    return [*found[:2], owner, *found[2:]] if with_owner else found


def _action_words() -> dict[str, Any]:
    words = {"open": _("Open"), "download": _("Download"), "cancel": _("Cancel"), "retry": _("Try again"), "repeat": _("Edit …")}
    repeat = _("Open this request in the form")
    return {"workbook": workbook_link(ids.JOBS_ALERT), "words": words, "repeatTitle": repeat}


def sorted_column(field: str, name: str, **more: Any) -> dict[str, Any]:
    """A column that shows one field and sorts by another."""
    return {"field": f"{field}_order", "headerName": name, "valueFormatter": SHOWN, **more}


def _number(field: str, name: str, **more: Any) -> dict[str, Any]:
    return {**sorted_column(field, name, **more), "type": "rightAligned"}


def grid_words(no_rows: str) -> dict[str, str]:
    """What a grid says of itself; ``no_rows`` where it is empty."""
    return {
        "page": _("Page"),
        "of": _("of"),
        "to": _("to"),
        "firstPage": _("First page"),
        "previousPage": _("Previous page"),
        "nextPage": _("Next page"),
        "lastPage": _("Last page"),
        "noRowsToShow": no_rows,
        "loadingOoo": _("Loading …"),
        "thousandSeparator": THIN_SPACE,
        "decimalSeparator": "," if current_language() == "id" else ".",
        "ariaSortableColumn": _("Press Enter to sort"),
    }
