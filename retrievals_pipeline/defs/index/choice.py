"""Which index a release has: of those that its setting allows, the first that finds enough.

Enough is nearly all that an exact search finds, for the release's own vectors, as deep as an answer
can be paged to. Time is not looked at: the order in which they are tried stands for it, so that the
same vectors have the same index on a fast machine and on a slow one.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from retrievals_pipeline.defs.index.building import build
from retrievals_pipeline.defs.index.kinds import Recipe
from retrievals_pipeline.defs.index.recall import picture_probes
from retrievals_serving.vectors.faiss_index import FaissIndex

logger = logging.getLogger(__name__)

ENOUGH = {80: 0.99, 256: 0.99}  # recall of what is reranked, and of what can be paged to


def choose(recipes: Sequence[Recipe], vectors: np.ndarray, path: Path) -> Recipe:
    """Write the index of the first of `recipes` that finds enough to `path`, and return it.

    The last one is taken whatever it finds. `vectors` are float16 (n, dimension), unit rows.
    """
    import faiss

    *tried, last = recipes
    probes = picture_probes(vectors) if tried else None
    shape = None
    for recipe in recipes:
        if recipe.shape != shape:
            faiss.write_index(build(recipe, vectors), str(path))
            shape = recipe.shape
        if recipe is last or probes is None:
            break
        recall = probes.recall(FaissIndex(path, recipe.search))
        logger.info("%s: recall %s", recipe, recall)
        if all(recall[depth] >= least for depth, least in ENOUGH.items()):
            return recipe
    return last
