"""Where a checkpoint's files are, and what can be told from them without loading the weights."""

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal

from retrievals_serving.errors import ModelError
from retrievals_serving.store import file_sha256

MINIATURE = "miniature"
SHIPPED = Path(__file__).parent / "miniature"
HUB_FILES = [
    "config.json",
    "preprocessor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.json",
    "chat_template.jinja",
    "model*.safetensors",
    "model.safetensors.index.json",
]
HUB_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*")


@dataclass(frozen=True)
class Checkpoint:
    """A folder with the layout of the hub: config, tokenizer, chat template, safetensors."""

    name: str
    folder: Path

    @cached_property
    def config(self) -> dict[str, Any]:
        """The content of `config.json`.

        Raises:
            ModelError: There is none, or it cannot be read.
        """
        return self.read_json("config.json")

    @property
    def weight_files(self) -> list[Path]:
        """The safetensors files, whole or sharded, in the order of their names.

        Raises:
            ModelError: There are none, or some of them are missing.
        """
        if self.has("model.safetensors"):
            return [self.folder / "model.safetensors"]
        if not self.has("model.safetensors.index.json"):
            raise ModelError(
                f"checkpoint {self.name} has no model.safetensors in {self.folder}, and pickled "
                "weights are not loaded: convert them with `save_pretrained`."
            )
        shards = sorted(set(self.read_json("model.safetensors.index.json")["weight_map"].values()))
        if missing := [shard for shard in shards if not self.has(shard)]:
            raise ModelError(
                f"checkpoint {self.name} lacks {', '.join(missing)} in {self.folder}: "
                "download it again."
            )
        return [self.folder / shard for shard in shards]

    @property
    def weights_sha256(self) -> str:
        """Sha256 of the weights: of the one file, or of the shards' sha256 in their order."""
        hashes = [content_sha256(file) for file in self.weight_files]
        return (
            hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()
        )

    @property
    def chat_template(self) -> str:
        """The checkpoint's own chat template, found in the order in which its processor looks.

        Raises:
            ModelError: It has none.
        """
        if self.has("chat_template.json"):
            template = self.read_json("chat_template.json").get("chat_template")
        elif self.has("chat_template.jinja"):
            template = (self.folder / "chat_template.jinja").read_text(encoding="utf-8")
        else:
            template = self.read_json("tokenizer_config.json").get("chat_template")
        if not isinstance(template, str):
            raise ModelError(
                f"checkpoint {self.name} has no chat template in {self.folder}: "
                "add its chat_template.jinja."
            )
        return template

    def sha256(self, file: str) -> str:
        """Return the sha256 of a file of the folder.

        Raises:
            ModelError: There is no such file.
        """
        if not self.has(file):
            raise ModelError(f"checkpoint {self.name} has no {file} in {self.folder}: add it.")
        return content_sha256(self.folder / file)

    def has(self, file: str) -> bool:
        """Tell whether the folder holds `file`."""
        return (self.folder / file).is_file()

    def read_json(self, file: str) -> dict[str, Any]:
        """Return the object in a JSON file of the folder.

        Raises:
            ModelError: There is no such file, or it is not a JSON object.
        """
        try:
            content = json.loads((self.folder / file).read_bytes())
        except (OSError, ValueError) as error:
            raise ModelError(
                f"checkpoint {self.name} has no readable {file}: {error}. Download it again."
            ) from error
        if not isinstance(content, dict):
            raise ModelError(f"checkpoint {self.name}: {file} is not a JSON object.")
        return content


def open_checkpoint(
    checkpoint: str, revision: str | None = None, *, kind: Literal["embedder", "reranker"]
) -> Checkpoint:
    """Find a checkpoint: `miniature`, a local folder, or a hub id, which is downloaded once.

    Args:
        checkpoint: Its name; a hub id may carry its revision, as `id@revision`.
        revision: Commit, tag or branch of a hub id.
        kind: Which of the shipped models `miniature` stands for.

    Raises:
        ModelError: It is not there, or the revisions contradict each other.
    """
    folder = SHIPPED / kind if checkpoint == MINIATURE else Path(checkpoint).expanduser()
    if folder.is_dir():
        if revision is not None:
            raise ModelError(
                f"checkpoint {checkpoint} is a folder, without revisions: leave {revision!r} out."
            )
        return Checkpoint(checkpoint, folder)
    hub_id, _, written = checkpoint.partition("@")
    if revision is not None and written and revision != written:
        raise ModelError(
            f"checkpoint {checkpoint} contradicts the revision {revision!r}: give one of them."
        )
    if not HUB_ID.fullmatch(hub_id):
        raise ModelError(
            f"checkpoint {checkpoint!r} is neither a folder nor a hub id: give the path of a "
            f"folder that exists, an id as Qwen/Qwen3-VL-Embedding-2B, or {MINIATURE!r}."
        )
    return _from_hub(hub_id, revision or written or None)


def _from_hub(hub_id: str, revision: str | None) -> Checkpoint:
    """Return the snapshot of a hub id: the cached one, brought up to date where a network is."""
    from huggingface_hub import snapshot_download

    try:
        folder = Path(snapshot_download(hub_id, revision=revision, allow_patterns=HUB_FILES))
    # The hub's client has no common ancestor for what a network, a cache and a server do wrong.
    except Exception as error:
        raise ModelError(
            f"checkpoint {hub_id} is not a folder here, and its revision {revision or 'main'} "
            f"cannot be had from the hub: {error}. Check the id and the revision, the network and "
            "HF_HUB_OFFLINE, or give the path of a local copy."
        ) from error
    return Checkpoint(f"{hub_id}@{folder.name}", folder)


def content_sha256(path: Path) -> str:
    """Return the sha256 of a file's bytes; the hub's cache has it as the name of a large file.

    Of a file that is as old and as large as when it was read last, it is known.
    """
    blob = path.resolve()
    if blob.parent.name == "blobs" and re.fullmatch(r"[0-9a-f]{64}", blob.name):
        return blob.name
    status = blob.stat()
    return _known_sha256(blob, status.st_size, status.st_mtime_ns, status.st_ino)


@cache
def _known_sha256(path: Path, *_status: int) -> str:
    return file_sha256(path)
