"""The report of a release: one page with all that is known of it, that asks for nothing."""

import io
import re
from base64 import b64decode
from html.parser import HTMLParser
from pathlib import Path

import dagster as dg
import pytest
from PIL import Image

from retrievals_pipeline.defs.embeddings.golden import TEXTS
from retrievals_pipeline.defs.release.report import render, write_report
from retrievals_serving.probes import ANSWERS, probe
from retrievals_serving.release import REQUIRED_CHECKS, open_release, record_check
from retrievals_serving.settings import Settings
from retrievals_serving.store import thumbnail_name
from tests.conftest import WORKS
from tests.pipeline.homes import shown
from tests.pipeline.test_checks import edit_manifest, reseal, show

VOID = {"meta", "img", "link", "br", "hr", "input", "rect"}


class Page(HTMLParser):
    """What a page shows: its text, and the attributes of its elements by their name."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def page_of(settings: Settings) -> Page:
    return Page(render(open_release(settings.store)))


def test_a_build_leaves_a_report_that_the_ui_leads_to(built: Settings) -> None:
    release = open_release(built.store)
    metadata = shown(built, "retrieval_report")
    path = Path(metadata["path"].path)
    assert path.parts[-3:] == ("reports", release.release_id, "report.html")
    assert isinstance(metadata["report"], dg.UrlMetadataValue)
    assert metadata["report"].url == path.as_uri()
    page = Page(path.read_text(encoding="utf-8"))
    assert page.all("title")
    assert release.release_id in page.text
    assert f"{WORKS} of {WORKS} works" in page.text
    assert release.manifest.embedder.corpus_contract.digest in page.text
    assert release.manifest.embedder.query_contract.digest in page.text


def test_it_has_every_check_with_its_verdict_and_what_it_saw(built: Settings) -> None:
    release = open_release(built.store)
    assert page_of(built).text.count("passed") == len(REQUIRED_CHECKS)
    record_check(
        release.store, release.release_id, "search", passed=False,
        details={"rows_not_found": [3, 4], "probes": 0.25, "none": []},
    )  # fmt: skip
    text = page_of(built).text
    assert text.count("passed") == len(REQUIRED_CHECKS) - 1
    assert "search failed none none · probes 0.25 · rows not found 3, 4" in text


def test_what_is_missing_is_counted_by_its_reason(built: Settings) -> None:
    release = open_release(built.store)
    edit_manifest(release, eligible=WORKS + 12, missing={"timeout": 2, "not_found": 10})
    page = page_of(built)
    assert "not found 10 27.8 % timeout 2 5.6 %" in page.text
    widths = [float(bar["width"] or 0) for bar in page.all("rect")[:3]]
    assert widths == pytest.approx([100 * part / (WORKS + 12) for part in (WORKS, 10, 2)])


def test_it_has_the_certificate_of_the_index(built: Settings) -> None:
    certificate = open_release(built.store).manifest.index.certificate
    text = page_of(built).text
    for measure in certificate.measures:
        kept = "all" if measure.kept == 1 else f"{measure.kept:.1%}".replace("%", " %")
        recall = " ".join(f"{found:.4f}" for found in measure.recall.values())
        times = f"{measure.p50_ms:.3f} {measure.p99_ms:.3f}"
        assert f"{measure.count} {measure.queries} {kept} {recall} {times}" in text


def test_each_golden_text_has_its_best_works_with_their_pictures(built: Settings) -> None:
    release = open_release(built.store)
    page = page_of(built)
    pictures = [image for image in page.all("img") if image.get("class") != "map"]
    probes = probe(release)
    assert {each.text for each in probes} == set(TEXTS.values())
    assert len(pictures) == sum(len(each.records) for each in probes) == ANSWERS * len(TEXTS)
    for each in probes:
        assert each.text in page.text
        assert list(each.scores) == sorted(each.scores, reverse=True)
        for record, score in zip(each.records, each.scores, strict=True):
            assert f"{record['artist']} {score:.3f}" in page.text
    first = probes[0].records[0]
    thumbnail = release.store.path(thumbnail_name(first["thumbnail_url"].rpartition("/")[2]))
    with Image.open(thumbnail) as stored, opened(pictures[0]["src"]) as inlined:
        assert max(inlined.size) == 112
        assert inlined.resize((1, 1)).getpixel((0, 0)) == pytest.approx(
            stored.convert("RGB").resize((1, 1)).getpixel((0, 0)), abs=12
        )


def opened(address: str | None) -> Image.Image:
    match = re.fullmatch(r"data:image/webp;base64,([\w+/=]+)", address or "")
    assert match
    return Image.open(io.BytesIO(b64decode(match[1], validate=True))).convert("RGB")


def test_it_has_the_map_and_how_good_it_is(built: Settings) -> None:
    page = page_of(built)
    (drawn,) = (image for image in page.all("img") if image.get("class") == "map")
    assert opened(drawn["src"]).size == (960, 960)
    assert "neighbours kept 0." in page.text


def test_it_asks_for_nothing_and_runs_nothing(built: Settings) -> None:
    html = render(open_release(built.store))
    page = Page(html)
    assert {tag for tag, _ in page.elements}.isdisjoint({"script", "link", "iframe", "object"})
    assert all((image["src"] or "").startswith("data:image/") for image in page.all("img"))
    assert not re.search(r"url\(|@import", html)
    policies = [meta["content"] for meta in page.all("meta") if "http-equiv" in meta]
    assert policies == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]
    assert len(html) < 1_000_000


def test_records_are_shown_and_never_obeyed(built: Settings) -> None:
    release = open_release(built.store)
    hostile = "</figcaption><script>alert('&')</script>"
    links = {"javascript:alert(1)": set(), 'https://m.example/"onclick=1': {"href", "rel"}}
    for address, attributes in links.items():
        show(release, title=hostile, artist=hostile, artwork_url=address)
        reseal(release)
        page = page_of(built)
        assert not page.all("script")
        assert hostile in page.text
        assert {name for link in page.all("a") for name in link} == attributes
        assert {link["href"] for link in page.all("a")} <= {address}


def test_a_picture_that_is_lost_is_said_to_be(built: Settings) -> None:
    for name in built.store.names("thumbnails/*/*.webp"):
        built.store.remove(name)
    assert page_of(built).text.count("no picture") == ANSWERS * len(TEXTS)


def test_the_same_release_has_the_same_report(built: Settings) -> None:
    path = built.store.path(f"reports/{open_release(built.store).release_id}/report.html")
    written = path.stat().st_mtime_ns
    assert write_report(open_release(built.store)) == path
    assert path.stat().st_mtime_ns == written
