"""The museum's web server: records, pages, and how it starts and stops."""

import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner
from PIL import Image

from retrievals_pipeline.miniature.cli import museum as museum_command
from retrievals_pipeline.miniature.iiif.pictures import FolderPictures
from retrievals_pipeline.miniature.iiif.server import museum_app
from retrievals_pipeline.miniature.museum import RECORDS, MiniatureMuseum
from retrievals_serving.errors import SettingsError
from retrievals_serving.http_server import run, serving


@pytest.fixture(scope="module")
def museum() -> MiniatureMuseum:
    return MiniatureMuseum(works=10)


@pytest.fixture(scope="module")
def server(museum: MiniatureMuseum) -> Iterator[str]:
    with serving(museum_app(museum)) as address:
        yield address


@pytest.mark.parametrize("name", RECORDS)
def test_the_records_are_served_with_what_a_refresh_needs(
    server: str, museum: MiniatureMuseum, name: str
) -> None:
    url = f"{server}/opendata/{name}"
    first = requests.get(url, timeout=10)
    assert first.content == museum.records(name)
    assert first.headers["content-type"] == "text/csv; charset=utf-8"
    etag, modified = first.headers["etag"], first.headers["last-modified"]
    for held in (
        {"If-None-Match": etag},
        {"If-Modified-Since": modified},
        {"If-None-Match": etag, "If-Modified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"},
    ):
        again = requests.get(url, headers=held, timeout=10)
        assert (again.status_code, again.content) == (304, b"")
    for stale in (
        {"If-None-Match": '"other"'},
        {"If-None-Match": '"other"', "If-Modified-Since": modified},
        {"If-Modified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"},
        {"If-Modified-Since": "yesterday"},
    ):
        assert requests.get(url, headers=stale, timeout=10).status_code == 200
    head = requests.head(url, timeout=10)
    assert head.content == b""
    assert head.headers["content-length"] == str(len(first.content))


def test_more_works_are_another_etag(server: str) -> None:
    with serving(museum_app(MiniatureMuseum(works=11))) as other:
        etags = {
            requests.head(f"{address}/opendata/objects.csv", timeout=10).headers["etag"]
            for address in (server, other)
        }
    assert len(etags) == 2


def test_a_file_that_is_not_there_is_not_found(server: str) -> None:
    response = requests.get(f"{server}/opendata/media_items.csv", timeout=10)
    assert response.status_code == 404
    assert "media_items.csv" in response.text


def test_a_published_picture_is_served_and_not_enlarged(
    server: str, museum: MiniatureMuseum
) -> None:
    view = museum.picture_of(1031)  # one of the smaller ones
    assert view is not None
    info = requests.get(f"{server}/iiif/{view.uuid}/info.json", timeout=10).json()
    assert (info["width"], info["height"]) == view.size
    url = f"{server}/iiif/{view.uuid}/full/!1024,1024/0/default.jpg"
    with Image.open(requests.get(url, stream=True, timeout=10).raw) as picture:
        assert max(picture.size) == max(view.size) == 900


def test_the_page_of_a_work_shows_it_with_every_word_escaped(
    server: str, museum: MiniatureMuseum
) -> None:
    work, view = museum.work(1051), museum.picture_of(1051)
    assert work is not None
    assert view is not None
    assert '"' in work.title
    response = requests.get(f"{server}/artworks/1051", timeout=10)
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert work.title.replace('"', "&quot;") in response.text
    assert work.title not in response.text
    assert f"/iiif/{view.uuid}/full/!1024,1024/0/default.jpg" in response.text
    assert f"{work.artist.name}, {work.date.display}" in response.text


def test_a_work_without_title_or_picture_has_a_page_too(server: str) -> None:
    assert "<h1>Untitled</h1>" in requests.get(f"{server}/artworks/1061", timeout=10).text
    assert "<img" not in requests.get(f"{server}/artworks/1012", timeout=10).text
    assert requests.get(f"{server}/artworks/7", timeout=10).status_code == 404
    assert requests.get(f"{server}/artworks/seven", timeout=10).status_code == 404


def test_robots_are_welcome(server: str) -> None:
    assert requests.get(f"{server}/robots.txt", timeout=10).text == "User-agent: *\nAllow: /\n"


def test_a_folder_of_pictures_is_served_without_records(tmp_path: Path) -> None:
    with serving(museum_app(FolderPictures(tmp_path))) as address:
        assert requests.get(f"{address}/opendata/objects.csv", timeout=10).status_code == 404
        assert requests.get(f"{address}/robots.txt", timeout=10).status_code == 200


def test_a_server_leaves_nothing_behind(museum: MiniatureMuseum) -> None:
    app = museum_app(museum)
    before = set(threading.enumerate())
    with requests.Session() as session:
        with serving(app) as address:
            uuid = museum.records("published_images.csv").decode().splitlines()[1][:36]
            assert session.get(f"{address}/iiif/{uuid}/info.json", timeout=10).status_code == 200
        assert_ended(set(threading.enumerate()) - before)
        with pytest.raises(requests.ConnectionError):
            session.get(f"{address}/robots.txt", timeout=10)


def test_a_server_stops_when_its_block_fails(museum: MiniatureMuseum) -> None:
    before = set(threading.enumerate())
    with pytest.raises(ZeroDivisionError), serving(museum_app(museum)):
        _ = 1 / 0
    assert_ended(set(threading.enumerate()) - before)


def assert_ended(threads: set[threading.Thread]) -> None:
    assert "museum" not in {thread.name for thread in threads}
    for thread in threads:
        thread.join(10)  # an idle worker is told to end, and may need a moment
        assert not thread.is_alive()


def test_two_servers_run_side_by_side(museum: MiniatureMuseum, server: str) -> None:
    with serving(museum_app(museum)) as other:
        assert other != server
        for address in (server, other):
            assert requests.get(f"{address}/robots.txt", timeout=10).status_code == 200


def test_a_port_that_is_taken_is_refused_with_its_number(museum: MiniatureMuseum) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"port {port} of 127.0.0.1: it is in use"):
            run(museum_app(museum), "127.0.0.1", port, tell=pytest.fail)
        with (
            pytest.raises(SettingsError, match=f"port {port}"),
            serving(museum_app(museum), port=port),
        ):
            pass


def test_the_command_serves_until_ctrl_c_and_ends_cleanly() -> None:
    code = "from retrievals_pipeline.miniature.cli import museum; museum()"
    command = [sys.executable, "-c", code, "serve", "--works", "3", "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(4)]
        assert re.fullmatch(r"Works:    http://127\.0\.0\.1:[1-9]\d*/artworks/1001\n", told[3])
        answer = requests.get(told[3].split()[-1], timeout=10)
        assert answer.status_code == 200
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")


def test_the_command_writes_the_records(tmp_path: Path) -> None:
    result = CliRunner().invoke(museum_command, ["records", str(tmp_path), "--works", "3"])
    assert result.exit_code == 0
    expected = MiniatureMuseum(works=3)
    for name in RECORDS:
        assert (tmp_path / name).read_bytes() == expected.records(name)
        assert name in result.output


def test_the_command_takes_a_folder_or_a_number_of_works(tmp_path: Path) -> None:
    arguments = ["serve", "--pictures", str(tmp_path), "--works", "3"]
    result = CliRunner().invoke(museum_command, arguments)
    assert result.exit_code == 2
    assert "--works" in result.output
