"""The search engine for asyncio: a search whose task is cancelled begins no further forward."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Self, Unpack

from PIL import Image

from retrievals_serving.engine import SearchEngine
from retrievals_serving.filters import Filters
from retrievals_serving.pages import Artwork, Page
from retrievals_serving.questions import Options, Question
from retrievals_serving.vectors import Float32
from retrievals_serving.workers import Workers


class AsyncSearchEngine:
    """The methods of a `SearchEngine` as coroutines; it stays the caller's to close.

    As many searches are under way at once as the setting `queue` says.

    async with AsyncSearchEngine(engine) as searching:
        page = await searching.search("a lonely boat in stormy seas")
    """

    def __init__(self, engine: SearchEngine) -> None:
        self.engine = engine
        self._workers = Workers(engine.settings.queue)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._workers.close()

    async def search(self, query: str, **options: Unpack[Options]) -> Page:
        """Return the works that show what `query` says; see `SearchEngine.search`.

        Raises:
            ServerBusy: As many searches are under way as may.
        """
        return await self._workers.run(
            lambda cancelled: self.engine.search(query, cancelled=cancelled, **options)
        )

    async def search_image(
        self, image: Image.Image | Path, *, query: str | None = None, **options: Unpack[Options]
    ) -> Page:
        """Return the works that look like `image`; see `SearchEngine.search_image`."""
        return await self._workers.run(
            lambda cancelled: self.engine.search_image(
                image, query=query, cancelled=cancelled, **options
            )
        )

    def stream(self, query: str, **options: Unpack[Options]) -> AsyncIterator[Page]:
        """Yield the answer before it is reranked, and after; see `SearchEngine.stream`."""
        question = Question.ask(self.engine.settings, text=query, **options)
        return self._workers.stream(
            lambda cancelled: self.engine.stream(question, cancelled, early=True)
        )

    async def search_more(self, query_vector: Sequence[float] | Float32, cursor: str) -> Page:
        """Return the next page of an answer; see `SearchEngine.search_more`."""
        return await self._workers.run(lambda _: self.engine.search_more(query_vector, cursor))

    async def similar(
        self, artwork_id: str, *, top_k: int | None = None, filters: Filters | None = None
    ) -> Page:
        """Return the works that look like a work; see `SearchEngine.similar`."""
        return await self._workers.run(
            lambda _: self.engine.similar(artwork_id, top_k=top_k, filters=filters)
        )

    async def facets(
        self, field: str, *, query: str | None = None, filters: Filters | None = None
    ) -> dict[str, int]:
        """Return how many works have each value of a field; see `SearchEngine.facets`."""
        return await self._workers.run(
            lambda cancelled: self.engine.facets(
                field, query=query, filters=filters, cancelled=cancelled
            )
        )

    async def artwork(self, artwork_id: str) -> Artwork:
        """Return the record of a work; see `SearchEngine.artwork`."""
        return await self._workers.run(lambda _: self.engine.artwork(artwork_id))
