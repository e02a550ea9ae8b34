"""What an engine that was closed has in place of its index, whose file is let go."""

from retrievals_serving.errors import ReleaseError
from retrievals_serving.vectors import Float32, Int32, Int64


class ClosedIndex:
    """The index of an engine that was closed; see `VectorSearch`."""

    count = 0
    dimension = 0

    def search(self, queries: Float32, k: int, rows: Int32 | None = None) -> tuple[Float32, Int64]:  # noqa: ARG002
        """Refuse to search."""
        raise ReleaseError("the engine was closed: open another one.")

    def vector(self, row: int) -> Float32:  # noqa: ARG002
        """Refuse to give a vector."""
        raise ReleaseError("the engine was closed: open another one.")
