"""Words, numbers and times in the language of whoever is asking.

The language is a context variable: set once a request (or once a command), read by :func:`gettext`.
Catalogues are ``locales/<language>/LC_MESSAGES/messages.po``, compiled in memory when first needed.
English is the source language.
"""

from __future__ import annotations

import gettext as _gettext
import io
import re
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from babel.dates import get_month_names
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from errors import shown_params

LANGUAGES: Mapping[str, str] = {"en": "English", "id": "Bahasa Indonesia"}
DEFAULT_LANGUAGE = "en"
LOCALES = Path(__file__).with_name("locales")

THIN_SPACE = "\u202f"  # narrow no-break space: groups of three digits, number and unit
MINUS = "\u2212"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ISO_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_language: ContextVar[str] = ContextVar("language", default=DEFAULT_LANGUAGE)


class Translatable(Protocol):
    """What an error shows: an English template with named fields, and what fills them."""

    @property
    def template(self) -> str: ...

    @property
    def params(self) -> Mapping[str, Any]: ...


def set_language(code: str | None) -> str:
    """Make a language the current one (an unknown code means English) and return it."""
    language = code if code and code in LANGUAGES else DEFAULT_LANGUAGE
    _language.set(language)
    return language


def current_language() -> str:
    """The current language, a key of :data:`LANGUAGES`."""
    return _language.get()


@lru_cache(maxsize=len(LANGUAGES))
def catalogue(language: str) -> _gettext.NullTranslations:
    """The compiled catalogue of a language; the source language has none."""
    path = LOCALES / language / "LC_MESSAGES" / "messages.po"
    if language == DEFAULT_LANGUAGE or not path.exists():
        return _gettext.NullTranslations()
    compiled = io.BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return _gettext.GNUTranslations(compiled)


def gettext(text: str) -> str:
    """A sentence in the current language; itself where there is no translation."""
    return catalogue(current_language()).gettext(text) if text else ""


def ngettext(singular: str, plural: str, count: int) -> str:
    """The form of a sentence for a count, in the current language."""
    return catalogue(current_language()).ngettext(singular, plural, count)


def translate_error(error: Translatable, timezone: str | None = None) -> str:
    """The sentence of an error in the current language, its fields filled in;
    times (ISO 8601, Z) shown in ``timezone``.
    """
    template = error.template
    params = {name: _shown(value, timezone) if timezone else value for name, value in shown_params(error.params).items()}
    if not params:
        return gettext(template)
    try:
        return gettext(template).format(**params)
    except (KeyError, IndexError, ValueError):
        # a translation that does not fit must not hide the error
        return template.format(**params)


def _shown(value: Any, timezone: str) -> Any:
    if not isinstance(value, str) or not _ISO_UTC.fullmatch(value):
        return value
    since = datetime.fromisoformat(value) - _EPOCH
    return format_time(since // timedelta(milliseconds=1), timezone)


def format_number(value: float, decimals: int = 0) -> str:
    """Return a number with thin-space thousands and the decimal mark of the language."""
    if value != value:
        return "–"
    text = f"{abs(value):,.{decimals}f}"
    whole, _, fraction = text.partition(".")
    sign = MINUS if value < 0 and any(digit in "123456789" for digit in text) else ""
    mark = "," if current_language() == "id" else "."
    return sign + whole.replace(",", THIN_SPACE) + (mark + fraction if fraction else "")


def format_short(value: float) -> str:
    """A count in few digits: ``950``, ``1.4 k``, ``12 k``, ``1.2 M`` (``1,2 jt`` in Indonesian)."""
    for unit, sign in ((1e9, gettext("G")), (1e6, gettext("M")), (1e3, gettext("k"))):
        if abs(value) >= unit * 0.9995:
            scaled = value / unit
            digits = 1 if abs(scaled) < (99.95 if unit > 1e3 else 9.95) else 0
            return format_number(scaled, digits) + THIN_SPACE + sign
    return format_number(value)


def format_about(value: int) -> str:
    """A count of two digits, for what is an estimate: ``950``, ``8 700``, ``17 000``; from a
    million on as :func:`format_short` has it.
    """
    rounded = int(float(f"{value:.1e}"))
    return format_number(rounded) if rounded < 1_000_000 else format_short(max(value, 1_000_000))


def format_duration(seconds: float) -> str:
    """A time span for humans: ``3 s``, ``4 min``, ``2 h 5 min``."""
    if seconds < 90:
        return format_number(max(1, round(seconds))) + THIN_SPACE + gettext("s")
    minutes = round(seconds / 60)
    if minutes < 90:
        return format_number(minutes) + THIN_SPACE + gettext("min")
    hours, rest = divmod(minutes, 60)
    text = format_number(hours) + THIN_SPACE + gettext("h")
    return f"{text} {rest}{THIN_SPACE}{gettext('min')}" if rest else text


def local_time(time_ms: int, timezone: str) -> datetime:
    """Wall clock of a time (int ms UTC) in a zone, aware;
    the ends of the calendar are clipped to years 1 and 9999.
    """
    moment = _EPOCH + timedelta(milliseconds=time_ms)
    try:
        return moment.astimezone(ZoneInfo(timezone))
    except OverflowError:
        return moment


def short_months() -> list[str]:
    """The names of the twelve months as dates have them: ``Jan``, …, ``Dec``."""
    names = _month_names("abbreviated")
    return [names[number] for number in range(1, 13)]


@lru_cache(maxsize=1)
def month_numbers() -> Mapping[str, int]:
    """Return names of months, short and long and in every language, in lower case, with their
    numbers.
    """
    named = (get_month_names(width, locale=language) for width in ("wide", "abbreviated") for language in LANGUAGES)
    return {name.casefold().rstrip("."): number for names in named for number, name in names.items()}


def format_date(time_ms: int, timezone: str) -> str:
    """Date in a zone: ``1 Jan 2016``."""
    moment = local_time(time_ms, timezone)
    return f"{moment.day} {_month_names('abbreviated')[moment.month]} {moment.year:04d}"


def format_time(time_ms: int, timezone: str, *, zone: bool = True) -> str:
    """Return date and time in a zone, ``1 Jan 2016 14:30 WIB``; seconds only if any."""
    clock = _clock(local_time(time_ms, timezone))
    return f"{format_date(time_ms, timezone)} {clock}" + (f" {zone_name(time_ms, timezone)}" if zone else "")


def format_range(start_ms: int, end_ms: int, timezone: str) -> str:
    """[start, end) in a zone: of whole days the first and the last, ``1 Jan 2016 – 31 Dec 2025
    WIB``, or the only one; else with clock times, and the date once where both are of one day:
    ``1 Jan 2016 14:30 – 15:00 WIB``.
    """
    start, end = local_time(start_ms, timezone), local_time(end_ms, timezone)
    if start < end and is_midnight(start) and is_midnight(end):
        days = dict.fromkeys(format_date(at, timezone) for at in (start_ms, end_ms - 1))
        return f"{' – '.join(days)} {zone_name(end_ms - 1, timezone)}"
    end_words = _clock(end) if start.date() == end.date() else format_time(end_ms, timezone, zone=False)
    return f"{format_time(start_ms, timezone, zone=False)} – {end_words} {zone_name(end_ms, timezone)}"


def is_midnight(moment: datetime) -> bool:
    """Return whether a wall clock shows the beginning of a day."""
    return (moment.hour, moment.minute, moment.second, moment.microsecond) == (0, 0, 0, 0)


def _clock(moment: datetime) -> str:
    """``14:30``; seconds and milliseconds only if any."""
    clock = f"{moment:%H:%M}"
    if moment.second or moment.microsecond:
        clock += f":{moment:%S}"
    return clock + (f".{moment.microsecond // 1000:03d}" if moment.microsecond else "")


def format_month(month: int) -> str:
    """A month (``year * 12 + month - 1``) as ``March 2019``."""
    return f"{_month_names('wide')[month % 12 + 1]} {month // 12}"


def zone_name(time_ms: int, timezone: str) -> str:
    """The short name of a zone at a time: ``WIB``, ``UTC+3`` where the zone has none."""
    name = local_time(time_ms, timezone).tzname() or "UTC"
    if name[0] not in "+-":
        return name
    hours, minutes = int(name[1:3]), name[3:5]
    return f"UTC{name[0].replace('-', MINUS)}{hours}" + (f":{minutes}" if minutes else "")


def _month_names(width: str) -> Mapping[int, str]:
    return get_month_names(width, context="format", locale=current_language())  # type: ignore[arg-type]
