"""What kinds of index there are, by name, and the numbers of each that can be set.

`RETRIEVALS_INDEX` is a name, with some of its numbers where they should be others than here, as
`hnsw` or `hnsw:m=32,ef_search=256`; or `auto`, which leaves the choice to the build.
"""

import math
from collections.abc import Mapping

AUTO = "auto"
Number = int | float

# Those that `SearchParameters` has too are of the search, the others shape the file. 0 lists are as
# many as are usual for the number of vectors.
KINDS: Mapping[str, Mapping[str, Number]] = {
    "flat": {},
    "flat-float32": {},
    "sq8": {"k_factor": 1.2},
    "pq4": {"k_factor": 4},
    "ivf-flat": {"lists": 0, "nprobe": 32},
    "ivf-pq4": {"lists": 0, "nprobe": 32, "k_factor": 4},
    "hnsw": {"m": 16, "ef_construction": 200, "ef_search": 128, "k_factor": 1},
}


def parse_index(setting: str) -> tuple[str, dict[str, Number]]:
    """Return the kind that `setting` names, or `auto`, and all its numbers.

    Raises:
        ValueError: There is no such kind, or it has no such number.
    """
    kind, _, told = setting.partition(":")
    if kind not in (AUTO, *KINDS):
        raise ValueError(f"there is no kind {kind!r}; choose {', '.join((AUTO, *KINDS))}")
    numbers = dict(KINDS.get(kind, {}))
    for each in filter(None, told.split(",")):
        name, _, value = each.partition("=")
        if name not in numbers:
            raise ValueError(
                f"of {kind} can be set {', '.join(numbers) or 'nothing'}, not {name!r}"
            )
        numbers[name] = _number(name, value)
    return kind, numbers


def _number(name: str, value: str) -> Number:
    """Return the number that `value` says: any of a factor, a whole one of all else."""
    try:
        number: Number = float(value) if name == "k_factor" else int(value)
    except ValueError:
        number = math.nan
    if not 1 <= number < math.inf:
        raise ValueError(f"{name} must be a number from 1 on, not {value!r}")
    return number
