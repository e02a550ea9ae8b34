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
from retrievals_pipeline.defs.records.paths import ARTWORKS, FOLDER
from retrievals_pipeline.defs.verdict import Verdict
from retrievals_serving.errors import ShardError
from retrievals_serving.store import Store

# A server that ignores the size it is asked for sends thumbnails of 200 px where 1,024 are wanted.
MINIMUM_OF_EXPECTED_SIDE = 0.5
# Bytes a pixel: JPEGs of paintings take 0.1 to 0.5, of pencil on white paper 0.05, of one colour
# 0.01. An average under this is that of blank sheets.
MINIMUM_BYTES_A_PIXEL = 0.02
# Works share a photograph now and then; a "no image available" that is served as if it were one is
# shared by all that lack theirs. Of a small museum a twentieth is too few to tell: there it is half
# of the works, until that is ten.
MAXIMUM_SHARED = 0.05
FEW = 10
EXAMPLES = 5  # works named of each problem
# Two weekly looks that failed or did not come to all pictures, and a day's grace.
MAXIMUM_AGE = timedelta(days=15)
REMEDY = (
    "Look at these pictures, and at what the museum, or RETRIEVALS_IIIF_MIRROR, sends for them. "
    "When that is mended, `retrievals build --revalidate` asks for them again."
)

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
        bool_and(starts_with(id, $folder)) as are_of_a_folder,
        list_sort(arg_min(id, longer_side / expected_side, $examples)) as smallest,
        list_sort(arg_min(id, bytes / (width * height), $examples)) as blankest
    from pictures
"""
COMMONEST = """
    select l.sha256, count(*) as works, min(id, $examples) as ids
    from read_parquet($artworks) a join ledgers l using (id)
    where l.status = $ok
    group by l.sha256 order by works desc, l.sha256 limit 1
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
    """A museum's pictures are as large as they should be, not blank, and not one for many works.

    Those of a folder are what its owner put there, copies and blank sheets too: they are measured
    alone. `box` is the side in pixels of the square that pictures were asked to fit.
    """
    ledgers, unreadable = _read_ledgers(store, shards)
    (found,) = _query(
        store, ledgers, PICTURES, box=box, ok=OK, folder=f"{FOLDER}:", examples=EXAMPLES
    )
    smallest, blankest = found.pop("smallest"), found.pop("blankest")
    are_of_a_folder = found.pop("are_of_a_folder")
    details = {
        **found,
        "minimum_of_expected_side": MINIMUM_OF_EXPECTED_SIDE,
        "minimum_bytes_a_pixel": MINIMUM_BYTES_A_PIXEL,
        "unreadable_shards": unreadable,
    }
    pictures, of_expected = found["pictures"], found["mean_of_expected_side"]
    if not pictures:
        return Verdict(passed=True, details=details)
    (same,) = _query(store, ledgers, COMMONEST, ok=OK, examples=EXAMPLES)
    most = 1 + int(max(MAXIMUM_SHARED * pictures, min(FEW, pictures / 2)))
    details |= {"works_of_commonest_picture": same["works"], "maximum_works_of_a_picture": most}
    problems = []
    if of_expected is not None and of_expected < MINIMUM_OF_EXPECTED_SIDE:
        problems.append(f"pictures are smaller than they were asked for: {', '.join(smallest)}")
    if found["mean_bytes_a_pixel"] < MINIMUM_BYTES_A_PIXEL:
        problems.append(f"pictures are blank: {', '.join(blankest)}")
    if same["works"] > most:
        problems.append(
            f"many works have the same picture {same['sha256']}: {', '.join(same['ids'])}"
        )
    if are_of_a_folder or not problems:
        return Verdict(passed=True, details=details)
    return Verdict(passed=False, details={"problems": problems, "remedy": REMEDY, **details})


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
        rows: list[dict[str, Any]] = result.to_arrow_table().to_pylist()
        return rows
