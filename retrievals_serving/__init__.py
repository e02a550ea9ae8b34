"""Search a museum's collection by what its pictures show: what an API process imports."""

from typing import TYPE_CHECKING, Any

from retrievals_serving.errors import RetrievalsError

if TYPE_CHECKING:
    from retrievals_serving.async_engine import AsyncSearchEngine
    from retrievals_serving.engine import SearchEngine
    from retrievals_serving.settings import Settings

__all__ = ["AsyncSearchEngine", "RetrievalsError", "SearchEngine", "Settings"]


def __getattr__(name: str) -> Any:
    """Import what takes time when it is first asked for: the pipeline needs none of it."""
    if name == "AsyncSearchEngine":
        from retrievals_serving.async_engine import AsyncSearchEngine

        return AsyncSearchEngine
    if name == "SearchEngine":
        from retrievals_serving.engine import SearchEngine

        return SearchEngine
    if name == "Settings":
        from retrievals_serving.settings import Settings

        return Settings
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
