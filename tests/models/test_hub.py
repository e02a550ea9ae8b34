"""A checkpoint of the hub is loaded by its id, from the cache, and described by its commit."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from huggingface_hub.utils import filter_repo_objects

from retrievals_serving.models import describe_checkpoint
from retrievals_serving.models.checkpoints import HUB_FILES

COMMIT, OLDER = "a" * 40, "b" * 40


@pytest.fixture
def hub_cache(tmp_path: Path, checkpoint: Path) -> Path:
    """A cache as the hub's client lays it out: `org/name`, main at COMMIT, the tag v1 at OLDER."""
    repository = tmp_path / "cache" / "models--org--name"
    (repository / "blobs").mkdir(parents=True)
    for commit in (COMMIT, OLDER):
        snapshot = repository / "snapshots" / commit
        snapshot.mkdir(parents=True)
        for file in checkpoint.iterdir():
            content = file.read_bytes()
            if commit == OLDER and file.name == "chat_template.jinja":
                content = content.replace(b"assistant", b"model")
            blob = repository / "blobs" / hashlib.sha256(content).hexdigest()
            blob.write_bytes(content)
            (snapshot / file.name).symlink_to(blob)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT)
    (repository / "refs" / "v1").write_text(OLDER)
    return tmp_path / "cache"


OFFLINE = {"HF_HUB_OFFLINE": "1"}


def test_from_the_hub_come_the_files_that_are_read_and_no_pickles(checkpoint):
    shards = ["model.safetensors.index.json", "model-00001-of-00004.safetensors"]
    needed = [*sorted(file.name for file in checkpoint.iterdir()), *shards, "chat_template.json"]
    others = ["pytorch_model.bin", "onnx/model.safetensors", "README.md", "open_clip_model.bin"]
    assert list(filter_repo_objects([*needed, *others], allow_patterns=HUB_FILES)) == needed


def test_an_embedder_is_loaded_from_the_hubs_cache_by_its_id(run_python, hub_cache, golden):
    code = """
import json, sys
from retrievals_serving.models import load_embedder
texts = json.loads(sys.argv[1])
embedders = [load_embedder(name, device="cpu") for name in ("org/name", "org/name@v1")]
print(json.dumps([embedder.embed_texts(texts).tolist() for embedder in embedders]))
"""
    output = run_python(code, json.dumps(golden["texts"]), HF_HUB_CACHE=str(hub_cache), **OFFLINE)
    main, older = np.array(json.loads(output))
    np.testing.assert_allclose(main, golden["text_default"], rtol=0, atol=1e-5)
    assert np.abs(older - golden["text_default"]).max() > 1e-3


def test_a_hub_id_is_described_by_its_commit_and_the_contracts_of_its_files(
    run_python, hub_cache, checkpoint
):
    code = """
import sys
from retrievals_serving.models import describe_checkpoint
asked = [("org/name", None), ("org/name@v1", None), ("org/name", "v1"), ("org/name@v1", "v1")]
for name, revision in asked:
    described = describe_checkpoint(name, revision=revision)
    print(described.checkpoint, described.corpus_contract.digest)
assert not {"torch", "transformers"} & sys.modules.keys()
"""
    output = run_python(code, HF_HUB_CACHE=str(hub_cache), **OFFLINE)
    rows = [line.split() for line in output.splitlines()]
    assert [name for name, _ in rows] == [f"org/name@{c}" for c in (COMMIT, OLDER, OLDER, OLDER)]
    assert rows[0][1] == describe_checkpoint(str(checkpoint)).corpus_contract.digest
    assert rows[1][1] == rows[2][1] == rows[3][1] != rows[0][1]


def test_what_the_hub_does_not_have_is_a_model_error_with_its_id(run_python, hub_cache):
    code = """
from retrievals_serving.errors import ModelError
from retrievals_serving.models import load_embedder
for name in ("org/other", "org/name@v9"):
    try:
        load_embedder(name)
    except ModelError as error:
        print(error)
"""
    output = run_python(code, HF_HUB_CACHE=str(hub_cache), **OFFLINE)
    assert "checkpoint org/other is not a folder here" in output
    assert "its revision v9" in output
    assert output.count("HF_HUB_OFFLINE") >= 2
