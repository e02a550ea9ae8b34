"""Records of simulated works: as many columns as a museum's, in eight categories."""

import hashlib
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from retrievals_pipeline.defs.records.paths import ARTWORKS
from retrievals_serving.store import Store

# Each has half as many works as the one before; the last as many as that: 0.8 % of all.
CATEGORIES = (
    *("Print", "Drawing", "Photograph", "Painting", "Decorative Art", "Volume", "Sculpture"),
    "Portfolio",
)
ARTISTS = 5_000
MODIFIED = datetime(2026, 1, 1)  # noqa: DTZ001 - UTC, as in every table of records
LISTS = ("school", "theme", "style", "technique", "keyword", "place")


def write_records(store: Store, works: int, seed: int) -> pa.Table:
    """Write the records of `works` works as a build keeps them, and return id and picture of each.

    No picture is there: its hash is that of the id.
    """
    chance = np.random.default_rng([seed, 5])
    ids = [f"simulated:{number:09d}" for number in range(works)]
    hashes = [hashlib.sha256(id_.encode()).hexdigest() for id_ in ids]
    categories = np.minimum(chance.geometric(0.5, works), len(CATEGORIES)) - 1
    years = chance.integers(1400, 1950, works)
    artists = chance.integers(ARTISTS, size=works)
    table = pa.table(
        {
            "id": ids,
            "object_id": pa.array(range(works)),
            "title": [f"Simulated work {number}" for number in range(works)],
            "artist": [f"Artist {artist}" for artist in artists],
            "date": [str(year) for year in years],
            "begin_year": pa.array(years, pa.int32()),
            "end_year": pa.array(years, pa.int32()),
            "medium": [""] * works,
            "classification": [CATEGORIES[category] for category in categories],
            "credit": [""] * works,
            "description": [""] * works,
            **{name: pa.array([[]] * works, pa.list_(pa.string())) for name in LISTS},
            "image_url": [f"simulated/{hash_}.jpg" for hash_ in hashes],
            "artwork_url": [f"simulated/{hash_}.jpg" for hash_ in hashes],
            "modified": pa.array([MODIFIED] * works, pa.timestamp("us")),
            "record_sha256": hashes,
        }
    )
    with store.replacing(ARTWORKS) as partial:
        pq.write_table(table, partial)
    return pa.table({"id": ids, "image_sha256": hashes})
