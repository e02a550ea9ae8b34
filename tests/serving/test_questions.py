"""What can be asked, and the file of what is known to be asked."""

import re
from pathlib import Path

import pytest

from retrievals_serving.errors import SettingsError
from retrievals_serving.questions import known_queries


def test_known_queries_are_the_lines_of_a_file_without_its_comments(tmp_path: Path) -> None:
    file = tmp_path / "queries.txt"
    file.write_text("# asked often\n\na boat\r\n  la mer, été  \n#42\n \nno. #42", encoding="utf-8")
    assert known_queries(file) == ["a boat", "la mer, été", "no. #42"]


@pytest.mark.parametrize("query", ["x" * 512, "x"])
def test_known_queries_are_as_long_as_any(tmp_path: Path, query: str) -> None:
    file = tmp_path / "queries.txt"
    file.write_text(f"{query}\n", encoding="utf-8")
    assert known_queries(file) == [query]


def test_a_known_query_that_is_none_is_named_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "queries.txt"
    file.write_text(f"# one\na boat\n\n{'x' * 513}\n", encoding="utf-8")
    expected = f"RETRIEVALS_WARM_QUERIES: {file}, line 4: query: expected 1 to 512 characters"
    with pytest.raises(SettingsError, match=re.escape(expected)):
        known_queries(file)


@pytest.mark.parametrize("content", [None, b"caf\xe9\n"], ids=["missing", "latin-1"])
def test_a_file_of_known_queries_that_cannot_be_read_is_named(
    tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "queries.txt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError, match=re.escape(f"{file} is no text that can be read")):
        known_queries(file)
