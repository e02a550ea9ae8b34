"""The page's files over real HTTP: one document for every address, and nothing from elsewhere."""

import re

import httpx
import pytest

from retrievals_serving.api.web import WEB

SCRIPTS = sorted(path.name for path in (WEB / "static").glob("*.js"))


@pytest.mark.parametrize("address", ["/map", "/about", "/works/test:1003", "/works/no such work"])
def test_every_address_of_the_page_gives_its_one_document(
    client: httpx.Client, address: str
) -> None:
    response = client.get(address)
    assert response.status_code == 200
    assert response.text == client.get("/").text
    assert response.headers["cache-control"] == "no-cache"
    assert "script-src 'self'" in response.headers["content-security-policy"]


@pytest.mark.parametrize("address", ["/", "/map", "/about", "/works/test:1003"])
def test_whoever_watches_the_page_may_ask_without_its_body(
    client: httpx.Client, address: str
) -> None:
    response = client.head(address)
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-type"] == client.get(address).headers["content-type"]


def test_what_the_page_loads_is_there_and_nothing_is_from_elsewhere(client: httpx.Client) -> None:
    assert SCRIPTS
    style = client.get("/static/style.css").text
    loaded = {f"/static/{name}" for name in re.findall(r"url\((.+?)\)", style)}
    for script in SCRIPTS:
        text = client.get(f"/static/{script}").text
        imported = re.findall(r"""(?:from|import\()\s?"(.+?)\"""", text)
        assert all(name.startswith("./") for name in imported)
        loaded |= {f"/static/{name[2:]}" for name in imported}
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|\beval\b", text), script
    for address in loaded:
        assert client.get(address).status_code == 200, address
    assert "http" not in style


def test_a_file_of_the_page_is_compressed_and_asked_for_again(client: httpx.Client) -> None:
    response = client.get("/static/app.js")
    assert response.headers["content-encoding"] == "gzip"
    assert response.headers["cache-control"] == "no-cache"
    etag = response.headers["etag"]
    again = client.get("/static/app.js", headers={"If-None-Match": etag})
    assert (again.status_code, again.headers["cache-control"]) == (304, "no-cache")
    assert client.get("/static/fonts/garamond.woff2").headers["content-type"] == "font/woff2"


def test_no_script_has_more_than_300_lines() -> None:
    for script in SCRIPTS:
        assert len((WEB / "static" / script).read_text(encoding="utf-8").splitlines()) <= 300


def test_all_of_the_page_is_at_most_80_kb_as_it_is_sent(client: httpx.Client) -> None:
    files = [path for path in WEB.rglob("*") if path.suffix in {".html", ".css", ".js", ".woff2"}]
    sent = 0
    for path in files:
        address = f"/{path.relative_to(WEB)}" if path.parent != WEB else "/"
        with client.stream("GET", address) as response:
            sent += sum(map(len, response.iter_raw()))
    assert 0 < sent <= 80_000
