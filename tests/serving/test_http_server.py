"""A server listens where it is told, by IPv4 and IPv6, or says what hinders it and what helps."""

import errno
import socket

import httpx
import pytest
from fastapi import FastAPI

from retrievals_serving import SearchEngine, Settings
from retrievals_serving.api import create_app
from retrievals_serving.errors import SettingsError
from retrievals_serving.http_server import serving
from tests.serving.guarded import WORK, from_address


def takes_ipv6() -> bool:
    """Whether this machine has an address of IPv6 for itself."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return socket.has_dualstack_ipv6()


needs_ipv6 = pytest.mark.skipif(not takes_ipv6(), reason="this machine has no IPv6")


@needs_ipv6
def test_an_address_of_ipv6_is_listened_on_and_told_as_one_can_ask_it() -> None:
    with serving(FastAPI(), host="::1") as address:
        assert address.startswith("http://[::1]:")
        assert httpx.get(f"{address}/openapi.json").status_code == 200


@needs_ipv6
def test_every_address_is_also_those_of_ipv4_and_a_proxy_there_is_believed(
    engine: SearchEngine,
) -> None:
    limits = {"rate_limit": "1/day", "trusted_proxies": "127.0.0.0/8"}
    app = create_app(Settings.load(home=engine.settings.home, **limits), engine)
    with serving(app, host="::") as address:
        assert address.startswith("http://[::]:")
        url = f"http://127.0.0.1:{address.rpartition(':')[2]}{WORK}"
        asked = [
            httpx.get(url, headers=from_address(f"192.0.2.{last}")).status_code
            for last in (1, 2, 1)
        ]
    assert asked == [200, 200, 429]


def test_a_host_that_is_another_machine_is_refused_with_what_helps() -> None:
    with (
        pytest.raises(SettingsError, match="choose an address of this machine with --host"),
        serving(FastAPI(), host="192.0.2.1"),
    ):
        pass


def test_a_port_of_the_administrator_is_refused_with_what_helps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> socket.socket:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket, "create_server", refuse)
    said = "port 80 of 127.0.0.1: it is kept for the administrator; choose one over 1023"
    with pytest.raises(SettingsError, match=said), serving(FastAPI(), port=80):
        pass
