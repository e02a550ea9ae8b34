"""Which errors are the trouble of one shard alone, so that the other shards of its run go on."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from retrievals_serving.errors import ShardError

OF_ONE_FILE = {
    errno.EEXIST, errno.EIO, errno.EISDIR, errno.ENOENT, errno.ENOTDIR,
    None,  # pyarrow, of what it reads
}  # fmt: skip


@contextmanager
def using(path: Path, remedy: str) -> Iterator[None]:
    """Make a `ShardError` that names `path`, a file of one shard, of the damage that is met there.

    What is the machine's trouble, as a full disk or a lack of permission, passes as it is.
    """
    try:
        yield
    except MemoryError:  # Arrow's is one of its errors too, and says nothing of the file
        raise
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno not in OF_ONE_FILE:
            raise
        reason = str(error).rstrip(".")
        raise ShardError(f"{path} cannot be used: {reason}. {remedy}") from error
