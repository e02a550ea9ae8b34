"""Soft noise without seams, made once and sampled anywhere: clouds, ripples, grass, rock."""

from functools import lru_cache

import numpy as np

from retrievals_pipeline.miniature.painting.canvas import Floats

SIDE = 512  # pixels of a tile


@lru_cache(maxsize=16)
def tile(roughness: float) -> Floats:
    """Return periodic noise, float32 (512, 512), mean 0 and deviation 1; less is rougher."""
    white = np.random.default_rng(11).standard_normal((SIDE, SIDE))
    down, right = np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)[None, :]
    reach = np.hypot(down, right)
    reach[0, 0] = np.inf  # no mean
    field = np.fft.irfft2(np.fft.rfft2(white) * reach**-roughness, (SIDE, SIDE))
    even: Floats = (field / field.std()).astype(np.float32)
    return even


def sample(roughness: float, u: Floats, v: Floats) -> Floats:
    """Return the noise at columns `u` and rows `v`, counted in tiles; they are broadcast."""
    rows = (v * SIDE).astype(np.int32) & (SIDE - 1)
    columns = (u * SIDE).astype(np.int32) & (SIDE - 1)
    noise: Floats = np.take(tile(roughness), rows * SIDE + columns)
    return noise


def smooth(low: float, high: float, values: Floats) -> Floats:
    """Return 0 below `low`, 1 above `high`, and an even bend between."""
    t: Floats = np.clip((values - np.float32(low)) / np.float32(high - low), 0, 1)
    return t * t * (3 - 2 * t)
