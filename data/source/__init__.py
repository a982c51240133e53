"""Where observations are read from: our own table now; any table that can say what :class:`TableSource` says.

``table`` describes a source, ``statements`` writes its SQL, ``fast`` and ``general`` run it, ``columns`` collects what came,
``reader`` chooses the path, ``failures`` names what went wrong. Nothing here knows of tiles.
"""

from data.source.columns import Readings
from data.source.reader import AnyReader, Reader
from data.source.table import Source, TableSource, own_source

__all__ = ["AnyReader", "Reader", "Readings", "Source", "TableSource", "own_source"]
