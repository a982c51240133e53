"""For how many pixels the API draws: those that are asked for, within its limits."""

from __future__ import annotations

import pytest

from api.drawn_inputs import FigureQuery


@pytest.mark.parametrize(
    ("width", "ratio", "width_px", "columns"),
    [
        (800, 1.0, 800, 800),
        (800, 1.5, 800, 1200),
        (4000, 4.0, 4000, 4000),  # the limit holds for the screen's pixels
        (1500, 4.0, 1500, 4000),
        (9999, 1.0, 4000, 4000),
        (1, 0.1, 50, 50),
        (100, 99.0, 100, 400),
    ],
)
def test_a_line_has_a_column_for_each_pixel_of_the_screen_up_to_the_greatest_width(
    width: int, ratio: float, width_px: int, columns: int
) -> None:
    query = FigureQuery(width=width, ratio=ratio)
    assert (query.width_px, query.columns) == (width_px, columns)
