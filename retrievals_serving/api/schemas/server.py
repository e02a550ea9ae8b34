"""What a server tells of its release and of itself, and how it tells what went wrong."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from retrievals_serving.api.schemas.pages import Answer
from retrievals_serving.engine import MAX_FACET_VALUES
from retrievals_serving.observations import Figures, Stage
from retrievals_serving.release import IndexEntry

Component = Literal["ok", "failed", "loading"]


class Health(Answer):
    """Whether queries are answered now, and by what."""

    status: Literal["ok", "starting", "unavailable"] = Field(
        description="`starting` while the models load; `unavailable` when nothing can be answered."
    )
    detail: str | None = Field(
        default=None, description="Why it is not `ok`, or why another release is not served."
    )
    release: str | None = Field(default=None, description="Id of the release that is served.")
    works: int | None = Field(default=None, description="How many works it has.")
    embedder: str | None = Field(default=None, description="The model that embeds.")
    reranker: str | None = Field(
        default=None, description="The model that reranks; null without one."
    )
    device: str | None = Field(
        default=None, description="What the embedder runs on, once it is loaded."
    )
    dtype: str | None = Field(default=None, description="In what numbers it computes.")
    components: dict[str, Component] = Field(
        default={},
        description="How the models and the cache are. Without a reranker or a cache queries are "
        "answered all the same.",
    )


class FacetValue(Answer):
    """A value of a field, and how many works have it."""

    value: str = Field(description="The value, as text.")
    count: int = Field(description="How many works have it.")


class Facets(Answer):
    """The most frequent values of a field."""

    field: str = Field(description="As it was asked.")
    values: list[FacetValue] = Field(
        description=f"Up to {MAX_FACET_VALUES}, the most frequent first."
    )


class Counts(Answer):
    """What was answered since the server started."""

    answers: int = Field(description="Answers of searches.")
    cached: int = Field(description="How many of them were kept from before.")
    degraded: dict[str, int] = Field(
        description="How many of them lacked something, by the words of `degraded`."
    )
    statuses: dict[str, int] = Field(description="Requests, by the class of status, as `2xx`.")


class Stats(Answer):
    """What the release being served holds, and how answers come along."""

    release: str = Field(description="Id of the release that is served.")
    created_at: datetime = Field(description="When it was built.")
    as_of: datetime = Field(description="Time of its newest record.")
    works: int = Field(description="How many works it has.")
    eligible: int = Field(description="How many the museum lets be shown.")
    missing: dict[str, int] = Field(description="How many are missing, by why.")
    embedder: str = Field(description="The model that embedded its pictures.")
    dimension: int = Field(description="Of its vectors.")
    index: IndexEntry = Field(
        description="Kind and numbers of the vector index, and its certificate: what it was "
        "measured to find."
    )
    bytes: dict[str, int] = Field(description="Size of each of its files.")
    uptime_s: float = Field(description="For how many seconds the server has counted.")
    counts: Counts = Field(description="What was answered since then.")
    timings: dict[Stage, Figures] = Field(
        description="Times of the last 10,000 answers, ms, in all and by stage: p50, p95 (from 20 "
        "on), p99 (from 100 on), mean, min and max."
    )


class FieldProblem(Answer):
    """What is wrong with one field of a request."""

    field: str = Field(description="Its name, with a dot before each name or place within.")
    message: str = Field(description="What is wrong with it.")


class Problem(Answer):
    """What went wrong, as RFC 9457 has it."""

    type: Literal["about:blank"] = Field(
        default="about:blank", description="The status says what kind of problem it is."
    )
    title: str = Field(description="The status in words.")
    status: int = Field(description="The status of the answer.")
    detail: str = Field(description="What went wrong, and what helps.")
    errors: list[FieldProblem] = Field(
        default=[], description="The fields that are wrong, up to 8."
    )
