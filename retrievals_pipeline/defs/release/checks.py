"""The blocking checks of the sealed candidate; promotion asks for each one's verdict."""

from collections.abc import Iterator

import dagster as dg

from retrievals_pipeline.defs.metadata import check_result, explanation
from retrievals_pipeline.defs.release.assets import release_candidate
from retrievals_pipeline.defs.release.candidate import read_candidate
from retrievals_pipeline.defs.release.verification import CHECKS, checks
from retrievals_pipeline.defs.verdict import Verdict
from retrievals_pipeline.progress import track
from retrievals_serving.release import Release, read_checks, record_check
from retrievals_serving.settings import Settings

# They read all vectors, of the index or of the shards that it was made of. Neither changes what was
# sealed: where its files are whole, what passed once is not looked at again.
OF_VECTORS = frozenset({"index", "search"})


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec(
            name, asset=release_candidate, blocking=True, description=explanation(check)
        )
        for name, check in CHECKS.items()
    ]
)
def release_checks(settings: dg.ResourceParam[Settings]) -> Iterator[dg.AssetCheckResult]:
    """Run every check of the candidate and keep its verdict for the promotion."""
    release = read_candidate(settings.store)
    with track("checks", len(CHECKS)) as advance:
        verdicts: dict[str, Verdict] = {}
        for name, check in checks(settings).items():
            is_looked_at = name not in OF_VECTORS or not verdicts["files"].passed
            verdict = None if is_looked_at else _passed_before(release, name)
            verdicts[name] = verdict = verdict or check(release)
            record_check(
                settings.store,
                release.release_id,
                name,
                passed=verdict.passed,
                details=verdict.details,
            )
            advance(1)
    for name, verdict in verdicts.items():
        yield check_result(verdict, name=name, release=release.release_id)


def _passed_before(release: Release, name: str) -> Verdict | None:
    """Return the verdict with which `release` passed the check `name` already, if it did."""
    kept = read_checks(release.store, release.release_id)[name]
    return Verdict(passed=True, details=kept["details"]) if kept and kept["passed"] else None
