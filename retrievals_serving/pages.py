"""What a search answers: pages of results."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from retrievals_serving.relevance import Relevance

if TYPE_CHECKING:
    import pandas as pd

# The words of `Page.degraded`.
DEADLINE = "deadline"
PICTURES = "pictures"
RERANKER = "reranker"
EMBEDDER = "embedder"
CACHE = "cache"
EXPLANATION = "explanation"


@dataclass(frozen=True, kw_only=True)
class Artwork:
    """The record of one work.

    Attributes:
        id: `<source>:<object id>`, as `nga:46569`.
        date: As the museum displays it; `begin_year` and `end_year` bound it.
        width: Of the stored picture, px, as `height`.
        color: The picture's mean colour, `#rrggbb`.
        thumbnail_url: Path of the thumbnail on this server.
        image_url: Address of the picture at the museum; of a folder of pictures, the file's path.
        artwork_url: Address of the museum's page about the work; where there is none, as
            `image_url`.
    """

    id: str
    title: str
    artist: str
    date: str
    begin_year: int | None
    end_year: int | None
    medium: str
    classification: str
    credit: str
    width: int
    height: int
    color: str
    thumbnail_url: str
    image_url: str
    artwork_url: str
    description: str

    @property
    def metadata(self) -> dict[str, Any]:
        """All of the record but the id, as the HTTP API gives it."""
        return {name: getattr(self, name) for name in METADATA_FIELDS}


METADATA_FIELDS = tuple(field.name for field in fields(Artwork) if field.name != "id")


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a work is to one condition of a query.

    Attributes:
        condition: In the words of the query.
        negative: Whether it is not to be met.
        score: The reranker's judgement of the condition, 0 to 1; None where the time was over.
        met: Whether the work is as the condition wishes; None where it was not judged.
    """

    condition: str
    negative: bool
    score: float | None
    met: bool | None


@dataclass(frozen=True, kw_only=True)
class Result(Artwork):
    """One work as the answer to a search.

    Attributes:
        rank: Its place in the whole answer, from 1.
        score: What the order is by, see `ranking`; the vector score when it was not reranked. Where
            the embedder failed, `FullText.search` has what stands for the vector score in both.
        vector_score: Cosine of its vector with the query's, 0 to 1.
        rerank_score: The reranker's judgement, 0 to 1; None when it was not reranked.
        conditions: What it is to each condition of the query; None if nobody asked.
    """

    rank: int
    score: float
    vector_score: float
    rerank_score: float | None
    conditions: tuple[Verdict, ...] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the result as the HTTP API gives it."""
        return {
            "id": self.id,
            "rank": self.rank,
            "score": self.score,
            "vector_score": self.vector_score,
            "rerank_score": self.rerank_score,
            "conditions": self.conditions and [asdict(each) for each in self.conditions],
            "metadata": self.metadata,
        }


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of an answer.

    Attributes:
        query: The text that was searched for; None when the search began with a picture alone.
        negative: What the works shall not show.
        results: Best first.
        total: How many results are on this page.
        window: How many can be paged to in all.
        query_vector: The vector that was searched, of the release's dimension and length 1; empty
            where there is none, since the embedder failed.
        cursor: With `query_vector`, leads to the next page; None on the last.
        release: Id of the release that answered.
        latency_ms: Time it took in all, ms.
        timings: Time that each stage took, ms.
        cached: Whether the answer was kept from before.
        degraded: What the answer lacks: `deadline`, the time for reranking was over before all
            candidates were; `pictures`, some of them cannot be read; `reranker`, it failed, and
            the order is that of the vector search; `embedder`, it failed, and the words of the
            query were looked for in the records; over HTTP also `explanation`, there is none in
            time; `cache`, it cannot be reached, and the answer is made as if there were none.
        rerank_coverage: Share of the answer's candidates that were reranked, 0 to 1; None where
            none was to be.
        relevance: Whether the best work, by the vector search, fits the text better than chance;
            None where it was no text that was searched for, nothing was found, or the release could
            not learn to tell.
        explanation: The answer in words, plain text; None where it was not asked for or came to
            nothing.
    """

    query: str | None
    negative: str | None = None
    results: list[Result]
    total: int
    window: int
    query_vector: list[float]
    cursor: str | None
    release: str
    latency_ms: float
    timings: Mapping[str, float]
    cached: bool = False
    degraded: tuple[str, ...] = ()
    rerank_coverage: float | None = None
    relevance: Relevance | None = None
    explanation: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the page as the HTTP API gives it."""
        page = {field.name: getattr(self, field.name) for field in fields(self)}
        return page | {"results": [result.to_dict() for result in self.results]}

    def to_pandas(self) -> "pd.DataFrame":
        """Return the results as a table, one row for each."""
        import pandas as pd

        columns = [field.name for field in fields(Result)]
        return pd.DataFrame([asdict(result) for result in self.results], columns=columns)
