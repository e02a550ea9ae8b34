"""Models that answer at once what they know, and sleep for as long as a GPU would compute.

They are a family of checkpoints like any other: a folder with a `config.json` and, in place of
weights, the vectors of texts. So a server finds, loads and checks them as it does real ones.
"""

import atexit
import json
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from retrievals_pipeline.simulation.vectors import BLOCK, Simulation
from retrievals_serving.models import FAMILIES, Description, Family, Input
from retrievals_serving.models.checkpoints import Checkpoint
from retrievals_serving.models.contracts import Contract
from retrievals_serving.records import Records
from retrievals_serving.release import RECORDS, Release
from retrievals_serving.store import picture_name

FAMILY = "sleeping"
VECTORS = "vectors.npy"
FORWARDS = "{kind}.txt"
PICTURES = 8  # that a forward of the reranker judges

# By kind, `embed` or `rerank`, and text: begin and end, s on the clock `perf_counter`, which all
# processes of a Linux machine share.
Forwards = dict[str, dict[str, tuple[float, float]]]


def write_model(folder: Path, release: Release, *, embed: int, rerank: int) -> None:
    """Write the checkpoint of both models of a simulated release.

    The pictures of its works are put into the store too, as empty files: nobody looks at them.

    Args:
        folder: Of the checkpoint.
        release: Whose vectors and contracts they have.
        embed: Time of a forward of the embedder, ms, however many texts it is given.
        rerank: Time that the reranker takes for 80 pictures, ms.
    """
    records = Records(release.path(RECORDS))
    for sha in records.picture_hashes(range(records.count)):
        path = release.store.path(picture_name(sha))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    made_with = release.manifest.embedder
    folder.mkdir()
    # The blocks of a simulation are drawn whole.
    np.save(folder / VECTORS, next(Simulation(made_with.native_dimension).texts(BLOCK)))
    config = {
        "model_type": FAMILY,
        "contract": dict(made_with.corpus_contract.parts),
        "embed": embed / 1000,
        "rerank": rerank / 1000 * PICTURES / 80,
    }
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")


def forwards(folder: Path) -> Forwards:
    """Return what ran for each text; the forwards of one reranking count as one."""
    ran: Forwards = {"embed": {}, "rerank": {}}
    for kind, of_kind in ran.items():
        for line in (folder / FORWARDS.format(kind=kind)).read_text(encoding="utf-8").splitlines():
            began, ended, text = line.split(maxsplit=2)
            of_kind[text] = float(began), float(ended)
    return ran


class _Sleeping:
    """What both models are: one that notes in its folder when it slept for whom."""

    kind: str
    device = "none"
    dtype = "float32"

    def __init__(self, checkpoint: Checkpoint, **_: object) -> None:
        self.contract = Contract(checkpoint.config["contract"])
        self._seconds = checkpoint.config
        self._lock = threading.Lock()
        self._log = (checkpoint.folder / FORWARDS.format(kind=self.kind)).open(
            "a", encoding="utf-8"
        )
        atexit.register(self._log.close)

    def _note(self, began: float, texts: Sequence[str | None]) -> None:
        ended = time.perf_counter()
        lines = "".join(f"{began} {ended} {text}\n" for text in texts)
        with self._lock:
            self._log.write(lines)


class SleepingEmbedder(_Sleeping):
    """Embeds `text <n>` as the n-th text of the simulation; after the last it begins again."""

    kind = "embed"

    def __init__(self, checkpoint: Checkpoint, **chosen: object) -> None:
        super().__init__(checkpoint, **chosen)
        self.corpus_contract = self.query_contract = self.contract
        self._vectors = np.load(checkpoint.folder / VECTORS, mmap_mode="r")
        self.dimension = self._vectors.shape[1]

    def embed_queries(self, queries: Sequence[Input]) -> np.ndarray:
        """Sleep for one forward, whatever the number of texts."""
        began, texts = time.perf_counter(), [query.text for query in queries]
        time.sleep(self._seconds["embed"])
        self._note(began, texts)
        rows = [int(str(text).rpartition(" ")[2]) % len(self._vectors) for text in texts]
        return self._vectors[rows]

    def embed_images(self, images: Sequence[object]) -> np.ndarray:
        """Embed the pictures among the golden vectors, of which there are none."""
        return np.empty((len(images), self.dimension), np.float32)


class SleepingReranker(_Sleeping):
    """Thinks of the first pictures what of the others; sleeps for each few of them."""

    kind = "rerank"

    def score(
        self,
        query: str,
        images: Sequence[object],
        *,
        deadline: float,
        cancelled: Callable[[], bool],
    ) -> np.ndarray:
        """Sleep for one forward after another, until the deadline."""
        began = time.perf_counter()
        scores = np.full(len(images), np.nan, np.float32)
        for first in range(0, len(images), PICTURES):
            if time.monotonic() >= deadline or cancelled():
                break
            time.sleep(self._seconds["rerank"])
            scores[first : first + PICTURES] = 0.5
        self._note(began, [query])
        return scores


def describe(checkpoint: Checkpoint, _: int | None) -> Description:
    """Say what there is to say of a checkpoint of this family."""
    contract = Contract(checkpoint.config["contract"])
    dimension = int(contract.parts["dimension"])
    return Description(checkpoint.name, dimension, contract, contract, is_matryoshka=True)


def register() -> None:
    """Let this process load checkpoints of this family."""
    FAMILIES[FAMILY] = Family(describe, SleepingEmbedder, SleepingReranker)
