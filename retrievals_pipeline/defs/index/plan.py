"""Which works a release would hold now, in which order, and so which id it has.

The id is a function of the inputs alone: the same records, pictures, model and settings give the
same id on any machine, however often the build was interrupted. Its first half is the time of the
newest record, its second a hash; the clock is in the manifest (`created_at`). A release that is
forced, of inputs that have one already, has the time of that moment for its first half; the plans
after it are of the latest release of their hash.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from retrievals_pipeline.defs.embeddings.texts import texts_from_elsewhere
from retrievals_pipeline.defs.images.statuses import OK
from retrievals_pipeline.defs.index.holdings import Holdings, read_holdings, works_left_out
from retrievals_pipeline.defs.index.kinds import Recipe, recipes
from retrievals_pipeline.defs.records.paths import ARTWORKS
from retrievals_serving.errors import ReleaseError, SourceError
from retrievals_serving.models import Description
from retrievals_serving.release import MANIFEST, SCHEMA_VERSION, Release
from retrievals_serving.store import Store

# Every eligible work, with why it is missing from the release (null for those that are in it).
# `damaged` has the works of shards of which a file cannot be used, and so gave no rows.
WORKS = """
    select
        a.id, l.sha256 as image_sha256, l.width, l.height, l.color, l.fetched_at,
        a.record_sha256, a.modified,
        case
            when l.id is null then coalesce(d.reason, 'not_fetched')
            when l.status <> 'ok' then l.status
            when v.id is null then coalesce(d.reason, 'not_embedded')
        end as missing,
        case when missing = d.reason then d.error else coalesce(l.detail, '') end as detail
    from read_parquet($artworks) a
    left join ledgers l using (id)
    left join vectors v on v.id = l.id and v.image_sha256 = l.sha256
    left join damaged d on d.id = a.id
    order by a.id
"""


def is_whole(release: Release) -> bool:
    """Tell whether `release` is there with every byte that its manifest names.

    In a process its files are read once, unless one is another by its time or size.
    """
    states = []
    for name in release.store.names(f"{release.folder}/*"):
        state = release.store.path(name).stat()
        states.append((name, state.st_mtime_ns, state.st_size))
    return _is_whole(release.store, release.release_id, tuple(states))


@cache
def _is_whole(store: Store, release_id: str, states: tuple[tuple[str, int, int], ...]) -> bool:  # noqa: ARG001 - another release then
    try:
        return not Release(store, release_id).damage()
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
            row, id, image_sha256, width, height, color, fetched_at (of the picture),
            record_sha256, modified.
        offered: Table of all works that the records offer: id, image_sha256, missing (the reason
            why it is not in the release, null for one that is), detail (in words).
        shards: Names of the shards that the works are of.
        left_out: Why each of the other shards is left out, by name.
        as_of: Time of the newest record in it, UTC.
        description: The model of the vectors.
        dimension: Width of the vectors in the index.
        recipes: The indexes that it may have, in the order in which they are tried.
    """

    release_id: str
    works: pa.Table
    offered: pa.Table
    shards: list[str]
    left_out: dict[str, str]
    as_of: datetime
    description: Description
    dimension: int
    recipes: list[Recipe]

    @property
    def eligible(self) -> int:
        """How many works the records offer."""
        return int(self.offered.num_rows)

    @property
    def missing(self) -> dict[str, int]:
        """How many of them are not in the release, by reason."""
        return _reasons(self.offered)

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
    store: Store, *, shards: int, description: Description, dimension: int, index: str
) -> ReleasePlan:
    """Look at what is there and plan the release of it.

    No vector is read where the release is there already. Else all are read once in this process,
    and a shard of which one cannot be is left out. `index` is the setting of that name.

    Raises:
        SourceError: The records, all ledgers or all vectors are missing; says which asset to make.
        SettingsError: As for `recipes`.
    """
    if not store.exists(ARTWORKS):
        raise _not_there(store, "no table", "artworks")

    def planned(*, verify: bool) -> ReleasePlan:
        contract = description.corpus_contract.digest
        holdings = read_holdings(store, shards, contract, verify=verify)
        return _plan_of(
            store,
            holdings,
            shards=shards,
            description=description,
            dimension=dimension,
            index=index,
        )

    plan = planned(verify=False)
    return plan if is_whole(Release(store, plan.release_id)) else planned(verify=True)


def _plan_of(
    store: Store,
    holdings: Holdings,
    *,
    shards: int,
    description: Description,
    dimension: int,
    index: str,
) -> ReleasePlan:
    if not holdings.damaged:
        _require_vectors(store, holdings)
    path = store.path(ARTWORKS)
    ids = pq.read_table(path, columns=["id"])["id"]
    with duckdb.connect() as connection:
        connection.register("ledgers", holdings.ledgers)
        connection.register("vectors", holdings.vectors)
        connection.register("damaged", works_left_out(ids, holdings, shards))
        table = connection.execute(WORKS, {"artworks": str(path)}).to_arrow_table()
    works = table.filter(pc.is_null(table["missing"])).drop_columns(["missing", "detail"])
    works = works.add_column(0, "row", [pa.array(range(works.num_rows), pa.int32())])
    offered = table.select(["id", "image_sha256", "missing", "detail"])
    if works.num_rows == 0:
        raise SourceError(
            f"none of {table.num_rows} works has a picture and a vector: "
            f"{_reasons(offered)}. `retrievals coverage` shows why; once that is mended, "
            "`retrievals build --revalidate` asks for every picture again."
        )
    as_of = max(works["modified"].drop_null().to_pylist(), default=datetime(1970, 1, 1))  # noqa: DTZ001
    tried = recipes(index, works.num_rows, dimension)
    digest = _digest(works, description, dimension, tried)
    sealed = store.names(f"releases/[!.]*-{digest}/{MANIFEST}")
    return ReleasePlan(
        release_id=Path(sealed[-1]).parent.name if sealed else release_id(as_of, digest),
        works=works,
        offered=offered,
        shards=holdings.shards,
        left_out={shard: damage.error for shard, damage in holdings.damaged.items()},
        as_of=as_of.replace(tzinfo=UTC),
        description=description,
        dimension=dimension,
        recipes=tried,
    )


def _reasons(offered: pa.Table) -> dict[str, int]:
    counts = offered["missing"].drop_null().value_counts().to_pylist()
    return {row["values"]: row["counts"] for row in counts}


def _not_there(store: Store, what: str, asset: str) -> SourceError:
    return SourceError(
        f"there is {what} of the asset `{asset}` under {store.root}: materialize it first "
        "(`retrievals build` does it all)."
    )


def _require_vectors(store: Store, holdings: Holdings) -> None:
    """Say why there is no vector at all: no ledger, no picture, or none embedded by this model."""
    if holdings.ledgers.num_rows == 0:
        raise _not_there(store, "no ledger", "artwork_images")
    if holdings.vectors.num_rows:
        return
    statuses = Counter(holdings.ledgers["status"].to_pylist())
    if OK in statuses:
        raise _not_there(store, "no vectors for this model", "image_embeddings")
    had = ", ".join(f"{count} {status}" for status, count in sorted(statuses.items()))
    raise SourceError(
        f"not one picture could be had ({had}): check RETRIEVALS_IIIF_MIRROR, and the reasons "
        "that `retrievals coverage` shows, then ask again: `retrievals build --revalidate`."
    )


def _digest(
    works: pa.Table, description: Description, dimension: int, tried: Sequence[Recipe]
) -> str:
    """Hash the logical inputs: contracts, settings, texts, and each work's picture and record."""
    digest = hashlib.sha256()
    inputs = [
        SCHEMA_VERSION,
        description.corpus_contract.digest,
        description.query_contract.digest,
        [str(recipe) for recipe in tried],
        dimension,
        texts_from_elsewhere(),
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
