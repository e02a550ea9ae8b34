"""An answer says whether its best work fits the text better than chance would have it."""

from pathlib import Path

import numpy as np
import pytest

from retrievals_pipeline.defs.index.recall import Probes, probes, text_queries
from retrievals_pipeline.defs.index.relevance import _discriminant, learn_fit, moments
from retrievals_pipeline.simulation.vectors import Simulation
from retrievals_serving.errors import ReleaseDamaged
from retrievals_serving.relevance import Fit, ScoreDistribution

DIMENSION = 256
WORKS = 70_000  # more than a block


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    return np.concatenate([*Simulation(DIMENSION).pictures(WORKS)]).astype(np.float16)


@pytest.fixture(scope="module")
def distribution(vectors: np.ndarray) -> ScoreDistribution:
    return ScoreDistribution(moments(vectors))


def found(vectors: np.ndarray, drawn: np.ndarray) -> Probes:
    return probes(text_queries(drawn, DIMENSION), vectors)


def test_deviations_are_those_of_all_scores(
    vectors: np.ndarray, distribution: ScoreDistribution
) -> None:
    (queries,) = Simulation(DIMENSION).texts(5)
    for query in queries:
        scores = vectors.astype(np.float64) @ query
        expected = (scores.max() - scores.mean()) / scores.std()
        assert distribution.deviations(query, scores.max()) == pytest.approx(expected, rel=1e-3)


def test_where_all_scores_are_the_same_none_is_far_out() -> None:
    same = ScoreDistribution(moments(np.ones((3, 4), np.float16) / 2))
    assert same.deviations(np.full(4, 0.5, np.float32), 1.0) == 0


def test_texts_with_an_answer_are_told_from_those_with_none(
    vectors: np.ndarray, distribution: ScoreDistribution
) -> None:
    """Judged on others than were learned from."""
    simulation = Simulation(DIMENSION)
    own = np.concatenate([*simulation.texts(400)])
    elsewhere = np.concatenate([*simulation.texts_from_elsewhere(400)])
    fit = learn_fit(distribution, found(vectors, own[:200]), found(vectors, elsewhere[:200]))
    assert fit is not None
    assert fit.weak < fit.strong
    assert min(fit.cosine, fit.deviations) >= 0
    judged = {
        kind: [
            fit.relevance(float(best[0]), distribution.deviations(query, float(best[0])))
            for query, best in zip(asked.queries.vectors, asked.best, strict=True)
        ]
        for kind, asked in (
            ("own", found(vectors, own[200:])),
            ("elsewhere", found(vectors, elsewhere[200:])),
        )
    }
    shares = {
        kind: {word: words.count(word) / len(words) for word in ("strong", "weak", "nothing")}
        for kind, words in judged.items()
    }
    assert shares["own"]["nothing"] < 0.1
    assert shares["elsewhere"]["strong"] < 0.1
    assert shares["own"]["strong"] > 2 * shares["elsewhere"]["strong"]


def test_where_its_own_texts_find_nothing_better_nothing_is_learned(
    vectors: np.ndarray, distribution: ScoreDistribution
) -> None:
    """As in a folder whose pictures are called IMG_0001: that says nothing of them."""
    simulation = Simulation(DIMENSION)
    own = found(vectors, np.concatenate([*simulation.texts(100)]))
    elsewhere = found(vectors, np.concatenate([*simulation.texts_from_elsewhere(100)]))
    assert learn_fit(distribution, elsewhere, own) is None
    assert learn_fit(distribution, own, own) is None


def test_of_a_single_work_nothing_is_learned() -> None:
    simulation = Simulation(DIMENSION)
    (one,) = simulation.pictures(1)
    distribution = ScoreDistribution(moments(one.astype(np.float16)))
    (own,), (elsewhere,) = simulation.texts(1), simulation.texts_from_elsewhere(60)
    assert learn_fit(distribution, found(one, own), found(one, elsewhere)) is None


def test_what_speaks_against_a_better_work_is_not_believed() -> None:
    """Of the two numbers one tells, and the other points the wrong way: it has no weight."""
    chance = np.random.default_rng(0)
    noise = chance.normal(0, 0.1, (2, 200, 2))
    weights = _discriminant(noise[0] + [1.0, -0.2], noise[1] + [0.0, 0.2])
    assert weights[0] > 0
    assert weights[1] == 0


def test_the_words_follow_from_both_numbers() -> None:
    fit = Fit(cosine=2.0, deviations=0.5, weak=1.0, strong=2.0)
    assert fit.relevance(0.4, 0.3) == "nothing"
    assert fit.relevance(0.4, 0.4) == "weak"
    assert fit.relevance(0.2, 3.2) == "strong"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"no array", id="other"),
        pytest.param(np.zeros((4, 4), np.float32), id="of another shape"),
        pytest.param(np.zeros((5, 4), np.float64), id="of another kind"),
        pytest.param(np.full((5, 4), np.nan, np.float32), id="not finite"),
    ],
)
def test_moments_that_cannot_be_used_are_refused(
    tmp_path: Path, content: bytes | np.ndarray
) -> None:
    path = tmp_path / "scores.npy"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        np.save(path, content)
    with pytest.raises(ReleaseDamaged, match=r"scores\.npy cannot be read as mean and covariance"):
        ScoreDistribution.read(path)
