"""Embed the pictures of one shard that have no vector under the model's corpus contract."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from retrievals_pipeline.defs.embeddings.vectors import VectorShard, are_unit
from retrievals_pipeline.defs.images.ledger import ledger_name, read_ledger
from retrievals_pipeline.defs.images.statuses import OK
from retrievals_pipeline.defs.images.works import Work
from retrievals_pipeline.progress import Advance
from retrievals_serving.errors import BuildError, ShardError
from retrievals_serving.models import Embedder
from retrievals_serving.store import Store, picture_name

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ShardSummary:
    """What was done for one shard; `failed` names each work without a vector, and why."""

    works: int
    embedded: int
    reused: int
    failed: dict[str, str]


def read_pictures(store: Store, shard: str, works: Sequence[Work]) -> dict[str, str]:
    """Return work id → picture hash of those of `works`, which live in `shard`, that have one.

    Raises:
        ShardError: The shard has no ledger yet, or one that cannot be used.
    """
    if not store.exists(ledger_name(shard)):
        raise ShardError(
            f"{store.path(ledger_name(shard))} is not there: materialize the shard {shard} of "
            "`artwork_images` first."
        )
    wanted = {work.id for work in works}
    rows = read_ledger(store, shard).select(["id", "sha256", "status"]).to_pylist()
    return {row["id"]: row["sha256"] for row in rows if row["status"] == OK and row["id"] in wanted}


def embed_shard(
    store: Store,
    shard: str,
    works: Sequence[Work],
    *,
    corpus_contract: str,
    load: Callable[[], Embedder],
    advance: Advance,
) -> ShardSummary:
    """Give every picture of `works`, which live in `shard`, a vector; touch none that has one.

    Each batch is written when it is computed, so that a kill loses the one in flight. The pictures
    that are left then make the same batches as they would have without it, and so, to the last bit,
    the same vectors: see `batches.embed`. A picture that cannot be read, or of which the model
    makes no unit vector, fails alone.

    `load` is called only when there is something to embed.

    Raises:
        ShardError: Its ledger or its vectors cannot be used; other shards are unharmed.
        BuildError: The model that `load` loads is not the one of `corpus_contract`.
    """
    pictures = read_pictures(store, shard, works)
    vectors = VectorShard(store, corpus_contract, shard)
    known = {sha for _, sha in vectors.pairs()}
    missing = {sha: id_ for id_, sha in pictures.items() if sha not in known}
    advance(len(works) - len(missing))
    failed: dict[str, str] = {}
    items = list(missing.items())
    paths = [store.path(picture_name(sha)) for sha, _ in items]
    for embedded in loaded(load, corpus_contract).embed_stream(paths) if items else ():
        if embedded.places:
            pairs = [(items[place][1], items[place][0]) for place in embedded.places]
            failed |= _keep(vectors, pairs, embedded.embeddings)
        failed |= {items[place][1]: str(error) for place, error in embedded.failed.items()}
        advance(len(embedded.places) + len(embedded.failed))
    for work_id, reason in failed.items():
        logger.warning("%s is not embedded: %s", work_id, reason)
    vectors.compact(pictures)
    return ShardSummary(
        works=len(pictures),
        embedded=len(missing) - len(failed),
        reused=len(pictures) - len(missing),
        failed=failed,
    )


def _keep(
    vectors: VectorShard, pairs: Sequence[tuple[str, str]], embeddings: np.ndarray
) -> dict[str, str]:
    """Write the vectors of a batch; return why some are not kept, by work id."""
    sound = are_unit(embeddings)
    kept = [pair for pair, is_sound in zip(pairs, sound, strict=True) if is_sound]
    if kept:
        vectors.append(kept, embeddings[sound])
    refused = "the model made a vector of it that is not finite and of length 1"
    return {pair[0]: refused for pair, is_sound in zip(pairs, sound, strict=True) if not is_sound}


def loaded(load: Callable[[], Embedder], corpus_contract: str) -> Embedder:
    """Return the model that `load` loads.

    Raises:
        BuildError: It is not the one that was described before: its files changed meanwhile.
    """
    embedder = load()
    if embedder.corpus_contract.digest != corpus_contract:
        raise BuildError(
            f"the model changed while it was in use: corpus contract {corpus_contract} when the "
            f"stage began, {embedder.corpus_contract.digest} now. Pin its revision, or leave its "
            "folder alone, and build again."
        )
    return embedder
