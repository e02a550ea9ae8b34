"""Settings of the HTTP service: who may ask how much, what is kept, and what stands beside it."""

import re
from ipaddress import ip_network
from pathlib import Path

from pydantic import BaseModel, Field, HttpUrl, SecretStr, field_validator

KEY = re.compile(r"([A-Za-z0-9._-]{1,64}):([0-9a-fA-F]{64})")
# As browsers send it: in lower case, and of one host.
ORIGIN = re.compile(r"\*|https?://[^/?#@\s*A-Z]+")
PRINTABLE = re.compile(r"[ -~]+")  # ASCII, of which a header of HTTP is made


class ApiSettings(BaseModel):
    """What only an API process needs to know."""

    queue: int = Field(
        64,
        ge=1,
        description="How many searches may be under way, the decoding of uploads and counts of "
        "`/facets` among them; whoever comes then is told to come again.",
    )
    api_keys: SecretStr | None = Field(
        None,
        description="Who may use the API, as `<name>:<sha256 of the key>`, separated by commas; "
        "`retrievals keys new` makes one. Default: everyone.",
    )
    rate_limit: str = Field(
        "600/minute",
        description="How many requests an API key has, or an address where no keys are set, as "
        "`<number>/second`, `/minute`, `/hour` or `/day`.",
    )
    bench_key: SecretStr | None = Field(
        None, description="API key that `retrievals bench` asks with. Default: none."
    )
    visitors: bool = Field(
        True, description="Where keys are set, let the visitors of the page search without one."
    )
    visitor_limit: str = Field(
        "120/minute",
        description="How many requests a visitor of the page has where keys are set; all visitors "
        "of one address together have `RETRIEVALS_RATE_LIMIT`.",
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

    @field_validator("api_keys")
    @classmethod
    def _keys_are_named_hashes(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        entries = _listed(value.get_secret_value())
        for place, entry in enumerate(entries, start=1):
            if not KEY.fullmatch(entry):
                raise ValueError(
                    f"entry {place} is not `<name>:<sha256 of the key>`, its name of letters, "
                    "digits, '.', '_' and '-'; `retrievals keys new NAME` makes one"
                )
        if not entries:
            raise ValueError("names no key; leave it out to let everyone ask")
        return value

    @field_validator("bench_key")
    @classmethod
    def _key_fits_a_header(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not PRINTABLE.fullmatch(value.get_secret_value()):
            raise ValueError("must be a key as `retrievals keys new` prints it, on one line")
        return value

    @field_validator("rate_limit", "visitor_limit")
    @classmethod
    def _limit_is_one_rate(cls, value: str) -> str:
        from limits import parse_many

        rates = parse_many(value)
        if len(rates) != 1 or rates[0].amount < 1:
            raise ValueError("must be one rate of at least 1, as `60/minute`")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies_are_some_addresses(cls, value: str | None) -> str | None:
        for entry in _listed(value):
            if entry == "*" or ip_network(entry).prefixlen == 0:
                raise ValueError(
                    f"{entry} lets everyone say from where they ask; name the addresses of your "
                    "proxies"
                )
        return value

    @field_validator("cors_origins")
    @classmethod
    def _origins_are_origins(cls, value: str | None) -> str | None:
        for entry in _listed(value):
            if not ORIGIN.fullmatch(entry):
                raise ValueError(
                    f"{entry} is no origin; give each as `https://museum.example`, in lower "
                    "case, with a port where it has one and nothing after it"
                )
        return value

    @property
    def key_digests(self) -> tuple[tuple[str, str], ...]:
        """Name and sha256, in lower-case hex, of each key of `api_keys`.

        A name may have two keys, while its holder goes from one to the other.
        """
        entries = _listed(self.api_keys.get_secret_value()) if self.api_keys else []
        pairs = (entry.split(":") for entry in entries)
        return tuple((name, digest.lower()) for name, digest in pairs)

    @property
    def proxies(self) -> list[str]:
        """The addresses and networks of `trusted_proxies`."""
        return _listed(self.trusted_proxies)

    @property
    def origins(self) -> list[str]:
        """The origins of `cors_origins`."""
        return _listed(self.cors_origins)


def _listed(value: str | None) -> list[str]:
    """Return what `value` lists, separated by commas."""
    return [entry.strip() for entry in (value or "").split(",") if entry.strip()]
