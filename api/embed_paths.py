"""What the frame of an embedded chart may ask for: the guard holds it, api/embed.py answers."""

from __future__ import annotations

from typing import Final

# What an embed's identity may ask for; everything else is closed to it, whatever its rights are.
EMBED_ENDPOINTS: Final = frozenset(
    f"api.{name}" for name in ("get_embed", "create_job", "get_job", "get_figure", "get_stats", "get_data")
)

# Files of assets/ that the frame's page loads.
FRAME_FILES: Final = ("embed.js", "embed.css", "tokens.css", "view.js", "locale.js", "picture.js")

# Paths below the prefix that need nobody to be signed in:
# they are the same for everybody, but for the page's origin and words.
EMBED_PATHS: Final = frozenset(f"embed/{name}" for name in ("trend", "plotly.js", *FRAME_FILES))
