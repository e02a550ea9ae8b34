"""Every command of the README is run, and what it says of the project's parts is so."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from retrievals_pipeline.defs.records.folder_artworks import COLUMNS
from retrievals_pipeline.miniature.iiif.pictures import PictureSource
from retrievals_pipeline.miniature.museum import DEFAULT_WORKS, MiniatureMuseum
from tests.conftest import WORKS
from tests.processes import bound, free_port

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SOURCES = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8")
SECTION = re.compile(r"<!-- tested: [^>]* -->\n```sh\n(.*?)```", re.DOTALL)


class Shell:
    """Runs the README's lines one by one; a line that ends in `&` is left running."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = dict(os.environ)
        self.environment["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self.background: list[subprocess.Popen[str]] = []

    def run(self, line: str) -> str:
        """Run one line and return what it prints."""
        if match := re.fullmatch(r"export (\w+)=(.*)", line):
            value = match[2]
            self.environment[match[1]] = (
                self.run(f"echo {value}").strip() if "$" in value else value
            )
            return ""
        if line.endswith(" &"):
            return self.start(line.removesuffix(" &"))
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def start(self, line: str, until: str = "") -> str:
        """Start a server and return what it prints, to the first line that holds `until`."""
        server = subprocess.Popen(
            bound(["bash", "-c", f"exec {line}"]),
            cwd=self.folder,
            env=self.environment | {"PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.background.append(server)
        assert server.stdout is not None
        printed = ""
        for said in server.stdout:
            printed += said
            if until in said:
                break
        return printed

    def close(self) -> None:
        """End the servers as Ctrl-C does; each must end cleanly."""
        for server in self.background:
            server.send_signal(signal.SIGINT)
        for server in self.background:
            assert server.wait(30) == 0
            assert server.stdout is not None
            server.stdout.close()


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    shell = Shell(tmp_path)
    yield shell
    shell.close()


@pytest.fixture
def nga(tmp_path: Path) -> Path:
    """A folder as the README describes it: CSV files, and pictures named by their uuid."""
    folder = tmp_path / "nga"
    museum = MiniatureMuseum(WORKS)
    museum.write_records(folder)
    (folder / "images").mkdir()
    text = (folder / "published_images.csv").read_text(encoding="utf-8")
    for uuid in set(re.findall(r"^([0-9a-f-]{36}),", text, re.MULTILINE)):
        save(museum, uuid, folder / "images" / f"{uuid}.jpg")
    return folder


def save(source: PictureSource, identifier: str, path: Path) -> None:
    picture = source.open(identifier)
    assert picture is not None
    picture.save(path)


@pytest.mark.usefixtures("nga")
def test_the_commands_for_a_folder_of_records_and_pictures(shell: Shell) -> None:
    section, _ = SECTION.findall(README)
    commands = section.replace("8182", str(free_port())).replace("8000", str(free_port()))
    printed: dict[str, str] = {}
    for line in commands.strip().splitlines()[1:]:  # the first activates the environment
        printed[line] = shell.run(line)
    answers = [json.loads(text) for line, text in printed.items() if "--json" in line]
    (build,) = (text for line, text in printed.items() if line == "retrievals build")
    health, search = (json.loads(text) for line, text in printed.items() if "curl" in line)
    assert f"{WORKS} of {WORKS} works" in build
    assert len(answers[0]["results"]) == 5
    assert health["works"] == WORKS
    assert len(search["results"]) == 3

    program, _ = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (shell.folder / "library.py").write_text(program, encoding="utf-8")
    lines = shell.run(f"{sys.executable} library.py").splitlines()
    assert [line[:4] for line in lines[:10]] == [f"{rank:3} " for rank in range(1, 11)]
    assert any(line.endswith("title") for line in lines[10:])


@pytest.mark.parametrize("page", [README, SOURCES], ids=["README", "docs/sources"])
def test_the_commands_for_any_folder_of_pictures(shell: Shell, page: str) -> None:
    museum = MiniatureMuseum(6)
    (shell.folder / "photos" / "boats").mkdir(parents=True)
    for number, view in enumerate(museum.picture_of(work.object_id) for work in museum.works):
        if view is not None:
            save(museum, view.uuid, shell.folder / "photos" / "boats" / f"{number}.jpg")
    files = {path.name for path in (shell.folder / "photos").rglob("*.jpg")}
    printed: dict[str, str] = {}
    for line in SECTION.findall(page)[-1].strip().splitlines():
        printed[line] = shell.run(line)
    (build,) = (text for line, text in printed.items() if line.startswith("retrievals build"))
    (search,) = (text for line, text in printed.items() if line.startswith("retrievals search"))
    assert f"{len(files)} of {len(files)} works" in build
    assert sum(f"boats/{name}" in search for name in files) == 5
    for line, text in printed.items():
        if line.endswith("pictures.json"):
            listed = json.loads(text)
            assert {entry["image_url"] for entry in listed} == {f"boats/{name}" for name in files}
            assert set(listed[0]) == set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    example = re.findall(r"```csv\n(.*?)```", page, re.DOTALL)
    for text in example:
        assert set(text.splitlines()[0].split(",")) <= set(COLUMNS)


def test_every_make_target_of_the_readme_exists() -> None:
    targets = set(re.findall(r"`?make ([a-z-]+)", README))
    assert targets >= {
        "demo", "test", "test-slow", "test-all", "lint", "ui", "serve", "bench", "clean",
    }  # fmt: skip
    for target in targets:
        commands_of(target)


def commands_of(target: str) -> list[str]:
    """What `make` would run for a target."""
    done = subprocess.run(
        [shutil.which("make") or "make", "--dry-run", target],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.splitlines()


def test_ci_runs_the_readmes_tests_and_none_of_them_twice() -> None:
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    targets = re.findall(r"^make ([a-z-]+)$", ci, re.MULTILINE)
    assert "test" in targets
    commands = [line for target in targets for line in commands_of(target)]
    runs = [line.partition("pytest")[2] for line in commands if line.startswith(".venv/bin/pytest")]
    assert runs == [' -n 2 --dist loadscope -m "not slow"', " -m slow"]


def test_every_command_of_the_readme_exists() -> None:
    from retrievals_pipeline.cli import main

    for name in set(re.findall(r"retrievals ([a-z]+)", README)) - {"build"}:
        assert name in main.commands, name


def test_every_file_that_the_readme_names_is_there() -> None:
    for link in re.findall(r"\]\(((?!http)[^)]+)\)", README):
        assert (ROOT / link).exists(), link


@pytest.mark.slow
def test_the_demo_builds_answers_and_serves(shell: Shell) -> None:
    port = free_port()
    demo = f"retrievals demo --works {WORKS} --port {port}"
    printed = shell.start(demo, until="Ctrl-C ends it")
    assert f"{WORKS} of {WORKS} works" in printed
    assert f"5 of {WORKS} results from release" in printed
    assert "reranked" not in printed  # nothing is left out of it
    health = json.loads(shell.run(f"curl -sf --retry 9 http://127.0.0.1:{port}/health"))
    assert health["works"] == WORKS


def test_the_picture_of_the_terminal_is_of_the_demo_as_it_is() -> None:
    drawn = (ROOT / "docs" / "terminal.svg").read_text(encoding="utf-8").replace("&#160;", " ")
    assert f"{DEFAULT_WORKS} of {DEFAULT_WORKS} works, current in .retrievals/demo" in drawn
    for stage in ("records", "images", "embeddings", "map", "index", "certificate", "checks"):
        assert stage in drawn
