"""Downloads from one server on loopback: ours and img2dataset's, in turns."""

import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from benchmarks import download_theirs, environments
from benchmarks.machine import spread
from benchmarks.museum_server import Server, serving
from benchmarks.pictures import paint_many
from benchmarks.processes import Run, run
from benchmarks.sides import in_turn, ratios
from retrievals_pipeline.defs.images.pictures import THUMBNAIL_SIDE
from retrievals_pipeline.defs.images.transport import THREADS

GROWTH = 4  # times as many pictures, to see that memory does not grow with them
PAINTED = 64  # the others are these, with other bytes in a comment
FEW = 2 * download_theirs.PROCESSES  # pictures of a run that is nearly all start-up
JPEG_END, JPEG_COMMENT = b"\xff\xd9", b"\xff\xfe"


class Side(NamedTuple):
    """One way to download."""

    title: str
    command: list[str | Path]
    """Takes a file of addresses and a folder after its first words, before `options`."""
    options: str
    rival: str
    """The side that it is compared with."""
    keeps_bytes: bool = True


class Measured(NamedTuple):
    """What the sides came to, by their names."""

    starts: dict[str, list[Run]]
    """Of a few pictures, which is nearly all start-up."""
    runs: dict[str, list[Run]]
    more: Run
    server: float
    """Pictures a second of the server alone, over one connection."""


OURS: list[str | Path] = [sys.executable, "-m", "benchmarks.download_ours"]
OUR_SIDES = {
    "ours, bytes": Side("ours, bytes verified and kept", OURS, "bytes", "theirs, bytes"),
    "ours, thumbnails": Side(
        "ours, bytes kept and a thumbnail", OURS, "thumbnails", "theirs, thumbnails"
    ),
}
THEIR_OPTIONS: dict[str, dict[str, object]] = {
    "bytes": {"resize_mode": "no", "skip_reencode": True},
    "thumbnails": {
        "resize_mode": "keep_ratio_largest",
        "resize_only_if_bigger": True,
        "image_size": THUMBNAIL_SIDE,
        "encode_format": "webp",
        "encode_quality": 80,
    },
}
SIDES_SAY = f"""\
Every side hashes each picture (SHA-256), decodes it to its last byte and keeps it in a file of its
own, with a record of it. Ours: `download_shard`, {THREADS} threads of one process over kept
connections. A file is written under a partial name, synced to the disk, renamed, and its folder
synced; a JPEG is decoded at the scale of the thumbnail. The first row makes no thumbnail; the
second is what a build does, the bytes and a WebP of {THUMBNAIL_SIDE} px. img2dataset
{download_theirs.VERSION}, from PyPI: {download_theirs.PROCESSES} processes of
{download_theirs.THREADS} threads, a connection for each picture, a JSON file beside it, and a
table; nothing is synced, a picture is decoded at full scale. The bytes: `resize_mode=no`,
`skip_reencode`. A thumbnail: `keep_ratio_largest`, `image_size={THUMBNAIL_SIDE}`, WebP; it keeps
one file of a picture, so the bytes are not kept.

Pictures/s leave out the start and the end of the processes, theirs by its own statistics.
Processor: of all processes of a side, less the median of its runs of {FEW} pictures, which
are nearly all start-up. Peak memory: of all processes of a side together, shared pages counted
once.
"""


def measured(pictures: int, rounds: int) -> Iterator[str]:
    """Measure, and yield the section's part."""
    sides, missing = dict(OUR_SIDES), ""
    try:
        sides |= their_sides(
            environments.installed(
                download_theirs.ENVIRONMENT, f"img2dataset=={download_theirs.VERSION}"
            )
        )
    except LookupError as error:
        missing = str(error)
    yield "**Downloads from one server on loopback**\n"
    yield SIDES_SAY
    yield from table(measure(sides, pictures, rounds), sides, pictures, rounds, missing)


def their_sides(python: Path) -> dict[str, Side]:
    """Return the sides of img2dataset, in an environment whose interpreter is `python`."""
    command = [python, Path(download_theirs.__file__)]
    titles = {
        "bytes": "img2dataset, bytes verified and kept",
        "thumbnails": "img2dataset, a thumbnail in their place",
    }
    return {
        f"theirs, {kind}": Side(
            title, command, json.dumps(THEIR_OPTIONS[kind]), f"ours, {kind}", kind == "bytes"
        )
        for kind, title in titles.items()
    }


def measure(sides: dict[str, Side], pictures: int, rounds: int) -> Measured:
    """Run the sides in turns, another one first in each round."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        sizes = write_pictures(work / "pictures", GROWTH * pictures)
        with serving(work / "requests.log", work / "pictures") as server:

            def download(side: str, count: int) -> Run:
                return downloaded(sides[side], server, dict(islice(sizes.items(), count)), work)

            for side in sides:  # what it reads from the disk is in memory afterwards
                download(side, FEW)
            starts: dict[str, list[Run]] = {side: [] for side in sides}
            runs: dict[str, list[Run]] = {side: [] for side in sides}
            for turn in range(rounds):
                for side in in_turn(list(sides), turn):
                    starts[side].append(download(side, FEW))
                    runs[side].append(download(side, pictures))
            more = download("ours, thumbnails", GROWTH * pictures)
            pace = server.pace(list(sizes)[:pictures])
    return Measured(starts, runs, more, pace)


def downloaded(side: Side, server: Server, sizes: dict[str, int], work: Path) -> Run:
    """Download pictures by one side, into a folder that is removed afterwards.

    Args:
        side: The side.
        server: Where the pictures are.
        sizes: Their bytes, by identifier.
        work: Where the folder is made.

    Raises:
        RuntimeError: Not all were kept, or as other bytes, or not each was asked for once.
    """
    urls, folder = work / "urls.txt", work / "downloaded"
    urls.write_text("\n".join(map(server.url, sizes)), encoding="ascii")
    done = run([*side.command, urls, folder, side.options])
    shutil.rmtree(folder)
    asked = sorted(server.requests().elements())
    expected = sorted((200, urlsplit(server.url(name)).path) for name in sizes)
    bytes_kept = done.output["bytes"] if side.keeps_bytes else sum(sizes.values())
    if (asked, done.output["kept"], bytes_kept) != (expected, len(sizes), sum(sizes.values())):
        raise RuntimeError(
            f"{side.title}: {len(asked)} requests for {len(sizes)} pictures of "
            f"{sum(sizes.values())} bytes; kept {done.output}."
        )
    return done


def write_pictures(folder: Path, count: int) -> dict[str, int]:
    """Write `count` JPEG files, no two of the same bytes; return their bytes by identifier."""
    painted = folder.with_name("painted")
    for each in (folder, painted):
        each.mkdir()
    originals = [
        path.read_bytes().removesuffix(JPEG_END)
        for path in paint_many(painted, min(count, PAINTED))
    ]
    sizes = {}
    for number in range(count):
        name = f"{number:06}"
        comment = JPEG_COMMENT + (2 + len(name)).to_bytes(2, "big") + name.encode()
        content = originals[number % len(originals)] + comment + JPEG_END
        sizes[name] = (folder / f"{name}.jpg").write_bytes(content)
    return sizes


def table(
    measured: Measured, sides: dict[str, Side], pictures: int, rounds: int, missing: str
) -> Iterator[str]:
    """Yield the table of what the sides took; `missing` says why img2dataset's are not there."""
    each = measured.runs["ours, bytes"][0].output["bytes"] / pictures / 1000
    yield (
        f"{pictures} JPEG files in a box of 1024 px, {each:.0f} KB each on average; {rounds} "
        "rounds, min / median / max. The ratios are of the same round; above 1 the row is the "
        f"faster. The server alone gives {measured.server:.0f} pictures/s over one connection.\n"
    )
    yield (
        "| | pictures/s | × the other side's | processor, ms a picture | peak memory, MiB "
        "| kept, KB a picture |"
    )
    yield "|---" * 6 + "|"
    for name, side in sides.items():
        runs = measured.runs[name]
        start = statistics.median(one.cpu_seconds for one in measured.starts[name])
        rivals = measured.runs.get(side.rival)
        cpu = [one.cpu_seconds - start for one in runs]
        yield " | ".join(
            [
                f"| {side.title}",
                spread([pictures / one.output["seconds"] for one in runs], 0),
                ratios(_seconds(rivals), _seconds(runs)) if rivals else "",
                spread([1000 * seconds / (pictures - FEW) for seconds in cpu], 1),
                spread([one.peak_mib for one in runs], 0),
                f"{runs[-1].output['bytes'] / pictures / 1000:.0f} |",
            ]
        )
    if missing:
        yield f"| img2dataset | could not be installed: {missing} | | | | |"
    yield (
        f"\nPeak memory of ours, bytes kept and a thumbnail, with {GROWTH} times as many pictures: "
        f"{measured.more.peak_mib:.0f} MiB.\n"
    )


def _seconds(runs: list[Run]) -> list[float]:
    return [one.output["seconds"] for one in runs]
