"""Whether a client has an answer already: RFC 9110, section 13.1.2."""

from typing import Annotated, Any

from fastapi import Header

IfNoneMatch = Annotated[
    str | None, Header(description="The `ETag` of an answer that is kept: 304 if it is still so.")
]

NOT_MODIFIED: dict[int | str, dict[str, Any]] = {
    304: {"description": "It is as the client has it."},
}


def has_it(if_none_match: str | None, etag: str) -> bool:
    """Tell whether `if_none_match` has `etag`, by which a client names what it keeps.

    A weak one (`W/"…"`) and a strong one are the same here.
    """
    if if_none_match is None:
        return False
    return etag.removeprefix("W/") in if_none_match or if_none_match.strip() == "*"
