"""Settings of the HTTP service: who may ask how much, what is kept, and what stands beside it."""

from pathlib import Path

from pydantic import BaseModel, Field, HttpUrl, SecretStr


class ApiSettings(BaseModel):
    """What only an API process needs to know."""

    queue: int = Field(
        64,
        ge=1,
        description="How many searches may wait for a model; whoever comes then is told to come "
        "again.",
    )
    api_keys: SecretStr | None = Field(
        None,
        description="Who may use the API, as `<name>:<sha256 of the key>`, separated by commas; "
        "`retrievals keys new` makes one. Default: everyone.",
    )
    rate_limit: str = Field(
        "600/minute",
        description="How many requests an API key has, or an address where no keys are set.",
    )
    visitors: bool = Field(
        True, description="Where keys are set, let the visitors of the page search without one."
    )
    visitor_limit: str = Field(
        "60/minute", description="How many requests a visitor of the page has where keys are set."
    )
    trusted_proxies: str | None = Field(
        None,
        description="Addresses or networks of proxies, separated by commas, whose "
        "`X-Forwarded-For` is believed.",
    )
    cors_origins: str | None = Field(
        None,
        description="Origins of other sites whose pages may ask this API, separated by commas.",
    )
    redis_url: SecretStr | None = Field(
        None,
        description="Redis that replicas share for kept answers and rate limits, as "
        "`redis://127.0.0.1:6379/0`. Default: the memory of each process.",
    )
    cache_ttl: int = Field(3600, ge=0, description="Seconds that an answer is kept; 0 keeps none.")
    warm_queries: Path | None = Field(
        None,
        description="File of queries, one a line, that are answered ahead when the models are "
        "loaded and when another release is served.",
    )
    llm_url: HttpUrl | None = Field(
        None,
        description="OpenAI-compatible endpoint that explains answers when asked, as "
        "`http://127.0.0.1:11434/v1`. Default: none, and nothing leaves this machine.",
    )
    llm_model: str | None = Field(
        None, description="Its model, one that takes a temperature and `max_tokens`."
    )
    llm_api_key: SecretStr | None = Field(None, description="Its key.")
    explanation_deadline: float = Field(
        3.0, gt=0, description="Seconds that an answer waits at most for its explanation."
    )
