"""The grid of the Jobs page: its columns, its words, its look. What it shows comes from callbacks/job_rows.py."""

from __future__ import annotations

from typing import Any, Final

import dash_ag_grid as dag

from i18n import THIN_SPACE, current_language
from i18n import gettext as _
from layouts import ids
from layouts.workbooks import workbook_link

ROWS_A_PAGE: Final = 20

# The theme is made of the page's own variables (assets/riwayat.css), so light and dark need nothing more.
GRID_THEME: Final = (
    "themeQuartz.withParams({"
    "backgroundColor: 'var(--bs-body-bg)', foregroundColor: 'var(--bs-body-color)', borderColor: 'var(--bs-border-color)', "
    "headerBackgroundColor: 'var(--panel)', headerTextColor: 'var(--bs-secondary-color)', headerFontWeight: 600, "
    "accentColor: 'var(--accent)', browserColorScheme: 'inherit', fontFamily: 'inherit', fontSize: 13, headerFontSize: 12, "
    "rowHeight: 36, headerHeight: 36, spacing: 6, borderRadius: 4, wrapperBorderRadius: 4, "
    "rowHoverColor: 'var(--panel)', selectedRowBackgroundColor: 'var(--accent-soft)', rangeSelectionBorderColor: 'var(--accent)'"
    "})"
)


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
    return dag.AgGrid(
        id=ids.JOBS_GRID,
        rowData=[],
        columnDefs=columns(with_owner=with_owner),
        defaultColDef={"resizable": True, "sortable": True, "suppressHeaderMenuButton": True, "suppressMovable": True},
        getRowId="params.data.id",
        dashGridOptions={
            "theme": {"function": GRID_THEME},
            "domLayout": "autoHeight",
            "pagination": True,
            "paginationPageSize": ROWS_A_PAGE,
            "paginationPageSizeSelector": False,
            "suppressPaginationPanel": False,
            "rowSelection": {"mode": "singleRow", "checkboxes": False, "enableClickSelection": True},
            "suppressCellFocus": False,
            "enableCellTextSelection": True,
            "ensureDomOrder": True,
            "animateRows": False,
            "tooltipShowDelay": 400,
            "localeText": grid_words(_("No jobs")),
        },
        className="jobs-grid",
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
            "minWidth": 200,
            "flex": 2,
            "cellRendererParams": {"workbook": workbook_link(ids.JOBS_ALERT)},
        },
        _sorted("range", _("Range"), width=244, tooltipField="range"),
        {"colId": "actions", "headerName": _("Actions"), "cellRenderer": "JobActions", "width": 208, "sortable": False},
        {"field": "error", "headerName": _("Error"), "minWidth": 150, "flex": 1, "tooltipField": "error"},
        _sorted("created", _("Created"), width=184),
        _number("duration", _("Duration"), width=100),
        _number("rows", _("Rows"), width=112),
        _number("speed", _("Rows/s"), width=96),
        _number("memory", _("Memory"), width=100),
        _sorted("attempts", _("Attempts"), width=110),
        {"field": "resolution", "headerName": _("Resolution"), "width": 146},
        {"field": "queue", "headerName": _("Queue"), "width": 160},
    ]
    owner = {"field": "owner", "headerName": _("Owner"), "width": 130}
    found[3]["cellRendererParams"] = {
        "workbook": workbook_link(ids.JOBS_ALERT),
        "words": {
            "open": _("Open"),
            "download": _("Download"),
            "cancel": _("Cancel"),
            "retry": _("Try again"),
            "repeat": _("Change …"),
        },
        "repeatTitle": _("Fill the form with this request and change it"),
    }
    return [*found[:2], owner, *found[2:]] if with_owner else found


def _sorted(field: str, name: str, **more: Any) -> dict[str, Any]:
    """A column that shows one field and sorts by another."""
    return {
        "field": f"{field}_order",
        "headerName": name,
        "valueFormatter": {"function": f"params.data ? params.data.{field} : ''"},
        **more,
    }


def _number(field: str, name: str, **more: Any) -> dict[str, Any]:
    return {**_sorted(field, name, **more), "type": "rightAligned"}


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
