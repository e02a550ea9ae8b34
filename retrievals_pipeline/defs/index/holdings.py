"""What the shards hold for a release: their ledgers' rows, and which pictures have a vector.

A shard of which a file cannot be used is left out by name, so that it does not stop the others.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pyarrow as pa

from retrievals_pipeline.defs.embeddings.vectors import VectorShard
from retrievals_pipeline.defs.images.ledger import (
    LEDGER_DAMAGED,
    SCHEMA,
    ledger_name,
    read_ledger,
)
from retrievals_pipeline.partitions import shard_keys, shard_of
from retrievals_serving.errors import ShardError
from retrievals_serving.store import Store

VECTORS_DAMAGED = "vectors_damaged"


class Damage(NamedTuple):
    """Why a shard is left out: in a word, and the error itself."""

    reason: str
    error: str


@dataclass(frozen=True, kw_only=True)
class Holdings:
    """What there is, in all shards.

    Attributes:
        ledgers: Rows of the finished ledgers, in the columns of `SCHEMA`.
        vectors: Table of id, image_sha256, one row for each pair that has a vector.
        shards: Names of the shards of which every file can be used.
        damaged: The others, by name.
    """

    ledgers: pa.Table
    vectors: pa.Table
    shards: list[str]
    damaged: dict[str, Damage]


def read_holdings(
    store: Store, shards: int, corpus_contract: str, *, verify: bool = False
) -> Holdings:
    """Look at all `shards` shards; one that was not built yet holds nothing.

    The vectors themselves are read only to `verify` that they can be.
    """
    ledgers = [SCHEMA.empty_table()]
    pairs: set[tuple[str, str]] = set()
    usable: list[str] = []
    damaged: dict[str, Damage] = {}
    for shard in shard_keys(shards):
        reason = LEDGER_DAMAGED
        try:
            if store.exists(ledger_name(shard)):
                ledgers.append(read_ledger(store, shard))
            reason = VECTORS_DAMAGED
            vectors = VectorShard(store, corpus_contract, shard)
            if verify:
                vectors.verify()
            pairs |= vectors.pairs()
        except ShardError as error:
            damaged[shard] = Damage(reason, str(error))
        else:
            usable.append(shard)
    return Holdings(
        ledgers=pa.concat_tables(ledgers),
        vectors=_table(("id", "image_sha256"), pairs),
        shards=usable,
        damaged=damaged,
    )


def works_left_out(ids: pa.ChunkedArray, holdings: Holdings, shards: int) -> pa.Table:
    """Return which of the works `ids` live in damaged shards: a table of id, reason, error."""
    names = ("id", "reason", "error")
    if not holdings.damaged:
        return _table(names, ())
    homes = ((id_, holdings.damaged.get(shard_of(id_, shards))) for id_ in ids.to_pylist())
    return _table(names, [(id_, *damage) for id_, damage in homes if damage])


def _table(names: Sequence[str], rows: Collection[tuple[str, ...]]) -> pa.Table:
    schema = pa.schema([(name, pa.string()) for name in names])
    return pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows], schema)
