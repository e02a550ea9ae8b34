"""What a sealed release answers to its golden texts, without a model: their vectors are kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from retrievals_serving.golden import read_golden
from retrievals_serving.models import truncate
from retrievals_serving.records import Records
from retrievals_serving.release import GOLDEN, RECORDS, Release
from retrievals_serving.vectors import Float32
from retrievals_serving.vectors.faiss_index import open_index

ANSWERS = 10  # works that somebody looks at


@dataclass(frozen=True)
class Probe:
    """A golden text and its best works.

    Attributes:
        name: Name of the golden text.
        text: The text itself.
        scores: float32 (works,), the best first.
        records: Record of each work, with the fields of `pages.Artwork`.
    """

    name: str
    text: str
    scores: Float32
    records: list[Mapping[str, Any]]


def probe(release: Release, k: int = ANSWERS) -> list[Probe]:
    """Search the vectors of `release` for the `k` works that answer each golden text best."""
    golden = read_golden(release.path(GOLDEN))
    texts = [
        (row, item.name, item.text)
        for row, item in enumerate(golden.items)
        if item.text is not None
    ]
    queries = truncate(
        golden.vectors[[row for row, _, _ in texts]], release.manifest.embedder.dimension
    )
    scores, rows = open_index(release).search(queries, k)
    records = Records(release.path(RECORDS))
    return [
        Probe(name, text, best, list(records.at(found)))
        for (_, name, text), best, found in zip(texts, scores, rows, strict=True)
    ]
