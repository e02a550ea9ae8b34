"""Settings come from where the docs say, and the docs name every one of them."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from docs.settings import example, table
from retrievals_serving.errors import SettingsError
from retrievals_serving.settings import PROFILES, Settings, profile_names

ROOT = Path(__file__).parents[1]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder whose `.env` is read."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(Settings.model_config, "env_file", ".env")
    return tmp_path


def test_the_environment_wins_over_dotenv_and_that_over_the_profile(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Settings.load().shards == 8  # the demo profile's
    (folder / ".env").write_text("RETRIEVALS_SHARDS=5\nRETRIEVALS_LIMIT=7\n", encoding="utf-8")
    monkeypatch.setenv("RETRIEVALS_LIMIT", "9")
    settings = Settings.load()
    assert (settings.shards, settings.limit) == (5, 9)


def test_the_profile_may_be_named_in_dotenv_and_gives_the_home_its_name(folder: Path) -> None:
    (folder / ".env").write_text("RETRIEVALS_PROFILE=nga\n", encoding="utf-8")
    settings = Settings.load()
    assert settings.embedder == "Qwen/Qwen3-VL-Embedding-2B"
    assert settings.home == Path(".retrievals/nga")
    assert settings.store.root == folder / ".retrievals/nga"


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETRIEVALS_SHARDS", "")
    assert Settings.load().shards == 8


@pytest.mark.parametrize("name", ["nga_url", "iiif_mirror"])
def test_an_address_may_end_with_a_slash(name: str) -> None:
    settings = Settings.load(**{name: "https://museum.example/opendata/"})
    assert getattr(settings, name) == "https://museum.example/opendata"


def test_the_root_of_the_disk_is_a_folder() -> None:
    assert Settings.load(nga_url="/").nga_url == "/"


@pytest.mark.parametrize("contact", ["https://museum.example/é", "me@example.org"])
def test_a_contact_fits_the_header_that_carries_it(contact: str) -> None:
    assert Settings.load(contact=contact).contact == contact


@pytest.mark.parametrize("contact", ["Пётр", "me@example.org\nX: y", "a\tb", "\x7f"])
def test_a_contact_that_no_header_can_carry_is_refused_by_name(contact: str) -> None:
    with pytest.raises(SettingsError, match=r"RETRIEVALS_CONTACT: .*Latin letters"):
        Settings.load(contact=contact)


@pytest.mark.parametrize(
    ("profile", "value", "reranker"),
    [
        ("demo", "miniature", "miniature"),
        ("demo", "none", None),
        ("nga", "", "Qwen/Qwen3-VL-Reranker-2B"),
        ("nga", "museum/reranker@1", "museum/reranker@1"),
        ("nga-laptop", "", None),
    ],
)
def test_a_profiles_reranker_can_be_replaced_and_left_out(
    monkeypatch: pytest.MonkeyPatch, profile: str, value: str, reranker: str | None
) -> None:
    monkeypatch.setenv("RETRIEVALS_PROFILE", profile)
    monkeypatch.setenv("RETRIEVALS_RERANKER", value)
    assert Settings.load().reranker == reranker


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("RETRIEVALS_PROFILE", "louvre"),
        ("RETRIEVALS_SHARDS", "0"),
        ("RETRIEVALS_IMAGE_BOX", "big"),
        ("RETRIEVALS_IIIF_MIRROR", "ftp://museum.example"),
        ("RETRIEVALS_DTYPE", "int4"),
        ("RETRIEVALS_ALPHA", "1.5"),
        ("RETRIEVALS_CANDIDATES", "0"),
        ("RETRIEVALS_RERANK_DEADLINE", "nan"),
        ("RETRIEVALS_INDEX", "annoy"),
        ("RETRIEVALS_INDEX", "flat:nprobe=3"),
        ("RETRIEVALS_INDEX", "hnsw:efSearch=3"),
        ("RETRIEVALS_INDEX", "hnsw:m"),
        ("RETRIEVALS_INDEX", "hnsw:m=0"),
        ("RETRIEVALS_INDEX", "hnsw:m=1.5"),
        ("RETRIEVALS_INDEX", "pq4:k_factor=nan"),
        ("RETRIEVALS_INDEX", "pq4:k_factor=inf"),
    ],
)
def test_a_bad_value_is_named_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match=rf"{variable}.*{value}"):
        Settings.load()


def test_the_secret_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETRIEVALS_SECRET", "swordfish")
    assert "swordfish" not in repr(Settings.load())


@pytest.mark.parametrize("name", profile_names())
def test_every_profile_is_sound(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("RETRIEVALS_PROFILE", name)
    Settings.load()
    named = re.findall(r"^(\w+) =", (PROFILES / f"{name}.toml").read_text("utf-8"), re.MULTILINE)
    assert set(named) <= set(Settings.model_fields)


@pytest.mark.parametrize(
    ("document", "write"), [("docs/settings.md", table), (".env.example", example)]
)
def test_the_docs_say_what_the_code_says(document: str, write: Callable[[], str]) -> None:
    assert (ROOT / document).read_text(encoding="utf-8") == write(), "run python docs/settings.py"
