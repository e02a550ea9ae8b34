"""Every command of docs/operations.md is run, in its order, over a small museum."""

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from retrievals_pipeline.defs.images.ledger import Ledger
from retrievals_pipeline.partitions import shard_keys
from retrievals_serving.promotion import history
from retrievals_serving.release import MANIFEST, current_release_id, list_releases
from retrievals_serving.store import Store
from tests.conftest import ServedMuseum, serve_museum
from tests.processes import bound, free_port
from tests.test_readme import ROOT, Shell

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
SECTIONS = re.compile(r"^## (.+?)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
BLOCKS = re.compile(r"```sh\n(.*?)```", re.DOTALL)
WORKS, SHARDS = 8, 2
HOME, RELEASE, SHARD = ".retrievals/nga", "20260101T000000Z-0123456789ab", "03-of-64"
MODEL = "Qwen/Qwen3-VL-Embedding-2B@main"


class Operator(Shell):
    """Types the commands of a section, and remembers which were typed."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.typed: list[str] = []
        self.stands_for = {SHARD: shard_keys(SHARDS)[1], "$PWD": str(folder)}

    def section(self, title: str) -> dict[str, str]:
        """Run the commands of a section, and return what each printed."""
        printed = {}
        for block in BLOCKS.findall(dict(SECTIONS.findall(OPERATIONS))[title]):
            for line in block.strip().splitlines():
                self.typed.append(line)
                command = line
                for placeholder, value in self.stands_for.items():
                    command = command.replace(placeholder, value)
                if command.startswith("retrievals ui"):
                    self.open_and_close(command.removesuffix(" &"))
                else:
                    printed[line] = self.run(command)
        return printed

    def open_and_close(self, command: str) -> None:
        """Start the UI, wait for its page, and end it."""
        port = str(free_port())
        process = subprocess.Popen(
            bound(["bash", "-c", f"exec {command.replace('3000', port)}"]),
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            with httpx.Client(transport=httpx.HTTPTransport(retries=60)) as client:
                assert client.get(f"http://127.0.0.1:{port}/server_info").status_code == 200
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(120)


@pytest.fixture
def museum() -> Iterator[ServedMuseum]:
    with serve_museum(WORKS) as served:
        yield served


@pytest.fixture
def shell(museum: ServedMuseum, tmp_path: Path) -> Iterator[Operator]:
    operator = Operator(tmp_path)
    operator.environment |= museum.environment(Path(HOME)) | {
        "RETRIEVALS_SHARDS": str(SHARDS),
        "PYTHONPATH": str(ROOT),
    }
    yield operator
    operator.close()


def test_the_commands_of_operations(shell: Operator, museum: ServedMuseum) -> None:
    store = Store(shell.folder / HOME)
    shell.section("Run it")
    forced = current_release_id(store)
    assert len(list_releases(store)) == 2
    assert set(museum.pictures.values()) == {2}  # fetched, and revalidated

    shell.section("Leave it alone")

    damaged = Ledger(store, shard_keys(SHARDS)[0])
    work_id, row = next(iter(damaged.rows.items()))
    damaged.rows[work_id] = replace(row, status="timeout", detail="so it was", sha256=None)
    damaged.close()
    printed = shell.section("Retry")
    assert "timeout" in printed["retrievals coverage"]
    assert any("1 asked: 1 ok." in text for text in printed.values())

    shell.section("Back-fill")

    shell.stands_for[MODEL] = "miniature"
    shell.environment["RETRIEVALS_MAX_PIXELS"] = "16384"
    museum.pictures.clear()
    shell.section("Upgrade the model")
    assert current_release_id(store) != forced
    assert not museum.pictures

    upgraded, shell.stands_for[RELEASE] = current_release_id(store), forced
    printed = shell.section("Look at a release")
    assert f"{upgraded} (served)" in printed["retrievals releases show"]
    assert "is whole" in printed["retrievals releases verify --pictures"]
    assert re.search(r"embedded again +[1-9]", printed[f"retrievals releases diff {RELEASE}"])

    shell.section("Roll back")
    assert [(choice.release, choice.by) for choice in history(store)[-3:]] == [
        (upgraded, "build"), (forced, "rollback"), (forced, "promote"),
    ]  # fmt: skip

    old = shutil.copytree(store.path(f"releases/{forced}"), store.path("releases/old"))
    manifest = old / MANIFEST
    manifest.write_text(manifest.read_text().replace('"created_at": "20', '"created_at": "19'))
    printed = shell.section("Prune")
    assert re.search("removed +old", printed["retrievals releases prune"])
    assert not old.exists()
    assert "Removed 0 works" in printed["retrievals images prune"]

    assert shell.typed == [
        line for block in BLOCKS.findall(OPERATIONS) for line in block.strip().splitlines()
    ]
    assert json.loads(shell.run("retrievals releases list --json"))
