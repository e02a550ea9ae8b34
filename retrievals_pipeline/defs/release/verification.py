"""The checks that a sealed candidate must pass before it is served.

Each looks at the release the way serving will, and says in `details` what it saw.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import duckdb
import numpy as np

from retrievals_serving.metadata import Metadata
from retrievals_serving.release import INDEX, METADATA, Release
from retrievals_serving.store import picture_name, thumbnail_name
from retrievals_serving.vectors.faiss_index import FaissIndex

MINIMUM_COVERAGE = 0.9
PROBES = 64


@dataclass(frozen=True)
class Verdict:
    """What a check found."""

    passed: bool
    details: dict[str, Any] = field(default_factory=dict)


def check_files(release: Release) -> Verdict:
    """Every file has the size and sha256 that the manifest names."""
    problems = release.damage()
    return Verdict(not problems, {"files": len(release.manifest.files), "problems": problems})


def check_index(release: Release) -> Verdict:
    """The index has a unit vector of the right width for each work."""
    index = FaissIndex(release.path(INDEX))
    manifest = release.manifest
    norms = np.linalg.norm(_probes(index)[1], axis=1)
    deviation = float(np.abs(norms - 1).max())
    return Verdict(
        index.count == manifest.works
        and index.dimension == manifest.embedder.dimension
        and deviation < 1e-2,
        {
            "vectors": index.count,
            "works": manifest.works,
            "dimension": index.dimension,
            "largest_deviation_of_norm": deviation,
        },
    )


def check_metadata(release: Release) -> Verdict:
    """Rows are dense, ids unique and in order, and every picture is in the store."""
    with duckdb.connect(str(release.path(METADATA)), read_only=True) as connection:
        rows = connection.execute(
            "select row, id, image_sha256 from artworks order by row"
        ).fetchall()
    ids = [id_ for _, id_, _ in rows]
    pictures = {
        sha: release.store.exists(picture_name(sha)) and release.store.exists(thumbnail_name(sha))
        for _, _, sha in rows
    }
    lost = [sha for sha, there in pictures.items() if not there]
    return Verdict(
        [row for row, _, _ in rows] == list(range(release.manifest.works))
        and ids == sorted(set(ids))
        and not lost,
        {"rows": len(rows), "works": release.manifest.works, "pictures_lost": lost[:10]},
    )


def check_coverage(release: Release) -> Verdict:
    """Enough of the works that may be shown are in the release."""
    manifest = release.manifest
    coverage = manifest.works / manifest.eligible
    return Verdict(
        coverage >= MINIMUM_COVERAGE,
        {
            "coverage": coverage,
            "minimum": MINIMUM_COVERAGE,
            "works": manifest.works,
            "eligible": manifest.eligible,
            "missing": manifest.missing,
        },
    )


def check_search(release: Release) -> Verdict:
    """A work's own vector finds the work, and its record is the one of that row."""
    index = FaissIndex(release.path(INDEX))
    rows, vectors = _probes(index)
    scores, found = index.search(vectors, 1)
    # Two works may show the same picture: then either is right, at the same score.
    own = np.einsum("ij,ij->i", vectors, vectors)
    lost = rows[scores[:, 0] < own - 1e-3].tolist()
    with Metadata(release.path(METADATA)) as metadata:
        records = metadata.records(found[:, 0])
    unnamed = [record["id"] for record in records if not record["image_url"]]
    return Verdict(
        not lost and not unnamed,
        {"probes": len(rows), "rows_not_found": lost, "without_address": unnamed},
    )


def _probes(index: FaissIndex) -> tuple[np.ndarray, np.ndarray]:
    """Return rows spread over the whole index, (n,) int, and their vectors, (n, d) float32."""
    rows = np.linspace(0, index.count - 1, min(PROBES, index.count)).astype(int)
    return rows, np.stack([index.vector(int(row)) for row in rows])


CHECKS: Mapping[str, Callable[[Release], Verdict]] = {
    "files": check_files,
    "index": check_index,
    "metadata": check_metadata,
    "coverage": check_coverage,
    "search": check_search,
}
