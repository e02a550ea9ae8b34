"""Whether the files of a planned release fit together: row by row they are of the same works."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import duckdb
import numpy as np

from retrievals_pipeline.defs.embeddings.vectors import vector_shards
from retrievals_pipeline.defs.index.plan import ReleasePlan
from retrievals_pipeline.defs.verdict import Verdict
from retrievals_serving.collection_map import read_map
from retrievals_serving.errors import ShardError
from retrievals_serving.models import truncate
from retrievals_serving.store import Store
from retrievals_serving.vectors.faiss_index import FaissIndex

TOLERANCE = 1e-3  # in a score: float16 against float32
PROBES = 64


def check_rows(
    store: Store, plan: ReleasePlan, index_path: Path, metadata_path: Path, map_path: Path
) -> Verdict:
    """Row by row, index, metadata, map and plan are of the same works, each there once."""
    with duckdb.connect(str(metadata_path), read_only=True) as connection:
        records = connection.execute(
            "select row, id, image_sha256 from artworks order by row, id"
        ).fetchall()
    names = ("row", "id", "image_sha256")
    planned = list(zip(*(plan.works[name].to_pylist() for name in names), strict=True))
    index = FaissIndex(index_path)
    contract = plan.description.corpus_contract.digest
    # By the plan's pictures: those of the records may be the wrong ones.
    probes = stored_vectors(
        store, contract, plan.works["image_sha256"].to_pylist(), dimension=plan.dimension
    )
    places = read_map(map_path).ids
    ids = plan.works["id"].to_pylist()
    differing = [id_ for _, id_, _ in set(records) ^ set(planned)]
    fits = index.count == len(planned) and index.dimension == plan.dimension
    misplaced = rows_of_another_work(index, probes) if fits else []
    return Verdict(
        records == planned and places == ids and fits and not misplaced,
        {
            "works": len(planned),
            "records": len(records),
            "vectors": index.count,
            "places": len(places),
            "dimension": index.dimension,
            "records_of_another_work": sorted(set(differing))[:10],
            "places_of_another_work": [
                id_ for id_, own in zip(places, ids, strict=False) if id_ != own
            ][:10],
            "vectors_of_another_work": misplaced,
        },
    )


def stored_vectors(
    store: Store, corpus_contract: str, pictures: Sequence[str], *, dimension: int
) -> Mapping[int, np.ndarray]:
    """Return the vectors, as they were embedded, of rows spread over a release.

    `pictures` are the picture hashes of its rows; each vector is cut: float32 (dimension,). A shard
    that cannot be read is left out.
    """
    rows = np.linspace(0, len(pictures) - 1, min(PROBES, len(pictures))).astype(int)
    wanted = {pictures[row]: row for row in rows.tolist()}
    found: dict[int, np.ndarray] = {}
    for shard in vector_shards(store, corpus_contract):
        with suppress(ShardError):
            vectors = shard.vectors()
            for sha in wanted.keys() & vectors.keys():
                found[wanted[sha]] = vectors[sha].astype(np.float32)  # a copy: the others may go
    cut = truncate(np.stack([*found.values()]), dimension)
    return dict(zip(found, cut, strict=True))


def rows_of_another_work(index: FaissIndex, stored: Mapping[int, np.ndarray]) -> list[int]:
    """Return those rows of `index` at which another vector lies than the one in `stored`."""
    own = {row: float(vector @ vector) for row, vector in stored.items()}
    return sorted(
        row for row, vector in stored.items() if index.vector(row) @ vector < own[row] - TOLERANCE
    )
