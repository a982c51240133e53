"""Where observations are read from: the own table, or an existing table of others; a mapping
describes either.

``mapped`` says what is read and makes readings of it, ``own`` is the built-in mapping of the own
table, ``connection`` runs the queries. Nothing here knows of tiles.
"""

from data.source.connection.query_columns import Readings
from data.source.mapped.source import MappedReader, TableSource
from data.source.own import own_source

__all__ = ["MappedReader", "Readings", "TableSource", "own_source"]
