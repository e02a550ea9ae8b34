"""The things of the open-air pictures: how each is painted, how large, what it needs of room."""

from collections.abc import Callable
from dataclasses import dataclass

from retrievals_pipeline.miniature.painting.canvas import Canvas, Color
from retrievals_pipeline.miniature.painting.outdoors import (
    animals,
    boats,
    bridges,
    buildings,
    living,
    ships,
    trees,
)

Paint = Callable[[Canvas, float, float, float, Color], None]  # x, y of its foot, height, colour


@dataclass(frozen=True)
class Thing:
    """How a thing is painted, how high it is of the canvas's unit, how wide of its height."""

    paint: Paint
    height: float
    width: float


THINGS = {
    "sailing boat": Thing(boats.sailing_boat, 0.36, 0.98),
    "rowing boat": Thing(boats.rowing_boat, 0.19, 1.25),
    "steamship": Thing(boats.steamship, 0.32, 1.3),
    "ship": Thing(ships.ship, 0.46, 1.22),
    "lighthouse": Thing(boats.lighthouse, 0.46, 1.04),
    "bridge": Thing(bridges.bridge, 0.2, 2 * bridges.HALF),
    "tree": Thing(trees.tree, 0.4, 0.76),
    "cypress": Thing(trees.cypress, 0.4, 0.3),
    "fir": Thing(trees.fir, 0.4, 0.58),
    "church": Thing(buildings.church, 0.44, 0.8),
    "cottage": Thing(buildings.cottage, 0.26, 1.02),
    "house": Thing(buildings.house, 0.42, 0.64),
    "windmill": Thing(buildings.windmill, 0.42, 0.9),
    "sheep": Thing(animals.sheep, 0.15, 1.16),
    "cow": Thing(animals.cow, 0.2, 1.26),
    "horse": Thing(animals.horse, 0.24, 1.12),
    "dog": Thing(animals.dog, 0.17, 1.26),
    "walker": Thing(living.walker, 0.25, 0.5),
}
AFLOAT = {"sailing boat", "rowing boat", "steamship", "ship"}
BENT = AFLOAT | {"tree", "cypress", "fir"}  # what leans in the wind
NEAR = {"sheep", "cow", "horse", "dog", "walker"}  # what stands in the row before all else
