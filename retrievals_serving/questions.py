"""What can be asked: a text, a picture or both, and how the answer is to be made."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self, TypedDict, Unpack

from PIL import Image

from retrievals_serving.errors import QueryError, SettingsError
from retrievals_serving.filters import Filters, is_unicode, parse_filters
from retrievals_serving.models import Input
from retrievals_serving.settings import Settings

MAX_QUERY = 512  # characters
MAX_TOP_K = 100


class Options(TypedDict, total=False):
    """How an answer is made; each may be left out.

    Attributes:
        negative: What the works shall not show, 1 to 512 characters.
        top_k: Results on the first page, 1 to 100; default: the setting `page`.
        filters: Look only at works that match, see `filters`.
        score_threshold: Leave out works of a lower vector score, 0 to 1; default 0.
        rerank: Whether a reranker, where one is set, puts the best in order; default True.
        alpha: Weight of its score against the vector score, 0 to 1; default: the setting.
        explain: `conditions` has the reranker, where one is set, judge each condition of the text
            by itself for the works that are shown.
    """

    negative: str | None
    top_k: int | None
    filters: Filters | None
    score_threshold: float
    rerank: bool
    alpha: float | None
    explain: Literal["conditions"] | None


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked, within bounds; see `Options`.

    Attributes:
        text: What the works shall show, if it is said in words.
        image: What they shall look like, if it is shown.
    """

    text: str | None = None
    image: Image.Image | Path | None = None
    negative: str | None = None
    top_k: int
    filters: dict[str, Any] | None = None
    score_threshold: float = 0.0
    rerank: bool = True
    alpha: float
    explain: Literal["conditions"] | None = None

    @classmethod
    def ask(
        cls,
        settings: Settings,
        *,
        text: str | None = None,
        image: Image.Image | Path | None = None,
        **options: Unpack[Options],
    ) -> Self:
        """Return what is asked, with what the settings say where it does not.

        Raises:
            QueryError: An argument is out of bounds, or `filters` has an unknown field.
        """
        if text is None and image is None:
            raise QueryError("query: expected a text, a picture, or both; got neither.")
        negative, alpha = options.get("negative"), options.get("alpha")
        asked = cls(
            text=None if text is None else clean_text("query", text),
            image=image,
            negative=None if negative is None else clean_text("negative", negative),
            top_k=page_size(options.get("top_k"), settings),
            filters=known(options.get("filters")),
            score_threshold=options.get("score_threshold", 0.0),
            rerank=options.get("rerank", True),
            alpha=settings.alpha if alpha is None else alpha,
            explain=options.get("explain"),
        )
        _require_fraction("score_threshold", asked.score_threshold)
        _require_fraction("alpha", asked.alpha)
        return asked

    @property
    def input(self) -> Input:
        """What the embedder is given."""
        return Input(text=self.text, image=self.image)

    @property
    def to_judge(self) -> str | None:
        """What the reranker is asked of a picture; None where there is no text to judge by."""
        if self.text is None or self.negative is None:
            return self.text
        return f"{self.text}, without {self.negative}"


def clean_text(name: str, text: str) -> str:
    """Return a text without space around it; `name` is what it was asked as.

    Raises:
        QueryError: It is empty, longer than 512 characters, or no valid Unicode.
    """
    text = text.strip()
    if not 1 <= len(text) <= MAX_QUERY:
        raise QueryError(f"{name}: expected 1 to {MAX_QUERY} characters, got {len(text)}.")
    if not is_unicode(text):
        raise QueryError(f"{name}: {text!r:.80} is no valid Unicode.")
    return text


def known_queries(path: Path) -> list[str]:
    """Return the queries of a file, in its order: one a line, without blank lines and `#` comments.

    Raises:
        SettingsError: The file cannot be read, or a line is no query.
    """
    path = path.expanduser()
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"RETRIEVALS_WARM_QUERIES: {path} is no text that can be read: {error}."
        ) from error
    queries = []
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            queries.append(clean_text("query", line))
        except QueryError as error:
            raise SettingsError(
                f"RETRIEVALS_WARM_QUERIES: {path}, line {number}: {error}"
            ) from error
    return queries


def page_size(top_k: int | None, settings: Settings) -> int:
    """Return how many results the first page has.

    Raises:
        QueryError: It is not 1 to 100.
    """
    if top_k is None:
        return settings.page
    if not 1 <= top_k <= MAX_TOP_K:
        raise QueryError(f"top_k: expected 1 to {MAX_TOP_K}, got {top_k}.")
    return top_k


def known(filters: Filters | None) -> dict[str, Any] | None:
    """Return a copy of `filters`, or None if there are none; refused before a model is asked.

    Raises:
        QueryError: As for `parse_filters`.
    """
    if filters is None:
        return None
    parse_filters(filters)
    return dict(filters) or None


def _require_fraction(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise QueryError(f"{name}: expected a number from 0 to 1, got {value}.")
