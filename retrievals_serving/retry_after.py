"""For how long a host wishes to be left alone: the header `Retry-After` (RFC 9110, 10.2.3)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

MAX_PAUSE = 900.0  # seconds; a host that wishes to be left alone for longer is
LONGEST = 366 * 86_400.0  # seconds; nobody who waits can tell a longer wish from this one


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds, from 0 to `LONGEST`, that the answer's `headers` ask for, if they do.

    `headers` have lower case names. What cannot be understood is no wish.
    """
    wish = headers.get("retry-after", "").strip()
    if wish.isascii() and wish.isdigit():
        return min(float(wish), LONGEST)
    moment = _date(wish)
    if moment is None:
        return None
    # By the host's own clock, where it tells the time.
    now = _date(headers.get("date", "")) or datetime.now(UTC)
    return min(max(0.0, (moment - now).total_seconds()), LONGEST)


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):  # also of dates that no calendar has
        return None
