"""Which pictures there are, and why the others are not: the works, and what their ledgers say."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from retrievals_pipeline.defs.images.ledger import LEDGER_DAMAGED, Ledger, LedgerRow
from retrievals_pipeline.defs.images.works import Work, read_works
from retrievals_pipeline.defs.records.paths import ARTWORKS
from retrievals_pipeline.partitions import shard_keys
from retrievals_serving.errors import ShardError
from retrievals_serving.store import Store

NOT_ASKED = "not_asked"
# What differs from picture to picture: quotations, and numbers but that of an HTTP status.
PARTICULARS = re.compile(r"'[^']*'|\"[^\"]*\"|(?<!HTTP )\b(?:0x[0-9a-f]+|\d[\d,.]*)\b")


@dataclass(frozen=True)
class Unknown:
    """A work of a shard whose ledger cannot be used, for `reason`."""

    id: str
    image_url: str
    reason: str


Found = LedgerRow | Unknown | Work


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The works whose pictures had the same outcome.

    Attributes:
        status: `ok`, the kind of failure, `not_asked` or `ledger_damaged`.
        detail: In words; `…` stands for what differs from work to work.
        works: How many there are.
        example: One of them.
        example_url: Address of its picture.
    """

    status: str
    detail: str
    works: int
    example: str
    example_url: str


def outcomes(found: Iterable[Found]) -> list[Outcome]:
    """Return what became of each of `found`, the most frequent outcome first."""
    counts: dict[tuple[str, str], int] = {}
    examples: dict[tuple[str, str], Found] = {}
    for each in found:
        kind = _kind(each)
        counts[kind] = counts.get(kind, 0) + 1
        examples.setdefault(kind, each)
    return [
        Outcome(
            status=status,
            detail=detail,
            works=counts[status, detail],
            example=examples[status, detail].id,
            example_url=examples[status, detail].image_url,
        )
        for status, detail in sorted(counts, key=lambda kind: (-counts[kind], kind))
    ]


def _kind(each: Found) -> tuple[str, str]:
    if isinstance(each, LedgerRow):
        return each.status, PARTICULARS.sub("…", each.detail)
    if isinstance(each, Unknown):
        return LEDGER_DAMAGED, each.reason
    return NOT_ASKED, "not asked yet"


def rows_of_works(store: Store, shards: int) -> Iterator[Found]:
    """Yield the ledger's row of each work of the records, also of a build that is at work.

    A work that was not asked for yet is yielded itself, and one whose ledger cannot be used as
    unknown; without records there is nothing.
    """
    if not store.exists(ARTWORKS):
        return
    works = read_works(store, shards)
    for shard in shard_keys(shards):
        its_works = works.get(shard, [])
        try:
            rows = Ledger(store, shard).rows
        except ShardError as error:
            yield from (Unknown(work.id, work.image_url, str(error)) for work in its_works)
        else:
            yield from (rows.get(work.id, work) for work in its_works)
