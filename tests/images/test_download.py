"""Every work ends in a ledger row, good pictures are kept, and nothing is fetched twice."""

import gzip
import io
from dataclasses import replace
from hashlib import sha256

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from retrievals_pipeline.defs.images import transport
from retrievals_pipeline.defs.images.ledger import Ledger, ledger_name
from retrievals_pipeline.defs.images.statuses import FAILURES
from retrievals_pipeline.defs.images.works import Work, read_works
from retrievals_pipeline.defs.records.paths import ARTWORKS
from retrievals_serving.store import Store, picture_name, thumbnail_name
from tests.images.conftest import (
    SHARD,
    Museum,
    Respond,
    body,
    claiming,
    download,
    hang_up,
    jpeg,
    slowly,
    status,
    work,
)

BOMB = gzip.compress(bytes(transport.MAX_BYTES + 1), 1)


def test_a_picture_is_kept_by_its_content_with_a_thumbnail_and_a_row(
    museum: Museum, store: Store
) -> None:
    content = jpeg(size=(1000, 500))
    summary = download(store, [work(museum, "1", body(content))])
    name = sha256(content).hexdigest()
    assert store.read_bytes(picture_name(name)) == content
    with Image.open(store.path(thumbnail_name(name))) as thumbnail:
        assert (thumbnail.format, thumbnail.size) == ("WEBP", (400, 200))
    (row,) = pq.read_table(store.path(ledger_name(SHARD))).to_pylist()
    assert (row["status"], row["sha256"], row["etag"]) == ("ok", name, '"e1"')
    assert (row["width"], row["height"], row["bytes"]) == (1000, 500, len(content))
    assert len(row["color"]) == 7
    assert (summary.asked, summary.became, summary.statuses) == (1, {"ok": 1}, {"ok": 1})
    assert summary.bytes == len(content)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (status(404), "not_found"),
        (status(410), "gone"),
        (body(b"<html>not for scripts</html>", "text/html", code=403), "forbidden"),
        (status(418), "refused"),
        (status(304), "refused"),
        (status(302), "refused"),
        (status(500), "server_error"),
        (status(429), "throttled"),
        (status(408), "timeout"),
        (body(b"<html>no</html>", "text/html"), "not_an_image"),
        (body(jpeg(), "application/octet-stream"), "not_an_image"),
        (body(b"<html>named .jpg</html>"), "not_an_image"),
        (body(b""), "not_an_image"),
        (body(jpeg()[:-400]), "truncated"),
        (body(jpeg(), declared=10**6), "unreachable"),
        (body(jpeg(size=(4200, 8))), "too_large"),
        (body(claiming(65_000)), "too_large"),
        (body(claiming(12_000)), "too_large"),
        (body(BOMB, Content_Encoding="gzip"), "too_large"),
        (body(b"no gzip", Content_Encoding="gzip"), "unreachable"),
        (status(302, Location="/1/full/!1024,1024/0/default.jpg"), "refused"),
        (status(302, Location="file:///etc/passwd"), "refused"),
        (status(302, Location="http://[nowhere/"), "refused"),
        (hang_up, "unreachable"),
        (slowly(0.3, body(jpeg())), "timeout"),
    ],
)
def test_what_goes_wrong_is_a_row_with_its_reason_and_harms_no_other(
    museum: Museum,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    answer: Respond,
    expected: str,
) -> None:
    monkeypatch.setattr(transport, "TIMEOUT", 0.1)
    works = [work(museum, "1", answer), work(museum, "2", body(jpeg()))]
    assert download(store, works).statuses == {expected: 1, "ok": 1}
    bad = Ledger(store, SHARD).rows["nga:1"]
    assert bad.status in FAILURES
    assert bad.detail
    assert bad.sha256 is None
    assert len(store.names("images/*/*")) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://[nowhere/x",
        "http://museum.example:port/x",
        "http://museum..example/x",
        "http://*.example/x",
        "ftp://museum.example/x",
        "x",
        "",
    ],
)
def test_an_address_that_is_none_harms_no_other(museum: Museum, store: Store, url: str) -> None:
    works = [Work("nga:1", url, ""), work(museum, "2", body(jpeg()))]
    assert download(store, works).statuses == {"refused": 1, "ok": 1}


@pytest.mark.parametrize(
    ("longest_side", "expected"), [(None, 1000), (4000, 1000), (1000, 1000), (640, 640)]
)
def test_a_picture_is_as_sharp_as_what_the_museum_has_or_serves(
    museum: Museum, store: Store, longest_side: int | None, expected: int
) -> None:
    wide = replace(work(museum, "1", body(jpeg(size=(1000, 500)))), longest_side=longest_side)
    download(store, [wide])
    row = Ledger(store, SHARD).rows["nga:1"]
    assert (row.width, row.sharp_side) == (1000, expected)


def test_the_longest_side_is_bounded_by_what_the_museum_serves(store: Store) -> None:
    columns = {
        "id": ["nga:1", "nga:2", "nga:3"],
        "image_url": ["http://museum.example/x"] * 3,
        "image_modified": [""] * 3,
        "width": pa.array([3000, 500, None], pa.int32()),
        "height": pa.array([2000, 900, None], pa.int32()),
        "max_pixels": pa.array([640, None, None], pa.int32()),
    }
    with store.replacing(ARTWORKS) as partial:
        pq.write_table(pa.table(columns), partial)
    assert [work.longest_side for work in read_works(store, 1)[SHARD]] == [640, 900, None]


def test_what_no_retry_can_mend_is_asked_for_once(museum: Museum, store: Store) -> None:
    download(store, [work(museum, "1", status(404))])
    assert sum(museum.requests.values()) == 1


def test_rows_survive_a_kill_and_a_line_cut_short(museum: Museum, store: Store) -> None:
    works = [work(museum, str(n), body(jpeg(n))) for n in range(3)]
    download(store, works[:2])
    # As a kill leaves it: no finished ledger, and a journal whose last line is half written.
    ledger = Ledger(store, SHARD)
    with ledger.recording() as journal:
        for row in list(ledger.rows.values()):
            ledger.record(row, journal)
        journal.write('{"id": "nga:2", "image_')
    store.remove(ledger_name(SHARD))
    museum.requests.clear()
    assert download(store, works).asked == 1
    assert list(museum.requests) == ["/2/full/!1024,1024/0/default.jpg"]
    assert not store.path(f"ledger/{SHARD}.jsonl").exists()


def test_no_more_requests_at_once_than_threads(museum: Museum, store: Store) -> None:
    works = [work(museum, str(n), slowly(0.01, body(jpeg(n)))) for n in range(24)]
    download(store, works)
    assert 1 < museum.most_at_work <= transport.THREADS


def test_the_museum_is_told_who_asks(museum: Museum, store: Store) -> None:
    download(store, [work(museum, "1", body(jpeg()))])
    (agent,) = museum.agents
    assert agent.startswith("retrievals/")


def test_a_proxy_of_the_environment_is_not_asked_for_what_is_on_this_machine(
    museum: Museum, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert download(store, [work(museum, "1", body(jpeg()))]).statuses == {"ok": 1}


def test_the_mirror_takes_the_place_of_the_museum(museum: Museum, store: Store) -> None:
    museum.answers["/iiif/u1/full/!1024,1024/0/default.jpg"] = body(jpeg())
    away = Work("nga:1", "https://museum.example/iiif/u1/full/!1024,1024/0/default.jpg", "")
    assert download(store, [away], mirror=f"{museum.address}/iiif").statuses == {"ok": 1}
    assert Ledger(store, SHARD).rows["nga:1"].image_url == away.image_url


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_pictures_of_other_colour_spaces_are_kept(museum: Museum, store: Store, mode: str) -> None:
    content = jpeg(mode=mode)
    assert download(store, [work(museum, "1", body(content))]).statuses == {"ok": 1}
    row = Ledger(store, SHARD).rows["nga:1"]
    with Image.open(io.BytesIO(store.read_bytes(picture_name(str(row.sha256))))) as picture:
        assert picture.mode == mode
