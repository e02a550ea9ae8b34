"""Nothing half-written is ever visible under its final name."""

from pathlib import Path

import pytest

from retrievals_serving.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def test_a_file_has_its_name_only_when_complete(store: Store) -> None:
    with store.replacing("a/b.txt") as partial:
        partial.write_text("half")
        assert not store.exists("a/b.txt")
        assert store.names("a/*") == []
    assert store.read_bytes("a/b.txt") == b"half"


def test_a_failed_write_leaves_what_was_there_and_no_litter(store: Store) -> None:
    store.write_bytes("a/b.txt", b"good")

    def fail() -> None:
        with store.replacing("a/b.txt") as partial:
            partial.write_text("bad")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert store.read_bytes("a/b.txt") == b"good"
    assert [path.name for path in store.path("a").iterdir()] == ["b.txt"]


def test_what_has_the_same_bytes_already_is_not_written(store: Store) -> None:
    store.write_bytes("a/b.txt", b"good")
    before = store.path("a/b.txt").stat()
    store.write_bytes("a/b.txt", b"good")
    after = store.path("a/b.txt").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert [path.name for path in store.path("a").iterdir()] == ["b.txt"]
    store.write_bytes("a/b.txt", b"best")
    assert store.read_bytes("a/b.txt") == b"best"


def test_names_are_sorted_and_leave_hidden_files_out(store: Store) -> None:
    for name in ("x/2", "x/1", "x/.hidden"):
        store.write_bytes(name, b"")
    assert store.names("x/*") == ["x/1", "x/2"]


def test_removing_what_is_not_there_is_no_error(store: Store) -> None:
    store.remove("nothing")
