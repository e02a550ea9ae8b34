"""The IIIF server shows the pictures of its folder, and nothing else of the disk."""

import http.client
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from retrievals_pipeline.miniature.iiif.pictures import FolderPictures
from retrievals_serving.errors import PictureError, SettingsError


@pytest.mark.parametrize("tail", ["", "/info.json", "/full/max/0/default.jpg"])
@pytest.mark.parametrize("identifier", ["unknown", "notes", "notes.txt", "wide.png", ".", "a b"])
def test_an_unknown_picture_is_not_found(server: str, identifier: str, tail: str) -> None:
    response = requests.get(f"{server}/iiif/{identifier}{tail}", timeout=10)
    assert response.status_code == 404


@pytest.mark.parametrize(
    "identifier",
    [
        "..%2fsecret",
        "%2e%2e%2fsecret",
        "..",
        "../secret",
        "..%5csecret",
        "%2fetc%2fpasswd",
        "a%00b",
    ],
)
def test_no_identifier_leaves_the_folder(server: str, identifier: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(server).netloc, timeout=10)  # sends it as is
    connection.request("GET", f"/iiif/{identifier}/full/max/0/default.png")
    response = connection.getresponse()
    body = response.read()
    connection.close()
    assert response.status == 404
    assert not body.startswith(b"\x89PNG")


def test_no_identifier_opens_a_file_outside_the_folder(folder: Path) -> None:
    source = FolderPictures(folder)
    for identifier in ("../secret", str(folder.parent / "secret"), "..", "", "wide/../wide"):
        assert source.version(identifier) is None
        assert source.open(identifier) is None


def test_a_damaged_picture_is_an_error_of_its_own(server: str, folder: Path) -> None:
    assert requests.get(f"{server}/iiif/torn/info.json", timeout=10).status_code == 500
    assert requests.get(f"{server}/iiif/tall/info.json", timeout=10).status_code == 200
    with pytest.raises(PictureError, match=r"torn\.jpg"):
        FolderPictures(folder).open("torn")


def test_a_source_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="nowhere"):
        FolderPictures(tmp_path / "nowhere")
