"""Which colours a picture is of, measured in its pixels."""

import numpy as np
import numpy.typing as npt
from PIL import Image

SIDE = 64  # px: colours of areas, not of brush strokes
NAMES = ("black", "white", "grey", "red", "orange", "yellow", "green", "blue", "violet", "pink",
         "brown", "gold")  # fmt: skip
# The hue in degrees at which each colour of the wheel ends.
ENDS = (14, 42, 68, 165, 255, 318, 345, 360)
WHEEL = ("red", "orange", "yellow", "green", "blue", "violet", "pink", "red")


def color_shares(picture: Image.Image) -> dict[str, float]:
    """Return the share of the pixels that a person would call by each name, 0 to 1.

    Hue, saturation and value decide, with the bounds that basic colour terms commonly have: dark is
    black, pale is white or grey, dark orange is brown, deep yellow is gold as well as yellow.
    """
    small = picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX).convert("HSV")
    hue, saturation, value = (
        channel.astype(np.float32) for channel in np.moveaxis(np.asarray(small), -1, 0)
    )
    hue *= 360 / 255
    saturation /= 255
    value /= 255
    black = value < 0.2
    grey = ~black & (saturation < 0.16 + 0.1 * (value < 0.4))
    of_wheel = ~black & ~grey
    wheel = np.searchsorted(np.asarray(ENDS), hue, side="right").clip(max=len(WHEEL) - 1)
    warm = of_wheel & (hue >= 8) & (hue < 50)
    brown = warm & (value < 0.68) & (saturation < 0.85)
    shares = {
        "black": _share(black),
        "white": _share(grey & (value > 0.8)),
        "grey": _share(grey & (value <= 0.8)),
        "brown": _share(brown),
        "gold": _share(of_wheel & (hue >= 30) & (hue < 56) & (value > 0.45) & (saturation > 0.35)),
    }
    for place, name in enumerate(WHEEL):
        here = _share(of_wheel & ~brown & (wheel == place))
        shares[name] = shares.get(name, 0.0) + here
    return shares


def _share(chosen: npt.NDArray[np.bool_]) -> float:
    return float(chosen.mean())
