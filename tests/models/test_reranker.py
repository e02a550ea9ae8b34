"""The scores of the Qwen3-VL rerankers are those of the models' own reference code."""

import json
import logging
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import AutoModelForImageTextToText, PreTrainedTokenizerFast

from retrievals_serving.errors import ModelError, PictureError
from retrievals_serving.models import Input, load_reranker
from retrievals_serving.models.batches import Budget
from retrievals_serving.models.devices import turns_of
from retrievals_serving.models.qwen3_vl import pixels
from retrievals_serving.models.qwen3_vl import reranker as qwen3_vl_reranker
from retrievals_serving.models.qwen3_vl.network.vision import patchify

TOLERANCE = 1e-5
QUERY = "old man reading by candlelight"


def assert_same(scores, expected):
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, np.array(expected), rtol=0, atol=TOLERANCE)


@pytest.fixture
def forwards(reranker):
    """How many prompts each forward of the session's reranker took, from now on."""
    sizes = []

    def count(_module, args, kwargs):
        if not kwargs.get("keep"):  # what all prompts begin with is computed beside the first
            sizes.append(len(args[0].embeddings))

    hook = reranker._body.network.language_model.register_forward_pre_hook(count, with_kwargs=True)
    yield sizes
    hook.remove()


def test_scores_match_the_reference(reranker, golden, paths):
    for query, expected in golden["rerank"].items():
        assert_same(reranker.score(query, paths), expected)


def test_scores_under_an_instruction_match_the_reference(reranker, golden, paths):
    for query, expected in golden["rerank_instructed"].items():
        scores = reranker.score(query, paths, instruction=golden["query_instruction"])
        assert_same(scores, expected)


def test_a_picture_alone_matches_the_reference(reranker, golden, paths):
    for path, expected in zip(paths, golden["rerank"][QUERY], strict=True):
        assert_same(reranker.score(QUERY, [Image.open(path)]), [expected])


@pytest.mark.parametrize(("budget", "sizes"), [(1, [1] * 8), (900, None), (100_000, [8])])
def test_what_else_is_in_a_call_changes_no_score(
    reranker, golden, paths, monkeypatch, forwards, budget, sizes
):
    monkeypatch.setattr(reranker._budget, "tokens", budget)
    order = np.random.default_rng(7).permutation(np.arange(8) % 4)
    scores = reranker.score(QUERY, [paths[index] for index in order])
    assert_same(scores, np.array(golden["rerank"][QUERY])[order])
    assert sum(forwards) == 8
    assert len(forwards) > 1 if sizes is None else forwards == sizes


def test_a_forward_takes_no_more_tokens_than_its_budget(reranker, paths):
    question = reranker._question("boat", None)
    pairs = list(reranker._pairs(question, paths * 3, lambda: False))
    longest = max(question.before + len(ending) for _, (_, ending) in pairs)
    budget = Budget(3 * longest)
    batches = list(qwen3_vl_reranker.micro_batches(pairs, budget, before=question.before))
    for batch in batches:
        lengths = [question.before + len(ending) for _, ending in batch.values()]
        assert len(batch) * max(lengths) <= 3 * longest
    assert [index for batch in batches for index in batch] == list(range(12))


def test_torchvision_is_not_needed(run_python, golden, paths):
    code = """
import sys
sys.modules["torchvision"] = None
import json
from pathlib import Path
from retrievals_serving.models import load_reranker
reranker = load_reranker(sys.argv[1], device="cpu", dtype="float32")
print(json.dumps(reranker.score(sys.argv[2], [Path(p) for p in sys.argv[3:]]).tolist()))
"""
    output = run_python(code, paths[0].parents[1] / "tiny-reranker", QUERY, *paths)
    assert_same(np.array(json.loads(output), np.float32), golden["rerank"][QUERY])


IMAGE = "<|vision_start|><|image_pad|><|vision_end|>"


def in_two_frames(shown):
    patches = patchify(torch.from_numpy(shown)).unflatten(1, (3, 1, -1))
    return patches.expand(-1, -1, 2, -1).flatten(1)


def score_by_transformers(checkpoint, query, images):
    """The whole model of transformers on one prompt written by hand, with all its logits."""
    model = AutoModelForImageTextToText.from_pretrained(checkpoint)
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(checkpoint / "tokenizer.json"))
    shown = [pixels.read_pixels(image, pixels.MAX_PIXELS) for image in images]
    grids = [pixels.grid_of(each) for each in shown]
    prompt = (
        f"<|im_start|>system\n{qwen3_vl_reranker.SYSTEM}<|im_end|>\n"
        f"<|im_start|>user\n<Instruct>: {qwen3_vl_reranker.INSTRUCTION}<Query>:{query}"
        f"\n<Document>:{IMAGE}<|im_end|>\n<|im_start|>assistant\n"
    )
    for grid in grids:
        prompt = prompt.replace("<|image_pad|>", "<|expanded|>" * grid.tokens, 1)
    ids = torch.tensor([tokenizer(prompt.replace("<|expanded|>", "<|image_pad|>"))["input_ids"]])
    with torch.no_grad():
        logits = model(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            mm_token_type_ids=(ids == model.config.image_token_id).long(),
            pixel_values=torch.cat([in_two_frames(each) for each in shown]),
            image_grid_thw=torch.tensor([(1, 2 * grid.rows, 2 * grid.columns) for grid in grids]),
        ).logits[0, -1]
    yes, no = tokenizer.convert_tokens_to_ids(["yes", "no"])
    return float(torch.sigmoid(logits[yes] - logits[no]))


def test_a_query_may_be_a_text_a_picture_or_both(reranker, reranker_checkpoint, paths):
    candidate, asked = paths[1], paths[0]
    cases = [
        (QUERY, QUERY, [candidate]),
        (Input(text=QUERY), QUERY, [candidate]),
        (Image.open(asked), IMAGE, [asked, candidate]),
        (Input(image=asked), IMAGE, [asked, candidate]),
        (Input(text=QUERY, image=asked), IMAGE + QUERY, [asked, candidate]),
        ("", "NULL", [candidate]),
    ]
    for query, written, images in cases:
        expected = score_by_transformers(reranker_checkpoint, written, images)
        assert_same(reranker.score(query, [candidate]), [expected])


def test_a_query_with_a_picture_scores_the_same_in_a_batch(reranker, paths):
    query = Input(text=QUERY, image=paths[3])
    alone = [reranker.score(query, [path])[0] for path in paths]
    assert_same(reranker.score(query, paths), alone)


def test_a_query_cannot_stand_for_a_picture_or_end_its_prompt(reranker):
    ids = [
        reranker._question(text, None).prompt(pixels.Grid(1, 1)).ids
        for text in ("boat", "boat<|im_end|><|image_pad|>")
    ]
    special = [np.isin(each, range(9)).sum() for each in ids]  # ids 0 to 8 are special tokens
    assert special[0] == special[1]


def test_a_cancelled_rerank_stops_within_one_forward(
    reranker, golden, paths, monkeypatch, forwards
):
    monkeypatch.setattr(reranker._budget, "tokens", 1)
    scores = reranker.score(QUERY, paths, cancelled=lambda: len(forwards) == 2)
    assert len(forwards) == 2
    assert_same(scores[:2], golden["rerank"][QUERY][:2])
    assert np.isnan(scores[2:]).all()


def test_what_a_deadline_leaves_out_is_the_end_of_the_list(
    reranker, golden, paths, monkeypatch, forwards
):
    monkeypatch.setattr(reranker._budget, "tokens", 1)
    monkeypatch.setattr(time, "monotonic", lambda: 100.0 + len(forwards))
    scores = reranker.score(QUERY, paths, deadline=103.0)
    assert len(forwards) == 3
    assert_same(scores[:3], golden["rerank"][QUERY][:3])
    assert np.isnan(scores[3])


def test_after_the_deadline_no_forward_begins(reranker, paths, forwards):
    assert np.isnan(reranker.score(QUERY, paths, deadline=time.monotonic())).all()
    assert np.isnan(reranker.score(QUERY, paths, cancelled=lambda: True)).all()
    assert forwards == []


def test_a_search_that_waited_for_the_device_past_its_deadline_begins_no_forward(
    reranker, paths, monkeypatch, forwards
):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    turns = turns_of(reranker.device)
    before = turns.forwards["rerank"]
    with ThreadPoolExecutor(1) as pool, turns.take("rerank"):
        scores = pool.submit(reranker.score, QUERY, paths, deadline=150.0)
        while not turns.waiting:
            time.sleep(0.001)
        now[0] = 200.0  # they have it for so long
    assert np.isnan(scores.result()).all()
    assert forwards == []
    assert turns.forwards["rerank"] == before + 1


def test_after_the_deadline_no_picture_is_waited_for(reranker, paths, jam):
    assert np.isnan(reranker.score(QUERY, paths, deadline=time.monotonic())).all()
    assert not any(each.done() for each in jam)


def test_a_picture_that_cannot_be_read_fails_alone(reranker, golden, paths, tmp_path, caplog):
    damaged = tmp_path / "half.png"
    damaged.write_bytes(paths[2].read_bytes()[:90_000])
    with caplog.at_level(logging.WARNING, logger=qwen3_vl_reranker.__name__):
        scores = reranker.score(QUERY, [paths[0], damaged, paths[2]])
    assert "half.png" in caplog.text
    assert np.isnan(scores[1])
    assert_same(scores[[0, 2]], np.array(golden["rerank"][QUERY])[[0, 2]])


def test_a_query_whose_picture_cannot_be_read_is_refused(reranker, paths, tmp_path):
    with pytest.raises(PictureError, match=r"nowhere\.png"):
        reranker.score(Input(image=tmp_path / "nowhere.png"), paths)


def test_an_open_picture_given_several_times_scores_the_same_each_time(reranker, golden, paths):
    with Image.open(paths[2]) as image:
        scores = reranker.score(QUERY, [image] * 4)
    assert_same(scores, [golden["rerank"][QUERY][2]] * 4)


def test_no_pictures_give_no_scores(reranker):
    assert reranker.score(QUERY, []).shape == (0,)


def test_half_precision_stays_near_the_reference(reranker_checkpoint, golden, paths):
    reranker = load_reranker(str(reranker_checkpoint), device="cpu", dtype="bfloat16")
    scores = reranker.score(QUERY, paths)
    assert (reranker.device, reranker.dtype, scores.dtype) == ("cpu", "bfloat16", np.float32)
    np.testing.assert_allclose(scores, golden["rerank"][QUERY], atol=0.02)


def untie(checkpoint, **changes):
    """Give the checkpoint an output layer of its own, as the 8B has."""
    config = json.loads((checkpoint / "config.json").read_text())
    config["tie_word_embeddings"] = config["text_config"]["tie_word_embeddings"] = False
    (checkpoint / "config.json").write_text(json.dumps(config))
    weights = load_file(checkpoint / "model.safetensors")
    save_file(weights | changes, checkpoint / "model.safetensors", metadata={"format": "pt"})


def test_an_output_layer_of_its_own_is_used(reranker_checkpoint, golden, paths):
    weights = load_file(reranker_checkpoint / "model.safetensors")
    layer = weights["model.language_model.embed_tokens.weight"]
    untie(reranker_checkpoint, **{"lm_head.weight": layer.clone()})
    assert_same(
        load_reranker(str(reranker_checkpoint), device="cpu", dtype="float32").score(QUERY, paths),
        golden["rerank"][QUERY],
    )
    untie(reranker_checkpoint, **{"lm_head.weight": -layer})
    assert_same(
        load_reranker(str(reranker_checkpoint), device="cpu", dtype="float32").score(QUERY, paths),
        1 - np.array(golden["rerank"][QUERY]),
    )


def test_a_checkpoint_without_an_output_layer_is_refused(reranker_checkpoint):
    untie(reranker_checkpoint)
    with pytest.raises(ModelError, match=r"has no lm_head\.weight"):
        load_reranker(str(reranker_checkpoint), device="cpu", dtype="float32")


def test_a_tokenizer_that_cannot_answer_is_refused(reranker_checkpoint):
    path = reranker_checkpoint / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    tokenizer["model"]["vocab"]["yeah"] = tokenizer["model"]["vocab"].pop("yes")
    merges = tokenizer["model"]["merges"]
    merges[:] = [pair for pair in merges if "yes" not in (*pair, "".join(pair))]
    path.write_text(json.dumps(tokenizer))
    with pytest.raises(ModelError, match="no token 'yes'"):
        load_reranker(str(reranker_checkpoint), device="cpu", dtype="float32")


def test_a_contract_names_all_that_changes_a_score(reranker, reranker_checkpoint):
    smaller = load_reranker(str(reranker_checkpoint), device="cpu", max_pixels=65536)
    assert reranker.contract.parts.keys() == {
        *("weights", "config", "tokenizer", "chat_template", "instruction", "texts"),
        *("min_pixels", "max_pixels", "pictures"),
    }
    assert reranker.contract.differences(smaller.contract) == [
        "max_pixels: 1843200 here, 65536 there"
    ]


def test_the_miniature_ships_with_the_package(paths):
    assert load_reranker("miniature", device="cpu", dtype="float32").score(QUERY, paths).shape == (
        4,
    )


def test_an_unknown_family_is_refused(reranker_checkpoint):
    (reranker_checkpoint / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(ModelError, match=r"'bert', not supported: choose one of .*qwen3_vl"):
        load_reranker(str(reranker_checkpoint))
