"""The one place where settings come from: environment, then `.env`, then the profile's TOML.

Every setting is the environment variable `RETRIEVALS_<NAME>`. A profile (`profiles/<name>.toml`)
gives the values that belong together for one collection and one machine.
"""

import re
import tomllib
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from retrievals_serving.errors import SettingsError
from retrievals_serving.store import Store
from retrievals_serving.vectors.kinds import parse_index

PROFILES = Path(__file__).parent / "profiles"
DEFAULT_PROFILE = "demo"
LATIN_LINE = re.compile(r"[\x20-\x7e\xa0-\xff]+")  # what a header of HTTP can carry


class Settings(BaseSettings):
    """What a build and a server need to know; immutable once read."""

    model_config = SettingsConfigDict(
        env_prefix="RETRIEVALS_",
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
    )

    profile: str = Field(DEFAULT_PROFILE, description="Named set of values under all the others.")
    home: Path = Field(
        Path(".retrievals"),
        description="Folder of all artifacts and of Dagster's history. Default: "
        "`.retrievals/<profile>` in the current folder.",
    )
    nga_url: str = Field(
        "miniature",
        description="Folder or URL that holds the museum's CSV files, or `miniature` for the "
        "museum that ships with the project.",
    )
    iiif_mirror: str | None = Field(
        None,
        description="Replaces the host and prefix of the museum's IIIF addresses when pictures are "
        "downloaded, as `http://127.0.0.1:8182/iiif`.",
    )
    pictures: Path | None = Field(
        None,
        description="Folder of pictures to search, in place of a museum; docs/sources.md says how "
        "it is read.",
    )
    own_hosts: str | None = Field(
        None,
        description="Hosts of your own, as `iiif.example.org,10.0.0.7`: downloads from them are "
        "not paced. Others are asked slowly at first, then as fast as they answer with ease, at "
        "most 20 times a second, as their robots.txt allows. This machine is always your own.",
    )
    contact: str | None = Field(
        None,
        description="Address of a page or mailbox of yours, which the user agent tells the "
        "museum's server.",
    )
    download_seconds: float | None = Field(
        None,
        gt=0,
        description="After so many seconds a run that downloads pictures ends, and keeps what is "
        "done; the next one goes on.",
    )
    limit: int | None = Field(
        None, ge=1, description="Take only the first so many works, in the order of their ids."
    )
    shards: int = Field(64, ge=1, le=4096, description="Into how many shards the works are split.")
    image_box: int = Field(
        1024, ge=32, le=4096, description="Pictures are fetched to fit a square of this side, px."
    )
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
    min_coverage: float = Field(
        0.9,
        ge=0,
        le=1,
        description="Share of the works of the records that a release must hold to be served. By "
        "default a few of 64 shards may fail, and a museum may lack some pictures; a build that "
        "was only begun, or that a museum refused, replaces no release.",
    )
    dimension: int = Field(1024, ge=1, description="Width of the vectors that are searched.")
    index: str = Field(
        "auto",
        description="Kind of the vector index: `auto`, `flat`, `flat-float32`, `sq8`, `pq4`, "
        "`ivf-flat`, `ivf-pq4` or `hnsw`, with numbers of its own where they should be others, as "
        "`hnsw:m=32,ef_search=256`; docs/index.md says what they are. `auto` is exact up to 10,000 "
        "works; above, the first of a few kinds that finds what exact search finds.",
    )
    max_pixels: int | None = Field(
        None, ge=4096, description="Pixel budget of a picture; default: the model's own."
    )
    batch_tokens: int | None = Field(
        None,
        ge=256,
        description="Tokens of one forward of a build, padding included, at least 256; default "
        "8192 on CUDA, 1024 on a CPU. Halved by itself when the memory of a GPU runs out.",
    )
    device: str = Field("auto", description="`auto`, `cpu`, `cuda` or `cuda:<n>`.")
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto",
        description="Precision of the model: `float32`, `bfloat16`, `float16`; `auto` is bfloat16 "
        "on CUDA, float32 on a CPU.",
    )
    automation: bool = Field(
        False,
        description="Look for what the museum changed, every night its records and every week its "
        "pictures, and release it, while the Dagster UI with its daemon runs.",
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
        description="Signs cursors; replicas share it. Without it each process makes its own.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources: arguments, environment, `.env`, profile."""
        return init_settings, env_settings, dotenv_settings, ProfileSource(settings_cls)

    @classmethod
    def load(cls, **overrides: Any) -> Self:
        """Read the settings; `overrides` win over every other source.

        Raises:
            SettingsError: A value is malformed or the profile is unknown; names the variable.
        """
        try:
            return cls(**{name: value for name, value in overrides.items() if value is not None})
        except ValidationError as error:
            problems = "; ".join(
                f"{cls.variable(str(problem['loc'][0]) if problem['loc'] else 'settings')}: "
                f"{problem['msg']} (got {problem['input']!r})"
                for problem in error.errors(include_url=False)
            )
            raise SettingsError(f"{problems}. See .env.example for what each accepts.") from error

    @staticmethod
    def variable(name: str) -> str:
        """Return the environment variable of the setting `name`."""
        return f"RETRIEVALS_{name.upper()}"

    @field_validator("reranker")
    @classmethod
    def _reranker_may_be_none(cls, value: str | None) -> str | None:
        return None if value in ("", "none") else value

    @field_validator("index")
    @classmethod
    def _index_is_known(cls, value: str) -> str:
        parse_index(value)
        return value

    @field_validator("contact")
    @classmethod
    def _contact_fits_a_header(cls, value: str | None) -> str | None:
        if value is not None and not LATIN_LINE.fullmatch(value):
            raise ValueError("must be one line of Latin letters, as a page's or mailbox's address")
        return value

    @field_validator("nga_url")
    @classmethod
    def _url_ends_without_slash(cls, value: str) -> str:
        return value.rstrip("/") if value.startswith(("http://", "https://")) else value

    @field_validator("iiif_mirror")
    @classmethod
    def _mirror_is_http(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value.rstrip("/") if value else None

    @model_validator(mode="after")
    def _default_home(self) -> Self:
        if "home" not in self.model_fields_set:
            object.__setattr__(self, "home", Path(".retrievals") / self.profile)
        return self

    @property
    def own_host_names(self) -> frozenset[str]:
        """The hosts of `own_hosts`."""
        names = (self.own_hosts or "").lower().split(",")
        return frozenset(name.strip() for name in names if name.strip())

    @cached_property
    def store(self) -> Store:
        """The folder of artifacts under `home`."""
        return Store(self.home.expanduser().absolute())


class ProfileSource(PydanticBaseSettingsSource):
    """The values of the profile that the sources before this one have named."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        """Satisfy the base class; the whole profile is read at once in `__call__`."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """Read `profiles/<name>.toml`.

        Raises:
            SettingsError: There is no such profile.
        """
        name = self.current_state.get("profile") or DEFAULT_PROFILE
        path = PROFILES / f"{name}.toml"
        if name not in profile_names():
            raise SettingsError(
                f"RETRIEVALS_PROFILE: there is no profile {name!r}; "
                f"choose one of {', '.join(profile_names())}."
            )
        return tomllib.loads(path.read_text(encoding="utf-8"))


def profile_names() -> list[str]:
    """Return the names of the profiles that ship with the project, sorted."""
    return sorted(path.stem for path in PROFILES.glob("*.toml"))
