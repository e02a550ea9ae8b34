"""The ledger: one row a work, whatever became of its picture.

    ledger/<shard>.parquet      the rows of a finished shard
    ledger/<shard>.jsonl        rows written since, one line each, while the shard is at work

A row is kept as soon as it is known, so a kill loses at most the downloads in flight.
"""

import json
from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from retrievals_pipeline.damage import using
from retrievals_pipeline.defs.images.statuses import OK
from retrievals_pipeline.defs.images.works import Work
from retrievals_serving.errors import ShardError
from retrievals_serving.store import Store, picture_name, thumbnail_name

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("image_url", pa.string()),
        ("image_modified", pa.string()),
        ("status", pa.string()),
        ("detail", pa.string()),
        ("http_status", pa.int32()),
        ("etag", pa.string()),
        ("last_modified", pa.string()),
        ("sha256", pa.string()),
        ("bytes", pa.int64()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("sharp_side", pa.int32()),
        ("color", pa.string()),
        ("attempts", pa.int32()),
        ("fetched_at", pa.timestamp("ms", tz="UTC")),
        ("fetched_url", pa.string()),
    ]
)


@dataclass(frozen=True, kw_only=True)
class LedgerRow:
    """What became of the picture of one work.

    Attributes:
        id: The work.
        image_url: Address of the picture at the museum, as the records give it.
        image_modified: When the museum last changed it, as the records say it.
        status: `ok`, or the kind of failure: one of `FAILURES`.
        detail: What went wrong, in words; empty when all is well. Also of a picture that is there
            and was kept though the museum did not answer well.
        http_status: The last answer's, if there was one.
        etag, last_modified: Validators of the answer, as sent.
        sha256: Hash of the picture's bytes, under which it is stored.
        bytes, width, height: Size of the stored picture, in bytes and pixels.
        sharp_side: Its longer side as far as it has detail, in pixels: what the museum has, or
            serves, is the limit, and a larger picture only enlarged.
        color: Its mean colour, `#rrggbb`.
        attempts: Requests made for it.
        fetched_at: When the last of them ended, UTC; also when the museum said `unchanged`.
        fetched_url: Where they went: with a mirror not to the museum.
    """

    id: str
    image_url: str
    image_modified: str
    status: str
    detail: str = ""
    http_status: int | None = None
    etag: str | None = None
    last_modified: str | None = None
    sha256: str | None = None
    bytes: int | None = None
    width: int | None = None
    height: int | None = None
    sharp_side: int | None = None
    color: str | None = None
    attempts: int
    fetched_at: datetime
    fetched_url: str | None = None


DEFAULTS = {field.name: field.default for field in fields(LedgerRow)}  # MISSING for what is needed
LEDGER_DAMAGED = "ledger_damaged"  # what is said of the works of a ledger that cannot be used
REMEDY = "Restore it, or remove it: the pictures in it are then asked for again."


class Ledger:
    """The ledger of one shard.

    Raises:
        ShardError: It cannot be read, or has not the columns that are needed; names the file.
    """

    def __init__(self, store: Store, shard: str) -> None:
        self.store = store
        self.shard = shard
        self.name = ledger_name(shard)
        self.journal = store.path(f"ledger/{shard}.jsonl")
        # The journal first: should a build that is at work make the ledger whole meanwhile, its
        # rows are in the table.
        written_since = {row.id: row for row in self._journal_rows()}
        self._finished = {row.id: row for row in self._finished_rows()}
        self.rows = self._finished | written_since

    @property
    def is_finished(self) -> bool:
        """Whether the shard was finished once."""
        return self.store.exists(self.name)

    def earlier(self, work: Work) -> LedgerRow | None:
        """Return the row of the picture at the address of `work`, if there is one."""
        row = self.rows.get(work.id)
        return row if row is not None and row.image_url == work.image_url else None

    def held(self, work: Work) -> LedgerRow | None:
        """Return the row of `work` if a picture of its address is in the store."""
        row = self.earlier(work)
        is_held = (
            row is not None
            and row.status == OK
            and row.sha256 is not None
            and self.store.exists(picture_name(row.sha256))
            and self.store.exists(thumbnail_name(row.sha256))
        )
        return row if is_held else None

    def knows(self, work: Work) -> bool:
        """Tell whether there is a row of the picture of `work` as the records name it now."""
        row = self.earlier(work)
        return row is not None and row.image_modified == work.image_modified

    @contextmanager
    def recording(self) -> Iterator[IO[str]]:
        """Open the journal; `record` writes to it."""
        self.journal.parent.mkdir(parents=True, exist_ok=True)
        with self.journal.open("a", encoding="utf-8") as journal:
            journal.write("\n")  # ends the line that a kill may have cut short
            yield journal

    def record(self, row: LedgerRow, journal: IO[str]) -> None:
        """Keep `row` at once, in place of an earlier one of the same work."""
        self.rows[row.id] = row
        journal.write(json.dumps(vars(row), default=datetime.isoformat) + "\n")
        journal.flush()

    def close(self) -> None:
        """Make the ledger whole, where it is not: one table, sorted by id, and no journal.

        Works that are not in the records now keep their rows: a smaller build, or a bad day of the
        museum's files, costs no download afterwards. Columns of another version do not.
        """
        if not self.is_finished or self.rows != self._finished:
            rows = [vars(self.rows[work_id]) for work_id in sorted(self.rows)]
            table = pa.Table.from_pylist(rows, schema=SCHEMA)
            path = self.store.path(self.name)
            with using(path, REMEDY), self.store.replacing(self.name) as partial:
                pq.write_table(table, partial, compression="zstd")
            self._finished = dict(self.rows)
        self.journal.unlink(missing_ok=True)

    def strike(self, work_ids: Iterable[str]) -> None:
        """Forget the rows of these works, in a finished ledger."""
        for work_id in work_ids:
            del self.rows[work_id]
        self.close()

    def _finished_rows(self) -> Iterator[LedgerRow]:
        if self.is_finished:
            for record in read_ledger(self.store, self.shard).to_pylist():
                yield LedgerRow(**record)

    def _journal_rows(self) -> Iterator[LedgerRow]:
        """Read the journal; a line cut short by a kill is a row that was never kept."""
        with using(self.journal, REMEDY):
            try:
                lines = self.journal.read_text(encoding="utf-8", errors="replace").split("\n")
            except FileNotFoundError:
                return
        for line in lines:
            try:
                record = json.loads(line)
            except ValueError:
                continue
            _require(record, self.journal)
            record["fetched_at"] = datetime.fromisoformat(record["fetched_at"])
            yield LedgerRow(**{name: record[name] for name in DEFAULTS.keys() & record.keys()})


def read_ledger(store: Store, shard: str) -> pa.Table:
    """Return the rows of the finished ledger of `shard`, in the columns of `SCHEMA`.

    A program of another version may have written it: a column that is not known here is left out,
    one that is not there is filled with what a row has without it.

    Raises:
        ShardError: It cannot be read, or lacks a column that every row needs; names the file.
    """
    path = store.path(ledger_name(shard))
    with using(path, REMEDY), pq.ParquetFile(path) as file:
        table = file.read()
        _require(table.column_names, path)
        columns = [
            table[field.name].cast(field.type)
            if field.name in table.column_names
            else pa.array([DEFAULTS[field.name]] * table.num_rows, field.type)
            for field in SCHEMA
        ]
        return pa.table(columns, schema=SCHEMA)


def _require(columns: Container[str], path: Path) -> None:
    needed = [name for name, default in DEFAULTS.items() if default is MISSING]
    if missing := [name for name in needed if name not in columns]:
        raise ShardError(
            f"{path} has no {', '.join(missing)}: a program of another version wrote it. "
            f"Use that one. {REMEDY}"
        )


def ledger_name(shard: str) -> str:
    """Return the name of the finished ledger of `shard`."""
    return f"ledger/{shard}.parquet"
