"""From a question to its vector, with the model that made the release."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future

import numpy as np
from cachetools import LRUCache

from retrievals_serving.cancelling import Cancelled, InFlight, never
from retrievals_serving.errors import InputRefused, QueryError, ReleaseError, SearchCancelled
from retrievals_serving.golden import deviations, floor, machine, read_golden
from retrievals_serving.loading import Loaded
from retrievals_serving.models import Embedder, Input, load_embedder, truncate
from retrievals_serving.models.contracts import Contract
from retrievals_serving.models.devices import turns_of
from retrievals_serving.release import GOLDEN, Release
from retrievals_serving.settings import Settings
from retrievals_serving.vectors import Float32

KEPT = 1024  # vectors of the last texts: 4 MB at dimension 1024
# How far a vector turns from what shall not be seen, as a share of the way to what shall.
NEGATIVE = 0.5


class QueryEmbedder:
    """Embeds queries for one release; loads the model when the first of them needs it.

    Texts that are asked at once are embedded in one forward, and the same text once. Safe to use
    from several threads.
    """

    def __init__(
        self, release: Release, settings: Settings, embedder: Embedder | None = None
    ) -> None:
        """Take `embedder`, or load that of the settings later.

        Raises:
            ReleaseDamaged, ReleaseError: As for `load`.
        """
        self._release = release
        self._settings = settings
        self._kept: LRUCache[str, Float32] = LRUCache(KEPT)
        self._keeping = threading.Lock()
        self._in_flight: InFlight[str, Float32] = InFlight()
        self._waiting: list[_Waiting] = []
        self._is_led = False  # whether the first of them waits for the device, for all
        self._gathering = threading.Lock()  # guards both
        model = None if embedder is None else self._accepted(embedder)
        self._loaded: Loaded[Embedder] = Loaded(self._load, model)

    @property
    def embedder(self) -> Embedder | None:
        """The model; None until it is loaded, and found to be that of the release."""
        return self._loaded.model

    def load(self, *, again: bool = False) -> Embedder:
        """Return the model, loading it on first use; `again` as `Loaded.get` has it.

        Raises:
            ModelError: It cannot be loaded.
            ReleaseDamaged: The release's golden vectors are not those that were sealed.
            ReleaseError: It is not the model that made the release, or makes other vectors here.
        """
        return self._loaded.get(again=again)

    def embed(
        self, asked: Input, *, negative: str | None = None, cancelled: Cancelled = never
    ) -> Float32:
        """Return the vector of what is asked, turned away from that of `negative` if there is one.

        Returns:
            float32 (dimension of the release,), of length 1, read-only.

        Raises:
            PictureError: Its picture cannot be read; names it.
            QueryError: The model takes no text together with a picture.
            SearchCancelled: Whoever asked has left.
            ModelError, ReleaseDamaged, ReleaseError: As for `load`.
        """
        if asked.image is None:
            vector = self._vector_of_text(asked.text or "", cancelled)
        else:
            vector = self._vector_of_picture(asked, cancelled)
        if negative is None:
            return vector
        away = self._vector_of_text(negative, cancelled)
        turned = vector - np.float32(NEGATIVE) * away
        turned /= max(np.linalg.norm(turned), np.finfo(np.float32).tiny)
        turned.setflags(write=False)
        return turned

    def _vector_of_text(self, text: str, cancelled: Cancelled) -> Float32:
        """Return the vector of `text`, kept, shared with who asks the same, or of a batch."""
        with self._keeping:
            kept: Float32 | None = self._kept.get(text)
        if kept is not None:
            return kept
        embedder = self.load()

        def in_batch(is_abandoned: Cancelled) -> Float32:
            waiting = _Waiting(text, is_abandoned)
            with self._gathering:
                self._waiting.append(waiting)
                leads, self._is_led = not self._is_led, True
            if leads:
                self._embed_waiting(embedder)
            return waiting.vector.result()

        vector = self._in_flight.share(text, in_batch, cancelled)
        with self._keeping:
            self._kept[text] = vector
        return vector

    def _embed_waiting(self, embedder: Embedder) -> None:
        """Wait for the device, then embed all texts that wait by then, if anyone wants them."""
        batch: list[_Waiting] = []
        try:
            with turns_of(embedder.device).take("embed", unless=self._nobody_waits):
                batch = self._gathered()
                self._embed_batch(embedder, [each for each in batch if not each.cancelled()])
        finally:
            # Without a batch the wait for the device was interrupted.
            for each in batch or self._gathered():
                if not each.vector.done():
                    each.vector.set_exception(SearchCancelled("whoever asked has left."))

    def _nobody_waits(self) -> bool:
        with self._gathering:
            waiting = list(self._waiting)
        return all(each.cancelled() for each in waiting)

    def _gathered(self) -> "list[_Waiting]":
        """Take all texts that wait; the next that comes leads another batch."""
        with self._gathering:
            batch = list(self._waiting)
            self._waiting.clear()
            self._is_led = False
        return batch

    def _embed_batch(self, embedder: Embedder, batch: "Sequence[_Waiting]") -> None:
        """Embed texts in one call; where that fails, each by itself, so that it fails alone."""
        if not batch:
            return
        try:
            vectors = self._vectors(embedder, [Input(text=each.text) for each in batch])
        except Exception as error:  # noqa: BLE001 - which is raised for who waits
            if len(batch) == 1:
                batch[0].vector.set_exception(error)
                return
            for each in batch:
                self._embed_batch(embedder, [each])
        else:
            for each, vector in zip(batch, vectors, strict=True):
                each.vector.set_result(vector)

    def _vector_of_picture(self, asked: Input, cancelled: Cancelled) -> Float32:
        """Wait for the device, then embed `asked`, if anyone wants it by then."""
        embedder = self.load()
        with turns_of(embedder.device).take("embed", unless=cancelled) as is_wanted:
            if not is_wanted:
                raise SearchCancelled("whoever asked has left.")
            try:
                vector: Float32 = self._vectors(embedder, [asked])[0]
            except InputRefused as error:
                raise QueryError(f"query: {error}") from error
        return vector

    def _vectors(self, embedder: Embedder, inputs: Sequence[Input]) -> Float32:
        """Return read-only rows, which all who ask the same are given."""
        dimension = self._release.manifest.embedder.dimension
        vectors = truncate(embedder.embed_queries(inputs), dimension)
        vectors.setflags(write=False)
        return vectors

    def _load(self) -> Embedder:
        return self._accepted(
            load_embedder(
                self._settings.embedder,
                device=self._settings.device,
                dtype=self._settings.dtype,
                max_pixels=self._settings.max_pixels,
            )
        )

    def _accepted(self, embedder: Embedder) -> Embedder:
        """Return `embedder` once it is shown to make the vectors of the release."""
        self._require_same_contracts(embedder)
        self._require_same_vectors(embedder)
        return embedder

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


class _Waiting:
    """A text that waits for a batch."""

    def __init__(self, text: str, cancelled: Cancelled) -> None:
        self.text = text
        self.cancelled = cancelled
        self.vector: Future[Float32] = Future()
