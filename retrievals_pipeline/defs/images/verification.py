"""The checks of the pictures: whether they are there, and whether they can be those of the works.

They read the ledgers of all shards that are finished, whatever shards the run was about.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa

from retrievals_pipeline.defs.images.coverage import NOT_ASKED
from retrievals_pipeline.defs.images.ledger import SCHEMA, ledger_name, read_ledger
from retrievals_pipeline.defs.images.statuses import OK
from retrievals_pipeline.defs.records.paths import ARTWORKS
from retrievals_pipeline.defs.verdict import Verdict
from retrievals_serving.errors import ShardError
from retrievals_serving.store import Store

# A server that ignores the size it is asked for sends thumbnails of 200 px where 1,024 are wanted.
MINIMUM_OF_EXPECTED_SIDE = 0.5
# Bytes a pixel: JPEGs of paintings take 0.1 to 0.5, of pencil on white paper 0.05, of one colour
# 0.01. An average under this is that of blank sheets.
MINIMUM_BYTES_A_PIXEL = 0.02
# Works share a picture now and then; a "no image available" that is served as if it were one is
# shared by all that lack theirs.
MAXIMUM_SHARED = 0.05
SHARED_AT_LEAST = 10  # works; in a small museum a few are a large share
# Two weekly looks that failed or did not come to all pictures, and a day's grace.
MAXIMUM_AGE = timedelta(days=15)

COLUMNS = pa.schema(
    [SCHEMA.field(name) for name in ("id", "status", "sha256", "bytes", "width", "height")]
    + [SCHEMA.field("fetched_at")]
)
STATUSES = """
    select coalesce(l.status, $not_asked) as status, count(*) as works
    from read_parquet($artworks) a left join ledgers l using (id)
    group by all order by all
"""
PICTURES = """
    with pictures as (
        select
            l.*,
            greatest(l.width, l.height) as longer_side,
            -- Where the records do not say what there is, nothing can be expected.
            case when greatest(a.width, a.height) is not null
                then least($box, greatest(a.width, a.height), a.max_pixels)
            end as expected_side
        from read_parquet($artworks) a join ledgers l using (id)
        where l.status = $ok
    )
    select
        count(*) as pictures,
        avg(longer_side) as mean_longer_side,
        avg(longer_side / expected_side) as mean_of_expected_side,
        avg(bytes) as mean_bytes,
        avg(bytes / (width * height)) as mean_bytes_a_pixel,
        (select max(works) from (select count(*) as works from pictures group by sha256))
            as works_of_commonest_picture
    from pictures
"""

AGES = """
    select
        min(l.fetched_at) as looked_at_longest_ago,
        count(*) filter (l.fetched_at < $limit) as pictures_not_looked_at
    from read_parquet($artworks) a join ledgers l using (id)
    where l.status = $ok
"""


def check_coverage(store: Store, shards: Sequence[str], *, minimum: float) -> Verdict:
    """The pictures of enough works are there; what is missing is counted by its reason."""
    ledgers, unreadable = _read_ledgers(store, shards)
    rows = _query(store, ledgers, STATUSES, not_asked=NOT_ASKED)
    statuses = {row["status"]: row["works"] for row in rows}
    coverage = statuses.get(OK, 0) / sum(statuses.values())
    return Verdict(
        coverage >= minimum,
        {
            "coverage": coverage,
            "minimum": minimum,
            "statuses": statuses,
            "unreadable_shards": unreadable,
        },
    )


def check_pictures(store: Store, shards: Sequence[str], *, box: int) -> Verdict:
    """The pictures are as large as they should be, not blank, and not one picture for all works.

    `box` is the side in pixels of the square that they were asked to fit.
    """
    ledgers, unreadable = _read_ledgers(store, shards)
    (found,) = _query(store, ledgers, PICTURES, box=box, ok=OK)
    pictures, of_expected = found["pictures"], found["mean_of_expected_side"]
    shared = max(SHARED_AT_LEAST, MAXIMUM_SHARED * pictures)
    problems = []
    if of_expected is not None and of_expected < MINIMUM_OF_EXPECTED_SIDE:
        problems.append("pictures are smaller than they were asked for")
    if pictures and found["mean_bytes_a_pixel"] < MINIMUM_BYTES_A_PIXEL:
        problems.append("pictures are blank")
    if pictures and found["works_of_commonest_picture"] > shared:
        problems.append("many works have the same picture")
    limits = {
        "minimum_of_expected_side": MINIMUM_OF_EXPECTED_SIDE,
        "minimum_bytes_a_pixel": MINIMUM_BYTES_A_PIXEL,
        "maximum_works_of_a_picture": int(shared),
    }
    return Verdict(
        not problems,
        {"problems": problems, **found, **limits, "unreadable_shards": unreadable},
    )


def check_age(store: Store, shards: Sequence[str], *, now: datetime) -> Verdict:
    """Every picture was looked at in the last 15 days, as a look once a week sees to."""
    ledgers, unreadable = _read_ledgers(store, shards)
    limit = now - MAXIMUM_AGE
    (found,) = _query(store, ledgers, AGES, ok=OK, limit=limit)
    oldest = found["looked_at_longest_ago"]
    details = {
        "looked_at_longest_ago": oldest and oldest.isoformat(),
        "pictures_not_looked_at": found["pictures_not_looked_at"],
        "maximum_days": MAXIMUM_AGE.days,
        "unreadable_shards": unreadable,
    }
    if not found["pictures_not_looked_at"]:
        return Verdict(passed=True, details=details)
    remedy = (
        "See why the runs of `revalidate_images` end early, or that `weekly_revalidation` is on; "
        "`retrievals build --revalidate` looks at once."
    )
    return Verdict(passed=False, details=details | {"remedy": remedy})


def _read_ledgers(store: Store, shards: Sequence[str]) -> tuple[pa.Table, list[str]]:
    """Return the rows of the finished ledgers, and the shards whose ledger cannot be used."""
    tables, unreadable = [], []
    for shard in shards:
        if store.exists(ledger_name(shard)):
            try:
                tables.append(read_ledger(store, shard).select(COLUMNS.names))
            except ShardError:
                unreadable.append(shard)
    return pa.concat_tables([COLUMNS.empty_table(), *tables]), unreadable


def _query(store: Store, ledgers: pa.Table, sql: str, **parameters: object) -> list[dict[str, Any]]:
    with duckdb.connect() as connection:
        connection.register("ledgers", ledgers)
        result = connection.execute(sql, {"artworks": str(store.path(ARTWORKS)), **parameters})
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
