"""Known queries are answered ahead for the release being served, and keep nobody waiting."""

import threading
from pathlib import Path

import pytest

from retrievals_serving import SearchEngine, Settings
from retrievals_serving.api import create_app
from retrievals_serving.api.answers import Answers
from retrievals_serving.promotion import promote, rollback
from retrievals_serving.store import Store
from tests.serving.client import client_of
from tests.serving.switch.asking import FIRST, SECOND, until_served

KNOWN = ["boat", "horse", "calm"]


@pytest.mark.usefixtures("loads")
def test_a_rollback_waits_for_no_known_query_and_ends_those_of_the_release_before(
    settings: Settings, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered: list[tuple[str, str]] = []
    may_go, are_done = threading.Event(), threading.Event()
    answer_ahead = Answers.answer_ahead

    def held(answers: Answers, engine: SearchEngine, query: str) -> None:
        """Answer, of `SECOND` only when the test says so."""
        release_id = engine.release.release_id
        answered.append((release_id, query))
        if release_id == SECOND:
            assert may_go.wait(60)
        answer_ahead(answers, engine, query)
        if (release_id, query) == (FIRST, KNOWN[-1]):
            are_done.set()

    monkeypatch.setattr(Answers, "answer_ahead", held)
    known = tmp_path / "known.txt"
    known.write_text("\n".join(KNOWN), encoding="utf-8")
    promote(store, SECOND)
    with client_of(create_app(settings.model_copy(update={"warm_queries": known}))) as client:
        while not answered:
            threading.Event().wait(0.001)
        assert rollback(store).release_id == FIRST
        until_served(client, FIRST)
        assert are_done.wait(60)
        may_go.set()
        while any(thread.name == "known" for thread in threading.enumerate()):
            threading.Event().wait(0.001)
    assert answered == [(SECOND, "boat"), *((FIRST, query) for query in KNOWN)]
