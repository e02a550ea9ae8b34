"""Pictures and the page, over real HTTP: what may be kept for ever, and what no path reaches."""

import json
import socket

import httpx
import pytest

from retrievals_serving import SearchEngine


@pytest.mark.parametrize("kind", ["thumbnail", "image"])
def test_a_picture_is_what_was_stored_and_may_be_kept_for_ever(
    client: httpx.Client, engine: SearchEngine, kind: str
) -> None:
    sha = engine.artwork("test:1005").thumbnail_url.removeprefix("/thumbnails/")
    suffix, media_type = {"thumbnail": ("webp", "image/webp"), "image": ("jpg", "image/jpeg")}[kind]
    response = client.get(f"/{kind}s/{sha}")
    stored = engine.release.store.read_bytes(f"{kind}s/{sha[:2]}/{sha}.{suffix}")
    assert response.content == stored
    assert response.headers["content-type"] == media_type
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert response.headers["etag"] == f'"{sha}"'
    for known in (f'"{sha}"', f'"x", W/"{sha}"', "*"):
        again = client.get(f"/{kind}s/{sha}", headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == f'"{sha}"'
    changed = client.get(f"/{kind}s/{sha}", headers={"If-None-Match": f'"{"0" * 64}"'})
    assert changed.content == stored


def raw_get(client: httpx.Client, path: str) -> bytes:
    """Send a path as it is; a client would tidy it up first."""
    address = (client.base_url.host, client.base_url.port or 80)
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/thumbnails/../../releases/CURRENT", 404),
        ("/thumbnails/..%2f..%2freleases%2fCURRENT", 404),
        ("/images/%2e%2e/%2e%2e/releases/CURRENT", 404),
        ("/images//etc/passwd", 404),
        ("/images/..", 422),
        ("/images/" + "A" * 64, 422),
        ("/images/" + "a" * 63, 422),
        ("/images/" + "a" * 64 + "%0a", 422),
        ("/images/" + "a" * 64 + ".jpg", 422),
        ("/images/" + "0" * 64, 404),
        ("/static/../index.html", 404),
        ("/static/..%2f..%2fsettings.py", 404),
    ],
)
def test_no_path_leads_to_another_file(client: httpx.Client, path: str, status: int) -> None:
    head, body = raw_get(client, path).split(b"\r\n\r\n", 1)
    assert int(head.split()[1]) == status
    assert b"application/problem+json" in head
    assert json.loads(body)["status"] == status


def test_the_page_comes_from_this_server_alone(client: httpx.Client) -> None:
    response = client.get("/")
    assert response.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert response.headers["cache-control"] == "no-cache"
    assert "http" not in response.text
    assert "<style" not in response.text
    assert "style=" not in response.text
    for name in ("style.css", "app.js", "icon.svg"):
        assert f'"/static/{name}"' in response.text
        assert client.get(f"/static/{name}").status_code == 200
    assert "innerHTML" not in client.get("/static/app.js").text
