"""The map of a release: where each work lies in two dimensions, so that alike works are close.

    map.parquet    id, x int16, y int16: row i is the place of work i

A coordinate counts steps, of which 64 are one unit of the projection in every release, so that a
work that stays has nearly the coordinates it had. x runs to the right and y downwards; the middle
of the works is at 0.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retrievals_serving.errors import ReleaseDamaged
from retrievals_serving.vectors import Float32

Int16 = NDArray[np.int16]

STEPS = 64  # in a unit of the projection
FIGURES = b"figures"  # key of the file's metadata


@dataclass(frozen=True)
class CollectionMap:
    """The place of every work.

    Attributes:
        ids: Ids of the works, in the order of the release's rows.
        places: int16, shape (works, 2): x and y of each, in steps.
        figures: How good the map is, and how far works moved in it, by name.
    """

    ids: list[str]
    places: Int16
    figures: Mapping[str, float]


def to_steps(places: Float32) -> Int16:
    """Return `places`, in units of the projection, in steps; what is too far out is at the edge."""
    limits = np.iinfo(np.int16)
    return np.clip(np.rint(places * STEPS), limits.min, limits.max).astype(np.int16)


def to_units(places: Int16) -> Float32:
    """Return `places`, in steps, in units of the projection: float32."""
    return (places / STEPS).astype(np.float32)


def write_map(collection_map: CollectionMap, path: Path) -> None:
    """Write `collection_map` to `path`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    x, y = collection_map.places.T
    table = pa.table(
        {
            "id": pa.array(collection_map.ids, pa.string()),
            "x": pa.array(x, pa.int16()),
            "y": pa.array(y, pa.int16()),
        },
        metadata={FIGURES: json.dumps(dict(collection_map.figures)).encode()},
    )
    pq.write_table(table, path, write_page_checksum=True)


def read_map(path: Path) -> CollectionMap:
    """Read what `write_map` wrote.

    Raises:
        ReleaseDamaged: It cannot be read.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path, page_checksum_verification=True)
        return CollectionMap(
            ids=table["id"].to_pylist(),
            places=np.stack([table["x"].to_numpy(), table["y"].to_numpy()], axis=1),
            figures=json.loads(table.schema.metadata[FIGURES]),
        )
    except (pa.ArrowException, OSError, ValueError, LookupError, TypeError) as error:
        raise ReleaseDamaged(
            f"{path} cannot be read as the map of a release: {error}; build it again."
        ) from error
