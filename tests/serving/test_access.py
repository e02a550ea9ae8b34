"""Where keys are set, the API answers who has one, and the visitors of its page."""

import hmac
import re
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from retrievals_serving import SearchEngine
from retrievals_serving.api.visitors import COOKIE, LIFE
from retrievals_serving.cli import keys as keys_command
from tests.serving.guarded import KEY, KEYS, OTHER, WORK, Clock, guarded, with_key
from tests.serving.test_api import problem


@pytest.fixture(scope="module")
def locked(engine: SearchEngine) -> Iterator[httpx.Client]:
    """A service with two keys, and limits that no test here reaches."""
    with guarded(engine, api_keys=KEYS, visitor_limit="1000/second") as client:
        yield client


@pytest.fixture(autouse=True)
def no_cookies_of_another_test(locked: httpx.Client) -> Iterator[None]:
    yield
    locked.cookies.clear()


def test_without_keys_everyone_may_ask_and_gets_no_cookie(client: httpx.Client) -> None:
    page = client.get("/")
    assert page.status_code == client.get(WORK).status_code == 200
    assert "set-cookie" not in page.headers


@pytest.mark.parametrize("key", [KEY, OTHER])
@pytest.mark.parametrize(
    "header", [("Authorization", "Bearer {}"), ("authorization", "bearer  {}"), ("X-API-Key", "{}")]
)
def test_a_key_opens_the_api_however_it_is_sent(
    locked: httpx.Client, header: tuple[str, str], key: str
) -> None:
    name, value = header
    assert locked.get(WORK, headers={name: value.format(key)}).status_code == 200


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({}, "needs an API key"),
        ({"Authorization": "Bearer"}, "needs an API key"),
        ({"Authorization": f"Basic {KEY}"}, "needs an API key"),
        ({"X-API-Key": ""}, "needs an API key"),
        (with_key(KEY[:-1]), "not known"),
        (with_key(KEY + "a"), "not known"),
        (with_key(sha256(KEY.encode()).hexdigest()), "not known"),
        (with_key("curator"), "not known"),
        ({"X-API-Key": KEY.upper()}, "not known"),
        ({"X-API-Key": b"\xff\xfe"}, "not known"),
    ],
)
def test_a_request_without_a_known_key_is_refused(
    locked: httpx.Client, headers: Any, said: str
) -> None:
    response = locked.post("/search", json={"query": "boat"}, headers=headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert said in problem(response)["detail"]


def test_a_key_that_is_not_known_is_refused_to_a_visitor_too(locked: httpx.Client) -> None:
    locked.get("/")
    assert locked.get(WORK).status_code == 200
    assert locked.get(WORK, headers=with_key("a guess")).status_code == 401


def test_every_key_is_compared_whichever_it_is(
    engine: SearchEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = []

    def comparing(one: str, other: str) -> bool:
        compared.append(other)
        return one == other

    with guarded(engine, api_keys=KEYS, visitors=False) as client:
        monkeypatch.setattr(hmac, "compare_digest", comparing)
        for key in (KEY, OTHER, "a guess"):
            client.get(WORK, headers=with_key(key))
    assert len(compared) == 3 * 2


def test_a_name_may_have_two_keys_while_its_holder_changes_them(engine: SearchEngine) -> None:
    both = ",".join(f"curator:{sha256(key).hexdigest().upper()}" for key in (b"one", b"another"))
    with guarded(engine, api_keys=f" {both} ,", rate_limit="2/hour") as client:
        for key, status in (("one", 200), ("another", 200), ("one", 429)):
            assert client.get(WORK, headers=with_key(key)).status_code == status


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/map", "/about", "/works/test:1001", "/health", "/openapi.json"),
        *("/static/app.js", "/thumbnails/" + "0" * 64, "/images/" + "0" * 64),
    ],
)
def test_the_page_and_its_pictures_are_open(locked: httpx.Client, path: str) -> None:
    assert locked.get(path).status_code in {200, 404}


@pytest.mark.parametrize(
    "path",
    [
        *("/stats", "/facets?field=artist", WORK, f"{WORK}/similar", "/metrics", "/search"),
        *("/nothing", "/healthz", "/static", "/maps", "/openapi.json/", "/works/", "/static/%0a"),
    ],
)
def test_everything_else_is_closed(locked: httpx.Client, path: str) -> None:
    assert locked.get(path).status_code == 401


def test_metrics_are_for_keys_and_not_for_visitors(locked: httpx.Client) -> None:
    locked.get("/")
    assert locked.get("/metrics").status_code == 401
    assert locked.get("/metrics", headers=with_key(KEY)).status_code != 401


def test_metrics_are_open_where_no_keys_are_set(client: httpx.Client) -> None:
    assert client.get("/metrics").status_code != 401


def given_cookie(response: httpx.Response) -> dict[str, str]:
    """The cookie that an answer sets, and its attributes, by their names in lower case."""
    parts = [part.strip().partition("=") for part in response.headers["set-cookie"].split(";")]
    return {name.lower(): value for name, _, value in parts}


def test_the_page_makes_who_loads_it_a_visitor(locked: httpx.Client) -> None:
    page = locked.get("/")
    cookie = given_cookie(page)
    value = cookie.pop(COOKIE)
    assert cookie == {"max-age": str(LIFE), "path": "/", "httponly": "", "samesite": "Strict"}
    assert "private" in page.headers["cache-control"]
    locked.cookies.clear()
    assert locked.get(WORK).status_code == 401
    answer = locked.get(WORK, headers={"Cookie": f"a=b; {COOKIE}={value}"})
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers


def test_a_visitors_cookie_stays_on_https_where_it_was_given_there(engine: SearchEngine) -> None:
    with guarded(engine, api_keys=KEYS, trusted_proxies="127.0.0.1") as client:
        assert "secure" in given_cookie(client.get("/", headers={"X-Forwarded-Proto": "https"}))
        assert "secure" not in given_cookie(client.get("/", headers={"X-Forwarded-Proto": "http"}))


def test_every_visitor_is_another(locked: httpx.Client) -> None:
    cookies = set()
    for _ in range(3):
        cookies.add(given_cookie(locked.get("/"))[COOKIE])
        locked.cookies.clear()
    assert len(cookies) == 3


@pytest.mark.parametrize(
    "forge",
    [
        lambda _: "",
        lambda _: "..",
        lambda _: "a.1.é",
        lambda value: value[:-1],
        lambda value: value + "A",
        lambda value: "A" + value,
        lambda value: re.sub(r"\.(\d+)\.", lambda issued: f".{int(issued[1]) + 9}.", value),
        lambda value: value.rpartition(".")[0] + ".",
    ],
)
def test_a_cookie_changed_anywhere_is_none(locked: httpx.Client, forge: Any) -> None:
    forged = forge(given_cookie(locked.get("/"))[COOKIE])
    locked.cookies.clear()
    header = {"Cookie": f"{COOKIE}={forged}".encode()}
    assert locked.get(WORK, headers=header).status_code == 401


def test_a_cookie_signed_with_another_secret_is_none(
    engine: SearchEngine, locked: httpx.Client
) -> None:
    with guarded(engine, api_keys=KEYS, secret="another secret, also 32 characters") as other:
        other.get("/")
        assert other.get(WORK).status_code == 200
        locked.cookies = other.cookies
        assert locked.get(WORK).status_code == 401


@pytest.mark.parametrize(
    ("site", "status"),
    [("same-origin", 200), ("none", 200), ("same-site", 401), ("cross-site", 401)],
)
def test_another_site_cannot_ask_as_its_visitor(
    locked: httpx.Client, site: str, status: int
) -> None:
    locked.get("/")
    assert locked.get(WORK, headers={"Sec-Fetch-Site": site}).status_code == status


def test_a_cookie_holds_for_an_hour_and_is_renewed_in_its_second_half(
    engine: SearchEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    with guarded(engine, api_keys=KEYS) as client:
        first = given_cookie(client.get("/"))[COOKIE]
        clock.now += LIFE // 2 - 1
        for path in ("/", WORK):
            assert "set-cookie" not in client.get(path).headers
        clock.now += 1
        renewed = given_cookie(client.get(WORK))[COOKIE]
        assert renewed != first
        assert renewed.split(".")[0] == first.split(".")[0]
        client.cookies.clear()
        old, young = ({"Cookie": f"{COOKIE}={value}"} for value in (first, renewed))
        assert given_cookie(client.get("/", headers=old))[COOKIE] == renewed
        clock.now += LIFE // 2 - 1
        assert client.get(WORK, headers=old).status_code == 200
        clock.now += 1
        assert client.get(WORK, headers=old).status_code == 401
        assert client.get(WORK, headers=young).status_code == 200


def test_visitors_can_be_left_out(engine: SearchEngine) -> None:
    with guarded(engine, api_keys=KEYS, visitors=False) as client:
        assert "set-cookie" not in client.get("/").headers
        assert client.get(WORK).status_code == 401


def test_the_command_makes_a_key_that_the_setting_knows(engine: SearchEngine) -> None:
    result = CliRunner().invoke(keys_command, ["new", "reading-room"])
    assert result.exit_code == 0, result.output
    key, entry = (line.rpartition(": ")[2] for line in result.output.splitlines())
    assert entry.startswith("reading-room:")
    assert key not in entry
    assert len(key) == 43  # 256 bits in base64
    with guarded(engine, api_keys=f"{KEYS},{entry}") as client:
        assert client.get(WORK, headers=with_key(key)).status_code == 200
        assert client.get(WORK, headers=with_key(KEY)).status_code == 200
    assert key not in CliRunner().invoke(keys_command, ["new", "reading-room"]).output


@pytest.mark.parametrize("name", ["", "a:b", "a,b", "é", "a b", "a" * 65])
def test_a_name_that_the_setting_cannot_hold_gets_no_key(name: str) -> None:
    result = CliRunner().invoke(keys_command, ["new", name])
    assert result.exit_code == 2
    assert "letters, digits" in result.output
