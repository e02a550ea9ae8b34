"""The verdicts on the stored vectors, which stand for as long as no part of them changes.

    embeddings/<corpus contract>/passed.json    which parts were looked at, and what was measured

To look at all vectors means to read them all, which a build that changes none need not do.
"""

import hashlib
import json
from collections.abc import Sequence
from importlib.metadata import version

from retrievals_pipeline.defs.embeddings.vectors import VectorShard
from retrievals_pipeline.defs.embeddings.verification import check_variety, check_vectors, survey
from retrievals_pipeline.defs.verdict import Verdict
from retrievals_serving.models import Description
from retrievals_serving.store import Store


def verdicts_on(
    store: Store, shards: Sequence[str], description: Description
) -> dict[str, Verdict]:
    """Return the verdict of each check of the vectors of `shards`, by its name.

    They are read if a part was written, replaced or removed since all checks passed.
    """
    contract = description.corpus_contract.digest
    name = f"embeddings/{contract}/passed.json"
    state = _state(store, contract, shards)
    if kept := _kept(store, name, state):
        return kept
    seen = survey(store, shards, description)
    verdicts = {
        "vectors_are_sound": check_vectors(seen),
        "vectors_differ": check_variety(seen, store),
    }
    if all(verdict.passed for verdict in verdicts.values()) and not seen.unreadable:
        details = {check: verdict.details for check, verdict in verdicts.items()}
        store.write_bytes(name, json.dumps({"state": state, "details": details}).encode())
    return verdicts


def _kept(store: Store, name: str, state: str) -> dict[str, Verdict] | None:
    """Return the verdicts that are kept under `name`, if they are on vectors in this `state`."""
    try:
        kept = json.loads(store.read_bytes(name))
    except (FileNotFoundError, ValueError):
        return None
    if kept["state"] != state:
        return None
    return {check: Verdict(passed=True, details=seen) for check, seen in kept["details"].items()}


def _state(store: Store, contract: str, shards: Sequence[str]) -> str:
    """Return a hash that is another one when a part is, or the program that judges them."""
    digest = hashlib.sha256(version("retrievals").encode())
    for shard in shards:
        for part in VectorShard(store, contract, shard).parts():
            stat = store.path(part).stat()
            digest.update(f"{part} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()
