"""The golden vectors of a model: which texts and pictures they are of, made once and kept.

    embeddings/golden/<corpus contract>-<query contract>.parquet    see `retrievals_serving.golden`

The pictures are drawn in whole numbers and without fonts, so that they are the same everywhere. No
side of theirs is a multiple of 32: each is resized, and another Pillow shows.
"""

import io
import logging
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image

from retrievals_pipeline.defs.embeddings.shard import loaded
from retrievals_serving.errors import BuildError, ReleaseDamaged
from retrievals_serving.golden import (
    Golden,
    GoldenItem,
    deviations,
    machine,
    make_golden,
    read_golden,
    write_golden,
)
from retrievals_serving.models import Description, Embedder
from retrievals_serving.store import Store

logger = logging.getLogger(__name__)

Pixels = npt.NDArray[np.int64]

TEXTS = {
    "word": "boat",
    "phrase": "a lonely boat in stormy seas",
    "capitals": "OLD MAN READING BY CANDLELIGHT",
    "question": "Who painted the girl with a red hat, and when?",
    "punctuation": "«gold & blue» … 50 % [no. 12] — #3/4, o'clock",
    "year": "1889",
    "accents": "Étude d'arbres près de Barbizon, à l'aube",
    "cyrillic": "Зимний лес под снегом",
    "arabic": "منظر طبيعي مع نهر وجبال",
    "devanagari": "चाँदनी रात में नदी",
    "japanese": "夜の雨に濡れた橋",
    "long": "A wide river valley in the late afternoon, seen from a hill: in front two women carry "
    "baskets along a sandy path, behind them a mill turns beside a row of poplars, and in the far "
    "distance, under towering clouds that are pink at their edges, the roofs and the single spire "
    "of a small town catch the last of the light.",
}


def keep_golden(store: Store, description: Description, load: Callable[[], Embedder]) -> Golden:
    """Return the golden vectors of the model that `description` is of.

    `load` is called only when they are not there yet, or cannot be read any more.
    """
    name = golden_name(description)
    if store.exists(name):
        try:
            return read_golden(store.path(name))
        except ReleaseDamaged as error:
            logger.warning("made again: %s", error)
    golden = make_golden(loaded(load, description.corpus_contract.digest), golden_items())
    with store.replacing(name) as partial:
        write_golden(golden, partial)
    return golden


def same_as_before(
    store: Store, description: Description, load: Callable[[], Embedder]
) -> Embedder:
    """Return the model, once it is shown to make the vectors here that it made before.

    Contracts do not name the device, the dtype and the libraries. Without this, a build that goes
    on elsewhere would put two kinds of vectors into one index.

    Raises:
        BuildError: It makes others; names each golden text and picture that shows it.
    """
    embedder = loaded(load, description.corpus_contract.digest)
    name = golden_name(description)
    if not store.exists(name):
        return embedder
    try:
        golden = read_golden(store.path(name))
    except ReleaseDamaged:
        return embedder  # `keep_golden` makes it again
    if cosines := deviations(golden, embedder):
        here, there = machine(embedder), golden.made_on
        shown = ", ".join(f"{item} {cosine:.6f}" for item, cosine in cosines.items())
        raise BuildError(
            f"the model makes other vectors here ({here.device}, {here.dtype}, {here.libraries}) "
            f"than those that are kept under {store.root} ({there.device}, {there.dtype}, "
            f"{there.libraries}): {shown}. Use what they were made with, or build in another "
            "RETRIEVALS_HOME."
        )
    return embedder


def golden_name(description: Description) -> str:
    """Return the name in the store of the golden vectors of a model."""
    return contracts_name("golden", description)


def contracts_name(folder: str, description: Description) -> str:
    """Return the name in the store of what hangs on both contracts of a model."""
    contracts = description.corpus_contract.digest, description.query_contract.digest
    return f"embeddings/{folder}/{'-'.join(contracts)}.parquet"


def golden_items() -> list[GoldenItem]:
    """Return the texts, and the pictures as PNG."""
    texts = [GoldenItem(name, text=text) for name, text in TEXTS.items()]
    drawn = {"rings": rings(251, 167), "weave": weave(70, 203), "hills": hills(180, 130)}
    drawn["ribbon"] = ribbon(250, 45)
    return texts + [GoldenItem(name, picture=png(pixels)) for name, pixels in drawn.items()]


def rings(width: int, height: int) -> Pixels:
    """Draw rings around a centre for each colour, finer the further out: (height, width, 3)."""
    y, x = np.mgrid[:height, :width]
    squares = [(x - width * cx // 8) ** 2 + (y - height * cy // 8) ** 2 for cx, cy in CENTRES]
    return np.stack([square // 24 % 256 for square in squares], axis=-1)


CENTRES = ((2, 3), (5, 2), (4, 6))  # in eighths of the sides


def weave(width: int, height: int) -> Pixels:
    """Draw threads that cross in squares of growing size, on a gradient: (height, width, 3)."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x ^ y, 255 * y // height, 90 + 80 * ((x // 7 + y // 7) % 2)], axis=-1)


def hills(width: int, height: int) -> Pixels:
    """Draw a sky with a sun over three ranges of hills, in flat colours: (height, width, 3)."""
    y, x = np.mgrid[:height, :width]
    sky = (150 + 90 * y // height, 190 + 40 * y // height, np.full_like(y, 235))
    pixels = np.stack(sky, axis=-1)
    pixels[(x - 3 * width // 4) ** 2 + (y - height // 4) ** 2 < (height // 8) ** 2] = 250, 214, 96
    for number, colour in enumerate([(122, 148, 150), (84, 122, 84), (46, 70, 40)]):
        period = width // (number + 2)
        slope = abs((x + 31 * number) % period - period // 2)
        pixels[y > height * (number + 4) // 8 + slope * height // (3 * period)] = colour
    return pixels


def ribbon(width: int, height: int) -> Pixels:
    """Draw a long ribbon of slanting stripes in all hues: (height, width, 3)."""
    y, x = np.mgrid[:height, :width]
    hue = (x * 6 + y * 2) % 768
    return np.stack([np.clip(abs((hue + 256 * n) % 768 - 384) - 64, 0, 255) for n in range(3)], -1)


def png(pixels: Pixels) -> bytes:
    """Return RGB pixels in 0..255, (height, width, 3), as the bytes of a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()
