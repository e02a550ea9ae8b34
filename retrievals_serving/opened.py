"""The files of a release, open: what the parts of an engine search, filter and show."""

from retrievals_serving.errors import ReleaseDamaged
from retrievals_serving.full_text import FullText
from retrievals_serving.metadata import Metadata
from retrievals_serving.records import Records
from retrievals_serving.release import METADATA, RECORDS, SCORES, Release
from retrievals_serving.relevance import Relevance, ScoreDistribution
from retrievals_serving.vectors import Float32, VectorSearch
from retrievals_serving.vectors.closed import ClosedIndex
from retrievals_serving.vectors.faiss_index import open_index


class OpenRelease:
    """A release whose files are open; they fit together. Safe to use from several threads.

    Attributes:
        release: The release itself.
        index: Its vectors.
        metadata: By what its works are filtered.
        records: What is shown of them.
        full_text: The words of what is shown.
    """

    def __init__(self, release: Release) -> None:
        """Open the files of `release`.

        Raises:
            ReleaseDamaged: One cannot be read, or they are not of the same works.
            SettingsError: FAISS is not installed.
        """
        self.release = release
        self.index: VectorSearch = open_index(release)
        self.metadata = Metadata(release.path(METADATA))
        self.records = Records(release.path(RECORDS))
        self.full_text = FullText(self.records)
        self._scores = ScoreDistribution.read(release.path(SCORES))
        self._require_agreement()

    def close(self) -> None:
        """Let go of the files.

        The index is unmapped when the searches in flight have ended, whoever still has this.
        """
        self.metadata.close()
        self.full_text.close()
        self.records.close()
        self.index = ClosedIndex()

    def relevance(self, vector: Float32, cosine: float) -> Relevance | None:
        """Tell whether a work of this `cosine` fits the text of `vector` better than chance.

        `vector` is float32 (dimension,). None where the release could not learn to tell.
        """
        fit = self.release.manifest.index.fit
        if fit is None:
            return None
        return fit.relevance(cosine, self._scores.deviations(vector, cosine))

    def _require_agreement(self) -> None:
        """Refuse files that are not of the same works."""
        manifest = self.release.manifest
        works = {self.index.count, self.metadata.count, self.records.count, manifest.works}
        widths = {self.index.dimension, self._scores.dimension, manifest.embedder.dimension}
        if len(works) > 1 or len(widths) > 1:
            raise ReleaseDamaged(
                f"release {manifest.release_id} has {self.index.count} vectors of dimension "
                f"{self.index.dimension}, {self.metadata.count} rows to filter and "
                f"{self.records.count} records to show, scores of dimension "
                f"{self._scores.dimension}; its manifest says {manifest.works} works of dimension "
                f"{manifest.embedder.dimension}. Build it again."
            )
