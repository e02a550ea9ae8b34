"""What a build costs in which little changed in the museum, and one in which nothing did.

The museum's tables and pictures are written before; what is done is counted by the museum's own
log, at the network's forward, and in the files of the home.
"""

import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from benchmarks.museum_server import Server, serving
from benchmarks.processes import Run, run
from retrievals_pipeline.defs.embeddings.golden import golden_items
from retrievals_pipeline.miniature.catalogue import as_csv, image_rows, object_rows, term_rows
from retrievals_pipeline.miniature.scenes import scene
from retrievals_pipeline.miniature.works import View, object_id_of, views_at, works_at

TITLE = "Another title"
QUALITY = 90  # of the JPEG files, as the museum's own server has it


class Changes(NamedTuple):
    """Numbers of the works that change."""

    repainted: range
    """Their picture is another."""
    retitled: range
    gone: range
    gained: range

    @classmethod
    def of(cls, works: int) -> "Changes":
        """Return the changes of a museum: 1 % of its works, one of each kind at least."""
        half, few = max(1, works // 200), max(1, works // 1000)
        return cls(
            range(half),
            range(half, 2 * half),
            range(2 * half, 2 * half + few),
            range(works, works + few),
        )


class Build(NamedTuple):
    """One build, and what it did."""

    run: Run
    requests: Counter[tuple[int, str]]
    """By status and path, as the museum noted them."""
    written: Counter[str]
    """Bytes of the files that were made or replaced, by the first folder below the home."""


def measured(works: int) -> Iterator[str]:
    """Measure, and yield the section's part."""
    changes = Changes.of(works)
    drawn = [item.picture is not None for item in golden_items()]
    with tempfile.TemporaryDirectory() as name:
        builds = measure(works, changes, Path(name))
    yield f"**A refresh of a museum of {works:,} works**\n"
    yield (
        f"{len(changes.repainted)} works have another picture, {len(changes.retitled)} another "
        f"title, {len(changes.gone)} are gone and {len(changes.gained)} are new. `retrievals "
        "build` in a process of its own, start and model included, one run each; the pictures are "
        "served from memory. Whenever the model is loaded it embeds the golden items too, by which "
        f"it is known to be the same: {sum(drawn)} pictures, {len(drawn) - sum(drawn)} texts. A "
        "file that was written counts whole.\n"
    )
    yield from table(builds)


def measure(works: int, changes: Changes, folder: Path) -> dict[str, Build]:
    """Build from the museum as it was, as it became, and again."""
    before, after, home = folder / "before", folder / "after", folder / "home"
    write_museum(before, range(works))
    write_museum(after, range(works), changes)
    with serving(folder / "before.log", before) as server:
        builds = {"full build": build(server, home)}
    with serving(folder / "after.log", before, after) as server:
        builds["1 % changed"] = build(server, home)
        builds["nothing changed"] = build(server, home)
    return builds


def write_museum(folder: Path, numbers: range, changes: Changes | None = None) -> None:
    """Write the tables of the works `numbers`, and pictures: all, or those that are new."""
    kept = [n for n in numbers if changes is None or n not in changes.gone]
    works = [work for number in kept for work in works_at(0, number)]
    views = {number: views_at(0, number) for number in kept}
    pictured = list(views)
    if changes is not None:
        gained = {number: views_at(0, number) for number in changes.gained}
        works += [work for number in gained for work in works_at(0, number)]
        titled = {object_id_of(number) for number in changes.retitled}
        works = [replace(w, title=TITLE) if w.object_id in titled else w for w in works]
        for number in changes.repainted:
            picture, *others = views[number]
            # A view's number is what the time of its change follows from.
            views[number] = [
                replace(picture, scene=scene(1, number), number=changes.gained[-1]), *others
            ]  # fmt: skip
        views |= gained
        pictured = [*changes.repainted, *changes.gained]
    folder.mkdir()
    tables = {
        "objects.csv": object_rows(works),
        "published_images.csv": image_rows(view for each in views.values() for view in each),
        "objects_terms.csv": term_rows(works),
    }
    for name, rows in tables.items():
        (folder / name).write_bytes(as_csv(name, rows))
    shown = [views[number][0] for number in pictured]
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        list(pool.map(paint, shown, [folder] * len(shown), chunksize=8))


def paint(view: View, folder: Path) -> None:
    """Write the picture of a view."""
    view.paint().save(folder / f"{view.uuid}.jpg", quality=QUALITY)


def build(server: Server, home: Path) -> Build:
    """Build in a process of its own from the museum of `server`."""
    environment = {
        "RETRIEVALS_PROFILE": "demo",
        "RETRIEVALS_HOME": str(home),
        "RETRIEVALS_NGA_URL": f"{server.address}/opendata",
        "RETRIEVALS_IIIF_MIRROR": f"{server.address}/iiif",
    }
    before = files(home)
    done = run([sys.executable, "-m", "benchmarks.refresh"], environment)
    written: Counter[str] = Counter()
    for path, (state, size) in files(home).items():
        if size and (path not in before or before[path][0] != state):
            written[path.relative_to(home).parts[0]] += size
    return Build(done, server.requests(), written)


def files(home: Path) -> dict[Path, tuple[tuple[int, int], int]]:
    """Return all files below `home`: which file it is and when it was written, and its bytes."""
    found = {}
    for path in home.rglob("*"):
        if path.is_file() and not path.is_symlink():
            stat = path.stat()
            found[path] = (stat.st_ino, stat.st_mtime_ns), stat.st_size
    return found


def counted_build() -> dict[str, object]:
    """Build, and count the pictures and texts that go through the network."""
    from retrievals_pipeline.build import build as build_release
    from retrievals_serving.models.qwen3_vl.embedder import Qwen3VLEmbedder

    forwards = {"pictures": 0, "texts": 0}
    forward = Qwen3VLEmbedder._forward  # noqa: SLF001

    def counting(embedder, batch):
        for item in batch:
            forwards["texts" if item.pixels is None else "pictures"] += 1
        return forward(embedder, batch)

    Qwen3VLEmbedder._forward = counting  # type: ignore[method-assign]  # noqa: SLF001
    release = build_release()
    return {"release": release.release_id, "works": release.manifest.works, **forwards}


def table(builds: dict[str, Build]) -> Iterator[str]:
    """Yield the table of what the builds did."""
    full, *_ = builds.values()
    yield f"| | {' | '.join(builds)} |"
    yield "|---" * (1 + len(builds)) + "|"
    rows = {
        "seconds": [f"{each.run.seconds:.1f}" for each in builds.values()],
        "share of the full build": [
            f"{each.run.seconds / full.run.seconds:.1%}" for each in builds.values()
        ],
        "requests for pictures": [f"{asked(each, '.jpg'):,}" for each in builds.values()],
        "requests for tables, of these sent": [
            f"{asked(each, '.csv'):,}, {asked(each, '.csv', 200):,}" for each in builds.values()
        ],
        "forwards of pictures": [f"{each.run.output['pictures']:,}" for each in builds.values()],
        "forwards of texts": [f"{each.run.output['texts']:,}" for each in builds.values()],
        "peak memory, MiB": [f"{each.run.peak_mib:.0f}" for each in builds.values()],
        "release": [str(each.run.output["release"]) for each in builds.values()],
        "works in it": [f"{each.run.output['works']:,}" for each in builds.values()],
    }
    for folder in sorted({name for each in builds.values() for name in each.written}):
        rows[f"written in `{folder}`, KB"] = [
            f"{each.written[folder] / 1000:,.1f}" for each in builds.values()
        ]
    yield from (f"| {name} | {' | '.join(cells)} |" for name, cells in rows.items())
    yield ""


def asked(build: Build, suffix: str, status: int | None = None) -> int:
    """Return how many requests were made for files of a kind, and answered with `status`."""
    return sum(
        times
        for (code, path), times in build.requests.items()
        if path.endswith(suffix) and status in (None, code)
    )


if __name__ == "__main__":
    print(json.dumps(counted_build()))
