"""What changed from one release to another: works, records, and what the same queries find."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from retrievals_serving.errors import ReleaseDamaged
from retrievals_serving.probes import probe
from retrievals_serving.release import METADATA, Release

TOP = 10  # results of a query whose change a visitor sees
DEPTH = 100  # results that are ranked
PERSISTENCE = 0.9  # of rank-biased overlap: 86 % of its weight is on the first 10 ranks

# What follows from the picture, and the time of an edit, are no edits of a record.
NOT_EDITED = frozenset({"row", "id", "image_sha256", "width", "height", "color", "modified"})
WORKS = """
    select
        id,
        b.id is null as gone,
        a.id is null as come,
        a.image_sha256 <> b.image_sha256 as repictured,
        ({fields_a}) is distinct from ({fields_b}) as edited
    from older.artworks a full join newer.artworks b using (id)
    order by id
"""


@dataclass(frozen=True, kw_only=True)
class Churn:
    """How far apart two releases answer one text.

    Attributes:
        query: The text.
        overlap: Share of the first 10 results that are among the first 10 of the other, 0 to 1.
        rbo: Rank-biased overlap (Webber, Moffat and Zobel 2010) of the first 100, extrapolated,
            with p = 0.9: 1 where they are the same works in the same order.
    """

    query: str
    overlap: float
    rbo: float


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What changed; works by their ids, in order.

    Attributes:
        works_in: Works that are in the second release alone.
        works_out: Works that are in the first alone.
        embedded: Works that have another vector: another picture, or all, of another model.
        edited: Works of which another field of the record changed.
        churn: How the answers to each golden text changed.
    """

    works_in: list[str]
    works_out: list[str]
    embedded: list[str]
    edited: list[str]
    churn: list[Churn]


def compare(before: Release, after: Release) -> Difference:
    """Tell what changed from `before` to `after`.

    Raises:
        ReleaseDamaged: A file of one of them cannot be read.
    """
    works = _works(before, after)
    same_model = (
        before.manifest.embedder.corpus_contract.digest
        == after.manifest.embedder.corpus_contract.digest
    )
    stay = [work for work in works if not work["gone"] and not work["come"]]
    return Difference(
        works_in=[work["id"] for work in works if work["come"]],
        works_out=[work["id"] for work in works if work["gone"]],
        embedded=[work["id"] for work in stay if work["repictured"] or not same_model],
        edited=[work["id"] for work in stay if work["edited"]],
        churn=_churn(before, after),
    )


def rank_biased_overlap(one: Sequence[str], other: Sequence[str], p: float = PERSISTENCE) -> float:
    """Return the extrapolated rank-biased overlap of two rankings of the same length, 0 to 1."""
    depth = min(len(one), len(other))
    agreements = [len(set(one[:rank]) & set(other[:rank])) / rank for rank in range(1, depth + 1)]
    weighted = sum(agreement * p**rank for rank, agreement in enumerate(agreements, 1))
    return float(agreements[-1] * p**depth + (1 - p) / p * weighted)


def _works(before: Release, after: Release) -> list[dict[str, Any]]:
    """Return what became of each work of either release: id, gone, come, repictured, edited."""
    with duckdb.connect() as connection:
        columns = []
        for name, release in (("older", before), ("newer", after)):
            path = release.path(METADATA)
            quoted = str(path).replace("'", "''")
            try:
                connection.execute(f"attach '{quoted}' as {name} (read_only)")
                described = connection.execute(f"describe {name}.artworks").fetchall()
            except duckdb.Error as error:
                raise ReleaseDamaged(
                    f"{path} cannot be read as the records of a release: {error}. Build it again."
                ) from error
            columns.append([column for column, *_ in described])
        older, newer = columns
        fields = [field for field in older if field in newer and field not in NOT_EDITED]
        of_a, of_b = (", ".join(f'{side}."{field}"' for field in fields) for side in "ab")
        found = connection.execute(WORKS.format(fields_a=of_a, fields_b=of_b))
        names = [column for column, *_ in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _churn(before: Release, after: Release) -> list[Churn]:
    """Compare the answers to the texts that are golden in both releases.

    The vectors of the texts are those that the release's own model made.
    """
    older, newer = (
        {each.text: [record["id"] for record in each.records] for each in probe(release, DEPTH)}
        for release in (before, after)
    )
    return [
        Churn(
            query=query,
            overlap=len(set(older[query][:TOP]) & set(newer[query][:TOP]))
            / min(TOP, len(older[query]), len(newer[query])),
            rbo=rank_biased_overlap(older[query], newer[query]),
        )
        for query in older
        if query in newer
    ]
