"""The checks that a sealed candidate must pass before it is served.

Each looks at the release the way serving will, and says in `details` what it saw.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import duckdb
import numpy as np

from retrievals_pipeline.defs.embeddings.vectors import usable_parts
from retrievals_serving.errors import ReleaseError
from retrievals_serving.golden import read_golden
from retrievals_serving.metadata import Metadata
from retrievals_serving.models import truncate
from retrievals_serving.release import GOLDEN, INDEX, METADATA, Release, current_release_id
from retrievals_serving.settings import Settings
from retrievals_serving.store import picture_name, thumbnail_name
from retrievals_serving.vectors.faiss_index import FaissIndex

MINIMUM_SIZE = 0.9  # of the works that the served release could show
TOLERANCE = 1e-3  # in a score: float16 against float32
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
    norms = np.array([np.linalg.norm(index.vector(row)) for row in range(index.count)])
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


def check_golden(release: Release) -> Verdict:
    """Golden vectors are of texts and pictures, finite, of length 1 and of the native dimension."""
    golden = read_golden(release.path(GOLDEN))
    deviation = float(np.abs(np.linalg.norm(golden.vectors, axis=1) - 1).max(initial=0))
    texts = sum(item.text is not None for item in golden.items)
    pictures = sum(item.picture is not None for item in golden.items)
    dimension = golden.vectors.shape[1]
    return Verdict(
        min(texts, pictures) > 0
        and deviation < 1e-5  # NaN is not
        and dimension == release.manifest.embedder.native_dimension,
        {
            "texts": texts,
            "pictures": pictures,
            "dimension": dimension,
            "largest_deviation_of_norm": deviation,
            "made_on": golden.made_on.model_dump(),
        },
    )


def check_coverage(release: Release, minimum: float) -> Verdict:
    """Enough of the works that may be shown are in the release."""
    manifest = release.manifest
    coverage = manifest.works / manifest.eligible
    return Verdict(
        coverage >= minimum,
        {
            "coverage": coverage,
            "minimum": minimum,
            "works": manifest.works,
            "eligible": manifest.eligible,
            "missing": manifest.missing,
        },
    )


def check_size(release: Release) -> Verdict:
    """The museum has not shrunk at once, as after a file cut short, since the served release."""
    manifest = release.manifest
    details = {"eligible": manifest.eligible, "minimum": MINIMUM_SIZE}
    try:
        served = Release(release.store, current_release_id(release.store)).manifest
    except ReleaseError as error:
        # Nothing is served, or what is cannot be read: there is nothing to protect.
        return Verdict(passed=True, details=details | {"served": str(error)})
    # A limit that was asked for is no loss.
    comparable = served.limit == manifest.limit
    return Verdict(
        not comparable or manifest.eligible >= MINIMUM_SIZE * served.eligible,
        details | {"served": served.release_id, "served_eligible": served.eligible},
    )


def check_search(release: Release) -> Verdict:
    """A picture's stored vector finds the work whose record names that picture."""
    index = FaissIndex(release.path(INDEX))
    with duckdb.connect(str(release.path(METADATA)), read_only=True) as connection:
        records = connection.execute("select image_sha256 from artworks order by row").fetchall()
    stored = _stored_vectors(release, [sha for (sha,) in records])
    rows = np.array(sorted(stored))
    vectors = np.stack([stored[row] for row in rows])
    scores, found = index.search(vectors, 1)
    # Two works may show the same picture: then either is right, at the same score.
    own = np.einsum("ij,ij->i", vectors, vectors)
    lost = rows[scores[:, 0] < own - TOLERANCE].tolist()
    at_row = np.stack([index.vector(row) for row in rows.tolist()])
    misplaced = rows[np.einsum("ij,ij->i", vectors, at_row) < own - TOLERANCE].tolist()
    with Metadata(release.path(METADATA)) as metadata:
        unnamed = [
            record["id"] for record in metadata.records(found[:, 0]) if not record["image_url"]
        ]
    return Verdict(
        not lost and not misplaced and not unnamed,
        {
            "probes": len(rows),
            "rows_not_found": lost,
            "rows_of_another_work": misplaced,
            "without_address": unnamed,
        },
    )


def _stored_vectors(release: Release, pictures: list[str]) -> dict[int, np.ndarray]:
    """Return the vectors, as they were embedded, of rows spread over the release.

    `pictures` are the picture hashes of its rows; each vector is float32 (dimension,).
    """
    manifest = release.manifest
    count = min(PROBES, len(pictures))
    wanted = {pictures[row]: row for row in np.linspace(0, len(pictures) - 1, count).astype(int)}
    found = duckdb.execute(
        "select image_sha256, any_value(embedding) from read_parquet($parts) "
        "where list_contains($wanted, image_sha256) group by image_sha256",
        {
            "parts": usable_parts(release.store, manifest.embedder.corpus_contract.digest),
            "wanted": list(wanted),
        },
    ).fetchall()
    native = np.array([vector for _, vector in found], np.float32)
    cut = truncate(native, manifest.embedder.dimension)
    return {wanted[sha]: vector for (sha, _), vector in zip(found, cut, strict=True)}


CHECKS: Mapping[str, Callable[..., Verdict]] = {
    "files": check_files,
    "index": check_index,
    "metadata": check_metadata,
    "golden": check_golden,
    "coverage": check_coverage,
    "size": check_size,
    "search": check_search,
}


def checks(settings: Settings) -> dict[str, Callable[[Release], Verdict]]:
    """Return every check by its name, held to what `settings` ask for."""
    return {**CHECKS, "coverage": partial(CHECKS["coverage"], minimum=settings.min_coverage)}
