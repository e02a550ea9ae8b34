"""How each kind of index is built with FAISS, and which kinds `auto` tries."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from retrievals_serving.errors import SettingsError
from retrievals_serving.vectors import SearchParameters
from retrievals_serving.vectors.kinds import AUTO, KINDS, parse_index

# Keys of FAISS's index factory; `half` is half of the vectors' dimension.
KEYS = {
    "flat": "SQfp16",
    "flat-float32": "Flat",
    "sq8": "SQ8,Refine(SQfp16)",
    "pq4": "PQ{half}x4fs,Refine(SQfp16)",
    "ivf-flat": "IVF{lists},SQfp16",
    "ivf-pq4": "IVF{lists},PQ{half}x4fs,Refine(SQfp16)",
    "hnsw": "HNSW{m}_SQ8,Refine(SQfp16)",
}
# An exact search of so many vectors takes a millisecond or two.
FLAT_BELOW = 10_000
MEDIUM = ("pq4", "pq4:k_factor=16", "sq8")
# The scan of all codes of so many takes longer than that of some inverted lists.
LISTS_FROM = 1_000_000
LARGE = ("ivf-pq4:nprobe=128", "ivf-pq4:nprobe=512", *MEDIUM)
VECTORS_A_CENTROID = 39  # fewer place it badly, which FAISS warns of
LEAST_FOR_CODES = 16 * VECTORS_A_CENTROID


@dataclass(frozen=True)
class Recipe:
    """An index that can be built of a collection, and how it is then searched.

    Attributes:
        kind: Its name.
        build: The numbers that shape it.
        search: Those of a search.
        key: FAISS's name of it.
    """

    kind: str
    build: Mapping[str, int]
    search: SearchParameters
    key: str

    @property
    def shape(self) -> tuple[object, ...]:
        """All that the file depends on, beside the vectors."""
        return self.key, *self.build.items()

    def __str__(self) -> str:
        """Return it as the setting would name it, with every number."""
        numbers = {**vars(self.search), **self.build}
        told = ",".join(f"{name}={numbers[name]:g}" for name in KINDS[self.kind])
        return f"{self.kind}:{told}" if told else self.kind


def recipes(setting: str, count: int, dimension: int) -> list[Recipe]:
    """Return what `setting` asks to be tried for `count` vectors, the cheapest search first.

    For `auto` the last one is exact. Nothing here depends on the machine: the same vectors have
    the same index everywhere.

    Raises:
        SettingsError: The kind is not one for such vectors.
    """
    if setting == AUTO:
        tried = LARGE if count >= LISTS_FROM else MEDIUM if count > FLAT_BELOW else ()
        fitting = [each for each in tried if "pq4" not in each or dimension % 2 == 0]
        return [_recipe(each, count, dimension) for each in (*fitting, "flat")]
    recipe = _recipe(setting, count, dimension)
    if "pq4" in recipe.kind and (dimension % 2 or count < LEAST_FOR_CODES):
        raise SettingsError(
            f"RETRIEVALS_INDEX: {recipe.kind} is for {LEAST_FOR_CODES} works or more of an even "
            f"dimension; there are {count} of dimension {dimension}. Choose another, or {AUTO}."
        )
    return [recipe]


def _recipe(setting: str, count: int, dimension: int) -> Recipe:
    kind, numbers = parse_index(setting)
    if numbers.get("lists") == 0:
        numbers["lists"] = _usual_lists(count)
    search = {name: numbers.pop(name) for name in vars(SearchParameters()) if name in numbers}
    build = {name: int(value) for name, value in numbers.items()}
    return Recipe(
        kind=kind,
        build=build,
        search=SearchParameters(**search),  # type: ignore[arg-type]
        key=KEYS[kind].format(half=dimension // 2, **build),
    )


def _usual_lists(count: int) -> int:
    """Return a power of two near 4 √count, or fewer where a list would have too few vectors."""
    return max(1, min(1 << round(math.log2(4 * math.sqrt(count))), count // VECTORS_A_CENTROID))
