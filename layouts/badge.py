"""The badge: what the chart draws, in one line; nothing is coarser or missing in silence."""

from __future__ import annotations

from typing import Final

from data.view.records import HistoryView
from figures.words import bucket_adjective, smoothed_as
from i18n import format_number
from i18n import gettext as _
from layouts.flags import flag_words
from layouts.statistics import share_text

_NO_BREAK: Final = "\u00a0"
_NO_BREAK_HYPHEN: Final = "\u2011"  # 10-minute stays in one piece


def badge(view: HistoryView, *, partial: bool = False, decided: int = 0) -> str:
    """What is drawn, in one line: ``every min and max of 10 518 912 rows ·
    99.1 % complete · 214 flagged``.

    ``partial`` says that tiles are still to come: then nothing is called complete or incomplete.
    ``decided`` is how many decisions of people are about readings of the window.
    """
    if partial:
        return _("{rows} rows so far").format(rows=format_number(view.total_rows))
    parts = [_drawn(view), *_coarser(view)]
    if smoothed := smoothed_as(view.series):
        parts.append(_("{smoothed} drawn over it").format(smoothed=smoothed))
    complete = completeness(view)
    if complete is not None:
        parts.append(_("{share} complete").format(share=share_text(complete)))
    if view.total_flagged:
        parts.append(_("{count} flagged").format(count=format_number(view.total_flagged)))
    parts += flag_words(view, decided)
    kept = [part.replace("-", _NO_BREAK_HYPHEN) for part in parts]
    return " · ".join([kept[0], *(part.replace(" ", _NO_BREAK) for part in kept[1:])])


def completeness(view: HistoryView) -> float | None:
    """Return rows of all series against those expected, 0..1; None without a usual step."""
    known = [one for one in view.statistics if one.completeness is not None]
    expected = sum(one.rows / one.completeness for one in known if one.completeness)
    if not known:
        return None
    return sum(one.rows for one in known) / expected if expected else 0.0


def _drawn(view: HistoryView) -> str:
    rows = format_number(view.total_rows)
    if not view.total_rows:
        return _("no data in this window")
    if view.resolution == "raw" and all(series.exact for series in view.series):
        return _("all {rows} rows drawn").format(rows=rows)
    if view.resolution != "raw" or all(series.kind == "bars" for series in view.series):
        return _aggregated(view, rows)
    return _("{rows} rows, every peak kept").format(rows=rows)


def _aggregated(view: HistoryView, rows: str) -> str:
    means, bars = bucket_adjective(view.resolution), [series.kind == "bars" for series in view.series]
    sums = ", ".join(sorted(bucket_adjective(bucket) for bucket in _bar_buckets(view)))
    if all(bars):
        return _("{bucket} sums of {rows} rows").format(bucket=sums, rows=rows)
    if not any(bars):
        return _("{bucket} means of {rows} rows").format(bucket=means, rows=rows)
    if sums == means:
        return _("{bucket} means and sums of {rows} rows").format(bucket=means, rows=rows)
    return _("{bucket} means and {sums} sums of {rows} rows").format(bucket=means, sums=sums, rows=rows)


def _coarser(view: HistoryView) -> list[str]:
    """That bars are sums where every observation was asked for, or longer sums than were asked for,
    which have no room.
    """
    if view.resolution != "raw":
        too_narrow = _("{bucket} sums are too narrow here; zoom in").format(bucket=bucket_adjective(view.resolution))
        return [too_narrow] if _bar_buckets(view) - {view.resolution} else []
    sums = ", ".join(sorted(bucket_adjective(bucket) for bucket in _bar_buckets(view)))
    beside = any(series.kind != "bars" for series in view.series)
    return [_("bars are {bucket} sums").format(bucket=sums)] if sums and beside else []


def _bar_buckets(view: HistoryView) -> set[str]:
    return {series.bucket for series in view.series if series.kind == "bars" and series.bucket != "raw"}
