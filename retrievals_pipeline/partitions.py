"""Which shard a work lives in.

A shard is a stable hash bucket of the work's id, so that a work never moves while the number of
shards stands. Shards are named with that number (`03-of-64`): files of another split never mix in.
"""

from hashlib import blake2b


def shard_keys(shards: int) -> list[str]:
    """Return the names of all `shards` shards, sorted."""
    return [shard_key(number, shards) for number in range(shards)]


def shard_of(work_id: str, shards: int) -> str:
    """Return the name of the shard in which the work `work_id` lives."""
    digest = blake2b(work_id.encode(), digest_size=8).digest()
    return shard_key(int.from_bytes(digest, "big") % shards, shards)


def shard_key(number: int, shards: int) -> str:
    """Return the name of shard `number` of `shards`, padded so that names sort as numbers."""
    width = len(str(shards))
    return f"{number:0{width}d}-of-{shards}"
