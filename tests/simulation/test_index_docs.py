"""The commands of docs/index.md are run, with fewer vectors."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import free_port
from tests.test_readme import ROOT, Shell

COMMANDS = re.compile(r"```sh\n(.*?)```", re.DOTALL)


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    shell = Shell(tmp_path)
    yield shell
    shell.close()


def test_the_commands_of_the_docs_measure_a_server(shell: Shell) -> None:
    (block,) = COMMANDS.findall((ROOT / "docs" / "index.md").read_text(encoding="utf-8"))
    simulate, home, limit, serve, bench = block.strip().splitlines()
    port = free_port()
    shell.run(simulate.replace("1000000", "2000").replace("1024", "32"))
    shell.run(home)
    shell.run(limit)
    shell.run("export RETRIEVALS_RERANKER=none")
    shell.run(serve.replace("serve", f"serve --port {port}"))
    printed = shell.run(f"{bench} --url http://127.0.0.1:{port} --requests 50")
    assert re.match(r"50 answers, [\d.]+ a second, 4 at once\nms: p50 [\d.]+, p90 ", printed)
