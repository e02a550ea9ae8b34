"""Work that ends when nobody wants it any more, and that is done once for all who want the same."""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

from retrievals_serving.errors import SearchCancelled

Cancelled = Callable[[], bool]  # whether whoever asked has left
Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


def never() -> bool:
    """Say that whoever asked is still there."""
    return False


def require_wanted(cancelled: Cancelled) -> None:
    """End here if whoever asked has left.

    Raises:
        SearchCancelled: They have.
    """
    if cancelled():
        raise SearchCancelled("whoever asked has left.")


class Spared:
    """What was not done since whoever asked had left. Safe to use from several threads.

    Attributes:
        searches: How many ended early.
        pictures: How many candidates the reranker did not have to look at.
    """

    def __init__(self) -> None:
        self.searches = 0
        self.pictures = 0
        self._lock = threading.Lock()

    def add(self, *, searches: int = 0, pictures: int = 0) -> None:
        """Count what was spared."""
        with self._lock:
            self.searches += searches
            self.pictures += pictures


class _Flight(Generic[Value]):
    def __init__(self) -> None:
        self.future: Future[Value] = Future()
        self.cancelled: list[Cancelled] = []


class InFlight(Generic[Key, Value]):
    """Computations under way, each shared by all who ask for it meanwhile.

    Safe to use from several threads.
    """

    def __init__(self) -> None:
        self._flights: dict[Key, _Flight[Value]] = {}
        self._lock = threading.Lock()

    def share(
        self, key: Key, compute: Callable[[Cancelled], Value], cancelled: Cancelled = never
    ) -> Value:
        """Return what `compute` does, or what it does for another that asked for `key` before.

        `compute` is told whether all who asked have left, and then may return anything: nobody
        else is given it. What it raises is raised for all.

        Raises:
            SearchCancelled: Who asked here has left.
        """
        with self._lock:
            flight = self._flights.get(key)
            leads = flight is None
            if flight is None:
                flight = self._flights[key] = _Flight()
            flight.cancelled.append(cancelled)
        if leads:
            self._compute(key, flight, compute)
        value = flight.future.result()
        require_wanted(cancelled)
        return value

    def _compute(
        self, key: Key, flight: _Flight[Value], compute: Callable[[Cancelled], Value]
    ) -> None:
        def is_abandoned() -> bool:
            with self._lock:
                if not all(each() for each in flight.cancelled):
                    return False
                self._land(key, flight)  # whoever asks from here on begins again
                return True

        try:
            flight.future.set_result(compute(is_abandoned))
        except BaseException as error:  # noqa: BLE001 - which is raised for all who wait
            flight.future.set_exception(error)
        finally:
            with self._lock:
                self._land(key, flight)

    def _land(self, key: Key, flight: _Flight[Value]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
