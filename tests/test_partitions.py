"""A work never moves between shards: the buckets are a stable function of its id."""

from collections import Counter

from retrievals_pipeline.partitions import shard_keys, shard_of


def test_shards_are_these_for_ever() -> None:
    assert [shard_of(f"nga:{n}", 64) for n in (1, 5, 46569)] == ["22-of-64", "50-of-64", "59-of-64"]


def test_keys_name_the_split_and_sort_as_numbers() -> None:
    assert shard_keys(12)[:2] == ["00-of-12", "01-of-12"]
    assert shard_keys(12) == sorted(shard_keys(12))


def test_works_spread_evenly() -> None:
    sizes = Counter(shard_of(f"nga:{n}", 16) for n in range(16_000))
    assert sorted(sizes) == shard_keys(16)
    assert max(sizes.values()) < 1_150
