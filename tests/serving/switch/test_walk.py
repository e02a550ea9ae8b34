"""An answer is walked to its end while the server goes on to other releases."""

import pytest

from retrievals_serving import Settings
from retrievals_serving.api import create_app
from retrievals_serving.promotion import promote
from retrievals_serving.store import Store
from tests.serving.client import client_of
from tests.serving.fake_reranker import FakeReranker
from tests.serving.switch.asking import FIRST, SECOND, THIRD, search, until_served
from tests.serving.test_api import post
from tests.serving.test_health import wait_for


@pytest.mark.usefixtures("loads")
def test_each_work_comes_once_from_the_release_where_the_answer_began(
    store: Store, settings: Settings, reranker: FakeReranker, monkeypatch: pytest.MonkeyPatch
) -> None:
    reranker.seconds = 0.125  # so that the deadline leaves candidates out
    monkeypatch.setattr("retrievals_serving.reranking.load_reranker", lambda *_, **__: reranker)
    reranking = settings.model_copy(update={"reranker": "some/reranker", "rerank_deadline": 1.5})
    promotions = iter([SECOND, THIRD])
    with client_of(create_app(reranking)) as client:
        wait_for(client, "ok")
        page = search(client, "boat")
        assert page["degraded"] == ["deadline"]
        window, results = page["window"], page["results"]
        while page["cursor"]:
            if release := next(promotions, None):
                promote(store, release)
                until_served(client, release)
            more = {"query_vector": page["query_vector"], "cursor": page["cursor"]}
            page = post(client, "/search-more", **more)
            assert page["release"] == FIRST
            results += page["results"]
        assert search(client, "boat")["release"] == THIRD
    assert next(promotions, None) is None
    assert [result["rank"] for result in results] == list(range(1, window + 1))
    assert len({result["id"] for result in results}) == window == 40
