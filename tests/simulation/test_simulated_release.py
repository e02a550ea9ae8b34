"""A simulated release is one like any other, but for pictures and a model."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from retrievals_pipeline.cli import main
from retrievals_pipeline.defs.records.paths import ARTWORKS
from retrievals_pipeline.simulation.records import CATEGORIES
from retrievals_pipeline.simulation.release import simulate_release
from retrievals_serving import SearchEngine
from retrievals_serving.errors import ReleaseError, SettingsError
from retrievals_serving.release import Release, open_release, read_checks
from retrievals_serving.settings import Settings

WORKS = 2000


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    home = tmp_path_factory.mktemp("simulated")
    return Settings.load(home=home, dimension=32, reranker="none", secret="a test's")


@pytest.fixture(scope="module")
def release(settings: Settings) -> Release:
    return simulate_release(settings, WORKS)


def test_it_is_served_and_its_works_have_others_like_them(
    settings: Settings, release: Release
) -> None:
    assert open_release(settings.store).release_id == release.release_id
    with SearchEngine.open(settings=settings) as engine:
        counts = engine.facets("classification")
        assert sum(counts.values()) == WORKS
        assert set(counts) <= set(CATEGORIES)
        rare = {"classification": CATEGORIES[-1]}
        page = engine.similar("simulated:000000007", filters=rare)
        assert page.window == counts[CATEGORIES[-1]] < WORKS / 64
        assert {result.classification for result in page.results} == {CATEGORIES[-1]}


def test_the_checks_that_need_no_picture_were_made(settings: Settings, release: Release) -> None:
    verdicts = read_checks(settings.store, release.release_id)
    assert {name: bool(verdict and verdict["passed"]) for name, verdict in verdicts.items()} == (
        dict.fromkeys(verdicts, True)
    )
    skipped = [
        name for name, each in verdicts.items() if each and "not_looked_at" in each["details"]
    ]
    assert skipped == ["metadata", "golden"]
    assert {each.queries for each in release.manifest.index.certificate.measures} == {
        "pictures",
        "texts",
    }


def test_no_text_is_answered_and_it_is_said_why(settings: Settings, release: Release) -> None:
    with (
        SearchEngine.open(settings=settings, release=release.release_id) as engine,
        pytest.raises(ReleaseError, match="made with simulated, which is not the model"),
    ):
        engine.search("a boat")


def test_the_same_again_is_the_same_release(settings: Settings, release: Release) -> None:
    manifest = release.path("manifest.json").read_bytes()
    assert simulate_release(settings, WORKS).release_id == release.release_id
    assert release.path("manifest.json").read_bytes() == manifest


def test_another_number_of_works_makes_another_release_in_the_same_home(tmp_path: Path) -> None:
    settings = Settings.load(home=tmp_path, dimension=8, reranker="none", secret="a test's")
    for works in (300, 400, 200):
        assert simulate_release(settings, works).manifest.works == works


def test_the_home_of_another_collection_is_left_as_it_is(built: Settings) -> None:
    before = built.store.read_bytes(ARTWORKS)
    with pytest.raises(SettingsError, match=r"was built from .*, not from works"):
        simulate_release(built, 300)
    assert built.store.read_bytes(ARTWORKS) == before


def test_the_command_makes_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RETRIEVALS_HOME", "RETRIEVALS_DIMENSION"):  # which the command sets
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    asked = ["simulate", "--vectors", "300", "--dimension", "8", "--home", str(tmp_path)]
    result = CliRunner().invoke(main, asked)
    assert result.exit_code == 0, result.output
    assert "300 works, current in" in result.output
    manifest = json.loads(next(tmp_path.glob("releases/*/manifest.json")).read_bytes())
    assert (manifest["works"], manifest["embedder"]["dimension"]) == (300, 8)
