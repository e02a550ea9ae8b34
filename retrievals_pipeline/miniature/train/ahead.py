"""The next batch is made while the last one is learned from."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def ahead(make: Callable[[], T], count: int) -> Iterator[T]:
    """Yield what `make` returns, `count` times; each is made in a thread, one ahead.

    It is called by one thread at a time, so that what it draws comes in the same order as without.
    """
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(make)
        for _ in range(count - 1):
            item = coming.result()
            coming = pool.submit(make)
            yield item
        yield coming.result()
