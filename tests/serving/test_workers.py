"""Threads that answer for asyncio: bounded, and told when nobody waits any more."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress

import pytest

from retrievals_serving.cancelling import Cancelled
from retrievals_serving.errors import QueryError, ServerBusy
from retrievals_serving.workers import Workers


@asynccontextmanager
async def workers(size: int) -> AsyncIterator[Workers]:
    made = Workers(size)
    try:
        yield made
    finally:
        made.close()


async def idle(made: Workers) -> None:
    while made.busy:
        await asyncio.sleep(0)


def test_one_more_than_may_is_told_when_to_come_again() -> None:
    async def main() -> None:
        go = threading.Event()
        async with workers(2) as made:
            under_way = [asyncio.create_task(made.run(lambda _: go.wait())) for _ in range(2)]
            while made.busy < 2:
                await asyncio.sleep(0)
            with pytest.raises(ServerBusy, match="2 searches are being answered") as caught:
                await made.run(lambda _: True)
            assert caught.value.seconds >= 1
            go.set()
            assert all(await asyncio.gather(*under_way))
            assert await made.run(lambda _: "again") == "again"

    asyncio.run(main())


def test_work_whose_task_is_cancelled_is_told_and_keeps_its_place_until_it_ends() -> None:
    async def main() -> None:
        began, told = threading.Event(), threading.Event()

        def work(cancelled: Cancelled) -> None:
            began.set()
            while not cancelled():
                threading.Event().wait(0.0005)
            told.wait()
            raise QueryError("which nobody hears")

        async with workers(1) as made:
            task = asyncio.create_task(made.run(work))
            await asyncio.to_thread(began.wait)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            assert made.busy == 1
            told.set()
            await idle(made)

    asyncio.run(main())


def test_what_work_yields_comes_as_soon_as_it_is_there() -> None:
    async def main() -> None:
        go = threading.Event()

        def work(_: Cancelled) -> Iterator[str]:
            yield "vector"
            go.wait()
            yield "reranked"

        async with workers(1) as made:
            seen = []
            async for value in made.stream(work):
                seen.append(value)
                go.set()  # which would never be, if the first came with the second
            assert seen == ["vector", "reranked"]
            await idle(made)

    asyncio.run(main())


def test_what_goes_wrong_comes_after_what_was_yielded() -> None:
    async def main() -> None:
        def work(_: Cancelled) -> Iterator[str]:
            yield "vector"
            raise QueryError("no such field")

        async with workers(1) as made:
            stream = made.stream(work)
            assert await anext(stream) == "vector"
            with pytest.raises(QueryError, match="no such field"):
                await anext(stream)

    asyncio.run(main())


def test_a_stream_that_is_left_ends_its_work() -> None:
    async def main() -> None:
        ended = threading.Event()

        def work(cancelled: Cancelled) -> Iterator[str]:
            yield "vector"
            while not cancelled():
                threading.Event().wait(0.0005)
            ended.set()

        async with workers(1) as made:
            stream = made.stream(work)
            assert await anext(stream) == "vector"
            await stream.aclose()
            assert await asyncio.to_thread(ended.wait, 10)
            await idle(made)

    asyncio.run(main())
