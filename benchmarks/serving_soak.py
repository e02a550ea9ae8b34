"""A server at its limit for a while: whether its memory stays bounded."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from benchmarks.opening import memory
from benchmarks.serving_clients import ANSWERED, DEGRADED, LEFT, REFUSED, Crowd
from benchmarks.serving_process import Bench

BEYOND, LEAVING = 8, 8  # who ask beyond the limit, and who leave before they are answered
FIRST = 60  # seconds after which the memory is first noted, or half of a shorter soak
PAUSE = 0.2  # seconds between two looks at the memory

Memory = Mapping[str, float]  # MiB, by its kind


def soak(bench: Bench, seconds: int, *, queue: int) -> str:
    """Keep the server at its limit, `queue` searches, for `seconds`, and look at its memory."""
    first = min(FIRST, seconds / 2)
    with bench.served(queue=str(queue)) as server, ThreadPoolExecutor(1) as watching:
        crowd = Crowd(server.host)
        watch = watching.submit(_watched, str(server.pid), first, seconds)
        crowd.come(seconds, stay=queue + BEYOND, leave=LEAVING)
        early, late, highest = watch.result()
    counts = dict.fromkeys((ANSWERED, DEGRADED, REFUSED, LEFT), 0) | crowd.counted
    said = (
        f"{queue} searches may be under way. {queue + BEYOND} clients ask, each something else as "
        "soon as it is answered, or when a 503 says; "
        f"{LEAVING} more leave again and again after 20 to 100 ms. Degraded: the deadline came.\n"
    )
    memories = (
        *(f"resident after {first:g} s, MiB", "of it its own", "at the end", "of it its own"),
        "at most",
    )
    figures = (
        *(sum(early.values()), early["RssAnon"], sum(late.values()), late["RssAnon"]),
        highest,
    )
    lines = [
        f"**{seconds} s at the limit**\n",
        said,
        f"| {' | '.join((*counts, *memories))} |",
        "|---" * (len(counts) + len(memories)) + "|",
        f"| {' | '.join(f'{figure:,.0f}' for figure in (*counts.values(), *figures))} |",
    ]
    return "\n".join(lines) + "\n"


def _watched(process: str, first: float, seconds: float) -> tuple[Memory, Memory, float]:
    """Return the memory of a process after `first` and after `seconds`, and the most it had."""
    began, seen = time.monotonic(), list[tuple[float, Memory]]()
    while (passed := time.monotonic() - began) < seconds:
        seen.append((passed, memory(process)))
        time.sleep(PAUSE)
    early = next(kinds for passed, kinds in reversed(seen) if passed <= first)
    return early, seen[-1][1], max(sum(kinds.values()) for _, kinds in seen)
