"""Which pictures there are, and why the others are not: what the ledgers say."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from retrievals_pipeline.defs.images.ledger import Ledger, LedgerRow
from retrievals_pipeline.partitions import shard_keys
from retrievals_serving.store import Store

# What differs from picture to picture: quotations, and numbers but that of an HTTP status.
PARTICULARS = re.compile(r"'[^']*'|\"[^\"]*\"|(?<!HTTP )\b(?:0x[0-9a-f]+|\d[\d,.]*)\b")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The works whose pictures had the same outcome.

    Attributes:
        status: `ok`, or the kind of failure.
        reason: In words; `…` stands for what differs from work to work.
        works: How many there are.
        example: One of them.
        example_url: Address of its picture.
    """

    status: str
    reason: str
    works: int
    example: str
    example_url: str


def outcomes(rows: Iterable[LedgerRow]) -> list[Outcome]:
    """Return what became of the works of `rows`, the most frequent outcome first."""
    counts: dict[tuple[str, str], int] = {}
    examples: dict[tuple[str, str], LedgerRow] = {}
    for row in rows:
        kind = row.status, PARTICULARS.sub("…", row.reason)
        counts[kind] = counts.get(kind, 0) + 1
        examples.setdefault(kind, row)
    return [
        Outcome(
            status=status,
            reason=reason,
            works=counts[status, reason],
            example=examples[status, reason].id,
            example_url=examples[status, reason].image_url,
        )
        for status, reason in sorted(counts, key=lambda kind: (-counts[kind], kind))
    ]


def ledger_rows(store: Store, shards: int) -> Iterator[LedgerRow]:
    """Yield the rows of all ledgers, also of those a build is at work on, one shard at a time."""
    for shard in shard_keys(shards):
        ledger = Ledger(store, shard)
        yield from (ledger.rows[work_id] for work_id in sorted(ledger.rows))
