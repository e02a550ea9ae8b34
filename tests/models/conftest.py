import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from retrievals_serving.models import Embedder, Reranker, load_embedder, load_reranker
from retrievals_serving.models.batches import WORKERS, workers

FIXTURE = Path(__file__).parents[1] / "fixtures" / "qwen3-vl"


@pytest.fixture(scope="session")
def golden() -> dict:
    """What the models' reference code returned for the inputs of the fixture."""
    return json.loads((FIXTURE / "golden.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def paths() -> list[Path]:
    return [FIXTURE / "inputs" / f"{index}.png" for index in range(4)]


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    return load_embedder(str(FIXTURE / "tiny-embedder"), device="cpu", dtype="float32")


@pytest.fixture(scope="session")
def reranker() -> Reranker:
    return load_reranker(str(FIXTURE / "tiny-reranker"), device="cpu", dtype="float32")


@pytest.fixture
def reranker_checkpoint(tmp_path: Path) -> Path:
    """A copy of the reranker's checkpoint, to be changed."""
    return Path(shutil.copytree(FIXTURE / "tiny-reranker", tmp_path / "reranker"))


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A copy of the embedder's checkpoint, to be changed."""
    return Path(shutil.copytree(FIXTURE / "tiny-embedder", tmp_path / "checkpoint"))


@pytest.fixture
def jam() -> Iterator[list[Future[bool]]]:
    """Has all threads that prepare inputs busy until the test ends, or somebody waited 10 s."""
    end = threading.Event()
    yield [workers().submit(end.wait, 10) for _ in range(WORKERS)]
    end.set()


@pytest.fixture
def run_python() -> Callable[..., str]:
    """Run code in a new interpreter, as only there an import or the environment can be judged."""

    def run(code: str, *arguments: object, **environment: str) -> str:
        finished = subprocess.run(
            [sys.executable, "-c", code, *map(str, arguments)],
            env=os.environ | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    return run
