"""The checks of the pictures pass sound ones and refuse what no museum shows of its works."""

import io
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from retrievals_pipeline.defs.images.folder_pictures import Files
from retrievals_pipeline.defs.images.ledger import ledger_name
from retrievals_pipeline.defs.images.shard import download_shard
from retrievals_pipeline.defs.images.verification import check_coverage, check_pictures
from retrievals_pipeline.defs.images.works import Work
from retrievals_pipeline.defs.records.paths import ARTWORKS
from retrievals_serving.store import Store
from tests.images.conftest import SHARD, Museum, body, download, jpeg, work

BOX = 128


def fetch(
    store: Store, museum: Museum, pictures: list[bytes], side: int | None = 3000
) -> list[Work]:
    """Download a museum's `pictures`, which its records say to be `side` pixels wide."""
    works = [work(museum, str(n), body(content)) for n, content in enumerate(pictures)]
    write_records(store, works, side)
    download(store, works)
    return works


def write_records(store: Store, works: list[Work], side: int | None) -> None:
    columns = {
        "id": [each.id for each in works],
        **{name: pa.array([side] * len(works), pa.int32()) for name in ("width", "height")},
        "max_pixels": pa.nulls(len(works), pa.int32()),
    }
    with store.replacing(ARTWORKS) as partial:
        pq.write_table(pa.table(columns), partial)


def blank(value: int, *, with_a_stamp: bool = False) -> bytes:
    """A picture large enough that its header weighs little."""
    content = io.BytesIO()
    sheet = Image.new("RGB", (900, 900), (value, value, value))
    if with_a_stamp:
        sheet.paste(Image.open(io.BytesIO(jpeg(size=(96, 64)))))
    sheet.save(content, "JPEG")
    return content.getvalue()


def test_pictures_as_they_were_asked_for_pass(store: Store, museum: Museum) -> None:
    fetch(store, museum, [jpeg(seed, (BOX, 96)) for seed in range(4)])
    verdict = check_pictures(store, [SHARD], box=BOX)
    assert verdict.passed, verdict.details
    assert verdict.details["pictures"] == 4
    assert verdict.details["mean_longer_side"] == BOX
    assert verdict.details["mean_of_expected_side"] == 1
    assert check_coverage(store, [SHARD], minimum=1).passed


def refused(store: Store, problem: str) -> None:
    """The check refuses the pictures for this alone, and says what to do."""
    verdict = check_pictures(store, [SHARD], box=BOX)
    assert not verdict.passed
    assert verdict.details["problems"] == [problem]
    assert "RETRIEVALS_IIIF_MIRROR" in verdict.details["remedy"]
    assert "--revalidate" in verdict.details["remedy"]


def test_thumbnails_in_place_of_pictures_are_refused(store: Store, museum: Museum) -> None:
    fetch(store, museum, [jpeg(seed, (40 - seed, 30)) for seed in range(7)])
    refused(
        store,
        "pictures are smaller than they were asked for: nga:2, nga:3, nga:4, nga:5, nga:6",
    )


@pytest.mark.parametrize("side", [40, None])
def test_a_museum_that_has_no_larger_ones_is_none_the_worse(
    store: Store, museum: Museum, side: int | None
) -> None:
    """Nor is one that does not say what it has, such as a folder of small pictures."""
    fetch(store, museum, [jpeg(seed, (40, 30)) for seed in range(4)], side)
    assert check_pictures(store, [SHARD], box=BOX).passed


def test_blank_sheets_are_refused(store: Store, museum: Museum) -> None:
    sheets = [blank(200 + n) for n in range(5)]
    fetch(store, museum, [blank(199, with_a_stamp=True), *sheets])
    refused(store, "pictures are blank: nga:1, nga:2, nga:3, nga:4, nga:5")


@pytest.mark.parametrize(
    ("copies", "others", "passed"),
    [
        (2, 0, True),
        (2, 1, True),
        (3, 0, False),
        (24, 0, False),
        (11, 49, True),
        (14, 46, False),
        (16, 284, True),
        (17, 283, False),
    ],
)
def test_a_museum_may_hold_copies_but_no_placeholder_for_many(
    store: Store, museum: Museum, copies: int, others: int, passed: bool
) -> None:
    same = jpeg(1, (BOX, 96))
    fetch(store, museum, [same] * copies + [jpeg(seed, (BOX, 96)) for seed in range(2, 2 + others)])
    verdict = check_pictures(store, [SHARD], box=BOX)
    assert verdict.passed is passed
    assert verdict.details["works_of_commonest_picture"] == copies
    if not passed:
        named = ", ".join(f"nga:{n}" for n in sorted(map(str, range(copies)))[:5])
        sha = sha256(same).hexdigest()
        refused(store, f"many works have the same picture {sha}: {named}")


def test_a_folder_may_hold_whatever_its_owner_put_there(store: Store, tmp_path: Path) -> None:
    """Copies of one sheet, and that a blank one."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    names = [f"{number}.jpg" for number in range(12)]
    for name in names:
        (folder / name).write_bytes(blank(200))
    works = [Work(f"folder:{name}", name, "1") for name in names]
    write_records(store, works, None)
    files = Files(folder, box=BOX)
    download_shard(store, SHARD, works, fetcher=files, mirror=None, advance=lambda _: None)
    verdict = check_pictures(store, [SHARD], box=BOX)
    assert verdict.passed
    assert verdict.details["works_of_commonest_picture"] == 12


def test_coverage_counts_the_works_of_the_records_by_their_status(
    store: Store, museum: Museum
) -> None:
    there = [work(museum, str(n), body(jpeg(n))) for n in range(3)]
    lacking, unasked = work(museum, "lacking"), work(museum, "unasked")
    download(store, [*there, lacking, work(museum, "left the collection")])
    write_records(store, [*there, lacking, unasked], None)
    verdict = check_coverage(store, [SHARD, "another"], minimum=0.6)
    assert verdict.passed
    assert verdict.details["statuses"] == {"ok": 3, "not_found": 1, "not_asked": 1}
    assert not check_coverage(store, [SHARD], minimum=0.61).passed


def test_a_ledger_that_cannot_be_read_is_named_and_spoils_no_other(
    store: Store, museum: Museum
) -> None:
    fetch(store, museum, [jpeg(seed, (BOX, 96)) for seed in range(4)])
    store.write_bytes(ledger_name("broken"), b"no parquet")
    verdict = check_pictures(store, [SHARD, "broken"], box=BOX)
    assert verdict.passed
    assert (verdict.details["pictures"], verdict.details["unreadable_shards"]) == (4, ["broken"])


def test_before_any_picture_there_is_nothing_to_refuse(store: Store, museum: Museum) -> None:
    write_records(store, [work(museum, "1")], None)
    assert check_pictures(store, [SHARD], box=BOX).passed
    assert not check_coverage(store, [SHARD], minimum=0.9).passed
