"""Embed the pictures of one shard that have no vector under the model's corpus contract."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from retrievals_pipeline.defs.embeddings.vectors import VectorShard
from retrievals_pipeline.defs.images.ledger import OK, Work, ledger_name
from retrievals_pipeline.progress import Advance
from retrievals_serving.errors import PictureError, SourceError
from retrievals_serving.models import Embedder
from retrievals_serving.models.pictures import load_picture
from retrievals_serving.store import Store, picture_name

logger = logging.getLogger(__name__)

# Pictures to a part: what a kill can cost. The embedder forms its own batches within.
PART = 32


@dataclass(frozen=True)
class ShardSummary:
    """What was done for one shard; `failed` names each work whose picture cannot be read."""

    works: int
    embedded: int
    reused: int
    failed: dict[str, str]


def read_pictures(store: Store, shard: str, works: Sequence[Work]) -> dict[str, str]:
    """Return work id → picture hash of those of `works`, which live in `shard`, that have one.

    Raises:
        SourceError: The shard has no ledger yet.
    """
    if not store.exists(ledger_name(shard)):
        raise SourceError(
            f"{store.path(ledger_name(shard))} is not there: materialize the shard {shard} of "
            "`artwork_images` first."
        )
    table = pq.read_table(store.path(ledger_name(shard)), columns=["id", "sha256", "status"])
    ids = pa.array([work.id for work in works], pa.string())
    kept = table.filter((pc.field("status") == OK) & pc.field("id").isin(ids))
    return dict(zip(kept["id"].to_pylist(), kept["sha256"].to_pylist(), strict=True))


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

    `load` is called only when there is something to embed.
    """
    pictures = read_pictures(store, shard, works)
    vectors = VectorShard(store, corpus_contract, shard)
    known = {sha for _, sha in vectors.pairs()}
    missing = {sha: id_ for id_, sha in pictures.items() if sha not in known}
    advance(len(pictures) - len(missing))
    failed: dict[str, str] = {}
    items = list(missing.items())
    for start in range(0, len(items), PART):
        batch = dict(items[start : start + PART])
        failed |= _embed_part(store, vectors, batch, load())
        advance(len(batch))
    for work_id, reason in failed.items():
        logger.warning("%s is not embedded: %s", work_id, reason)
    vectors.compact(pictures)
    return ShardSummary(
        works=len(pictures),
        embedded=len(missing) - len(failed),
        reused=len(pictures) - len(missing),
        failed=failed,
    )


def _embed_part(
    store: Store, vectors: VectorShard, batch: Mapping[str, str], embedder: Embedder
) -> dict[str, str]:
    """Embed `batch` (picture hash → work id) into one part; return the reasons of failures."""
    pictures, pairs, failed = [], [], {}
    for sha, work_id in batch.items():
        path: Path = store.path(picture_name(sha))
        try:
            pictures.append(load_picture(path))
        except PictureError as error:
            failed[work_id] = str(error)
        else:
            pairs.append((work_id, sha))
    if pairs:
        vectors.append(pairs, embedder.embed_images(pictures))
    return failed
