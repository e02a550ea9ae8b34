"""The blocking checks of the sealed candidate; promotion asks for each one's verdict."""

from collections.abc import Iterator

import dagster as dg

from retrievals_pipeline.defs.metadata import check_result, explanation
from retrievals_pipeline.defs.release.assets import release_candidate
from retrievals_pipeline.defs.release.candidate import read_candidate
from retrievals_pipeline.defs.release.verification import CHECKS, checks
from retrievals_pipeline.progress import track
from retrievals_serving.release import record_check
from retrievals_serving.settings import Settings


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
        verdicts = {}
        for name, check in checks(settings).items():
            verdicts[name] = verdict = check(release)
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
