"""From the text of a query to its vector, with the model that made the release."""

import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from retrievals_serving.errors import QueryError, ReleaseError, SettingsError
from retrievals_serving.filters import is_unicode
from retrievals_serving.golden import deviations, floor, machine, read_golden
from retrievals_serving.models import Embedder, Input, load_embedder, truncate
from retrievals_serving.models.contracts import Contract
from retrievals_serving.release import GOLDEN, Release
from retrievals_serving.settings import Settings
from retrievals_serving.vectors import Float32

MAX_QUERY = 512  # characters
KEPT = 1024  # vectors of the last queries: 4 MB at dimension 1024


class QueryEmbedder:
    """Embeds queries for one release; loads the model when the first of them needs it.

    Attributes:
        embedder: The model; None until it is loaded, and found to be that of the release.
    """

    def __init__(
        self, release: Release, settings: Settings, embedder: Embedder | None = None
    ) -> None:
        """Take `embedder`, or load that of the settings later.

        Raises:
            ReleaseDamaged, ReleaseError: As for `load`.
        """
        self.embedder: Embedder | None = None
        self._release = release
        self._settings = settings
        self._loading = threading.Lock()
        if embedder is not None:
            self._accept(embedder)

    def load(self) -> Embedder:
        """Return the model, loading it on first use.

        Raises:
            ModelError: It cannot be loaded.
            ReleaseDamaged: The release's golden vectors are not those that were sealed.
            ReleaseError: It is not the model that made the release, or makes other vectors here.
        """
        with self._loading:
            if self.embedder is None:
                embedder = load_embedder(
                    self._settings.embedder,
                    device=self._settings.device,
                    dtype=self._settings.dtype,
                    max_pixels=self._settings.max_pixels,
                )
                self._accept(embedder)
                return embedder
            return self.embedder

    def embed(self, query: str) -> Float32:
        """Return the vector of `query`: float32, the release's dimension, length 1, read-only.

        Raises:
            ModelError, ReleaseDamaged, ReleaseError: As for `load`.
        """
        self.load()
        vector: Float32 = self._embed(query)
        return vector

    def _accept(self, embedder: Embedder) -> None:
        """Take `embedder` once it is shown to make the vectors of the release."""
        self._require_same_contracts(embedder)
        self._require_same_vectors(embedder)
        dimension = self._release.manifest.embedder.dimension

        @lru_cache(maxsize=KEPT)
        def embed(query: str) -> Float32:
            vectors = truncate(embedder.embed_queries([Input(text=query)]), dimension)
            vectors.setflags(write=False)  # all who ask the same are given the same array
            vector: Float32 = vectors[0]
            return vector

        self._embed = embed
        self.embedder = embedder

    def _require_same_contracts(self, embedder: Embedder) -> None:
        made_with = self._release.manifest.embedder
        differences = {
            *embedder.corpus_contract.differences(Contract(made_with.corpus_contract.parts)),
            *embedder.query_contract.differences(Contract(made_with.query_contract.parts)),
        }
        if differences:
            raise ReleaseError(
                f"release {self._release.release_id} was made with {made_with.checkpoint}, which "
                "is not the model that is set (here: the one that is set, there: the release's): "
                f"{'; '.join(sorted(differences))}. Set RETRIEVALS_EMBEDDER and "
                "RETRIEVALS_MAX_PIXELS as they were, or build a release with this model. Where an "
                "instruction or a preparation differs, so does the version of the program."
            )

    def _require_same_vectors(self, embedder: Embedder) -> None:
        self._release.require_whole(GOLDEN)
        golden = read_golden(self._release.path(GOLDEN))
        if cosines := deviations(golden, embedder):
            here, there = machine(embedder), golden.made_on
            libraries = Contract(here.libraries).differences(Contract(there.libraries))
            raise ReleaseError(
                f"release {self._release.release_id}: the same model makes other vectors here "
                f"({here.device}, {here.dtype}) than where the release was made ({there.device}, "
                f"{there.dtype}), with cosines under {floor(here.dtype, there.dtype)}: "
                f"{', '.join(f'{name} {cosine:.6f}' for name, cosine in cosines.items())}. "
                f"Libraries that differ: {'; '.join(libraries) or 'none'}. "
                "Use what the release was made with (RETRIEVALS_DEVICE, RETRIEVALS_DTYPE, the "
                "libraries), or build one here in another RETRIEVALS_HOME."
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


def known_queries(path: Path) -> list[str]:
    """Return the queries of a file, in its order: one a line, without blank lines and `#` comments.

    Raises:
        SettingsError: The file cannot be read, or a line is no query.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"RETRIEVALS_WARM_QUERIES: {path} is no text that can be read: {error}."
        ) from error
    queries = []
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            queries.append(clean_query(line))
        except QueryError as error:
            raise SettingsError(
                f"RETRIEVALS_WARM_QUERIES: {path}, line {number}: {error}"
            ) from error
    return queries


def as_vector(values: Sequence[float] | Float32) -> Float32:
    """Return numbers from outside as a float32 vector.

    Raises:
        QueryError: They are no numbers.
    """
    try:
        # A number too large becomes infinite, and then is of no vector that was sent.
        with np.errstate(over="ignore"):
            return np.asarray(values, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise QueryError(f"query_vector: expected a list of numbers: {error}.") from error
