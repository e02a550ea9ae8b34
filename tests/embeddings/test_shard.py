"""A shard embeds what has no vector, and a bad picture fails alone."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from retrievals_pipeline.defs.embeddings import shard as module
from retrievals_pipeline.defs.embeddings.shard import ShardSummary, embed_shard, read_pictures
from retrievals_pipeline.defs.images.ledger import ledger_name
from retrievals_pipeline.defs.images.shard import read_works
from retrievals_serving.errors import SourceError
from retrievals_serving.models import Embedder
from retrievals_serving.settings import Settings
from retrievals_serving.store import picture_name

SHARD = "0-of-3"


class CountingEmbedder:
    """Stands in for a model: the vector of a picture is its size, and calls are counted."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    def embed_images(self, images: Sequence[Image.Image | Path]) -> np.ndarray:
        self.calls.append(len(images))
        return np.array([image.size for image in images], np.float32)


def embed(settings: Settings, embedder: CountingEmbedder | None = None) -> ShardSummary:
    def load() -> Embedder:
        assert embedder is not None, "the model was loaded for nothing"
        return embedder  # type: ignore[return-value]

    return embed_shard(
        settings.store,
        SHARD,
        read_works(settings.store, settings.shards)[SHARD],
        corpus_contract="c",
        load=load,
        advance=lambda _: None,
    )


def test_every_picture_is_embedded_once(built: Settings) -> None:
    first = embed(built, CountingEmbedder())
    assert first.embedded == first.works > 0
    again = embed(built)
    assert (again.embedded, again.reused) == (0, first.works)


def test_a_part_is_written_for_every_few_pictures(
    built: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PART", 2)
    embedder = CountingEmbedder()
    summary = embed(built, embedder)
    assert max(embedder.calls) == 2
    assert sum(embedder.calls) == summary.works


def test_a_picture_that_cannot_be_read_fails_alone_by_name(built: Settings) -> None:
    (work_id, sha), *others = read_pictures(
        built.store, SHARD, read_works(built.store, built.shards)[SHARD]
    ).items()
    built.store.write_bytes(picture_name(sha), b"no picture")
    summary = embed(built, CountingEmbedder())
    assert list(summary.failed) == [work_id]
    assert sha in summary.failed[work_id]
    assert summary.embedded == len(others)


def test_a_shard_whose_pictures_were_never_fetched_is_named(built: Settings) -> None:
    built.store.remove(ledger_name(SHARD))
    with pytest.raises(SourceError, match=f"shard {SHARD} of `artwork_images`"):
        embed(built)
