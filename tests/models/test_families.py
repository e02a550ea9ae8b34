"""docs/models.md says what the code does: its families, its defaults, and how small one is."""

import importlib
from pathlib import Path

import pytest

from retrievals_serving.models import FAMILIES

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "retrievals_serving" / "models"


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table under a heading of the document."""
    text = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_families_of_the_docs_are_those_of_the_code():
    documented = {cells[0].strip("`"): cells[-1] for cells in rows("Families")}
    rerankers = {name: "yes" if family.reranker else "no" for name, family in FAMILIES.items()}
    assert documented == rerankers


def test_the_defaults_of_the_docs_are_those_of_the_code():
    documented = rows("Defaults")
    assert len(documented) >= 9
    for name, value, reason, source in documented:
        module, constant = name.strip("`").rsplit(".", 1)
        is_model = (MODELS / module.split(".")[0]).is_dir() or (MODELS / f"{module}.py").exists()
        package = "retrievals_serving" + (".models" if is_model else "")
        found = getattr(importlib.import_module(f"{package}.{module}"), constant)
        assert str(found) == value.strip("`"), name
        assert reason
        assert source


@pytest.mark.parametrize("module", ["clip.py", "siglip.py"])
def test_a_family_is_added_in_under_sixty_lines(module):
    lines = (MODELS / module).read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if line.strip()]) < 60
