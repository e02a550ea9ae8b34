"""The code location loads fast and whole, and says of every asset what a reader needs."""

import re
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from retrievals_pipeline.definitions import defs
from retrievals_serving.release import REQUIRED_CHECKS

HEAVY = "torch", "transformers", "faiss", "openTSNE", "ray"


def test_the_definitions_can_be_loaded() -> None:
    dg.Definitions.validate_loadable(defs())


@pytest.mark.parametrize("module", ["retrievals_pipeline.definitions", "retrievals_serving"])
def test_importing_loads_nothing_heavy(module: str) -> None:
    program = (
        f"import sys, {module} as module\n"
        "if hasattr(module, 'defs'): module.defs()\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_serving_imports_no_dagster() -> None:
    program = (
        "import sys, retrievals_serving.engine, retrievals_serving.api, retrievals_serving.cli\n"
        "print([name for name in sys.modules if name.split('.')[0] in"
        " ('dagster', 'retrievals_pipeline')])"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_the_graph_is_the_one_that_was_designed() -> None:
    graph = defs().get_repository_def().asset_graph
    upstream = {
        key.to_user_string(): {parent.to_user_string() for parent in graph.get(key).parent_keys}
        for key in graph.get_all_asset_keys()
    }
    assert upstream == {
        "nga_open_data": set(),
        "artworks": {"nga_open_data"},
        "artwork_images": {"artworks"},
        "image_embeddings": {"artwork_images"},
        "faiss_index": {"image_embeddings", "text_embeddings"},
        "metadata_db": {"artworks", "artwork_images", "image_embeddings"},
        "collection_map": {"image_embeddings"},
        "golden_vectors": set(),
        "text_embeddings": {"artworks"},
        "release_candidate": {"faiss_index", "metadata_db", "collection_map", "golden_vectors"},
        "retrieval_report": {"release_candidate"},
        "search_release": {"release_candidate"},
    }


def test_every_asset_has_a_group_and_a_description() -> None:
    graph = defs().get_repository_def().asset_graph
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.group_name != "default", key
        assert node.description, key


def test_every_asset_says_of_what_kind_it_is_and_what_it_needs() -> None:
    graph = defs().get_repository_def().asset_graph
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.kinds, key
        assert node.tags["needs"] in {"museum", "model", "store"}, key
        # Dagster gives an asset that is only observed no owners.
        assert node.owners == (["team:collection"] if node.is_materializable else []), key


def test_the_pictures_and_the_served_release_have_an_age_at_which_they_are_overdue() -> None:
    graph = defs().get_repository_def().asset_graph
    keys = graph.get_all_asset_keys()
    windows = {key.to_user_string(): graph.get(key).freshness_policy for key in keys}
    assert {asset for asset, window in windows.items() if window} == {
        "artwork_images", "search_release",
    }  # fmt: skip


def test_nothing_is_promoted_before_every_check_of_the_candidate_has_passed() -> None:
    graph = defs().get_repository_def().asset_graph
    checks = [
        graph.get(key)
        for key in graph.asset_check_keys
        if key.asset_key == dg.AssetKey("release_candidate")
    ]
    assert {check.key.name for check in checks} == set(REQUIRED_CHECKS)
    assert all(check.blocking for check in checks)


def test_the_checks_that_stop_a_bad_release_are_blocking() -> None:
    graph = defs().get_repository_def().asset_graph
    checks = {
        f"{key.asset_key.to_user_string()}:{key.name}": graph.get(key)
        for key in graph.asset_check_keys
        if key.asset_key != dg.AssetKey("release_candidate")
    }
    assert {name for name, check in checks.items() if check.blocking} == {
        "artworks:artworks_are_sound",
        "artworks:artworks_have_not_shrunk",
        "artwork_images:pictures_are_plausible",
        "image_embeddings:vectors_are_sound",
        "image_embeddings:vectors_differ",
        "metadata_db:rows_are_of_one_work",
    }
    assert {name for name, check in checks.items() if not check.blocking} == {
        "artworks:open_share",
        "artwork_images:pictures_are_there",
        "artwork_images:pictures_are_looked_at",
    }


def test_the_docs_explain_every_check_as_the_ui_does() -> None:
    graph = defs().get_repository_def().asset_graph
    text = Path(__file__).parents[2].joinpath("docs/checks.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \| (yes|no) \| (.*) \|$", text, re.MULTILINE)
    assert {(asset, check): (blocking, told) for asset, check, blocking, told in rows} == {
        (key.asset_key.to_user_string(), key.name): (
            "yes" if graph.get(key).blocking else "no",
            graph.get(key).description,
        )
        for key in graph.asset_check_keys
    }
