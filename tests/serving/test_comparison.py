"""What changed from one release to another."""

from pathlib import Path

import duckdb
import faiss
import numpy as np
import pytest

from retrievals_serving.comparison import compare, rank_biased_overlap
from retrievals_serving.errors import ReleaseDamaged
from retrievals_serving.records import write_table
from retrievals_serving.release import INDEX, METADATA, RECORDS, Release
from retrievals_serving.store import Store
from tests.serving.small_release import DIMENSION, GOLDEN_TEXTS, make_release, seal

WORKS = 30


@pytest.fixture
def before(tmp_path: Path) -> Release:
    return make_release(Store(tmp_path), "before", works=WORKS)


def changed(release: Release, sql: str) -> None:
    with duckdb.connect(str(release.path(METADATA))) as connection:
        connection.execute(sql)
        shown = connection.execute("select * from artworks order by row").to_arrow_table()
    release.path(RECORDS).unlink()  # it may be mapped
    write_table(shown, release.path(RECORDS))


def test_works_that_came_went_were_repictured_or_edited_are_told_apart(before: Release) -> None:
    after = make_release(before.store, "after", works=WORKS)
    changed(after, "update artworks set id = 'test:9' where row = 3")
    changed(after, "update artworks set image_sha256 = 'another', width = 1 where row = 4")
    changed(after, "update artworks set title = 'Edited' where row = 5")
    changed(after, "update artworks set begin_year = null where row = 6")
    changed(after, "update artworks set theme = ['new'] where row = 7")
    changed(after, "update artworks set modified = '2027-01-01' where row = 8")
    changed(before, "update artworks set begin_year = 1900 where row = 6")
    found = compare(before, after)
    assert found.works_in == ["test:9"]
    assert found.works_out == ["test:1003"]
    assert found.embedded == ["test:1004"]
    assert found.edited == ["test:1005", "test:1006", "test:1007"]


def test_the_same_works_in_the_same_index_are_found_in_the_same_order(before: Release) -> None:
    found = compare(before, make_release(before.store, "after", works=WORKS))
    assert [found.works_in, found.works_out, found.embedded, found.edited] == [[], [], [], []]
    assert [churn.query for churn in found.churn] == GOLDEN_TEXTS
    assert {churn.overlap for churn in found.churn} == {1.0}
    assert [churn.rbo for churn in found.churn] == pytest.approx([1.0, 1.0])


def test_churn_is_of_the_answers_by_the_ids_of_their_works(before: Release) -> None:
    """In the second release the vectors stand at other works: five change places with the rest."""
    after = make_release(before.store, "after", works=WORKS)
    index = faiss.read_index(str(after.path(INDEX)))
    vectors = np.roll(index.reconstruct_n(0, WORKS), 5, axis=0)
    other = faiss.IndexScalarQuantizer(
        DIMENSION, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
    )
    other.add(vectors)
    faiss.write_index(other, str(after.path(INDEX)))
    seal(after, WORKS)
    for churn in compare(before, after).churn:
        assert churn.overlap < 1
        assert churn.rbo < 0.9
    # In a release whose records moved along, the same works are found.
    changed(after, f"update artworks set id = 'moved:' || (row + {WORKS} - 5) % {WORKS}")
    changed(before, "update artworks set id = 'moved:' || row")
    for churn in compare(before, after).churn:
        assert churn.overlap == 1


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ("abcde", 1.0),
        ("vwxyz", 0.0),
        # By hand: agreements 0, 1, 1, 1, 1 for the first two in the other order.
        ("bacde", 0.9**5 + 0.1 / 0.9 * (0.9**2 + 0.9**3 + 0.9**4 + 0.9**5)),
    ],
)
def test_rank_biased_overlap_is_as_published(other: str, expected: float) -> None:
    assert rank_biased_overlap("abcde", other) == pytest.approx(expected)


def test_records_that_cannot_be_read_are_named(before: Release) -> None:
    after = make_release(before.store, "after", works=WORKS)
    after.path(METADATA).write_bytes(b"garbage")
    with pytest.raises(ReleaseDamaged, match=r"after/artworks\.duckdb cannot be read"):
        compare(before, after)
