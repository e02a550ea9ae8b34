"""The quality bench: its measures against values computed by hand, its queries, its section."""

import dataclasses
import importlib
import math
import re
import sys
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from benchmarks import metrics, quality, truth_queries
from benchmarks.collection import Piece
from benchmarks.quality import ALONE, RERANKED, Answer
from retrievals_pipeline.defs.embeddings.texts import texts_from_elsewhere
from retrievals_pipeline.miniature.descriptions import describe
from retrievals_pipeline.miniature.truth.facts import Fact
from retrievals_pipeline.miniature.truth.measures import ndcg
from retrievals_pipeline.miniature.truth.relevance import Query, relevance
from retrievals_pipeline.miniature.truth.words import lexicon
from retrievals_serving import SearchEngine
from tests.miniature.scenes_by_hand import drawn

ROOT = Path(__file__).parents[1]
PIECES = [
    Piece(f"miniature:{number}", shown, describe(shown) if number % 10 else "", degrees)
    for number, (shown, degrees) in enumerate(drawn(120))
]


def test_ndcg_is_what_the_formula_gives_by_hand() -> None:
    # Gains 3, 7, 0, 1 at discounts 1, log2 3, 2, log2 5; the best order is 7, 3, 1, 0.
    found = 3 + 7 / math.log2(3) + 1 / math.log2(5)
    best = 7 + 3 / math.log2(3) + 1 / 2
    assert ndcg([2, 3, 0, 1], [0, 1, 2, 3]) == pytest.approx(found / best)
    assert ndcg([2, 3, 0, 1], [0, 1, 2, 3]) == pytest.approx(0.8354, abs=1e-4)


def test_ndcg_is_of_the_first_ten_and_of_the_whole_collection() -> None:
    assert ndcg([3] * 10, [3] * 500) == 1
    assert ndcg([0] * 10 + [3], [3, *[0] * 20]) == 0
    assert ndcg([1], [1, 3, 0]) == pytest.approx(1 / (7 + 1 / math.log2(3)))


def test_the_reciprocal_rank_is_of_the_first_work_that_nearly_fits() -> None:
    assert metrics.reciprocal_rank([0, 1, 2, 3]) == pytest.approx(1 / 3)
    assert metrics.reciprocal_rank([3, 0]) == 1
    assert metrics.reciprocal_rank([1, 1, 0]) == 0


def test_precision_and_what_of_it_can_be_attained() -> None:
    ranked = [3, 0, 2, 1, 0, 0, 0, 0, 0, 0, 3]
    assert metrics.precision(ranked) == pytest.approx(0.2)
    assert metrics.attained(ranked, [3, 3, 2, 2, *[1] * 50]) == pytest.approx(0.5)
    assert metrics.attained(ranked, [3] * 40) == pytest.approx(0.2)


def test_recall_is_the_share_of_the_exact_neighbours() -> None:
    assert metrics.recall([4, 9, 1, 7], [1, 4, 5, 6]) == pytest.approx(0.5)


def test_the_interval_is_that_of_a_mean() -> None:
    values = np.random.default_rng(8).normal(0.5, 0.2, 400)
    low, high = metrics.bootstrap(values)
    error = 1.96 * values.std() / 20
    assert low == pytest.approx(values.mean() - error, abs=0.004)
    assert high == pytest.approx(values.mean() + error, abs=0.004)
    assert metrics.bootstrap(values) == (low, high)
    assert metrics.bootstrap([0.7] * 9) == pytest.approx((0.7, 0.7))


@pytest.mark.parametrize("kind", truth_queries.DRAWN)
def test_drawn_queries_are_the_same_each_time_differ_and_are_answered(kind: str) -> None:
    asked = truth_queries.draw(kind, PIECES, 20)
    assert asked == truth_queries.draw(kind, PIECES, 20)
    assert len({each.query for each in asked}) == len(asked) == 20
    for each in asked:
        assert each.kind == kind
        assert 1 <= len(each.text) <= 512
        assert max(relevance(each.query, piece.degrees) for piece in PIECES) == 3


@pytest.mark.parametrize("kind", [truth_queries.OWN, truth_queries.COMPOSED])
def test_a_description_is_of_the_work_that_it_was_drawn_from(kind: str) -> None:
    for asked in truth_queries.draw(kind, PIECES, 20):
        assert asked.known
        for row in asked.known:
            assert relevance(asked.query, PIECES[row].degrees) == 3
            if kind == truth_queries.OWN:
                assert PIECES[row].description == asked.text


def test_no_more_queries_are_drawn_than_there_are() -> None:
    asked = truth_queries.draw(truth_queries.OWN, PIECES[:3], 20)
    assert {each.text for each in asked} == {piece.description for piece in PIECES[1:3]}


def test_visitors_ask_for_what_there_are_words_for() -> None:
    asked = truth_queries.visitors()
    known = {fact for _, degrees in drawn(1500) for fact in degrees}
    assert len({each.text for each in asked}) == len(asked) >= 30
    for each in asked:
        for fact in each.query.wanted + each.query.unwanted:
            assert fact in known
            assert (
                fact.facet in ("count", "color")
                or fact in lexicon().facts
                or (fact.value in lexicon().things)
            )
    assert any(each.query.unwanted for each in asked)


def test_the_queries_of_the_contact_sheets_are_among_the_visitors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    import sheets  # type: ignore[import-not-found]

    monkeypatch.delitem(sys.modules, "sheets")
    assert set(sheets.QUERIES) <= {each.text for each in truth_queries.visitors()}
    assert sheets.slug("winter storm, trees") == "winter-storm-trees"


def test_held_out_words_are_in_every_query_of_their_kind_and_in_no_other() -> None:
    for kind in truth_queries.COMMON:
        for asked in truth_queries.draw(kind, PIECES, 20):
            assert not truth_queries.unseen_words().search(asked.text)
    for asked in truth_queries.draw(truth_queries.UNSEEN, PIECES, 20):
        assert truth_queries.unseen_words().search(asked.text)


def test_the_bench_asks_of_elsewhere_what_no_build_learns_from() -> None:
    assert truth_queries.elsewhere()
    assert not set(truth_queries.elsewhere()) & set(texts_from_elsewhere())


def test_a_visitor_whom_no_work_answers_is_not_left_out_in_silence() -> None:
    asked = truth_queries.Asked(truth_queries.VISITORS, "a unicorn", Query((Fact("thing", "?"),)))
    engine = cast("SearchEngine", None)  # is not asked
    with pytest.raises(RuntimeError, match="a unicorn"):
        quality.answered(engine, [asked], PIECES)
    assert quality.answered(engine, [dataclasses.replace(asked, kind="mood")], PIECES) == []


def answer(kind: str, graded: list[int], alone: list[int], reranked: list[int]) -> Answer:
    asked = truth_queries.Asked(kind, "boats", Query(()), known=(0,))
    return Answer(asked, graded, {ALONE: alone, RERANKED: reranked}, [1.0], "weak")


def test_the_tables_say_what_was_measured() -> None:
    graded = [3, 0, 0, 0]
    answers = [answer(kind, graded, [1, 0, 2, 3], [0, 1, 2, 3]) for kind in truth_queries.DRAWN]
    answers.append(answer(truth_queries.VISITORS, graded, [1, 2, 3, 0], [1, 2, 3, 0]))
    table = list(quality.table(answers, RERANKED))
    rows = {row.split(" | ")[0].lstrip("| "): row for row in table if row.startswith("| ")}
    gain = 1 - 1 / math.log2(3)
    for kind in (*truth_queries.COMMON, truth_queries.UNSEEN, "all"):
        assert "| 1.000 (1.000 to 1.000) |" in rows[kind]
        assert f"{gain:+.3f} ({gain:+.3f} to {gain:+.3f})" in rows[kind]
    assert f"| {len(truth_queries.COMMON)} |" in rows["all"]
    assert truth_queries.OWN not in rows  # the same works are described by the composed ones
    assert "+0.000 (+0.000 to +0.000)" in rows[truth_queries.VISITORS]
    fits = list(quality.relevances(answers, ["nothing"] * 3 + ["strong"]))
    assert f"| all | {len(truth_queries.COMMON)} | 0.00 | 1.00 | 0.00 |" in fits
    assert "| texts about what no museum shows | 4 | 0.25 | 0.00 | 0.75 |" in fits
    known = "\n".join(quality.known_items(answers))
    assert "| 1 | 0.000 (0.000 to 0.000) | 1.000 (1.000 to 1.000) | 1.000" in known


def test_without_a_reranker_the_tables_are_of_the_embedder_alone() -> None:
    answers = [
        each._replace(rows={ALONE: each.rows[ALONE]})
        for each in (answer(kind, [3, 0], [0, 1], [1, 0]) for kind in truth_queries.DRAWN)
    ]
    text = "\n".join([*quality.known_items(answers), *quality.one_by_one(answers)])
    assert RERANKED not in text
    assert "R@10, alone" in text


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_bench_and_the_sheets_are_made_of_a_museum(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    answered = [asked for asked in truth_queries.visitors() if "candle" in asked.text][:3]
    monkeypatch.setattr(quality, "visitors", lambda: answered)  # by so few works
    text = quality.report(["--works", "60", "--queries", "2"])
    assert text.startswith("## Quality on 60 works of the miniature museum")
    rows = re.findall(r"^\| (\w[^|]+) \| \d+ \| [\d.]+ \(", text, re.MULTILINE)
    assert rows.count("negation") == rows.count("mood") == 2  # alone and reranked
    assert "recall@10 1.0000, recall@100 1.0000" in text

    home = tmp_path / ".retrievals" / "quality-60"
    monkeypatch.setattr(sys, "argv", ["sheets.py", "--home", str(home)])
    monkeypatch.syspath_prepend(ROOT / "docs")
    sheets = importlib.import_module("sheets")
    monkeypatch.setattr(sheets, "SHEETS", tmp_path / "sheets")
    sheets.main()
    assert len(list((tmp_path / "sheets").glob("*.webp"))) == len(sheets.QUERIES)
