"""A release of simulated works, made of the same stages as any other, to measure at any size.

What it has not is pictures, and a model: it answers `similar`, and no text.
"""

import hashlib
import json
from datetime import UTC

import numpy as np
import pyarrow as pa

from retrievals_pipeline.defs.embeddings.golden import golden_name
from retrievals_pipeline.defs.embeddings.texts import texts_from_elsewhere, write_texts
from retrievals_pipeline.defs.embeddings.vectors import VectorShard
from retrievals_pipeline.defs.index.faiss_index import build_index
from retrievals_pipeline.defs.index.kinds import recipes
from retrievals_pipeline.defs.index.metadata_db import build_metadata
from retrievals_pipeline.defs.index.plan import ReleasePlan, release_id
from retrievals_pipeline.defs.release.candidate import seal_candidate
from retrievals_pipeline.defs.release.verification import checks
from retrievals_pipeline.progress import track
from retrievals_pipeline.simulation.records import MODIFIED, write_records
from retrievals_pipeline.simulation.vectors import BLOCK, Simulation
from retrievals_pipeline.source import remember, require_same
from retrievals_serving.collection_map import CollectionMap, to_steps, write_map
from retrievals_serving.golden import Golden, GoldenItem, write_golden
from retrievals_serving.models import Description
from retrievals_serving.models.contracts import Contract
from retrievals_serving.promotion import promote
from retrievals_serving.release import MAP, GoldenEntry, Release, record_check
from retrievals_serving.settings import Settings

IDENTITY = "works that are simulated"  # as homes note of what they were built
GOLDEN_TEXTS = 12
TEXTS = 300
NEED_PICTURES = frozenset({"metadata", "golden"})
SPREAD = 50  # units of the map that a coordinate of a vector is drawn out to


def simulate_release(settings: Settings, works: int, seed: int = 0) -> Release:
    """Make a release of `works` works in the home of `settings`, and promote it.

    Its vectors have the settings' dimension, and its index is of their kind.

    Raises:
        SettingsError: The home is that of another collection; or as for `kinds.recipes`.
        ReleaseError: It did not pass a check.
    """
    store, dimension = settings.store, settings.dimension
    require_same(IDENTITY, settings)
    tried = recipes(settings.index, works, dimension)
    remember(IDENTITY, settings)
    simulation = Simulation(dimension, seed)
    description = _described(dimension, seed)
    records = write_records(store, works, seed)
    shards, places = _write_vectors(settings, simulation, description, records)
    _write_texts(settings, simulation, description)
    inputs = json.dumps([works, dimension, seed, [str(recipe) for recipe in tried]])
    digest = hashlib.sha256(inputs.encode()).hexdigest()[:12]
    none = pa.nulls(works, pa.string())
    plan = ReleasePlan(
        release_id=release_id(MODIFIED, digest),
        works=pa.table(
            {
                "row": pa.array(range(works), pa.int32()),
                "id": records["id"],
                "image_sha256": records["image_sha256"],
                "width": pa.array(np.full(works, 1024, np.int32)),
                "height": pa.array(np.full(works, 768, np.int32)),
                "color": ["#a86845"] * works,
            }
        ),
        offered=records.append_column("missing", none).append_column("detail", none),
        shards=shards,
        left_out={},
        as_of=MODIFIED.replace(tzinfo=UTC),
        description=description,
        dimension=dimension,
        recipes=tried,
    )
    build_index(store, plan)
    build_metadata(store, plan)
    with store.replacing(f"{plan.staging}/{MAP}") as partial:
        write_map(CollectionMap(records["id"].to_pylist(), places, {}), partial)
    # Of as many as there could be: fewer than before are no loss.
    release, _ = seal_candidate(store, plan, limit=works)
    _check(settings, release)
    return promote(store, release.release_id)


def _described(dimension: int, seed: int) -> Description:
    """Return a model that there is not, so that no other passes for it."""
    contract = Contract({"model": "simulated", "dimension": str(dimension), "seed": str(seed)})
    return Description("simulated", dimension, contract, contract, is_matryoshka=True)


def _write_vectors(
    settings: Settings, simulation: Simulation, description: Description, records: pa.Table
) -> tuple[list[str], np.ndarray]:
    """Keep the vectors as a build keeps them; return the shards and the places of the works."""
    works = records.num_rows
    pairs = list(zip(records["id"].to_pylist(), records["image_sha256"].to_pylist(), strict=True))
    shards = [f"{number}-of-{-(-works // BLOCK)}" for number in range(-(-works // BLOCK))]
    places = []
    with track("vectors", works) as advance:
        for number, vectors in enumerate(simulation.pictures(works)):
            kept = VectorShard(settings.store, description.corpus_contract.digest, shards[number])
            drawn = pairs[number * BLOCK : number * BLOCK + len(vectors)]
            if not kept.pairs().issuperset(drawn):
                kept.append(drawn, vectors)
            places.append(to_steps(SPREAD * vectors[:, :2]))
            advance(len(vectors))
    return shards, np.concatenate(places)


def _write_texts(settings: Settings, simulation: Simulation, description: Description) -> None:
    """Keep golden vectors and text vectors as a build keeps them."""
    drawn = np.concatenate(list(simulation.texts(TEXTS)))
    items = tuple(GoldenItem(f"text {row}", text=f"text {row}") for row in range(GOLDEN_TEXTS))
    made_on = GoldenEntry(device="none", dtype="float32", libraries={})
    with settings.store.replacing(golden_name(description)) as partial:
        write_golden(Golden(items, drawn[:GOLDEN_TEXTS], made_on), partial)
    others = texts_from_elsewhere()
    of_others = np.concatenate([*simulation.texts_from_elsewhere(len(others))])
    own = {f"text {row}": vector for row, vector in enumerate(drawn.astype(np.float16))}
    by_chance = dict(zip(others, of_others.astype(np.float16), strict=True))
    write_texts(settings.store, description, own, by_chance)


def _check(settings: Settings, release: Release) -> None:
    """Run the checks that need no picture, and let the others stand as passed, with the reason."""
    for name, check in checks(settings).items():
        if name in NEED_PICTURES:
            passed, details = True, {"not_looked_at": "simulated works have no pictures"}
        else:
            verdict = check(release)
            passed, details = verdict.passed, dict(verdict.details)
        record_check(settings.store, release.release_id, name, passed=passed, details=details)
