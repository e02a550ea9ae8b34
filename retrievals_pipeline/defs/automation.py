"""Jobs: the stages in the order in which the data flows, as the command line runs them."""

import dagster as dg

refresh_records = dg.define_asset_job("refresh_records", "group:records")
refresh_images = dg.define_asset_job("refresh_images", "group:images")
retry_images = dg.define_asset_job(
    "retry_images",
    "key:artwork_images",
    description="Try again the works whose picture was not to be had for a reason that may pass; "
    "the configuration says which.",
    config={
        "ops": {
            "artwork_images": {
                "config": {"only": ["timeout", "unreachable", "throttled", "server_error"]}
            }
        }
    },
)
refresh_embeddings = dg.define_asset_job("refresh_embeddings", "key:image_embeddings")
# What the shards made is checked again: where a shard fails its run ends before the checks.
publish_release = dg.define_asset_job(
    "publish_release",
    dg.AssetSelection.from_string("key:golden_vectors or group:index or group:release")
    | dg.AssetSelection.checks_for_assets("artwork_images", "image_embeddings"),
)
