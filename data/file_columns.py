"""Columns of Riwayat's own files besides those of sensors; no sensor has such a name."""

from typing import Final, Literal, get_args

Units = Literal["none", "name", "row"]
"""Where a CSV file names units: nowhere, in the names of columns, in a row beneath them."""

UNITS: Final[tuple[Units, ...]] = get_args(Units)

OWN_TIME: Final = "timestamp_utc"
OWN_LOCAL: Final = "timestamp_local"  # the same instant as a clock on the wall shows it
OWN_STATION: Final = "station"
OWN_FLAG: Final = "flag"  # what rules found
OWN_COLUMNS: Final = (OWN_TIME, OWN_LOCAL, OWN_STATION, OWN_FLAG)
