"""How each miniature model is made, from a seed to a checkpoint with its card.

Equal seeds make equal bytes on the same CPU; a GPU, which is used where there is one, adds up in no
fixed order.
"""

import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

from retrievals_pipeline.miniature.train.card import Training, write_card
from retrievals_pipeline.miniature.train.checkpoint import deepen, save_network, write_checkpoint
from retrievals_pipeline.miniature.train.embedder import train_embedder
from retrievals_pipeline.miniature.train.figures import embedder_figures, reranker_figures
from retrievals_pipeline.miniature.train.paintings import Painting, paint_collection
from retrievals_pipeline.miniature.train.reranker import Reranker
from retrievals_pipeline.miniature.train.sentences import sample_sentences
from retrievals_pipeline.miniature.train.shortlists import Embedded, Shortlists
from retrievals_pipeline.miniature.train.tokenizer import for_reranker, train_tokenizer
from retrievals_pipeline.miniature.train.tower import train_tower
from retrievals_pipeline.progress import track
from retrievals_serving.errors import ModelError
from retrievals_serving.models.checkpoints import Checkpoint
from retrievals_serving.models.qwen3_vl.body import Body

# Seeds of the paintings of the training seed 0; the museum's own seed is 0. The reranker learns
# from others, since the embedder errs less on those that it was shown.
COLLECTION, OTHER_COLLECTION = 7919, 104_729
PAINTINGS, HELD_OUT = 12_000, 500
TOWER_STEPS, EMBEDDER_STEPS = 2200, 1150
COMPARING_STEPS, READING_STEPS, LOOKING_STEPS = 2000, 500, 300
SEEN_AT_ONCE = 64


def make_embedder(folder: Path, seed: int) -> None:
    """Train the embedder from nothing and put its checkpoint into `folder`."""
    begin = time.monotonic()
    torch.manual_seed(seed)
    paintings = paint_collection(COLLECTION + seed, range(HELD_OUT + PAINTINGS))
    held_out, paintings = paintings[:HELD_OUT], paintings[HELD_OUT:]
    with _checkpoint(folder) as made:
        write_checkpoint(made, train_tokenizer(sample_sentences(paintings, seed)))
        body = _body(made)
        seen = train_tower(body, paintings, steps=TOWER_STEPS, seed=seed)
        features = _see(body, paintings)
        said = train_embedder(body, paintings, features, steps=EMBEDDER_STEPS, seed=seed)
        save_network(body.network, made)
        training = Training(
            device=body.device,
            paintings=len(paintings),
            held_out=len(held_out),
            losses=_of_stage("tower", seen) | _of_stage("embedder", said),
            figures=embedder_figures(made, held_out, seed),
            seconds=time.monotonic() - begin,
        )
        write_card(made, "embedder", training)


def make_reranker(folder: Path, seed: int) -> None:
    """Train the reranker from the embedder beside `folder` and put its checkpoint there.

    Raises:
        ModelError: No embedder is beside it.
    """
    base = folder.parent / "embedder"
    if not (base / "model.safetensors").is_file():
        raise ModelError(
            f"the reranker begins with an embedder, and there is none in {base}: train it first, "
            f"with `python -m retrievals_pipeline.miniature.train embedder --out {base}`."
        )
    begin = time.monotonic()
    torch.manual_seed(seed)
    held_out = paint_collection(COLLECTION + seed, range(HELD_OUT))
    paintings = paint_collection(OTHER_COLLECTION + seed, range(PAINTINGS))
    with _checkpoint(folder) as made:
        shutil.copytree(base, made, dirs_exist_ok=True)
        for_reranker(made / "tokenizer.json")
        deepen(made)
        body = _body(made)
        features = _see(body, paintings)
        lists = Shortlists(paintings, Embedded(_body(base), paintings, features), seed)
        reranker = Reranker(body, paintings, features, lists, seed=seed)
        compared = reranker.compare(COMPARING_STEPS)
        read = reranker.read(READING_STEPS)
        looked = reranker.look(LOOKING_STEPS)
        save_network(body.network, made)
        training = Training(
            device=body.device,
            paintings=len(paintings),
            held_out=len(held_out),
            losses=_of_stage("comparing", compared)
            | _of_stage("reading", read)
            | _of_stage("looking", looked),
            figures=reranker_figures(made, base, held_out, seed),
            seconds=time.monotonic() - begin,
        )
        write_card(made, "reranker", training)


def _of_stage(stage: str, losses: Mapping[str, float]) -> dict[str, float]:
    """Return the losses by names that those of another stage do not have."""
    return {f"{stage}, {name}": loss for name, loss in losses.items()}


def _body(folder: Path) -> Body:
    return Body(Checkpoint(folder.name, folder), device="auto", dtype="float32")


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
    """Yield a folder beside `folder` that takes its place when all went well.

    What was there before is moved aside first, and removed when the new one is in its place.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as beside:
        made = Path(beside) / folder.name
        made.mkdir()
        yield made
        replaced = Path(beside) / f"{folder.name}.replaced"
        if folder.exists():
            folder.rename(replaced)
        try:
            made.rename(folder)
        except OSError:
            if replaced.exists():
                replaced.rename(folder)
            raise
