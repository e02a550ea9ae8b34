"""A small release of real files, made in seconds, and a model of words to search it with."""

import hashlib
import io
import random
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import faiss
import numpy as np
import pyarrow as pa
from PIL import Image

from retrievals_serving.certificate import Certificate, Measure
from retrievals_serving.collection_map import CollectionMap, write_map
from retrievals_serving.golden import GoldenItem, make_golden, read_golden, write_golden
from retrievals_serving.models import Input
from retrievals_serving.models.contracts import Contract
from retrievals_serving.records import write_table
from retrievals_serving.release import (
    GOLDEN,
    INDEX,
    MANIFEST,
    MAP,
    METADATA,
    RECORDS,
    REQUIRED_CHECKS,
    SCORES,
    ContractEntry,
    EmbedderEntry,
    FileEntry,
    IndexEntry,
    Manifest,
    Release,
    record_check,
)
from retrievals_serving.relevance import Fit
from retrievals_serving.store import Store, file_sha256, picture_name, thumbnail_name

WORKS = 60
NATIVE, DIMENSION = 64, 32
RELEASE = "20260101T000000Z-000000000001"
CERTIFICATE = Certificate(
    measures=tuple(
        Measure(
            queries=queries,
            kept=kept,
            count=WORKS,
            recall={10: 1.0, 80: 1.0, 256: 1.0},
            p50_ms=0.1,
            p99_ms=0.2,
        )
        for queries in ("pictures", "texts")
        for kept in (1.0, 0.1)
    ),
    machine="none",
)
# A title comes to 3.3, of which 1 is its cosine; one word of two of a title to 2.7, a text without
# such a word to less than 1.9.
FIT = Fit(cosine=1.0, deviations=1.0, weak=2.2, strong=3.0)
COLUMNS = """
    row integer, id varchar, title varchar, artist varchar, date varchar, begin_year integer,
    end_year integer, medium varchar, classification varchar, credit varchar, description varchar,
    width integer, height integer, color varchar, image_sha256 varchar, image_url varchar,
    artwork_url varchar, school varchar[], theme varchar[], style varchar[], technique varchar[],
    keyword varchar[], place varchar[], modified timestamp
"""


class WordEmbedder:
    """Embeds a text as the mean of its words' vectors, which follow from the words alone."""

    dimension = NATIVE
    device = "cpu"
    dtype = "float32"

    def __init__(self, **parts: str) -> None:
        model = {"weights": "words"} | parts
        self.corpus_contract = Contract(model | {"pictures": "titles"})
        self.query_contract = Contract(model | {"texts": "split at spaces"})
        self.queries: list[str] = []
        self.pictures = 0

    def embed_queries(self, queries: Sequence[Input]) -> np.ndarray:
        texts = [query.text or "" for query in queries]
        self.queries += texts
        return self.embed_texts(texts)

    def embed_texts(self, texts: Sequence[str], *, instruction: str | None = None) -> np.ndarray:
        if instruction is not None:
            raise NotImplementedError
        return unit(np.stack([sum(map(word_vector, text.lower().split())) for text in texts]))

    def embed_inputs(
        self, inputs: Sequence[Input], *, instruction: str | None = None
    ) -> np.ndarray:
        raise NotImplementedError

    def embed_images(
        self, images: Sequence[Image.Image | Path], *, instruction: str | None = None
    ) -> np.ndarray:
        if instruction is not None:
            raise NotImplementedError
        self.pictures += len(images)
        return self.embed_texts([f"{image.width} by {image.height}" for image in images])


GOLDEN_TEXTS = ["a lonely boat", "Été"]


def golden_items() -> list[GoldenItem]:
    picture = encoded(Image.new("RGB", (40, 30), "navy"), "PNG")
    texts = [GoldenItem(f"text {number}", text=text) for number, text in enumerate(GOLDEN_TEXTS)]
    return [*texts, GoldenItem("blue", picture=picture)]


class TurnedEmbedder(WordEmbedder):
    """The same model where one text and the pictures come out with another cosine to the right."""

    def __init__(self, cosine: float, dtype: str = "float32", device: str = "cpu") -> None:
        super().__init__()
        self.cosine, self.dtype, self.device = cosine, dtype, device

    def embed_queries(self, queries: Sequence[Input]) -> np.ndarray:
        vectors = super().embed_queries(queries)
        rows = [row for row, query in enumerate(queries) if query.text == GOLDEN_TEXTS[1]]
        vectors[rows] = turned(vectors[rows], self.cosine)
        return vectors

    def embed_images(
        self, images: Sequence[Image.Image | Path], *, instruction: str | None = None
    ) -> np.ndarray:
        return turned(super().embed_images(images, instruction=instruction), self.cosine)


def turned(vectors: np.ndarray, cosine: float) -> np.ndarray:
    """Turn rows of length 1 until their cosine with what they were is `cosine`."""
    other = np.random.default_rng(3).standard_normal(vectors.shape)
    across = unit(other - (other * vectors).sum(axis=1, keepdims=True) * vectors)
    return (cosine * vectors + np.sqrt(1 - cosine**2) * across).astype(np.float32)


def word_vector(word: str) -> np.ndarray:
    seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8])
    return np.random.default_rng(seed).standard_normal(NATIVE).astype(np.float32)


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def make_records(works: int, seed: int = 7) -> list[dict[str, Any]]:
    """Records in which titles, and so vectors, are repeated, and years are sometimes unknown."""
    chance = random.Random(seed)
    records = []
    for row in range(works):
        subject = chance.choice(["boat", "boats", "horse", "portrait", "100% tree_s", "Été"])
        title = f"{chance.choice(['lonely', 'Stormy', 'calm'])} {subject}"
        year = chance.choice([None, *range(1500, 1950, 50)])
        records.append(
            {
                "row": row,
                "id": f"test:{1000 + row}",
                "title": title,
                "artist": chance.choice(["Claude Monet", "Eugène Boudin", "O'Keeffe"]),
                "date": str(year or ""),
                "begin_year": year,
                "end_year": year and year + 5,
                "medium": "oil",
                "classification": chance.choice(["Painting", "Print", "Drawing"]),
                "credit": "Gift",
                "description": f"It shows a {subject}.",
                "width": 40 + row,
                "height": 30,
                "color": "#a86845",
                "image_url": f"https://museum.example/iiif/{row}/full/!64,64/0/default.jpg",
                "artwork_url": f"https://museum.example/artworks/{row}",
                "school": [],
                "theme": chance.sample(["sea", "land", "people"], k=chance.randrange(3)),
                "style": [],
                "technique": ["oil"],
                "keyword": chance.sample(["boat", "boats", "sky"], k=chance.randrange(4)),
                "place": [],
                "modified": "2026-01-01",
            }
        )
    return records


def add_pictures(store: Store, records: list[dict[str, Any]]) -> None:
    """Draw a picture for each record, put it and its thumbnail in the store, and name its hash."""
    for record in records:
        picture = Image.new("RGB", (record["width"], record["height"]), (record["row"], 104, 69))
        content = encoded(picture, "JPEG")
        record["image_sha256"] = hashlib.sha256(content).hexdigest()
        store.write_bytes(picture_name(record["image_sha256"]), content)
        store.write_bytes(thumbnail_name(record["image_sha256"]), encoded(picture, "WEBP"))


def encoded(picture: Image.Image, form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def claiming(side: int) -> bytes:
    """A PNG of some 80 bytes whose header claims `side` pixels each way."""
    content = bytearray(encoded(Image.new("RGB", (4, 4)), "PNG"))
    content[16:24] = side.to_bytes(4) * 2  # of the chunk IHDR, whose checksum is at 29
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4)
    return bytes(content)


def make_release(
    store: Store, release_id: str = RELEASE, works: int = WORKS, seed: int = 7
) -> Release:
    """Seal a release as the pipeline does: the files, then the manifest that names them."""
    embedder = WordEmbedder()
    records = make_records(works, seed)
    add_pictures(store, records)
    release = Release(store, release_id)
    release.path("").mkdir(parents=True)

    native = embedder.embed_texts([record["title"] for record in records])
    index = faiss.IndexScalarQuantizer(
        DIMENSION, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
    )
    vectors = unit(native[:, :DIMENSION])
    index.add(vectors)
    faiss.write_index(index, str(release.path(INDEX)))
    with duckdb.connect(str(release.path(METADATA))) as connection:
        connection.execute(f"create table artworks ({COLUMNS})")
        names = [column.split()[0] for column in COLUMNS.split(",")]
        connection.executemany(
            f"insert into artworks values ({', '.join('?' * len(names))})",
            [[record[name] for name in names] for record in records],
        )
    write_table(pa.Table.from_pylist(records), release.path(RECORDS))
    spread = np.vstack([vectors.mean(axis=0), np.cov(vectors.T, bias=True)])
    np.save(release.path(SCORES), spread.astype(np.float32))
    write_map(make_map(records), release.path(MAP))
    write_golden(make_golden(embedder, golden_items()), release.path(GOLDEN))
    seal(release, works)
    return release


def make_map(records: list[dict[str, Any]]) -> CollectionMap:
    """A map on which the works lie in a row."""
    places = [(64 * record["row"], 0) for record in records]
    return CollectionMap([record["id"] for record in records], np.array(places, np.int16), {})


def seal(release: Release, works: int) -> None:
    """Write the manifest of what lies in the release's folder, and what its checks found."""
    embedder = WordEmbedder()
    corpus, query = (
        ContractEntry(digest=contract.digest, parts=dict(contract.parts))
        for contract in (embedder.corpus_contract, embedder.query_contract)
    )
    paths = [release.path(name) for name in (INDEX, METADATA, RECORDS, SCORES, MAP, GOLDEN)]
    manifest = Manifest(
        release_id=release.release_id,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        as_of=datetime(2026, 1, 1, tzinfo=UTC),
        works=works,
        eligible=works,
        missing={},
        embedder=EmbedderEntry(
            checkpoint="words",
            native_dimension=NATIVE,
            dimension=DIMENSION,
            corpus_contract=corpus,
            query_contract=query,
        ),
        index=IndexEntry(kind="flat", certificate=CERTIFICATE, fit=FIT),
        golden=read_golden(release.path(GOLDEN)).made_on,
        files=tuple(
            FileEntry(name=path.name, bytes=path.stat().st_size, sha256=file_sha256(path))
            for path in paths
        ),
        libraries={},
    )
    release.path(MANIFEST).write_text(manifest.model_dump_json())
    for check in REQUIRED_CHECKS:
        record_check(release.store, release.release_id, check, passed=True, details={})
