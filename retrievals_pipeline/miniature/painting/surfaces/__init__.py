"""The surfaces of the manners: how paint, water, chalk and a burin leave the same picture."""

from collections.abc import Callable

from PIL import Image

from retrievals_pipeline.miniature.painting.surfaces.chiaroscuro import chiaroscuro
from retrievals_pipeline.miniature.painting.surfaces.engraving import engraving
from retrievals_pipeline.miniature.painting.surfaces.icon import icon
from retrievals_pipeline.miniature.painting.surfaces.ink import ink
from retrievals_pipeline.miniature.painting.surfaces.oil import impressionist, oil
from retrievals_pipeline.miniature.painting.surfaces.pastel import pastel
from retrievals_pipeline.miniature.painting.surfaces.pointillist import pointillist
from retrievals_pipeline.miniature.painting.surfaces.poster import poster
from retrievals_pipeline.miniature.painting.surfaces.watercolour import watercolour
from retrievals_pipeline.miniature.painting.surfaces.woodcut import woodcut
from retrievals_pipeline.miniature.scenes import Scene

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
