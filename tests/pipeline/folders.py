"""A folder of pictures that is built, and what is served of it."""

from pathlib import Path

import numpy as np
from PIL import Image

from retrievals_serving import SearchEngine
from retrievals_serving.settings import Settings

GOOD = [
    *(f"boats/{number}.jpg" for number in range(6)),
    "Large.JPEG",
    "a.PNG",
    "b.webp",
    "c/d/e.bmp",
    "f.tif",
    "g.TIFF",
    "h.jpg",
    "i.jpg",
]
METADATA = "filename,title,artist,date\nh.jpg,The Sea,Ann Painter,1890\nlost.jpg,Lost,,\n"


def paint(path: Path, seed: int, side: int = 96) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    colors = np.random.default_rng(seed).integers(0, 255, (3, 4, 3), np.uint8)
    Image.fromarray(colors).resize((side, side * 3 // 4)).save(path)


def environment(home: Path, folder: Path) -> dict[str, str]:
    return {
        "RETRIEVALS_HOME": str(home),
        "RETRIEVALS_PICTURES": str(folder),
        "RETRIEVALS_SHARDS": "3",
    }


def folder_of(settings: Settings) -> Path:
    assert settings.pictures is not None
    return settings.pictures


def files(settings: Settings) -> dict[str, str]:
    """The ids of the works that are served, by file."""
    with SearchEngine.open(settings=settings) as engine:
        return {found.image_url: found.id for found in engine.search("a boat", top_k=64).results}


def edit_a_title(folder: Path) -> None:
    (folder / "metadata.csv").write_text(METADATA.replace("The Sea", "The Lake"))
