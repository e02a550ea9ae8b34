import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from retrievals_serving.errors import ModelError, SettingsError
from retrievals_serving.models import Input, describe_checkpoint, load_embedder, truncate
from retrievals_serving.models.checkpoints import SHIPPED


def edit_json(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_the_miniature_ships_with_the_package():
    embedder = load_embedder("miniature")
    assert embedder.embed_texts(["a lonely boat"]).shape == (1, embedder.dimension)


def test_importing_the_models_loads_no_torch_and_no_transformers(run_python):
    code = """
import sys
import retrievals_serving.models
print(sorted({"torch", "transformers", "huggingface_hub", "faiss"} & sys.modules.keys()))
"""
    assert run_python(code).strip() == "[]"


def test_the_layout_of_the_published_checkpoints_gives_the_same_vectors(
    embedder, checkpoint, golden, paths
):
    """Shards, a legacy template file, bfloat16 in the config, a tokenizer class of its own."""
    stored = load_file(checkpoint / "model.safetensors")
    (checkpoint / "model.safetensors").unlink()
    shards = {"model-00001-of-00002.safetensors": {}, "model-00002-of-00002.safetensors": {}}
    for number, (name, tensor) in enumerate(stored.items()):
        shards[sorted(shards)[number % 2]][name] = tensor
    for file, tensors in shards.items():
        save_file(tensors, checkpoint / file, metadata={"format": "pt"})
    weight_map = {name: file for file, tensors in shards.items() for name in tensors}
    index = {"metadata": {}, "weight_map": weight_map}
    (checkpoint / "model.safetensors.index.json").write_text(json.dumps(index))
    template = (checkpoint / "chat_template.jinja").read_text()
    (checkpoint / "chat_template.jinja").unlink()
    (checkpoint / "chat_template.json").write_text(json.dumps({"chat_template": template}))
    edit_json(checkpoint / "config.json", dtype="bfloat16")
    edit_json(
        checkpoint / "tokenizer_config.json", tokenizer_class="Qwen2Tokenizer", add_bos_token=False
    )
    published = load_embedder(str(checkpoint), device="cpu")
    texts, images = published.embed_texts(golden["texts"]), published.embed_images(paths)
    np.testing.assert_allclose(texts, golden["text_default"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(images, golden["image_default"], rtol=0, atol=1e-5)
    decomposed = Input(text="Cafe\u0301 1889")  # the class named above would compose it
    np.testing.assert_array_equal(published.prompt(decomposed).ids, embedder.prompt(decomposed).ids)


def test_a_template_in_the_tokenizer_config_is_found(checkpoint):
    expected = describe_checkpoint(str(checkpoint)).corpus_contract.parts["chat_template"]
    template = (checkpoint / "chat_template.jinja").read_text()
    (checkpoint / "chat_template.jinja").unlink()
    edit_json(checkpoint / "tokenizer_config.json", chat_template=template)
    described = describe_checkpoint(str(checkpoint))
    assert described.corpus_contract.parts["chat_template"] == expected


def test_half_precision_stays_near_the_reference_in_float32_rows(checkpoint, golden):
    embedder = load_embedder(str(checkpoint), device="cpu", dtype="bfloat16")
    embeddings = embedder.embed_texts(golden["texts"])
    assert embedder.dtype == "bfloat16"
    assert embeddings.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-6)
    assert (embeddings * golden["text_default"]).sum(axis=1).min() > 0.999


def test_a_cpu_computes_in_float32_by_default(checkpoint):
    embedder = load_embedder(str(checkpoint), device="cpu")
    assert (embedder.device, embedder.dtype) == ("cpu", "float32")


@pytest.mark.parametrize(
    ("section", "name", "value"),
    [
        ("text_config", "hidden_act", "gelu"),
        ("text_config", "attention_bias", True),
        ("vision_config", "patch_size", 14),
        ("vision_config", "hidden_act", "silu"),
    ],
)
def test_a_network_that_computes_something_else_is_refused(checkpoint, section, name, value):
    config = json.loads((checkpoint / "config.json").read_text())
    edit_json(checkpoint / "config.json", **{section: config[section] | {name: value}})
    with pytest.raises(ModelError, match=f"{name} {value!r} in its {section}"):
        load_embedder(str(checkpoint), device="cpu")


def test_another_kind_of_rotary_positions_is_refused(checkpoint):
    config = json.loads((checkpoint / "config.json").read_text())["text_config"]
    config["rope_scaling"]["rope_type"] = "yarn"
    edit_json(checkpoint / "config.json", text_config=config)
    with pytest.raises(ModelError, match="rope_type 'yarn'"):
        load_embedder(str(checkpoint), device="cpu")


def test_a_size_that_the_config_lacks_is_named(checkpoint):
    config = json.loads((checkpoint / "config.json").read_text())["vision_config"]
    del config["depth"]
    edit_json(checkpoint / "config.json", vision_config=config)
    with pytest.raises(ModelError, match=r"config\.json does not say 'depth'"):
        load_embedder(str(checkpoint), device="cpu")


def test_weights_that_change_under_their_name_are_hashed_again(checkpoint):
    before = describe_checkpoint(str(checkpoint)).corpus_contract.parts["weights"]
    assert describe_checkpoint(str(checkpoint)).corpus_contract.parts["weights"] == before
    stored = load_file(checkpoint / "model.safetensors")
    stored["model.language_model.norm.weight"] += 1
    save_file(stored, checkpoint / "model.safetensors", metadata={"format": "pt"})
    assert describe_checkpoint(str(checkpoint)).corpus_contract.parts["weights"] != before


def test_an_unknown_family_is_refused_with_the_list_of_those_supported(checkpoint):
    edit_json(checkpoint / "config.json", model_type="blip")
    with pytest.raises(ModelError, match=r"'blip', not supported: choose one of .*qwen3_vl"):
        load_embedder(str(checkpoint))


def test_pickled_weights_are_refused(checkpoint):
    stored = load_file(checkpoint / "model.safetensors")
    torch.save(stored, checkpoint / "pytorch_model.bin")
    (checkpoint / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="pickled weights are not loaded"):
        load_embedder(str(checkpoint))


def test_weights_that_are_missing_are_not_made_up(checkpoint):
    stored = load_file(checkpoint / "model.safetensors")
    del stored["model.language_model.norm.weight"]
    save_file(stored, checkpoint / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(
        ModelError, match=r"lacks 1 weights, the first language_model\.norm\.weight"
    ):
        load_embedder(str(checkpoint), device="cpu")


def test_numbers_that_are_not_finite_are_an_error_not_a_vector(checkpoint):
    stored = load_file(checkpoint / "model.safetensors")
    stored["model.language_model.norm.weight"].fill_(torch.nan)
    save_file(stored, checkpoint / "model.safetensors", metadata={"format": "pt"})
    embedder = load_embedder(str(checkpoint), device="cpu")
    with pytest.raises(ModelError, match="not finite in float32 on cpu: its weights are damaged"):
        embedder.embed_texts(["boat"])


def test_a_reranker_is_not_taken_for_an_embedder():
    with pytest.raises(ModelError, match="is no embedder: its tokenizer ends no prompt"):
        load_embedder(str(SHIPPED / "reranker"), device="cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is CUDA here")
def test_cuda_where_there_is_none_is_refused_with_what_to_set(checkpoint):
    with pytest.raises(ModelError, match="sees no CUDA here"):
        load_embedder(str(checkpoint), device="cuda:0")


def test_damaged_weights_are_a_model_error(checkpoint):
    content = (checkpoint / "model.safetensors").read_bytes()
    (checkpoint / "model.safetensors").write_bytes(content[:-5000])
    with pytest.raises(ModelError, match="cannot be loaded on cpu as float32"):
        load_embedder(str(checkpoint), device="cpu")


def test_a_missing_shard_is_named(checkpoint):
    (checkpoint / "model.safetensors").unlink()
    index = {"weight_map": {"a": "model-00001-of-00001.safetensors"}}
    (checkpoint / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelError, match=r"lacks model-00001-of-00001\.safetensors"):
        describe_checkpoint(str(checkpoint))


@pytest.mark.parametrize(
    "file", ["config.json", "preprocessor_config.json", "tokenizer.json", "chat_template.jinja"]
)
def test_a_missing_file_is_named(checkpoint, file):
    (checkpoint / file).unlink()
    with pytest.raises(ModelError, match="chat_template" if "chat" in file else file):
        describe_checkpoint(str(checkpoint))


def test_a_checkpoint_that_prepares_pictures_otherwise_is_refused(checkpoint):
    edit_json(checkpoint / "preprocessor_config.json", patch_size=14)
    with pytest.raises(ModelError, match="patch_size 14, the Qwen3-VL family with 16"):
        load_embedder(str(checkpoint))


@pytest.mark.parametrize("max_pixels", [0, 1024, 10**9])
def test_a_pixel_budget_outside_the_family_is_refused(checkpoint, max_pixels):
    with pytest.raises(ModelError, match=f"{max_pixels} .* RETRIEVALS_MAX_PIXELS"):
        load_embedder(str(checkpoint), max_pixels=max_pixels)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"dtype": "int4"}, "dtype 'int4'"), ({"device": "abacus"}, "cannot be loaded on abacus")],
)
def test_an_unknown_device_or_dtype_is_a_model_error(checkpoint, options, message):
    with pytest.raises(ModelError, match=message):
        load_embedder(str(checkpoint), **options)


@pytest.mark.parametrize("name", ["/no/such/folder", "nowhere", "./model", "../model", "a/b/c"])
def test_a_name_that_is_neither_folder_nor_hub_id_is_refused(name):
    with pytest.raises(ModelError, match="neither a folder nor a hub id"):
        load_embedder(name)


def test_a_revision_is_given_once_and_only_for_the_hub(checkpoint):
    with pytest.raises(ModelError, match="contradicts the revision 'v2'"):
        load_embedder("org/name@v1", revision="v2")
    with pytest.raises(ModelError, match="without revisions"):
        load_embedder(str(checkpoint), revision="v1")


@pytest.mark.parametrize("dimension", [0, -1, 65])
def test_a_dimension_that_vectors_do_not_have_is_refused(dimension):
    with pytest.raises(SettingsError, match="RETRIEVALS_DIMENSION to a number from 1 to 64"):
        truncate(np.ones((2, 64), np.float32), dimension)
