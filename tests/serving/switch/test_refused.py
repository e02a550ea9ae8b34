"""A release that cannot be served is refused by name, and the served one goes on."""

import json
import shutil
from collections.abc import Callable

import httpx
import pytest

from retrievals_serving import Settings
from retrievals_serving.api import create_app
from retrievals_serving.models.contracts import Contract
from retrievals_serving.promotion import promote
from retrievals_serving.release import (
    CURRENT,
    GOLDEN,
    INDEX,
    MANIFEST,
    METADATA,
    SCHEMA_VERSION,
    Release,
)
from retrievals_serving.store import Store
from tests.serving.client import client_of
from tests.serving.small_release import WordEmbedder
from tests.serving.switch.asking import FIRST, SECOND, THIRD, search, until, until_served
from tests.serving.test_api import problem
from tests.serving.test_health import wait_for


def flipped(release: Release) -> None:
    content = bytearray(release.path(INDEX).read_bytes())
    content[-1] ^= 1
    release.path(INDEX).write_bytes(content)


def lacking(release: Release) -> None:
    release.path(METADATA).unlink()


def of_the_future(release: Release) -> None:
    manifest = release.path(MANIFEST)
    content = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(content | {"schema_version": SCHEMA_VERSION + 1}))


def half_copied(release: Release) -> None:
    release.path(GOLDEN).write_bytes(release.path(GOLDEN).read_bytes()[:100])
    release.path(INDEX).unlink()


def not_copied_yet(release: Release) -> None:
    shutil.rmtree(release.path(""))


def of_another_model(release: Release) -> None:
    digest = Contract(WordEmbedder().query_contract.parts).digest
    manifest = release.path(MANIFEST)
    text = manifest.read_text()
    assert digest in text
    manifest.write_text(text.replace("split at spaces", "split at commas"))


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (flipped, "index.faiss differs from its sha256"),
        (lacking, "artworks.duckdb should have"),
        (
            of_the_future,
            f"has schema version {SCHEMA_VERSION + 1}, this program reads {SCHEMA_VERSION}",
        ),
        (half_copied, "index.faiss should have"),
        (not_copied_yet, f"there is no release '{SECOND}'"),
        (of_another_model, "texts: split at spaces here, split at commas there"),
    ],
)
def test_what_cannot_be_served_is_refused_with_the_reason_and_the_served_release_goes_on(
    client: httpx.Client, store: Store, damage: Callable[[Release], None], reason: str
) -> None:
    """As when `CURRENT` was copied here with a release that no promotion has looked at."""
    damage(Release(store, SECOND))
    store.write_bytes(CURRENT, SECOND.encode())
    refused = until(client, lambda health: health["detail"] is not None)
    assert reason in refused["detail"]
    assert (refused["status"], refused["release"]) == ("ok", FIRST)
    assert search(client, "boat")["release"] == FIRST
    promote(store, THIRD)
    assert until_served(client, THIRD)
    assert until(client, lambda health: health["detail"] is None)


def test_a_release_that_comes_to_be_whole_is_served_without_another_promotion(
    client: httpx.Client, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrievals_serving.api.readiness.RETRY", 0.05)
    away = store.path("releases").with_name("arriving")
    store.path(f"releases/{SECOND}").rename(away)
    store.write_bytes(CURRENT, SECOND.encode())
    until(client, lambda health: health["detail"] is not None)
    away.rename(store.path(f"releases/{SECOND}"))
    until_served(client, SECOND)


def test_a_server_that_starts_on_a_damaged_release_answers_nothing_from_it(
    settings: Settings, store: Store, loads: list[str]
) -> None:
    flipped(Release(store, FIRST))
    with client_of(create_app(settings)) as client:
        assert "index.faiss differs from its sha256" in wait_for(client, "unavailable")["detail"]
        refused = client.post("/search", json={"query": "boat"})
        assert refused.status_code == 503
        assert "index.faiss differs" in problem(refused)["detail"]
        promote(store, SECOND)
        assert wait_for(client, "ok")["release"] == SECOND
    assert loads == ["miniature"]
