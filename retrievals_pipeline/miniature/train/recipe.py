"""How each miniature model is made, from a seed to a checkpoint with its card."""

import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

from retrievals_pipeline.miniature.train.card import Training, write_card
from retrievals_pipeline.miniature.train.checkpoint import save_network, write_checkpoint
from retrievals_pipeline.miniature.train.embedder import train_embedder
from retrievals_pipeline.miniature.train.figures import embedder_figures, reranker_figures
from retrievals_pipeline.miniature.train.paintings import Painting, paint_collection
from retrievals_pipeline.miniature.train.reranker import train_reranker
from retrievals_pipeline.miniature.train.sentences import sample_sentences
from retrievals_pipeline.miniature.train.tokenizer import for_reranker, train_tokenizer
from retrievals_pipeline.miniature.train.tower import train_tower
from retrievals_pipeline.progress import track
from retrievals_serving.models.checkpoints import SHIPPED, Checkpoint
from retrievals_serving.models.qwen3_vl.body import Body

COLLECTION = 7919  # seed of the paintings of the training seed 0; the museum's own seed is 0
PAINTINGS, HELD_OUT = 12_000, 500
TOWER_STEPS, EMBEDDER_STEPS, RERANKER_STEPS = 2400, 900, 3000
SEEN_AT_ONCE = 64


def make_embedder(folder: Path, seed: int) -> None:
    """Train the embedder from nothing and put its checkpoint into `folder`."""
    begin = time.monotonic()
    torch.manual_seed(seed)
    held_out, paintings = _paintings(seed)
    with _checkpoint(folder) as made:
        write_checkpoint(made, train_tokenizer(sample_sentences(paintings, seed)))
        body = _body(made)
        losses = train_tower(body, paintings, steps=TOWER_STEPS, seed=seed)
        features = _see(body, paintings)
        losses |= train_embedder(body, paintings, features, steps=EMBEDDER_STEPS, seed=seed)
        save_network(body.network, made)
        figures = embedder_figures(made, held_out, seed)
        write_card(
            made, "embedder", Training(len(paintings), losses, time.monotonic() - begin), figures
        )


def make_reranker(folder: Path, seed: int) -> None:
    """Train the reranker from the shipped embedder and put its checkpoint into `folder`."""
    begin = time.monotonic()
    torch.manual_seed(seed)
    held_out, paintings = _paintings(seed)
    with _checkpoint(folder) as made:
        shutil.copytree(SHIPPED / "embedder", made, dirs_exist_ok=True)
        for_reranker(made / "tokenizer.json")
        body = _body(made)
        losses = train_reranker(
            body, paintings, _see(body, paintings), steps=RERANKER_STEPS, seed=seed
        )
        save_network(body.network, made)
        figures = reranker_figures(made, held_out, seed)
        write_card(
            made, "reranker", Training(len(paintings), losses, time.monotonic() - begin), figures
        )


def _paintings(seed: int) -> tuple[list[Painting], list[Painting]]:
    """Return paintings to be judged by, and others to learn from."""
    paintings = paint_collection(COLLECTION + seed, range(HELD_OUT + PAINTINGS))
    return paintings[:HELD_OUT], paintings[HELD_OUT:]


def _body(folder: Path) -> Body:
    return Body(Checkpoint(folder.name, folder), device="cpu", dtype="float32")


def _see(body: Body, paintings: Sequence[Painting]) -> list[Tensor]:
    """Return what the tower makes of each painting, in half precision to spare memory."""
    features: list[Tensor] = []
    with track("features", len(paintings)) as advance, torch.no_grad():
        for start in range(0, len(paintings), SEEN_AT_ONCE):
            shown = paintings[start : start + SEEN_AT_ONCE]
            # Cloned, since each is a view that keeps its whole batch.
            features += [each.half().clone() for each in body.features([p.pixels for p in shown])]
            advance(len(shown))
    return features


@contextmanager
def _checkpoint(folder: Path) -> Iterator[Path]:
    """Yield a folder beside `folder` that takes its place when all went well."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as beside:
        made = Path(beside) / folder.name
        made.mkdir()
        yield made
        if folder.exists():
            shutil.rmtree(folder)
        made.rename(folder)
