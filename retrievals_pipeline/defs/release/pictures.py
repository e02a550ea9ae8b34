"""`reports/<release_id>/pictures.json`: what became of each picture when a release was built.

A list of objects, by the picture's address or file: `id`, `image_url`, `status`, `detail`, `sha256`
(under which it is stored) and `remark`, of the records. What of a folder is no work has no id.
"""

from pathlib import Path

import duckdb
import pyarrow as pa

from retrievals_pipeline.defs.images.ledger import ledger_name
from retrievals_pipeline.defs.index.plan import ReleasePlan
from retrievals_pipeline.defs.records.paths import ARTWORKS, REMARKS
from retrievals_pipeline.partitions import shard_keys
from retrievals_serving.store import Store

NO_REMARKS = pa.table({"file": pa.array([], pa.string()), "remark": pa.array([], pa.string())})
WRITE = """
    copy (
        with told as (
            select file, string_agg(distinct remark, '; ' order by remark) as remark
            from remarks group by file
        )
        select
            a.id, a.image_url,
            case
                when w.id is not null then 'ok'
                when l.id is null then 'not_fetched'
                when l.status <> 'ok' then l.status
                else 'not_embedded'
            end as status,
            coalesce(l.detail, '') as detail, l.sha256, coalesce(t.remark, '') as remark
        from read_parquet($artworks) a
        left join works w using (id)
        left join read_parquet($ledgers) l using (id)
        left join told t on t.file = a.image_url
        union all
        select null, t.file, 'left_out', '', null, t.remark
        from told t anti join read_parquet($artworks) a on a.image_url = t.file
        order by image_url
    )
    to $path (format json, array true)
"""


def write_pictures(store: Store, plan: ReleasePlan, *, shards: int) -> Path:
    """Write the list of the pictures of `plan`, and return its path.

    It tells of the last build: the same release can have been built before from a folder in which
    other files were broken.
    """
    name = f"reports/{plan.release_id}/pictures.json"
    ledgers = [str(store.path(ledger_name(shard))) for shard in shard_keys(shards)]
    with store.replacing(name) as partial, duckdb.connect() as connection:
        connection.register("works", plan.works)
        if store.exists(REMARKS):
            connection.read_parquet(str(store.path(REMARKS))).create_view("remarks")
        else:
            connection.register("remarks", NO_REMARKS)
        paths = {"artworks": str(store.path(ARTWORKS)), "ledgers": ledgers, "path": str(partial)}
        connection.execute(WRITE, paths)
    return store.path(name)
