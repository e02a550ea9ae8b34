"""Serving installs and runs where nothing of the build is: no dagster, no requests."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from retrievals_serving.settings import Settings

ROOT = Path(__file__).parents[2]

BLOCKED = """
import sys
for name in ("dagster", "dagster_webserver", "requests"):
    sys.modules[name] = None
from retrievals_pipeline.cli import main
main({arguments!r})
"""


def run_without_the_extra(arguments: list[str], home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", BLOCKED.format(arguments=arguments)],
        env=os.environ | {"RETRIEVALS_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_release_is_searched_without_dagster(built: Settings) -> None:
    done = run_without_the_extra(["search", "a boat", "--json"], built.store.root)
    assert done.returncode == 0, done.stderr
    assert '"results"' in done.stdout


def test_a_build_without_dagster_says_what_to_install(tmp_path: Path) -> None:
    done = run_without_the_extra(["build"], tmp_path)
    assert done.returncode == 1
    assert "pip install 'retrievals[pipeline]'" in done.stderr


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_an_environment_of_its_own_serves_without_dagster(built: Settings, tmp_path: Path) -> None:
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    install = [python, "-m", "pip", "install", "--quiet", "--constraint", ROOT / "constraints.txt"]
    subprocess.run([*install, f"{ROOT}[cpu]"], check=True)
    installed = subprocess.run(
        [python, "-m", "pip", "list"], check=True, capture_output=True, text=True
    ).stdout
    assert "dagster" not in installed
    done = subprocess.run(
        [python.with_name("retrievals"), "search", "a boat", "--json"],
        env=os.environ | {"RETRIEVALS_HOME": str(built.store.root)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert '"results"' in done.stdout
