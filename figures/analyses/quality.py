"""Quality control: how many events each rule found in each sensor; a cell filters their list."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from analysis.answer import Answer
from analysis.quality.review import GAPS, RULES, Quality, QualityEvent, RuleCount
from data.catalogue import Catalogue
from data.time.epoch import HOUR_MS
from escaping import visible
from figures.canvas import BOTTOM_PX, TOP_PX, Canvas, canvas_layout
from figures.history import Figure
from figures.legend import LETTER_PX
from figures.notes import NOTE_PX, no_data, note_above, note_lines, sentence_figure
from figures.rule_words import of_words, rule_name
from figures.subjects import HOVER
from figures.template import axis_style, mixed
from figures.words import verbatim
from i18n import format_number, format_range
from i18n import gettext as _

MOST_LINES: Final = 40
FOUND: Final = ("readings", "gaps")  # what is shown and listed
_LINE_PX: Final = 28
_ASLANT_DEG: Final = 40.0  # names of rules above
_ROOM_MS: Final = 12 * HOUR_MS
_MOST_NAME: Final = 0.4  # of the width, for names of sensors


@dataclass(frozen=True)
class _Cell:
    """What a rule found in one sensor of one station; ``first`` is its longest event."""

    station: str
    line: str
    count: RuleCount
    first: QualityEvent

    @property
    def of(self) -> str:
        """The series that the cell is of, as the list's filter names it."""
        return f"{self.station}.{self.count.sensor}"


def figure(answer: Answer, catalogue: Catalogue, canvas: Canvas) -> Figure:
    """Return a line for each sensor with events and a column for each rule with any, of readings
    or of gaps. A cell's custom data ends with its rule and series: a press lists its events.
    """
    if not answer.subjects:
        return no_data(canvas)
    of_gaps = canvas.choice("found", FOUND) == FOUND[1]
    cells = [cell for cell in _cells(answer, catalogue) if (cell.count.rule in GAPS) == of_gaps]
    if not cells:
        return sentence_figure(_("Nothing found in this window"), canvas)
    lines = list(dict.fromkeys(cell.line for cell in cells))
    shown = lines[:MOST_LINES]
    rules = [rule for rule in RULES if any(cell.count.rule == rule for cell in cells if cell.line in shown)]
    more = _("{number} more sensors with events are not drawn.").format(number=format_number(len(lines) - len(shown)))
    notes = note_lines([more] if len(lines) > len(shown) else [], canvas)
    top_px = TOP_PX + _head_px(rules) + NOTE_PX * len(notes)
    layout = canvas_layout(canvas, top_px + _LINE_PX * len(shown) + BOTTOM_PX, top_px)
    layout["annotations"] = note_above(notes, canvas.style)
    layout.update(_axes(shown, rules, canvas))
    drawn = [cell for cell in cells if cell.line in shown]
    return {"data": [_marks(drawn, shown, rules, answer.timezone, canvas)], "layout": layout}


def _cells(answer: Answer, catalogue: Catalogue) -> list[_Cell]:
    found = []
    for subject in answer.subjects:
        result: Quality = subject.result
        for count in result.counts:
            own = [event for event in result.events if (event.sensor, event.rule) == (count.sensor, count.rule)]
            if own:
                longest = max(own, key=lambda event: event.to_ - event.from_)
                line = f"{visible(subject.station)} · {of_words(count.sensor, catalogue)}"
                found.append(_Cell(subject.station, line, count, longest))
    return found


def _marks(cells: Sequence[_Cell], lines: Sequence[str], rules: Sequence[str], timezone: str, canvas: Canvas) -> dict[str, Any]:
    """A square with the number of events in each cell: filled where some of them are hard."""
    hard = mixed("#D55E00", canvas.style.ground, 0.55)
    suspect = mixed("#E69F00", canvas.style.ground, 0.8)
    chosen = (canvas.drawing.get("rule", ""), canvas.drawing.get("of", ""))
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": [rules.index(cell.count.rule) for cell in cells],
        "y": [lines.index(cell.line) for cell in cells],
        "text": [format_number(cell.count.events) for cell in cells],
        "textfont": {"size": 12, "color": canvas.style.ink},
        "marker": {
            "symbol": "square",
            "size": _LINE_PX - 4,
            "color": [hard if cell.count.hard else suspect for cell in cells],
            "line": {"color": canvas.style.ink, "width": [2 if (cell.count.rule, cell.of) == chosen else 0 for cell in cells]},
        },
        "customdata": [[0, 0, _words(cell, timezone), cell.count.rule, cell.of] for cell in cells],
        "hovertemplate": HOVER,
    }


def event_span(event: QualityEvent) -> tuple[int, int]:
    """Return an event's window with what is around it, int ms UTC: half of its length on each
    side, or half a day where that is more.
    """
    room = max((event.to_ - event.from_) // 2, _ROOM_MS)
    return int(event.from_ - room), int(event.to_ + room)


def _words(cell: _Cell, timezone: str) -> str:
    lines = [
        f"<b>{verbatim(cell.line)}</b>",
        f"{rule_name(cell.count.rule)}: " + _("{number} events").format(number=format_number(cell.count.events)),
        _("{rows} readings").format(rows=format_number(cell.count.rows)),
        _("longest: {range}").format(range=format_range(cell.first.from_, cell.first.to_, timezone)),
    ]
    return "<br>".join(lines)


def _head_px(rules: Sequence[str]) -> int:
    """Height of the names of rules, in px."""
    longest = max(len(rule_name(rule)) for rule in rules)
    return round(longest * LETTER_PX * math.sin(math.radians(_ASLANT_DEG)) + _LINE_PX / 2)


def _axes(lines: Sequence[str], rules: Sequence[str], canvas: Canvas) -> dict[str, Any]:
    axis = {**axis_style(canvas.style), "fixedrange": True, "zeroline": False}
    letters = max(8, int(canvas.width_px * _MOST_NAME / LETTER_PX))
    names = [line if len(line) <= letters else line[: letters - 1].rstrip() + "…" for line in lines]
    return {
        "xaxis": {
            **axis,
            "side": "top",
            "range": [-0.5, max(len(rules), 6) - 0.5],
            "tickvals": list(range(len(rules))),
            "ticktext": [rule_name(rule) for rule in rules],
            "tickangle": -_ASLANT_DEG,
        },
        "yaxis": {
            **axis,
            "range": [len(lines) - 0.5, -0.5],
            "tickvals": list(range(len(lines))),
            "ticktext": [verbatim(name) for name in names],
            "automargin": "left",
        },
    }
