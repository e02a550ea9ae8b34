"""What people see in the Dagster UI: names it understands, plots and pictures that it can show."""

import io
import re
from base64 import b64decode
from operator import itemgetter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import dagster as dg
import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from retrievals_pipeline.build import build
from retrievals_pipeline.defs.contact_sheet import GAP, TILE, contact_sheet
from retrievals_pipeline.defs.inline import MAX_BYTES
from retrievals_pipeline.defs.plots import BASE, histogram
from retrievals_pipeline.partitions import shard_keys
from retrievals_serving.settings import Settings
from retrievals_serving.store import thumbnail_name
from tests.pipeline.homes import shown

SHOWN_AT_ONCE = 1000  # characters of Markdown, from which on the UI waits to be asked
SVG = "{http://www.w3.org/2000/svg}"
ASSETS = [
    "artworks", "artwork_images", "image_embeddings", "golden_vectors", "text_embeddings",
    "faiss_index", "metadata_db", "collection_map", "release_candidate",
    "retrieval_report", "search_release",
]  # fmt: skip


def shown_everywhere(settings: Settings, asset: str) -> list[dict[str, Any]]:
    """That of each of its shards, where it has any."""
    sharded = asset in ("artwork_images", "image_embeddings")
    shards: list[Any] = shard_keys(settings.shards) if sharded else [None]
    return [shown(settings, asset, shard) for shard in shards]


def picture_of(value: dg.MetadataValue) -> tuple[str, bytes]:
    """The media type and the bytes of the picture that a piece of Markdown shows."""
    assert isinstance(value, dg.MarkdownMetadataValue)
    match = re.fullmatch(r"!\[[^]]+\]\(data:([a-z/+]+);base64,([\w+/=]+)\)", value.md_str)
    assert match is not None
    return match[1], b64decode(match[2], validate=True)


@pytest.mark.parametrize("asset", ASSETS)
def test_every_asset_and_shard_says_where_it_is_and_how_much(built: Settings, asset: str) -> None:
    for metadata in shown_everywhere(built, asset):
        assert isinstance(metadata["dagster/row_count"], dg.IntMetadataValue)
        path = Path(metadata["path"].path)
        assert path.exists()
        assert metadata["dagster/uri"].text == path.as_uri()
        if asset != "search_release":  # which only moves a name
            assert metadata["seconds"].value >= 0
            assert metadata["bytes"].value > 0


@pytest.mark.parametrize(
    ("asset", "columns"),
    [
        ("artworks", {"id", "title", "image_url"}),
        ("metadata_db", {"row", "id", "image_sha256"}),
    ],
)
def test_tables_show_their_columns_with_types(
    built: Settings, asset: str, columns: set[str]
) -> None:
    schema = shown(built, asset)["dagster/column_schema"].schema
    assert columns <= {column.name for column in schema.columns}
    assert {column.type for column in schema.columns} >= {"VARCHAR", "INTEGER"}


def test_the_pace_of_downloads_and_of_the_model_is_told(built: Settings) -> None:
    for asset, count in (("artwork_images", "asked"), ("image_embeddings", "embedded")):
        for metadata in shown_everywhere(built, asset):
            pace = metadata[count].value / metadata["seconds"].value
            assert metadata["images_per_second"].value == pytest.approx(pace, rel=0.05)


def test_a_shard_shows_its_newest_pictures_and_how_large_they_are(built: Settings) -> None:
    for shard in shard_keys(built.shards):
        metadata = shown(built, "artwork_images", shard)
        media_type, content = picture_of(metadata["newest_pictures"])
        assert media_type == "image/webp"
        assert len(content) <= MAX_BYTES
        rows = ledger(built, shard)
        assert_shows(built, content, newest(rows)[:12])
        (_, svg) = picture_of(metadata["picture_sizes"])
        assert f"Size of a picture: {len(rows)}" in "".join(ET.fromstring(svg).itertext())


def ledger(settings: Settings, shard: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(
        settings.store.path(f"ledger/{shard}.parquet")
    ).to_pylist()
    return rows


def newest(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows by the time of their picture, the newest first; of the same second, by id."""
    return sorted(sorted(rows, key=itemgetter("id")), key=itemgetter("fetched_at"), reverse=True)


def assert_shows(settings: Settings, sheet: bytes, rows: list[dict[str, Any]]) -> None:
    """The tiles of `sheet` are the pictures of `rows`, by the colour of their middles."""
    for place, row in enumerate(rows):
        assert colour_of_tile(sheet, place) == pytest.approx(colour_of(settings, row), abs=12)


def colour_of_tile(sheet: bytes, place: int) -> list[float]:
    """The mean colour of the middle of a tile of a contact sheet."""
    row, column = divmod(place, 6)
    left, top = (GAP + number * (TILE + GAP) + TILE // 2 for number in (column, row))
    with Image.open(io.BytesIO(sheet)) as opened:
        return mean_colour(opened.convert("RGB").crop((left - 16, top - 16, left + 16, top + 16)))


def colour_of(settings: Settings, row: dict[str, Any]) -> list[float]:
    """The same of the middle of a work's thumbnail."""
    with Image.open(settings.store.path(thumbnail_name(row["sha256"]))) as opened:
        middle = [side // 2 for side in opened.size]
        around = round(16 * max(opened.size) / TILE)
        box = [part + sign * around for sign in (-1, 1) for part in middle]
        return mean_colour(opened.convert("RGB").crop(tuple(box)))


def mean_colour(picture: Image.Image) -> list[float]:
    return np.asarray(picture).reshape(-1, 3).mean(axis=0).tolist()


def test_the_release_shows_its_newest_pictures_and_leads_to_its_files(built: Settings) -> None:
    candidate, served = shown(built, "release_candidate"), shown(built, "search_release")
    media_type, content = picture_of(candidate["newest_pictures"])
    assert media_type == "image/webp"
    with Image.open(io.BytesIO(content)) as opened:
        opened.load()
        assert opened.size == (6 * (TILE + GAP) + GAP, 4 * (TILE + GAP) + GAP)
    rows = [row for shard in shard_keys(built.shards) for row in ledger(built, shard)]
    assert_shows(built, content, newest(rows))
    for metadata in (candidate, served):
        assert (Path(metadata["path"].path) / "manifest.json").exists()
        assert (Path(metadata["reports"].path) / "checks" / "answers.json").exists()
    assert "](http://127.0.0.1:8000/)" in served["page"].md_str


def test_the_map_is_shown_with_how_good_it_is(built: Settings) -> None:
    metadata = shown(built, "collection_map")
    media_type, content = picture_of(metadata["map"])
    assert media_type == "image/webp"
    assert len(content) <= MAX_BYTES
    with Image.open(io.BytesIO(content)) as opened:
        assert opened.size == (560, 560)
    assert 0 < metadata["neighbours_kept"].value <= 1
    assert metadata["placed_before"].value == 0


def test_a_shard_that_fetches_nothing_decodes_no_picture(
    built: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from retrievals_pipeline.defs.images import assets

    def make(*_: object, **__: object) -> dict[str, Any]:
        raise AssertionError("a contact sheet was made for nothing")

    monkeypatch.setattr(assets, "newest_pictures", make)
    build()
    for metadata in shown_everywhere(built, "artwork_images"):
        assert "newest_pictures" not in metadata
        assert "images_per_second" not in metadata


@pytest.mark.parametrize("asset", ASSETS)
def test_plots_are_small_enough_to_be_shown_at_once(built: Settings, asset: str) -> None:
    plots = {"artworks": "begin_years", "artwork_images": "picture_sizes", "faiss_index": "nearest"}
    if name := plots.get(asset):
        for metadata in shown_everywhere(built, asset):
            media_type, content = picture_of(metadata[name])
            assert media_type == "image/svg+xml"
            assert ET.fromstring(content).tag == f"{SVG}svg"
            assert len(metadata[name].md_str) < SHOWN_AT_ONCE


def heights(svg: str) -> list[int]:
    """The height of each bar of a histogram, px."""
    bars = ET.fromstring(svg).findall(f"{SVG}path")[1]
    return [BASE - int(top) for top in re.findall(r"V(\d+)h", bars.attrib["d"])]


def test_a_histogram_has_a_bar_for_each_part_of_the_range() -> None:
    drawn = heights(histogram([0] * 50 + [23] * 100 + [24], "T"))
    assert (len(drawn), max(drawn)) == (24, 100)
    assert (drawn[0], drawn[-1], sum(drawn)) == (50, 100, 150)
    counted = np.histogram(values := np.random.default_rng(0).normal(size=999), bins=24)[0]
    assert heights(histogram(values, "T")) == np.ceil(100 * counted / counted.max()).tolist()


def test_what_is_seldom_is_seen() -> None:
    assert heights(histogram([0] + [1] * 10_000, "T"))[0] == 1


@pytest.mark.parametrize("values", [[], [np.nan, np.inf]])
def test_a_histogram_of_nothing_says_so(values: list[float]) -> None:
    assert "".join(ET.fromstring(histogram(values, "T")).itertext()) == "T: 0"


@pytest.mark.parametrize("values", [[7], [1e9, -1e9], np.random.default_rng(1).normal(size=70_000)])
def test_a_histogram_is_small_and_says_what_it_shows(values: Any) -> None:
    svg = histogram(values, "Size of <a & b>", unit=" kB")
    assert len(svg) < 700
    text = "".join(ET.fromstring(svg).itertext())
    assert f"Size of <a & b>: {len(values):,}, median" in text


def save(folder: Path, name: str, picture: Image.Image) -> Path:
    picture.save(folder / name, "WEBP", lossless=True)
    return folder / name


def test_a_contact_sheet_of_noise_is_bounded(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (24, 400, 400, 3)).astype(np.uint8)
    paths = [save(tmp_path, f"{n}.webp", Image.fromarray(pixels)) for n, pixels in enumerate(noise)]
    sheet = contact_sheet(paths, most=24)
    assert sheet is not None
    assert len(sheet) <= MAX_BYTES


def test_a_contact_sheet_takes_the_first_that_can_be_read(tmp_path: Path) -> None:
    red, blue, green = (
        save(tmp_path, f"{colour}.webp", Image.new("RGB", (400, 100), colour))
        for colour in ("red", "blue", "lime")
    )
    broken = tmp_path / "broken.webp"
    broken.write_bytes(red.read_bytes()[:-20])
    sheet = contact_sheet([tmp_path / "lost.webp", red, broken, blue, green], most=2)
    assert sheet is not None
    with Image.open(io.BytesIO(sheet)) as opened:
        assert opened.size == (2 * (TILE + GAP) + GAP, TILE + 2 * GAP)
        left, right = (opened.getpixel((x, opened.height // 2)) for x in (60, 176))
    assert left == pytest.approx((255, 0, 0), abs=12)
    assert right == pytest.approx((0, 0, 255), abs=12)


def test_without_a_picture_there_is_no_sheet(tmp_path: Path) -> None:
    assert contact_sheet([tmp_path / "lost.webp"], most=2) is None
