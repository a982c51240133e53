"""What goes into the API of figures and pictures: a window, and how it is drawn."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from analysis.inquiry import TREND
from api.inputs import Name, lower_case
from api.window_inputs import StatsQuery

LEAST_PX, DEFAULT_PX, MOST_PX = 50, 1200, 4000
LEAST_PICTURE_PX = 300  # a caption has room
MOST_RATIO = 4


class DrawnQuery(StatsQuery):
    """A window, and what is drawn of it in which words."""

    width: Annotated[int, Field(description=f"Pixels to draw for; kept within {LEAST_PX} to {MOST_PX}.")] = DEFAULT_PX
    language: Annotated[Literal["en", "id"] | None, Field(description="Of its words; default: as the request's.")] = None
    view: Annotated[
        str,
        StringConstraints(max_length=64),
        Field(description="trend, or an analysis, whose options are further names of the query string."),
    ] = TREND

    @property
    def width_px(self) -> int:
        """Return the width to draw for, pixels of the page."""
        return min(max(self.width, LEAST_PX), MOST_PX)


class FigureQuery(DrawnQuery):
    """A window and how it is drawn."""

    notes: Annotated[
        Literal["all", "shared", "none"],
        Field(description="Which notes Trend shows: all that one may see, those that one may embed, or none."),
    ] = "all"
    ratio: Annotated[
        float,
        Field(
            allow_inf_nan=False,
            description=f"How many pixels of the screen each is wide, 1 to {MOST_RATIO}: a line has a column for each, "
            f"at most {MOST_PX}.",
        ),
    ] = 1.0
    height: Annotated[
        int | None, Field(description=f"Height of the figure in pixels, at most {MOST_PX}; default: what suits its panels.")
    ] = None
    theme: Annotated[Literal["light", "dark"], Field(description="Colours.")] = "light"

    @property
    def columns(self) -> int:
        """Return how many columns a line has: one for each pixel of the screen, up to the greatest
        width.
        """
        return min(round(self.width_px * min(max(self.ratio, 1), MOST_RATIO)), MOST_PX)


class PictureQuery(DrawnQuery):
    """A window as a picture, on white, as high as suits its panels."""

    format: Annotated[
        Literal["png", "svg", "pdf", "html"],
        Field(description="Of the file: png (twice as sharp as wide), svg, pdf, or html, which can be zoomed."),
        BeforeValidator(lower_case),
    ] = "png"
    width: Annotated[int, Field(description=f"Pixels across; kept within {LEAST_PICTURE_PX} to {MOST_PX}.")] = DEFAULT_PX
    hidden: Annotated[
        Name | None,
        Field(description="A series that Trend leaves out, as STATION.sensor; may be repeated."),
    ] = None

    @property
    def width_px(self) -> int:
        """Return the width of the picture in pixels."""
        return min(max(self.width, LEAST_PICTURE_PX), MOST_PX)
