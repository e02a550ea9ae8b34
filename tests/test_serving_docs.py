"""What the README and docs/serving.md show of serving runs as it stands there."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from retrievals_serving import Settings
from tests.processes import free_port
from tests.serving.client import client_of
from tests.test_readme import README, ROOT, Shell

SERVING = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")
APP = re.compile(r"serves these lines -->\n```python\n(.*?)```", re.DOTALL)
COMMANDS = re.compile(r"```sh\n(.*?)```", re.DOTALL)


@pytest.mark.usefixtures("built")
def test_an_api_of_ones_own_is_what_the_readme_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETRIEVALS_RERANK_DEADLINE", "60")
    (code,) = APP.findall(README)
    app: dict[str, Any] = {}
    exec(compile(code, "README.md", "exec"), app)
    with client_of(app["app"]) as client:
        found = client.get("/pictures", params={"q": "a boat", "without": "people"}).json()
    assert len(found) == 8
    assert set(found[0]) == {"id", "title"}


def test_a_server_that_faces_the_internet_starts_as_the_docs_say(
    built: Settings, tmp_path: Path
) -> None:
    shell = Shell(tmp_path)
    shell.environment |= {"RETRIEVALS_HOME": str(built.home)}
    (commands,) = COMMANDS.findall(SERVING)
    port, keys = free_port(), ""
    try:
        for line in commands.strip().splitlines():
            digest = re.search(r"curator:([0-9a-f]{64})", keys)
            line = line.replace("<the sha256 that it printed>", digest[1] if digest else "")
            if line.startswith("retrievals serve"):
                assert f":{port}" in shell.start(f"{line} --port {port}", until="Ctrl-C ends it")
            elif line == "retrievals doctor":
                assert "RETRIEVALS_SECRET" not in shell.run(line)
            else:
                keys += shell.run(line)
        key = re.search(r"^\s*([\w-]{43})$|: ([\w-]{43})", keys, re.MULTILINE)
        assert key
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            assert client.get("/facets", params={"field": "artist"}).status_code == 401
            shown = {"Authorization": f"Bearer {key[1] or key[2]}"}
            told = client.get("/facets", params={"field": "artist"}, headers=shown)
            assert told.json()["values"]
            assert client.get("/health").status_code in (200, 503)
    finally:
        shell.close()
