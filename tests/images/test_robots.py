"""What a museum asks of robots is read once and obeyed."""

import pytest

from retrievals_pipeline.defs.images.ledger import Ledger
from retrievals_pipeline.defs.images.robots import LONGEST_DELAY, Robots
from retrievals_serving.errors import SourceUnavailable
from retrievals_serving.store import Store
from tests.images.conftest import (
    ROBOTS,
    SHARD,
    Museum,
    Respond,
    body,
    download,
    jpeg,
    status,
    stranger,
    work,
)


def rules(text: str) -> Respond:
    return body(text.encode(), "text/plain")


def test_robots_txt_is_read_once_and_obeyed(museum: Museum, store: Store) -> None:
    museum.answers[ROBOTS] = rules("User-agent: retrievals\nDisallow: /secret/\n")
    works = [work(museum, str(n), body(jpeg(n))) for n in range(20)]
    works += [work(museum, f"secret/{n}", body(jpeg(n))) for n in range(20)]
    summary = download(store, works, fetcher=stranger(museum))
    assert summary.statuses == {"ok": 20, "restricted": 20}
    assert museum.requests[ROBOTS] == 1
    assert not [path for path in museum.requests if path.startswith("/secret")]
    assert "robots.txt of http" in Ledger(store, SHARD).rows["nga:secret/1"].detail


def test_a_crawl_delay_bounds_the_rate(museum: Museum, store: Store) -> None:
    museum.answers[ROBOTS] = rules("User-agent: *\nCrawl-delay: 10\n")
    works = [work(museum, str(n), body(jpeg(n))) for n in range(6)]
    download(store, works, fetcher=stranger(museum))
    assert museum.clock.time >= 50


@pytest.mark.parametrize("answer", [status(404), status(403), rules("<html>"), status(302)])
def test_a_museum_without_robots_txt_allows_all(
    museum: Museum, store: Store, answer: Respond
) -> None:
    museum.answers[ROBOTS] = answer
    works = [work(museum, "1", body(jpeg()))]
    assert download(store, works, fetcher=stranger(museum)).statuses == {"ok": 1}


def test_nothing_is_fetched_when_robots_txt_cannot_be_read(museum: Museum, store: Store) -> None:
    museum.answers[ROBOTS] = status(503)
    works = [work(museum, str(n), body(jpeg())) for n in range(9)]
    with pytest.raises(SourceUnavailable, match=r"robots.txt could not be read \(HTTP 503"):
        download(store, works, fetcher=stranger(museum))
    assert set(museum.requests) == {ROBOTS}


def test_a_host_of_ones_own_is_not_asked_for_its_rules(museum: Museum, store: Store) -> None:
    download(store, [work(museum, "1", body(jpeg()))])
    assert not museum.requests[ROBOTS]


def test_a_picture_that_moved_is_followed_under_the_rules_of_where_it_is(
    museum: Museum, store: Store
) -> None:
    museum.answers[ROBOTS] = rules("User-agent: *\nDisallow: /hidden\n")
    museum.answers["/new"] = body(jpeg())
    works = [
        work(museum, "1", status(301, Location="/new")),
        work(museum, "2", status(307, Location="/hidden")),
    ]
    summary = download(store, works, fetcher=stranger(museum))
    assert summary.statuses == {"ok": 1, "restricted": 1}


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("User-agent: *\nDisallow: /*.jpg$", "/a/b.jpg", False),
        ("User-agent: *\nDisallow: /*.jpg$", "/a/b.jpg?x", True),
        ("User-agent: *\nDisallow: /iiif\nAllow: /iiif/open", "/iiif/open/1", True),
        ("User-agent: *\nAllow: /iiif/open\nDisallow: /iiif", "/iiif/shut/1", False),
        ("\ufeffUser-agent: *\nDisallow: /", "/a", False),
        ("User-agent: retrieval\nDisallow: /", "/a", True),
        ("User-agent: retrievals-2\nDisallow: /", "/a", True),
        ("User-agent: r\nDisallow: /\n\nUser-agent: *\nDisallow: /b", "/a", True),
        ("User-agent: r\nDisallow: /\n\nUser-agent: *\nDisallow: /b", "/b", False),
        ("USER-AGENT : Retrievals/0.1\nDisallow: /", "/a", False),
        ("User-agent: retrievals # us\nDisallow: /", "/a", False),
        ("User-agent: *\nDisallow: /\n\nUser-agent: retrievals\nDisallow:", "/a", True),
        ("User-agent: retrievals\nUser-agent: other\nDisallow: /", "/a", False),
    ],
)
def test_rules_are_read_as_the_standard_says(text: str, path: str, expected: bool) -> None:
    assert Robots(text.encode()).allows(f"https://museum.example{path}") is expected


@pytest.mark.parametrize(
    ("delay", "rate"),
    [
        ("0.5", 2.0),
        ("10", 0.1),
        ("1e300", 1 / LONGEST_DELAY),
        *((none, None) for none in ("0", "-1", "nan", "soon", "", "0x10")),
    ],
)
def test_a_crawl_delay_may_be_a_fraction_and_never_breaks_a_run(
    delay: str, rate: float | None
) -> None:
    assert Robots(f"User-agent: *\nCrawl-delay: {delay}".encode()).highest_rate == rate


@pytest.mark.parametrize(
    "content",
    [b"\xff\xfe\x00", b"\x00" * 99, b"User-agent: *\nDisallow: /%zz[\\*$$*(" * 99, b":\n" * 10**6],
)
def test_no_file_is_too_strange_to_read(content: bytes) -> None:
    robots = Robots(content)
    assert robots.allows("https://museum.example/a?b=%zz#[")
    assert robots.highest_rate is None


def test_of_a_large_file_the_beginning_counts() -> None:
    rules = b"User-agent: *\nDisallow: /a\n"
    assert not Robots(rules + b"# long\n" * 10**6).allows("https://museum.example/a")
