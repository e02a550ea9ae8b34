"""Oil and its broken light: strokes on canvas, smooth and varnished or thick and open."""

from PIL import Image, ImageChops

from retrievals_pipeline.miniature.painting.surfaces.brushwork import Touch, brushed, varied
from retrievals_pipeline.miniature.painting.surfaces.strokes import Brush
from retrievals_pipeline.miniature.painting.surfaces.textures import (
    framed,
    grained,
    vignette,
    weave,
)
from retrievals_pipeline.miniature.scenes import Scene

ACADEMIC = Touch(Brush(0.034, 0.0085, 12, 0.12, blunt=True), Brush(0.012, 0.0029, blunt=True), 8)
OPEN_AIR = Touch(Brush(0.034, 0.0105, 20, 0.09), Brush(0.0135, 0.004), 18)
HALVED = [64 + level // 2 for level in range(256)]  # relief at half its height
VARNISH = (1.02, 0.01, 0.0, 3, 0.01, 0.985, 0.0, 1, 0.0, 0.03, 0.93, 0)


def oil(picture: Image.Image, scene: Scene) -> Image.Image:
    """Paint finely along the forms, on canvas, under a warm varnish."""
    painted, ridges = brushed(picture, ACADEMIC, varied(scene.seed, 5, 2, 1.06))
    painted = Image.blend(painted, picture, 0.35).convert("RGB", VARNISH)
    painted = ImageChops.add(painted, ridges.point(HALVED * 3), 1, -128)
    return ImageChops.multiply(grained(painted, weave), framed(vignette, picture.size))


def impressionist(picture: Image.Image, scene: Scene) -> Image.Image:
    """Set thick dabs of broken colour side by side."""
    painted, ridges = brushed(picture, OPEN_AIR, varied(scene.seed, 13, 11, 1.25))
    return ImageChops.add(painted, ridges, 1, -128)
