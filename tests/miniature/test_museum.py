"""The miniature museum: its records read as the real ones are, its pictures as they say."""

import csv
import io
import os
import re
import subprocess
import sys
import uuid
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from retrievals_pipeline.miniature import cli, works
from retrievals_pipeline.miniature.descriptions import NUMERALS, describe
from retrievals_pipeline.miniature.museum import MiniatureMuseum
from retrievals_pipeline.miniature.painting.painter import paint, picture_size
from retrievals_pipeline.miniature.places import PLACES
from retrievals_pipeline.miniature.scenes import scene
from retrievals_serving.errors import SettingsError, SourceError

WORKS = 60
NGA_HEADERS = {
    "objects.csv": "objectid,uuid,accessioned,accessionnum,locationid,title,displaydate,beginyear,"
    "endyear,visualbrowsertimespan,medium,dimensions,inscription,markings,attributioninverted,"
    "attribution,provenancetext,creditline,classification,subclassification,"
    "visualbrowserclassification,parentid,isvirtual,departmentabbr,portfolio,series,volume,"
    "watermarks,lastdetectedmodification,wikidataid,customprinturl",
    "published_images.csv": "uuid,iiifurl,iiifthumburl,viewtype,sequence,width,height,maxpixels,"
    "openaccess,created,modified,depictstmsobjectid,assistivetext",
    "objects_terms.csv": "termid,objectid,termtype,term,visualbrowsertheme,visualbrowserstyle",
}

Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def museum() -> MiniatureMuseum:
    return MiniatureMuseum(works=WORKS)


def rows(museum: MiniatureMuseum, name: str) -> Rows:
    return list(csv.DictReader(io.StringIO(museum.records(name).decode(), newline="")))


def eligible(museum: MiniatureMuseum) -> dict[str, dict[str, str]]:
    """The open-access picture of each known object, by object id."""
    known = {row["objectid"] for row in rows(museum, "objects.csv")}
    pictures: dict[str, dict[str, str]] = {}
    for row in sorted(rows(museum, "published_images.csv"), key=lambda row: int(row["sequence"])):
        if row["viewtype"] == "primary" and row["openaccess"] == "1":
            pictures.setdefault(row["depictstmsobjectid"], row)
    return {key: row for key, row in pictures.items() if key in known}


@pytest.mark.parametrize("name", NGA_HEADERS)
def test_the_files_have_the_columns_of_the_nga(museum: MiniatureMuseum, name: str) -> None:
    header, _, _ = museum.records(name).decode().partition("\n")
    assert header == NGA_HEADERS[name]


@pytest.mark.parametrize("works", [1, 2, 7, 60])
def test_a_museum_has_as_many_eligible_works_as_asked(works: int) -> None:
    assert len(eligible(MiniatureMuseum(works=works))) == works


def test_a_museum_without_works_is_refused() -> None:
    with pytest.raises(SettingsError, match="0 works"):
        MiniatureMuseum(works=0)


def test_each_object_is_a_whole_row_however_its_fields_are_quoted(museum: MiniatureMuseum) -> None:
    columns = NGA_HEADERS["objects.csv"].split(",")
    for row in rows(museum, "objects.csv"):
        assert list(row) == columns
        assert None not in row.values()
        assert int(row["objectid"]) > 0


def test_the_objects_are_as_untidy_as_the_real_ones(museum: MiniatureMuseum) -> None:
    objects = rows(museum, "objects.csv")
    titles = [row["title"] for row in objects]
    assert "" in titles
    assert any('"' in title and "," in title for title in titles)
    assert any("\r\n" in row["provenancetext"] for row in objects)
    assert any("\r\n" in row["inscription"] for row in objects)
    assert any(not row["attribution"].isascii() for row in objects)
    assert any(int(row["beginyear"] or 0) < 0 for row in objects)
    assert any(row["beginyear"] == "" for row in objects)
    assert any(not row["displaydate"].isdecimal() for row in objects)
    assert {row["classification"] for row in objects} == {"Painting", "Drawing", "Print"}
    repeated = [key for key, n in Counter(row["objectid"] for row in objects).items() if n > 1]
    assert repeated
    for key in repeated:
        first, *others = [row for row in objects if row["objectid"] == key]
        assert others == [first]


def test_the_images_are_as_untidy_as_the_real_ones(museum: MiniatureMuseum) -> None:
    images = rows(museum, "published_images.csv")
    known = {row["objectid"] for row in rows(museum, "objects.csv")}
    pictured = {row["depictstmsobjectid"] for row in images}
    assert known - pictured, "an object without a picture"
    assert pictured - known, "a picture of no known object"
    assert "" in pictured
    restricted = [row for row in images if row["openaccess"] == "0"]
    assert restricted
    assert {row["maxpixels"] for row in restricted} == {"640"}
    assert {row["maxpixels"] for row in images if row["openaccess"] == "1"} == {""}
    alternates = [row for row in images if row["viewtype"] == "alternate"]
    assert {row["sequence"] for row in alternates} >= {"1", "2"}
    primaries = Counter(r["depictstmsobjectid"] for r in images if r["viewtype"] == "primary")
    assert max(primaries.values()) > 1, "an object with several primary views"
    assert max(Counter(tuple(row.values()) for row in images).values()) == 2, "a repeated row"
    texts = [row["assistivetext"] for row in eligible(museum).values()]
    assert 0 < texts.count("") < len(texts) / 2


def test_the_addresses_of_an_image_are_those_of_its_uuid(museum: MiniatureMuseum) -> None:
    for row in rows(museum, "published_images.csv"):
        assert str(uuid.UUID(row["uuid"])) == row["uuid"]
        assert row["iiifurl"] == f"http://127.0.0.1:8182/iiif/{row['uuid']}"
        assert row["iiifthumburl"] == f"{row['iiifurl']}/full/!200,200/0/default.jpg"


def test_the_terms_are_of_known_objects(museum: MiniatureMuseum) -> None:
    terms = rows(museum, "objects_terms.csv")
    known = {row["objectid"] for row in rows(museum, "objects.csv")}
    assert {row["objectid"] for row in terms} == known
    assert {row["termtype"] for row in terms} == {"School", "Theme", "Keyword", "Technique"}
    assert len({row["termid"] for row in terms}) == len(terms)


def test_an_unknown_file_is_refused_by_name(museum: MiniatureMuseum) -> None:
    with pytest.raises(SourceError, match=r"media_items\.csv"):
        museum.records("media_items.csv")


def test_the_written_files_are_the_records(museum: MiniatureMuseum, tmp_path: Path) -> None:
    (tmp_path / "objects.csv").write_text("of last year", encoding="utf-8")
    museum.write_records(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        name: museum.records(name) for name in NGA_HEADERS
    }


def test_each_published_image_is_painted_in_the_size_it_is_published_with() -> None:
    museum = MiniatureMuseum(works=15)
    for row in rows(museum, "published_images.csv"):
        picture = museum.open(row["uuid"])
        assert picture is not None
        assert picture.mode == "RGB"
        assert picture.size == (int(row["width"]), int(row["height"]))
        assert np.asarray(picture).std() > 5


def test_an_unknown_image_is_none(museum: MiniatureMuseum) -> None:
    assert museum.open("wide") is None
    assert museum.version("wide") is None


def test_the_views_of_a_work_differ(museum: MiniatureMuseum) -> None:
    views = Counter(row["depictstmsobjectid"] for row in rows(museum, "published_images.csv"))
    known, _ = max(((key, n) for key, n in views.items() if key), key=lambda item: item[1])
    names = {
        row["uuid"]
        for row in rows(museum, "published_images.csv")
        if row["depictstmsobjectid"] == known
    }
    pictures = [museum.open(name) for name in names]
    assert len(names) > 1
    assert len({picture.tobytes() for picture in pictures if picture is not None}) == len(names)
    assert len({museum.version(name) for name in names}) == len(names)


def test_a_description_in_other_words_is_the_same_picture(
    museum: MiniatureMuseum, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {
        row["uuid"]: museum.version(row["uuid"]) for row in rows(museum, "published_images.csv")
    }
    monkeypatch.setattr(works, "describe", lambda _: "In other words.")
    reworded = MiniatureMuseum(WORKS)
    assert {name: reworded.version(name) for name in before} == before


def test_mist_is_drawn_only_where_it_can_be_seen() -> None:
    misty = [shown for shown in (scene(5, n) for n in range(3000)) if shown.weather == "misty"]
    assert len(misty) > 100
    assert not {shown.manner for shown in misty} & {"woodcut", "watercolour", "ink", "poster"}
    assert "branch" not in {shown.setting for shown in misty}


def test_descriptions_agree_in_number() -> None:
    for number in range(3000):
        text = describe(scene(5, number))
        assert not re.search(r"\b(stand|emerge) an? ", text)


def test_a_work_and_its_picture_do_not_depend_on_how_many_works_there_are() -> None:
    small, large = MiniatureMuseum(works=4), MiniatureMuseum(works=40)
    for name in NGA_HEADERS:
        every = rows(large, name)
        assert all(row in every for row in rows(small, name))
    for row in eligible(small).values():
        assert small.version(row["uuid"]) == large.version(row["uuid"])
    last = eligible(small)["1031"]["uuid"]
    first, second = small.open(last), large.open(last)
    assert first is not None
    assert second is not None
    assert first.tobytes() == second.tobytes()


def test_another_seed_is_another_museum() -> None:
    one, two = MiniatureMuseum(works=8), MiniatureMuseum(works=8, seed=1)
    names = [{row["uuid"] for row in eligible(museum).values()} for museum in (one, two)]
    assert not names[0] & names[1]


def test_the_museum_is_the_same_in_every_process() -> None:
    code = (
        "import hashlib\n"
        "from retrievals_pipeline.miniature.museum import RECORDS, MiniatureMuseum\n"
        "museum = MiniatureMuseum(works=12)\n"
        "content = b''.join(museum.records(name) for name in RECORDS)\n"
        "for view in museum._views[:6]:\n"
        "    content += museum.open(view.uuid).tobytes()\n"
        "print(hashlib.sha256(content).hexdigest())\n"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


def test_a_description_counts_every_subject_it_names() -> None:
    for number in range(400):
        shown = scene(0, number)
        words = describe(shown)
        assert words.endswith(".")
        assert len(words) <= 2000
        for subject in shown.subjects:
            noun = subject.name.split()[-1].removesuffix("s")
            assert noun in words.lower()
            if subject.count > 1:
                assert f"{NUMERALS[subject.count]} " in words
        assert shown.indoors == (shown.time_of_day == "")


@pytest.mark.parametrize("side", [64, 300, 1024])
def test_a_picture_has_the_size_that_is_told_beforehand(side: int) -> None:
    for number in range(6):
        shown = scene(3, number)
        assert paint(shown, side).size == picture_size(shown, side)
        assert max(picture_size(shown, side)) == side


def test_every_place_can_be_painted_in_every_weather_hour_and_manner() -> None:
    seen = set()
    for number in range(250):
        shown = scene(9, number)
        seen.add((shown.setting, shown.manner))
        assert np.asarray(paint(shown, 96)).std() > 3
    assert {setting for setting, _ in seen} == set(PLACES)
    assert len({manner for _, manner in seen}) >= 4


def test_what_each_work_shows_is_a_table_of_its_own(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli.museum, ["records", str(tmp_path), "--works", "30"])
    assert done.exit_code == 0, done.output
    table = pd.read_parquet(tmp_path / "scenes.parquet").set_index("object_id")
    museum = MiniatureMuseum(30)
    assert set(table.index) == {work.object_id for work in museum.works}
    for work in museum.works:
        row = table.loc[work.object_id]
        assert row["mood"] == work.scene.mood
        assert [each["name"] for each in row["subjects"]] == [s.name for s in work.scene.subjects]
