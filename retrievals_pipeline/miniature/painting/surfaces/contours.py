"""Outlines: where one colour meets another, even of the same tone."""

from PIL import Image, ImageChops, ImageFilter

from retrievals_pipeline.miniature.painting.surfaces.textures import coarse


def contours(picture: Image.Image, grid: int, reach: int) -> Image.Image:
    """Return how far each pixel lies below what is around it in some channel, L, full size.

    Lines run on the darker side of an edge, so that small lights stay whole. They are `reach`
    pixels wide on a grid of `grid` pixels a side.
    """
    small = coarse(picture, grid)
    below = ImageChops.subtract(small.filter(ImageFilter.BoxBlur(reach)), small)
    red, green, blue = below.split()
    most = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    return most.resize(picture.size, Image.Resampling.BICUBIC)
