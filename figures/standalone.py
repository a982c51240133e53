"""A figure as one HTML file, which draws itself without a network."""

from __future__ import annotations

import json
from functools import lru_cache
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Final

from figures.history import Figure

_LOCALE: Final = Path(__file__).resolve().parent.parent / "assets" / "locale.js"
# the file's own scripts alone; nothing of it asks any address
_POLICY: Final = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:; "
    "base-uri 'none'; form-action 'none'"
)
_BUTTONS: Final = [["toImage", "zoom2d", "pan2d"], ["zoomIn2d", "zoomOut2d", "resetScale2d"]]


def standalone_html(figure: Figure, title: str, language: str) -> bytes:
    """Return a figure (:func:`figures.framed.framed`) as a page with all that it needs, UTF-8:
    5 MB, of which Plotly's script is nearly all. It can be zoomed and read as on the page.
    """
    return b"".join(standalone_parts(figure, title, language))


def standalone_parts(figure: Figure, title: str, language: str) -> tuple[bytes, bytes, bytes]:
    """Return :func:`standalone_html` as what stands before Plotly's script, the script, which is
    the same object each time, and what stands after it.
    """
    config = {"locale": language, "displaylogo": False, "showTips": False, "modeBarButtons": _BUTTONS}
    parts = ",".join(_script_json(part) for part in (figure["data"], figure["layout"], config))
    width = int(figure["layout"]["width"])
    before = f"""<!DOCTYPE html>
<html lang="{escape(language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width={width}">
<title>{escape(title)}</title>
<style>body {{ margin: 0; background: #fff; }} #chart {{ width: {width}px; margin: 0 auto; }}</style>
</head>
<body>
<div id="chart"></div>
<script>"""
    after = f"""</script>
<script>{_LOCALE.read_text(encoding="utf-8")}</script>
<script>Plotly.newPlot("chart",{parts});</script>
</body>
</html>
"""
    return before.encode(), _plotly(), after.encode()


@lru_cache(maxsize=1)
def _plotly() -> bytes:
    return (Path(str(files("plotly"))) / "package_data" / "plotly.min.js").read_bytes()


def _script_json(value: object) -> str:
    """JSON that ends no script: names of stations are in it."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
