"""The next run asks for what it lacks or what may have changed, and for nothing else."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from PIL import Image

from retrievals_pipeline.defs.images.ledger import Ledger, ledger_name
from retrievals_pipeline.defs.images.wanted import LASTS
from retrievals_pipeline.defs.images.works import Work
from retrievals_serving.store import Store, picture_name, thumbnail_name
from tests.images.conftest import (
    SHARD,
    Museum,
    Respond,
    as_if_asked,
    body,
    claiming,
    download,
    jpeg,
    status,
    work,
)


def test_a_second_run_fetches_nothing_that_is_there(museum: Museum, store: Store) -> None:
    works = [work(museum, str(n), body(jpeg(n))) for n in range(20)]
    download(store, works)
    ledger = store.read_bytes(ledger_name(SHARD))
    museum.requests.clear()
    assert download(store, works).asked == 0
    assert not museum.requests
    assert store.read_bytes(ledger_name(SHARD)) == ledger


def test_what_may_pass_is_tried_again_by_the_next_run(museum: Museum, store: Store) -> None:
    download(store, [work(museum, "1", status(500))])
    assert download(store, [work(museum, "1", body(jpeg()))]).statuses == {"ok": 1}


def test_a_lack_of_memory_is_no_fault_of_the_picture_and_lasts_no_longer_than_the_run(
    museum: Museum,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    works = [work(museum, "1", body(jpeg()))]

    def allocate(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(Image.core, "new", allocate)
        assert download(store, works).statuses == {"out_of_memory": 1}
    assert f"nga:1 at {works[0].image_url}: out_of_memory" in caplog.text
    assert download(store, works).statuses == {"ok": 1}


LASTING = [
    *(status(code) for code in (404, 410, 403, 418)),
    body(b"<html>"),
    body(jpeg()[:-400]),
    body(claiming(65_000)),
]


@pytest.mark.parametrize("answer", LASTING)
def test_what_lasts_is_not_asked_for_at_every_build(
    museum: Museum, store: Store, answer: Respond
) -> None:
    works = [work(museum, "1", answer)]
    (before,) = download(store, works).statuses
    assert download(store, works).asked == 0
    assert download(store, works, only=[before]).asked == 1
    assert download(store, works, revalidate=True).asked == 1
    as_if_asked(store, datetime.now(UTC) - LASTS)
    assert download(store, works).asked == 1


def test_what_lasted_at_one_address_is_asked_for_at_another(museum: Museum, store: Store) -> None:
    museum.answers["/right/u1/full/!1024,1024/0/default.jpg"] = body(jpeg())
    works = [Work("nga:1", "https://museum.example/iiif/u1/full/!1024,1024/0/default.jpg", "2024")]
    assert download(store, works, mirror=f"{museum.address}/wrong").statuses == {"not_found": 1}
    changed = [replace(works[0], image_modified="2026")]
    assert download(store, changed, mirror=f"{museum.address}/wrong").asked == 1
    assert download(store, changed, mirror=f"{museum.address}/right").statuses == {"ok": 1}


@pytest.mark.parametrize("lost", [picture_name, thumbnail_name])
def test_a_picture_lost_from_the_store_is_fetched_again(
    museum: Museum, store: Store, lost: Callable[[str], str]
) -> None:
    works = [work(museum, "1", body(jpeg()))]
    download(store, works)
    name = lost(sha256(jpeg()).hexdigest())
    store.remove(name)
    assert download(store, works).asked == 1
    assert store.exists(name)


def test_a_work_with_another_picture_is_fetched_and_the_old_picture_stays(
    museum: Museum, store: Store
) -> None:
    download(store, [work(museum, "1", body(jpeg(1)))])
    moved = Work("nga:1", work(museum, "new", body(jpeg(2))).image_url, "2024")
    download(store, [moved])
    assert Ledger(store, SHARD).rows["nga:1"].sha256 == sha256(jpeg(2)).hexdigest()
    assert len(store.names("images/*/*")) == 2


def test_a_picture_that_the_museum_says_it_changed_is_fetched_again(
    museum: Museum, store: Store
) -> None:
    before = work(museum, "1", body(jpeg(1)))
    download(store, [before])
    museum.answers.clear()
    work(museum, "1", body(jpeg(2)))
    assert download(store, [before]).asked == 0
    assert download(store, [replace(before, image_modified="2026")]).asked == 1
    assert Ledger(store, SHARD).rows["nga:1"].sha256 == sha256(jpeg(2)).hexdigest()


def test_a_smaller_build_in_between_costs_no_download_afterwards(
    museum: Museum, store: Store
) -> None:
    works = [work(museum, str(n), body(jpeg(n))) for n in range(2)]
    download(store, works)
    assert download(store, works[:1]).statuses == {"ok": 1}
    assert download(store, works).asked == 0
