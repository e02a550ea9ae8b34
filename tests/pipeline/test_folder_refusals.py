"""What a folder lost, hides or never was takes nothing from what is served."""

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from retrievals_pipeline.build import build
from retrievals_pipeline.cli import main
from retrievals_pipeline.defs.records.folder_artworks import KEPT
from retrievals_pipeline.defs.records.folder_listing import UNREADABLE
from retrievals_pipeline.defs.records.paths import SOURCE
from retrievals_pipeline.source import open_source
from retrievals_serving.errors import BuildError
from retrievals_serving.release import current_release_id
from retrievals_serving.settings import Settings
from tests.conftest import ServedMuseum
from tests.pipeline.folders import edit_a_title, files, folder_of


def test_a_folder_that_lost_a_part_at_once_is_not_served(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the disk below `boats` is not mounted: the folder is there, and empty."""
    served = current_release_id(settings.store)
    boats = folder_of(settings) / "boats"
    boats.rename(folder_of(settings).parent / "away")
    boats.mkdir()
    with pytest.raises(BuildError, match=r"'artworks_have_not_shrunk' did not pass.*mounted") as no:
        build()
    assert "RETRIEVALS_LIMIT" in str(no.value)
    assert current_release_id(settings.store) == served
    (folder_of(settings) / "bad.jpg").unlink()
    monkeypatch.setenv("RETRIEVALS_LIMIT", "9")
    assert build().manifest.works == 8


def test_a_few_of_a_small_folder_may_be_taken_out_at_once(settings: Settings) -> None:
    for name in ("a.PNG", "b.webp"):
        (folder_of(settings) / name).unlink()
    assert build().manifest.works == 12


def test_what_may_not_be_read_any_more_is_served_on_and_told(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, closed = files(settings), folder_of(settings) / "boats"
    opened, scanned = Path.open, os.scandir

    def refuse(path: Path | int) -> None:  # a number is a folder that is open already
        if isinstance(path, Path) and path.is_relative_to(closed):
            raise PermissionError(errno.EACCES, "Permission denied")

    def scan(path: Path | int) -> Any:
        refuse(path)
        return scanned(path)

    def read(path: Path, *args: Any, **kwargs: Any) -> Any:
        refuse(path)
        return opened(path, *args, **kwargs)

    monkeypatch.setattr(os, "scandir", scan)
    monkeypatch.setattr(Path, "open", read)
    monkeypatch.setenv("RETRIEVALS_IMAGE_BOX", "64")  # so that every file is asked for
    release = build()
    assert files(settings) == before
    content = settings.store.read_bytes(f"reports/{release.release_id}/pictures.json")
    listed = {entry["image_url"]: entry for entry in json.loads(content)}
    assert (listed["boats"]["status"], listed["boats"]["remark"]) == ("left_out", UNREADABLE)
    assert listed["boats/1.jpg"]["status"] == "ok"
    assert listed["boats/1.jpg"]["detail"] == "kept, after unreachable: Permission denied"
    assert KEPT in listed["boats/1.jpg"]["remark"]


def test_a_home_of_one_source_refuses_another(
    settings: Settings, served_museum: ServedMuseum, monkeypatch: pytest.MonkeyPatch
) -> None:
    build()  # which notes the folder
    served = current_release_id(settings.store)
    folder = folder_of(settings)
    monkeypatch.setenv("RETRIEVALS_PICTURES", str(folder / "boats"))
    with pytest.raises(BuildError) as caught:
        build()
    assert str(caught.value) == (
        f"refresh_records failed: {settings.store.root} was built from the folder {folder}, not "
        f"from the folder {folder}/boats. Set RETRIEVALS_HOME to another folder, or "
        "RETRIEVALS_PICTURES and RETRIEVALS_NGA_URL as they were. If the collection only moved, "
        f"remove {settings.store.path(SOURCE)}."
    )
    for name, value in served_museum.environment(settings.home).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("RETRIEVALS_PICTURES")
    with pytest.raises(BuildError, match=f"the folder {folder}, not from the museum nga"):
        build()
    retried = CliRunner().invoke(main, ["images", "retry", "--status", "not_an_image"])
    assert retried.exit_code == 1
    assert "was built from the folder" in retried.output
    assert current_release_id(settings.store) == served


@pytest.mark.usefixtures("built")
def test_a_home_of_a_museum_refuses_a_folder(
    original: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETRIEVALS_PICTURES", str(original / "pictures"))
    with pytest.raises(BuildError, match=r"from the museum nga, not from the folder /"):
        build()


def test_a_folder_is_observed_by_what_lies_in_it(settings: Settings) -> None:
    with open_source(settings) as source:
        before = source.versions()
        edit_a_title(folder_of(settings))
        assert source.versions().keys() == before.keys() == {"pictures", "metadata.csv"}
        assert source.versions()["pictures"] == before["pictures"]
        assert source.versions()["metadata.csv"] != before["metadata.csv"]


def test_a_folder_that_is_not_there_is_refused_before_a_build(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["build", "--pictures", str(tmp_path / "nowhere")])
    assert result.exit_code == 2
    assert "nowhere' does not exist" in result.output
