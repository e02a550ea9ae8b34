"""The works whose pictures are wanted, as the records name them."""

from dataclasses import dataclass

import pyarrow.compute as pc
import pyarrow.parquet as pq

from retrievals_pipeline.defs.records.paths import ARTWORKS
from retrievals_pipeline.partitions import shard_of
from retrievals_serving.errors import SourceError
from retrievals_serving.store import Store


@dataclass(frozen=True)
class Work:
    """A work whose picture is wanted.

    Attributes:
        id: The work.
        image_url: Address of the picture at the museum, as the records give it.
        image_modified: When the museum last changed it, as the records say it.
        longest_side: Pixels of the longer side that the museum has or serves, if it says so.
    """

    id: str
    image_url: str
    image_modified: str
    longest_side: int | None = None


def read_works(store: Store, shards: int) -> dict[str, list[Work]]:
    """Return the works of `records/artworks.parquet` by shard, each in the order of ids.

    Raises:
        SourceError: The table is not there yet.
    """
    if not store.exists(ARTWORKS):
        raise SourceError(
            f"{store.path(ARTWORKS)} is not there: materialize `artworks` first "
            "(`retrievals build` does it all)."
        )
    names = ["id", "image_url", "image_modified"]
    table = pq.read_table(store.path(ARTWORKS), columns=[*names, "width", "height", "max_pixels"])
    longest = pc.max_element_wise(table["width"], table["height"])
    table = table.select(names).append_column(
        "longest_side", pc.min_element_wise(longest, table["max_pixels"])
    )
    works: dict[str, list[Work]] = {}
    for record in table.sort_by("id").to_pylist():
        works.setdefault(shard_of(record["id"], shards), []).append(Work(**record))
    return works
