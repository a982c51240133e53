"""What each page of Dash loads: its own files, and the one library that it needs besides Dash."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_EVERY_PAGE: Final = ("page.js", "riwayat.css", "tokens.css")
_SUITES: Final = "_dash-component-suites/"
# Dash puts the scripts of every library that any module imports into every page.
_LIBRARY: Final = re.compile(
    rf'<script[^>]*src="(?=[^"]*/{_SUITES}(dash_ag_grid|dash_bootstrap_components|dash/dash_table)/)([^"]*)"[^>]*></script>\n?'
)


@dataclass(frozen=True)
class PageFiles:
    """Names of files of ``assets/`` besides those of every page, and a library of components.

    ``later`` are scripts that come when they are first used (assets/workbench.js), and
    ``later_library`` is a library that does.
    """

    assets: tuple[str, ...]
    library: str
    later: tuple[str, ...] = ()
    later_library: str = ""

    @property
    def ignored(self) -> str:
        """A pattern of the files of ``assets/`` that the page does not load."""
        return f"^(?!({'|'.join(map(re.escape, (*_EVERY_PAGE, *self.assets)))})$)"

    def scripts(self, found: str, page: str, site: str) -> str:
        """Dash's tags of scripts without those of other libraries.

        Those of the page at ``page`` get addresses below ``site``, which all pages share:
        the browser keeps one copy.
        """
        wanted = _LIBRARY.sub(lambda tag: tag[0] if tag[1] == self.library else "", found)
        return wanted.replace(f'="{page}{_SUITES}', f'="{site}{_SUITES}')

    def later_address(self, found: str, page: str, site: str) -> dict[str, str]:
        """Return the address of the library that comes later, by its name, among Dash's tags."""
        tags = [tag for tag in _LIBRARY.finditer(found) if tag[1] == self.later_library]
        return {tag[1]: tag[2].replace(f"{page}{_SUITES}", f"{site}{_SUITES}", 1) for tag in tags}


HISTORY: Final = PageFiles(
    (
        "anyname.js",
        "chart.css",
        "chart.js",
        "cursors.css",
        "embedding.css",
        "embedding.js",
        "keep.js",
        "labels.js",
        "locale.js",
        "notes.css",
        "questions.js",
        "rail.css",
        "review.css",
        "saved.css",
        "search.css",
        "view.js",
        "workbench.css",
        "workbench.js",
    ),
    "dash_bootstrap_components",
    later=(
        "between.js",
        "brush.js",
        "controls.js",
        "cursors.js",
        "decide.js",
        "decisions.js",
        "eventpicture.js",
        "follow.js",
        "grid.js",
        "limits.js",
        "map.js",
        "notes.js",
        "picture.js",
        "rail.js",
        "readings.js",
        "review.js",
        "schedules.js",
        "search.js",
        "sheets.js",
        "start.js",
        "statistics.js",
        "table.js",
        "tabs.js",
        "workbook.js",
    ),
    later_library="dash_ag_grid",
)
JOBS: Final = PageFiles(("grid.js", "jobs.css", "jobs.js", "locale.js", "workbook.js"), "dash_ag_grid")
ADMIN: Final = PageFiles(("admin.css", "admin.js", "anyname.js", "grid.js", "jobs.css", "labels.js"), "dash_ag_grid")
