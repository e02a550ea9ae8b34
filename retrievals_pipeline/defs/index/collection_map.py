"""`map.parquet`: the map of a planned release, begun at that of the release being served."""

import logging
from pathlib import Path

import numpy as np

from retrievals_pipeline.defs.index.faiss_index import gather_vectors
from retrievals_pipeline.defs.index.plan import ReleasePlan
from retrievals_pipeline.defs.index.projection import neighbourhoods_kept, project
from retrievals_serving.collection_map import (
    CollectionMap,
    read_map,
    to_steps,
    to_units,
    write_map,
)
from retrievals_serving.errors import ReleaseError
from retrievals_serving.release import CURRENT, MAP, open_release
from retrievals_serving.store import Store
from retrievals_serving.vectors import Float32

logger = logging.getLogger(__name__)


def build_map(store: Store, plan: ReleasePlan) -> Path:
    """Build the map of `plan` in its staging folder, unless it was, and return the path."""
    if built := plan.built(store, MAP):
        return built
    vectors = gather_vectors(store, plan, "map vectors")
    start = places_before(store, plan)
    places = to_steps(project(vectors, start))
    figures = {**neighbourhoods_kept(vectors, places), **moved(start, to_units(places))}
    name = f"{plan.staging}/{MAP}"
    with store.replacing(name) as partial:
        write_map(CollectionMap(plan.works["id"].to_pylist(), places, figures), partial)
    return store.path(name)


def places_before(store: Store, plan: ReleasePlan) -> Float32:
    """Return where the works of `plan` are in the map being served: float32 (works, 2), in units.

    NaN for those that are not there; for all where no release is served, or one of another model,
    whose neighbourhoods are others.
    """
    ids = plan.works["id"].to_pylist()
    nowhere = np.full(2, np.nan, np.float32)
    before: dict[str, np.ndarray] = {}
    try:
        if store.exists(CURRENT):
            served = open_release(store)
            contract = served.manifest.embedder.corpus_contract
            if contract.digest == plan.description.corpus_contract.digest:
                last = read_map(served.path(MAP))
                before = dict(zip(last.ids, to_units(last.places), strict=True))
    except ReleaseError as error:
        logger.warning("the map begins anew: %s", error)
    return np.array([before.get(id_, nowhere) for id_ in ids], np.float32)


def moved(before: Float32, after: Float32) -> dict[str, float]:
    """Return how many works were placed before, and the median of how far these moved.

    In parts of the map's spread: the root of the mean square of their distances from its middle.
    """
    stayed = ~np.isnan(before[:, 0])
    figures: dict[str, float] = {"placed_before": int(stayed.sum())}
    spread = np.sqrt(after.var(axis=0).sum())
    if stayed.any() and spread:
        distances = np.linalg.norm(after[stayed] - before[stayed], axis=1)
        figures["median_move"] = float(np.median(distances) / spread)
    return figures
