"""The types that the scripts of the page declare are those that they have."""

import subprocess
from pathlib import Path

import pytest

from retrievals_serving.api.web import WEB
from tests.browser.axe import missing

pytestmark = pytest.mark.slow

PACKAGE = "typescript@7.0.2"
OPTIONS = "--noEmit --allowJs --checkJs --strict --target es2023 --module esnext"


def test_the_scripts_have_the_types_that_they_declare(tmp_path: Path) -> None:
    command = ["npm", "install", "--silent", "--no-audit", "--no-fund", PACKAGE]
    try:
        subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        missing(f"TypeScript cannot be had from npm: {error}")
    compiler = tmp_path / "node_modules" / ".bin" / "tsc"
    scripts = sorted((WEB / "static").glob("*.js"))
    checked = subprocess.run(
        [compiler, *OPTIONS.split(), "--moduleResolution", "bundler", *scripts],
        capture_output=True,
        text=True,
        check=False,
    )
    assert scripts
    assert checked.returncode == 0, checked.stdout
