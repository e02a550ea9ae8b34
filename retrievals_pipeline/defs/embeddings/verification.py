"""The checks of the stored vectors of all shards, under the corpus contract of the model.

A single bad vector never gets into the store (`are_unit`). What is looked for here is a store that
was damaged, and a model, or the code around it, that went wrong for many pictures at once.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from retrievals_pipeline.defs.embeddings.vectors import VectorShard, are_unit
from retrievals_pipeline.defs.verdict import Verdict
from retrievals_serving.errors import ShardError
from retrievals_serving.golden import FLOOR
from retrievals_serving.models import Description
from retrievals_serving.store import Store, thumbnail_name

OTHER_WIDTH, NOT_FINITE, NOT_UNIT = "of_another_width", "not_finite", "not_of_length_1"
# Of all pictures. Some of one colour may share a vector; a batch that was written twice is more.
MAXIMUM_REPEATED = 0.01
REPEATED_AT_LEAST = 2  # pictures
# Two pictures look alike if their thumbnails, as 8 × 8 colours, differ by less, of 255. Copies that
# were saved anew, smaller or at quality 40, differ by 0.6 at most; of 60 paintings no two by less
# than 9.
ALIKE = 4
LOOKED_AT = 64  # pictures, where all vectors are nearly one
EXAMPLES = 10  # pictures named


@dataclass
class Survey:
    """What one pass over the stored vectors saw.

    Attributes:
        folder: Where they are, a folder for each shard.
        total: Sum of the sound vectors: float64 (native dimension,).
        count: Vectors.
        faults: Those that are not sound, by what is wrong: (shard, picture hash). Of one that is
            not of the model's native dimension nothing else is said.
        pictures: Hashes of the pictures of the sound ones, by the vector's own hash.
        unreadable: Shards of which a file cannot be used.
    """

    folder: Path
    total: np.ndarray
    count: int = 0
    faults: dict[str, list[tuple[str, str]]] = field(
        default_factory=lambda: {OTHER_WIDTH: [], NOT_FINITE: [], NOT_UNIT: []}
    )
    pictures: dict[bytes, list[str]] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)


def survey(store: Store, shards: Sequence[str], description: Description) -> Survey:
    """Read every vector of `shards` once, a shard at a time."""
    contract = description.corpus_contract.digest
    seen = Survey(store.path(f"embeddings/{contract}"), total=np.zeros(description.dimension))
    for shard in shards:
        try:
            stored = VectorShard(store, contract, shard).vectors()
        except ShardError:
            seen.unreadable.append(shard)
            continue
        fitting = {sha: row for sha, row in stored.items() if len(row) == description.dimension}
        seen.count += len(stored)
        seen.faults[OTHER_WIDTH] += [(shard, sha) for sha in stored if sha not in fitting]
        if not fitting:
            continue
        vectors = np.stack([*fitting.values()]).astype(np.float32)
        sound = are_unit(vectors)
        seen.total += vectors[sound].sum(axis=0, dtype=np.float64)
        for (sha, vector), is_sound in zip(fitting.items(), sound, strict=True):
            if is_sound:
                fingerprint = blake2b(vector.tobytes(), digest_size=16).digest()
                seen.pictures.setdefault(fingerprint, []).append(sha)
            else:
                fault = NOT_UNIT if np.isfinite(vector).all() else NOT_FINITE
                seen.faults[fault].append((shard, sha))
    return seen


def check_vectors(seen: Survey) -> Verdict:
    """Every stored vector is finite, of length 1 and as wide as those of the model."""
    details = {
        "vectors": seen.count,
        **{fault: len(found) for fault, found in seen.faults.items()},
        "unreadable_shards": seen.unreadable,
    }
    named = [
        f"{fault}: picture {sha} of shard {shard}"
        for fault, found in seen.faults.items()
        for shard, sha in found[:EXAMPLES]
    ]
    if not named:
        return Verdict(passed=True, details=details)
    shards = sorted({shard for found in seen.faults.values() for shard, _ in found})
    remedy = (
        f"Remove {', '.join(str(seen.folder / shard) for shard in shards[:EXAMPLES])}"
        f"{' and so on' if len(shards) > EXAMPLES else ''}, and build again: the pictures are then "
        "embedded again."
    )
    return Verdict(passed=False, details={"faulty": named, "remedy": remedy, **details})


class Compared(NamedTuple):
    """Pictures that have one vector, or nearly so, compared with the first of them by eye."""

    unlike: list[str]
    """Pairs that do not look alike."""
    unseen: list[str]
    """Hashes of those whose thumbnail cannot be read."""


def check_variety(seen: Survey, store: Store) -> Verdict:
    """Different pictures have different vectors: not all nearly one, no block of them repeated."""
    count = sum(map(len, seen.pictures.values()))
    allowed = max(REPEATED_AT_LEAST, int(MAXIMUM_REPEATED * count))
    # Pictures that look alike, as copies of one, may well have the same vector.
    compared = [_compare(store, pictures) for pictures in seen.pictures.values()]
    repeated = [pair for group in compared for pair in group.unlike]
    unseen = [sha for group in compared for sha in group.unseen]
    details: dict[str, Any] = {
        "vectors": count,
        "repeated": len(repeated),
        "repeated_unseen": len(unseen),
        "maximum_repeated": allowed,
    }
    faulty = repeated if len(repeated) > allowed else []
    in_doubt = unseen if len(repeated) + len(unseen) > allowed else []
    if count > 1:
        # The squared length of their sum is the cosine of every pair, twice, and 1 for each vector.
        mean_cosine = (float(seen.total @ seen.total) - count) / (count * (count - 1))
        details |= {"mean_cosine": mean_cosine, "maximum_mean_cosine": FLOOR}
        if not faulty and mean_cosine >= FLOOR:
            pictures = [same[0] for same in seen.pictures.values()]
            faulty, unseen = _compare(store, pictures[:: 1 + len(pictures) // LOOKED_AT])
            in_doubt = in_doubt or unseen
    if not faulty and not in_doubt:
        return Verdict(passed=True, details=details)
    if not faulty:
        paths = [str(store.path(thumbnail_name(sha))) for sha in in_doubt[:EXAMPLES]]
        remedy = (
            "Pictures have one vector, and whether they look alike cannot be seen: remove these "
            f"thumbnails, of {len(in_doubt)} that cannot be read, and build again: their pictures "
            "are then fetched again."
        )
        return Verdict(passed=False, details={"unreadable": paths, "remedy": remedy, **details})
    remedy = (
        f"Look at these pictures. If they differ, remove {seen.folder} and build again: all "
        "pictures are then embedded again. If that mends nothing, the model is at fault: try "
        "RETRIEVALS_DTYPE=float32, or another RETRIEVALS_EMBEDDER."
    )
    return Verdict(
        passed=False,
        details={"of_one_vector": faulty[:EXAMPLES], "remedy": remedy, **details},
    )


def _compare(store: Store, pictures: Sequence[str]) -> Compared:
    """Look at `pictures`, unless they are one and the same."""
    if len(set(pictures)) < 2:
        return Compared([], [])
    looks = {sha: look for sha in pictures if (look := _look(store, sha)) is not None}
    first = next(iter(looks), "")
    unlike = [
        f"{first} and {sha}"
        for sha, look in looks.items()
        if np.abs(look - looks[first]).mean() >= ALIKE
    ]
    return Compared(unlike, [sha for sha in dict.fromkeys(pictures) if sha not in looks])


def _look(store: Store, sha: str) -> np.ndarray | None:
    """Return a picture as 8 × 8 colours, float32 (8, 8, 3); None if its thumbnail is lost."""
    with suppress(OSError), Image.open(store.path(thumbnail_name(sha))) as thumbnail:
        small = thumbnail.convert("RGB").resize((8, 8), Image.Resampling.BOX)
        return np.asarray(small, np.float32)
    return None
