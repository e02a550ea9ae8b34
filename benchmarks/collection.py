"""A release of the miniature museum, and what is true of each of its works."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from retrievals_pipeline.miniature.museum import MiniatureMuseum
from retrievals_pipeline.miniature.scenes import Scene
from retrievals_pipeline.miniature.truth.colors import SIDE, color_shares
from retrievals_pipeline.miniature.truth.facts import Degrees, facts
from retrievals_serving.records import Records
from retrievals_serving.release import RECORDS, open_release
from retrievals_serving.settings import Settings
from retrievals_serving.store import picture_name

RETRIEVALS = Path(sys.executable).with_name("retrievals")


@dataclass(frozen=True)
class Piece:
    """A work of the release: its place is its row."""

    id: str
    scene: Scene
    description: str
    degrees: Degrees


def build(works: int, home: Path) -> Settings:
    """Build what is missing of the museum's release in `home`; return settings to search it with.

    No deadline cuts the reranking short, and a page is as long as can be.
    """
    command = [RETRIEVALS, "build", "--profile", "demo", "--works", str(works), "--home", home]
    subprocess.run(command, env=os.environ | {"RETRIEVALS_NGA_URL": "miniature"}, check=True)
    return Settings.load(
        profile="demo", home=home, window=256, candidates=80, page=100, rerank_deadline=3600.0
    )


def read_pieces(settings: Settings, works: int) -> list[Piece]:
    """Return the works of the current release in the order of its rows.

    What is drawn is known from the museum; the colours are measured in the stored pictures.
    """
    museum = MiniatureMuseum(works)
    release = open_release(settings.store)
    shown = Records(release.path(RECORDS))
    records, hashes = shown.at(range(shown.count)), shown.picture_hashes(range(shown.count))
    paths = [settings.store.path(picture_name(sha)) for sha in hashes]
    with ThreadPoolExecutor() as pool:
        shares = list(pool.map(_shares, paths))
    pieces = []
    for record, share in zip(records, shares, strict=True):
        work = museum.work(int(record["id"].partition(":")[2]))
        if work is None:
            raise LookupError(f"{record['id']} is no work of the miniature museum.")
        pieces.append(
            Piece(record["id"], work.scene, record["description"], facts(work.scene, share))
        )
    return pieces


def _shares(path: Path) -> dict[str, float]:
    with Image.open(path) as picture:
        picture.draft("RGB", (4 * SIDE, 4 * SIDE))  # decodes no more than is measured
        return color_shares(picture)
