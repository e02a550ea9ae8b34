"""From the text of a query to its vector, with the model that made the release."""

import threading

from retrievals_serving.errors import QueryError, ReleaseError
from retrievals_serving.filters import is_unicode
from retrievals_serving.models import Embedder, Input, load_embedder, truncate
from retrievals_serving.models.contracts import Contract
from retrievals_serving.release import Manifest
from retrievals_serving.settings import Settings
from retrievals_serving.vectors import Float32

MAX_QUERY = 512  # characters


class QueryEmbedder:
    """Embeds queries for one release; loads the model when the first of them needs it.

    Attributes:
        embedder: The model; None until it is loaded.
    """

    def __init__(
        self, manifest: Manifest, settings: Settings, embedder: Embedder | None = None
    ) -> None:
        """Take `embedder`, or load that of the settings later.

        Raises:
            ReleaseError: `embedder` is not the model that made the release.
        """
        self.embedder: Embedder | None = None
        self._manifest = manifest
        self._settings = settings
        self._loading = threading.Lock()
        if embedder is not None:
            self._require_same_contracts(embedder)
            self.embedder = embedder

    def load(self) -> Embedder:
        """Return the model, loading it on first use.

        Raises:
            ModelError: It cannot be loaded.
            ReleaseError: It is not the model that made the release.
        """
        with self._loading:
            if self.embedder is None:
                embedder = load_embedder(
                    self._settings.embedder,
                    device=self._settings.device,
                    dtype=self._settings.dtype,
                    max_pixels=self._settings.max_pixels,
                )
                self._require_same_contracts(embedder)
                self.embedder = embedder
            return self.embedder

    def embed(self, query: str) -> Float32:
        """Return the vector of `query`: float32, the release's dimension, length 1.

        Raises:
            ModelError, ReleaseError: As for `load`.
        """
        native = self.load().embed_queries([Input(text=query)])
        vector: Float32 = truncate(native, self._manifest.embedder.dimension)[0]
        return vector

    def _require_same_contracts(self, embedder: Embedder) -> None:
        made_with = self._manifest.embedder
        differences = {
            *embedder.corpus_contract.differences(Contract(made_with.corpus_contract.parts)),
            *embedder.query_contract.differences(Contract(made_with.query_contract.parts)),
        }
        if differences:
            raise ReleaseError(
                f"release {self._manifest.release_id} was made with {made_with.checkpoint}, which "
                "is not the model that is set (here: the one that is set, there: the release's): "
                f"{'; '.join(sorted(differences))}. Set RETRIEVALS_EMBEDDER and "
                "RETRIEVALS_MAX_PIXELS as they were, or build a release with this model."
            )


def clean_query(query: str) -> str:
    """Return `query` without space around it.

    Raises:
        QueryError: It is empty, longer than 512 characters, or no valid Unicode.
    """
    query = query.strip()
    if not 1 <= len(query) <= MAX_QUERY:
        raise QueryError(f"query: expected 1 to {MAX_QUERY} characters, got {len(query)}.")
    if not is_unicode(query):
        raise QueryError(f"query: {query!r:.80} is no valid Unicode.")
    return query
