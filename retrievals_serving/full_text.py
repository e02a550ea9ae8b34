"""Full-text search over the records of a release: what answers when no vector can be had.

SQLite's FTS5 ranks by BM25 (k1 1.2, b 0.75). Words are compared without case, accents and English
endings: "boats" finds "boat", "Emile" finds "Émile". A work answers when it has one of the words
of the query; common English words are left out unless there are no others.
"""

import re
import sqlite3
import threading

import numpy as np

from retrievals_serving.records import Records
from retrievals_serving.vectors import Float32, Int32, Int64

# What a word weighs by where it is found. Measured on 1,200 works of the miniature museum against
# equal weights: works asked for by their very titles are found before others more often
# (R-precision 0.888, 0.879), what is asked for by what it shows nearly as well (nDCG@10 of 360
# drawn queries 0.454, 0.455; of 38 visitors' 0.549, 0.560). Heavier titles gain less than they
# lose.
WEIGHTS = {
    "title": 1.5,
    "artist": 1.25,
    "description": 1.0,
    "medium": 1.0,
    "classification": 1.0,
    "date": 1.0,
}
# Apache Lucene's `EnglishAnalyzer.ENGLISH_STOP_WORDS_SET`. With them answers are as good (nDCG@10
# 0.453), and take more than twice as long.
STOP_WORDS = frozenset((
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it",
    "no", "not", "of", "on", "or", "such", "that", "the", "their", "then", "there", "these", "they",
    "this", "to", "was", "will", "with",
))  # fmt: skip
# With the accents that may follow a letter; FTS5 takes them off.
WORD = re.compile(r"(?:[^\W_][\u0300-\u036f]*)+")

CREATE = f"""
    create virtual table works using fts5(
        {", ".join(WEIGHTS)}, content='', tokenize='porter unicode61 remove_diacritics 2'
    )
"""
INSERT = f"""
    insert into works (rowid, {", ".join(WEIGHTS)}) values (?{", ?" * len(WEIGHTS)})
"""  # noqa: S608 - of names that stand above
# `bm25` is negative, the best the lowest. A filter is a byte for each row.
SEARCH = f"""
    select rowid, -bm25(works, {", ".join(map(str, WEIGHTS.values()))}) as score
    from works
    where works match :words and (:allowed is null or substr(:allowed, rowid + 1, 1) = x'01')
    order by score desc, rowid
    limit :k
"""  # noqa: S608 - of numbers that stand above


class FullText:
    """Finds works by the words of their records. Safe to use from several threads."""

    def __init__(self, records: Records) -> None:
        """Search `records`; they are read when the first search, or `build`, needs them."""
        self._records = records
        self._index: sqlite3.Connection | None = None
        # One query at a time: FTS5 takes a core for it, whoever else has a connection.
        self._using = threading.Lock()

    def build(self) -> None:
        """Read the records, so that no search waits for it.

        Raises:
            ReleaseError: The release was closed.
        """
        with self._using:
            self._built()

    def search(self, query: str, k: int, only: Int32 | None = None) -> tuple[Float32, Int64]:
        """Return the scores and rows, each (found,), of the `k` works that fit `query` best.

        The best come first, equal scores in the order of their rows; `found` is less than `k` only
        where fewer works have a word of the query.

        Args:
            query: Plain text: quotes, operators and the like mean nothing.
            k: How many to find, at least 1.
            only: Search these rows only. All when None.

        Returns:
            scores: float32, over 0 and at most 1: b / (1 + b) of the BM25 score b. A word that few
                works have is worth 5 to 20, so that these scores are high beside cosines.
            rows: int64.

        Raises:
            ReleaseError: The release was closed.
        """
        words = " OR ".join(f'"{word}"' for word in query_words(query)) or '""'
        with self._using:
            found = self._built().execute(
                SEARCH, {"words": words, "allowed": self._allowed(only), "k": k}
            )
            ranked = np.array(found.fetchall(), np.float64).reshape(-1, 2)
        rows, scores = ranked.T
        return (scores / (1 + scores)).astype(np.float32), rows.astype(np.int64)

    def close(self) -> None:
        """Let go of the memory, when the query in flight has ended."""
        with self._using:
            if self._index is not None:
                self._index.close()
                self._index = None

    def _built(self) -> sqlite3.Connection:
        """Return the index, making it on first use; the lock is held."""
        if self._index is None:
            texts = self._records.texts(tuple(WEIGHTS))
            index = sqlite3.connect(":memory:", check_same_thread=False)
            index.execute(CREATE)
            index.executemany(INSERT, ((row, *each) for row, each in enumerate(texts)))
            index.commit()
            self._index = index
        return self._index

    def _allowed(self, only: Int32 | None) -> bytes | None:
        """Return a byte for each row, 1 where it may be found; None when all may."""
        if only is None:
            return None
        allowed = np.zeros(self._records.count, np.uint8)
        allowed[only] = 1
        return allowed.tobytes()


def query_words(query: str) -> list[str]:
    """Return the words of `query` that are searched for, each once, in lower case."""
    words = list(dict.fromkeys(WORD.findall(query.lower())))
    return [word for word in words if word not in STOP_WORDS] or words
