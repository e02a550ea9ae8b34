"""Golden vectors: what the model of a release made of a few texts and pictures.

    golden.parquet    name, text or null, picture (PNG) or null, embedding float32[native dimension]

A server embeds the same again before it answers. The contracts name all that is known to change a
vector; golden vectors guard what those cannot see: device, dtype, a broken library, another Pillow.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from PIL import Image

from retrievals_serving.errors import ReleaseDamaged
from retrievals_serving.models import Embedder, Input
from retrievals_serving.release import GoldenEntry

# The lowest cosines that the same model reached with itself, over the golden texts and pictures, on
# a CPU (torch 2.13). Between dtypes: 0.99984 for the miniature, 0.99904 for a random model of 28
# layers, as the published one has. In float32, for other batches and numbers of threads: 1 − 2e-12.
# So half precision is given twice its largest distance from 1; float32 is given room for
# TensorFloat-32, and in it another resize filter shows. The table is in docs/models.md.
FLOOR = 0.998
FLOOR_FLOAT32 = 0.9999  # when the vectors on both sides are made in float32
LIBRARIES = ("numpy", "pillow", "tokenizers", "torch", "transformers")
MADE_ON = b"made_on"  # key of the file's metadata


@dataclass(frozen=True, slots=True)
class GoldenItem:
    """A text, which is embedded as a query, or a picture as PNG, embedded as a document."""

    name: str
    text: str | None = None
    picture: bytes | None = None


@dataclass(frozen=True)
class Golden:
    """Items, the vector of each, and on what they were made.

    Attributes:
        items: Texts and pictures.
        vectors: float32, shape (items, native dimension), rows of length 1.
        made_on: Device, dtype and libraries.
    """

    items: tuple[GoldenItem, ...]
    vectors: np.ndarray
    made_on: GoldenEntry


def make_golden(embedder: Embedder, items: Sequence[GoldenItem]) -> Golden:
    """Embed `items` with `embedder`, here and now."""
    return Golden(tuple(items), _embed(embedder, items), machine(embedder))


def machine(embedder: Embedder) -> GoldenEntry:
    """Say on what `embedder` makes its vectors here."""
    return GoldenEntry(
        device=embedder.device,
        dtype=embedder.dtype,
        libraries={name: version(name) for name in LIBRARIES},
    )


def write_golden(golden: Golden, path: Path) -> None:
    """Write `golden` to `path`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    flat = pa.array(golden.vectors.reshape(-1), pa.float32())
    table = pa.table(
        {
            "name": pa.array([item.name for item in golden.items], pa.string()),
            "text": pa.array([item.text for item in golden.items], pa.string()),
            "picture": pa.array([item.picture for item in golden.items], pa.binary()),
            "embedding": pa.FixedSizeListArray.from_arrays(flat, golden.vectors.shape[1]),
        }
    )
    made_on = {MADE_ON: golden.made_on.model_dump_json().encode()}
    pq.write_table(table.replace_schema_metadata(made_on), path, write_page_checksum=True)


def read_golden(path: Path) -> Golden:
    """Read what `write_golden` wrote.

    Raises:
        ReleaseDamaged: It cannot be read.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path, page_checksum_verification=True).combine_chunks()
        columns = (table[name].to_pylist() for name in ("name", "text", "picture"))
        items = tuple(GoldenItem(*row) for row in zip(*columns, strict=True))
        vectors = table["embedding"].chunk(0).flatten().to_numpy().reshape(len(items), -1)
        made_on = GoldenEntry.model_validate_json(table.schema.metadata[MADE_ON])
    except (pa.ArrowException, OSError, ValueError, LookupError, TypeError) as error:
        raise ReleaseDamaged(
            f"{path} cannot be read as golden vectors: {error}; build it again."
        ) from error
    return Golden(items, vectors, made_on)


def floor(*dtypes: str) -> float:
    """Return the lowest cosine at which vectors of these dtypes pass for the same."""
    return FLOOR_FLOAT32 if set(dtypes) == {"float32"} else FLOOR


def deviations(golden: Golden, embedder: Embedder) -> Mapping[str, float]:
    """Embed the items again; return the cosine of each that is under the floor, by its name."""
    lowest = floor(golden.made_on.dtype, embedder.dtype)
    vectors = _embed(embedder, golden.items).astype(np.float64)
    expected = golden.vectors.astype(np.float64)
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(expected, axis=1)
    cosines = np.einsum("ij,ij->i", vectors, expected) / lengths
    return {
        f"{'picture' if item.text is None else 'text'} {item.name!r}": float(cosine)
        for item, cosine in zip(golden.items, cosines, strict=True)
        if not cosine >= lowest  # NaN is no agreement
    }


def _embed(embedder: Embedder, items: Sequence[GoldenItem]) -> np.ndarray:
    """Return the vectors of `items`: float32, (items, native dimension)."""
    texts = [row for row, item in enumerate(items) if item.text is not None]
    pictures = [row for row, item in enumerate(items) if item.picture is not None]
    vectors = np.full((len(items), embedder.dimension), np.nan, np.float32)
    vectors[texts] = embedder.embed_queries([Input(text=items[row].text) for row in texts])
    opened = [Image.open(io.BytesIO(items[row].picture or b"")) for row in pictures]
    vectors[pictures] = embedder.embed_images(opened)
    return vectors
