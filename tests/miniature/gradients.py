"""Pictures each of whose pixels can be told from its neighbours."""

import io

import numpy as np
import requests
from PIL import Image

WIDTH, HEIGHT = 1000, 600


def gradient(width: int, height: int) -> Image.Image:
    """A picture each of whose pixels can be told from its neighbours."""
    x, y = np.arange(width)[None, :], np.arange(height)[:, None]
    channels = [(x + 0 * y) % 256, (0 * x + y) % 256, (x // 4 + y // 4) % 256]
    return Image.fromarray(np.stack(channels, axis=-1).astype(np.uint8))


def picture(response: requests.Response) -> Image.Image:
    assert response.status_code == 200, response.text
    return Image.open(io.BytesIO(response.content))
