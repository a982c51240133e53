"""Words, numbers and times by language; and that nothing which users meet stays untranslated."""

from __future__ import annotations

import string

import pytest
from babel.messages.catalog import Catalog

import errors
from i18n import (
    LANGUAGES,
    MINUS,
    THIN_SPACE,
    catalogue,
    current_language,
    format_about,
    format_date,
    format_duration,
    format_month,
    format_number,
    format_range,
    format_short,
    format_time,
    gettext,
    ngettext,
    set_language,
    translate_error,
    zone_name,
)
from locales.extract import template

MARCH_2019 = 1_552_995_000_000  # 2019-03-19 11:30 UTC, 18:30 in Jakarta


@pytest.fixture(autouse=True)
def _english():
    set_language("en")
    yield
    set_language("en")


def fields(text: str) -> set[str]:
    return {name for _text, name, _spec, _conversion in string.Formatter().parse(text) if name is not None}


def forms(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


@pytest.fixture(scope="module")
def messages() -> Catalog:
    """All sentences of the source; to look for them takes two seconds."""
    return template()


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {"en"}))
def test_every_message_of_the_source_is_translated_with_the_same_fields(messages, language):
    found = catalogue(language)
    untranslated, different = [], []
    for message in messages:
        if not message.id:
            continue
        ids = forms(message.id)
        key = ids[0] if len(ids) == 1 else (ids[0], 0)
        text = found._catalog.get(key)
        if not text:
            untranslated.append(ids[0])
        elif fields(text) != fields(ids[-1]):
            different.append((ids[-1], text))
    assert not untranslated, "run `python -m locales.extract` and translate what it names"
    assert not different


def test_no_translation_is_left_over(messages):
    ids = {forms(message.id)[0] for message in messages}
    found = {key if isinstance(key, str) else key[0] for key in catalogue("id")._catalog}
    assert found - {""} <= ids


def test_an_unknown_language_means_english():
    assert set_language("xx") == "en"
    assert set_language(None) == "en"
    assert set_language("id") == current_language() == "id"


def test_meteorologists_terms():
    set_language("id")
    assert gettext("Load history") == "Muat riwayat"
    assert gettext("Cancel") == "Batalkan"
    assert ngettext("{count} station", "{count} stations", 3).format(count=3) == "3 stasiun"


@pytest.mark.parametrize(
    ("value", "decimals", "english", "indonesian"),
    [
        (0, 0, "0", "0"),
        (999, 0, "999", "999"),
        (10_518_912, 0, "10 518 912", "10 518 912"),
        (-1234.56, 1, "−1 234.6", "−1 234,6"),
        (-0.04, 1, "0.0", "0,0"),  # no minus before a zero
        (float("nan"), 1, "–", "–"),
    ],
)
def test_numbers_have_thin_spaces_and_the_mark_of_the_language(value, decimals, english, indonesian):
    assert format_number(value, decimals) == english.replace(" ", THIN_SPACE).replace("−", MINUS)
    set_language("id")
    assert format_number(value, decimals) == indonesian.replace(" ", THIN_SPACE).replace("−", MINUS)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (950, "950"),
        (999.4, "999"),
        (999.6, "1.0 k"),
        (1_440, "1.4 k"),
        (9_949, "9.9 k"),
        (9_950, "10 k"),
        (12_345, "12 k"),
        (999_600, "1.0 M"),
        (10_518_912, "10.5 M"),
        (2.4e9, "2.4 G"),
    ],
)
def test_counts_in_few_digits(value, text):
    assert format_short(value) == text.replace(" ", THIN_SPACE)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (95, "95"), (717, "720"), (8_703, "8 700"), (99_600, "100 000"), (994_999, "990 000"), (995_000, "1.0 M")],
)
def test_a_count_that_is_an_estimate_has_two_digits(value, text):
    assert format_about(value) == text.replace(" ", THIN_SPACE)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "1 s"), (3.4, "3 s"), (89, "89 s"), (150, "2 min"), (5400, "1 h 30 min"), (7200, "2 h")]
)
def test_durations(seconds, text):
    assert format_duration(seconds).replace(THIN_SPACE, " ") == text


def test_times_carry_their_zone_and_only_the_digits_that_say_something():
    assert format_time(MARCH_2019, "Asia/Jakarta") == "19 Mar 2019 18:30 WIB"
    assert format_time(MARCH_2019 + 5_000, "Asia/Jakarta") == "19 Mar 2019 18:30:05 WIB"
    assert format_time(MARCH_2019 + 5_020, "Asia/Jakarta", zone=False) == "19 Mar 2019 18:30:05.020"
    set_language("id")
    assert format_date(1_567_000_000_000, "Asia/Jakarta") == "28 Agu 2019"
    assert format_month(2019 * 12 + 2) == "Maret 2019"


@pytest.mark.parametrize(
    ("zone", "name"), [("Asia/Jakarta", "WIB"), ("Asia/Tashkent", "UTC+5"), ("Asia/Kathmandu", "UTC+5:45"), ("UTC", "UTC")]
)
def test_a_zone_without_a_name_shows_its_offset(zone, name):
    assert zone_name(MARCH_2019, zone) == name


def test_a_range_of_whole_days_shows_its_last_day_and_no_clock():
    midnight = 1_552_928_400_000  # 2019-03-19 00:00 in Jakarta
    assert format_range(midnight, midnight + 86_400_000, "Asia/Jakarta") == "19 Mar 2019 WIB"
    assert format_range(midnight, midnight + 2 * 86_400_000, "Asia/Jakarta") == "19 Mar 2019 – 20 Mar 2019 WIB"
    assert format_range(midnight, midnight + 3_600_000, "Asia/Jakarta") == "19 Mar 2019 00:00 – 01:00 WIB"
    before = format_range(midnight - 1_500, midnight, "Asia/Jakarta")
    assert before == "18 Mar 2019 23:59:58.500 – 19 Mar 2019 00:00 WIB"


def test_the_ends_of_the_calendar_can_be_shown():
    assert format_date(-62_135_596_800_000, "America/New_York") == "1 Jan 0001"
    assert format_date(253_402_300_799_999, "Asia/Jakarta") == "31 Dec 9999"


def test_an_error_speaks_the_language_with_its_fields_and_the_readers_time():
    error = errors.NoData(
        "No data for {stations} between {start} and {end}. Data is available from {first} to {last}.",
        stations="aws-1",
        start="2020-01-01T00:00:00Z",
        end="2020-02-01T00:00:00Z",
        first="2019-03-19T11:30:00Z",
        last="2019-03-20T11:30:00Z",
    )
    set_language("id")
    text = translate_error(error, "Asia/Jakarta")
    assert text.startswith("Tidak ada data untuk aws-1 antara 1 Jan 2020 07:00 WIB")
    assert "19 Mar 2019 18:30 WIB" in text
    assert "2020-01-01T00:00:00Z" in translate_error(error)  # without a zone as it is
