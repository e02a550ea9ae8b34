"""A model that is loaded once, when it is first needed."""

import threading
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Generic, TypeVar

from retrievals_serving.errors import ModelError, ReleaseError

Model = TypeVar("Model")

PAUSE = 30.0  # seconds for which a failure stands: a search must not wait for it to happen again


class Loaded(Generic[Model]):
    """Loads a model on first use, for all threads.

    Attributes:
        model: None until it is loaded.
    """

    def __init__(self, load: Callable[[], Model], model: Model | None = None) -> None:
        """Call `load` later, or take a `model` that is there."""
        self.model = model
        self._load = load
        self._lock = threading.Lock()  # is held while it is loaded
        # Makes another one for each thread: in a shared one their tracebacks would add up.
        self._failure: Callable[[], Exception] | None = None
        self._stands_until = 0.0

    def get(self, *, again: bool = False) -> Model:
        """Return the model.

        Args:
            again: Try even if it could not be loaded a moment ago.

        Raises:
            Exception: What `load` raises.
            ModelError: It failed within the last 30 s; a ReleaseError if it raised one.
        """
        with self._lock:
            if self.model is None:
                if self._failure and not again and monotonic() < self._stands_until:
                    raise self._failure()
                try:
                    self.model = self._load()
                except Exception as error:
                    kind = type(error) if isinstance(error, ReleaseError) else ModelError
                    self._failure = partial(kind, str(error))
                    self._stands_until = monotonic() + PAUSE
                    raise
            return self.model
