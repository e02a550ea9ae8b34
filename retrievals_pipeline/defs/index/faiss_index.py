"""`index.faiss`: the vectors of a planned release, row by row, in an index that fits them.

What the model's vectors are kept in, float16, is in it once, whatever its kind. Beside it in the
staging folder lie `index.json`, what the manifest will say of it, and `scores.npy`, which tells its
answers from chance.
"""

import logging
from pathlib import Path

import numpy as np

from retrievals_pipeline.defs.embeddings.texts import read_texts
from retrievals_pipeline.defs.embeddings.vectors import VectorShard
from retrievals_pipeline.defs.index.certify import certify
from retrievals_pipeline.defs.index.choice import choose
from retrievals_pipeline.defs.index.plan import ReleasePlan, is_whole
from retrievals_pipeline.defs.index.recall import picture_queries, probes, text_queries
from retrievals_pipeline.defs.index.relevance import learn_fit, moments
from retrievals_pipeline.progress import track
from retrievals_serving.errors import SourceError
from retrievals_serving.models import truncate
from retrievals_serving.release import INDEX, SCORES, IndexEntry, Release
from retrievals_serving.relevance import ScoreDistribution
from retrievals_serving.store import Store
from retrievals_serving.vectors.faiss_index import FaissIndex

logger = logging.getLogger(__name__)

ENTRY = "index.json"
LOOKED_THROUGH = 8_000_000  # vectors that the plot of nearest works may cost


def build_index(store: Store, plan: ReleasePlan) -> Path:
    """Build the index of `plan` in its staging folder, unless it was, and return the path."""
    if built := plan.built(store, INDEX):
        return built
    if plan.dimension < plan.description.dimension and not plan.description.is_matryoshka:
        logger.warning(
            "%s was not trained to be cut: of its %d numbers a vector keeps the first %d, and what "
            "it finds gets worse. Set RETRIEVALS_DIMENSION to %d.",
            plan.description.checkpoint,
            plan.description.dimension,
            plan.dimension,
            plan.description.dimension,
        )
    for error in plan.left_out.values():
        logger.warning("a shard is left out of release %s: %s", plan.release_id, error)
    name = f"{plan.staging}/{INDEX}"
    vectors = gather_vectors(store, plan)
    texts, elsewhere = (
        probes(text_queries(native, plan.dimension), vectors)
        for native in read_texts(store, plan.description)
    )
    asked = [probes(picture_queries(vectors), vectors), texts]
    spread = moments(vectors)
    with store.replacing(f"{plan.staging}/{SCORES}") as partial, partial.open("wb") as file:
        np.save(file, spread)
    with store.replacing(name) as partial:
        taken = choose(plan.recipes, vectors, asked, partial)
        entry = IndexEntry(
            kind=taken.kind,
            build=dict(taken.build),
            search=taken.search,
            certificate=certify(FaissIndex(partial, taken.search), vectors, asked),
            fit=learn_fit(ScoreDistribution(spread), texts, elsewhere),
        )
        # First, so that where there is an index there is its entry.
        store.write_bytes(f"{plan.staging}/{ENTRY}", entry.model_dump_json().encode())
    return store.path(name)


def index_entry(store: Store, plan: ReleasePlan) -> IndexEntry:
    """Return what the manifest says, or will say, of the index that was built of `plan`."""
    release = Release(store, plan.release_id)
    if is_whole(release):
        return release.manifest.index
    return IndexEntry.model_validate_json(store.read_bytes(f"{plan.staging}/{ENTRY}"))


def nearest_cosines(index: FaissIndex) -> np.ndarray:
    """Return the cosine of some works of `index` and the work nearest to each.

    Float32, of 64 works spread over the release; of as few as 8 in a large one, where each has more
    vectors to be compared with; of none where there is only one.
    """
    if index.count < 2:
        return np.empty(0, np.float32)
    probes = int(np.clip(LOOKED_THROUGH // index.count, 8, 64))
    rows = np.linspace(0, index.count - 1, min(probes, index.count)).astype(int)
    scores, found = index.search(np.stack([index.vector(row) for row in rows.tolist()]), 2)
    # A work need not be first: of two that are the same, either may be.
    return np.where(found[:, 0] == rows, scores[:, 1], scores[:, 0])


def gather_vectors(store: Store, plan: ReleasePlan, stage: str = "index") -> np.ndarray:
    """Return the vectors of `plan`, cut to its dimension: float16 (works, dimension), unit rows.

    `stage` is what the progress is of.

    Raises:
        SourceError: A work of the plan has no vector, because it was removed since.
        ShardError: A part was damaged since the release was planned; names it.
    """
    rows_of: dict[str, list[int]] = {}
    for row, sha in enumerate(plan.works["image_sha256"].to_pylist()):
        rows_of.setdefault(sha, []).append(row)
    vectors = np.zeros((plan.works.num_rows, plan.dimension), np.float16)
    with track(stage, plan.works.num_rows) as advance:
        for shard in plan.shards:
            stored = VectorShard(store, plan.description.corpus_contract.digest, shard).vectors()
            wanted = [sha for sha in stored if sha in rows_of]
            if not wanted:
                continue
            native = np.stack([stored[sha] for sha in wanted]).astype(np.float32)
            for sha, vector in zip(wanted, truncate(native, plan.dimension), strict=True):
                # A picture that two works share may lie in two shards: the first one serves both.
                rows = rows_of.pop(sha)
                vectors[rows] = vector
                advance(len(rows))
    if rows_of:
        raise SourceError(
            f"the vectors of {len(rows_of)} pictures went while the index was built, the first of "
            f"{next(iter(rows_of))}: materialize `image_embeddings` again."
        )
    return vectors
