"""How well the miniature models find what is asked, by kind of query, against the truth.

    python -m benchmarks.quality                  # 1,200 works
    python -m benchmarks.quality --works 10000

A release is built in a home that stays, so that another run measures at once.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks import metrics, sections
from benchmarks.collection import Piece, build, read_pieces
from benchmarks.machine import machine
from benchmarks.truth_queries import (
    COMMON,
    COMPOSED,
    DRAWN,
    OWN,
    UNSEEN,
    VISITORS,
    Asked,
    draw,
    elsewhere,
    visitors,
)
from retrievals_pipeline.miniature.truth.measures import ndcg
from retrievals_pipeline.miniature.truth.relevance import grades
from retrievals_pipeline.progress import track
from retrievals_serving import SearchEngine
from retrievals_serving.relevance import Relevance
from retrievals_serving.vectors.faiss_index import FaissIndex, open_index

WORKS = 1200
QUERIES = 60  # of each kind
LIBRARIES = ("torch", "transformers", "faiss-cpu", "numpy")
ALONE, RERANKED = "alone", "reranked"
TITLES = {ALONE: "The embedder alone", RERANKED: "With reranking"}
INTRODUCTION = """\
A work is graded against what was asked, as facts of its scene and colours of its picture: 3 all of
it, 2 nearly, 1 some, 0 not, or something that was ruled out. nDCG@10: a grade g gains 2^g − 1, the
ideal is that of the whole collection. MRR: the first work of grade 2 or 3 among 100. P@10: the
share of those grades among ten, and as a share of what the collection allows. Means over queries
with 95 % bootstrap intervals; the gain is paired. The sentences have the grammar and the words of
training's, in other frames; held-out words, which training never uses, are a kind of their own.
All: the drawn kinds above that line, without held-out words and the visitors' queries, which were
written by hand. The window is 256 works, of which 80 are reranked where the profile has a reranker.
"""


class Answer(NamedTuple):
    """What a query came to: grades of the whole collection, and rows in order, by stage."""

    asked: Asked
    grades: list[int]
    rows: dict[str, list[int]]
    vector: list[float]
    relevance: Relevance | None

    def ranked(self, stage: str) -> list[int]:
        """Return the grades in the order of the ranking."""
        return [self.grades[row] for row in self.rows[stage]]

    def finds(self, stage: str, k: int) -> float:
        """Return 1 where a work that was described is among the first `k`, else 0."""
        return float(not set(self.asked.known).isdisjoint(self.rows[stage][:k]))


Measure = Callable[[Answer, str], float]
MEASURES: dict[str, Measure] = {
    "nDCG@10": lambda answer, stage: ndcg(answer.ranked(stage), answer.grades),
    "MRR": lambda answer, stage: metrics.reciprocal_rank(answer.ranked(stage)),
    "P@10": lambda answer, stage: metrics.precision(answer.ranked(stage)),
    "P@10 of the attainable": lambda answer, stage: metrics.attained(
        answer.ranked(stage), answer.grades
    ),
}


def report(arguments: Sequence[str] = ()) -> str:
    """Measure, and return a section in Markdown."""
    chosen = options(arguments)
    settings = build(chosen.works, chosen.home)
    pieces = read_pieces(settings, chosen.works)
    asked = [each for kind in DRAWN for each in draw(kind, pieces, chosen.queries)] + visitors()
    with SearchEngine.open(settings=settings) as engine:
        engine.warm()
        answers = answered(engine, asked, pieces)
        by_chance = [engine.search(text, rerank=False).relevance for text in elsewhere()]
        index = open_index(engine.release)
        release = engine.release.release_id
    command = f"`python -m benchmarks.quality --works {chosen.works} --queries {chosen.queries}`"
    return "\n".join(
        [
            f"## Quality on {chosen.works:,} works of the miniature museum\n",
            f"{machine(*LIBRARIES)} {command}, release {release}.\n",
            INTRODUCTION,
            f"Queries left out, because no work answers them: {len(asked) - len(answers)}.\n",
            *(line for stage in answers[0].rows for line in table(answers, stage)),
            *known_items(answers),
            index_recall(index, answers) + "\n",
            *relevances(answers, by_chance),
            *one_by_one([each for each in answers if each.asked.kind == VISITORS]),
        ]
    )


def options(arguments: Sequence[str]) -> argparse.Namespace:
    """Read a command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality")
    parser.add_argument("--works", type=int, default=WORKS, help=f"default {WORKS}")
    parser.add_argument("--queries", type=int, default=QUERIES, help=f"a kind; default {QUERIES}")
    parser.add_argument("--home", type=Path, help="default .retrievals/quality-<works>")
    chosen = parser.parse_args(arguments)
    chosen.home = chosen.home or Path(".retrievals") / f"quality-{chosen.works}"
    return chosen


def answered(
    engine: SearchEngine, queries: Sequence[Asked], pieces: Sequence[Piece]
) -> list[Answer]:
    """Search each query that some work answers nearly or better, by each stage that there is.

    Raises:
        RuntimeError: No work answers a visitor's query, or not all candidates were reranked.
    """
    row_of = {piece.id: row for row, piece in enumerate(pieces)}
    answers = []
    with track("search", len(queries)) as advance:
        for asked in queries:
            graded = grades(asked.query, [piece.degrees for piece in pieces])
            if max(graded) >= metrics.RELEVANT:
                alone = engine.search(asked.text, rerank=False)
                pages = {ALONE: alone}
                if engine.settings.reranker is not None:
                    pages[RERANKED] = engine.search(asked.text)
                    if pages[RERANKED].rerank_coverage != 1:
                        raise RuntimeError(f"{asked.text!r}: not all candidates were reranked.")
                rows = {
                    stage: [row_of[result.id] for result in page.results]
                    for stage, page in pages.items()
                }
                answers.append(Answer(asked, graded, rows, alone.query_vector, alone.relevance))
            elif asked.kind == VISITORS:
                raise RuntimeError(f"{asked.text!r}: no work answers this visitor's query.")
            advance(1)
    return answers


def table(answers: Sequence[Answer], stage: str) -> Iterator[str]:
    """Yield a table of the measures by kind."""
    gain = ["gain in nDCG@10"] if stage == RERANKED else []
    yield f"**{TITLES[stage]}**\n"
    yield f"| kind of query | queries | {' | '.join([*MEASURES, *gain])} |"
    yield "|---" * (2 + len(MEASURES) + len(gain)) + "|"
    for kind, those in by_kind(answers).items():
        cells = [mean([f(each, stage) for each in those]) for f in MEASURES.values()]
        if gain:
            gained = MEASURES["nDCG@10"]
            gains = [gained(each, RERANKED) - gained(each, ALONE) for each in those]
            cells.append(mean(gains, "+"))
        yield f"| {kind} | {len(those)} | {' | '.join(cells)} |"
    yield ""


def by_kind(answers: Sequence[Answer]) -> dict[str, list[Answer]]:
    """Return the answers by the kind of their query, the common ones together too.

    The museum's own descriptions are not among them: theirs is the table of known items.
    """
    kinds: dict[str, tuple[str, ...]] = {kind: (kind,) for kind in COMMON}
    kinds |= {"all": COMMON, UNSEEN: (UNSEEN,), VISITORS: (VISITORS,)}
    found = {name: [a for a in answers if a.asked.kind in those] for name, those in kinds.items()}
    return {name: those for name, those in found.items() if those}


def mean(values: Sequence[float], sign: str = "") -> str:
    """Return the mean with its confidence interval."""
    low, high = metrics.bootstrap(values)
    return f"{np.mean(values):{sign}.3f} ({low:{sign}.3f} to {high:{sign}.3f})"


def known_items(answers: Sequence[Answer]) -> Iterator[str]:
    """Yield a table of how often a description finds its own picture."""
    columns = [(stage, k) for stage in answers[0].rows for k in (1, 10)]
    titles = [f"R@{k}, {stage}" for stage, k in columns]
    yield "**Description → its own picture**\n"
    yield f"| | queries | {' | '.join(titles)} |"
    yield "|---" * (2 + len(titles)) + "|"
    for kind in (OWN, COMPOSED):
        those = [each for each in answers if each.asked.kind == kind]
        cells = [mean([each.finds(stage, k) for each in those]) for stage, k in columns]
        yield f"| {kind} | {len(those)} | {' | '.join(cells)} |"
    yield ""


def index_recall(index: FaissIndex, answers: Sequence[Answer]) -> str:
    """Say how many of the exact neighbours of the queries the index finds."""
    vectors = np.stack([index.vector(row) for row in range(index.count)])
    queries = np.asarray([each.vector for each in answers], np.float32)
    exact = np.argsort(-(queries @ vectors.T), axis=1, kind="stable")
    parts = []
    for k in (10, 100):
        _, found = index.search(queries, k)
        pairs = zip(found.tolist(), exact[:, :k].tolist(), strict=True)
        parts.append(f"recall@{k} {np.mean([metrics.recall(*pair) for pair in pairs]):.4f}")
    return f"The index against exact search, {len(queries)} queries: {', '.join(parts)}."


def relevances(answers: Sequence[Answer], by_chance: Sequence[Relevance | None]) -> Iterator[str]:
    """Yield a table of what the answers say of themselves, by kind."""
    words = ("strong", "weak", "nothing")
    yield f"| `relevance` of answers to | queries | {' | '.join(words)} |"
    yield "|---|---|---|---|---|"
    said = {name: [each.relevance for each in those] for name, those in by_kind(answers).items()}
    for name, those in {**said, "texts about what no museum shows": by_chance}.items():
        shares = (f"{those.count(word) / len(those):.2f}" for word in words)
        yield f"| {name} | {len(those)} | {' | '.join(shares)} |"
    yield ""


def one_by_one(answers: Sequence[Answer]) -> Iterator[str]:
    """Yield a table of single queries."""
    measure = MEASURES["nDCG@10"]
    stages = list(answers[0].rows)
    titles = [f"nDCG@10 {stage}" for stage in stages]
    yield f"| visitor's query | works of grade 2 or 3 | {' | '.join(titles)} |"
    yield "|---" * (2 + len(stages)) + "|"
    for each in answers:
        relevant = sum(grade >= metrics.RELEVANT for grade in each.grades)
        cells = [f"{measure(each, stage):.2f}" for stage in stages]
        yield f"| {each.asked.text} | {relevant} | {' | '.join(cells)} |"
    yield ""


if __name__ == "__main__":
    section = report(sys.argv[1:])
    print(section)
    sections.write(section)
