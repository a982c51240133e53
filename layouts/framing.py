"""A window's figure as it leaves the site, for API and command line alike: of Trend, or the picture
of an analysis; light, in the current language.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from access.notes.noted import Noted
from analysis.answer import Answer
from analysis.inquiry import TREND
from data.time.epoch import epoch_ms
from figures.analysis_figure import analysis_figure
from figures.canvas import Canvas
from figures.framed import Caption, framed
from figures.history import NOTHING_NOTED
from figures.job_window import JobWindow
from figures.panels import MARGIN_LEFT, MARGIN_RIGHT
from figures.template import style_of
from i18n import format_date
from layouts.views import drawing_options, view_caption

PICTURE_PX: Final = 1200  # the usual width of a picture
_SHARP: Final = 2  # pixels of a PNG for each of its width


@dataclass(frozen=True)
class Frame:
    """``host`` is where a picture is from, ``hidden`` are the keys of series that it leaves out.
    ``sharp``: it is drawn with more pixels than it is wide, and lines have a column for each.
    """

    host: str
    width_px: int = PICTURE_PX
    hidden: Collection[str] = ()
    sharp: bool = False

    @property
    def plot_px(self) -> int:
        """Return the width of the plot, without its margins."""
        return self.width_px - MARGIN_LEFT - MARGIN_RIGHT


def framed_trend(
    window: JobWindow, texts: Mapping[str, str], frame: Frame, *, flagged: bool, noted: Noted = NOTHING_NOTED
) -> dict[str, Any]:
    """Return the figure of a window as lines and bars; ``texts`` are options of the address."""
    window = window.only(texts.get("only", ""))
    columns = frame.plot_px * (_SHARP if frame.sharp else 1)
    drawn = window.trend_view(texts, columns, include_flagged=flagged, with_statistics=False)
    look: dict[str, Any] = {"theme": "light", "width_px": frame.plot_px}
    figure = window.figure(drawn.view, window.gaps(columns), options=drawn.options, noted=noted, **look)
    return framed(figure, caption_of(window, TREND, frame), frame.width_px, frame.hidden)


def framed_answer(window: JobWindow, answer: Answer, options: Mapping[str, str], frame: Frame) -> dict[str, Any]:
    """Return the picture of what an analysis has found in a window."""
    view = answer.analysis
    canvas = Canvas(style_of("light"), frame.plot_px, drawing_options(view, options))
    return framed(analysis_figure(answer, window.site.catalogue, canvas), caption_of(window, view, frame), frame.width_px)


def caption_of(window: JobWindow, view: str, frame: Frame) -> Caption:
    """Return what a picture of a window says of itself; its date is today's at the site."""
    title, range_, source = view_caption(window.job.request, window.span, window.site.catalogue, view)
    today = format_date(epoch_ms(), window.site.settings.timezone)
    return Caption(title, range_, source.format(host=frame.host, date=today))
