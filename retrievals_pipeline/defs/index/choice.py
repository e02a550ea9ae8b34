"""Which index a release has: of those that its setting allows, the first that finds enough.

Enough is nearly all that an exact search finds, for pictures and for texts, as deep as an answer
can be paged to. Time is not looked at: the order in which they are tried stands for it, so that the
same vectors have the same index on a fast machine and on a slow one.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from retrievals_pipeline.defs.index.building import build
from retrievals_pipeline.defs.index.kinds import Recipe
from retrievals_pipeline.defs.index.recall import Probes
from retrievals_serving.vectors.faiss_index import FaissIndex

logger = logging.getLogger(__name__)

ENOUGH = {80: 0.99, 256: 0.99}  # recall of what is reranked, and of what can be paged to


def choose(
    recipes: Sequence[Recipe], vectors: np.ndarray, asked: Sequence[Probes], path: Path
) -> Recipe:
    """Write the index of the first of `recipes` that finds enough to `path`, and return it.

    The last one is taken whatever it finds. `vectors` are float16 (n, dimension), unit rows;
    `asked` is what an index must find among them.
    """
    import faiss

    *tried, last = recipes
    shape = None
    for recipe in recipes:
        if recipe.shape != shape:
            faiss.write_index(build(recipe, vectors), str(path))
            shape = recipe.shape
        if recipe in tried and _finds_enough(recipe, FaissIndex(path, recipe.search), asked):
            return recipe
    return last


def _finds_enough(recipe: Recipe, index: FaissIndex, asked: Sequence[Probes]) -> bool:
    """Tell whether `index`, of `recipe`, finds enough of each kind of what is `asked`."""
    for each in asked:
        recall = each.recall(index)
        logger.info("%s: recall of %s %s", recipe, each.queries.kind, recall)
        if any(recall[depth] < least for depth, least in ENOUGH.items()):
            return False
    return True
