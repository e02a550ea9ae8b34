"""What every reranker offers, whatever its family."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from retrievals_serving.models.contracts import Contract
from retrievals_serving.models.embedder import Input


class Reranker(Protocol):
    """Judges how well each of some pictures answers a query, seeing both at once.

    `device` and `dtype` are what `auto` came to; `contract` is what a score depends on.
    """

    device: str
    dtype: str
    contract: Contract

    def score(
        self,
        query: str | Image.Image | Input,
        images: Sequence[Image.Image | Path],
        *,
        instruction: str | None = None,
        deadline: float | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> np.ndarray:
        """Score each picture for one query; a score does not depend on the other pictures.

        Args:
            query: A text, a picture, or both.
            images: The candidates, best first: they are scored in this order, so that what a
                deadline leaves out is the end of the list.
            instruction: What counts as an answer; None for the family's default.
            deadline: On the clock `time.monotonic`, seconds. When it has passed, no forward begins.
            cancelled: Asked before each forward; True ends the work.

        Returns:
            float32 from 0 to 1, shape (len(images),). NaN where there is no score: the picture was
            not reached before the end, or cannot be read, which is logged with its name.

        Raises:
            PictureError: The query's picture cannot be read; names it.
        """
        ...
