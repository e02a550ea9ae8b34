"""The index of a planned release."""

import dataclasses
import logging

import pytest

from retrievals_pipeline.defs.index import faiss_index as module
from retrievals_pipeline.defs.index.faiss_index import build_index
from retrievals_serving.settings import Settings
from tests.index.test_plan import plan


@pytest.mark.parametrize(
    ("is_matryoshka", "dimension", "warned"),
    [(False, 32, True), (False, 128, False), (True, 32, False)],
)
def test_cutting_the_vectors_of_a_model_not_trained_for_it_is_said(
    built: Settings,
    caplog: pytest.LogCaptureFixture,
    is_matryoshka: bool,
    dimension: int,
    warned: bool,
) -> None:
    planned = plan(built, dimension)
    described = dataclasses.replace(planned.description, is_matryoshka=is_matryoshka)
    renamed = dataclasses.replace(planned, description=described, release_id="another")
    with caplog.at_level(logging.WARNING, logger=module.__name__):
        build_index(built.store, renamed)
    assert ("Set RETRIEVALS_DIMENSION to 128" in caplog.text) is warned
