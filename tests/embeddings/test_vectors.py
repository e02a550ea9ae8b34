"""Stored vectors survive kills, are found by their picture, and are compacted without a loss."""

import re
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from retrievals_pipeline.defs.embeddings.vectors import VectorShard
from retrievals_serving.errors import ShardError
from retrievals_serving.store import Store


@pytest.fixture
def shard(tmp_path: Path) -> VectorShard:
    return VectorShard(Store(tmp_path), "contract", "0-of-1")


def vectors(*values: float) -> np.ndarray:
    return np.array([[value, value + 1] for value in values], np.float32)


def test_vectors_come_back_by_picture_as_float16(shard: VectorShard) -> None:
    shard.append([("a", "s1"), ("b", "s2")], vectors(0.5, 1.5))
    stored = shard.vectors()
    assert stored["s2"].dtype == np.float16
    assert {sha: vector.tolist() for sha, vector in stored.items()} == {
        "s1": [0.5, 1.5],
        "s2": [1.5, 2.5],
    }


def test_a_part_holds_its_numbers_plainly_which_is_read_fastest(shard: VectorShard) -> None:
    shard.append([("a", "s1"), ("b", "s2")], vectors(0.5, 0.5))
    (part,) = shard.parts()
    columns = pq.read_metadata(shard.store.path(part)).row_group(0).to_dict()["columns"]
    assert not any(column["has_dictionary_page"] for column in columns)


def test_parts_add_up_until_they_are_compacted_into_one_sorted_by_id(shard: VectorShard) -> None:
    shard.append([("b", "s2")], vectors(2))
    shard.append([("a", "s1")], vectors(1))
    assert shard.pairs() == {("a", "s1"), ("b", "s2")}
    shard.compact({"a": "s1", "b": "s2"})
    assert len(shard.parts()) == 1
    assert list(shard.vectors()) == ["s1", "s2"]


def test_compacting_keeps_what_no_work_shows_now_and_shares_what_two_show(
    shard: VectorShard,
) -> None:
    shard.append([("a", "s1"), ("b", "s2")], vectors(1, 2))
    shard.compact({"a": "s1", "c": "s1"})
    assert shard.pairs() == {("a", "s1"), ("b", "s2"), ("c", "s1")}
    assert len(shard.parts()) == 1


def test_a_kill_between_the_new_part_and_the_removal_of_the_old_loses_nothing(
    shard: VectorShard,
) -> None:
    shard.append([("a", "s1")], vectors(1))
    shard.append([("a", "s1")], vectors(1))
    shard.compact({"a": "s1"})
    assert len(shard.parts()) == 1
    assert shard.vectors()["s1"].tolist() == [1, 2]


def test_a_compacted_shard_is_left_as_it_is(shard: VectorShard) -> None:
    shard.append([("a", "s1")], vectors(1))
    shard.compact({"a": "s1"})
    before = shard.store.path(shard.parts()[0]).stat().st_mtime_ns
    shard.compact({"a": "s1"})
    assert shard.store.path(shard.parts()[0]).stat().st_mtime_ns == before


def test_what_is_not_kept_is_dropped_and_damage_to_the_rest_is_noticed(shard: VectorShard) -> None:
    shard.append([("a", "s1"), ("b", "s2")], vectors(1, 2))
    shard.append([("c", "s3")], vectors(3))
    shard.append([("d", "s4")], vectors(4))
    untouched = shard.store.path(shard.parts()[2]).stat().st_mtime_ns
    shard.keep({"s2", "s4"})
    assert shard.pairs() == {("b", "s2"), ("d", "s4")}
    assert shard.vectors()["s2"].tolist() == [2, 3]
    rewritten, left = (shard.store.path(part) for part in shard.parts())
    assert left.stat().st_mtime_ns == untouched

    number = np.array([2, 3], np.float16).tobytes()
    content = rewritten.read_bytes()
    assert content.count(number) == 1
    rewritten.write_bytes(content.replace(number, number[::-1]))
    for read in (shard.vectors, shard.verify):
        with pytest.raises(ShardError, match=re.escape(str(rewritten))):
            read()


def test_an_empty_shard_has_no_parts(shard: VectorShard) -> None:
    shard.compact({})
    assert shard.parts() == []
    assert shard.vectors() == {}
