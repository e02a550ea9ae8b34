"""Training: what the models are told is true, and a small run makes a checkpoint that serves."""

import random
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from transformers import AutoTokenizer

from retrievals_pipeline.miniature.descriptions import describe
from retrievals_pipeline.miniature.train import (
    embedder,
    figures,
    recipe,
    reranker,
    shortlists,
    tower,
)
from retrievals_pipeline.miniature.train.__main__ import main
from retrievals_pipeline.miniature.train.card import Training, write_card
from retrievals_pipeline.miniature.train.checkpoint import write_checkpoint
from retrievals_pipeline.miniature.train.descent import WARM_UP, Descent, share_of_rate
from retrievals_pipeline.miniature.train.paintings import Painting, _paint
from retrievals_pipeline.miniature.train.sentences import sample_sentences
from retrievals_pipeline.miniature.train.targets import (
    FACETS,
    CellTable,
    FactTable,
    satisfactions,
)
from retrievals_pipeline.miniature.train.tokenizer import END, train_tokenizer
from retrievals_pipeline.miniature.truth.asking import QUERY_KINDS, ask
from retrievals_pipeline.miniature.truth.facts import Fact
from retrievals_pipeline.miniature.truth.relevance import Query, relevance, satisfaction
from retrievals_serving.models import load_embedder, load_reranker

WORKS = 60


@pytest.fixture(scope="module")
def paintings() -> list[Painting]:
    return [_paint((3, number)) for number in range(WORKS)]


def asked_of(paintings: list[Painting]) -> list[Query]:
    chance = random.Random(0)
    degrees = [each.degrees for each in paintings]
    return [
        query
        for kind in QUERY_KINDS
        for each in paintings[:20]
        if (query := ask(chance, kind, each.scene, each.degrees, degrees))
    ]


def test_how_well_queries_are_met_is_what_the_truth_says(paintings):
    degrees = [each.degrees for each in paintings]
    queries = asked_of(paintings)
    table = FactTable(degrees)
    found = satisfactions(*table.of_queries(queries), table.of_pictures(degrees))
    expected = [[satisfaction(query, each) for each in degrees] for query in queries]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_picture_is_worth_more_to_a_query_the_higher_its_grade(paintings):
    degrees = [each.degrees for each in paintings]
    queries = asked_of(paintings)
    table = FactTable(degrees)
    worths = table.worths(queries, table.of_pictures(degrees))
    grades = np.array([[relevance(query, each) for each in degrees] for query in queries])
    assert worths[grades == 3].min() == pytest.approx(1)
    assert worths[grades == 2].min() > 1 / 7
    assert worths[grades == 2].max() < 1
    assert worths[grades <= 1].max() <= 0.25
    assert worths[grades == 0].max() < 1 / 7


def test_facets_tell_which_condition_a_picture_fails():
    boat, red, fog = Fact("thing", "boat"), Fact("color", "red"), Fact("weather", "misty")
    table = FactTable([{boat: 1.0, red: 1.0, fog: 1.0}])
    pictures = table.of_pictures([{boat: 1.0, red: 0.5}, {fog: 1.0}])
    degrees, asked = table.of_facets(Query((boat, red), (fog,)), pictures)
    told = [FACETS[place] for place in np.flatnonzero(asked)]
    assert told == ["thing", "color", "ruled out"]
    np.testing.assert_array_equal(degrees[:, asked > 0], [[1, 0.5, 0], [0, 0, 1]])


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


def test_the_tokenizer_is_not_shown_the_museums_descriptions(paintings):
    assert not {describe(each.scene) for each in paintings} & set(sample_sentences(paintings, 0))


def test_losses_are_told_without_their_weights_and_descended_by_them():
    heard, unheard = torch.nn.Linear(4, 3), torch.nn.Linear(4, 3)
    for layer in (heard, unheard):
        torch.nn.init.ones_(layer.weight)
        torch.nn.init.constant_(layer.bias, 2.0)
    weights = {"heard": 5.0, "unheard": 0.0}
    descent = Descent(heard, unheard, steps=10, rate=0.1, weights=weights)
    descent.step({"heard": heard.bias.mean() + heard.weight.mean(), "unheard": unheard.bias.mean()})
    assert descent.losses == {"heard": 3.0, "unheard": 2.0}
    assert torch.all(heard.bias < 2)
    assert torch.all(heard.weight.mean() < 1)
    assert torch.all(unheard.bias == 2)


def test_a_written_checkpoint_can_be_read_by_all_and_by_other_tools(tmp_path):
    write_checkpoint(tmp_path, train_tokenizer(["a lonely boat"]))
    assert {path.stat().st_mode & 0o444 for path in tmp_path.iterdir()} == {0o444}
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    assert (tokenizer.pad_token, tokenizer.eos_token) == (END, "<|im_end|>")
    assert tokenizer("A lonely boat")["input_ids"][-1] == tokenizer.pad_token_id
    assert "<|image_pad|>" in tokenizer.apply_chat_template(
        [{"role": "user", "content": [{"type": "image"}]}], tokenize=False
    )


def test_a_card_says_how_a_model_was_made_and_judged(tmp_path):
    write_checkpoint(tmp_path, train_tokenizer(["a lonely boat"]))
    losses = {"tower, facts": 0.25, "embedder, facts": 0.5}
    write_card(
        tmp_path,
        "embedder",
        Training(
            device="cpu",
            paintings=1200,
            held_out=37,
            losses=losses,
            figures={"nDCG@10, mood": 0.7},
            seconds=60,
        ),
    )
    card = (tmp_path / "README.md").read_text("utf-8")
    for said in (
        "1,200 paintings",
        "On 37 paintings that training did not show",
        f"{figures.QUERIES} queries of\neach kind",
        "| tower, facts | 0.250 |",
        "| embedder, facts | 0.500 |",
        "| nDCG@10, mood | 0.700 |",
        "CPU cores",
    ):
        assert said in card


def test_a_reranker_needs_the_embedder_beside_it(tmp_path):
    done = CliRunner().invoke(main, ["reranker", "--out", str(tmp_path / "reranker")])
    assert done.exit_code == 1
    assert f"there is none in {tmp_path / 'embedder'}" in done.output
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_takes_the_place_of_another_only_when_it_is_whole(tmp_path, monkeypatch):
    folder = tmp_path / "embedder"

    def make(content: str) -> None:
        with recipe._checkpoint(folder) as made:
            (made / "README.md").write_text(content, encoding="utf-8")

    def refuse(source: Path, target: Path) -> Path:
        if target == folder and source.name == folder.name:
            raise OSError("no room")
        return rename(source, target)

    make("first")
    make("second")
    assert (folder / "README.md").read_text("utf-8") == "second"
    rename = Path.rename
    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(OSError, match="no room"):
        make("third")
    assert (folder / "README.md").read_text("utf-8") == "second"
    assert list(tmp_path.iterdir()) == [folder]


def test_the_rate_warms_up_and_comes_down_to_nothing():
    rates = [share_of_rate(step, 400) for step in range(400)]
    assert rates[0] == 1 / WARM_UP
    assert max(rates) == 1
    assert rates[-1] < 1e-3


@pytest.mark.slow
def test_a_small_training_makes_checkpoints_that_serve_the_same_each_time(tmp_path, monkeypatch):
    # Only a CPU computes the same each time.
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(recipe, "HELD_OUT", 20)
    monkeypatch.setattr(recipe, "PAINTINGS", WORKS - 20)
    for module, name, few in (
        (figures, "QUERIES", 2),
        (recipe, "TOWER_STEPS", 2),
        (recipe, "EMBEDDER_STEPS", 2),
        (tower, "PICTURES", 4),
        (embedder, "PICTURES", 8),
        (embedder, "SENTENCES", 16),
        (recipe, "COMPARING_STEPS", 2),
        (recipe, "READING_STEPS", 2),
        (recipe, "LOOKING_STEPS", 2),
        (shortlists, "QUERIES", 16),
        (reranker, "READ_AT_ONCE", (12, 4)),
        (reranker, "LOOKED_AT_ONCE", (8, 16)),
        (shortlists, "RANKS", ((4, 3), (8, 3))),
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
        card = (folders[0] / "README.md").read_text("utf-8")
        assert "nDCG@10" in card
        stages = {
            "embedder": ("tower, facts", "embedder, facts"),
            "reranker": ("comparing, order", "reading, picture", "looking, looks"),
        }
        assert all(f"| {name} |" in card for name in stages[model])
        load(str(folders[0]))
    assert {path.name for path in (tmp_path / "first").iterdir()} == {"embedder", "reranker"}
