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
LIST = 40  # candidates that a reranker is judged on
TOP = 10


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


def reranker_figures(folder: Path, paintings: Sequence[Painting], seed: int) -> dict[str, float]:
    """Return nDCG@10 by kind of query, over lists of the most relevant pictures and others."""
    reranker = load_reranker(str(folder), max_pixels=MAX_PIXELS)
    pictures = _pictures(paintings)
    chance = random.Random(seed)  # noqa: S311 - which pictures, not a secret
    figures = {}
    for kind in QUERY_KINDS:
        found = []
        for _, query, text in _asked(paintings, kind, seed):
            grades = _grades(query, paintings)
            places = candidates(grades, chance)
            scores = reranker.score(text, [pictures[place] for place in places])
            found.append(_ndcg(scores, grades[places]))
        figures[f"nDCG@10, {kind}"] = float(np.mean(found))
    return figures


def candidates(grades: np.ndarray, chance: random.Random) -> list[int]:
    """Return the places of the highest grades and, as many again, of others; none of them twice."""
    order = chance.sample(range(len(grades)), len(grades))
    highest = sorted(order, key=lambda place: -grades[place])[: LIST // 2]
    others = [place for place in order if place not in highest]
    return highest + others[: LIST // 2]


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
