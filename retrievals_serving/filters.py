"""The filter grammar: which works a search looks at, from JSON to SQL with bound parameters.

    {"classification": "Painting"}                    is
    {"artist": ["Claude Monet", "Eugène Boudin"]}     is any of
    {"title": {"contains": "boat"}}                   texts: holds it, in upper or lower case
    {"begin_year": {"gte": 1850, "lt": 1900}}         numbers: gte, gt, lte, lt
    {"century": [18, 19]}                             that of `begin_year`: 1701 begins the 18th
    {"keyword": "boat"}                               lists of texts: any element is
    {"not": {"classification": "Print"}}              does not match all of it

The conditions of one object must all hold. A value that is missing matches no condition, so every
work matches either a filter or its `not`.
"""

from collections.abc import Callable, Mapping
from reprlib import Repr
from typing import Any

from retrievals_serving.errors import QueryError

Filters = Mapping[str, Any]
Condition = tuple[str, list[Any]]  # SQL with `?` for each value, and the values

MAX_VALUES = 256  # in one list
MAX_TEXT = 512  # characters of one text; cursors carry filters
MAX_DEPTH = 8  # of `not` within `not`
MAX_SHOWN = 80  # characters of a value in a message

TEXTS = ("id", "title", "artist", "date", "medium", "classification", "credit", "description")
NUMBERS = ("begin_year", "end_year", "century", "width", "height")
LISTS = ("school", "theme", "style", "technique", "keyword", "place")
FACETS = ("artist", "century", "classification", "medium", *LISTS)  # whose values are counted
# What is no column of its own follows from one.
EXPRESSIONS = {"century": "(ceil(begin_year / 100)::integer)"}
COMPARISONS = {"gte": ">=", "gt": ">", "lte": "<=", "lt": "<"}


def parse_filters(filters: Filters, depth: int = 0) -> Condition:
    """Return the condition, over the columns of `artworks`, that `filters` states.

    Raises:
        QueryError: An unknown field or operator, or a value of the wrong type; lists the known.
    """
    if not isinstance(filters, Mapping):
        raise QueryError(f"filters: expected an object of fields, got {_shown(filters)}.")
    if depth > MAX_DEPTH:
        raise QueryError(f"filters: 'not' is nested more than {MAX_DEPTH} times; simplify it.")
    conditions = []
    values: list[Any] = []
    for field, value in filters.items():
        if field == "not":
            condition, more = parse_filters(value, depth + 1)
            condition = f"not ({condition})"
        else:
            condition, more = _kind(field)(field, value)
        conditions.append(f"coalesce({condition}, false)")
        values += more
    return " and ".join(conditions) or "true", values


def is_unicode(text: str) -> bool:
    """Tell whether `text` can be encoded; JSON and Python also let half a surrogate pair in."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _kind(field: str) -> Callable[[str, Any], Condition]:
    """Return the function that parses the conditions on `field`."""
    for names, parse in ((TEXTS, _on_text), (NUMBERS, _on_number), (LISTS, _on_list)):
        if field in names:
            return parse
    known = ", ".join(sorted((*TEXTS, *NUMBERS, *LISTS, "not")))
    raise QueryError(f"filters: there is no field {_shown(field)}; choose from {known}.")


def _on_text(field: str, value: Any) -> Condition:
    if isinstance(value, Mapping):
        _require_operators(field, value, ["contains"])
        return f"contains(lower({field}), lower(?))", [_text(field, value["contains"])]
    return f"list_contains(?, {field})", [_any_of(field, value, _text)]


def _on_number(field: str, value: Any) -> Condition:
    number = EXPRESSIONS.get(field, field)
    if isinstance(value, Mapping):
        _require_operators(field, value, list(COMPARISONS))
        conditions = [f"{number} {COMPARISONS[operator]} ?" for operator in value]
        return " and ".join(conditions), [_number(field, bound) for bound in value.values()]
    return f"list_contains(?, {number})", [_any_of(field, value, _number)]


def _on_list(field: str, value: Any) -> Condition:
    if isinstance(value, Mapping):
        raise QueryError(f"filters: {field!r} takes no operators; give a text or a list of texts.")
    # One text is by far the commonest, and four times as fast this way.
    if isinstance(value, str):
        return f"list_contains({field}, ?)", [_text(field, value)]
    return f"list_has_any({field}, ?)", [_any_of(field, value, _text)]


def _any_of(field: str, value: Any, parse: Callable[[str, Any], Any]) -> list[Any]:
    """Return one value, or a list of them, as a list of which any may match."""
    if not isinstance(value, list | tuple):
        return [parse(field, value)]
    if not 1 <= len(value) <= MAX_VALUES:
        raise QueryError(
            f"filters: {field!r} takes a list of 1 to {MAX_VALUES} values, got {len(value)}."
        )
    return [parse(field, item) for item in value]


def _text(field: str, value: Any) -> str:
    if not isinstance(value, str):
        raise QueryError(f"filters: {field!r} is compared with texts, not with {_shown(value)}.")
    if not is_unicode(value):
        raise QueryError(f"filters: {field!r} is compared with {_shown(value)}: no valid Unicode.")
    if len(value) > MAX_TEXT:
        raise QueryError(
            f"filters: {field!r} is compared with texts of up to {MAX_TEXT} characters, got "
            f"{len(value)}; shorten it."
        )
    return value


def _number(field: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 2**31:
        raise QueryError(
            f"filters: {field!r} is compared with whole numbers, not with {_shown(value)}."
        )
    return value


def _require_operators(field: str, value: Mapping[str, Any], known: list[str]) -> None:
    if not value or not value.keys() <= set(known):
        unknown = ", ".join(_shown(operator) for operator in value if operator not in known)
        raise QueryError(
            f"filters: {field!r} takes the operators {', '.join(known)}, not {unknown or 'none'}."
        )


def _shown(value: Any) -> str:
    """Return `value` as it may stand in a message: printable and short, however deep it is."""
    shown = Repr()
    shown.maxlevel, shown.maxstring, shown.maxlong = 1, MAX_SHOWN, MAX_SHOWN
    return f"{shown.repr(value):.{MAX_SHOWN}}"
