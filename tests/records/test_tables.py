"""A museum whose tables are not to be had says whether a later try may help."""

from pathlib import Path

import pytest

from retrievals_pipeline.defs.records.tables import fetch_tables
from retrievals_serving.errors import SourceError, SourceUnavailable
from retrievals_serving.store import Store
from tests.images.conftest import serving, status


@pytest.mark.parametrize(
    ("code", "may_pass"),
    [(404, False), (403, False), (408, True), (425, True), (429, True), (500, True), (503, True)],
)
def test_what_may_pass_is_unavailable_and_what_lasts_is_not(
    tmp_path: Path, code: int, may_pass: bool
) -> None:
    with serving() as museum:
        museum.answers["/objects.csv"] = status(code)
        with pytest.raises(SourceError, match=f"objects.csv cannot be read: {code}") as caught:
            fetch_tables(museum.address, Store(tmp_path))
    assert isinstance(caught.value, SourceUnavailable) == may_pass
