"""A document as one HTML page that opens without a network: no script, no address, pictures in it.

What is not ours (names of stations, notes of people) is escaped; a policy in the page forbids
whatever could still be loaded.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from html import escape
from typing import Final

from escaping import visible
from i18n import format_number, format_time
from reports.document import Amount, Cell, Document, Instant, Part, ReportPicture, ReportSection, ReportTable, Words

_STYLE: Final = """
@page { size: A4; margin: 16mm 14mm 18mm; @bottom-right { content: counter(page) " / " counter(pages); font: 8pt sans-serif; } }
:root { color-scheme: light; }
body { font: 10.5pt/1.45 system-ui, 'Noto Sans', 'Liberation Sans', Arial, sans-serif; color: #1f2933; background: #fff;
  max-width: 190mm; margin: 0 auto; padding: 8mm 5mm; }
h1 { font-size: 22pt; line-height: 1.15; margin: 0 0 1mm; }
.subtitle { font-size: 13pt; color: #5b6672; margin: 0 0 6mm; }
h2 { font-size: 16pt; margin: 9mm 0 2mm; border-bottom: 2px solid #1f2933; padding-bottom: 1mm; }
h3 { font-size: 12pt; margin: 6mm 0 2mm; }
section.chapter { break-before: page; }
section.chapter:first-of-type { break-before: auto; }
h2, h3, figcaption, caption { break-after: avoid; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.6mm 5mm; margin: 0 0 4mm; }
dt { color: #5b6672; } dd { margin: 0; overflow-wrap: anywhere; }
.table { overflow-x: auto; margin: 0 0 4mm; }
table { border-collapse: collapse; width: 100%; font-size: 8.5pt; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: #5b6672; padding: 0 0 1mm; }
th, td { padding: 0.7mm 1.6mm; text-align: left; vertical-align: top; border-bottom: 1px solid #e3e7eb;
  overflow-wrap: break-word; }
thead { display: table-header-group; } tr { break-inside: avoid; }
th { border-bottom: 1.5px solid #5b6672; font-weight: 600; vertical-align: bottom; }
.n { text-align: right; }
td.n, td.d { white-space: nowrap; }
figure { margin: 0 0 4mm; break-inside: avoid; } figcaption { font-size: 8.5pt; color: #5b6672; }
svg { width: 100%; height: auto; display: block; font: 11px system-ui, 'Noto Sans', 'Liberation Sans', Arial, sans-serif; }
svg text { fill: #1f2933; }
p { margin: 0 0 3mm; }
@media print { body { padding: 0; max-width: none; } .table { overflow: visible; } }
"""
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def html_page(document: Document) -> Iterator[str]:
    """Yield the page piece by piece."""
    title = _safe(f"{document.title} – {document.subtitle}")
    yield f'<!doctype html>\n<html lang="{document.language}">\n<head>\n<meta charset="utf-8">\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
    yield f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}</title>\n'
    yield f"<style>{_STYLE}</style>\n</head>\n<body>\n<header>\n<h1>{_safe(document.title)}</h1>\n"
    yield f'<p class="subtitle">{_safe(document.subtitle)}</p>\n{_facts(document.facts)}</header>\n'
    for chapter in document.chapters:
        yield f'<section class="chapter">\n<h2>{_safe(chapter.station)}</h2>\n{_facts(chapter.facts)}'
        yield from _sections(chapter.sections, document.timezone)
        yield "</section>\n"
    for section in document.method:
        yield f'<section class="chapter">\n<h2>{_safe(section.title)}</h2>\n'
        yield from (_part(part, document.timezone) for part in section.parts)
        yield "</section>\n"
    yield "</body>\n</html>\n"


def _sections(sections: Iterable[ReportSection], timezone: str) -> Iterator[str]:
    for section in sections:
        yield f"<h3>{_safe(section.title)}</h3>\n"
        yield from (_part(part, timezone) for part in section.parts)


def _part(part: Part, timezone: str) -> str:
    if isinstance(part, Words):
        return f"<p>{_safe(part.text)}</p>\n"
    if isinstance(part, ReportPicture):
        return f"<figure>\n{part.svg}\n<figcaption>{_safe(part.caption)}</figcaption>\n</figure>\n"
    return _table(part, timezone)


def _table(table: ReportTable, timezone: str) -> str:
    is_number = [any(isinstance(row[place], Amount) for row in table.rows) for place in range(len(table.header))]
    marks = [' class="n"' if number else "" for number in is_number]
    head = "".join(f'<th scope="col"{mark}>{_safe(name)}</th>' for name, mark in zip(table.header, marks, strict=True))
    rows = ("".join(_cell(cell, mark, timezone) for cell, mark in zip(row, marks, strict=True)) for row in table.rows)
    body = "\n".join(f"<tr>{row}</tr>" for row in rows)
    return (
        f'<div class="table"><table>\n<caption>{_safe(table.caption)}</caption>\n<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody>\n</table></div>\n"
    )


def cell_text(cell: Cell, timezone: str) -> str:
    """Return a cell as it is read, in the current language; what is no number is a dash."""
    if isinstance(cell, Amount):
        return "–" if cell.value is None or not math.isfinite(cell.value) else format_number(cell.value, cell.decimals)
    if isinstance(cell, Instant):
        return format_time(cell.time_ms, timezone, zone=False)
    return cell or ""


def _cell(cell: Cell, mark: str, timezone: str) -> str:
    if isinstance(cell, str) and _DATE.fullmatch(cell):
        mark = ' class="d"'
    return f"<td{mark}>{_safe(cell_text(cell, timezone))}</td>"


def _facts(facts: Iterable[tuple[str, str]]) -> str:
    return "<dl>" + "".join(f"<dt>{_safe(what)}</dt><dd>{_safe(said)}</dd>" for what, said in facts) + "</dl>\n"


def _safe(text: str) -> str:
    return escape(visible(text))
