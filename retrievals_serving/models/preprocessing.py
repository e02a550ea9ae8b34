"""Pictures as a checkpoint's `preprocessor_config.json` asks for them, by Pillow and numpy alone.

Number for number what the Pillow image processors of transformers return; torchvision resizes
otherwise. Decoding and conversion to RGB are those of `pictures`. `PREPARATION` is part of the
corpus contract: rename it with any change here or there that changes a number.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from PIL import Image

from retrievals_serving.errors import ModelError
from retrievals_serving.models.checkpoints import Checkpoint

PREPARATION = "Pillow, RGBA on white, 16-bit scaled"
STEPS = ("do_resize", "do_rescale", "do_normalize")
NEEDED = ("resample", "image_mean", "image_std")


@dataclass(frozen=True)
class Levels:
    """How bytes become numbers: scaled, less the mean, by the standard deviation."""

    scale: float
    mean: tuple[float, ...]  # of each channel
    std: tuple[float, ...]

    @classmethod
    def of(cls, config: dict[str, Any]) -> Self:
        """Take them from the content of a `preprocessor_config.json`."""
        return cls(
            scale=config.get("rescale_factor", 1 / 255),
            mean=tuple(config["image_mean"]),
            std=tuple(config["image_std"]),
        )

    def apply(self, picture: Image.Image) -> np.ndarray:
        """Return the numbers of an RGB picture: float32, shape (height, width, 3)."""
        scaled = (np.arange(256) * self.scale).astype(np.float32)[:, None]
        tables = (scaled - np.array(self.mean, np.float32)) / np.array(self.std, np.float32)
        channels = np.asarray(picture)
        return np.stack([tables[:, each].take(channels[..., each]) for each in range(3)], axis=-1)


@dataclass(frozen=True)
class FixedSize:
    """Every picture resized to one size, or resized by its shorter side and cropped."""

    side: int  # px, of the square that the model sees
    shorter_side: int | None  # px; None where both sides are resized to `side`
    resample: int  # number of Pillow's filter
    levels: Levels

    @classmethod
    def read(cls, checkpoint: Checkpoint, side: int) -> Self:
        """Read the steps for a model that sees squares of `side` px.

        Raises:
            ModelError: Pictures would come out in another size, or by steps not supported.
        """
        config = read_config(checkpoint)
        cropped = config.get("do_center_crop", False)
        size = config.get("size")
        shorter = size if isinstance(size, int) and cropped else None
        if isinstance(size, dict):
            shorter = size.get("shortest_edge")
        if square(config.get("crop_size") if cropped else size) != side:
            raise ModelError(
                f"checkpoint {checkpoint.name} prepares pictures by size {size} and crop "
                f"{config.get('crop_size') if cropped else None}, but its model takes {side} x "
                f"{side} px: give it the preprocessor_config.json it was published with."
            )
        return cls(side, shorter, config["resample"], Levels.of(config))

    @property
    def pixels(self) -> int:
        """How many pixels of a picture the model sees."""
        return self.side**2

    def arrays(self, pictures: Sequence[Image.Image]) -> dict[str, np.ndarray]:
        """Return the model's arguments for RGB pictures: `pixel_values`, (n, 3, side, side)."""
        numbers = [self.levels.apply(self.fit(picture)) for picture in pictures]
        return {"pixel_values": np.stack(numbers).transpose(0, 3, 1, 2)}

    def fit(self, picture: Image.Image) -> Image.Image:
        """Return the picture as a square of `side` px."""
        if self.shorter_side is None:
            return picture.resize((self.side, self.side), self.resample)
        scaled = [int(self.shorter_side * each / min(picture.size)) for each in picture.size]
        picture = picture.resize((scaled[0], scaled[1]), self.resample)
        left, top = ((each - self.side) // 2 for each in picture.size)
        return picture.crop((left, top, left + self.side, top + self.side))


@dataclass(frozen=True)
class Patches:
    """Every picture in its own proportions, as patches: as many as a budget allows."""

    patch: int  # px, of a side
    budget: int  # patches
    resample: int  # number of Pillow's filter
    levels: Levels

    @classmethod
    def read(cls, checkpoint: Checkpoint, patch: int) -> Self:
        """Read the steps for a model that sees patches of `patch` × `patch` px.

        Raises:
            ModelError: The steps are not supported.
        """
        config = read_config(checkpoint)
        if config.get("patch_size", patch) != patch:
            raise ModelError(
                f"checkpoint {checkpoint.name} cuts patches of {config['patch_size']} px, but its "
                f"model takes {patch}: give it the preprocessor_config.json it was published with."
            )
        return cls(patch, config.get("max_num_patches", 256), config["resample"], Levels.of(config))

    @property
    def pixels(self) -> int:
        """How many pixels of a picture the model sees at most."""
        return self.budget * self.patch**2

    def arrays(self, pictures: Sequence[Image.Image]) -> dict[str, np.ndarray]:
        """Return the model's arguments for RGB pictures; what is short of the budget is masked.

        Within a patch the order is y, x, channel.
        """
        values = np.zeros((len(pictures), self.budget, 3 * self.patch**2), dtype=np.float32)
        mask = np.zeros((len(pictures), self.budget), dtype=np.int64)
        grids = np.array([self.grid(*picture.size) for picture in pictures])
        for index, ((rows, columns), picture) in enumerate(zip(grids, pictures, strict=True)):
            size = (int(columns) * self.patch, int(rows) * self.patch)
            numbers = self.levels.apply(picture.resize(size, self.resample))
            cut = numbers.reshape(rows, self.patch, columns, self.patch, 3).swapaxes(1, 2)
            values[index, : rows * columns] = cut.reshape(rows * columns, -1)
            mask[index, : rows * columns] = 1
        return {"pixel_values": values, "pixel_attention_mask": mask, "spatial_shapes": grids}

    def grid(self, width: int, height: int) -> tuple[int, int]:
        """Return the rows and columns of patches of a picture of so many px.

        The largest scale at which they are within the budget, found by the same halving as in
        transformers, so that no rounding differs.
        """

        def at(scale: float) -> tuple[int, int]:
            rows, columns = (
                max(1, math.ceil(side * scale / self.patch)) for side in (height, width)
            )
            return rows, columns

        low, high = 1e-6, 100.0
        while high - low >= 1e-5:
            middle = (low + high) / 2
            if math.prod(at(middle)) <= self.budget:
                low = middle
            else:
                high = middle
        return at(low)


def read_config(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return the content of the checkpoint's `preprocessor_config.json`.

    Raises:
        ModelError: There is none, it lacks a value, or it leaves out a step that is done here.
    """
    config = checkpoint.read_json("preprocessor_config.json")
    if skipped := [step for step in STEPS if not config.get(step, True)]:
        raise ModelError(
            f"checkpoint {checkpoint.name} prepares pictures without {', '.join(skipped)}, "
            "which is not supported: choose another."
        )
    if missing := [name for name in NEEDED if name not in config]:
        raise ModelError(
            f"checkpoint {checkpoint.name}: preprocessor_config.json lacks {', '.join(missing)}: "
            "give it the one it was published with."
        )
    return config


def square(size: Any) -> int | None:
    """Return the side of a square size as configs write it, in px; None when it is no square."""
    if isinstance(size, dict):
        height = size.get("height")
        return height if isinstance(height, int) and height == size.get("width") else None
    return size if isinstance(size, int) else None
