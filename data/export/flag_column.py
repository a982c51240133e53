"""The column of flags: which readings of a row are flagged, by what, and how surely."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.arrays import Integers
from data.export.rows import Piece
from data.export_names import export_names
from data.flag_layer import FLAG_RULES, flag_layer
from data.readings import FLAG_RANGE, FLAG_SOURCE
from data.request import HistoryRequest
from data.site_like import SiteLike

_KINDS = ("csv", "parquet", "arrow")
_OF_THE_TILE = ("range hard", "source hard")
_BETWEEN = "; "
_WORDS = ("", *_OF_THE_TILE, *(f"{rule} {severity}" for rule in FLAG_RULES for severity in ("suspect", "hard")))


def has_flag_column(kind: str, request: HistoryRequest, *, asked: bool) -> bool:
    """Return whether rows in a file of a format end with a column of flags where it is asked for:
    those of observations; a NetCDF file has a variable of flags beside each sensor's instead.
    """
    return asked and kind in _KINDS and request.resolution == "raw"


def flag_column(site: SiteLike, request: HistoryRequest, piece: Piece) -> Any:
    """Return texts such as ``temperature spike hard; humidity step suspect``, one a row, empty
    where nothing is flagged. Rules are told whether their flags count or not.

    Raises:
        TileDamaged: a tile is damaged, or was removed meanwhile.
    """
    columns = []
    shown = export_names(site.catalogue, request.sensors)
    for name, told, flags in zip(request.sensors, shown, piece.flags, strict=True):
        code = np.where(flags & FLAG_RANGE, 1, np.where(flags & FLAG_SOURCE, 2, 0)).astype(np.int64)
        _add_rules(site, piece, name, code)
        words = pa.array([each and f"{_BETWEEN}{told} {each}" for each in _WORDS], pa.string())
        columns.append(words.take(pa.array(code)))
    return pc.utf8_slice_codeunits(pc.binary_join_element_wise(*columns, ""), len(_BETWEEN))


def _add_rules(site: SiteLike, piece: Piece, name: str, code: Integers) -> None:
    layer = flag_layer(site, piece.station, name)
    if layer is None or not len(piece.times):
        return
    times, rules, hard = layer.open(int(piece.times[0]), int(piece.times[-1]) + 1).read()
    at = np.searchsorted(piece.times, times)
    code[at] = 1 + len(_OF_THE_TILE) + 2 * rules.astype(np.int64) + hard
