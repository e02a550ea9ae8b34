"""Training: what the models are told is true, and a small run makes a checkpoint that serves."""

import random

import numpy as np
import pytest
from click.testing import CliRunner

from retrievals_pipeline.miniature.train import embedder, recipe, reranker, tower
from retrievals_pipeline.miniature.train.__main__ import main
from retrievals_pipeline.miniature.train.descent import WARM_UP, share_of_rate
from retrievals_pipeline.miniature.train.paintings import Painting, _paint
from retrievals_pipeline.miniature.train.targets import CellTable, FactTable, satisfactions
from retrievals_pipeline.miniature.truth.asking import QUERY_KINDS, ask
from retrievals_pipeline.miniature.truth.relevance import satisfaction
from retrievals_serving.models import load_embedder, load_reranker

WORKS = 60


@pytest.fixture(scope="module")
def paintings() -> list[Painting]:
    return [_paint((3, number)) for number in range(WORKS)]


def test_what_queries_are_worth_is_what_the_truth_says(paintings):
    chance = random.Random(0)
    degrees = [each.degrees for each in paintings]
    queries = [
        query
        for kind in QUERY_KINDS
        for each in paintings[:10]
        if (query := ask(chance, kind, each.scene, each.degrees, degrees))
    ]
    table = FactTable(degrees)
    found = satisfactions(*table.of_queries(queries), table.of_pictures(degrees))
    expected = [[satisfaction(query, each) for each in degrees] for query in queries]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_cells_say_where_the_painter_put_things(paintings):
    table = CellTable(paintings)
    for painting in paintings:
        cells = table.of(painting, painting.grid)
        assert cells.middles.sum() <= len(painting.marks)
        for mark in painting.marks:
            left, top, right, bottom = mark.box
            rows, columns = painting.grid
            row = min(rows - 1, int((top + bottom) / 2 * rows))
            column = min(columns - 1, int((left + right) / 2 * columns))
            thing = table.things.index(mark.subject.name)
            assert cells.things[row * columns + column, thing] == 1
        mirrored = cells.mirrored(painting.grid)
        np.testing.assert_array_equal(mirrored.mirrored(painting.grid).things, cells.things)


def test_hard_lists_hold_an_answer_and_what_is_none(paintings):
    lists = reranker.HardLists(paintings, 0)
    drawn = [lists.draw() for _ in range(30)]
    assert all(len(places) == reranker.CANDIDATES for _, places, _ in drawn)
    assert all(answers[0] == 1 for _, _, answers in drawn)
    assert np.mean([answers.min() < 0.5 for _, _, answers in drawn]) > 0.9


def test_the_rate_warms_up_and_comes_down_to_nothing():
    rates = [share_of_rate(step, 400) for step in range(400)]
    assert rates[0] == 1 / WARM_UP
    assert max(rates) == 1
    assert rates[-1] < 1e-3


@pytest.mark.slow
def test_a_small_training_makes_checkpoints_that_serve_the_same_each_time(tmp_path, monkeypatch):
    monkeypatch.setattr(recipe, "HELD_OUT", 20)
    monkeypatch.setattr(recipe, "PAINTINGS", WORKS - 20)
    for module, name, few in (
        (recipe, "TOWER_STEPS", 2),
        (recipe, "EMBEDDER_STEPS", 2),
        (recipe, "RERANKER_STEPS", 2),
        (tower, "PICTURES", 4),
        (embedder, "PICTURES", 8),
        (embedder, "SENTENCES", 16),
    ):
        monkeypatch.setattr(module, name, few)
    for folder in ("first", "again"):
        for model in ("embedder", "reranker"):
            arguments = [model, "--out", str(tmp_path / folder / model)]
            done = CliRunner().invoke(main, arguments, catch_exceptions=False)
            assert done.exit_code == 0, done.output
    for model, load in (("embedder", load_embedder), ("reranker", load_reranker)):
        folders = [tmp_path / name / model for name in ("first", "again")]
        first, again = ((folder / "model.safetensors").read_bytes() for folder in folders)
        assert first == again
        assert "nDCG@10" in (folders[0] / "README.md").read_text("utf-8")
        load(str(folders[0]))
    assert [path.name for path in (tmp_path / "first").iterdir()] == ["embedder", "reranker"]
