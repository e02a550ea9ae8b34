import hashlib
import json
import shutil

import numpy as np
import pytest

from retrievals_serving.models import describe_checkpoint
from retrievals_serving.models.contracts import Contract

COLOURS = Contract({"sky": "grey", "sea": "green"})


def edit_json(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_digest_does_not_depend_on_the_order_of_the_parts():
    digest = Contract({"sea": "green", "sky": "grey"}).digest
    assert digest == COLOURS.digest
    assert digest == hashlib.sha256(b'{"sea":"green","sky":"grey"}').hexdigest()[:16]


def test_a_digest_changes_with_any_name_or_value():
    others = [{"sky": "grey"}, {"sky": "grey", "sea": "blue"}, {"sky": "grey", "lake": "green"}]
    assert len({COLOURS.digest, *(Contract(parts).digest for parts in others)}) == 4


def test_differences_name_each_part_with_both_values():
    other = Contract({"sky": "grey", "sea": "blue", "boat": "red"})
    assert COLOURS.differences(other) == [
        "boat: absent here, red there",
        "sea: green here, blue there",
    ]
    assert COLOURS.differences(COLOURS) == []


def test_a_copy_elsewhere_has_the_same_contracts(checkpoint, tmp_path):
    copy = shutil.copytree(checkpoint, tmp_path / "elsewhere" / "model")
    here, there = describe_checkpoint(str(checkpoint)), describe_checkpoint(str(copy))
    assert here.corpus_contract == there.corpus_contract
    assert here.query_contract == there.query_contract


def test_device_and_dtype_are_no_part_of_a_contract(checkpoint):
    parts = describe_checkpoint(str(checkpoint)).corpus_contract.parts
    assert not {"device", "dtype"} & parts.keys()
    assert str(checkpoint) not in json.dumps(dict(parts))


def change_weights(folder):
    content = bytearray((folder / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (folder / "model.safetensors").write_bytes(content)


def change_template(folder):
    path = folder / "chat_template.jinja"
    path.write_text(path.read_text().replace("assistant", "model"))


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("weights", change_weights),
        ("config", lambda folder: edit_json(folder / "config.json", image_token_id=8)),
        ("tokenizer", lambda folder: edit_json(folder / "tokenizer.json", version="1.1")),
        ("chat_template", change_template),
    ],
)
def test_a_changed_file_changes_both_contracts(checkpoint, part, change):
    before = describe_checkpoint(str(checkpoint))
    change(checkpoint)
    after = describe_checkpoint(str(checkpoint))
    for old, new in [
        (before.corpus_contract, after.corpus_contract),
        (before.query_contract, after.query_contract),
    ]:
        assert old.digest != new.digest
        assert [line.partition(":")[0] for line in old.differences(new)] == [part]


def test_the_pixel_budget_is_a_matter_of_the_corpus_only(checkpoint):
    default = describe_checkpoint(str(checkpoint))
    smaller = describe_checkpoint(str(checkpoint), max_pixels=262144)
    assert default.query_contract == smaller.query_contract
    assert default.corpus_contract.differences(smaller.corpus_contract) == [
        "max_pixels: 1843200 here, 262144 there"
    ]


def test_the_two_instructions_are_in_their_own_contracts(checkpoint):
    described = describe_checkpoint(str(checkpoint))
    assert described.corpus_contract.parts["instruction"] == "Represent the user's input."
    assert "relevant to the user's query" in described.query_contract.parts["instruction"]


def test_an_embedder_is_under_the_contracts_that_were_described(embedder, checkpoint):
    described = describe_checkpoint(str(checkpoint))
    assert embedder.dimension == described.dimension == 64
    assert embedder.corpus_contract == described.corpus_contract
    assert embedder.query_contract == described.query_contract
    assert embedder.embed_texts(["boat"]).shape == (1, 64)


def test_shards_are_described_by_all_their_contents(checkpoint):
    weights = (checkpoint / "model.safetensors").read_bytes()
    (checkpoint / "model.safetensors").unlink()
    names = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    index = {"weight_map": dict(zip("ab", names, strict=True))}
    (checkpoint / "model.safetensors.index.json").write_text(json.dumps(index))
    digests = set()
    for contents in [(weights, b"1"), (weights, b"2"), (b"1", weights), (b"2", weights)]:
        for name, content in zip(names, contents, strict=True):
            (checkpoint / name).write_bytes(content)
        digests.add(describe_checkpoint(str(checkpoint)).corpus_contract.digest)
    assert len(digests) == 4


def test_describing_loads_no_torch_and_no_transformers(run_python):
    code = """
import sys
from retrievals_serving.models import describe_checkpoint
print(describe_checkpoint("miniature").dimension)
print(sorted({"torch", "transformers", "huggingface_hub", "faiss"} & sys.modules.keys()))
"""
    assert run_python(code).splitlines()[1] == "[]"


def test_truncated_vectors_are_the_first_numbers_at_length_one():
    from retrievals_serving.models import truncate

    vectors = np.random.default_rng(1).normal(size=(5, 16)).astype(np.float16)
    cut = truncate(vectors, 4)
    assert cut.dtype == np.float32
    head = vectors[:, :4].astype(np.float32)
    np.testing.assert_allclose(cut, head / np.linalg.norm(head, axis=1, keepdims=True), rtol=1e-6)
    assert np.isfinite(truncate(np.zeros((1, 4)), 2)).all()
