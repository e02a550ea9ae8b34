"""The checks of the records pass sound ones and refuse what they are there for."""

from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from retrievals_pipeline.definitions import defs
from retrievals_pipeline.defs.records.artworks import ArtworksSummary, build_artworks
from retrievals_pipeline.defs.records.paths import ARTWORKS
from retrievals_pipeline.defs.records.verification import check_open_share, check_rows, check_size
from retrievals_serving.errors import BuildError
from retrievals_serving.release import MANIFEST, Release, current_release_id
from retrievals_serving.settings import Settings
from retrievals_serving.store import Store
from tests.conftest import WORKS

Tables = Callable[..., Path]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "home")


def read(tables: Path, store: Store, *, limit: int | None = None) -> ArtworksSummary:
    return build_artworks(
        str(tables),
        store,
        source="nga",
        page="https://www.nga.gov/artworks/{}",
        box=1024,
        limit=limit,
    )


def test_sound_records_pass(write_tables: Tables, store: Store) -> None:
    read(write_tables(objects=[{}, {"objectid": "2"}]), store)
    verdict = check_rows(store)
    assert verdict.passed
    assert not any(verdict.details[fault] for fault in verdict.details if fault != "works")


def test_an_id_that_is_there_twice_is_refused(write_tables: Tables, store: Store) -> None:
    read(write_tables(), store)
    table = pq.read_table(store.path(ARTWORKS))
    pq.write_table(table.take([0, 0]), store.path(ARTWORKS))
    verdict = check_rows(store)
    assert not verdict.passed
    assert verdict.details["repeated_ids"] == 1


@pytest.mark.parametrize(
    ("column", "url"),
    [
        ("image_url", None),
        ("image_url", "ftp://museum.example/1.jpg"),
        ("image_url", "https:///full/1.jpg"),
        ("image_url", "https://museum.example/a picture.jpg"),
        ("artwork_url", "www.nga.gov/artworks/1"),
    ],
)
def test_an_address_that_leads_nowhere_is_refused(
    write_tables: Tables, store: Store, column: str, url: str | None
) -> None:
    read(write_tables(), store)
    table = pq.read_table(store.path(ARTWORKS))
    index = table.schema.get_field_index(column)
    changed = table.set_column(index, column, pa.array([url], pa.string()))
    pq.write_table(changed, store.path(ARTWORKS))
    verdict = check_rows(store)
    assert not verdict.passed
    assert verdict.details[f"malformed_{column}s"] == 1


def test_a_space_in_one_address_costs_its_work_and_no_other(
    write_tables: Tables, store: Store
) -> None:
    images = [
        {},
        {"uuid": "u2", "depictstmsobjectid": "2", "iiifurl": "https://a.example/iiif/u 1"},
    ]
    summary = read(write_tables(objects=[{}, {"objectid": "2"}], images=images), store)
    assert (summary.works, summary.dropped["image without a web address"]) == (1, 1)
    assert check_rows(store).passed


@pytest.mark.parametrize(
    ("eligible", "passed"), [(WORKS, True), (WORKS + 9, True), (22, True), (21, False), (1, False)]
)
def test_a_museum_may_lose_a_tenth_of_the_served_works_at_once(
    built: Settings, eligible: int, passed: bool
) -> None:
    verdict = check_size(built.store, eligible=eligible, limit=None)
    assert verdict.passed is passed
    assert verdict.details["served"] == current_release_id(built.store)
    assert verdict.details["served_eligible"] == WORKS
    assert ("RETRIEVALS_LIMIT" in verdict.details.get("remedy", "")) is not passed


def test_a_limit_is_no_loss(built: Settings) -> None:
    assert check_size(built.store, eligible=3, limit=3).passed
    assert not check_size(built.store, eligible=3, limit=6).passed
    assert not check_size(built.store, eligible=3, limit=WORKS + 9).passed


def test_a_served_release_that_is_damaged_does_not_forbid_the_records_that_mend_it(
    built: Settings,
) -> None:
    release = Release(built.store, current_release_id(built.store))
    release.path(MANIFEST).write_bytes(b"torn")
    verdict = check_size(built.store, eligible=1, limit=None)
    assert verdict.passed
    assert "served_eligible" not in verdict.details


def test_before_the_first_release_there_is_nothing_to_lose(store: Store) -> None:
    assert check_size(store, eligible=1, limit=None).passed


@pytest.mark.parametrize(("closed", "passed"), [(0, True), (9, True), (10, False)])
def test_the_share_of_open_objects_is_told(
    write_tables: Tables, store: Store, closed: int, passed: bool
) -> None:
    objects = [{"objectid": str(number)} for number in range(1, 2 + closed)]
    summary = read(write_tables(objects=objects), store)
    verdict = check_open_share(objects=summary.objects, open_objects=summary.open_objects)
    assert verdict.passed is passed
    assert (verdict.details["objects"], verdict.details["open_objects"]) == (1 + closed, 1)


def test_what_a_limit_leaves_out_counts_as_open(write_tables: Tables, store: Store) -> None:
    images = [{"uuid": f"u{n}", "depictstmsobjectid": str(n)} for n in (1, 2)]
    tables = write_tables(objects=[{}, {"objectid": "2"}], images=images)
    summary = read(tables, store, limit=1)
    assert (summary.works, summary.open_objects, summary.objects) == (1, 2, 2)


@pytest.mark.usefixtures("museum_settings")
def test_records_that_another_dagster_instance_read_are_to_be_materialized_first() -> None:
    defs()  # loads Dagster's modules, of which some are in what it calls beta
    from retrievals_pipeline.defs.records.checks import open_share

    with (
        dg.DagsterInstance.ephemeral() as instance,
        pytest.raises(BuildError, match="materialize `artworks`"),
    ):
        open_share(dg.build_asset_check_context(instance=instance))
