"""CLIP, SigLIP and SigLIP 2 embed as transformers' own forward does."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from PIL import Image
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from transformers.models.siglip2.image_processing_pil_siglip2 import Siglip2ImageProcessorPil

from retrievals_serving.errors import InputRefused, ModelError, PictureError
from retrievals_serving.models import (
    Input,
    describe_checkpoint,
    load_embedder,
    load_reranker,
)
from tests.models import dual_towers

MAKERS = {
    "clip": dual_towers.make_clip,
    "clip quick_gelu": lambda folder: dual_towers.make_clip(folder, "quick_gelu"),
    "siglip": dual_towers.make_siglip,
    "siglip2": dual_towers.make_siglip2,
    "naflex": dual_towers.make_naflex,
}
PROCESSORS = {
    "clip": CLIPImageProcessorPil,
    "siglip": SiglipImageProcessorPil,
    "siglip2": Siglip2ImageProcessorPil,
}
# A text, and the same as each tokenizer should meet it.
TEXTS = ["A Lonely BOAT,  in stormy seas!", "old man reading", "boat", "", "The painter's boat"]
LOWER = [text.lower() for text in TEXTS]
PLAIN = ["a lonely boat in stormy seas", "old man reading", "boat", "", "the painters boat"]
TOLERANCE = 1e-5


def edit_json(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    return {name: make(tmp_path_factory.mktemp("model")) for name, make in MAKERS.items()}


@pytest.fixture(scope="session")
def embedders(folders):
    return {name: load_embedder(str(folder), device="cpu") for name, folder in folders.items()}


@pytest.fixture(params=MAKERS)
def name(request):
    return request.param


@pytest.fixture
def embedder(embedders, name):
    return embedders[name]


@pytest.fixture
def folder(folders, name, tmp_path):
    """A copy of the checkpoint, to be changed."""
    return Path(shutil.copytree(folders[name], tmp_path / "checkpoint"))


@pytest.fixture(scope="session")
def expected(folders, paths):
    """What the whole model of transformers returns: embeddings of `TEXTS` and of `paths`."""
    found = {}
    for name, folder in folders.items():
        model = transformers.AutoModel.from_pretrained(folder).eval()
        processor = PROCESSORS[model.config.model_type].from_pretrained(folder)
        shown = [Image.open(path).convert("RGB") for path in paths]
        if name.startswith("clip"):
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
            texts = tokenizer(TEXTS, padding=True, return_tensors="pt")
        else:
            tokenizer = transformers.PreTrainedTokenizerFast(
                tokenizer_file=str(folder / "tokenizer.json"),
                pad_token="</s>" if name == "siglip" else "<pad>",
            )
            cleaned = PLAIN if name == "siglip" else LOWER
            ids = tokenizer(cleaned, padding="max_length", max_length=64, return_tensors="pt")
            texts = {"input_ids": ids["input_ids"]}
        with torch.no_grad():
            output = model(**texts, **processor(shown, return_tensors="pt"))
        found[name] = output.text_embeds.numpy(), output.image_embeds.numpy()
    return found


def assert_same(embeddings, wanted):
    assert embeddings.dtype == np.float32
    np.testing.assert_allclose(embeddings, wanted, rtol=0, atol=TOLERANCE)


def test_texts_match_transformers(embedder, expected, name):
    assert_same(embedder.embed_texts(TEXTS), expected[name][0])


def test_pictures_match_transformers(embedder, expected, name, paths):
    assert_same(embedder.embed_images(paths), expected[name][1])
    assert_same(embedder.embed_images([Image.open(path) for path in paths]), expected[name][1])


def test_the_vectors_of_different_inputs_differ(expected, name):
    for embeddings in expected[name]:
        distances = np.linalg.norm(embeddings[:, None] - embeddings, axis=-1)
        assert distances[~np.eye(len(embeddings), dtype=bool)].min() > 100 * TOLERANCE


@pytest.mark.parametrize("batch", [1, 3, 32])
def test_what_else_is_in_a_call_changes_no_vector(
    embedder, expected, name, paths, monkeypatch, batch
):
    monkeypatch.setattr(embedder._budget, "tokens", batch * embedder._towers.picture_tokens)
    inputs = [Input(text=text) for text in TEXTS] + [Input(image=path) for path in paths]
    vectors = np.concatenate(expected[name])
    order = np.random.default_rng(7).permutation(len(inputs))
    mixed = [inputs[index] for index in order]
    assert_same(embedder.embed_inputs(mixed), vectors[order])
    assert_same(embedder.embed_queries(mixed), vectors[order])


def test_threads_that_share_an_embedder_get_their_own_vectors(embedder, expected, name):
    places = [*range(len(TEXTS))] * 4
    with ThreadPoolExecutor(6) as pool:
        rows = list(pool.map(lambda place: embedder.embed_texts([TEXTS[place]])[0], places))
    assert_same(np.array(rows), expected[name][0][places])


def test_several_texts_wait_for_no_thread_that_prepares_pictures(embedder, jam):
    assert embedder.embed_texts(TEXTS).shape == (len(TEXTS), embedder.dimension)
    assert not any(each.done() for each in jam)


def test_siglip_2_is_put_into_lower_case_as_by_its_own_tokenizer_in_transformers(folders):
    tokenizer = transformers.AutoTokenizer.from_pretrained(folders["naflex"])
    assert type(tokenizer).__name__ == "Siglip2Tokenizer"
    assert tokenizer(TEXTS)["input_ids"] == tokenizer(LOWER)["input_ids"]


def test_torchvision_is_not_needed(run_python, folders, expected, paths):
    code = """
import sys
sys.modules["torchvision"] = None
import json
from pathlib import Path
from retrievals_serving.models import load_embedder
paths = [Path(name) for name in sys.argv[3:]]
folders = sys.argv[1:3]
print(json.dumps([load_embedder(f, device="cpu").embed_images(paths).tolist() for f in folders]))
"""
    output = run_python(code, folders["clip"], folders["naflex"], *paths)
    for name, rows in zip(("clip", "naflex"), json.loads(output), strict=True):
        assert_same(np.array(rows, np.float32), expected[name][1])


def test_half_precision_stays_near_float32(folder, expected, name, paths):
    embedder = load_embedder(str(folder), device="cpu", dtype="bfloat16")
    for rows, wanted in zip(
        (embedder.embed_texts(TEXTS), embedder.embed_images(paths)), expected[name], strict=True
    ):
        assert rows.dtype == np.float32
        assert (rows * wanted).sum(axis=1).min() > 0.99


def test_texts_of_any_length_and_script_are_embedded(embedder):
    texts = ["睡蓮の池", "قارب وحيد", "🎨🖼️", "a\x00b", "\ud800", "  ", "a lonely boat " * 715]
    np.testing.assert_allclose(
        np.linalg.norm(embedder.embed_texts(texts), axis=1), np.ones(7), atol=1e-6
    )


def test_a_long_text_keeps_its_end(embedder):
    arrays = embedder._text_arrays(["boat " * 500, "boat"])["input_ids"]
    assert arrays.shape[1] == embedder._towers.text_length
    ends = embedder._tokenizer.convert_tokens_to_ids(["<|endoftext|>", "</s>", "<eos>"])
    assert arrays[0, -1] in ends


def test_special_tokens_in_a_text_are_letters(embedder):
    special = ["<|endoftext|>", "</s>", "<eos>"]
    ends = [
        token for token in embedder._tokenizer.convert_tokens_to_ids(special) if token is not None
    ]
    text = "a".join(special)
    length = 1 + int(np.argmax(np.isin(embedder._text_arrays([text])["input_ids"][0], ends)))
    assert length > len(text) / 2


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "CMYK", "I;16"])
@pytest.mark.parametrize("size", [(1, 1), (100, 1200), (200, 1)])
def test_pictures_of_every_mode_and_size_are_embedded(embedders, mode, size):
    picture = Image.new(mode, size)
    for embedder in embedders.values():
        assert np.isfinite(embedder.embed_images([picture])).all()


def test_a_damaged_picture_is_named(embedder, paths, tmp_path):
    damaged = tmp_path / "half.png"
    damaged.write_bytes(paths[2].read_bytes()[:90_000])
    with pytest.raises(PictureError, match=r"half\.png"):
        embedder.embed_images([paths[0], damaged])


def test_no_input_gives_no_rows(embedder):
    for rows in (embedder.embed_texts([]), embedder.embed_images([]), embedder.embed_inputs([])):
        assert rows.shape == (0, embedder.dimension)


def test_a_text_together_with_a_picture_is_refused(embedder, paths):
    both = Input(text="boat", image=paths[0])
    for embed in (embedder.embed_inputs, embedder.embed_queries):
        with pytest.raises(InputRefused, match="a text or a picture, not both"):
            embed([Input(text="boat"), both])


def test_an_instruction_is_refused(embedder, paths):
    for embed, items in [
        (embedder.embed_texts, ["boat"]),
        (embedder.embed_images, paths),
        (embedder.embed_inputs, [Input(text="boat")]),
    ]:
        with pytest.raises(ModelError, match="takes no instruction, got 'Find it'"):
            embed(items, instruction="Find it")


def test_a_pixel_budget_is_one_that_the_model_keeps_to(folder, name):
    seen = 20 * 16**2 if name == "naflex" else dual_towers.IMAGE**2
    default = describe_checkpoint(str(folder))
    assert describe_checkpoint(str(folder), max_pixels=seen) == default
    with pytest.raises(ModelError, match=f"budget of {seen - 1} .* makes {seen} of every"):
        load_embedder(str(folder), max_pixels=seen - 1)


def test_these_families_have_no_rerankers(folder):
    with pytest.raises(ModelError, match="which has no rerankers: choose one of qwen3_vl"):
        load_reranker(str(folder))


def test_a_described_checkpoint_is_the_one_that_is_loaded(embedder, folder, name):
    described = describe_checkpoint(str(folder))
    assert described.dimension == embedder.dimension == (24 if name.startswith("clip") else 32)
    assert described.corpus_contract == embedder.corpus_contract
    assert described.query_contract == embedder.query_contract


def test_the_tokenizer_is_a_matter_of_queries_and_the_preparation_of_the_corpus(folder):
    def changed(file, **changes):
        before = describe_checkpoint(str(folder))
        edit_json(folder / file, **changes)
        after = describe_checkpoint(str(folder))
        pairs = [
            (before.corpus_contract, after.corpus_contract),
            (before.query_contract, after.query_contract),
        ]
        return [[line.partition(":")[0] for line in one.differences(two)] for one, two in pairs]

    assert changed("tokenizer.json", version="1.1") == [[], ["tokenizer"]]
    assert changed("preprocessor_config.json", resample=1) == [["resample"], []]
    assert changed("preprocessor_config.json", image_std=[1, 1, 1]) == [["levels"], []]
    assert changed("config.json", initializer_factor=2.0) == [["config"], ["config"]]


def test_a_config_may_leave_out_what_is_the_default_of_transformers(folders, tmp_path):
    sources = {
        "clip": (folders["clip"], transformers.CLIPConfig()),
        "siglip": (folders["siglip"], transformers.SiglipConfig()),
        "siglip2": (folders["naflex"], transformers.Siglip2Config()),
    }
    for model_type, (source, default) in sources.items():
        bare = Path(shutil.copytree(source, tmp_path / model_type))
        (bare / "config.json").write_text(json.dumps({"model_type": model_type}))
        side = {"height": 224, "width": 224}
        edit_json(bare / "preprocessor_config.json", crop_size=side)
        if model_type == "siglip":
            edit_json(bare / "preprocessor_config.json", size=side)
        described = describe_checkpoint(str(bare))
        width = (
            default.projection_dim if model_type == "clip" else default.vision_config.hidden_size
        )
        assert described.dimension == width
        tokens = default.text_config.max_position_embeddings
        assert described.query_contract.parts["texts"].endswith(f"{tokens} tokens")


def test_a_tokenizer_without_padding_is_refused(folder):
    edit_json(folder / "tokenizer_config.json", pad_token=None)
    with pytest.raises(ModelError, match="names no pad_token"):
        load_embedder(str(folder))


def test_describing_loads_no_torch_and_no_transformers(run_python, folders):
    code = """
import sys
from retrievals_serving.models import describe_checkpoint
for folder in sys.argv[1:]:
    describe_checkpoint(folder)
print(sorted({"torch", "transformers", "faiss"} & sys.modules.keys()))
"""
    assert run_python(code, *folders.values()).strip() == "[]"
