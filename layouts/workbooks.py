"""Links to Excel files: assets/workbook.js waits for the job that writes one, and then begins the download."""

from __future__ import annotations

from i18n import gettext as _


def workbook_link(alert_id: str) -> dict[str, str]:
    """Attributes that make a link one; ``alert_id`` is the component that says what went wrong."""
    return {
        "data-workbook": alert_id,
        "data-queued": _("Queued"),
        "data-no-worker": _("No worker is running, so nothing can be loaded now."),
        "data-trouble": _("The server does not answer; try again later."),
    }
