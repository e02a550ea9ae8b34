"""How relevant a work is to what was asked, from its facts: graded 0 to 3.

The grades are those of a judge at a retrieval evaluation: 3 all that was asked, 2 nearly, 1 some of
it, 0 not at all, or something that was ruled out.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from retrievals_pipeline.miniature.truth.facts import Degrees, Fact

NEARLY, PARTLY = 0.75, 0.5
RULED_OUT = 0.5  # from what degree on a fact that was ruled out is there


@dataclass(frozen=True)
class Query:
    """What is asked of a picture: facts that hold, and facts that do not."""

    wanted: tuple[Fact, ...]
    unwanted: tuple[Fact, ...] = ()


def satisfaction(query: Query, degrees: Degrees) -> float:
    """Return to what degree a work is what was asked, 0 to 1."""
    if any(degrees.get(fact, 0) >= RULED_OUT for fact in query.unwanted):
        return 0.0
    if not query.wanted:
        return 1.0
    return sum(degrees.get(fact, 0) for fact in query.wanted) / len(query.wanted)


def relevance(query: Query, degrees: Degrees) -> int:
    """Return the grade of a work, 0 to 3.

    Without what was named first, which is what the picture is to be of, the grade is 1 at most; so
    it is with another number of things than was asked for.
    """
    degree = satisfaction(query, degrees)
    if degree >= 1:
        return 3
    counted = all(degrees.get(fact, 0) >= 1 for fact in query.wanted if fact.facet == "count")
    if degree >= NEARLY and counted and degrees.get(query.wanted[0], 0) >= PARTLY:
        return 2
    return 1 if degree >= PARTLY else 0


def grades(query: Query, works: Iterable[Degrees]) -> list[int]:
    """Return the grade of each work."""
    return [relevance(query, degrees) for degrees in works]
