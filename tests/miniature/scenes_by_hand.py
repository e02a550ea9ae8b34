"""Scenes and works for tests of what is true, asked and said."""

from collections.abc import Iterator

from retrievals_pipeline.miniature.scenes import Scene, Subject, scene
from retrievals_pipeline.miniature.truth.facts import Degrees, facts

GREY = {"grey": 0.6, "white": 0.3, "blue": 0.1}
SEED = 71  # of drawn scenes; neither the museum's nor the training's


def made(*subjects: Subject, setting: str = "open sea", **other: str) -> Scene:
    """Return a scene of `subjects`; a calm, clear noon in oil, unless said otherwise."""
    chosen = {
        "time_of_day": "noon",
        "weather": "clear",
        "season": "",
        "mood": "calm",
        "palette": "vivid",
        "manner": "oil",
    }
    return Scene(seed=1, subjects=subjects, setting=setting, **(chosen | other))


def boats(count: int, color: str = "white", **other: str) -> Scene:
    """Return a seascape with sailing boats."""
    return made(Subject("sailing boat", count, color), **other)


def drawn(works: int) -> Iterator[tuple[Scene, Degrees]]:
    """Yield drawn scenes with their facts, as if their pictures were of their palette's colours."""
    shares = {"golden": "gold", "silvery": "grey", "rosy": "pink", "earthen": "brown",
              "vivid": "yellow", "azure": "blue", "crimson": "red"}  # fmt: skip
    for number in range(works):
        shown = scene(SEED, number)
        yield shown, facts(shown, {shares[shown.palette]: 0.5, "black": 0.2, "green": 0.02})
