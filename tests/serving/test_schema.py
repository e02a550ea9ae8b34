"""The service is as its OpenAPI document says, whatever schemathesis makes of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from docs.api import document
from retrievals_serving.api import create_app
from retrievals_serving.http_server import serving
from tests.serving.fake_reranker import FakeReranker, opened

EXAMPLES = 20  # of each operation, beside those at the bounds of its fields


@pytest.fixture(scope="module")
def address(home: Path) -> Iterator[str]:
    limits = {"rerank_deadline": 1e9, "rate_limit": "1000000/second"}
    with (
        opened(home, FakeReranker(), **limits) as engine,
        serving(create_app(engine=engine)) as address,
    ):
        yield address


schema = schemathesis.openapi.from_dict(document())


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_what_is_answered_is_what_the_document_says(case: schemathesis.Case, address: str) -> None:
    # A cursor, JSON in a parameter and a file may be what the schema says and still be refused.
    case.call_and_validate(base_url=address, excluded_checks=[positive_data_acceptance])
