"""What searches answer, as JSON has it; see `retrievals_serving.pages`."""

from pydantic import BaseModel, ConfigDict, Field

from retrievals_serving.relevance import Relevance


class Answer(BaseModel):
    """A body to the outside."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Metadata(Answer):
    """The record of a work."""

    title: str = Field(description="As the museum has it, like all texts here.")
    artist: str = Field(description="Name of the artist; empty where unknown, as other texts are.")
    date: str = Field(description="As the museum displays it.")
    begin_year: int | None = Field(description="The first year that it may be of.")
    end_year: int | None = Field(description="The last year that it may be of.")
    medium: str = Field(description="What it is made of, as `oil on canvas`.")
    classification: str = Field(description="Its kind, as `Painting`.")
    credit: str = Field(description="The credit line.")
    width: int = Field(description="Of the stored picture, px.")
    height: int = Field(description="Of the stored picture, px.")
    color: str = Field(description="The picture's mean colour, `#rrggbb`.")
    thumbnail_url: str = Field(description="Path of the thumbnail on this server.")
    image_url: str = Field(
        description="Address of the picture at the museum; of a folder of pictures, the file's "
        "path."
    )
    artwork_url: str = Field(
        description="Address of the museum's page about the work; where there is none, as "
        "`image_url`."
    )
    description: str = Field(description="What the museum says of it.")


class Artwork(Answer):
    """One work."""

    id: str = Field(description="`<source>:<object id>`, as `nga:46569`.")
    metadata: Metadata = Field(description="Its record.")


class Verdict(Answer):
    """What a work is to one condition of the query."""

    condition: str = Field(description="The condition, in the words of the query.")
    negative: bool = Field(description="Whether it is not to be met.")
    score: float | None = Field(
        description="The reranker's judgement of the condition, 0 to 1; null where the time was "
        "over."
    )
    met: bool | None = Field(
        description="Whether the work is as the condition wishes; null where it was not judged."
    )


class Result(Answer):
    """One work as the answer to a search."""

    id: str = Field(description="`<source>:<object id>`, as `nga:46569`.")
    rank: int = Field(description="Its place in the whole answer, from 1.")
    score: float = Field(
        description="What the order is by: alpha · rerank_score + (1 − alpha) · vector_score, or "
        "the vector score where it was not reranked. Where the embedder failed, in place of the "
        "vector score: b / (1 + b) of the BM25 score b of the record's words."
    )
    vector_score: float = Field(
        description="Cosine of its vector with the query's; 0 where that is negative."
    )
    rerank_score: float | None = Field(
        description="The reranker's judgement, 0 to 1; null where it was not reranked."
    )
    conditions: list[Verdict] | None = Field(
        description="What it is to each condition of the query; null if nobody asked."
    )
    metadata: Metadata = Field(description="Its record.")


class Page(Answer):
    """One page of an answer."""

    query: str | None = Field(
        description="The text that was searched for; null when the search began with a picture "
        "alone."
    )
    negative: str | None = Field(description="What the works shall not show.")
    results: list[Result] = Field(description="Best first.")
    total: int = Field(description="How many results are on this page.")
    window: int = Field(description="How many can be paged to in all.")
    query_vector: list[float] = Field(
        description="The vector that was searched, of length 1; empty where there is none, since "
        "the embedder failed."
    )
    cursor: str | None = Field(
        description="With `query_vector`, leads to the next page; null on the last."
    )
    release: str = Field(description="Id of the release that answered.")
    rerank_coverage: float | None = Field(
        description="Share of the answer's candidates that were reranked, 0 to 1; null where none "
        "was to be."
    )
    relevance: Relevance | None = Field(
        description="Whether the best work, by the vector search, fits the text better than "
        "chance; null where that cannot be told."
    )
    explanation: str | None = Field(
        description="The answer in words, plain text; null where it was not asked for or came to "
        "nothing."
    )
    latency_ms: float = Field(description="Time that it took on the server in all, ms.")
    timings: dict[str, float] = Field(
        description="Time that each stage took, ms; none where the answer was kept."
    )
    cached: bool = Field(description="Whether the answer was kept from before.")
    degraded: list[str] = Field(
        description="What the answer lacks: `deadline`, `pictures`, `reranker`, `embedder`, "
        "`explanation`, `cache`."
    )
