"""Make ``assets/world_110m.json``: coast lines of the map of stations, as Plotly wants them.

    npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz
    .venv/bin/python docs/coastlines.py package/land-10m.json assets/world_110m.json

The source is Natural Earth (public domain) at 1:10 million, as TopoJSON by world-atlas (ISC).
Points that change a coast least are left out until all fits 150 kB (Visvalingam: least area of the
triangle with both neighbours), and islands of which no triangle is left. Coordinates are in steps
of 0.01°. The name is that of Plotly's resolution 110, whose own file is not on the site.
"""

from __future__ import annotations

import heapq
import json
import math
import sys
from collections.abc import Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

MOST_BYTES = 150_000
STEP = 0.01  # degrees
POLAR = 10  # how much less a coast beyond 60° counts: there are fjords, and few stations
LEAST_SIDES = 3  # of a ring
Point = tuple[float, float]
Polygon = list[list[int]]  # rings, the first of which is around the others: numbers of arcs


def main(source: Path, target: Path) -> None:
    """Write the coast lines of a file of world-atlas."""
    topology = json.loads(source.read_text())
    arcs = [_points(arc, topology["transform"]) for arc in topology["arcs"]]
    polygons = _polygons(topology["objects"]["land"])
    weights = [_weights(arc) for arc in arcs]
    low, high = 0.0, 1.0
    for _ in range(30):  # the least area that fits
        middle = (low + high) / 2
        fits = len(_made(arcs, weights, polygons, middle)) <= MOST_BYTES
        low, high = (low, middle) if fits else (middle, high)
    made = _made(arcs, weights, polygons, high)
    target.write_bytes(made)
    print(f"{len(made):,} bytes, triangles below {high:.5f} square degrees left out")


def _points(arc: Sequence[Sequence[int]], transform: dict[str, list[float]]) -> list[Point]:
    """An arc's differences as degrees east and north."""
    (x_scale, y_scale), (x, y) = transform["scale"], transform["translate"]
    steps = accumulate(arc, lambda before, step: [before[0] + step[0], before[1] + step[1]])
    return [(x + east * x_scale, y + north * y_scale) for east, north in steps]


def _polygons(land: dict[str, Any]) -> list[Polygon]:
    """Lands with their lakes."""
    found: list[Polygon] = []
    for geometry in land["geometries"]:
        found += geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]
    return found


def _weights(arc: Sequence[Point]) -> list[float]:
    """How much each point of an arc matters: square degrees, as they are at its latitude."""
    weights = [math.inf] * len(arc)
    before, after = list(range(-1, len(arc) - 1)), list(range(1, len(arc) + 1))

    def area(at: int) -> float:
        (x0, y0), (x1, y1), (x2, y2) = arc[before[at]], arc[at], arc[after[at]]
        flat = abs((x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)) / 2
        return flat * math.cos(math.radians(y1)) / (POLAR if abs(y1) > 60 else 1)

    queue = [(area(at), at) for at in range(1, len(arc) - 1)]
    heapq.heapify(queue)
    current, done, least = {at: size for size, at in queue}, set(), 0.0
    while queue:
        size, at = heapq.heappop(queue)
        if at in done or current[at] != size:
            continue
        done.add(at)
        least = weights[at] = max(least, size)  # a point matters no less than one that went before
        after[before[at]], before[after[at]] = after[at], before[at]
        for beside in (before[at], after[at]):
            if 0 < beside < len(arc) - 1:
                current[beside] = area(beside)
                heapq.heappush(queue, (current[beside], beside))
    return weights


def _made(
    arcs: Sequence[Sequence[Point]], weights: Sequence[Sequence[float]], polygons: Sequence[Polygon], least: float
) -> bytes:
    """The file without points that matter less."""
    cells = [_cells(arc, of, least) for arc, of in zip(arcs, weights, strict=True)]

    def is_ring(ring: list[int]) -> bool:
        return sum(len(cells[_arc(at)]) - 1 for at in ring) >= LEAST_SIDES

    kept = [[ring for ring in polygon if is_ring(ring)] for polygon in polygons if is_ring(polygon[0])]
    used = sorted({_arc(at) for polygon in kept for ring in polygon for at in ring})
    numbers = {at: place for place, at in enumerate(used)}
    named = [[[numbers[at] if at >= 0 else ~numbers[~at] for at in ring] for ring in polygon] for polygon in kept]
    objects = {
        "land": {"type": "MultiPolygon", "arcs": named},
        "coastlines": {"type": "MultiLineString", "arcs": [ring for polygon in named for ring in polygon]},
    }
    topology = {
        "type": "Topology",
        "objects": {name: {"type": "GeometryCollection", "geometries": [of]} for name, of in objects.items()},
        "arcs": [_steps(cells[at]) for at in used],
        "transform": {"scale": [STEP, STEP], "translate": [-180, -90]},
    }
    return json.dumps(topology, separators=(",", ":")).encode() + b"\n"


def _arc(number: int) -> int:
    """The arc of a number of a ring, which is inverted where the ring runs it backwards."""
    return number if number >= 0 else ~number


def _cells(arc: Sequence[Point], weights: Sequence[float], least: float) -> list[tuple[int, int]]:
    found = [(round((x + 180) / STEP), round((y + 90) / STEP)) for (x, y), of in zip(arc, weights, strict=True) if of >= least]
    return [found[0], *(cell for before, cell in pairwise(found) if cell != before)]


def _steps(cells: Sequence[tuple[int, int]]) -> list[list[int]]:
    return [list(cells[0]), *([after[0] - before[0], after[1] - before[1]] for before, after in pairwise(cells))]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
