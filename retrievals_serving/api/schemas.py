"""The bodies of requests and answers."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import UploadFile
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from retrievals_serving.observations import Figures, Stage
from retrievals_serving.questions import MAX_QUERY, MAX_TOP_K
from retrievals_serving.release import IndexEntry
from retrievals_serving.relevance import Relevance

TopK = Annotated[int, Field(ge=1, le=MAX_TOP_K)]
Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_QUERY)]


class Request(BaseModel):
    """A body from outside: a misspelt field or a number as text is refused, not guessed at."""

    model_config = ConfigDict(extra="forbid", strict=True)


class SearchRequest(Request):
    """What to search for."""

    query: Words = Field(examples=["a lonely boat in stormy seas"])
    negative: Words | None = Field(
        None, description="What the works shall not show.", examples=["people"]
    )
    top_k: TopK | None = Field(
        None, description="Results on the first page; by default the server's setting."
    )
    score_threshold: Fraction = Field(0.0, description="Leave out lower vector scores.")
    filters: dict[str, Any] | None = Field(None, examples=[{"classification": "Painting"}])
    rerank: bool = Field(True, description="Let a reranker, where one is set, order the best.")
    alpha: Fraction | None = Field(
        None,
        description="Weight of the reranker's score against the vector score; by default the "
        "server's setting.",
    )
    include_explanation: bool = Field(
        False, description="Have a language model, where one is set, explain the best in words."
    )
    explain: Literal["conditions"] | None = Field(
        None, description="Have the reranker judge each condition of the query by itself."
    )


class ImageForm(BaseModel):
    """A picture and what is asked beside it, as `/search` has it; as the fields of a form."""

    model_config = ConfigDict(extra="forbid")

    file: UploadFile = Field(description="JPEG, PNG or WebP, of up to 16 MB.")
    query: Words | None = None
    negative: Words | None = None
    top_k: TopK | None = None
    score_threshold: Fraction = 0.0
    filters: str | None = Field(None, description="A JSON object, as of `/search`.")
    rerank: bool = True
    alpha: Fraction | None = None


class MoreRequest(Request):
    """Where to go on: both as the page before gave them."""

    query_vector: list[Annotated[float, Field(allow_inf_nan=False)]]
    cursor: str


class Answer(BaseModel):
    """A body to the outside."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Metadata(Answer):
    """The record of a work; see `pages.Artwork`."""

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


class Artwork(Answer):
    """One work."""

    id: str
    metadata: Metadata


class Verdict(Answer):
    """What a work is to one condition of a query; see `pages.Verdict`."""

    condition: str
    negative: bool
    score: float | None
    met: bool | None


class Result(Answer):
    """One work as the answer to a search; see `pages.Result`."""

    id: str
    rank: int
    score: float
    vector_score: float
    rerank_score: float | None
    conditions: list[Verdict] | None
    metadata: Metadata


class Page(Answer):
    """One page of an answer; see `pages.Page`."""

    query: str | None
    negative: str | None
    results: list[Result]
    total: int
    window: int
    query_vector: list[float]
    cursor: str | None
    release: str
    latency_ms: float
    timings: dict[str, float]
    cached: bool
    degraded: list[str]
    rerank_coverage: float | None
    relevance: Relevance | None
    explanation: str | None


class Health(Answer):
    """Whether queries are answered now, and by what."""

    status: Literal["ok", "starting", "unavailable"]
    detail: str | None = None
    release: str | None = None
    works: int | None = None
    embedder: str | None = None
    reranker: str | None = None
    device: str | None = None
    dtype: str | None = None


class FacetValue(Answer):
    """A value of a field, and how many works have it."""

    value: str
    count: int


class Facets(Answer):
    """The most frequent values of a field, the most frequent first."""

    field: str
    values: list[FacetValue]


class Counts(Answer):
    """What was answered since the server started.

    Attributes:
        answers: Of searches.
        cached: How many of them were kept from before.
        degraded: How many of them are less than they could be, by the words of `Page.degraded`.
        statuses: Requests, by the class of their status, as `2xx`.
    """

    answers: int
    cached: int
    degraded: dict[str, int]
    statuses: dict[str, int]


class Stats(Answer):
    """What the release being served holds, see `release.Manifest`; and how answers come along.

    Attributes:
        counts: Since the server started, `uptime_s` seconds ago.
        timings: Of the last 10,000 answers, in all and by stage.
    """

    release: str
    created_at: datetime
    as_of: datetime
    works: int
    eligible: int
    missing: dict[str, int]
    embedder: str
    dimension: int
    index: IndexEntry
    bytes: dict[str, int]
    uptime_s: float
    counts: Counts
    timings: dict[Stage, Figures]


class FieldProblem(Answer):
    """What is wrong with one field of a request."""

    field: str
    message: str


class Problem(Answer):
    """What went wrong, as RFC 9457 has it."""

    type: Literal["about:blank"] = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] = []
