"""Keys of a profile on how a file of text is laid out:
where its header is, and how a line is cut into cells.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import accumulate
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

BLANK = "blank"  # runs of spaces and tabs


class TextKeys(BaseModel):
    """``skip_rows``: without it the header is looked for, else it is the first line; "header":
    it must be found.

    docs/importing.md describes each key.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    delimiter: str = ","
    widths: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1)] | None = None
    encoding: str = "utf-8"
    skip_rows: Annotated[int, Field(ge=0)] | Literal["header"] | None = None
    comment: Annotated[str, Field(min_length=1, max_length=8)] | None = None
    header: bool = True
    names: list[str] = []
    header_rows: Annotated[int, Field(ge=1, le=9)] = 1
    units_row: bool = False
    extra_fields: Literal["ignore"] | None = None
    short_rows: Literal["ignore", "missing"] | None = None

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, delimiter: str) -> str:
        if delimiter == BLANK or (len(delimiter) == 1 and delimiter not in '"\r\n'):
            return delimiter
        raise ValueError('expected one character, or "blank" for runs of spaces and tabs')

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, name: str) -> str:
        try:
            "".encode(name)
        except LookupError as exc:
            raise ValueError(f"{name!r} is not a known encoding such as utf-8 or latin-1") from exc
        return name

    @model_validator(mode="after")
    def _fit_together(self) -> TextKeys:
        if self.header == bool(self.names):
            raise ValueError("header = false and names = [NAME, …] go together: a file without a header line, and its columns")
        if not self.header and (self.skip_rows == "header" or self.units_row or self.header_rows > 1):
            raise ValueError(
                'header = false says that there is no header; leave out skip_rows = "header", header_rows and units_row'
            )
        if self.widths is not None:
            if "delimiter" in self.model_fields_set:
                raise ValueError("give either delimiter or widths, not both")
            if self.names and len(self.names) != len(self.widths):
                raise ValueError(f"names and widths differ: {len(self.names)} and {len(self.widths)}")
        return self

    def cells(self, line: str) -> list[str]:
        """The cells of one line."""
        return next(iter(self.rows([line])), [])

    def rows(self, lines: Iterable[str]) -> Iterator[list[str]]:
        """The cells of lines, perhaps with blanks around them;
        a quoted cell may go on over the end of a line.

        Raises:
            csv.Error: for what is no row at all, such as a cell of more than 128 kB.
        """
        if self.widths is not None:
            cuts = self._cuts
            for line in lines:
                text = line.rstrip("\r\n")
                # A line that ends before a column begins has no such cell;
                # the last cell takes what is longer, if anything.
                rest = text[cuts[-1][1] :].strip()
                yield [text[start:end].strip() for start, end in cuts if start < len(text)] + ([rest] if rest else [])
        elif self.delimiter == BLANK:
            for line in lines:
                yield line.split()
        else:
            yield from csv.reader(lines, delimiter=self.delimiter)

    @property
    def by_arrow(self) -> bool:
        """Return whether every row is as long as the header and cut by one character:
        then Arrow reads them, much faster.
        """
        own = self.widths or self.delimiter == BLANK or self.comment or self.extra_fields or self.short_rows == "missing"
        return not own

    @cached_property
    def _cuts(self) -> list[tuple[int, int]]:
        ends = list(accumulate(self.widths or ()))
        return list(zip([0, *ends[:-1]], ends, strict=True))
