"""What is opened is what was sealed: a release that does not fit is refused, and says why."""

import dataclasses
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import faiss
import numpy as np
import pytest

from retrievals_serving import SearchEngine, Settings
from retrievals_serving.errors import (
    PromotionRefused,
    ReleaseDamaged,
    ReleaseError,
    ReleaseNotFound,
)
from retrievals_serving.models import Description, describe_checkpoint
from retrievals_serving.models.checkpoints import SHIPPED
from retrievals_serving.models.contracts import Contract
from retrievals_serving.promotion import promote
from retrievals_serving.records import read_table
from retrievals_serving.release import (
    GOLDEN,
    INDEX,
    MANIFEST,
    MAP,
    METADATA,
    RECORDS,
    SCORES,
    ContractEntry,
    EmbedderEntry,
    Release,
    open_release,
    record_check,
)
from retrievals_serving.store import Store
from tests.serving.small_release import DIMENSION, RELEASE, WORKS, WordEmbedder, seal

HEAVY = ("torch", "transformers", "faiss", "dagster", "pandas")
PIXELS = 65536  # the budget of the server


@pytest.fixture
def release(home: Path, tmp_path: Path) -> Release:
    """A copy of the release, the test's own to damage."""
    shutil.copytree(home, tmp_path / "home")
    return Release(Store(tmp_path / "home"), RELEASE)


def test_opening_loads_no_model_and_importing_loads_nothing_heavy(home: Path) -> None:
    program = f"""
import sys
def loaded():
    return [name for name in {HEAVY!r} if name in sys.modules]
import retrievals_serving
assert not [name for name in ("numpy", "duckdb", "pydantic") if name in sys.modules]
import retrievals_serving.api, retrievals_serving.cli, retrievals_serving.doctor
from retrievals_serving import SearchEngine
assert loaded() == [], loaded()
SearchEngine.open(home={str(home)!r}).close()
assert loaded() == ["faiss"], loaded()
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)


def test_the_current_release_is_opened_unless_another_is_named(release: Release) -> None:
    shutil.copytree(release.path(""), release.store.path("releases/other"))
    manifest = release.store.path("releases/other/manifest.json")
    manifest.write_text(manifest.read_text().replace(RELEASE, "other"))
    home = release.store.root
    with SearchEngine.open(home) as served, SearchEngine.open(str(home), release="other") as named:
        assert served.release.release_id == RELEASE
        assert named.release.manifest.release_id == "other"


def test_a_model_of_another_contract_is_refused_by_the_parts_that_differ(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = WordEmbedder(weights="other words", prefix="query: ")
    message = (
        rf"release {RELEASE} was made with words.*"
        "prefix: query: .* here, absent there; weights: other words here, words there"
    )
    with pytest.raises(ReleaseError, match=message):
        SearchEngine.open(settings=settings, embedder=other)
    monkeypatch.setattr("retrievals_serving.queries.load_embedder", lambda *_, **__: other)
    with SearchEngine.open(settings=settings) as engine:
        for ask in (engine.warm, lambda: engine.search("boat")):
            with pytest.raises(ReleaseError, match=message):
                ask()
        assert engine.embedder is None


def another_model(folder: Path) -> Description:
    weights = bytearray((folder / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (folder / "model.safetensors").write_bytes(weights)
    return describe_checkpoint(str(folder), max_pixels=PIXELS)


def another_revision(folder: Path) -> Description:
    template = folder / "chat_template.jinja"
    template.write_text(template.read_text().replace("assistant", "model"))
    described = describe_checkpoint(str(folder), max_pixels=PIXELS)
    return dataclasses.replace(described, checkpoint="museum/miniature@" + 40 * "b")


def another_query_instruction(folder: Path) -> Description:
    described = describe_checkpoint(str(folder), max_pixels=PIXELS)
    parts = described.query_contract.parts | {"instruction": "Find the picture."}
    return dataclasses.replace(described, query_contract=Contract(parts))


def another_pixel_budget(folder: Path) -> Description:
    return describe_checkpoint(str(folder), max_pixels=262144)


@pytest.mark.parametrize(
    ("made_with", "difference"),
    [
        (another_model, "weights: [0-9a-f]{64} here, [0-9a-f]{64} there"),
        (another_revision, "chat_template: [0-9a-f]{64} here, [0-9a-f]{64} there"),
        (another_query_instruction, "instruction: Retrieve .* here, Find the picture. there"),
        (another_pixel_budget, f"max_pixels: {PIXELS} here, 262144 there"),
    ],
)
def test_a_release_of_another_model_is_refused_by_the_one_part_that_differs(
    release: Release, tmp_path: Path, made_with: Callable[[Path], Description], difference: str
) -> None:
    folder = Path(shutil.copytree(SHIPPED / "embedder", tmp_path / "checkpoint"))
    description = made_with(folder)
    state_model(release, description)
    settings = Settings.load(home=release.store.root, embedder="miniature", max_pixels=PIXELS)
    message = rf"made with {description.checkpoint}, .*the release's\): {difference}\. Set "
    with SearchEngine.open(settings=settings) as engine:
        assert engine.similar("test:1001").results
        with pytest.raises(ReleaseError, match=message):
            engine.warm()
        assert engine.embedder is None


def state_model(release: Release, description: Description) -> None:
    """Let the manifest say that the release was made with the model of `description`."""
    corpus, query = (
        ContractEntry(digest=contract.digest, parts=dict(contract.parts))
        for contract in (description.corpus_contract, description.query_contract)
    )
    entry = EmbedderEntry(
        checkpoint=description.checkpoint,
        native_dimension=description.dimension,
        dimension=DIMENSION,
        corpus_contract=corpus,
        query_contract=query,
    )
    manifest = Release(release.store, RELEASE).manifest.model_copy(update={"embedder": entry})
    release.path(MANIFEST).write_text(manifest.model_dump_json())


def test_the_model_of_the_settings_is_loaded_once(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads = []

    def load(checkpoint: str, **options: object) -> WordEmbedder:
        loads.append((checkpoint, options))
        return WordEmbedder()

    monkeypatch.setattr("retrievals_serving.queries.load_embedder", load)
    named = {"embedder": "some/model@1", "reranker": "none"}
    settings = Settings.load(home=home, **named, dtype="float16", max_pixels=4096)
    with SearchEngine.open(settings=settings) as engine:
        engine.warm()
        engine.search("boat")
    options = {"device": "auto", "dtype": "float16", "max_pixels": 4096}
    assert loads == [("some/model@1", options)]


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize("name", [INDEX, METADATA, RECORDS, SCORES, MAP, GOLDEN])
@pytest.mark.parametrize(
    ("damage", "message"), [(cut_short, "bytes and has"), (Path.unlink, "bytes and is missing")]
)
def test_a_file_that_lacks_or_has_another_size_is_refused(
    release: Release, name: str, damage: Callable[[Path], None], message: str
) -> None:
    damage(release.path(name))
    with pytest.raises(ReleaseDamaged, match=rf"{name} should have \d+ {message}"):
        SearchEngine.open(release.store.root)


def test_records_that_are_no_database_are_refused(release: Release) -> None:
    path = release.path(METADATA)
    path.write_bytes(b"x" * path.stat().st_size)
    with pytest.raises(ReleaseDamaged, match=r"artworks\.duckdb cannot be read as the metadata"):
        SearchEngine.open(release.store.root)


def test_records_that_cannot_be_shown_are_refused(release: Release) -> None:
    path = release.path(RECORDS)
    path.write_bytes(b"x" * path.stat().st_size)
    with pytest.raises(ReleaseDamaged, match=r"records\.arrow cannot be read as the records"):
        SearchEngine.open(release.store.root)


def test_records_that_are_damaged_inside_are_refused(release: Release) -> None:
    """A place beyond the end of all texts would be read out of bounds."""
    content = release.path(RECORDS).read_bytes()
    table = read_table(release.path(RECORDS))
    offsets = table["title"].chunk(0).buffers()[1].to_pybytes()
    place = content.index(offsets[: 4 * WORKS])
    damaged = content[: place + 8] + b"\xff\xff\xff\x7f" + content[place + 12 :]
    release.path(RECORDS).unlink()  # it is mapped
    release.path(RECORDS).write_bytes(damaged)
    with pytest.raises(ReleaseDamaged, match=r"records\.arrow cannot be read as the records"):
        SearchEngine.open(release.store.root)


def test_scores_of_another_dimension_are_refused(release: Release) -> None:
    np.save(release.path(SCORES), np.zeros((9, 8), np.float32))
    seal(release, WORKS)
    with pytest.raises(ReleaseDamaged, match="scores of dimension 8"):
        SearchEngine.open(release.store.root)


def test_an_index_of_other_works_than_the_records_is_refused(release: Release) -> None:
    index = faiss.read_index(str(release.path(INDEX)))
    index.add(index.reconstruct_n(0, 1))
    faiss.write_index(index, str(release.path(INDEX)))
    seal(release, WORKS)
    with pytest.raises(
        ReleaseDamaged, match=rf"has {WORKS + 1} vectors of dimension {DIMENSION}, {WORKS} rows"
    ):
        SearchEngine.open(release.store.root)


def test_nothing_to_open_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(ReleaseNotFound, match="retrievals build"):
        SearchEngine.open(tmp_path)
    with pytest.raises(ReleaseNotFound, match=r"'nope'.*retrievals releases list"):
        SearchEngine.open(tmp_path, release="nope")


def test_a_release_is_not_promoted_without_every_verdict(release: Release) -> None:
    store = release.store
    store.remove("releases/CURRENT")
    store.remove(f"reports/{RELEASE}/checks/index.json")
    record_check(store, RELEASE, "coverage", passed=False, details={"coverage": 0.5})
    with pytest.raises(PromotionRefused, match=r"index has not been run; coverage failed.*0.5"):
        promote(store, RELEASE)
    with pytest.raises(ReleaseNotFound):
        open_release(store)


def test_an_engine_that_was_closed_lets_go_of_its_files(own_home: Path) -> None:
    """The path of the test's own copy: other engines are open here."""
    settings = Settings.load(home=own_home, reranker="none")
    engine = SearchEngine.open(settings=settings, embedder=WordEmbedder())
    index = str(engine.release.path(INDEX))
    assert index in Path("/proc/self/maps").read_text(encoding="utf-8")
    engine.close()
    assert index not in Path("/proc/self/maps").read_text(encoding="utf-8")
    with pytest.raises(ReleaseError, match="was closed"):
        engine.search("boat")
    with pytest.raises(ReleaseError, match="was closed"):
        engine.artwork("test:1001")
