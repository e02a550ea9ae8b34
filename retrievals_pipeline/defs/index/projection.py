"""Places in two dimensions for vectors: what is close there is close here.

t-SNE by openTSNE, over the nearest neighbours of each vector's first 50 principal components. It
descends the exact gradient, without chance, so that the same vectors and start give the same places
however many threads there are, and so that what has come to rest stays nearly where it is when a
few others come and go.
"""

import numpy as np

from retrievals_pipeline.defs.index.blocks import blocks
from retrievals_pipeline.progress import track
from retrievals_serving.vectors import Float32, Int64

COMPONENTS = 50
PERPLEXITY = 30  # about how many neighbours a work is drawn to
FEWEST = 10  # works that have neighbourhoods: of fewer, the first two components are the map
INTERPOLATED = 10_000  # works from which on interpolated forces are faster than those of a tree
SEED = 0
REPORTED = 50  # steps of the descent that are told of at once
NEIGHBOURS = 10  # of a work, that the figures count
PROBES = 128  # works that the figures are of


def project(vectors: np.ndarray, start: Float32) -> Float32:
    """Return a place for each vector: float32 (n, 2), around 0.

    Args:
        vectors: (n, dimension), unit rows, of any float type.
        start: (n, 2), places to begin at; NaN for a vector that has none, which begins where the
            nearest that has one does. Where less than half have one, all begin anew.
    """
    components = principal_components(vectors)
    count = len(components)
    if count < FEWEST:
        return _scaled(components[:, :2], 1.0)
    from openTSNE import TSNEEmbedding
    from openTSNE.affinity import PerplexityBasedNN
    from openTSNE.nearest_neighbors import PrecomputedNeighbors

    large = count > INTERPOLATED
    threads = -1 if large else 1  # to which a small step is not worth handing out
    perplexity = min(PERPLEXITY, (count - 1) / 3)
    affinities = PerplexityBasedNN(
        knn_index=PrecomputedNeighbors(*nearest(components, int(3 * perplexity))),
        perplexity=perplexity,
        n_jobs=threads,
    )
    anew = np.isnan(start[:, 0]).mean() > 0.5
    layout = TSNEEmbedding(
        # Small, as is usual: order comes from the forces.
        _scaled(components[:, :2], 1e-4) if anew else filled(start, components),
        affinities,
        negative_gradient_method="fft" if large else "bh",
        n_jobs=threads,
        random_state=SEED,
    )
    with track("map", 750 if anew else 50) as advance:
        shown = {"callbacks": lambda *_: advance(REPORTED), "callbacks_every_iters": REPORTED}
        if anew:
            # Of a few works all are neighbours: drawn together by more they fall onto one place.
            drawn = min(12, count / 10)
            layout.optimize(250, exaggeration=drawn, momentum=0.5, inplace=True, **shown)
        layout.optimize(500 if anew else 50, momentum=0.8, inplace=True, **shown)
    return np.asarray(layout, np.float32)


def principal_components(vectors: np.ndarray) -> Float32:
    """Return the first 50 principal components of `vectors`: float32 (n, 50), or all if fewer."""
    middle = vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
    covariance = np.zeros((vectors.shape[1],) * 2)
    for block in blocks(vectors):
        centred = block - middle
        covariance += centred.T @ centred
    _, directions = np.linalg.eigh(covariance)  # the last are the largest
    directions = directions[:, : -COMPONENTS - 1 : -1]
    # A direction and its opposite are as good: the sign is that of its largest number.
    directions *= np.sign(np.take_along_axis(directions, abs(directions).argmax(0)[None], 0))
    directions = directions.astype(np.float32)
    return np.concatenate([(block - middle) @ directions for block in blocks(vectors)])


def nearest(points: Float32, k: int) -> tuple[Int64, Float32]:
    """Return the rows of the `k` points nearest to each, without itself, and their distances."""
    import faiss

    index = faiss.IndexFlatL2(points.shape[1])
    index.add(points)
    squares, found = index.search(points, k + 1)
    itself = found == np.arange(len(points))[:, None]
    # Of many that lie on one place a point need not be among those found.
    itself[~itself.any(axis=1), -1] = True
    shape = (len(points), k)
    return found[~itself].reshape(shape), np.sqrt(squares[~itself].clip(0)).reshape(shape)


def filled(start: Float32, components: Float32) -> Float32:
    """Return `start` with a place for all: beside that of the nearest vector that has one."""
    import faiss

    unknown = np.isnan(start[:, 0])
    index = faiss.IndexFlatL2(components.shape[1])
    index.add(components[~unknown])
    _, found = index.search(components[unknown], 1)
    beside = np.random.default_rng(SEED).normal(0, 0.1, (int(unknown.sum()), 2))
    places = start.copy()
    places[unknown] = start[~unknown][found[:, 0]] + beside
    return places


def neighbourhoods_kept(vectors: np.ndarray, places: np.ndarray) -> dict[str, float]:
    """Return how well the neighbours of some works in `places` are those that `vectors` have.

    Of a work's 10 nearest in the map (fewer in a tiny collection), `neighbours_kept` is the share
    that are among its 10 nearest by cosine; without order it would be `neighbours_kept_by_chance`.
    `trustworthiness` is 1 where the others are not far off either (Venna and Kaski, 2001). Of fewer
    than 3 works there is nothing to say.
    """
    count = len(vectors)
    k = min(NEIGHBOURS, (count - 1) // 2)
    if k < 1:
        return {}
    rows = np.linspace(0, count - 1, min(count, PROBES)).astype(int)
    probes = vectors[rows].astype(np.float32)
    cosines = np.concatenate([probes @ block.T for block in blocks(vectors)], 1)
    cosines[range(len(rows)), rows] = -np.inf  # a work is no neighbour of its own
    ranks = np.empty((len(rows), k))
    for probe, (row, alike) in enumerate(zip(rows, cosines, strict=True)):
        apart = ((places - places[row].astype(float)) ** 2).sum(axis=1)
        apart[row] = np.inf
        shown = np.argsort(apart, kind="stable")[:k]
        ranks[probe] = 1 + (alike > alike[shown, None]).sum(axis=1)
    most = k * (2 * count - 3 * k - 1) / 2
    return {
        "neighbours_kept": float((ranks <= k).mean()),
        "neighbours_kept_by_chance": k / (count - 1),
        "trustworthiness": 1 - float((ranks - k).clip(0).sum(axis=1).mean()) / most,
    }


def _scaled(places: Float32, spread: float) -> Float32:
    """Return `places` with that deviation along the first axis; of none it makes none."""
    deviation = float(places[:, 0].std())
    return places * (spread / deviation if deviation else 0)
