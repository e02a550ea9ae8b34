"""The file of the map is read as it was written, or refused by name."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from retrievals_serving.collection_map import (
    FIGURES,
    CollectionMap,
    read_map,
    to_steps,
    to_units,
    write_map,
)
from retrievals_serving.errors import ReleaseDamaged

PLACES = np.array([[0, -7], [32767, -32768], [64, 1]], np.int16)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_map(CollectionMap(["a", "Été", "c"], PLACES, {"kept": 0.5}), tmp_path / "map.parquet")
    return tmp_path / "map.parquet"


def test_what_was_written_is_read(path: Path) -> None:
    read = read_map(path)
    assert read.ids == ["a", "Été", "c"]
    assert read.places.dtype == np.int16
    assert np.array_equal(read.places, PLACES)
    assert read.places.flags["C_CONTIGUOUS"]  # its bytes are what is sent
    assert read.figures == {"kept": 0.5}


def test_steps_are_fine_and_end_at_the_edge() -> None:
    units = np.array([[0.01, -80.37], [511.99, -512], [600, -1e9]], np.float32)
    steps = to_steps(units)
    assert steps.dtype == np.int16
    assert to_units(steps)[:2] == pytest.approx(units[:2], abs=1 / 128)
    assert steps[2].tolist() == [32767, -32768]


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[8] ^= 0xFF
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def drop_a_column(path: Path) -> None:
    pq.write_table(pq.read_table(path).drop_columns(["y"]), path)


def drop_figures(path: Path) -> None:
    pq.write_table(pq.read_table(path).replace_schema_metadata({b"x": b"y"}), path)


def spoil_figures(path: Path) -> None:
    pq.write_table(pq.read_table(path).replace_schema_metadata({FIGURES: b"{"}), path)


@pytest.mark.parametrize(
    "spoil", [flip, cut, drop_a_column, drop_figures, spoil_figures, Path.unlink]
)
def test_a_file_that_is_no_map_is_refused_by_name(path: Path, spoil: object) -> None:
    assert callable(spoil)
    spoil(path)
    with pytest.raises(ReleaseDamaged, match=r"map\.parquet cannot be read as the map"):
        read_map(path)
