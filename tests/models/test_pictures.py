import io
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from retrievals_serving.errors import PictureError
from retrievals_serving.models import pictures
from retrievals_serving.models.qwen3_vl import pixels
from retrievals_serving.models.qwen3_vl.network.vision import patchify


def noise(*shape, dtype=np.uint8, high=256):
    return np.random.default_rng(11).integers(0, high, shape, dtype=dtype)


def pixel(image):
    return pictures.to_rgb(image).getpixel((0, 0))


@pytest.mark.parametrize("size", [(64, 64), (320, 96), (1024, 768)])
def test_patches_equal_those_of_transformers(size):
    picture = Image.fromarray(noise(size[1], size[0], 3))
    processor = Qwen2VLImageProcessorPil(
        patch_size=16,
        merge_size=2,
        temporal_patch_size=2,
        image_mean=[0.5] * 3,
        image_std=[0.5] * 3,
    )
    expected = processor(images=[picture], do_resize=False, return_tensors="pt")
    frames = expected["pixel_values"].reshape(-1, 3, 2, 16 * 16)
    torch.testing.assert_close(frames[:, :, 0], frames[:, :, 1], rtol=0, atol=0)
    patches = patchify(torch.from_numpy(np.array(picture)))
    torch.testing.assert_close(patches, frames[:, :, 0].flatten(1), rtol=0, atol=0)
    grid = pixels.grid_of(np.array(picture))
    assert [1, 2 * grid.rows, 2 * grid.columns] == expected["image_grid_thw"][0].tolist()
    assert grid.tokens == len(patches) / 4


# What `smart_resize` of qwen_vl_utils 0.0.14 returns for the same sizes and budgets.
@pytest.mark.parametrize(
    ("size", "max_pixels", "expected"),
    [
        ((300, 200), pixels.MAX_PIXELS, (288, 192)),
        ((1024, 768), pixels.MAX_PIXELS, (1024, 768)),
        ((1000, 333), pixels.MAX_PIXELS, (992, 320)),
        ((1000, 333), 262144, (864, 288)),
        ((8000, 5000), pixels.MAX_PIXELS, (1696, 1056)),
        ((48, 80), pixels.MAX_PIXELS, (64, 64)),
        ((1, 1), pixels.MAX_PIXELS, (64, 64)),
        ((10, 120), pixels.MAX_PIXELS, (32, 128)),
        ((100, 1200), pixels.MAX_PIXELS, (96, 1216)),
        ((1, 200), pixels.MAX_PIXELS, (32, 192)),
    ],
)
def test_sizes_follow_the_family_rule(size, max_pixels, expected):
    assert pixels.fitted_size(*size, max_pixels) == expected


def test_a_side_keeps_one_token_under_a_small_budget():
    assert pixels.fitted_size(50, 10_000, pixels.MIN_PIXELS) == (32, 896)


@pytest.mark.parametrize("size", [(1, 201), (2010, 10), (0, 5), (0, 0)])
def test_a_picture_too_long_and_thin_is_refused(size):
    with pytest.raises(PictureError, match=f"{size[0]} x {size[1]} px"):
        pictures.proportioned(SimpleNamespace(size=size, width=size[0], height=size[1]))


def test_a_picture_is_resized_as_pillow_does_by_default():
    picture = Image.fromarray(noise(200, 300, 3))
    expected = picture.resize((288, 192))
    np.testing.assert_array_equal(
        pixels.read_pixels(picture, pixels.MAX_PIXELS), np.asarray(expected)
    )


def test_the_grid_of_a_file_is_known_from_its_header(tmp_path):
    Image.fromarray(noise(200, 300, 3)).save(tmp_path / "picture.png")
    content = (tmp_path / "picture.png").read_bytes()
    (tmp_path / "picture.png").write_bytes(content[:100])
    assert pixels.fitted_grid(tmp_path / "picture.png", pixels.MAX_PIXELS) == (6, 9)


def test_transparency_is_laid_on_white():
    assert pixel(Image.new("RGBA", (2, 2), (10, 20, 30, 0))) == (255, 255, 255)
    assert pixel(Image.new("RGBA", (2, 2), (10, 20, 30, 255))) == (10, 20, 30)


@pytest.mark.parametrize("dtype", ["<u2", ">u2"])
def test_sixteen_bit_grey_is_scaled_to_eight_bits(dtype):
    grey = noise(8, 8, dtype=np.uint16, high=65536)
    rgb = np.asarray(pictures.to_rgb(Image.fromarray(grey.astype(dtype))))
    np.testing.assert_array_equal(rgb, np.repeat((grey // 256)[..., None], 3, axis=2))


@pytest.mark.parametrize("mode", ["I", "F"])
def test_numbers_of_which_none_is_known_to_be_white_are_refused_by_name(tmp_path, mode):
    path = tmp_path / "depths.tif"
    Image.new(mode, (8, 8)).save(path)
    with pytest.raises(PictureError, match=rf"depths\.tif .* mode {mode}.*save it with 8 bits"):
        pictures.load_picture(path)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "YCbCr", "HSV"])
def test_other_modes_become_rgb_as_pillow_converts_them(mode):
    image = Image.fromarray(noise(8, 8, 3)).convert(mode)
    np.testing.assert_array_equal(
        np.asarray(pictures.to_rgb(image)), np.asarray(image.convert("RGB"))
    )


def test_the_orientation_in_exif_is_left_alone(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees
    Image.new("RGB", (64, 32)).save(tmp_path / "turned.jpg", exif=exif)
    assert pictures.load_picture(tmp_path / "turned.jpg").size == (64, 32)


def test_a_loaded_picture_is_rgb_and_needs_its_file_no_more(tmp_path):
    path = tmp_path / "grey.png"
    Image.fromarray(noise(40, 60)).save(path)
    picture = pictures.load_picture(path)
    path.unlink()
    assert picture.mode == "RGB"
    assert pixels.read_pixels(picture, pixels.MAX_PIXELS).shape == (64, 96, 3)
    assert pictures.load_picture(picture) is picture


def half(source: Path) -> bytes:
    content = source.read_bytes()
    return content[: len(content) // 2]


def test_what_is_no_picture_is_refused_by_name(tmp_path, paths):
    contents = {
        "empty.jpg": b"",
        "page.jpg": b"<html>502 Bad Gateway</html>",
        "half.png": half(paths[2]),
        "header.png": paths[2].read_bytes()[:20],
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(PictureError, match=name):
            pictures.load_picture(tmp_path / name)
    with pytest.raises(PictureError, match=r"nowhere\.jpg"):
        pictures.load_picture(tmp_path / "nowhere.jpg")


def test_a_picture_too_long_and_thin_is_refused_by_name(tmp_path):
    Image.new("RGB", (2, 500)).save(tmp_path / "thread.png")
    with pytest.raises(PictureError, match=r"thread\.png .* 2 x 500 px"):
        pictures.load_picture(tmp_path / "thread.png")


def test_an_open_picture_that_is_damaged_is_refused(tmp_path, paths):
    (tmp_path / "half.png").write_bytes(half(paths[2]))
    with (
        Image.open(tmp_path / "half.png") as image,
        pytest.raises(PictureError, match=r"half\.png"),
    ):
        pictures.load_picture(image)
    with pytest.raises(PictureError, match=r"^a picture cannot be embedded"):
        pictures.load_picture(Image.open(io.BytesIO(half(paths[2]))))


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "gif", "tif"])
def test_flipped_bytes_never_raise_anything_but_a_picture_error(tmp_path, suffix):
    path = tmp_path / f"picture.{suffix}"
    Image.fromarray(noise(64, 64, 3)).save(path)
    content, generator = bytearray(path.read_bytes()), np.random.default_rng(5)
    for _ in range(60):
        damaged = content.copy()
        for place in generator.integers(0, min(len(content), 400), 5):
            damaged[place] = generator.integers(256)
        path.write_bytes(damaged)
        try:
            pictures.load_picture(path)
        except PictureError as error:
            assert path.name in str(error)  # noqa: PT017 - either outcome is right


def test_a_picture_that_memory_does_not_suffice_for_is_not_called_damaged():
    with (
        pytest.raises(PictureError, match=r"^large\.jpg .* more memory than is left\."),
        pictures.reading(Path("large.jpg")),
    ):
        raise MemoryError
