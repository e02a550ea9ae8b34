"""axe-core, which finds barriers in a page: fetched from npm when a test needs it."""

import os
import subprocess
import tarfile
from pathlib import Path
from typing import NoReturn

import pytest

PACKAGE = "axe-core@4.14.1"
SCRIPT = "package/axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def missing(reason: str) -> NoReturn:
    """Skip a test that lacks something, or fail it where it must be there."""
    if "CI" in os.environ:
        pytest.fail(reason)
    pytest.skip(reason)


def axe_script(folder: Path) -> str:
    """Return the script, which `npm` puts into `folder`; skip without npm or a network."""
    command = ["npm", "pack", "--silent", PACKAGE]
    try:
        packed = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=120, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        missing(f"axe-core cannot be had from npm: {error}")
    with tarfile.open(folder / packed.stdout.split()[-1]) as archive:
        script = archive.extractfile(SCRIPT)
        assert script is not None
        return script.read().decode()
