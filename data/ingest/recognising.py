"""Which profile a file without one is read by: it says itself what it is, or its columns do."""

from __future__ import annotations

from data.catalogue import Catalogue
from data.file_columns import OWN_STATION, OWN_TIME
from data.ingest import receiver_json
from data.ingest.file_names import with_file_names
from data.ingest.layout import Layout, read_layout
from data.ingest.own_files import own_columns, own_profile
from data.ingest.profile import SITE_ZONE, Profile, ValueRule, bundled_profiles, load_profile
from errors import ImportRejected

TOA5_PROFILE = "campbell_toa5"


def recognised(layout: Layout, catalogue: Catalogue) -> tuple[Profile, str, Layout]:
    """The profile, its name, and the layout as the profile says.

    Raises:
        ImportRejected, UnknownSensor: saying what was expected.
    """
    if layout.kind in {"toa5", "tob"}:
        return load_profile(TOA5_PROFILE), TOA5_PROFILE, layout
    if layout.kind == "json":
        columns = {sensor.name: ValueRule(sensor=sensor.name) for sensor in catalogue.measured}
        # Keys that are no sensor are left out and listed.
        keys = Profile(
            time=receiver_json.TIME, timezone=SITE_ZONE, station=receiver_json.STATION, some_columns=True, columns=columns
        )
        return keys, "receiver", layout
    if OWN_TIME in layout.columns and any(sensor in catalogue.measured for sensor, _ in own_columns(layout.columns).values()):
        own, found = own_profile(layout, catalogue)
        return own, "own", found
    fitting = []
    for name, path in bundled_profiles().items():
        profile = load_profile(path)
        if profile.some_columns or not profile.header or profile.layout == "station_columns":
            continue  # fits too much
        try:
            candidate = layout if layout.kind == "parquet" else read_layout(layout.path, profile, profile.header_names)
            fit = with_file_names(profile, candidate)
        except ImportRejected:  # no header where this one has it
            continue
        named = {*fit.time_columns, *fit.value_columns, *fit.split, *([fit.station] if fit.station else [])}
        if {fit.made_columns.get(name, name) for name in named} <= set(candidate.columns):
            fitting.append((profile, name, candidate))
    if len(fitting) == 1:
        return fitting[0]
    raise ImportRejected(
        "{file}, {place} {line}: not a format that Riwayat recognises; expected columns {expected}, "
        "or a --profile (a TOML file or one of {known}). The file's columns: {columns}.",
        file=layout.path,
        place=layout.place,
        line=layout.header_line,
        expected=f"{OWN_TIME}, {OWN_STATION} and sensors ({', '.join(sensor.name for sensor in catalogue.measured)})",
        known=", ".join(bundled_profiles()),
        columns=", ".join(layout.columns),
    )
