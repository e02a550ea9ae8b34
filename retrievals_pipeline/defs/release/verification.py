"""The checks that a sealed candidate must pass before it is served.

Each looks at the release the way serving will, and says in `details` what it saw.
"""

import secrets
from collections.abc import Callable, Mapping
from functools import partial

import duckdb
import numpy as np

from retrievals_pipeline.defs.index.metadata_db import SHOWN
from retrievals_pipeline.defs.index.verification import (
    TOLERANCE,
    rows_of_another_work,
    stored_vectors,
)
from retrievals_pipeline.defs.records import verification
from retrievals_pipeline.defs.verdict import Verdict
from retrievals_serving.certificate import JUDGED
from retrievals_serving.engine import SearchEngine
from retrievals_serving.errors import ReleaseError
from retrievals_serving.golden import read_golden
from retrievals_serving.probes import probe
from retrievals_serving.records import COLUMNS, Records, read_table
from retrievals_serving.release import GOLDEN, METADATA, RECORDS, SCORES, Release
from retrievals_serving.relevance import ScoreDistribution
from retrievals_serving.settings import Settings
from retrievals_serving.store import picture_name, thumbnail_name
from retrievals_serving.vectors.faiss_index import open_index

# `auto` asks for 0.99. Whoever names a kind of index may trade some of it for time or memory, but
# of what is reranked no more than one in ten.
LEAST_RECALL = 0.9


def check_files(release: Release) -> Verdict:
    """Every file has the size and sha256 that the manifest names."""
    problems = release.damage()
    return Verdict(not problems, {"files": len(release.manifest.files), "problems": problems})


def check_index(release: Release) -> Verdict:
    """The index has a unit vector of the right width for each work; their mean is on record."""
    index = open_index(release)
    manifest = release.manifest
    norms, total = np.empty(index.count), np.zeros(index.dimension)
    for row in range(index.count):
        vector = index.vector(row)
        norms[row], total = np.linalg.norm(vector), total + vector
    deviation = float(np.abs(norms - 1).max())
    drift = ScoreDistribution.read(release.path(SCORES)).mean_differs(total / index.count)
    return Verdict(
        index.count == manifest.works
        and index.dimension == manifest.embedder.dimension
        and deviation < 1e-2
        and drift < TOLERANCE,
        {
            "vectors": index.count,
            "works": manifest.works,
            "dimension": index.dimension,
            "largest_deviation_of_norm": deviation,
            "mean_of_scores_differs_by": drift,
        },
    )


def check_metadata(release: Release) -> Verdict:
    """Rows are dense, ids unique and in order, as shown as on record; pictures are in the store."""
    with duckdb.connect(str(release.path(METADATA)), read_only=True) as connection:
        rows = connection.execute(
            "select row, id, image_sha256 from artworks order by row"
        ).fetchall()
        recorded = connection.execute(SHOWN).to_arrow_table()
    shown = read_table(release.path(RECORDS))
    differing = [name for name in COLUMNS if shown[name] != recorded[name]]
    ids = [id_ for _, id_, _ in rows]
    pictures = {
        sha: release.store.exists(picture_name(sha)) and release.store.exists(thumbnail_name(sha))
        for _, _, sha in rows
    }
    lost = [sha for sha, there in pictures.items() if not there]
    return Verdict(
        [row for row, _, _ in rows] == list(range(release.manifest.works))
        and ids == sorted(set(ids))
        and not differing
        and not lost,
        {
            "rows": len(rows),
            "works": release.manifest.works,
            "pictures_lost": lost[:10],
            "columns_shown_otherwise": differing,
        },
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


def check_certificate(release: Release) -> Verdict:
    """The index was measured to find nearly all that there is, for pictures, texts and filters."""
    certificate = release.manifest.index.certificate
    found = {each.name: round(each.recall[JUDGED], 4) for each in certificate.measures}
    return Verdict(
        certificate.lowest >= LEAST_RECALL,
        {"least": LEAST_RECALL, f"recall@{JUDGED}": found},
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
    """The collection has not shrunk at once, as with a file cut short, since the served release."""
    manifest = release.manifest
    return verification.check_size(release.store, eligible=manifest.eligible, limit=manifest.limit)


def check_search(release: Release) -> Verdict:
    """A picture's stored vector finds the work whose record names that picture."""
    index = open_index(release)
    embedder = release.manifest.embedder
    with duckdb.connect(str(release.path(METADATA)), read_only=True) as connection:
        records = connection.execute("select image_sha256 from artworks order by row").fetchall()
    stored = stored_vectors(
        release.store,
        embedder.corpus_contract.digest,
        [sha for (sha,) in records],
        dimension=embedder.dimension,
    )
    rows = np.array(sorted(stored))
    vectors = np.stack([stored[row] for row in rows])
    scores, found = index.search(vectors, 1)
    # Two works may show the same picture: then either is right, at the same score.
    own = np.einsum("ij,ij->i", vectors, vectors)
    lost = rows[scores[:, 0] < own - TOLERANCE].tolist()
    misplaced = rows_of_another_work(index, stored)
    named = Records(release.path(RECORDS)).at(found[:, 0])
    unnamed = [record["id"] for record in named if not record["image_url"]]
    return Verdict(
        not lost and not misplaced and not unnamed,
        {
            "probes": len(rows),
            "rows_not_found": lost,
            "rows_of_another_work": misplaced,
            "without_address": unnamed,
        },
    )


def check_answers(release: Release) -> Verdict:
    """It opens as a server opens it, and every golden text is answered with works and records."""
    nobodys = secrets.token_hex()  # no cursor leaves this process
    settings = Settings.load(home=release.store.root, secret=nobodys)
    try:
        SearchEngine.open(release=release.release_id, settings=settings).close()
    except ReleaseError as error:
        return Verdict(passed=False, details={"problem": str(error)})
    probes = probe(release)
    incomparable = [
        each.name
        for each in probes
        if not (np.abs(each.scores) <= 1 + TOLERANCE).all()  # NaN is not
    ]
    untitled = [record["id"] for each in probes for record in each.records if not record["title"]]
    return Verdict(
        not incomparable and not untitled,
        {
            "queries": len(probes),
            "answers_to_each": min((len(each.records) for each in probes), default=0),
            "best_scores": {each.name: round(float(each.scores[0]), 3) for each in probes},
            "without_comparable_scores": incomparable,
            "untitled": untitled[:10],
        },
    )


CHECKS: Mapping[str, Callable[..., Verdict]] = {
    "files": check_files,
    "index": check_index,
    "metadata": check_metadata,
    "golden": check_golden,
    "certificate": check_certificate,
    "coverage": check_coverage,
    "size": check_size,
    "search": check_search,
    "answers": check_answers,
}


def checks(settings: Settings) -> dict[str, Callable[[Release], Verdict]]:
    """Return every check by its name, held to what `settings` ask for."""
    return {**CHECKS, "coverage": partial(CHECKS["coverage"], minimum=settings.min_coverage)}
