"""Columns of Riwayat's own files besides those of sensors; no sensor has such a name."""

from typing import Final

OWN_TIME: Final = "timestamp_utc"
OWN_LOCAL: Final = "timestamp_local"  # the same instant as a clock on the wall shows it
OWN_STATION: Final = "station"
OWN_FLAG: Final = "flag"  # what rules found
OWN_COLUMNS: Final = (OWN_TIME, OWN_LOCAL, OWN_STATION, OWN_FLAG)
