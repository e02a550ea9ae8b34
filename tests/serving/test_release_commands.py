"""`retrievals releases`, as it is typed."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from retrievals_serving.promotion import hold
from retrievals_serving.release import (
    INDEX,
    REQUIRED_CHECKS,
    Release,
    current_release_id,
    record_check,
)
from retrievals_serving.store import Store
from tests.serving.small_release import RELEASE, make_release
from tests.serving.test_serving_commands import main

LATER = "20260102T000000Z-000000000002"


@pytest.fixture(autouse=True)
def in_a_terminal(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("RETRIEVALS_HOME", str(home))
    monkeypatch.setenv("COLUMNS", "160")


@pytest.fixture
def store(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The test's own home, with a second release that is not served."""
    monkeypatch.setenv("RETRIEVALS_HOME", str(own_home))
    make_release(Store(own_home), LATER, works=12, seed=8)
    return Store(own_home)


def run(*arguments: str, status: int = 0) -> Result:
    result = CliRunner().invoke(main, ["releases", *arguments])
    assert result.exit_code == status, result.output
    assert "Traceback" not in result.output
    return result


def test_releases_list_marks_the_one_that_is_served() -> None:
    (line,) = [line for line in run("list").output.splitlines() if RELEASE in line]
    assert line.split() == ["*", RELEASE, "2026-01-01", "00:00", "60", "words"]
    (row,) = json.loads(run("list", "--json").stdout)
    assert row == {
        "release": RELEASE,
        "current": True,
        "damage": None,
        "works": 60,
        "embedder": "words",
        "created_at": "2026-01-01T00:00:00+00:00",
    }


def test_releases_list_shows_one_that_cannot_be_read_beside_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETRIEVALS_HOME", str(tmp_path))
    Store(tmp_path).write_bytes("releases/later/manifest.json", b'{"schema_version": 99}')
    result = run("list", "--json")
    (row,) = json.loads(result.stdout)
    assert row["release"] == "later"
    assert "schema version 99" in row["damage"]
    assert run("list").exit_code == 0


def test_releases_list_of_an_empty_home_says_how_to_make_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETRIEVALS_HOME", str(tmp_path))
    assert "retrievals build" in run("list").output
    assert json.loads(run("list", "--json").stdout) == []


def test_show_says_what_a_release_is_and_what_its_checks_found(store: Store) -> None:
    record_check(store, LATER, "coverage", passed=False, details={"coverage": 0.5})
    store.remove(f"reports/{LATER}/checks/answers.json")
    served = run("show").output
    assert f"{RELEASE} (served)" in served
    assert "60 of 60" in served
    assert "flat, which finds at least 100.00% of the best 80" in served
    assert served.count("passed") == len(REQUIRED_CHECKS)
    later = run("show", LATER).output
    assert "(served)" not in later
    assert re.search(r"check coverage +failed: {'coverage': 0.5}", later)
    assert re.search(r"check answers +not run", later)


def test_show_as_json_is_the_manifest_and_the_verdicts(store: Store) -> None:
    shown = json.loads(run("show", "--json").stdout)
    assert (shown["release"], shown["current"]) == (RELEASE, True)
    manifest = Release(store, RELEASE).manifest
    assert shown["manifest"] == manifest.model_dump(mode="json")
    assert shown["checks"].keys() == set(REQUIRED_CHECKS)
    assert shown["checks"]["files"] == {"check": "files", "passed": True, "details": {}}


def test_verify_names_each_damage(store: Store) -> None:
    assert f"Release {RELEASE} is whole: 6 files." in run("verify").output
    release = Release(store, LATER)
    content = bytearray(release.path(INDEX).read_bytes())
    content[0] ^= 1
    release.path(INDEX).write_bytes(content)
    release.path("golden.parquet").unlink()
    lines = run("verify", LATER, status=1).stdout.splitlines()
    assert len(lines) == 2
    assert re.match("index.faiss differs from its sha256", lines[0])
    assert lines[1] == "golden.parquet is missing"


def test_verify_reads_the_pictures_where_it_is_asked(store: Store) -> None:
    whole = run("verify", "--pictures").output
    assert f"Release {RELEASE} is whole: 6 files and the pictures of 60 works." in whole
    pictures, thumbnails = store.names("images/*/*"), store.names("thumbnails/*/*")
    store.remove(pictures[0])
    store.path(pictures[1]).write_bytes(b"another")
    store.remove(thumbnails[2])
    assert run("verify").exit_code == 0
    found = {*run("verify", "--pictures", status=1).stdout.splitlines()}
    assert found == {
        f"{pictures[0]} is missing",
        f"{pictures[1]} has another content than its name says",
        f"{thumbnails[2]} is missing",
    }


def test_promote_rollback_and_promote_again(store: Store) -> None:
    assert f"Release {LATER} is current" in run("promote", LATER).output
    assert f"Release {RELEASE} is current" in run("rollback").output
    assert hold(store)
    listed = run("list").output
    assert f"holds {RELEASE}: what builds make waits" in listed
    run("promote", LATER)
    assert current_release_id(store) == LATER
    assert "holds" not in run("list").output


def test_a_refusal_is_one_line(store: Store) -> None:
    refused = run("rollback", status=1)
    assert re.match(f"Error: no release .* was served before {RELEASE}", refused.stderr)
    record_check(store, LATER, "coverage", passed=False, details={"coverage": 0.5})
    assert "coverage failed: {'coverage': 0.5}" in run("promote", LATER, status=1).stderr
    assert "there is no release 'nope'" in run("rollback", "nope", status=1).stderr
    assert current_release_id(store) == RELEASE


def test_prune_says_what_goes_and_why_the_rest_stays(store: Store) -> None:
    dry = run("prune", "--dry-run").output
    assert re.search(rf"^would go +{LATER}", dry, re.MULTILINE)
    assert re.search(rf"^kept +{RELEASE} +served", dry, re.MULTILINE)
    assert re.search(r"^Would free 0\.[1-9] MB", dry, re.MULTILINE)
    assert store.exists(f"releases/{LATER}")
    assert re.search(rf"^removed +{LATER}", run("prune").output, re.MULTILINE)
    assert not store.exists(f"releases/{LATER}")
    assert not store.exists(f"reports/{LATER}")


@pytest.mark.usefixtures("store")
def test_diff_is_from_one_release_to_the_served_one() -> None:
    shown = run("diff", LATER).output
    assert re.search(r"^in +48 +test:1012, test:1013, .*, …$", shown, re.MULTILINE)
    assert re.search(r"^out +0", shown, re.MULTILINE)
    assert re.search(r"^\d\.\d\d +\d\.\d{3} +a lonely boat$", shown, re.MULTILINE)
    found = json.loads(run("diff", LATER, RELEASE, "--json").stdout)
    assert (found["before"], found["after"]) == (LATER, RELEASE)
    assert len(found["works_in"]) == 48
    assert found["churn"][0].keys() == {"query", "overlap", "rbo"}
    assert "name another one" in run("diff", RELEASE, status=2).stderr
