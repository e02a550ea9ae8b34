"""What the models are to answer, as arrays: facts of pictures and queries, things in cells."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from retrievals_pipeline.miniature.scenes import MONOCHROME
from retrievals_pipeline.miniature.train.paintings import Painting
from retrievals_pipeline.miniature.truth.facts import Degrees
from retrievals_pipeline.miniature.truth.relevance import PARTLY, RULED_OUT, Query
from retrievals_serving.models.qwen3_vl.pixels import Grid

Array = npt.NDArray[np.float32]
COVERED = 0.2  # of a cell, from which on a thing is in it
SHARPNESS = 5  # how much less a picture is worth that has less of what is asked: 0.03 for half
GAIN_OF_SOME = 1 / 7  # of grade 1, as a share of that of grade 3: 2^g - 1
FACETS = ("thing", "count", "color", "time", "weather", "season", "light", "mood", "place", "genre",
          "manner", "ruled out")  # fmt: skip


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

    def worths(self, queries: Sequence[Query], pictures: Array) -> Array:
        """Return what pictures are worth to queries: float32 (queries, pictures), 0 to 1.

        As the gains of `truth.relevance`, but smooth: pictures of one grade differ by how much of
        what is asked is there. What cannot be graded higher than 1 gains no more than that.
        """
        wanted, unwanted = self.of_queries(queries)
        worths = satisfactions(wanted, unwanted, pictures) ** SHARPNESS
        for row, query in enumerate(queries):
            first, *_ = facts = [self._place[fact] for fact in query.wanted]
            counts = [place for place in facts if self.names[place].facet == "count"]
            at_most_some = (pictures[:, first] < PARTLY) | (pictures[:, counts] < 1).any(axis=1)
            worths[row, at_most_some] = np.minimum(worths[row, at_most_some], GAIN_OF_SOME)
        return worths

    def of_facets(self, query: Query, pictures: Array) -> tuple[Array, Array]:
        """Return to what degree pictures have what is asked of each of `FACETS`, and which are.

        What is ruled out is a facet of its own, there as far as the surest of it.

        Args:
            query: What is asked.
            pictures: Degrees of their facts, as `of_pictures` gives them.

        Returns:
            float32 (pictures, facets), means of degrees; float32 (facets,), 1 where asked.
        """
        degrees = np.zeros((len(pictures), len(FACETS)), np.float32)
        asked = np.zeros(len(FACETS), np.float32)
        for place, facet in enumerate(FACETS[:-1]):
            facts = [self._place[fact] for fact in query.wanted if fact.facet == facet]
            if facts:
                degrees[:, place], asked[place] = pictures[:, facts].mean(axis=1), 1
        if query.unwanted:
            facts = [self._place[fact] for fact in query.unwanted]
            degrees[:, -1], asked[-1] = pictures[:, facts].max(axis=1), 1
        return degrees, asked


def satisfactions(wanted: Array, unwanted: Array, pictures: Array) -> Array:
    """Return `truth.satisfaction` of each query with each picture: float32 (queries, pictures)."""
    violated = unwanted @ (pictures >= RULED_OUT).T.astype(np.float32)
    return np.asarray(wanted @ pictures.T * (violated == 0), np.float32)


@dataclass(frozen=True)
class Cells:
    """What is in each cell, which is what a visual token sees: float32 (cells, kinds), 0 or 1."""

    things: Array
    middles: Array  # of which things the middle is there
    colors: Array

    def mirrored(self, grid: Grid) -> "Cells":
        """Return the cells of the picture seen in a mirror."""

        def mirror(cells: Array) -> Array:
            return cells.reshape(grid.rows, grid.columns, -1)[:, ::-1].reshape(cells.shape)

        return Cells(mirror(self.things), mirror(self.middles), mirror(self.colors))


class CellTable:
    """The things that can be in a cell, and their colours, numbered."""

    def __init__(self, paintings: Sequence[Painting]) -> None:
        shown = {mark.subject for each in paintings for mark in each.marks}
        self.things = sorted({subject.name for subject in shown})
        self.colors = sorted({subject.color for subject in shown if subject.color})

    def of(self, painting: Painting, grid: Grid) -> Cells:
        """Return what is where in a painting of so many visual tokens."""
        rows, columns = grid
        things = np.zeros((rows, columns, len(self.things)), np.float32)
        middles = np.zeros_like(things)
        colors = np.zeros((rows, columns, len(self.colors)), np.float32)
        for mark in painting.marks:
            left, top, right, bottom = mark.box
            down, across = _overlap(top, bottom, rows), _overlap(left, right, columns)
            covered = np.outer(down, across) > COVERED
            middle = (
                min(rows - 1, int((top + bottom) / 2 * rows)),
                min(columns - 1, int((left + right) / 2 * columns)),
            )
            covered[middle] = True
            thing = self.things.index(mark.subject.name)
            things[covered, thing] = 1
            middles[(*middle, thing)] = 1
            if mark.subject.color and painting.scene.manner not in MONOCHROME:
                colors[covered, self.colors.index(mark.subject.color)] = 1
        cells = rows * columns
        return Cells(*(each.reshape(cells, -1) for each in (things, middles, colors)))


def _overlap(low: float, high: float, cells: int) -> Array:
    """Return which share of each of the cells of an axis lies from `low` to `high`."""
    edges = np.arange(cells + 1) / cells
    shared = np.minimum(edges[1:], high) - np.maximum(edges[:-1], low)
    return np.asarray(np.clip(shared * cells, 0, 1), np.float32)
