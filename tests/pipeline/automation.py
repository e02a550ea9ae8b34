"""The automation of the real definitions, on events that a test reports."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData,
)
from dagster._core.definitions.automation_tick_evaluation_context import (
    build_run_requests,
)

from retrievals_pipeline.definitions import defs
from retrievals_pipeline.defs import run_tags

RELEASE = {
    "golden_vectors", "text_embeddings", "faiss_index", "metadata_db", "collection_map",
    "release_candidate",
}  # fmt: skip
AFTER_CHECKS = {"retrieval_report", "search_release"}


class Automation:
    """The conditions of the real definitions, evaluated by hand on events that a test reports."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.defs = defs()
        graph = self.defs.get_repository_def().asset_graph
        shards = graph.get(dg.AssetKey("artwork_images")).partitions_def
        assert shards is not None
        self.shards = set(shards.get_partition_keys())
        self.checks = {
            asset: [
                key.name
                for key in graph.asset_check_keys
                if key.asset_key.path == [asset] and graph.get(key).blocking
            ]
            for asset in ("artworks", "artwork_images", "image_embeddings", *RELEASE)
        }
        self.cursor: Any = None
        self.clock = datetime.now(UTC)
        self.runs: Sequence[dg.RunRequest] = ()

    def tick(self) -> dict[str, set[str | None]]:
        """The partitions that one evaluation asks for, by asset."""
        result = dg.evaluate_automation_conditions(
            self.defs, self.instance, cursor=self.cursor, evaluation_time=self.clock
        )
        self.cursor = result.cursor
        self.runs = build_run_requests(
            list(result._requested_subsets),
            self.defs.get_repository_def().asset_graph,
            run_tags=None,
            emit_backfills=True,
        )
        keys = self.defs.get_repository_def().asset_graph.get_all_asset_keys()
        asked = {key.to_user_string(): set(result.get_requested_partitions(key)) for key in keys}
        return {asset: partitions for asset, partitions in asked.items() if partitions}

    def night(self) -> dict[str, set[str | None]]:
        """The same, of the first evaluation of another day."""
        self.clock += timedelta(days=1)
        return self.tick()

    def fail(self, job_name: str, *shards: str) -> None:
        """Report that a run failed before it made anything."""
        job = self.defs.get_repository_def().get_job(job_name)
        run = self.instance.create_run_for_job(
            job,
            status=dg.DagsterRunStatus.STARTED,
            tags=run_tags.over(shards) if shards else None,
        )
        self.instance.report_run_failed(run)

    def observe(self, version: str) -> None:
        self.instance.report_runless_asset_event(
            dg.AssetObservation("nga_open_data", tags={"dagster/data_version": version})
        )

    def make(self, asset: str, *shards: str, version: str = "", passed: bool | None = True) -> None:
        """Report that an asset was made, with a verdict of each of its blocking checks, or none."""
        tags = {"dagster/data_version": version} if version else None
        for shard in shards or (None,):
            self.instance.report_runless_asset_event(
                dg.AssetMaterialization(asset, partition=shard, tags=tags)
            )
        for check in self.checks.get(asset, ()) if passed is not None else ():
            self.judge(asset, check, passed=passed)

    def judge(self, asset: str, check: str, *, passed: bool) -> None:
        (latest,) = self.instance.fetch_materializations(dg.AssetKey(asset), limit=1).records
        self.instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(
                asset_key=dg.AssetKey(asset),
                check_name=check,
                passed=passed,
                metadata={},
                blocking=True,
                target_materialization_data=AssetCheckEvaluationTargetMaterializationData(
                    storage_id=latest.storage_id,
                    run_id=latest.run_id,
                    timestamp=latest.timestamp,
                ),
            )
        )
