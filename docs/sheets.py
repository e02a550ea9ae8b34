"""Show what six queries find in the demo museum: `python docs/sheets.py`.

docs/sheets/<query>.webp   its first ten pictures in rank order, reranked where a reranker is set

Searches the release of `.retrievals/demo`, which `make demo` builds, or of the home that is named.
"""

import argparse
import re
import textwrap
import unicodedata
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from retrievals_serving import SearchEngine
from retrievals_serving.pages import Result
from retrievals_serving.settings import Settings
from retrievals_serving.store import Store, thumbnail_name

SHEETS = Path(__file__).absolute().parent / "sheets"
QUERIES = (
    "a lonely boat in stormy seas under a dark moonlit sky",
    "old man reading by candlelight",
    "blue and gold, Byzantine, devotional",
    "melancholy figure in candlelight",
    "winter storm, trees",
    "red painting but no blue",
)
COLUMNS, ROWS = 5, 2
CELL = (192, 192)  # px, the picture in it
MARGIN, HEADING, CAPTION = 10, 34, 32  # px
LETTERS = 30  # of a line of a caption
INK, FAINT, PAPER = "#1c1a17", "#6f6a62", "#faf8f4"
QUALITY = 36  # of WebP: 20 to 55 kB a sheet
PATIENCE = 600.0  # seconds for a reranking, so that no deadline shows


def main() -> None:
    """Search each query and write its sheet."""
    parser = argparse.ArgumentParser(prog="python docs/sheets.py")
    parser.add_argument("--home", type=Path, default=Path(".retrievals/demo"))
    settings = Settings.load(
        profile="demo", home=parser.parse_args().home, rerank_deadline=PATIENCE
    )
    SHEETS.mkdir(exist_ok=True)
    with SearchEngine.open(settings=settings) as engine:
        for query in QUERIES:
            page = engine.search(query, top_k=COLUMNS * ROWS)
            drawn = sheet(query, page.results, settings.store)
            drawn.save(SHEETS / f"{slug(query)}.webp", quality=QUALITY, method=6)


def slug(query: str) -> str:
    """Return a query as the name of a file."""
    return re.sub(r"\W+", "-", query.lower()).strip("-")


def sheet(query: str, results: list[Result], store: Store) -> Image.Image:
    """Return the pictures of `results` under their query, each with its rank, title and scores."""
    across, down = CELL[0] + MARGIN, CELL[1] + CAPTION + MARGIN
    size = (MARGIN + COLUMNS * across, HEADING + MARGIN + ROWS * down)
    paper = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(paper)
    draw.text((MARGIN, MARGIN), query, INK, ImageFont.load_default(18))
    small = ImageFont.load_default(11)
    for place, result in enumerate(results):
        x = MARGIN + place % COLUMNS * across
        y = HEADING + MARGIN + place // COLUMNS * down
        picture = ImageOps.contain(open_thumbnail(result, store), CELL)
        paper.paste(picture, (x, y + CELL[1] - picture.height))
        draw.text((x, y + CELL[1] + 3), caption(result), INK, small)
        draw.text((x, y + CELL[1] + 16), scores(result), FAINT, small)
    return paper


def open_thumbnail(result: Result, store: Store) -> Image.Image:
    """Return the thumbnail of a result."""
    with Image.open(store.path(thumbnail_name(result.thumbnail_url.rpartition("/")[2]))) as picture:
        return picture.convert("RGB")


def caption(result: Result) -> str:
    """Return rank and title, without the accents, for which Pillow's own font has no letters."""
    title = unicodedata.normalize("NFKD", result.title).encode("ascii", "ignore").decode()
    return textwrap.shorten(f"{result.rank}. {title}", LETTERS, placeholder=" ...")


def scores(result: Result) -> str:
    """Say what a result's score is made of."""
    parts = f"vector {result.vector_score:.2f}"
    return parts if result.rerank_score is None else f"{parts}, reranker {result.rerank_score:.2f}"


if __name__ == "__main__":
    main()
