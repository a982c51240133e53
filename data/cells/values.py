"""How cells of files and tables become values of a sensor:
the keys that say so, and the one reader that does it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from numbers import Real
from typing import Annotated, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field, model_validator

from data.arrays import Bools, Floats, Integers
from data.cells.numerals import parse_number, standard_numerals, widened
from data.cells.units import UNCHANGED, Conversion, UnitError, conversion

Counts = Literal["interval", "since_reset", "day_total", "rate"]
Finite = Annotated[float, Field(allow_inf_nan=False)]


_GROUPED = re.compile(r"[+-]?\d[\d.,’' \u00a0\u2009\u202f]*\d")
_ALWAYS_MISSING = ("", "nan")  # besides the keys' own, in small letters
_WITH_UNIT = r"^(?P<number>[+-]?[0-9.][0-9.,’' \x{a0}\x{2009}\x{202f}]*(?:[eE][+-]?[0-9]+)?)\s*(?P<unit>.*)$"


class CellKeys(BaseModel):
    """Keys on how cells are written: of a whole file or table, and of a single column or sensor,
    which then holds for it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    missing: list[str | int | float] = []
    decimal: Literal[".", ","] | None = None
    thousands: Literal[".", ",", " ", "'"] | None = None
    words: dict[str, Finite] = {}

    @model_validator(mode="after")
    def _say_one_thing(self) -> CellKeys:
        if self.thousands is not None and self.thousands == (self.decimal or "."):
            raise ValueError("thousands and decimal (. by default) must differ")
        decimal = self.decimal or "."
        missing = {_meant(text, decimal) for text in self.missing}
        values: dict[str | float, float] = {}
        for text, value in self.words.items():
            if _meant(text, decimal) in missing:
                raise ValueError(f"{text} is among words and missing; expected one of them")
            if values.setdefault(_meant(text, decimal), value) != value:
                raise ValueError(f"words gives two values to {text}; expected one, whatever its case and zeros")
        return self


class ValueKeys(CellKeys):
    """Keys on the values of a sensor. ``unit`` defaults to the file's, else the catalogue's."""

    unit: str | None = None
    unit_in_cell: bool = False
    scale: Finite | None = None
    counts: Counts = "interval"
    step_s: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _make_sense(self) -> ValueKeys:
        if self.scale == 0:
            raise ValueError("scale must not be 0")
        if self.unit is not None and not self.unit.strip():
            raise ValueError("unit is empty; leave it out for the catalogue's")
        if self.unit_in_cell and (self.unit is not None or self.scale is not None):
            raise ValueError("unit_in_cell reads the unit from each cell; leave out unit and scale")
        if self.step_s is not None and self.counts != "rate":
            raise ValueError('step_s is the interval of counts = "rate" only')
        return self


@dataclass(frozen=True)
class ReadValues:
    """``values``: float64, NaN where missing or unreadable, infinite ones as they are; ``missing``:
    how many cells say that there is no value; ``unreadable``: positions (int64, sorted) of the
    cells that are no number.
    """

    values: Floats
    missing: int
    unreadable: Integers


@dataclass(frozen=True)
class ValueReader:
    """Makes values in the catalogue's unit of cells, texts or numbers; equal readers read alike.

    ``missing``: texts, compared whatever their case, and numbers however they are written.
    ``words``: texts or numbers (compared in the same way) that stand for a value, in the
    catalogue's unit. ``cell_unit``: the unit to convert to where each cell carries its own.
    """

    convert: Conversion = UNCHANGED
    missing: tuple[str, ...] = ()
    decimal: str = "."
    thousands: str | None = None
    words: tuple[tuple[str, float], ...] = ()
    cell_unit: str | None = None

    def read(self, column: Any) -> ReadValues:
        """Values of a column: an Arrow array of any type, or a list of what a driver gave.
        Never raises for a cell.
        """
        if not isinstance(column, pa.Array):
            return self._read_list(list(column))
        kind = column.type
        if pa.types.is_dictionary(kind):
            return self.read(column.dictionary_decode())
        if pa.types.is_null(kind):
            return ReadValues(np.full(len(column), np.nan), len(column), np.empty(0, np.int64))
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            plain = self._plain(column)
            return self._read_texts(trimmed(column)) if plain is None else self._read_numbers(plain)
        if pa.types.is_float16(kind) or pa.types.is_float32(kind):
            return self._read_numbers(widened(column.cast(pa.float32())))
        if pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind):
            return self._read_numbers(_floats(column.cast(pa.float64(), safe=False)))
        return self._read_list(column.to_pylist())

    @property
    def expected(self) -> str:
        """What a cell should hold, for messages."""
        if self.cell_unit is not None:
            return f"a number and a unit that converts to {self.cell_unit}"
        if self.thousands is None and self.decimal == ",":
            return 'a number with a decimal comma (where a point groups thousands, write thousands = ".")'
        if self.thousands is not None or self.decimal != ".":
            return f"a number with decimal = {self.decimal!r} and thousands = {self.thousands!r}, in groups of three digits"
        return "a number"

    def explain(self, text: str) -> str:
        """What a cell should hold in place of this text, for messages."""
        if self.cell_unit is None and self.thousands is None and self.decimal == "." and _GROUPED.fullmatch(text):
            return "a number; write decimal or thousands for the signs in it"
        return self.expected

    def _plain(self, cells: pa.Array) -> Floats | None:
        """Texts that are all numbers as a computer writes them, or null: most files have no others,
        and these need not be looked at one by one. None where that is not so.
        """
        if self.words or self.cell_unit is not None or self.decimal != "." or self.thousands is not None:
            return None
        try:
            return _floats(pc.cast(cells, pa.float64()))
        except pa.ArrowInvalid:
            return None

    def _read_numbers(self, raw: Floats) -> ReadValues:
        absent = np.isnan(raw)
        for number in self._missing_numbers:
            absent |= raw == number
        values = self.convert(raw)
        for number, value in self._number_words:
            values = np.where(raw == number, value, values)
        values = np.where(absent, np.nan, values) if self._missing_numbers else values
        return ReadValues(values, int(np.count_nonzero(absent)), np.empty(0, np.int64))

    def _read_texts(self, cells: pa.Array) -> ReadValues:
        lowered = pc.utf8_lower(cells)
        texts = [*_ALWAYS_MISSING, *(text.strip().lower() for text in self.missing)]
        absent = pc.is_in(lowered, value_set=pa.array(texts, pa.string()))
        words = pa.array([text.strip().lower() for text, _ in self.words], pa.string())
        word = pc.index_in(lowered, value_set=words) if self.words else None
        blank = absent if word is None else pc.or_(absent, pc.is_valid(word))
        rest = pc.if_else(blank, pa.scalar(None, pa.string()), cells)
        read = self._read_with_units(rest) if self.cell_unit is not None else self._read_written(rest)
        if word is None:
            return read
        is_word = mask(pc.is_valid(word))
        places = pc.fill_null(word, 0).to_numpy(zero_copy_only=False)
        values = np.where(is_word, np.array([value for _, value in self.words])[places], read.values)
        return ReadValues(values, read.missing - int(np.count_nonzero(is_word)), read.unreadable)

    def _read_written(self, cells: pa.Array) -> ReadValues:
        """Read texts as numbers; null where there is none."""
        wrong = np.empty(0, np.int64)
        if self.decimal != "." or self.thousands is not None:
            cells, wrong = standard_numerals(cells, self.decimal, self.thousands)
        try:
            raw = _floats(pc.cast(cells, pa.float64()))
        except pa.ArrowInvalid:
            told = cells.to_pylist()
            numbers = [None if cell is None else parse_number(cell) for cell in told]
            more = [at for at, cell in enumerate(told) if cell is not None and numbers[at] is None]
            raw, wrong = np.array(numbers, np.float64), np.sort(np.append(wrong, np.array(more, np.int64)))
        read = self._read_numbers(raw)
        return ReadValues(read.values, read.missing - len(wrong), wrong)

    def _read_with_units(self, cells: pa.Array) -> ReadValues:
        parts = pc.extract_regex(cells, _WITH_UNIT)
        numbers = pc.utf8_trim_whitespace(pc.struct_field(parts, "number"))
        unmatched = np.flatnonzero(mask(pc.and_(pc.is_valid(cells), pc.is_null(parts))))
        read = ValueReader(UNCHANGED, self.missing, self.decimal, self.thousands).read(numbers)
        values, wrong = read.values, [unmatched, read.unreadable]
        encoded = pc.struct_field(parts, "unit").dictionary_encode()
        places = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
        for place, unit in enumerate(encoded.dictionary.to_pylist()):
            of = np.flatnonzero(places == place)
            try:
                values[of] = conversion(unit, str(self.cell_unit))(values[of])
            except UnitError:
                wrong.append(of[np.isfinite(values[of])])
                values[of] = np.nan
        unreadable = np.unique(np.concatenate(wrong))
        return ReadValues(values, int(np.count_nonzero(np.isnan(values))) - len(unreadable), unreadable)

    def _read_list(self, column: list[Any]) -> ReadValues:
        if {*map(type, column)} <= {float, type(None)}:
            return self._read_numbers(np.array(column, np.float64))
        is_text = np.array([isinstance(value, str) for value in column], np.bool_)
        if is_text.all() and len(column):
            return self._read_texts(trimmed(pa.array(column, pa.string())))
        numbers = [None if text else _number(value) for value, text in zip(column, is_text, strict=True)]
        wrong = [at for at, value in enumerate(column) if numbers[at] is None and value is not None and not is_text[at]]
        read = self._read_numbers(np.array(numbers, np.float64))
        values, missing = read.values, read.missing - len(wrong) - int(np.count_nonzero(is_text))
        at_text = np.flatnonzero(is_text)
        if len(at_text):
            written = self._read_texts(trimmed(pa.array([column[at] for at in at_text.tolist()], pa.string())))
            values[at_text], missing = written.values, missing + written.missing
            wrong += at_text[written.unreadable].tolist()
        return ReadValues(values, missing, np.array(sorted(wrong), np.int64))

    @cached_property
    def _missing_numbers(self) -> tuple[float, ...]:
        numbers = (parse_number(text.replace(self.decimal, ".")) for text in self.missing)
        return tuple(number for number in numbers if number is not None)

    @cached_property
    def _number_words(self) -> tuple[tuple[float, float], ...]:
        found = ((parse_number(text.replace(self.decimal, ".")), value) for text, value in self.words)
        return tuple((number, value) for number, value in found if number is not None)


def value_reader(keys: ValueKeys, target: str, *, whole: CellKeys | None = None, written_unit: str | None = None) -> ValueReader:
    """The reader of a column or sensor.

    Args:
        keys: its own keys, which hold before the whole's: ``decimal``, ``thousands``, and what each
            text of ``words`` and ``missing`` means; the whole's other texts mean what they do
            there.
        target: the catalogue's unit, as pint spells it.
        whole: the keys of the whole file or table.
        written_unit: the unit that the file itself gives, where the keys have none.

    Raises:
        UnitError: for a unit that is unknown or measures something else.
    """
    whole = whole or CellKeys()
    wanted = f"({target}) / hour" if keys.counts == "rate" else target
    unit = keys.unit or written_unit or wanted
    # pint takes a second to load, for what needs no conversion
    is_same = keys.unit_in_cell or unit == wanted
    in_unit = UNCHANGED if is_same else conversion(unit, wanted)
    decimal = keys.decimal or whole.decimal or "."
    own_words, own_missing = ({_meant(text, decimal) for text in texts} for texts in (keys.words, keys.missing))
    rest = {text: value for text, value in whole.words.items() if _meant(text, decimal) not in own_words | own_missing}
    words = {**rest, **keys.words}
    missing = (*(text for text in whole.missing if _meant(text, decimal) not in own_words), *keys.missing)
    values = in_unit(np.array(list(words.values()), np.float64)).tolist()
    thousands = keys.thousands or whole.thousands
    if thousands == decimal:
        raise UnitError(f"decimal and thousands are both {decimal!r}; they must differ")
    return ValueReader(
        convert=in_unit
        if is_same and keys.scale is None
        else conversion(unit, wanted, 1.0 if keys.scale is None else keys.scale),
        missing=tuple(dict.fromkeys(str(text) for text in missing)),
        decimal=decimal,
        thousands=thousands,
        words=tuple(zip(words, values, strict=True)),
        cell_unit=wanted if keys.unit_in_cell else None,
    )


def _meant(text: object, decimal: str) -> str | float:
    """Return what cells are compared with: a number, however written, or lower-case text."""
    written = str(text).strip().lower()
    number = parse_number(written.replace(decimal, "."))
    return written if number is None else number


def trimmed(array: pa.Array) -> pa.Array:
    """Cells as trimmed text; missing ones become empty."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    return pc.utf8_trim_whitespace(pc.fill_null(pc.cast(array, pa.string()), ""))


def encoded_texts(array: pa.Array) -> pa.DictionaryArray:
    """Cells as :func:`trimmed` text, each text looked at once: a dictionary without null,
    in the order of first appearance, in which a text that was trimmed may stand twice.
    """
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    encoded = pc.dictionary_encode(array, null_encoding="encode")
    return pa.DictionaryArray.from_arrays(encoded.indices, trimmed(encoded.dictionary))


def _floats(array: pa.Array) -> Floats:
    return np.array(array.to_numpy(zero_copy_only=False), dtype=np.float64)


def mask(array: pa.Array) -> Bools:
    """Booleans of Arrow, without a null among them."""
    return np.asarray(array.to_numpy(zero_copy_only=False), dtype=np.bool_)


def _number(value: Any) -> float | None:
    try:
        return float(value) if isinstance(value, Real | Decimal) else None
    except (ValueError, OverflowError):
        return None
