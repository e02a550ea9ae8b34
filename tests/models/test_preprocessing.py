"""Pictures are prepared number for number as by the Pillow image processors of transformers."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from transformers.models.siglip2.image_processing_pil_siglip2 import Siglip2ImageProcessorPil

from retrievals_serving.errors import ModelError
from retrievals_serving.models.checkpoints import Checkpoint
from retrievals_serving.models.preprocessing import FixedSize, Patches

SIZES = [(300, 200), (200, 300), (64, 64), (1, 1), (1000, 333), (63, 65), (10, 900)]


@pytest.fixture
def pictures() -> list[Image.Image]:
    noise = np.random.default_rng(11)
    return [
        Image.fromarray(noise.integers(0, 256, (height, width, 3), dtype=np.uint8))
        for width, height in SIZES
    ]


def checkpoint(folder: Path, processor, **changes) -> Checkpoint:
    processor.save_pretrained(folder)
    path = folder / "preprocessor_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return Checkpoint("test", folder)


def assert_equal(arrays, expected):
    assert arrays.keys() == expected.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, np.stack(expected[name]))


@pytest.mark.parametrize("shorter", [64, 70, 50])
def test_cropped_pictures_equal_those_of_transformers(tmp_path, pictures, shorter):
    processor = CLIPImageProcessorPil(
        size={"shortest_edge": shorter}, crop_size={"height": 64, "width": 64}
    )
    prepared = FixedSize.read(checkpoint(tmp_path, processor), 64)
    assert prepared.arrays(pictures)["pixel_values"].dtype == np.float32
    assert_equal(prepared.arrays(pictures), processor(pictures, return_tensors="np"))


@pytest.mark.parametrize("resample", [0, 1, 2, 3])
def test_squeezed_pictures_equal_those_of_transformers(tmp_path, pictures, resample):
    processor = SiglipImageProcessorPil(size={"height": 64, "width": 64}, resample=resample)
    prepared = FixedSize.read(checkpoint(tmp_path, processor), 64)
    assert_equal(prepared.arrays(pictures), processor(pictures, return_tensors="np"))


@pytest.mark.parametrize("budget", [1, 20, 256])
def test_patches_equal_those_of_transformers(tmp_path, pictures, budget):
    processor = Siglip2ImageProcessorPil(patch_size=16, max_num_patches=budget)
    prepared = Patches.read(checkpoint(tmp_path, processor), 16)
    assert_equal(prepared.arrays(pictures), processor(pictures, return_tensors="np"))


def test_the_first_configs_of_clip_wrote_sizes_as_numbers(tmp_path, pictures):
    processor = CLIPImageProcessorPil()
    old = checkpoint(tmp_path, processor, size=224, crop_size=224)
    path = tmp_path / "preprocessor_config.json"
    config = json.loads(path.read_text())
    del config["rescale_factor"], config["do_rescale"]
    path.write_text(json.dumps(config))
    prepared = FixedSize.read(old, 224)
    assert_equal(prepared.arrays(pictures), processor(pictures, return_tensors="np"))


@pytest.mark.parametrize(
    "changes",
    [
        {"crop_size": {"height": 32, "width": 32}},
        {"crop_size": {"height": 64, "width": 32}},
        {"do_center_crop": False},
        {"crop_size": None},
    ],
)
def test_a_size_that_the_model_does_not_take_is_refused(tmp_path, changes):
    processor = CLIPImageProcessorPil(
        size={"shortest_edge": 64}, crop_size={"height": 64, "width": 64}
    )
    with pytest.raises(ModelError, match=r"its model takes 64 x 64 px"):
        FixedSize.read(checkpoint(tmp_path, processor, **changes), 64)


def test_patches_that_the_model_does_not_take_are_refused(tmp_path):
    with pytest.raises(ModelError, match="patches of 14 px, but its model takes 16"):
        Patches.read(checkpoint(tmp_path, Siglip2ImageProcessorPil(patch_size=14)), 16)


def test_a_step_left_out_is_refused(tmp_path):
    skipping = checkpoint(tmp_path, SiglipImageProcessorPil(), do_normalize=False)
    with pytest.raises(ModelError, match="without do_normalize"):
        FixedSize.read(skipping, 224)


def test_a_value_that_is_missing_is_named(tmp_path):
    opened = checkpoint(tmp_path, SiglipImageProcessorPil())
    (tmp_path / "preprocessor_config.json").write_text('{"size": 224, "image_std": [1, 1, 1]}')
    with pytest.raises(ModelError, match="lacks resample, image_mean"):
        FixedSize.read(opened, 224)
