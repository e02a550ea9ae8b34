"""Settings of a search: the models, and how an answer is made."""

from typing import Literal

from pydantic import BaseModel, Field, SecretStr, field_validator


class SearchSettings(BaseModel):
    """What everyone who searches needs to know, in an API process or in a terminal."""

    embedder: str = Field(
        "miniature",
        description="Embedding model: a folder, a hub id, or `id@revision`; `miniature` ships with "
        "the project.",
    )
    reranker: str | None = Field(
        None,
        description="Reranker: a folder, a hub id, `id@revision`, or `miniature`; `none` for none "
        "where the profile has one.",
    )
    dimension: int = Field(1024, ge=1, description="Width of the vectors that are searched.")
    max_pixels: int | None = Field(
        None, ge=4096, description="Pixel budget of a picture; default: the model's own."
    )
    device: str = Field("auto", description="`auto`, `cpu`, `cuda` or `cuda:<n>`.")
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto",
        description="Precision of the model: `float32`, `bfloat16`, `float16`; `auto` is bfloat16 "
        "on CUDA, float32 on a CPU.",
    )
    window: int = Field(
        256, ge=1, le=2048, description="How many works of an answer can be paged to."
    )
    candidates: int = Field(
        80, ge=1, le=2048, description="How many works, the first of an answer, are reranked."
    )
    alpha: float = Field(
        0.6, ge=0, le=1, description="Weight of the reranker's score against the vector score."
    )
    rerank_deadline: float = Field(
        1.5,
        gt=0,
        description="Seconds after which no more works are reranked; those that are left keep the "
        "order of the vector search.",
    )
    page: int = Field(64, ge=1, le=100, description="Results on the first page of an answer.")
    more: int = Field(16, ge=1, le=100, description="Results on each further page.")
    secret: SecretStr | None = Field(
        None,
        description="Signs cursors and the cookies of visitors, at least 32 characters; replicas "
        "share it. Without it each process makes its own.",
    )

    @field_validator("reranker")
    @classmethod
    def _reranker_may_be_none(cls, value: str | None) -> str | None:
        return None if value in ("", "none") else value
