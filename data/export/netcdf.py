"""NetCDF files by the CF conventions: time series of stations as a contiguous ragged array
(chapter 9.3.3 and appendix H.2.4), written block by block, so memory does not grow with the rows.

Dimensions: ``station`` and ``obs``, which has the rows of all stations one after the other
(``row_size`` of each). Values are float64, NaN where there is none; times int64 ms UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from data.arrays import Integers
from data.catalogue import Sensor
from data.export import cf_attributes as cf
from data.export.flag_column import corrected_sensors, correction_kinds
from data.export.rows import Piece
from data.export.xlsx import ReportRows
from data.export_names import export_names
from data.range_rows import Span
from data.request import HistoryRequest
from data.site import Site
from data.station_metadata import StationMetadata
from data.time.buckets import BY_NAME, bucket_edges
from escaping import visible

# rows of a chunk; whole ones are written, which makes bytes depend on the rows alone
CHUNK_ROWS: Final = 65_536
_PACKED: Final = {"compression": "gzip", "compression_opts": 4, "shuffle": True}
_LEGAL: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")  # name of a variable, by chapter 2.3
_OBS, _STATION = "obs", "station"

Columns = tuple[npt.NDArray[Any], ...]


def libraries() -> dict[str, str]:
    """Return the versions of the libraries that write files, which are in their bytes."""
    return {name: version(name) for name in ("h5netcdf", "h5py")}


def row_count(path: Path) -> int:
    """Return how many rows a file has; raises OSError where it cannot be read."""
    import h5py

    with h5py.File(path) as file:
        return int(file["time"].shape[0])


def write_netcdf(site: Site, request: HistoryRequest, span: Span, pieces: Iterable[Piece], path: Path, wrote: ReportRows) -> int:
    """Write a file; returns how many rows it has. ``wrote`` is called for each piece.

    Raises:
        OSError: it cannot be written, such as on a full disk.
    """
    import h5netcdf  # a web process that writes none need not wait for it

    sizes = dict.fromkeys(request.stations, 0)
    with h5netcdf.File(path, "w") as file:
        file.attrs.update(cf.of_file(site, request, span))
        names = _declare(file, site, request)
        rows = 0
        for columns in _whole_chunks(_counted(pieces, request, site, sizes, wrote)):
            end = rows + len(columns[0])
            file.resize_dimension(_OBS, end)
            for name, column in zip(names, columns, strict=True):
                file.variables[name][rows:end] = column
            rows = end
        file.variables["row_size"][:] = np.array(list(sizes.values()), np.int64)
    return rows


def _counted(
    pieces: Iterable[Piece], request: HistoryRequest, site: Site, sizes: dict[str, int], wrote: ReportRows
) -> Iterator[Columns]:
    """Yield the columns of each piece as :func:`_declare` has them; count rows into ``sizes``."""
    sensors = [site.catalogue[name] for name in request.sensors]
    corrected = corrected_sensors(site, request)
    for piece in pieces:
        sizes[piece.station] += len(piece.times)
        yield (*_columns(piece, request, sensors), *(correction_kinds(site, piece, name) for name in corrected))
        wrote(piece.station, int(piece.times[-1]), sum(sizes.values()))


def _columns(piece: Piece, request: HistoryRequest, sensors: Sequence[Sensor]) -> Columns:
    if request.resolution == "raw":
        return (piece.times, *piece.values, *piece.flags)
    return (piece.times, np.stack([piece.times, _ends(piece.times, request, sensors)], axis=1), *piece.values)


def _ends(starts: Integers, request: HistoryRequest, sensors: Sequence[Sensor]) -> Integers:
    """Return where buckets end, int64 ms UTC; days of sensors may begin at different times."""
    ends = np.zeros(len(starts), np.int64)
    for day_start_min in {sensor.day_start_min for sensor in sensors}:
        bucket, last_ms = BY_NAME[request.resolution], int(starts[-1])
        edges = bucket_edges(bucket, int(starts[0]), last_ms + 1, request.timezone, day_start_min)
        at = np.searchsorted(edges, starts, "right") - 1
        ends = np.maximum(ends, np.where(edges[at] == starts, edges[at + 1], 0))
    return ends


def _whole_chunks(parts: Iterable[Columns]) -> Iterator[Columns]:
    """Yield the same rows in parts of whole chunks; the last one may be shorter."""
    kept: Columns = ()
    for part in parts:
        joined = tuple(np.concatenate(two) for two in zip(kept, part, strict=True)) if kept else part
        whole = len(joined[0]) // CHUNK_ROWS * CHUNK_ROWS
        if whole:
            yield tuple(column[:whole] for column in joined)
        kept = tuple(column[whole:] for column in joined)
    if kept and len(kept[0]):
        yield kept


def _declare(file: Any, site: Site, request: HistoryRequest) -> list[str]:
    """Make the variables; returns the names of those that have rows, in the order of _columns."""
    raw, sensors = request.resolution == "raw", [site.catalogue[name] for name in request.sensors]
    file.dimensions = {_STATION: len(request.stations), _OBS: None}
    coordinates = _declare_stations(file, site, request.stations)
    time = _rows(file, "time", np.int64, cf.TIME)
    names = ["time"]
    if not raw:
        time.attrs["bounds"] = "time_bounds"
        file.dimensions["bounds"] = 2
        file.create_variable("time_bounds", (_OBS, "bounds"), np.int64, chunks=(CHUNK_ROWS, 2), **_PACKED)
        names.append("time_bounds")
    flags, corrections, corrected = [], [], corrected_sensors(site, request)
    for sensor, called in zip(sensors, export_names(site.catalogue, request.sensors), strict=True):
        name = _unused(called if _LEGAL.fullmatch(called) else sensor.name, file)
        variable = _rows(file, name, np.float64, cf.of_sensor(sensor, raw=raw), fillvalue=np.nan)
        variable.attrs["coordinates"] = coordinates
        names.append(name)
        if raw:
            flags.append(_unused(f"{name}_flag", file, {each.name for each in sensors}))
            marks = _rows(file, flags[-1], np.uint8, {**cf.of_flags(sensor), "coordinates": coordinates})
            marks.attrs["flag_masks"] = np.array(cf.FLAG_MASKS, np.uint8)
            beside = flags[-1:]
            if sensor.name in corrected:
                corrections.append(_unused(f"{name}_correction", file, {each.name for each in sensors}))
                kinds = _rows(file, corrections[-1], np.uint8, {**cf.of_corrections(sensor), "coordinates": coordinates})
                kinds.attrs["flag_values"] = np.arange(len(cf.CORRECTION_MEANINGS), dtype=np.uint8)
                beside = [*beside, corrections[-1]]
            variable.attrs["ancillary_variables"] = " ".join(beside)
    return names + flags + corrections


def _declare_stations(file: Any, site: Site, stations: Sequence[str]) -> str:
    """Write what is known of the stations; returns the names of coordinates of rows."""
    import h5py

    known = [site.catalogue.stations.get(name, StationMetadata()) for name in stations]
    name = file.create_variable("station_name", (_STATION,), h5py.string_dtype())
    name.attrs.update(cf.STATION)
    name[:] = np.array([visible(each) if "\0" in each else each for each in stations], object)  # HDF5 ends text there
    file.create_variable("row_size", (_STATION,), np.int64).attrs.update(cf.ROW_SIZE)
    places = {
        "lat": (cf.LATITUDE, [each.latitude for each in known]),
        "lon": (cf.LONGITUDE, [each.longitude for each in known]),
    }
    if any(each.elevation is not None for each in known):
        places["alt"] = cf.ALTITUDE, [each.elevation for each in known]
    for place, (attributes, numbers) in places.items():
        variable = file.create_variable(place, (_STATION,), np.float64, fillvalue=np.nan)
        variable.attrs.update(attributes)
        variable[:] = np.array([np.nan if number is None else number for number in numbers])
    return " ".join(("time", *places, "station_name"))


def _rows(file: Any, name: str, kind: Any, attributes: cf.Attributes, **more: Any) -> Any:
    """Return a new variable with a number a row."""
    variable = file.create_variable(name, (_OBS,), kind, chunks=(CHUNK_ROWS,), **_PACKED, **more)
    variable.attrs.update(attributes)
    return variable


def _unused(name: str, file: Any, others: Iterable[str] = ()) -> str:
    """Return a name that nothing in the file has, and that is none of ``others``."""
    while name in file.variables or name in file.dimensions or name in ("time_bounds", *others):
        name += "_"
    return name
