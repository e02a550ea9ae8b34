"""Settings come from where the docs say, and the docs name every one of them."""

import re
import tomllib
from pathlib import Path

import pytest

from retrievals_serving.errors import SettingsError
from retrievals_serving.settings import PROFILES, Settings, profile_names

ROOT = Path(__file__).parents[1]
VARIABLES = {Settings.variable(name) for name in Settings.model_fields}


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


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("RETRIEVALS_PROFILE", "louvre"),
        ("RETRIEVALS_SHARDS", "0"),
        ("RETRIEVALS_IMAGE_BOX", "big"),
        ("RETRIEVALS_IIIF_MIRROR", "ftp://museum.example"),
        ("RETRIEVALS_DTYPE", "int4"),
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


@pytest.mark.parametrize("document", [".env.example", "docs/settings.md"])
def test_the_docs_name_every_setting_and_no_other(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    assert set(re.findall(r"RETRIEVALS_[A-Z_]+", text)) == VARIABLES


def test_the_docs_show_the_values_of_every_profile() -> None:
    lines = (ROOT / "docs/settings.md").read_text(encoding="utf-8").splitlines()
    table = [[cell.strip(" `") for cell in line.split("|")[1:-1]] for line in lines if "|" in line]
    shown = {heading.removeprefix("profile `"): at for at, heading in enumerate(table[0])}
    for name in profile_names():
        values = tomllib.loads((PROFILES / f"{name}.toml").read_text("utf-8"))
        expected = {Settings.variable(setting): str(value) for setting, value in values.items()}
        assert {row[0]: row[shown[name]] for row in table[2:] if row[shown[name]]} == expected


def test_the_example_shows_the_defaults() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    for name, field in Settings.model_fields.items():
        default = ".retrievals/demo" if name == "home" else field.default
        shown = "" if default is None else str(default)
        assert f"\n#{Settings.variable(name)}={shown}\n" in text
