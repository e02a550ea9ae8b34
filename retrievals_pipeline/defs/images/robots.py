"""What a host asks of robots in its `robots.txt` (RFC 9309)."""

from urllib.robotparser import RobotFileParser

from retrievals_pipeline.defs.images.http import Answer
from retrievals_pipeline.http import ROBOT

READABLE = frozenset({"ok", "not_found", "gone", "forbidden", "refused", "too_large"})


class Robots:
    """The rules of one host.

    A host without the file, or that refuses to show it, allows everything; of one that is too
    large nothing is known either.

    Args:
        answer: How the request for the file ended, with one of the statuses `READABLE`.
    """

    def __init__(self, answer: Answer) -> None:
        self._rules = RobotFileParser()
        self._rules.parse(answer.content.decode("utf-8", errors="replace").splitlines())

    def allows(self, url: str) -> bool:
        """Tell whether this project may ask for `url`."""
        return self._rules.can_fetch(ROBOT, url)

    @property
    def highest_rate(self) -> float | None:
        """Requests a second that the host's `Crawl-delay` allows; None where it has none."""
        delay = self._rules.crawl_delay(ROBOT)
        return 1 / float(delay) if delay is not None and float(delay) > 0 else None
