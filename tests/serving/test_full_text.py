"""Words of the records find works: whatever a visitor types, exactly under a filter."""

import random
import re
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from retrievals_serving.errors import ReleaseError
from retrievals_serving.full_text import FullText, query_words
from retrievals_serving.records import Records, write_table
from retrievals_serving.release import RECORDS
from tests.serving.small_release import WORKS, make_records

TITLES = (
    "A Lonely Boat",
    "Boats at Rest",
    "Étretat, Coast and Cliffs",
    "The Reader",
    "Two Horses",
    "The Horse and the Boat",
)
SYNTAX = ('"', "''", "*", "boat*", "NEAR", "NEAR(a b, 2)", "-", "^", "(", ")", "{title}", "title:",
          "AND", "OR", "NOT", "+", "\\", "\0", "\ud800", "e\u0301", "\U0001f5bc", "日本", "किताब",
          "\U0001e900", "²", "_", "İ", "ß", ":words", "?", ";--")  # fmt: skip


@pytest.fixture
def full_text(tmp_path: Path) -> Iterator[FullText]:
    works = make_records(len(TITLES))
    for row, (work, title) in enumerate(zip(works, TITLES, strict=True)):
        same = {"date": "1890", "medium": "oil", "classification": "Painting"}
        work |= same | {"title": title, "artist": "", "description": "", "image_sha256": str(row)}
    works[3] |= {"artist": "Berthe Morisot", "description": "Monet by a window."}
    works[4] |= {"artist": "Claude Monet", "description": "They are at rest."}
    yield from opened(works, tmp_path)


@pytest.fixture
def many(tmp_path: Path) -> Iterator[FullText]:
    """Works of which titles, and so scores, are often the same."""
    works = [work | {"image_sha256": str(row)} for row, work in enumerate(make_records(WORKS))]
    yield from opened(works, tmp_path)


def opened(works: list[dict[str, Any]], folder: Path) -> Iterator[FullText]:
    write_table(pa.Table.from_pylist(works), folder / RECORDS)
    full_text = FullText(Records(folder / RECORDS))
    yield full_text
    full_text.close()


def found(full_text: FullText, query: str, k: int = 10) -> list[int]:
    rows: list[int] = full_text.search(query, k)[1].tolist()
    return rows


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("boats", {0, 1, 5}),
        ("BOAT", {0, 1, 5}),
        ("etretat", {2}),
        ("e\u0301tretat", {2}),
        ("a horse", {4, 5}),
        ("the", {3, 5}),
        ("window", {3}),
        ("steamship", set()),
        ("  ", set()),
        ("\U0001f5bc", set()),
    ],
)
def test_a_word_finds_its_works_whatever_its_form(
    full_text: FullText, query: str, rows: set[int]
) -> None:
    assert set(found(full_text, query)) == rows


def test_a_work_that_has_more_of_the_words_comes_first(full_text: FullText) -> None:
    assert found(full_text, "a horse and a boat")[0] == 5


def test_an_artist_comes_before_a_work_that_only_names_them(full_text: FullText) -> None:
    assert found(full_text, "monet") == [4, 3]


def test_common_words_count_where_there_are_no_others() -> None:
    assert query_words("The boat on the  SEA, the sea!") == ["boat", "sea"]
    assert query_words("to be, or not to be") == ["to", "be", "or", "not"]


@pytest.mark.parametrize("k", [1, 7, WORKS])
def test_scores_fall_from_at_most_one_and_the_same_score_is_in_the_order_of_the_rows(
    many: FullText, k: int
) -> None:
    scores, rows = many.search("a lonely stormy boat by Monet", k)
    assert (scores.dtype, rows.dtype, len(scores)) == (np.float32, np.int64, len(rows))
    assert 0 < scores.min() <= scores.max() <= 1
    order = list(zip(-scores, rows, strict=True))
    assert order == sorted(order)
    assert len(set(scores)) < len(scores) or k == 1


def test_the_best_of_a_few_are_the_best_of_all(many: FullText) -> None:
    scores, rows = many.search("lonely boat", WORKS)
    best_scores, best_rows = many.search("lonely boat", 5)
    assert best_rows.tolist() == rows[:5].tolist()
    assert best_scores.tolist() == scores[:5].tolist()


def test_under_a_filter_the_order_and_the_scores_are_those_of_all_works(many: FullText) -> None:
    scores, rows = many.search("lonely boat", WORKS)
    only = np.arange(0, WORKS, 3, dtype=np.int32)
    is_kept = np.isin(rows, only)
    assert 4 < is_kept.sum() < len(rows)
    for k in (4, WORKS):
        kept_scores, kept_rows = many.search("lonely boat", k, only)
        assert kept_rows.tolist() == rows[is_kept][:k].tolist()
        assert kept_scores.tolist() == scores[is_kept][:k].tolist()
    assert len(many.search("lonely boat", 4, np.empty(0, np.int32))[1]) == 0


def test_what_looks_like_syntax_is_plain_text(full_text: FullText) -> None:
    for plain in (
        '"boat horse"',
        "boat NEAR horse",
        "boat -horse",
        "title:boat*horse",
        "(boat) ^ horse",
    ):
        assert set(found(full_text, plain)) == set(found(full_text, "boat horse")) == {0, 1, 4, 5}


def test_no_text_is_an_error(many: FullText) -> None:
    chance = random.Random(5)
    characters = [chr(chance.randrange(sys.maxunicode + 1)) for _ in range(500)]
    for _ in range(400):
        parts = [chance.choice([*SYNTAX, *characters, " ", "boat"]) for _ in range(300)]
        query = "".join(parts)[: chance.choice((3, 30, 512))]
        scores, rows = many.search(query, 5)
        assert len(scores) == len(rows) <= 5
        if re.search(r"\bboat\b", query.lower()):
            assert len(rows) == 5


def test_a_text_of_as_many_words_as_can_be_is_answered(many: FullText) -> None:
    words = " ".join(chr(0x4E00 + number) for number in range(255))
    assert found(many, f"{words} O'Keeffe"[-512:], WORKS)


def test_many_threads_are_given_what_one_is(many: FullText) -> None:
    queries = ["lonely boat", "stormy horse", "portrait by O'Keeffe", "calm Été", "nothing"] * 8
    with ThreadPoolExecutor(8) as pool:
        at_once = list(pool.map(lambda query: found(many, query), queries))
    assert at_once == [found(many, query) for query in queries]


def test_records_are_read_once(many: FullText, monkeypatch: pytest.MonkeyPatch) -> None:
    many.build()
    monkeypatch.setattr(Records, "texts", None)
    many.build()
    assert found(many, "boat")


def test_after_the_release_was_closed_it_says_so(many: FullText) -> None:
    assert found(many, "boat")
    many._records.close()
    many.close()
    with pytest.raises(ReleaseError, match="was closed"):
        many.search("boat", 1)
