"""What the store lacks is fetched from the museum, within bounds, and never twice."""

import itertools
import threading
from functools import partial
from pathlib import Path

import pytest
from PIL import Image
from starlette.responses import RedirectResponse, StreamingResponse

from retrievals_serving import candidate_pictures
from retrievals_serving.candidate_pictures import CandidatePictures
from retrievals_serving.pages import Result
from retrievals_serving.store import Store, picture_name
from tests.serving.candidates.asking import Clock, came, of, opened, sha
from tests.serving.fake_reranker import FakeReranker, picture
from tests.serving.fake_reranker import opened as opened_engine
from tests.serving.museum import JPEG, Museum


def fetching() -> set[threading.Thread]:
    return {each for each in threading.enumerate() if each.name.startswith("candidate-picture")}


def test_what_is_in_the_store_is_not_asked_for(
    pictures: CandidatePictures, museum: Museum, store: Store
) -> None:
    held, lacking = museum.has("held"), museum.has("lacking")
    store.write_bytes(picture_name(sha(held)), JPEG)
    path, picture, again = of(pictures, held, lacking, held)
    assert path == again == store.path(picture_name(sha(held)))
    assert isinstance(picture, Image.Image)
    assert (picture.mode, picture.size) == ("RGB", (40, 30))
    assert museum.requests == {"/lacking": 1}
    assert not store.exists(picture_name(sha(lacking)))


def test_the_store_is_looked_into_once_for_a_picture(
    pictures: CandidatePictures, museum: Museum, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, late = museum.has("held"), "simulated/late.jpg"
    store.write_bytes(picture_name(sha(held)), JPEG)
    first = of(pictures, held, late)
    store.write_bytes(picture_name(sha(late)), JPEG)  # what is not there may come
    looked: list[Path] = []
    monkeypatch.setattr(Path, "exists", lambda path: looked.append(path) or True)
    assert of(pictures, held, late) == of(pictures, held, late) == first
    assert looked == [store.path(picture_name(sha(late)))]


def test_a_fetched_picture_is_kept_in_memory(pictures: CandidatePictures, museum: Museum) -> None:
    address = museum.has("a")
    (first,), (second,) = of(pictures, address), of(pictures, address)
    assert first is second
    assert museum.requests == {"/a": 1}


def test_what_was_used_longest_ago_makes_room(
    store: Store, clock: Clock, museum: Museum, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidate_pictures, "MEMORY", 2 * 4 * 40 * 30)
    with opened(store, clock) as pictures:
        for name in "abacab":
            assert came(pictures, museum.has(name)) == [True]
    assert museum.requests == {"/a": 1, "/b": 2, "/c": 1}


def test_a_picture_is_read_no_further_than_may_be(
    pictures: CandidatePictures, museum: Museum, caplog: pytest.LogCaptureFixture
) -> None:
    museum.answers["/endless"] = lambda: StreamingResponse(itertools.repeat(bytes(1 << 20)))
    assert came(pictures, f"{museum.address}/endless") == [False]
    assert "over 16 MB" in caplog.text


def test_the_stored_pictures_that_are_remembered_are_bounded(
    pictures: CandidatePictures, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidate_pictures, "STORED", 3)
    for name in "abcde":
        store.write_bytes(picture_name(sha(name)), JPEG)
    for names in ("ab", "bcd", "e"):
        assert of(pictures, *names) == [store.path(picture_name(sha(name))) for name in names]
        assert len(pictures._stored) <= 3


def test_what_came_in_time_is_given_although_others_did_not(
    pictures: CandidatePictures, museum: Museum, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = museum.has("kept")
    assert came(pictures, kept) == [True]
    monkeypatch.setattr(candidate_pictures, "DEADLINE", 0.2)
    assert came(pictures, museum.holds_back("slow"), kept) == [False, True]


def test_the_engine_of_the_next_release_has_the_pictures_of_the_one_before(
    own_home: Path, museum: Museum
) -> None:
    threads, reranker = fetching(), FakeReranker()
    settings = {"iiif_mirror": f"{museum.address}/iiif", "rerank_deadline": 1e9}
    with opened_engine(own_home, reranker, **settings) as engine:
        first = engine.search("boat", rerank=False).results[0]

        def move(work: Result) -> None:
            engine.release.store.remove(picture_name(picture(work)))
            museum.has("iiif/" + work.image_url.split("/iiif/")[1])

        move(first)
        engine.search("boat")
        seen = reranker.asked[-1][1]
        following = engine.beside(engine.release)
    with following:
        following.search("boat")
        assert reranker.asked[-1][1] == seen
        assert picture(first) not in seen
        works = following.search("horse", rerank=False).results
        second = next(work for work in works if picture(work) not in {*seen, picture(first)})
        move(second)
        following.search("horse")
        assert picture(second) not in reranker.asked[-1][1]
    assert list(museum.requests.values()) == [1, 1]
    assert fetching() <= threads  # the last that had them has closed them


def test_a_mirror_is_asked_in_place_of_the_museum(
    store: Store, clock: Clock, museum: Museum
) -> None:
    museum.has("mirror/x1/full/!64,64/0/default.jpg")
    with opened(store, clock, iiif_mirror=f"{museum.address}/mirror/") as pictures:
        address = "https://museum.example/iiif/2/x1/full/!64,64/0/default.jpg"
        assert came(pictures, address) == [True]


def test_only_what_is_on_the_web_is_asked_for(pictures: CandidatePictures) -> None:
    assert came(pictures, "a/b.jpg", "", "file:///etc/hosts", "ftp://127.0.0.1/a") == [False] * 4
    assert pictures._museum is None


def test_an_address_that_cannot_be_is_refused(
    pictures: CandidatePictures, museum: Museum, caplog: pytest.LogCaptureFixture
) -> None:
    assert came(pictures, "http://a:b/", "http://", museum.has("a")) == [False, False, True]
    assert "http://a:b/: Invalid port" in caplog.text


def test_a_few_redirections_are_followed(pictures: CandidatePictures, museum: Museum) -> None:
    museum.has("d")
    for name, target in ("ab", "bc", "cd", "ll"):
        museum.answers[f"/{name}"] = partial(RedirectResponse, f"/{target}")
    assert came(pictures, f"{museum.address}/a", f"{museum.address}/l") == [True, False]
    assert museum.requests["/l"] == 4
