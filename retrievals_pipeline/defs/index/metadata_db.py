"""The records of a planned release, row by row, as serving reads them.

`artworks.duckdb` is what filters ask, `records.arrow` what pages show.
"""

from pathlib import Path

import duckdb

from retrievals_pipeline.defs.index.plan import ReleasePlan
from retrievals_pipeline.defs.records.paths import ARTWORKS
from retrievals_serving.records import COLUMNS, write_table
from retrievals_serving.release import METADATA, RECORDS
from retrievals_serving.store import Store

# The size is that of the stored picture: it is the one that is shown.
TABLE = """
    create table artworks as
    select
        w.row, a.id, a.title, a.artist, a.date, a.begin_year, a.end_year,
        a.medium, a.classification, a.credit, a.description, w.width, w.height, w.color,
        w.image_sha256, a.image_url, a.artwork_url, a.school, a.theme, a.style, a.technique,
        a.keyword, a.place, a.modified
    from works w
    join read_parquet($artworks) a using (id)
    order by w.row
"""

SHOWN = f"select {', '.join(COLUMNS)} from artworks order by row"  # noqa: S608 - our own names
CLASSIFICATIONS = """
    select if(classification = '', 'none', classification), count(*) from artworks group by all
"""


def build_metadata(store: Store, plan: ReleasePlan) -> Path:
    """Write the records of `plan` into its staging folder, unless they were; return the path."""
    if plan.built(store, RECORDS) and (built := plan.built(store, METADATA)):
        return built
    name = f"{plan.staging}/{METADATA}"
    with store.replacing(name) as partial, duckdb.connect(str(partial)) as connection:
        connection.register("works", plan.works)
        connection.execute(TABLE, {"artworks": str(store.path(ARTWORKS))})
        connection.execute("create unique index artworks_id on artworks (id)")
        shown = connection.execute(SHOWN).to_arrow_table()
    with store.replacing(f"{plan.staging}/{RECORDS}") as partial:
        write_table(shown, partial)
    return store.path(name)


def columns_of(path: Path) -> dict[str, str]:
    """Return the columns of the records at `path` (name → type)."""
    with duckdb.connect(str(path), read_only=True) as connection:
        rows = connection.execute("describe artworks").fetchall()
    return {name: type_ for name, type_, *_ in rows}


def classifications(path: Path) -> dict[str, int]:
    """Return how many works of the records at `path` have each classification."""
    with duckdb.connect(str(path), read_only=True) as connection:
        return dict(connection.execute(CLASSIFICATIONS).fetchall())
