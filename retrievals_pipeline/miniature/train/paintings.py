"""The paintings that the miniature models learn from: pixels, facts, and what is where."""

import multiprocessing
import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from retrievals_pipeline.miniature.painting.canvas import Mark
from retrievals_pipeline.miniature.painting.painter import paint_marked
from retrievals_pipeline.miniature.scenes import Scene, scene
from retrievals_pipeline.miniature.truth.colors import color_shares
from retrievals_pipeline.miniature.truth.facts import Degrees, facts
from retrievals_pipeline.progress import track
from retrievals_serving.models.qwen3_vl.pixels import Grid, grid_of, read_pixels

SIDE = 512  # px; painted smaller than the museum's, and looks the same at 256
MAX_PIXELS = 256**2
Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Painting:
    """One painting: fitted pixels, uint8 (height, width, 3), and what is true of it."""

    pixels: Pixels
    scene: Scene
    degrees: Degrees
    marks: tuple[Mark, ...]

    @property
    def grid(self) -> Grid:
        """Its visual tokens."""
        return grid_of(self.pixels)


def paint_collection(seed: int, numbers: Sequence[int]) -> list[Painting]:
    """Paint the works `numbers` of `seed`, on all cores.

    Each keeps up to 200 kB of pixels: the 12,500 of a training keep about 2 GB of memory.
    """
    tasks = [(seed, number) for number in numbers]
    # Spawned, because the parent has threads of torch, which do not survive a fork.
    with (
        track("paint", len(tasks)) as advance,
        multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool,
    ):
        paintings = []
        for painting in pool.imap(_paint, tasks, chunksize=32):
            paintings.append(painting)
            advance(1)
    return paintings


def _paint(task: tuple[int, int]) -> Painting:
    shown = scene(*task)
    picture, marks = paint_marked(shown, SIDE)
    degrees = facts(shown, color_shares(picture))
    return Painting(read_pixels(picture, MAX_PIXELS), shown, degrees, tuple(marks))
