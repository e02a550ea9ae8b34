"""The surfaces of the manners: how paint, water, chalk and a burin leave the same picture."""

from collections.abc import Callable

from PIL import Image

from retrievals_pipeline.miniature.scenes import Scene
from retrievals_pipeline.miniature.surfaces.chiaroscuro import chiaroscuro
from retrievals_pipeline.miniature.surfaces.engraving import engraving
from retrievals_pipeline.miniature.surfaces.icon import icon
from retrievals_pipeline.miniature.surfaces.ink import ink
from retrievals_pipeline.miniature.surfaces.oil import impressionist, oil
from retrievals_pipeline.miniature.surfaces.pastel import pastel
from retrievals_pipeline.miniature.surfaces.pointillist import pointillist
from retrievals_pipeline.miniature.surfaces.poster import poster
from retrievals_pipeline.miniature.surfaces.watercolour import watercolour
from retrievals_pipeline.miniature.surfaces.woodcut import woodcut

Surface = Callable[[Image.Image, Scene], Image.Image]

SURFACES: dict[str, Surface] = {
    "oil": oil,
    "impressionist": impressionist,
    "pointillist": pointillist,
    "woodcut": woodcut,
    "watercolour": watercolour,
    "ink": ink,
    "pastel": pastel,
    "engraving": engraving,
    "chiaroscuro": chiaroscuro,
    "poster": poster,
    "icon": icon,
}
