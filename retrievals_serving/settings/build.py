"""Settings of a build: where works come from, and what a release is made of."""

import re
from pathlib import Path

from pydantic import BaseModel, Field, field_validator

from retrievals_serving.vectors.kinds import parse_index

LATIN_LINE = re.compile(r"[\x20-\x7e\xa0-\xff]+")  # what a header of HTTP can carry
DEFAULT_PROFILE = "demo"


class BuildSettings(BaseModel):
    """What only a build needs to know, and where the artifacts are."""

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
    min_coverage: float = Field(
        0.9,
        ge=0,
        le=1,
        description="Share of the works of the records that a release must hold to be served. By "
        "default a few of 64 shards may fail, and a museum may lack some pictures; a build that "
        "was only begun, or that a museum refused, replaces no release.",
    )
    index: str = Field(
        "auto",
        description="Kind of the vector index: `auto`, `flat`, `flat-float32`, `sq8`, `pq4`, "
        "`ivf-flat`, `ivf-pq4` or `hnsw`, with numbers of its own where they should be others, as "
        "`hnsw:m=32,ef_search=256`; docs/index.md says what they are. `auto` is exact up to 10,000 "
        "works; above, the first of a few kinds that finds what exact search finds.",
    )
    batch_tokens: int | None = Field(
        None,
        ge=256,
        description="Tokens of one forward of a build, padding included, at least 256; default "
        "8192 on CUDA, 1024 on a CPU. Halved by itself when the memory of a GPU runs out.",
    )
    automation: bool = Field(
        False,
        description="Look for what the museum changed, every night its records and every week its "
        "pictures, and release it, while the Dagster UI with its daemon runs.",
    )

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

    @property
    def own_host_names(self) -> frozenset[str]:
        """The hosts of `own_hosts`."""
        names = (self.own_hosts or "").lower().split(",")
        return frozenset(name.strip() for name in names if name.strip())
