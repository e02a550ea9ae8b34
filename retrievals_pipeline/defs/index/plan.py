"""Which works a release would hold now, in which order, and so which id it has.

The id is a function of the inputs alone: the same records, pictures, model and settings give the
same id on any machine, however often the build was interrupted. Its first half is the time of the
newest record, its second a hash; the clock is in the manifest (`created_at`). A release that is
forced, of inputs that have one already, has the time of that moment for its first half; the plans
after it are of the latest release of their hash.
"""

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from retrievals_pipeline.defs.embeddings.vectors import VectorShard
from retrievals_pipeline.defs.images.ledger import ledger_name
from retrievals_pipeline.defs.images.statuses import OK
from retrievals_pipeline.defs.records.paths import ARTWORKS
from retrievals_pipeline.partitions import shard_keys
from retrievals_serving.errors import ReleaseError, SourceError
from retrievals_serving.models import Description
from retrievals_serving.release import MANIFEST, SCHEMA_VERSION, Release
from retrievals_serving.store import Store

INDEX_KIND = "flat float16"

# Every eligible work, with why it is missing from the release (null for those that are in it).
WORKS = """
    select
        a.id, l.sha256 as image_sha256, a.record_sha256, a.modified, l.fetched_at,
        case
            when l.id is null then 'not_fetched'
            when l.status <> 'ok' then l.status
            when v.id is null then 'not_embedded'
        end as missing
    from read_parquet($artworks) a
    left join read_parquet($ledgers) l using (id)
    left join (select distinct id, image_sha256 from read_parquet($vectors)) v
        on v.id = l.id and v.image_sha256 = l.sha256
    order by a.id
"""


def is_whole(release: Release) -> bool:
    """Tell whether `release` is there with every byte that its manifest names."""
    try:
        return not release.damage()
    except ReleaseError:
        return False


def release_id(moment: datetime, digest: str) -> str:
    """Return the id of a release of the inputs that hash to `digest`."""
    return f"{moment:%Y%m%dT%H%M%SZ}-{digest}"


@dataclass(frozen=True)
class ReleasePlan:
    """What a release made now would be.

    Attributes:
        release_id: Its id.
        works: Table of the works in it, in the order of the release's rows:
            row, id, image_sha256, record_sha256, modified, fetched_at.
        eligible: How many works the records offer.
        missing: How many of them are not in it, by reason.
        as_of: Time of the newest record in it, UTC.
        description: The model of the vectors.
        dimension: Width of the vectors in the index.
    """

    release_id: str
    works: pa.Table
    eligible: int
    missing: dict[str, int]
    as_of: datetime
    description: Description
    dimension: int

    def forced(self, store: Store, moment: datetime) -> "ReleasePlan":
        """Return the plan of a release of the same inputs besides the one there is, if one is.

        `moment`, UTC, is in its id.
        """
        if not is_whole(Release(store, self.release_id)):
            return self
        digest = self.release_id.partition("-")[2]
        return replace(self, release_id=release_id(moment, digest))

    @property
    def staging(self) -> str:
        """Name of the folder in which its files gather until it is sealed."""
        return f"releases/.staging/{self.release_id}"

    def built(self, store: Store, name: str) -> Path | None:
        """Return the path of its file `name`, sealed or staged, when it was built already."""
        if is_whole(Release(store, self.release_id)):
            return Release(store, self.release_id).path(name)
        staged = store.path(f"{self.staging}/{name}")
        return staged if staged.exists() else None


def plan_release(
    store: Store, *, shards: int, description: Description, dimension: int
) -> ReleasePlan:
    """Look at what is there and plan the release of it.

    Raises:
        SourceError: The records, a ledger or all vectors are missing; says which asset to make.
    """
    corpus = description.corpus_contract.digest
    sources = {
        "artworks": _existing(store, [ARTWORKS], "artworks"),
        "ledgers": _existing(
            store, [ledger_name(shard) for shard in shard_keys(shards)], "artwork_images"
        ),
    }
    parts = [
        part for shard in shard_keys(shards) for part in VectorShard(store, corpus, shard).parts()
    ]
    if not parts:
        raise SourceError(_nothing_to_release(store, sources["ledgers"]))
    sources["vectors"] = [str(store.path(part)) for part in parts]
    with duckdb.connect() as connection:
        table = connection.execute(WORKS, sources).to_arrow_table()
    works = table.filter(pc.is_null(table["missing"])).drop_columns("missing")
    works = works.add_column(0, "row", [pa.array(range(works.num_rows), pa.int32())])
    reasons = table["missing"].drop_null().value_counts().to_pylist()
    if works.num_rows == 0:
        raise SourceError(
            f"none of {table.num_rows} works has a picture and a vector: "
            f"{ {row['values']: row['counts'] for row in reasons} }. See `ledger/` for the reasons."
        )
    as_of = max(works["modified"].drop_null().to_pylist(), default=datetime(1970, 1, 1))  # noqa: DTZ001
    digest = _digest(works, description, dimension)
    sealed = store.names(f"releases/[!.]*-{digest}/{MANIFEST}")
    return ReleasePlan(
        release_id=Path(sealed[-1]).parent.name if sealed else release_id(as_of, digest),
        works=works,
        eligible=table.num_rows,
        missing={row["values"]: row["counts"] for row in reasons},
        as_of=as_of.replace(tzinfo=UTC),
        description=description,
        dimension=dimension,
    )


def _existing(store: Store, names: list[str], asset: str) -> list[str]:
    missing = [name for name in names if not store.exists(name)]
    if missing:
        raise SourceError(
            f"{', '.join(missing[:3])} of the asset `{asset}` not there under {store.root}: "
            "materialize it first (`retrievals build` does it all)."
        )
    return [str(store.path(name)) for name in names]


def _nothing_to_release(store: Store, ledgers: list[str]) -> str:
    """Say why there is no vector at all: no picture, or none embedded under this contract."""
    statuses = duckdb.execute(
        "select status, count(*) from read_parquet(?) group by all order by all", [ledgers]
    ).fetchall()
    if any(status == OK for status, _ in statuses):
        return (
            f"no vectors of the asset `image_embeddings` under {store.root} for this model: "
            "materialize it first (`retrievals build` does it all)."
        )
    return (
        f"not one picture could be had ({', '.join(f'{n} {status}' for status, n in statuses)}): "
        "check RETRIEVALS_IIIF_MIRROR, and the reasons in `ledger/`, then build again."
    )


def _digest(works: pa.Table, description: Description, dimension: int) -> str:
    """Hash the logical inputs: contracts, index settings, and each work's picture and record."""
    digest = hashlib.sha256()
    inputs = [
        SCHEMA_VERSION,
        description.corpus_contract.digest,
        description.query_contract.digest,
        INDEX_KIND,
        dimension,
    ]
    digest.update(json.dumps(inputs).encode())
    for columns in zip(
        works["id"].to_pylist(),
        works["image_sha256"].to_pylist(),
        works["record_sha256"].to_pylist(),
        strict=True,
    ):
        digest.update("\0".join(columns).encode() + b"\n")
    return digest.hexdigest()[:12]
