"""The map over HTTP: places and colours as they were built, asked for once a release."""

from typing import Any

import httpx
import numpy as np
import pytest

from retrievals_serving import SearchEngine
from tests.serving.small_release import RELEASE, WORKS


def test_the_map_has_every_place_colour_and_id(
    client: httpx.Client, records: list[dict[str, Any]]
) -> None:
    content = client.get("/map.bin").content
    (count,) = np.frombuffer(content, "<u4", 1)
    assert count == WORKS
    places = np.frombuffer(content, "<i2", 2 * count, 4).reshape(-1, 2)
    assert places.tolist() == [[64 * row, 0] for row in range(WORKS)]
    colors = np.frombuffer(content, np.uint8, 3 * count, 4 + 4 * count).reshape(-1, 3)
    assert colors.tolist() == [[0xA8, 0x68, 0x45]] * WORKS
    ids = content[4 + 7 * int(count) :].decode().split("\n")
    assert ids == [record["id"] for record in records]


def test_the_map_is_sent_once_and_then_confirmed(client: httpx.Client) -> None:
    response = client.get("/map.bin")
    assert response.headers["etag"] == f'W/"{RELEASE}"'
    assert response.headers["content-encoding"] == "gzip"
    plain = client.get("/map.bin", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == response.content
    again = client.get("/map.bin", headers={"If-None-Match": response.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    strong = client.get("/map.bin", headers={"If-None-Match": f'"{RELEASE}"'})
    assert strong.status_code == 304
    other = client.get("/map.bin", headers={"If-None-Match": 'W/"another"'})
    assert other.status_code == 200


def test_the_records_of_some_works_come_as_they_are_named(
    client: httpx.Client, engine: SearchEngine
) -> None:
    works = client.get("/artworks", params={"id": ["test:1007", "test:1003"]}).json()
    assert [work["id"] for work in works] == ["test:1007", "test:1003"]
    assert works[1]["metadata"] == engine.artwork("test:1003").metadata
    assert client.get("/artworks", params={"id": "test:1"}).status_code == 404


@pytest.mark.parametrize("count", [0, 101])
def test_too_many_works_at_once_are_refused(client: httpx.Client, count: int) -> None:
    response = client.get("/artworks", params={"id": ["test:1003"] * count})
    assert response.status_code == 422
