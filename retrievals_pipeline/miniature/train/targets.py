"""What the models are to answer, as arrays: facts of pictures, weights of queries, things in cells."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from retrievals_pipeline.miniature.facts import Degrees, Fact
from retrievals_pipeline.miniature.train.paintings import Painting
from retrievals_pipeline.miniature.truth import RULED_OUT, Query
from retrievals_serving.models.qwen3_vl.pixels import Grid

Array = npt.NDArray[np.float32]
COVERED = 0.2  # of a cell, from which on a thing is in it


class FactTable:
    """The facts that pictures can have, numbered."""

    def __init__(self, degrees: Sequence[Degrees]) -> None:
        self.names = sorted({fact for each in degrees for fact in each})
        self._place = {fact: place for place, fact in enumerate(self.names)}

    def __len__(self) -> int:
        return len(self.names)

    def of_pictures(self, degrees: Sequence[Degrees]) -> Array:
        """Return the degrees of each picture's facts: float32 (pictures, facts), 0 to 1."""
        table = np.zeros((len(degrees), len(self)), np.float32)
        for row, each in enumerate(degrees):
            for fact, degree in each.items():
                table[row, self._place[fact]] = degree
        return table

    def of_queries(self, queries: Sequence[Query]) -> tuple[Array, Array]:
        """Return which facts are wanted, in equal parts of 1, and which are ruled out, as 1."""
        wanted = np.zeros((len(queries), len(self)), np.float32)
        unwanted = np.zeros_like(wanted)
        for row, query in enumerate(queries):
            for fact in query.wanted:
                wanted[row, self._place[fact]] = 1 / len(query.wanted)
            for fact in query.unwanted:
                unwanted[row, self._place[fact]] = 1
        return wanted, unwanted


def satisfactions(wanted: Array, unwanted: Array, pictures: Array) -> Array:
    """Return `truth.satisfaction` of each query with each picture: float32 (queries, pictures)."""
    violated = unwanted @ (pictures >= RULED_OUT).T.astype(np.float32)
    return np.asarray(wanted @ pictures.T * (violated == 0), np.float32)


class CellTable:
    """What can be in a cell, which is what a visual token sees: things, their colours and middles."""

    def __init__(self, paintings: Sequence[Painting]) -> None:
        shown = {
            (mark.subject.name, mark.subject.color) for each in paintings for mark in each.marks
        }
        self._things = {
            name: place for place, name in enumerate(sorted({name for name, _ in shown}))
        }
        colors = sorted({color for _, color in shown if color})
        self._colors = {color: 2 * len(self._things) + place for place, color in enumerate(colors)}

    def __len__(self) -> int:
        return 2 * len(self._things) + len(self._colors)

    def of(self, painting: Painting) -> Array:
        """Return what is in each cell: float32 (visual tokens, len(self)), 0 or 1."""
        rows, columns = painting.grid
        cells = np.zeros((rows, columns, len(self)), np.float32)
        for mark in painting.marks:
            left, top, right, bottom = mark.box
            covered = (
                np.outer(_overlap(top, bottom, rows), _overlap(left, right, columns)) > COVERED
            )
            middle = (
                min(rows - 1, int((top + bottom) / 2 * rows)),
                min(columns - 1, int((left + right) / 2 * columns)),
            )
            covered[middle] = True
            thing = self._things[mark.subject.name]
            cells[covered, thing] = 1
            cells[(*middle, len(self._things) + thing)] = 1
            if mark.subject.color:
                cells[covered, self._colors[mark.subject.color]] = 1
        return cells.reshape(rows * columns, -1)


def _overlap(low: float, high: float, cells: int) -> Array:
    """Return which share of each of the cells of an axis lies from `low` to `high`."""
    edges = np.arange(cells + 1) / cells
    shared = np.minimum(edges[1:], high) - np.maximum(edges[:-1], low)
    return np.asarray(np.clip(shared * cells, 0, 1), np.float32)


def mirrored(cells: Array, grid: Grid) -> Array:
    """Return the cells of the picture seen in a mirror."""
    return cells.reshape(grid.rows, grid.columns, -1)[:, ::-1].reshape(cells.shape)


def known(fact: Fact, table: FactTable) -> bool:
    """Tell whether a fact is numbered."""
    return fact in table.names
