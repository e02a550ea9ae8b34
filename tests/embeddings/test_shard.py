"""A shard embeds what has no vector, and a bad picture fails alone."""

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from retrievals_pipeline.defs.embeddings.shard import ShardSummary, embed_shard, read_pictures
from retrievals_pipeline.defs.images.ledger import ledger_name
from retrievals_pipeline.defs.images.works import read_works
from retrievals_serving.errors import BuildError, PictureError, ShardError
from retrievals_serving.models import Embedded, Embedder
from retrievals_serving.models.pictures import load_picture
from retrievals_serving.settings import Settings
from retrievals_serving.store import picture_name

SHARD = "0-of-3"


class CountingEmbedder:
    """Stands in for a model: two pictures are a batch, a vector points where the size does."""

    def __init__(
        self, before_batch: Callable[[], None] = lambda: None, contract: str = "c"
    ) -> None:
        self.before_batch = before_batch
        self.corpus_contract = SimpleNamespace(digest=contract)
        self.batches = 0

    def vector(self, width: int, height: int) -> list[float]:
        return [width / math.hypot(width, height), height / math.hypot(width, height)]

    def embed_stream(self, images: Sequence[Path]) -> Iterator[Embedded]:
        for start in range(0, len(images), 2):
            self.before_batch()
            self.batches += 1
            sizes, failed = {}, {}
            for place in range(start, min(start + 2, len(images))):
                try:
                    sizes[place] = self.vector(*load_picture(images[place]).size)
                except PictureError as error:
                    failed[place] = error
            yield Embedded([*sizes], np.array([*sizes.values()], np.float32), failed)


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


def test_a_part_is_written_for_every_batch_before_the_next(built: Settings) -> None:
    def parts() -> int:
        return len(built.store.names("embeddings/c/*/part-*.parquet"))

    seen: list[int] = []
    embedder = CountingEmbedder(lambda: seen.append(parts()))
    summary = embed(built, embedder)
    assert seen == [*range(embedder.batches)]
    assert embedder.batches == -(-summary.works // 2) > 1
    assert parts() == 1


def test_a_picture_that_cannot_be_read_fails_alone_by_name(built: Settings) -> None:
    (work_id, sha), *others = read_pictures(
        built.store, SHARD, read_works(built.store, built.shards)[SHARD]
    ).items()
    built.store.write_bytes(picture_name(sha), b"no picture")
    summary = embed(built, CountingEmbedder())
    assert list(summary.failed) == [work_id]
    assert sha in summary.failed[work_id]
    assert summary.embedded == len(others)


@pytest.mark.parametrize("wrong", [[math.nan, 1], [math.inf, 0], [0, 0], [3, 4]])
def test_a_vector_that_is_none_fails_its_picture_alone_by_name(
    built: Settings, wrong: list[float]
) -> None:
    class OnceWrong(CountingEmbedder):
        made = 0

        def vector(self, width: int, height: int) -> list[float]:
            self.made += 1
            return wrong if self.made == 1 else super().vector(width, height)

    summary = embed(built, OnceWrong())
    (reason,) = summary.failed.values()
    assert "not finite and of length 1" in reason
    assert summary.embedded == summary.works - 1 > 0
    again = embed(built, CountingEmbedder())
    assert (again.embedded, again.reused) == (1, summary.works - 1)


def test_a_model_that_changed_since_the_stage_began_is_refused(built: Settings) -> None:
    with pytest.raises(BuildError, match="corpus contract c when the stage began, d now"):
        embed(built, CountingEmbedder(contract="d"))
    assert built.store.names("embeddings/c/*/part-*.parquet") == []


def test_a_shard_whose_pictures_were_never_fetched_is_named(built: Settings) -> None:
    built.store.remove(ledger_name(SHARD))
    with pytest.raises(ShardError, match=f"shard {SHARD} of `artwork_images`"):
        embed(built)
