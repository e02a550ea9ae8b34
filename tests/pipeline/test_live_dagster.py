"""The UI's own way: a webserver and a daemon, asked over GraphQL to materialize everything."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from retrievals_pipeline.build import build
from retrievals_serving.errors import ReleaseNotFound
from retrievals_serving.release import current_release_id
from retrievals_serving.store import Store
from tests.conftest import WORKS, ServedMuseum

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

LAUNCH = """
mutation Materialize($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}
"""
STATUS = """
query Status($id: String!) {
  partitionBackfillOrError(backfillId: $id) {
    ... on PartitionBackfill { status error { message } runs(limit: 20) { id status } }
  }
}
"""
GRAPH = """
{ assetNodes {
    assetKey { path } groupName description kinds
    assetMaterializations(limit: 1) { metadataEntries {
      label
      ... on IntMetadataEntry { intValue }
      ... on TableSchemaMetadataEntry { schema { columns { name } } }
    } }
} }
"""


@pytest.fixture
def graphql(served_museum: ServedMuseum, tmp_path: Path) -> Iterator[Any]:
    """`retrievals ui` on an empty home; yields a function that asks its GraphQL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (tmp_path / "ui.log").open("w")
    ui = subprocess.Popen(
        [Path(sys.executable).with_name("retrievals"), "ui", "--port", str(port)],
        env=os.environ | served_museum.environment(tmp_path / "ui"),
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    url = f"http://127.0.0.1:{port}/graphql"

    def ask(query: str, **variables: Any) -> Any:
        answer = httpx.post(url, json={"query": query, "variables": variables}, timeout=60).json()
        assert "errors" not in answer, answer
        return answer["data"]

    deadline = time.monotonic() + 90
    while True:
        try:
            if ask("{ assetNodes { id } }")["assetNodes"]:
                break
        except httpx.TransportError:
            assert ui.poll() is None, (tmp_path / "ui.log").read_text()
        assert time.monotonic() < deadline, (tmp_path / "ui.log").read_text()
        time.sleep(0.5)
    yield ask
    os.killpg(ui.pid, signal.SIGTERM)
    try:
        ui.wait(120)  # Dagster lets its own processes end one after the other
    finally:
        if ui.poll() is None:
            os.killpg(ui.pid, signal.SIGKILL)
            ui.wait()
        log.close()


@pytest.mark.usefixtures("museum_settings")
def test_materialize_all_builds_the_release_that_the_command_builds(
    graphql: Any, tmp_path: Path
) -> None:
    nodes = {node["assetKey"]["path"][0]: node for node in graphql(GRAPH)["assetNodes"]}
    assert {node["groupName"] for node in nodes.values()} == {
        "records", "images", "embeddings", "index", "release",
    }  # fmt: skip
    assert all(node["description"] for node in nodes.values())
    assert nodes["faiss_index"]["kinds"] == ["faiss"]

    launched = graphql(
        LAUNCH,
        params={
            "assetSelection": [{"path": [name]} for name in nodes if name != "nga_open_data"],
            "allPartitions": True,
        },
    )["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched
    store = Store(tmp_path / "ui")
    deadline = time.monotonic() + 400
    while True:
        backfill = graphql(STATUS, id=launched["backfillId"])["partitionBackfillOrError"]
        assert backfill["status"] not in ("FAILED", "COMPLETED_FAILED"), backfill
        if backfill["status"] == "COMPLETED_SUCCESS":
            break
        assert time.monotonic() < deadline, backfill
        time.sleep(1)

    commanded = build()
    try:
        served = current_release_id(store)
    except ReleaseNotFound:
        pytest.fail((tmp_path / "ui.log").read_text())
    assert served == commanded.release_id

    shown = {
        node["assetKey"]["path"][0]: {
            entry["label"]: entry
            for materialization in node["assetMaterializations"]
            for entry in materialization["metadataEntries"]
        }
        for node in graphql(GRAPH)["assetNodes"]
    }
    assert shown["artworks"]["dagster/row_count"]["intValue"] == WORKS
    assert shown["metadata_db"]["dagster/row_count"]["intValue"] == WORKS
    columns = shown["artworks"]["dagster/column_schema"]["schema"]["columns"]
    assert {"id", "title", "image_url"} <= {column["name"] for column in columns}
