"""Serving's commands, as they are typed."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from retrievals_serving import RetrievalsError
from retrievals_serving.cli import COMMANDS, RetrievalsGroup
from retrievals_serving.promotion import rollback
from retrievals_serving.release import INDEX, Release
from retrievals_serving.store import Store
from tests.serving.fake_reranker import FakeReranker
from tests.serving.small_release import RELEASE, WordEmbedder, make_release

main = RetrievalsGroup("retrievals", commands={str(command.name): command for command in COMMANDS})


@pytest.fixture(autouse=True)
def words_for_a_model(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setattr("retrievals_serving.queries.load_embedder", lambda *_, **__: WordEmbedder())
    monkeypatch.setenv("RETRIEVALS_HOME", str(home))
    monkeypatch.setenv("RETRIEVALS_RERANKER", "none")
    monkeypatch.setenv("COLUMNS", "160")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_search_shows_what_it_found_in_order() -> None:
    result = run("search", "stormy boat", "--top-k", "3")
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    places = [result.output.index(text) for text in ("\n1 ", "\n2 ", "\n3 ")]
    assert places == sorted(places)
    for text in ("1.000", "Stormy boat", "test:10", "https://museum.example/artworks/", RELEASE):
        assert text in result.output


def test_search_says_when_nothing_fits() -> None:
    said = "nothing fits better than chance"
    assert said in run("search", "tax return").output
    assert said not in run("search", "boat").output
    nobody = run("search", "boat", "--filters", '{"artist": "nobody"}')
    assert said not in nobody.output  # the words are not to blame


def test_search_as_json_is_the_page_of_the_api() -> None:
    filters = {"classification": "Print"}
    result = run("search", "boat", "--json", "--filters", json.dumps(filters))
    page = json.loads(result.stdout)
    assert page["results"][0].keys() == {
        *("id", "rank", "score", "vector_score", "rerank_score", "conditions", "metadata")
    }
    assert {one["metadata"]["classification"] for one in page["results"]} == {"Print"}


@pytest.fixture
def reranker(monkeypatch: pytest.MonkeyPatch) -> FakeReranker:
    """The reranker of the settings."""
    fake = FakeReranker(lambda *_: 0.125)
    monkeypatch.setattr("retrievals_serving.reranking.load_reranker", lambda *_, **__: fake)
    monkeypatch.setattr("retrievals_serving.reranking.monotonic", fake.monotonic)
    monkeypatch.setenv("RETRIEVALS_RERANKER", "some/reranker")
    return fake


def test_search_shows_what_the_reranker_thought(
    reranker: FakeReranker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETRIEVALS_RERANK_DEADLINE", "1.5")
    reranker.seconds = 0.5
    result = run("search", "stormy boat", "--top-k", "5")
    assert result.exit_code == 0, result.output
    heading, *lines, summary = result.output.splitlines()
    assert heading.split() == ["score", "vector", "reranker", "work"]
    scores = [line.split()[1:4] for line in lines if re.match("[1-5] ", line)]
    vector = float(scores[0][1])
    assert float(scores[0][0]) == pytest.approx(0.6 * 0.125 + 0.4 * vector, abs=1e-3)
    assert [thought for _, _, thought in scores] == ["0.125"] * 3 + ["–"] * 2
    assert re.search(r"in \d+ ms; 5% reranked \(deadline\)", summary)


def test_search_without_the_reranker_loads_none(reranker: FakeReranker) -> None:
    result = run("search", "stormy boat", "--no-rerank")
    assert result.exit_code == 0, result.output
    assert result.output.split()[:2] == ["score", "work"]
    assert reranker.asked == []


def test_search_looks_where_it_is_told(home: Path, tmp_path: Path) -> None:
    assert "retrievals build" in run("search", "boat", "--home", str(tmp_path)).stderr
    told = ["search", "boat", "--home", str(home), "--release"]
    assert run(*told, RELEASE).exit_code == 0
    assert "there is no release 'nope'" in run(*told, "nope").stderr


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["search", " "], 1, "Error: query: expected 1 to 512 characters, got 0.\n"),
        (["search", "a", "--filters", '{"painter": 1}'], 1, "Error: filters: there is no field"),
        (["search", "a", "--filters", "[1]"], 2, "'[1]' is not a JSON object"),
        (["search", "a", "--filters", "{"], 2, "'{' is not JSON"),
        (["search", "a", "--top-k", "0"], 2, "0 is not in the range 1<=x<=100"),
    ],
)
def test_a_mistake_is_one_line_and_an_exit_status(
    arguments: list[str], status: int, message: str
) -> None:
    result = run(*arguments)
    assert result.exit_code == status
    assert message in result.stderr
    assert "Traceback" not in result.output


def test_an_error_of_many_lines_is_shown_as_one() -> None:
    @click.command()
    def fail() -> None:
        raise RetrievalsError("first\n  second")

    result = CliRunner().invoke(RetrievalsGroup("group", commands={"fail": fail}), ["fail"])
    assert (result.exit_code, result.stderr) == (1, "Error: first second\n")


def test_doctor_is_content_with_what_works() -> None:
    result = run("doctor")
    assert result.exit_code == 0, result.output
    programs = ("python", "faiss", "torch", "dagster")
    for check in (*programs, "settings", "home", "embedder", "reranker", "records"):
        assert re.search(rf"^(ok|warning) +{check} ", result.output, re.MULTILINE), check
    assert f"{RELEASE}, 60 works" in result.output


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("RETRIEVALS_DIMENSON", "1", "Did you mean RETRIEVALS_DIMENSION?"),
        ("RETRIEVALS_XYZZY", "1", "nothing reads RETRIEVALS_XYZZY"),
        ("RETRIEVALS_EMBEDDER", "some/unknown-model", "not in the cache of the hub"),
        ("RETRIEVALS_RERANKER", "some/unknown-model", "reranker some/unknown-model is not in the"),
        ("RETRIEVALS_NGA_URL", "https://museum.example/data", "(not asked now)"),
        ("RETRIEVALS_PICTURES", ".", "the folder of pictures ."),
    ],
)
def test_doctor_warns_of_what_may_be_meant(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv(variable, value)
    result = run("doctor")
    assert result.exit_code == 0, result.output
    assert said in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("RETRIEVALS_EMBEDDER", "no such model", "Set RETRIEVALS_EMBEDDER to a folder"),
        ("RETRIEVALS_RERANKER", "no such model", "Set RETRIEVALS_RERANKER to a folder"),
        ("RETRIEVALS_NGA_URL", "/nowhere", "/nowhere holds no objects.csv"),
        ("RETRIEVALS_PICTURES", "/nowhere", "/nowhere is no folder"),
        ("RETRIEVALS_HOME", "/proc/version/home", "Set RETRIEVALS_HOME to another folder"),
        ("RETRIEVALS_WINDOW", "many", "RETRIEVALS_WINDOW: Input should be a valid integer"),
        ("RETRIEVALS_REDIS_URL", "nowhere", "RETRIEVALS_REDIS_URL: it is no address of a Redis"),
        ("RETRIEVALS_LLM_URL", "http://127.0.0.1:9/v1", "set without RETRIEVALS_LLM_MODEL"),
        ("RETRIEVALS_WARM_QUERIES", "/nowhere", "/nowhere is no text that can be read"),
    ],
)
def test_doctor_fails_on_what_is_needed_and_says_how_to_mend_it(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv(variable, value)
    result = run("doctor")
    assert result.exit_code == 1
    assert said in " ".join(result.output.split())


def test_doctor_fails_on_what_is_not_installed_for_what_is_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RETRIEVALS_LLM_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("RETRIEVALS_LLM_MODEL", "some-model")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    content = run("doctor")
    assert content.exit_code == 0, content.output
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    monkeypatch.setattr("retrievals_serving.explanations.find_spec", lambda _: None)
    result = run("doctor")
    assert result.exit_code == 1
    said = " ".join(result.output.split())
    for extra in ("explanations", "telemetry"):
        assert f"pip install 'retrievals[{extra}]'" in said


def test_doctor_finds_a_damaged_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    release = make_release(store, works=3)
    store.write_bytes("releases/CURRENT", RELEASE.encode())
    Release(store, release.release_id).path(INDEX).write_bytes(b"short")
    monkeypatch.setenv("RETRIEVALS_HOME", str(tmp_path))
    result = run("doctor")
    assert result.exit_code == 1
    assert "and has 5" in " ".join(result.output.split())


def test_doctor_says_that_a_rollback_holds_the_release(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETRIEVALS_HOME", str(own_home))
    rollback(Store(own_home), RELEASE)
    result = run("doctor")
    assert result.exit_code == 0, result.output
    assert re.search(r"^warning +release ", result.output, re.MULTILINE)
    assert f"holds {RELEASE}: what builds make waits" in " ".join(result.output.split())


def test_doctor_reads_the_env_file_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from retrievals_serving.settings import Settings

    (tmp_path / ".env").write_text("RETRIEVALS_WINDOWS=5\n")
    monkeypatch.setitem(Settings.model_config, "env_file", tmp_path / ".env")
    assert "Did you mean RETRIEVALS_WINDOW?" in " ".join(run("doctor").output.split())


def test_serve_says_that_a_port_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("serve", "--port", str(port))
    assert result.exit_code == 1
    expected = f"cannot listen on port {port} of 127.0.0.1: it is in use; stop what does"
    assert expected in result.stderr


def test_serve_prints_its_address_answers_and_ends_cleanly_on_ctrl_c(tmp_path: Path) -> None:
    program = "from retrievals_serving.cli import serve; serve()"
    command = [sys.executable, "-c", program, "--port", "0"]
    environment = os.environ | {"RETRIEVALS_HOME": str(tmp_path)}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout
        line = server.stdout.readline()
        assert line.startswith("Retrievals on http://127.0.0.1:")
        with pytest.raises(urllib.error.HTTPError) as unavailable:
            urllib.request.urlopen(f"{line.split()[2]}/health", timeout=60)
        assert json.load(unavailable.value)["status"] == "unavailable"
        server.send_signal(signal.SIGINT)
        _, log = server.communicate(timeout=60)
    assert server.returncode == 0
    assert "Traceback" not in log
