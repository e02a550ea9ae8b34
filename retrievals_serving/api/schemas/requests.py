"""The bodies of requests."""

from typing import Annotated, Literal

from fastapi import UploadFile
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from retrievals_serving.api.schemas.filters import Filters
from retrievals_serving.questions import MAX_QUERY, MAX_TOP_K

TopK = Annotated[int, Field(ge=1, le=MAX_TOP_K)]
Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_QUERY)]

NEGATIVE = "What the works shall not show."
TOP_K = "Results on the first page; by default the server's setting."
SCORE_THRESHOLD = "Leave out works of a lower vector score."
RERANK = "Let a reranker, where one is set, order the best by the text."
ALPHA = "Weight of the reranker's score against the vector score; by default the server's setting."
INCLUDE_EXPLANATION = "Have a language model, where one is set, explain the best in words."
EXPLAIN = (
    "Have the reranker, where one is set, judge each condition of the query by itself, for each "
    "work of the page."
)


class Request(BaseModel):
    """A body from outside: a misspelt field or a number as text is refused, not guessed at."""

    model_config = ConfigDict(extra="forbid", strict=True)


class SearchRequest(Request):
    """What to search for."""

    query: Words = Field(
        description="What the works shall show.", examples=["a lonely boat in stormy seas"]
    )
    negative: Words | None = Field(None, description=NEGATIVE, examples=["people"])
    top_k: TopK | None = Field(None, description=TOP_K)
    score_threshold: Fraction = Field(0.0, description=SCORE_THRESHOLD)
    filters: Filters | None = Field(
        None,
        description="Look only at works that match.",
        examples=[{"classification": "Painting"}],
    )
    rerank: bool = Field(True, description=RERANK)
    alpha: Fraction | None = Field(None, description=ALPHA)
    include_explanation: bool = Field(False, description=INCLUDE_EXPLANATION)
    explain: Literal["conditions"] | None = Field(None, description=EXPLAIN)


class ImageForm(BaseModel):
    """A picture and what is asked beside it, as `/search` has it; as the fields of a form."""

    model_config = ConfigDict(extra="forbid")

    file: UploadFile = Field(description="JPEG, PNG or WebP, of up to 16 MiB.")
    query: Words | None = Field(None, description="What the works shall show besides.")
    negative: Words | None = Field(None, description=NEGATIVE)
    top_k: TopK | None = Field(None, description=TOP_K)
    score_threshold: Fraction = Field(0.0, description=SCORE_THRESHOLD)
    filters: str | None = Field(None, description="A JSON object, as of `/search`.")
    rerank: bool = Field(True, description=RERANK)
    alpha: Fraction | None = Field(None, description=ALPHA)
    include_explanation: bool = Field(False, description=INCLUDE_EXPLANATION)
    explain: Literal["conditions"] | None = Field(None, description=EXPLAIN)


class MoreRequest(Request):
    """Where to go on."""

    query_vector: list[Annotated[float, Field(allow_inf_nan=False)]] = Field(
        description="As the page before gave it."
    )
    cursor: str = Field(description="As the page before gave it.")
