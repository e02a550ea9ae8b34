"""Texts of the collection's own, and some from elsewhere, each with the vector of a query.

    embeddings/texts/<corpus contract>-<query contract>.parquet
        text, of_collection bool, embedding float16[native dimension]

What an index finds for them is part of its certificate: the vectors of texts lie apart from those
of all pictures, and an index that was judged by pictures alone may fail for what people ask.
From these and from texts about what no museum shows a build learns which answers are any good.
"""

import logging
import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from retrievals_pipeline.defs.embeddings.golden import contracts_name, same_as_before
from retrievals_pipeline.defs.embeddings.vectors import are_unit
from retrievals_pipeline.defs.records.paths import ARTWORKS
from retrievals_serving.errors import BuildError, SourceError
from retrievals_serving.models import Description, Embedder, Input
from retrievals_serving.questions import MAX_QUERY
from retrievals_serving.store import Store

logger = logging.getLogger(__name__)

ELSEWHERE_FILE = Path(__file__).with_name("elsewhere.toml")
WORKS = 128  # of which texts are taken, and at most so many terms
# The works are those whose ids hash lowest: a collection that grows keeps most of them.
TEXTS = """
    with taken as (from read_parquet($artworks) order by md5(id) limit $works),
    terms as (
        select distinct unnest(flatten([school, theme, style, technique, keyword, place])) as term
        from taken
    )
    select title as text from taken
    union select left(description, $length) from taken where description <> ''
    union (select term from terms order by md5(term) limit $works)
    order by text
"""


def wanted_texts(store: Store) -> list[str]:
    """Return titles, descriptions and terms of some works, each text once."""
    asked = {"artworks": str(store.path(ARTWORKS)), "works": WORKS, "length": MAX_QUERY}
    with duckdb.connect() as connection:
        return [text for (text,) in connection.execute(TEXTS, asked).fetchall()]


@cache
def texts_from_elsewhere() -> tuple[str, ...]:
    """Return texts that are about nothing that a museum shows."""
    return tuple(tomllib.loads(ELSEWHERE_FILE.read_text(encoding="utf-8"))["texts"])


def keep_texts(
    store: Store, description: Description, load: Callable[[], Embedder]
) -> tuple[int, int]:
    """See to it that each wanted text has its vector.

    `load` is called only when one has none yet. A text of which the model makes no unit vector is
    left out, by name.

    Returns:
        How many texts have a vector, and how many had to be embedded.

    Raises:
        BuildError: The model is not the one that was described, makes other vectors here, or makes
            a unit vector of no text of one of the two kinds.
    """
    own = wanted_texts(store)
    # What the collection itself says is about something that it shows.
    others = [text for text in texts_from_elsewhere() if text not in own]
    wanted, kept = own + others, _read(store, description)
    lacking = [text for text in wanted if text not in kept]
    if lacking:
        embedder = same_as_before(store, description, load)
        made = embedder.embed_queries([Input(text=text) for text in lacking])
        sound = are_unit(made)
        kept |= {
            text: made[row].astype(np.float16) for row, text in enumerate(lacking) if sound[row]
        }
        for row in np.flatnonzero(~sound):
            logger.warning("the model makes no vector of length 1 of the text %r", lacking[row])
    held = [{text: kept[text] for text in texts if text in kept} for texts in (own, others)]
    for vectors, texts in zip(held, (own, others), strict=True):
        if not vectors:
            raise BuildError(
                f"the model {description.checkpoint} makes a vector of length 1 of none of "
                f"{len(texts)} texts: `retrievals doctor` tries it; choose another device or dtype."
            )
    count = sum(map(len, held))
    if lacking or len(kept) > count:
        write_texts(store, description, *held)
    return count, len(lacking)


def read_texts(store: Store, description: Description) -> tuple[np.ndarray, np.ndarray]:
    """Return the vectors that `keep_texts` kept, of the collection's texts and of the others.

    Each is float16 (texts, native dimension), unit rows.

    Raises:
        SourceError: There are none yet.
    """
    table = _table(store, description)
    if table is None:
        raise SourceError(
            f"{store.path(texts_name(description))} does not have the texts that a build needs: "
            "materialize `text_embeddings` first."
        )
    is_own = table["of_collection"].to_numpy()
    vectors = _vectors(table)
    return vectors[is_own], vectors[~is_own]


def write_texts(
    store: Store,
    description: Description,
    own: Mapping[str, np.ndarray],
    elsewhere: Mapping[str, np.ndarray],
) -> None:
    """Keep the vectors of texts, each float16 (native dimension,), and no others."""
    flat = pa.array(np.concatenate([*own.values(), *elsewhere.values()]))
    table = pa.table(
        {
            "text": pa.array([*own, *elsewhere], pa.string()),
            "of_collection": [True] * len(own) + [False] * len(elsewhere),
            "embedding": pa.FixedSizeListArray.from_arrays(flat, description.dimension),
        }
    )
    with store.replacing(texts_name(description)) as partial:
        pq.write_table(table, partial, use_dictionary=False, write_page_checksum=True)


def texts_name(description: Description) -> str:
    """Return the name in the store of the text vectors of a model."""
    return contracts_name("texts", description)


def _read(store: Store, description: Description) -> dict[str, np.ndarray]:
    """Return the vectors that are kept, by text; none where they cannot be read any more."""
    table = _table(store, description)
    if table is None:
        return {}
    return dict(zip(table["text"].to_pylist(), _vectors(table), strict=True))


def _table(store: Store, description: Description) -> pa.Table | None:
    """Return what is kept, in one piece; None where there is nothing that can be used."""
    name = texts_name(description)
    if not store.exists(name):
        return None
    try:
        table = pq.read_table(
            store.path(name),
            columns=["text", "of_collection", "embedding"],
            page_checksum_verification=True,
        )
    except (pa.ArrowException, OSError, ValueError, LookupError) as error:
        logger.warning("%s is made again: %s", store.path(name), error)
        return None
    if len(table.column_names) < 3:  # another version wrote it
        return None
    return table.combine_chunks()


def _vectors(table: pa.Table) -> np.ndarray:
    """Return the vectors of `table`: float16 (texts, native dimension)."""
    flat = table["embedding"].chunk(0).flatten().to_numpy()
    vectors: np.ndarray = flat.reshape(table.num_rows, -1)
    return vectors
