"""A server does not start with settings that are malformed or unsafe, and says what to do."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from retrievals_serving.api import create_app
from retrievals_serving.cli import doctor, serve
from retrievals_serving.errors import SettingsError
from retrievals_serving.http_client import is_loopback_host
from retrievals_serving.settings import Settings
from retrievals_serving.settings.safety import require_safe, unsafe
from tests.serving.guarded import KEY, KEYS, SECRET


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("api_keys", KEY, "entry 1 is not `<name>:<sha256"),
        ("api_keys", f"{KEYS},{KEY}", "entry 3"),
        ("api_keys", f"{KEYS},a b:{'0' * 64}", "entry 3"),
        ("api_keys", f"curator:{'0' * 63}", "entry 1"),
        ("api_keys", " , ", "names no key"),
        ("bench_key", f"{KEY}\n", "on one line"),
        ("trusted_proxies", "*", r"\* lets everyone"),
        ("trusted_proxies", "10.0.0.1, 0.0.0.0/0", "0.0.0.0/0 lets everyone"),
        ("trusted_proxies", "::/0", "::/0 lets everyone"),
        ("trusted_proxies", "nginx", "'nginx' does not appear to be"),
        ("trusted_proxies", "10.0.0.1/8", "10.0.0.1/8 has host bits set"),
        ("cors_origins", "museum.example", "museum.example is no origin"),
        ("cors_origins", "https://*.museum.example", "museum.example is no origin"),
        ("cors_origins", "https://Museum.example", "in lower case"),
        ("cors_origins", "HTTPS://museum.example", "in lower case"),
        ("cors_origins", "https://museum.example/", "museum.example/ is no origin"),
    ],
)
def test_a_malformed_setting_is_named_with_its_remedy(setting: str, value: str, said: str) -> None:
    with pytest.raises(SettingsError, match=rf"RETRIEVALS_{setting.upper()}: .*{said}") as refused:
        Settings.load(**{setting: value})
    assert KEY not in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"secret": "s" * 31}, "RETRIEVALS_SECRET has 31 characters"),
        ({"cors_origins": "https://a.example,*", "api_keys": KEYS}, "RETRIEVALS_CORS_ORIGINS is *"),
        ({"warm_queries": "known.txt", "cache_ttl": 0}, "RETRIEVALS_WARM_QUERIES is set while"),
    ],
)
def test_unsafe_settings_make_no_server(changes: dict[str, Any], said: str) -> None:
    settings = Settings.load(**changes)
    with pytest.raises(SettingsError) as refused:
        create_app(settings)
    assert said in str(refused.value)
    assert "s" * 31 not in str(refused.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"secret": SECRET, "api_keys": KEYS, "cors_origins": "https://a.example,http://b:3000"},
        {"cors_origins": "*"},
        {"trusted_proxies": "10.0.0.1, 192.168.0.0/16, 2001:db8::/32"},
        {"api_keys": KEYS},
    ],
)
def test_safe_settings_are_let_through(changes: dict[str, Any]) -> None:
    require_safe(Settings.load(**changes), host="127.0.0.1")


def test_a_server_that_others_reach_has_a_secret() -> None:
    with pytest.raises(SettingsError, match=r"RETRIEVALS_SECRET is not set, and --host 0\.0\.0\.0"):
        require_safe(Settings.load(), host="0.0.0.0")
    require_safe(Settings.load(secret=SECRET), host="0.0.0.0")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        *(("127.0.0.1", True), ("127.8.0.1", True), ("::1", True), ("localhost", True)),
        *(("0.0.0.0", False), ("::", False), ("", False), ("10.0.0.1", False)),
        ("museum.example", False),
    ],
)
def test_only_this_machine_reaches_loopback(host: str, expected: bool) -> None:
    assert is_loopback_host(host) is expected


def test_every_problem_is_told_at_once() -> None:
    settings = Settings.load(secret="short", cors_origins="*", api_keys=KEYS)
    assert len(unsafe(settings)) == 2


def test_serve_refuses_and_doctor_reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETRIEVALS_HOME", str(tmp_path))
    refused = CliRunner().invoke(serve, ["--host", "0.0.0.0", "--port", "0"])
    assert isinstance(refused.exception, SettingsError)
    monkeypatch.setenv("RETRIEVALS_SECRET", "short")
    monkeypatch.setenv("COLUMNS", "160")
    report = CliRunner().invoke(doctor)
    assert report.exit_code == 1
    assert "RETRIEVALS_SECRET has 5 characters" in " ".join(report.output.split())
