"""Whose turn it is on a device: one forward at a time, and none waits for ever.

    with turns_of("cuda:0").take("embed"):
        ...  # one forward

One forward fills a device, and two need the memory of both. So models that share a device take
turns, forward by forward: searches that are reranked at once advance together, each by a
micro-batch. An embedding goes before them, since it is short and a whole search waits for it, yet
never two in a row while others wait.
"""

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

Kind = Literal["embed", "rerank"]


class Turns:
    """Lends a device to one forward at a time. Safe to use from several threads.

    Attributes:
        forwards: How many of each kind were run.
    """

    def __init__(self) -> None:
        self.forwards: Counter[Kind] = Counter()
        self._lock = threading.Lock()
        self._waiting: dict[Kind, deque[threading.Event]] = {"embed": deque(), "rerank": deque()}
        self._taken_for: Kind | None = None
        self._holder: int | None = None  # the thread that has it

    @property
    def waiting(self) -> int:
        """How many forwards wait for the device."""
        return sum(map(len, self._waiting.values()))

    @contextmanager
    def take(self, kind: Kind, *, unless: Callable[[], bool] | None = None) -> Iterator[bool]:
        """Have the device for one forward in the block, when it is its turn.

        A thread that has it already goes on at once: its forward is part of the other.

        Yields:
            Whether the forward is to be run: not if `unless` says so when the turn has come.
        """
        if self._holder == threading.get_ident():
            yield True
            return
        self._wait_for_turn(kind)
        self._holder = threading.get_ident()
        try:
            is_wanted = unless is None or not unless()
            self.forwards[kind] += is_wanted
            yield is_wanted
        finally:
            self._holder = None
            self._pass_on()

    def _wait_for_turn(self, kind: Kind) -> None:
        turn = threading.Event()
        with self._lock:
            if self._taken_for is None:
                self._taken_for = kind
                return
            self._waiting[kind].append(turn)
        try:
            turn.wait()
        except BaseException:  # Ctrl-C: the turn must not come to nobody
            with self._lock:
                if turn in self._waiting[kind]:
                    self._waiting[kind].remove(turn)
            if turn.is_set():
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        """Give the device to who is next."""
        with self._lock:
            embeds, reranks = self._waiting["embed"], self._waiting["rerank"]
            if embeds and not (reranks and self._taken_for == "embed"):
                self._taken_for = "embed"
                embeds.popleft().set()
            elif reranks:
                self._taken_for = "rerank"
                reranks.popleft().set()
            else:
                self._taken_for = None


_turns: dict[str, Turns] = {}


def turns_of(device: str) -> Turns:
    """Return the turns on `device`, which all models of this process share."""
    return _turns.setdefault(device, Turns())


def waiting() -> int:
    """Return how many forwards wait for a device of this process."""
    return sum(turns.waiting for turns in list(_turns.values()))


def forwards() -> Counter[str]:
    """Return how many forwards of each kind this process ran."""
    ran = Counter[str](embed=0, rerank=0)
    for turns in list(_turns.values()):
        ran.update({kind: turns.forwards[kind] for kind in ("embed", "rerank")})
    return ran
