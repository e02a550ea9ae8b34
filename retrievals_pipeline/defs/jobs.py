"""Jobs: the stages in the order in which the data flows, and what is run beside them."""

import dagster as dg

REVALIDATING = {"ops": {"artwork_images": {"config": {"revalidate": True}}}}
FORCING = {"ops": {"release_candidate": {"config": {"force": True}}}}

refresh_records = dg.define_asset_job("refresh_records", dg.AssetSelection.groups("records"))
refresh_images = dg.define_asset_job("refresh_images", dg.AssetSelection.groups("images"))
revalidate_images = dg.define_asset_job(
    "revalidate_images",
    dg.AssetSelection.assets("artwork_images"),
    description="Ask the museum also for the pictures that are there, whether they are the same.",
    config=REVALIDATING,
)
retry_images = dg.define_asset_job(
    "retry_images",
    dg.AssetSelection.assets("artwork_images"),
    description="Try again the works whose picture was not to be had for a reason that may pass; "
    "the configuration says which.",
    config={
        "ops": {
            "artwork_images": {
                "config": {
                    "only": ["timeout", "unreachable", "throttled", "server_error", "out_of_memory"]
                }
            }
        }
    },
)
refresh_embeddings = dg.define_asset_job(
    "refresh_embeddings", dg.AssetSelection.assets("image_embeddings")
)
# What the shards made is checked again: where a shard fails its run ends before the checks.
publish_release = dg.define_asset_job(
    "publish_release",
    dg.AssetSelection.assets("golden_vectors", "text_embeddings")
    | dg.AssetSelection.groups("index", "release")
    | dg.AssetSelection.checks_for_assets("artwork_images", "image_embeddings"),
)
observe_open_data = dg.define_asset_job(
    "observe_open_data", dg.AssetSelection.assets("nga_open_data")
)
