"""The README's commands on real NGA paintings, where `RETRIEVALS_TEST_NGA` names a folder of them.

A few dozen of the works, to be quick. A folder that is named and cannot be used is a failure.
"""

import csv
import json
import os
from pathlib import Path

import httpx
import pytest

from tests.processes import free_port
from tests.test_readme import Shell

FOLDER = os.environ.get("RETRIEVALS_TEST_NGA")
WORKS = 36

pytestmark = pytest.mark.skipif(FOLDER is None, reason="RETRIEVALS_TEST_NGA names no folder")


def read(name: str, key: str) -> dict[str, dict[str, str]]:
    with (Path(FOLDER or "") / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return {row[key]: row for row in csv.DictReader(file)}


@pytest.fixture
def shell(tmp_path: Path):
    shell = Shell(tmp_path)
    yield shell
    shell.close()


def test_real_paintings_are_built_and_answered_as_their_records_say(shell: Shell) -> None:
    museum, api = free_port(), free_port()
    shell.environment |= {
        "RETRIEVALS_HOME": str(shell.folder / "home"),
        "RETRIEVALS_NGA_URL": str(FOLDER),
        "RETRIEVALS_IIIF_MIRROR": f"http://127.0.0.1:{museum}/iiif",
    }
    shell.run(f"retrievals museum serve --pictures {FOLDER}/images --port {museum} &")
    assert f"{WORKS} of {WORKS} works" in shell.run(f"retrievals build --works {WORKS}")
    page = json.loads(shell.run('retrievals search "a saint in gold" --top-k 10 --json'))
    shell.run(f"retrievals serve --port {api} &")
    answer = httpx.post(
        f"http://127.0.0.1:{api}/search",
        json={"query": "a saint in gold", "top_k": 10},
        timeout=60,
    ).json()
    assert [result["id"] for result in answer["results"]] == [
        result["id"] for result in page["results"]
    ]

    objects = read("objects", "objectid")
    images = read("published_images", "depictstmsobjectid")
    for result in page["results"]:
        number = result["id"].removeprefix("nga:")
        metadata = result["metadata"]
        assert metadata["title"] == objects[number]["title"]
        assert metadata["artist"] == objects[number]["attribution"]
        assert metadata["date"] == objects[number]["displaydate"]
        assert metadata["image_url"].startswith(images[number]["iiifurl"] + "/full/!1024,1024/")
        assert metadata["artwork_url"] == f"https://www.nga.gov/artworks/{number}"
        picture = httpx.get(f"http://127.0.0.1:{api}{metadata['thumbnail_url']}")
        assert picture.headers["Content-Type"] == "image/webp"
