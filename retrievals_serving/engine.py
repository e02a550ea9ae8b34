"""The search engine: one release, its index and its records, behind a few methods.

from retrievals_serving import SearchEngine
with SearchEngine.open() as engine:
    page = engine.search("a lonely boat in stormy seas", filters={"classification": "Painting"})
    more = engine.search_more(page.query_vector, page.cursor)
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self, Unpack

import numpy as np
from PIL import Image

from retrievals_serving.answering import Answering
from retrievals_serving.cancelling import Cancelled, Spared, never
from retrievals_serving.clock import Clock
from retrievals_serving.filters import Filters
from retrievals_serving.models import Embedder, Reranker
from retrievals_serving.opened import OpenRelease
from retrievals_serving.pages import Artwork, Page
from retrievals_serving.paging import Paging
from retrievals_serving.queries import QueryEmbedder, as_vector
from retrievals_serving.questions import Options, Question, known, page_size
from retrievals_serving.release import Release, open_release
from retrievals_serving.reranking import Judge
from retrievals_serving.settings import Settings
from retrievals_serving.store import Store, read_through
from retrievals_serving.vectors import Float32

MAX_FACET_VALUES = 256  # as many works as an answer has, unless it is set otherwise


class SearchEngine:
    """One release, open for search. Safe to use from several threads.

    Attributes:
        release: What is searched.
        settings: How.
        spared: What was not done for those who left; shared with the engines `beside` this one.
    """

    def __init__(
        self,
        release: Release,
        settings: Settings,
        embedder: Embedder | None = None,
        reranker: Reranker | None = None,
        spared: Spared | None = None,
    ) -> None:
        """Open the files of `release`; see `open`. What is spared is counted in `spared`."""
        self.release = release
        self.settings = settings
        self._queries = QueryEmbedder(release, settings, embedder)
        self._opened = OpenRelease(release)
        self._paging = Paging(self._opened, settings)
        self.spared = spared or Spared()
        model = settings.reranker if reranker is None else reranker
        self._judge = None if model is None else Judge(self._opened, settings, model, self.spared)
        self._answering = Answering(self._queries, self._paging, self._judge, settings, self.spared)

    @classmethod
    def open(
        cls,
        home: Path | str | None = None,
        release: str | None = None,
        settings: Settings | None = None,
        embedder: Embedder | None = None,
        reranker: Reranker | None = None,
    ) -> Self:
        """Open a release for search. No model is loaded.

        Args:
            home: Folder of all artifacts; default: that of the settings.
            release: Id of a release; default: the one that is served.
            settings: Default: those of the environment.
            embedder: A model that is loaded already; default: that of the settings, when needed.
            reranker: Likewise; without one here and in the settings nothing is reranked.

        Raises:
            ReleaseNotFound: There is no such release, or nothing was promoted yet.
            ReleaseDamaged: Its files are not those its manifest names, or do not fit together.
            ReleaseError: `embedder` is not the model that made the release, or makes other vectors
                here.
            SettingsError: A setting is malformed.
        """
        settings = settings or Settings.load(home=home)
        store = settings.store if home is None else Store(Path(home).expanduser().absolute())
        return cls(open_release(store, release), settings, embedder, reranker)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the release's files; the engine cannot search any more."""
        if self._judge:
            self._judge.close()
        self._opened.close()

    @property
    def embedder(self) -> Embedder | None:
        """The model of text queries; None until the first of them, or `warm`, loads it."""
        return self._queries.embedder

    @property
    def reranker_name(self) -> str | None:
        """Name of the reranker, loaded or not; None where none is set."""
        return self._judge.name if self._judge else None

    @property
    def reranker_contract(self) -> str | None:
        """Digest of what its scores depend on; None until it is loaded, or where none is set."""
        reranker = self._judge.reranker if self._judge else None
        return reranker.contract.digest if reranker else None

    @property
    def is_warm(self) -> bool:
        """Whether no query waits for a model to load."""
        return self.embedder is not None and not self.lacks_reranker

    @property
    def lacks_reranker(self) -> bool:
        """Whether a reranker is set and not loaded."""
        return self._judge is not None and self._judge.reranker is None

    def warm(self) -> None:
        """Make all ready, so that no query waits for a disk or a model.

        Raises:
            ModelError, ReleaseDamaged, ReleaseError: As for `warm_search`.
            ModelError: As for `warm_reranker`.
        """
        self.warm_search()
        self.warm_reranker()

    def warm_search(self) -> None:
        """Read the release into memory, and load the embedder and try it on the golden vectors.

        Raises:
            ModelError: It cannot be loaded.
            ReleaseDamaged: The release's golden vectors are not those that were sealed.
            ReleaseError: The embedder is not the one that made the release, or makes other vectors
                here.
        """
        for entry in self.release.manifest.files:
            read_through(self.release.path(entry.name))
        self._queries.load(again=True)

    def warm_reranker(self) -> None:
        """Load the reranker, where one is set.

        Raises:
            ModelError: It cannot be loaded.
        """
        if self._judge:
            self._judge.load(again=True)

    def warm_words(self) -> None:
        """Read the words of the records, which are searched when the embedder fails."""
        self._opened.full_text.build()

    def beside(self, release: Release) -> Self:
        """Open another release for search with the settings and the loaded models of this engine.

        Raises:
            ReleaseDamaged, ReleaseError: As for `open`.
        """
        judge = self._judge
        reranker = judge.reranker if judge else None
        other = type(self)(release, self.settings, self.embedder, reranker, self.spared)
        if judge and (its := other._judge):  # noqa: SLF001 - one of its own kind
            its.inherit(judge)
        return other

    def search(
        self, query: str, *, cancelled: Cancelled = never, **options: Unpack[Options]
    ) -> Page:
        """Return the works that show what `query` says, best first.

        Args:
            query: 1 to 512 characters.
            cancelled: Asked before each forward: whether whoever asked has left.
            **options: See `questions.Options`.

        Raises:
            QueryError: An argument is out of bounds, or `filters` has an unknown field.
            SearchCancelled: Whoever asked has left.
            ReleaseError: As for `warm_search`.
        """
        (page,) = self.stream(Question.ask(self.settings, text=query, **options), cancelled)
        return page

    def search_image(
        self,
        image: Image.Image | Path,
        *,
        query: str | None = None,
        cancelled: Cancelled = never,
        **options: Unpack[Options],
    ) -> Page:
        """Return the works that look like `image`, and show what `query` says where it is given.

        A reranker, which judges by a text, is asked where there is one.

        Raises:
            PictureError: `image` cannot be read; names it.
            QueryError: As for `search`; or the model takes no text together with a picture.
            SearchCancelled, ReleaseError: As for `search`.
            ModelError: There is no `query` to answer by its words, and the embedder failed.
        """
        question = Question.ask(self.settings, text=query, image=image, **options)
        (page,) = self.stream(question, cancelled)
        return page

    def stream(
        self, question: Question, cancelled: Cancelled = never, *, early: bool = False
    ) -> Iterator[Page]:
        """Yield the answer to `question`; if `early`, also in the order before it is reranked.

        Raises:
            PictureError, QueryError, SearchCancelled, ModelError, ReleaseError: As for
                `search_image`.
        """
        return self._answering.pages(question, cancelled, early=early)

    def search_more(self, query_vector: Sequence[float] | Float32, cursor: str) -> Page:
        """Return the next page of an answer, in the order its first page had; needs no model.

        Args:
            query_vector: As the page before gave it.
            cursor: As the page before gave it.

        Raises:
            CursorExpired: It belongs to a release that is not served any more.
            CursorRefused: It is forged, or belongs to another vector or other settings.
        """
        clock = Clock()
        vector = as_vector(query_vector)
        start = self._paging.resume(cursor, vector)
        window = self._paging.window(start, vector, clock)
        return self._paging.page(start, window, vector, size=self.settings.more, clock=clock)

    def similar(
        self, artwork_id: str, *, top_k: int | None = None, filters: Filters | None = None
    ) -> Page:
        """Return the works that look like a work of the release, without the work itself.

        Raises:
            UnknownArtwork: No such work.
            QueryError: As for `search`.
        """
        clock = Clock()
        filters = known(filters)
        size = page_size(top_k, self.settings)
        row = self._opened.records.row_of(artwork_id)
        vector = self._opened.index.vector(row)
        vector /= np.linalg.norm(vector)
        start = self._paging.begin(vector, by="picture", filters=filters, without=row)
        window = self._paging.window(start, vector, clock)
        return self._paging.page(start, window, vector, size=size, clock=clock)

    def facets(
        self,
        field: str,
        *,
        query: str | None = None,
        filters: Filters | None = None,
        cancelled: Cancelled = never,
    ) -> dict[str, int]:
        """Return how many works have each value of `field`, the most frequent first.

        Counted are the works that `query` finds, as deep as its answer can be paged to; without it
        all that match `filters`.

        Raises:
            QueryError: The values of `field` are not counted; or as for `search`.
            ModelError, ReleaseError: As for `warm`.
        """
        filters = known(filters)
        rows = None
        if query is not None:
            question = Question.ask(self.settings, text=query, filters=filters)
            rows = self._answering.rows(question, cancelled)
        return self._opened.metadata.facet(field, filters=filters, rows=rows, most=MAX_FACET_VALUES)

    def artwork(self, artwork_id: str) -> Artwork:
        """Return the record of a work.

        Raises:
            UnknownArtwork: No such work.
        """
        (record,) = self._opened.records.at([self._opened.records.row_of(artwork_id)])
        return Artwork(**record)
