"""`reports/<release_id>/pictures.json`: what became of each picture when a release was built.

A list of objects, by the picture's address or file: `id`, `image_url`, `status`, `detail`, `sha256`
(under which it is stored) and `remark`, of the records. What of a folder is no work has no id.
"""

from pathlib import Path

import duckdb
import pyarrow as pa

from retrievals_pipeline.defs.index.plan import ReleasePlan
from retrievals_pipeline.defs.records.paths import ARTWORKS, REMARKS
from retrievals_serving.store import Store

NO_REMARKS = pa.table({"file": pa.array([], pa.string()), "remark": pa.array([], pa.string())})
WRITE = """
    copy (
        with told as (
            select file, string_agg(distinct remark, '; ' order by remark) as remark
            from remarks group by file
        )
        select
            o.id, a.image_url, coalesce(o.missing, 'ok') as status, o.detail,
            o.image_sha256 as sha256, coalesce(t.remark, '') as remark
        from offered o
        join read_parquet($artworks) a using (id)
        left join told t on t.file = a.image_url
        union all
        select null, t.file, 'left_out', '', null, t.remark
        from told t anti join read_parquet($artworks) a on a.image_url = t.file
        order by image_url
    )
    to $path (format json, array true)
"""


def write_pictures(store: Store, plan: ReleasePlan) -> Path:
    """Write the list of the pictures of `plan`, and return its path.

    It tells of the last build: the same release can have been built before from a folder in which
    other files were broken.
    """
    name = f"reports/{plan.release_id}/pictures.json"
    with store.replacing(name) as partial, duckdb.connect() as connection:
        connection.register("offered", plan.offered)
        if store.exists(REMARKS):
            connection.read_parquet(str(store.path(REMARKS))).create_view("remarks")
        else:
            connection.register("remarks", NO_REMARKS)
        connection.execute(WRITE, {"artworks": str(store.path(ARTWORKS)), "path": str(partial)})
    return store.path(name)
