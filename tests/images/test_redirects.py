"""Where redirections lead is another host: it may fail, and nobody else does."""

import pytest

from retrievals_pipeline.defs.images.fetcher import MAX_ATTEMPTS, Fetcher
from retrievals_pipeline.defs.images.host import MAX_IN_A_ROW
from retrievals_pipeline.defs.images.ledger import Ledger
from retrievals_pipeline.defs.images.transport import THREADS
from retrievals_serving.errors import SourceUnavailable
from retrievals_serving.store import Store
from tests.images.conftest import (
    ROBOTS,
    SHARD,
    Museum,
    Respond,
    body,
    download,
    hang_up,
    jpeg,
    status,
    stranger,
    work,
)


@pytest.mark.parametrize("rules", [status(404), hang_up])
def test_a_dead_host_that_some_works_moved_to_ends_no_run(
    museum: Museum, elsewhere: Museum, store: Store, rules: Respond
) -> None:
    elsewhere.answers |= {ROBOTS: rules, "/x": hang_up}
    moved = status(302, Location=f"{elsewhere.address}/x")
    works = [work(museum, f"a{n:03d}", moved) for n in range(3 * MAX_IN_A_ROW)]
    works += [work(museum, f"b{n}", body(jpeg(n))) for n in range(20)]
    fetcher = stranger(museum)
    assert download(store, works, fetcher=fetcher).statuses == {
        "unreachable": 3 * MAX_IN_A_ROW, "ok": 20,
    }  # fmt: skip
    assert fetcher.ended is None
    assert len(elsewhere.log) <= (MAX_IN_A_ROW + THREADS) * MAX_ATTEMPTS
    assert elsewhere.address in Ledger(store, SHARD).rows["nga:a090"].detail


def test_a_host_elsewhere_that_wishes_to_be_left_alone_is_and_the_run_goes_on(
    museum: Museum, elsewhere: Museum, store: Store
) -> None:
    elsewhere.answers["/x"] = status(503, Retry_After="86400")
    moved = status(302, Location=f"{elsewhere.address}/x")
    works = [work(museum, f"a{n}", moved) for n in range(40)]
    works += [work(museum, f"b{n}", body(jpeg(n))) for n in range(20)]
    fetcher = stranger(museum)
    assert download(store, works, fetcher=fetcher).statuses == {
        "unreachable": 40, "ok": 20,
    }  # fmt: skip
    assert elsewhere.requests["/x"] < 20  # as many as were on their way
    assert museum.clock.time < 3600


def test_a_stranger_leads_nobody_to_a_host_of_ones_own(
    museum: Museum, elsewhere: Museum, store: Store
) -> None:
    elsewhere.answers["/x"] = body(jpeg())
    moved = status(302, Location=f"{elsewhere.address}/x")
    works = [work(museum, "1", moved)]
    fetcher = Fetcher(clock=museum.clock, is_own=lambda url: url.startswith(elsewhere.address))
    assert download(store, works, fetcher=fetcher).statuses == {"refused": 1}
    assert not elsewhere.log


def test_what_is_ones_own_may_lead_where_it_likes(
    museum: Museum, elsewhere: Museum, store: Store
) -> None:
    elsewhere.answers["/x"] = body(jpeg())
    works = [work(museum, "1", status(302, Location=f"{elsewhere.address}/x"))]
    assert download(store, works).statuses == {"ok": 1}
    assert Ledger(store, SHARD).rows["nga:1"].fetched_url == works[0].image_url


def test_the_host_of_the_works_ends_the_run_though_others_answer(
    museum: Museum, elsewhere: Museum, store: Store
) -> None:
    elsewhere.answers["/x"] = body(jpeg())
    works = [work(museum, f"a{n:03d}", status(500)) for n in range(3 * MAX_IN_A_ROW)]
    works += [work(museum, "b", status(302, Location=f"{elsewhere.address}/x"))]
    with pytest.raises(SourceUnavailable, match=museum.address):
        download(store, works, fetcher=stranger(museum))
