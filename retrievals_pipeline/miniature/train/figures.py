"""How good a miniature model is on paintings that it was not shown, measured through serving."""

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from retrievals_pipeline.miniature.train.paintings import MAX_PIXELS, Painting
from retrievals_pipeline.miniature.train.sentences import say
from retrievals_pipeline.miniature.truth.asking import QUERY_KINDS, ask
from retrievals_pipeline.miniature.truth.measures import ndcg
from retrievals_pipeline.miniature.truth.relevance import Query, relevance
from retrievals_serving.models import Embedder, Input, load_embedder, load_reranker

QUERIES = 60  # of each kind
CANDIDATES = 80  # works that are reranked
TOP = 10
ALPHA = 0.6  # of the answer in the blend, as it is served


def embedder_figures(folder: Path, paintings: Sequence[Painting], seed: int) -> dict[str, float]:
    """Return nDCG@10 by kind of query, and how often a description finds its own picture."""
    embedder = load_embedder(str(folder), max_pixels=MAX_PIXELS)
    pictures = embedder.embed_images(_pictures(paintings))
    figures = {}
    for kind in QUERY_KINDS:
        asked = _asked(paintings, kind, seed)
        cosines = _embed(embedder, [text for _, _, text in asked]) @ pictures.T
        grades = [_grades(query, paintings) for _, query, _ in asked]
        figures[f"nDCG@10, {kind}"] = float(
            np.mean([_ndcg(*pair) for pair in zip(cosines, grades, strict=True)])
        )
        if kind == "description":
            better = [
                (row > row[own]).sum() for row, (own, _, _) in zip(cosines, asked, strict=True)
            ]
            figures["R@1, description"] = float(np.mean(np.array(better) < 1))
            figures["R@10, description"] = float(np.mean(np.array(better) < TOP))
    return figures


def reranker_figures(
    folder: Path, base: Path, paintings: Sequence[Painting], seed: int
) -> dict[str, float]:
    """Return nDCG@10 by kind of query: of the embedder's order, and of what reranking makes of it.

    As served: the first works of the embedder in `base` are reranked, and both scores blended.
    """
    embedder = load_embedder(str(base), max_pixels=MAX_PIXELS)
    reranker = load_reranker(str(folder), max_pixels=MAX_PIXELS)
    pictures = _pictures(paintings)
    vectors = embedder.embed_images(pictures)
    figures = {}
    for kind in QUERY_KINDS:
        alone, reranked = [], []
        asked = _asked(paintings, kind, seed)
        cosines_of = _embed(embedder, [text for _, _, text in asked]) @ vectors.T
        for (_, query, text), cosines in zip(asked, cosines_of, strict=True):
            grades = _grades(query, paintings)
            first = np.argsort(-cosines, kind="stable")[:CANDIDATES]
            answers = reranker.score(text, [pictures[place] for place in first])
            blend = ALPHA * answers + (1 - ALPHA) * cosines[first].clip(0)
            alone.append(_ndcg(cosines, grades))
            reranked.append(
                ndcg(
                    grades[first[np.argsort(-blend, kind="stable")]].tolist(), grades.tolist(), TOP
                )
            )
        figures[f"nDCG@10, {kind}, the embedder alone"] = float(np.mean(alone))
        figures[f"nDCG@10, {kind}, reranked"] = float(np.mean(reranked))
    return figures


def _ndcg(scores: np.ndarray, grades: np.ndarray) -> float:
    return ndcg(grades[np.argsort(-scores, kind="stable")].tolist(), grades.tolist(), TOP)


def _asked(paintings: Sequence[Painting], kind: str, seed: int) -> list[tuple[int, Query, str]]:
    chance = random.Random(f"{seed}/figures/{kind}")  # noqa: S311 - which queries, not a secret
    degrees = [each.degrees for each in paintings]
    asked: list[tuple[int, Query, str]] = []
    while len(asked) < QUERIES:
        own = chance.randrange(len(paintings))
        about = paintings[own]
        if query := ask(chance, kind, about.scene, about.degrees, degrees):
            asked.append((own, query, say(query, chance)))
    return asked


def _grades(query: Query, paintings: Sequence[Painting]) -> np.ndarray:
    return np.array([relevance(query, each.degrees) for each in paintings])


def _pictures(paintings: Sequence[Painting]) -> list[Image.Image]:
    return [Image.fromarray(each.pixels) for each in paintings]


def _embed(embedder: Embedder, texts: Sequence[str]) -> np.ndarray:
    return embedder.embed_queries([Input(text=text) for text in texts])
