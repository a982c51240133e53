"""Badge and statistics: what is drawn, in words and exact numbers."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from analysis.summary import Summary
from data.catalogue import load_catalogue
from data.view.records import SeriesStatistics, SeriesView
from i18n import set_language
from layouts.badge import badge, completeness
from layouts.chart import chart
from layouts.statistics import share_text, statistics_table, statistics_tsv
from layouts.statistics_head import statistics_heading
from tests.unit.views import DAY_MS, START_MS, line, series, view

CATALOGUE = load_catalogue()
NARROW = "\u202f"


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    set_language("en")
    yield
    set_language("en")


def plain(text: str) -> str:
    """Parts of the badge do not break; for reading they may."""
    return text.replace("\u00a0", " ")


def rain(**more: Any) -> SeriesView:
    return series("aws-1", "rainfall", "bars", [START_MS], [0.2], width=np.array([60_000.0]), **more)


@pytest.mark.parametrize(
    ("parts", "resolution", "expected"),
    [
        ([line([START_MS], [1.0], total_rows=1440)], "raw", "all 1~440 rows drawn"),
        ([line([START_MS], [1.0], total_rows=10_518_912, exact=False)], "raw", "10~518~912 rows, every peak kept"),
        ([rain(total_rows=5000, exact=False, bucket="1d")], "raw", "daily sums of 5~000 rows"),
        ([line([START_MS], [1.0], total_rows=9, bucket="1d", exact=False)], "1d", "daily means of 9 rows"),
        ([rain(total_rows=9, bucket="1d", exact=False)], "1d", "daily sums of 9 rows"),
        ([line([START_MS], [1.0]), rain(bucket="1h", exact=False)], "1h", "hourly means and sums of 2 rows"),
        ([rain(total_rows=9, bucket="7d", exact=False)], "1d", "weekly sums of 9 rows"),
        ([rain(total_rows=9, bucket="3mo", exact=False)], "1mo", "3-month sums of 9 rows"),
        ([line([START_MS], [1.0]), rain(bucket="2d", exact=False)], "1d", "daily means and 2-day sums of 2 rows"),
        ([line([], [])], "raw", "no data in this window"),
    ],
)
def test_the_badge_says_what_is_drawn(parts: list[SeriesView], resolution: str, expected: str) -> None:
    made = view(*parts, resolution=resolution, completeness=None)
    assert badge(made).split(" · ")[0] == expected.replace("~", NARROW).replace("-", "\u2011")  # which no line breaks at


def test_rain_alone_names_its_buckets_too() -> None:
    made = view(rain(total_rows=5000, exact=False, bucket="7d"), completeness=None)
    assert plain(badge(made)) == f"weekly sums of 5{NARROW}000 rows"


def test_the_heading_of_the_statistics_says_of_which_window_they_are() -> None:
    made = view(line([START_MS], [1.0]))
    assert statistics_heading(made) == "Statistics, 1 Jan 2019 WIB"
    assert statistics_heading(view()) == ""
    fine = view(line([START_MS], [1.0]), start_ms=START_MS + 61_847, end_ms=START_MS + DAY_MS - 1)
    assert statistics_heading(fine).startswith("Statistics, 1 Jan 2019 00:01 – 23:59 WIB")


def test_the_badge_tells_completeness_and_flagged() -> None:
    made = view(line([START_MS], [1.0], total_rows=991, total_flagged=214), completeness=0.991)
    assert plain(badge(made)) == f"all 991 rows drawn · 99.1{NARROW}% complete · 214 flagged"


def test_the_badge_names_the_buckets_of_rain_beside_a_line() -> None:
    made = view(line([START_MS], [1.0], total_rows=9, exact=False), rain(bucket="7d", exact=False), completeness=None)
    assert plain(badge(made)).endswith("bars are weekly sums")


def test_bars_coarser_than_was_chosen_are_never_drawn_in_silence() -> None:
    made = view(rain(total_rows=9, bucket="7d", exact=False), resolution="1d", completeness=None)
    assert plain(badge(made)) == "weekly sums of 9 rows · daily sums are too narrow here; zoom in"
    alone = view(rain(total_rows=9, bucket="7d", exact=False), resolution="raw", completeness=None)
    assert plain(badge(alone)) == "weekly sums of 9 rows"


def test_statistics_under_bars_of_days_say_that_they_are_of_observations() -> None:
    daily = str(statistics_table(view(rain(bucket="1d", exact=False), line([START_MS], [1.0], bucket="1d")), CATALOGUE))
    assert "from all stored values, not from the daily means, daily sums in the chart" in daily
    assert "stored values" not in str(statistics_table(view(line([START_MS], [1.0])), CATALOGUE))


def test_while_data_is_still_to_come_the_badge_calls_nothing_incomplete() -> None:
    made = view(line([START_MS], [1.0], total_rows=1440), completeness=0.05)
    assert badge(made, partial=True) == f"1{NARROW}440 rows so far"


def test_the_badge_speaks_indonesian() -> None:
    set_language("id")
    assert badge(view(line([START_MS], [1.0], total_rows=1440), completeness=None)) == f"semua 1{NARROW}440 baris digambar"


def test_completeness_weighs_series_by_the_rows_expected_of_them() -> None:
    full = line([START_MS], [1.0], total_rows=900)  # 900 of 900 and 50 of 100: 950 of 1,000
    made = view(full, completeness=1.0)
    half = SeriesStatistics("aws-2", "temperature", 50, 0, 0.5, *[None] * 8)
    both = type(made)(**{**vars(made), "statistics": (*made.statistics, half)})
    assert completeness(both) == pytest.approx(0.95)


@pytest.mark.parametrize(
    ("share", "expected"), [(1.0, "100 %"), (0.99999, "99.9 %"), (0.5, "50.0 %"), (0.00001, "0.1 %"), (0.0, "0 %")]
)
def test_only_what_is_whole_is_called_100_percent(share: float, expected: str) -> None:
    assert share_text(share) == expected.replace(" ", NARROW)


def test_the_table_has_units_times_with_zone_and_thin_thousands() -> None:
    made = view(line([START_MS, START_MS + DAY_MS // 2], [20.25, 31.5], total_rows=10_518_912))
    table = statistics_table(made, CATALOGUE)
    assert table is not None
    text = json.dumps(table.to_plotly_json(), default=lambda part: part.to_plotly_json(), ensure_ascii=False)
    for expected in (f"10{NARROW}518{NARROW}912", f"20.2{NARROW}°C", "1 Jan 2019", '"00:00 WIB"', '"12:00 WIB"', "mean"):
        assert expected in text


def test_rain_is_totalled_and_everything_else_averaged() -> None:
    made = view(line([START_MS], [10.0]), series("aws-1", "rainfall", "bars", [START_MS, START_MS + 1], [1.5, 2.0]))
    head, temperature, rainfall = (text.split("\t") for text in statistics_tsv(made, CATALOGUE).splitlines())
    assert dict(zip(head, temperature, strict=True))["mean"] == "10"
    assert dict(zip(head, temperature, strict=True))["sum"] == ""
    assert dict(zip(head, rainfall, strict=True))["sum"] == "3.5"
    assert dict(zip(head, rainfall, strict=True))["mean"] == ""


def test_copied_statistics_are_plain_numbers_and_utc_times() -> None:
    made = view(line([START_MS], [1234.5], station="a\tb"))
    row = statistics_tsv(made, CATALOGUE).splitlines()[1].split("\t")
    assert row[:6] == ["a b", "temperature", "°C", "1", "1", "0"]
    assert row[6:8] == ["1234.5", "2018-12-31T17:00:00Z"]


@pytest.mark.parametrize(
    ("value", "language", "copied"),
    [
        (-12_345_678.9, "en", "-12345678.9"),  # every digit that is shown
        (123_456_789_012.34, "en", "123456789012.3"),
        (1234.5, "id", "1234,5"),  # as an Indonesian spreadsheet reads it
        (22.199999999999996, "en", "22.2"),
        (-0.04, "en", "0"),
        (100.0, "id", "100"),
    ],
)
def test_copied_numbers_are_those_that_are_shown(value: float, language: str, copied: str) -> None:
    set_language(language)
    row = statistics_tsv(view(line([START_MS], [value])), CATALOGUE).splitlines()[1].split("\t")
    assert row[6] == copied


def test_a_station_whose_name_begins_a_formula_is_copied_as_text_and_negative_numbers_as_numbers() -> None:
    made = view(line([START_MS], [-5.0], station="=1+1"))
    row = statistics_tsv(made, CATALOGUE).splitlines()[1].split("\t")
    assert (row[0], row[6]) == ("'=1+1", "-5")


def test_a_series_without_rows_has_dashes_and_no_numbers() -> None:
    made = view(line([], []))
    assert statistics_tsv(made, CATALOGUE).splitlines()[1].split("\t")[3:] == ["0", "", "0", *[""] * 8]
    assert statistics_table(made, CATALOGUE) is not None


def test_without_series_there_is_no_table() -> None:
    assert statistics_table(view(), CATALOGUE) is None


def test_the_charts_parts_have_the_ids_that_others_rely_on() -> None:
    text = json.dumps(chart("id").to_plotly_json(), default=lambda part: part.to_plotly_json())
    for wanted in ("chart", "stats", "overview", "badge", "selection", "chart-width"):
        assert f'"id": "{wanted}"' in text
    assert '"locale": "id"' in text


# -- what the summary adds -------------------------------------------------------------------------


def summarised(**changed: object) -> Summary:
    fields = dict.fromkeys(Summary.__dataclass_fields__) | {"rows": 9, "flagged": 0, "gaps": 2, "min_count": 1}
    return Summary(**(fields | {"max_count": 3, "p10": 11.04, "median": 15.0, "p90": 18.5, "std": 2.25} | changed))  # type: ignore[arg-type]


def test_the_table_tells_gaps_ties_quantiles_and_deviation_where_they_were_read() -> None:
    made = view(line([START_MS, START_MS + DAY_MS // 2], [10.0, 20.0]))
    table = statistics_table(made, CATALOGUE, summaries={("aws-1", "temperature"): summarised()})
    text = json.dumps(table, default=lambda part: part.to_plotly_json(), ensure_ascii=False)
    for expected in ("2 gaps", "first of 3", f"15.0{NARROW}°C", "10–90 %: 11.0\u00a0…\u00a018.5", "mean, σ 2.2", "Median"):
        assert expected in text
    assert "first of 1" not in text
    assert "Median" not in str(statistics_table(made, CATALOGUE))  # not whole, or whole steps only
    too_many = str(statistics_table(made, CATALOGUE, summaries=None))
    assert "Median" not in too_many
    assert "readings or fewer to see gaps" in too_many


def test_a_direction_has_a_deviation_and_no_median() -> None:
    made = view(series("aws-1", "wind_direction", "dots", [START_MS], [90.0]))
    nothing = summarised(p10=math.nan, median=math.nan, p90=math.nan, min_count=None, max_count=None, std=41.0, gaps=0)
    text = str(statistics_table(made, CATALOGUE, summaries={("aws-1", "wind_direction"): nothing}))
    assert "σ 41" in text
    assert "no gap" in text
    assert "10–90" not in text


def test_copied_statistics_have_the_same_numbers() -> None:
    made = view(line([START_MS], [10.0]))
    head, row = (
        text.split("\t") for text in statistics_tsv(made, CATALOGUE, {("aws-1", "temperature"): summarised()}).splitlines()
    )
    found = dict(zip(head, row, strict=True))
    names = ("gaps", "min_count", "max_count", "p10", "median", "p90", "std")
    assert [found[name] for name in names] == ["2", "1", "3", "11", "15", "18.5", "2.2"]
