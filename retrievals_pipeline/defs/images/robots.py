"""What a host asks of robots in its `robots.txt` (RFC 9309)."""

import re

from protego import Protego

from retrievals_serving.http_client import ROBOT

READABLE = frozenset({"ok", "not_found", "gone", "forbidden", "refused", "too_large"})
MAX_BYTES = 512_000  # the standard asks to read the first 500 KiB
LONGEST_DELAY = 86_400.0  # seconds
# Of a group's line the product token alone counts, and all of it: `retrieval` is somebody else.
OWN_GROUP = re.compile(
    rf"^([ \t]*user-agent[ \t]*:[ \t]*{ROBOT})(?![\w-])[^\r\n]*", re.IGNORECASE | re.MULTILINE
)


class Robots:
    """The rules of one host.

    A host without the file, or that refuses to show it, allows everything; of one that is too
    large nothing is known either.

    Args:
        content: The file, as it came with one of the statuses `READABLE`.
    """

    def __init__(self, content: bytes) -> None:
        text = content[:MAX_BYTES].decode("utf-8-sig", errors="replace")
        text, own_groups = OWN_GROUP.subn(r"\1", text)
        self._rules = Protego.parse(text)
        self._name = ROBOT if own_groups else ""  # which only the group of all others is for

    def allows(self, url: str) -> bool:
        """Tell whether this project may ask for `url`."""
        return self._rules.can_fetch(url, self._name)

    @property
    def highest_rate(self) -> float | None:
        """Requests a second that the host's `Crawl-delay` allows; None where it has none."""
        delay = self._rules.crawl_delay(self._name)
        return 1 / min(delay, LONGEST_DELAY) if delay is not None and delay > 0 else None
