"""The miniature museum's records as rows of the NGA's open data, dirt included."""

import csv
import io
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone

from retrievals_pipeline.miniature.works import NAMESPACE, View, Work

HEADERS = {
    "objects.csv": (
        "objectid,uuid,accessioned,accessionnum,locationid,title,displaydate,beginyear,endyear,"
        "visualbrowsertimespan,medium,dimensions,inscription,markings,attributioninverted,"
        "attribution,provenancetext,creditline,classification,subclassification,"
        "visualbrowserclassification,parentid,isvirtual,departmentabbr,portfolio,series,volume,"
        "watermarks,lastdetectedmodification,wikidataid,customprinturl"
    ),
    "published_images.csv": (
        "uuid,iiifurl,iiifthumburl,viewtype,sequence,width,height,maxpixels,openaccess,created,"
        "modified,depictstmsobjectid,assistivetext"
    ),
    "objects_terms.csv": "termid,objectid,termtype,term,visualbrowsertheme,visualbrowserstyle",
}
IIIF = "http://127.0.0.1:8182/iiif"
MEDIA = {  # medium and classification
    "oil": ("oil on canvas", "Painting"),
    "impressionist": ("oil on canvas", "Painting"),
    "pointillist": ("oil on canvas", "Painting"),
    "chiaroscuro": ("oil on canvas", "Painting"),
    "icon": ("tempera and gold on panel", "Painting"),
    "watercolour": ("watercolor over graphite", "Drawing"),
    "ink": ("brush and ink on paper", "Drawing"),
    "pastel": ("pastel on laid paper", "Drawing"),
    "woodcut": ("color woodcut on paper", "Print"),
    "engraving": ("engraving on laid paper", "Print"),
    "poster": ("color lithograph", "Print"),
}
THEMES = {
    "open sea": ("marine", "landscape"),
    "river": ("river", "landscape"),
    "meadow": ("pastoral", "landscape"),
    "hills": ("rural", "landscape"),
    "forest": ("woods", "landscape"),
    "mountains": ("mountains", "landscape"),
    "mountain lake": ("mountains", "landscape"),
    "village": ("village", "landscape"),
    "branch": ("birds", "natural world"),
    "table": ("food and drink", "still life"),
    "portrait": ("single figure", "portrait"),
    "reading": ("reading", "genre"),
    "icon": ("saint", "religious"),
}
CREDITS = ("Gift of the Harbour Society", "Bequest of Orla Finch, in memory of her sister",
           "Purchased with the Lantern Fund", "Gift of Mr. and Mrs. T. Ashgrove")  # fmt: skip
FAIR_USE_PIXELS = 640
EPOCH = datetime(2024, 3, 4, 9, 30, tzinfo=timezone(timedelta(hours=-5)))

Row = dict[str, str]


def modified_at(number: int) -> datetime:
    """Return when the records about the work `number` were last changed, as they say."""
    return EPOCH + timedelta(minutes=number)


def object_rows(works: Iterable[Work]) -> list[Row]:
    """Return the rows of objects.csv, with some repeated."""
    rows = []
    for work in works:
        row = _object_row(work)
        rows += [row, row] if work.number % 20 == 2 else [row]
    return rows


def _object_row(work: Work) -> Row:
    medium, classification = MEDIA[work.scene.manner]
    wide = 30 + work.number * 7 % 90
    begin = work.date.begin
    return {
        "objectid": str(work.object_id),
        "uuid": str(uuid.uuid5(NAMESPACE, f"{work.scene.seed}/{work.object_id}")),
        "accessioned": "1",
        "accessionnum": f"{1931 + work.number % 90}.{1 + work.number % 12}.{work.object_id % 100}",
        "title": work.title,
        "displaydate": work.date.display,
        "beginyear": _number(begin),
        "endyear": _number(work.date.end),
        "visualbrowsertimespan": _timespan(begin),
        "medium": medium,
        "dimensions": f"overall: {wide * 3 // 4} x {wide} cm",
        "inscription": "lower left: A. M.\r\nreverse: No. 7" if work.number % 10 == 7 else "",
        "attribution": work.artist.name,
        "attributioninverted": work.artist.name,
        "provenancetext": PROVENANCE if work.number % 10 == 3 else "",
        "creditline": CREDITS[work.number % len(CREDITS)],
        "classification": classification,
        "visualbrowserclassification": classification.lower(),
        "isvirtual": "0",
        "lastdetectedmodification": _stamp(work.number),
    }


PROVENANCE = (
    'Painted for the artist\'s sister, who called it "the small one";\r\n'
    "sold 1902 to (Galerie Morel, Paris), no. 14;\r\n\r\npurchased 1931 by the museum."
)


def image_rows(views: Iterable[View]) -> list[Row]:
    """Return the rows of published_images.csv in the order of their uuids, with some repeated."""
    rows = []
    for view in sorted(views, key=lambda view: view.uuid):
        row = _image_row(view)
        rows += [row, row] if view.number % 20 == 12 else [row]
    return rows


def _image_row(view: View) -> Row:
    url = f"{IIIF}/{view.uuid}"
    width, height = view.size
    return {
        "uuid": view.uuid,
        "iiifurl": url,
        "iiifthumburl": f"{url}/full/!200,200/0/default.jpg",
        "viewtype": "primary" if view.primary else "alternate",
        "sequence": str(view.sequence),
        "width": str(width),
        "height": str(height),
        "maxpixels": "" if view.open_access else str(FAIR_USE_PIXELS),
        "openaccess": "1" if view.open_access else "0",
        "created": "2016-06-07 13:31:07-04",
        "modified": _stamp(view.number),
        "depictstmsobjectid": _number(view.object_id),
        "assistivetext": view.description,
    }


def term_rows(works: Iterable[Work]) -> list[Row]:
    """Return the rows of objects_terms.csv."""
    rows = []
    for work in works:
        theme, browser_theme = THEMES[work.scene.setting]
        terms = [("School", work.artist.school, ""), ("Theme", theme, browser_theme)]
        terms += [("Keyword", subject.name, "") for subject in work.scene.subjects]
        if work.scene.season:
            terms.append(("Keyword", work.scene.season, ""))
        terms.append(("Technique", MEDIA[work.scene.manner][0], ""))
        for place, (termtype, term, browser) in enumerate(terms):
            rows.append({
                "termid": str(work.object_id * 10 + place),
                "objectid": str(work.object_id),
                "termtype": termtype,
                "term": term,
                "visualbrowsertheme": browser,
            })  # fmt: skip
    return rows


def as_csv(name: str, rows: Iterable[Row]) -> bytes:
    """Return `rows` as the file `name`: UTF-8, with its header, quoted where needed."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, HEADERS[name].split(","), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


def _timespan(year: int | None) -> str:
    if year is None:
        return ""
    if year < 1300:
        return "before 1300"
    century = (year - 1) // 100 * 100
    return f"{century + 1} to {century + 100}"


def _stamp(number: int) -> str:
    return f"{modified_at(number):%Y-%m-%d %H:%M:%S}.48-05"
