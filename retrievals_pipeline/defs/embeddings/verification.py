"""The checks of the stored vectors of all shards, under the corpus contract of the model.

A single bad vector never gets into the store (`are_unit`). What is looked for here is a store that
was damaged, and a model, or the code around it, that went wrong for many pictures at once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np

from retrievals_pipeline.defs.embeddings.vectors import VectorShard, are_unit
from retrievals_pipeline.defs.verdict import Verdict
from retrievals_serving.errors import ShardError
from retrievals_serving.golden import FLOOR
from retrievals_serving.models import Description
from retrievals_serving.store import Store, thumbnail_name

# Of all pictures. Some of one colour may share a vector; a batch that was written twice is more.
MAXIMUM_REPEATED = 0.01
REPEATED_AT_LEAST = 2  # pictures


@dataclass
class Survey:
    """What one pass over the stored vectors saw.

    Attributes:
        total: Sum of the sound vectors: float64 (native dimension,).
        count: Vectors.
        other_width: How many are not of the model's native dimension; nothing else is said of them.
        not_finite: How many hold a NaN or an infinity.
        not_unit: How many of the finite ones are not of length 1.
        pictures: Hashes of the pictures of the sound ones, by the vector's own hash.
        unreadable: Shards of which a file cannot be used.
    """

    total: np.ndarray
    count: int = 0
    other_width: int = 0
    not_finite: int = 0
    not_unit: int = 0
    pictures: dict[bytes, list[str]] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)


def survey(store: Store, shards: Sequence[str], description: Description) -> Survey:
    """Read every vector of `shards` once, a shard at a time."""
    seen = Survey(total=np.zeros(description.dimension))
    for shard in shards:
        try:
            stored = VectorShard(store, description.corpus_contract.digest, shard).vectors()
        except ShardError:
            seen.unreadable.append(shard)
            continue
        fitting = {sha: row for sha, row in stored.items() if len(row) == description.dimension}
        seen.count += len(stored)
        seen.other_width += len(stored) - len(fitting)
        if not fitting:
            continue
        vectors = np.stack([*fitting.values()]).astype(np.float32)
        finite = np.isfinite(vectors).all(axis=1)
        sound = are_unit(vectors)
        seen.not_finite += int((~finite).sum())
        seen.not_unit += int((finite & ~sound).sum())
        seen.total += vectors[sound].sum(axis=0, dtype=np.float64)
        for (sha, vector), is_sound in zip(fitting.items(), sound, strict=True):
            if is_sound:
                fingerprint = blake2b(vector.tobytes(), digest_size=16).digest()
                seen.pictures.setdefault(fingerprint, []).append(sha)
    return seen


def check_vectors(seen: Survey) -> Verdict:
    """Every stored vector is finite, of length 1 and as wide as those of the model."""
    faults = {
        "of_another_width": seen.other_width,
        "not_finite": seen.not_finite,
        "not_of_length_1": seen.not_unit,
    }
    return Verdict(
        not any(faults.values()),
        {"vectors": seen.count, **faults, "unreadable_shards": seen.unreadable},
    )


def check_variety(seen: Survey, store: Store) -> Verdict:
    """Different pictures have different vectors: not all nearly one, no block of them repeated."""
    count = sum(map(len, seen.pictures.values()))
    allowed = max(REPEATED_AT_LEAST, int(MAXIMUM_REPEATED * count))
    # Pictures that look alike to the last pixel may well have the same vector.
    repeated = sum(
        _looks(store, pictures) - 1 for pictures in seen.pictures.values() if len(pictures) > 1
    )
    details = {"vectors": count, "repeated": repeated, "maximum_repeated": allowed}
    if count < 2:
        return Verdict(passed=True, details=details)
    # The squared length of their sum is the cosine of every pair, twice, and 1 for each vector.
    mean_cosine = (float(seen.total @ seen.total) - count) / (count * (count - 1))
    return Verdict(
        repeated <= allowed and mean_cosine < FLOOR,
        details | {"mean_cosine": mean_cosine, "maximum_mean_cosine": FLOOR},
    )


def _looks(store: Store, pictures: Iterable[str]) -> int:
    """Return how many different thumbnails the pictures have, 1 at least."""
    names = [name for sha in pictures if store.exists(name := thumbnail_name(sha))]
    return max(1, len({blake2b(store.read_bytes(name)).digest() for name in names}))
