"""A museum's tables are asked for as politely as its pictures; failures say if time may help."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
import requests

from retrievals_pipeline.defs.records.tables import NEEDED_COLUMNS, fetch_tables, table_versions
from retrievals_serving.errors import SourceError, SourceUnavailable
from retrievals_serving.store import Store
from tests.images.conftest import body, serving, status


@pytest.mark.parametrize(
    ("code", "may_pass"),
    [(404, False), (403, False), (408, True), (425, True), (429, True), (500, True), (503, True)],
)
def test_what_may_pass_is_unavailable_and_what_lasts_is_not(
    tmp_path: Path, code: int, may_pass: bool
) -> None:
    with serving() as museum:
        museum.answers["/objects.csv"] = status(code)
        with pytest.raises(SourceError, match=f"objects.csv cannot be read: {code}") as caught:
            fetch_tables(museum.address, Store(tmp_path))
    assert isinstance(caught.value, SourceUnavailable) == may_pass


@pytest.mark.parametrize(("wish", "may_pass"), [(400, True), (86_400, False)])
def test_a_museum_is_left_alone_for_as_long_as_it_wishes(
    tmp_path: Path, wish: int, may_pass: bool
) -> None:
    with serving() as museum:
        museum.answers["/objects.csv"] = status(503, Retry_After=str(wish))
        with pytest.raises(SourceError, match=f"left alone for {wish:,} s") as caught:
            fetch_tables(museum.address, Store(tmp_path))
    assert isinstance(caught.value, SourceUnavailable) == may_pass
    if isinstance(caught.value, SourceUnavailable):
        assert caught.value.wish == wish


def test_without_etags_the_tables_are_hashed_block_by_block(
    monkeypatch: pytest.MonkeyPatch, write_tables: Callable[..., Path]
) -> None:
    def whole(_: requests.Response) -> bytes:
        raise AssertionError("a table was held in memory")

    monkeypatch.setattr(requests.Response, "content", property(whole))
    contents = {table: (write_tables() / f"{table}.csv").read_bytes() for table in NEEDED_COLUMNS}
    with serving() as museum:
        museum.answers = {f"/{name}.csv": body(content) for name, content in contents.items()}
        versions = table_versions(museum.address)
    assert versions == {name: sha256(content).hexdigest() for name, content in contents.items()}


def test_the_museum_is_told_who_asks(tmp_path: Path, write_tables: Callable[..., Path]) -> None:
    folder = write_tables()
    with serving() as museum:
        for table in NEEDED_COLUMNS:
            museum.answers[f"/{table}.csv"] = body((folder / f"{table}.csv").read_bytes())
        table_versions(museum.address, contact="https://example.org/us")
        fetch_tables(museum.address, Store(tmp_path), contact="https://example.org/us")
        (agent,) = museum.agents
    assert agent.startswith("retrievals/")
    assert agent.endswith("; +https://example.org/us)")
