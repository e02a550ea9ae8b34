"""The UI's own way: a webserver and a daemon, asked over GraphQL to materialize everything."""

import time
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from retrievals_pipeline.build import build
from retrievals_pipeline.defs.images.ledger import ledger_name
from retrievals_pipeline.defs.images.works import read_works
from retrievals_pipeline.partitions import shard_keys
from retrievals_serving.errors import ReleaseNotFound
from retrievals_serving.release import Release, current_release_id
from retrievals_serving.settings import Settings
from retrievals_serving.store import Store
from tests.conftest import WORKS
from tests.pipeline.graphql import launched, wait_until
from tests.pipeline.test_shards import errors_of_runs, with_status

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
RUN = "query Run($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"


def backfilled(graphql: Any, assets: list[str]) -> Any:
    """Materialize all shards of `assets`, and what the UI shows of that once it has ended."""
    selection = [{"path": [name]} for name in assets]
    params = {"assetSelection": selection, "allPartitions": True}
    launch = graphql(LAUNCH, params=params)["launchPartitionBackfill"]
    assert launch["__typename"] == "LaunchBackfillSuccess", launch
    deadline = time.monotonic() + 400
    while True:
        backfill = graphql(STATUS, id=launch["backfillId"])["partitionBackfillOrError"]
        if backfill["status"] in ("FAILED", "COMPLETED_FAILED", "COMPLETED_SUCCESS"):
            return backfill
        assert time.monotonic() < deadline, backfill
        time.sleep(1)


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

    backfill = backfilled(graphql, [name for name in nodes if name != "nga_open_data"])
    assert backfill["status"] == "COMPLETED_SUCCESS", backfill
    store = Store(tmp_path / "ui")
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


@pytest.mark.usefixtures("museum_settings")
@pytest.mark.parametrize("graphql", [{"RETRIEVALS_SHARDS": "20"}], indirect=True)
def test_a_poisoned_shard_stops_no_other_of_a_backfill_and_the_release_says_what_is_missing(
    graphql: Any, tmp_path: Path, built_home: Path
) -> None:
    settings = Settings.load(home=tmp_path / "ui", shards=20)
    works = read_works(Store(built_home), settings.shards)
    bad, lost = next((shard, len(works[shard])) for shard in sorted(works))
    settings.store.write_bytes(ledger_name(bad), b"garbage")

    backfill = backfilled(graphql, ["artworks", "artwork_images", "image_embeddings"])
    assert backfill["status"] == "COMPLETED_FAILED", backfill
    statuses = [run["status"] for run in backfill["runs"]]
    # The records; the pictures of 16 shards, the poisoned one among them, and of 4; the vectors.
    assert statuses.count("FAILURE") == 1
    assert statuses.count("SUCCESS") >= 3
    good = set(shard_keys(settings.shards)) - {bad}
    for asset in ("artwork_images", "image_embeddings"):
        assert with_status(settings, asset, dg.AssetPartitionStatus.MATERIALIZED) == good
    assert f"1 of 16 shards failed. {bad}: " in errors_of_runs(settings)

    run_id = launched(graphql, "publish_release")
    wait_until(
        lambda: graphql(RUN, id=run_id)["runOrError"]["status"] in ("SUCCESS", "FAILURE"), 200
    )
    manifest = Release(settings.store, current_release_id(settings.store)).manifest
    assert (manifest.works, manifest.eligible) == (WORKS - lost, WORKS)
    assert manifest.missing == {"ledger_damaged": lost}
