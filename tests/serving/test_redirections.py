"""A museum's server leads nowhere but to itself: not to what only this machine can reach."""

import pytest

from retrievals_serving.errors import PictureError
from retrievals_serving.museum_pictures import moved_from

MUSEUM = "https://museum.example/a"
OWN = ("own.example", "mirror.example")


@pytest.mark.parametrize(
    ("url", "location", "there"),
    [
        (MUSEUM, "/b?c", "https://museum.example/b?c"),
        (MUSEUM, "https://MUSEUM.example:443/b", "https://museum.example/b"),
        ("http://museum.example/a", "https://museum.example/b", "https://museum.example/b"),
        ("http://127.0.0.1/a", "http://own.example/b", "http://own.example/b"),
        ("http://own.example/a", "http://mirror.example:81/b", "http://mirror.example:81/b"),
    ],
)
def test_a_redirection_within_a_server_or_among_ones_own_is_followed(
    url: str, location: str, there: str
) -> None:
    assert moved_from(url, location, OWN) == there


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "0.0.0.0:6379",
        "2130706433",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "localhost",
        "localhost.",
        "10.0.0.5",
        "169.254.169.254",
        "museum.example@10.0.0.5",
        "museum.example:6379",
        "museum.example.",
        "own.example",
        "resolves-to-inside.example",
    ],
)
@pytest.mark.parametrize("scheme", ["http:", "https:", ""])
def test_a_redirection_to_another_server_is_refused_by_name(scheme: str, host: str) -> None:
    with pytest.raises(PictureError, match=r"another server than museum\.example"):
        moved_from(MUSEUM, f"{scheme}//{host}/b", OWN)


@pytest.mark.parametrize(
    ("url", "location", "reason"),
    [
        (MUSEUM, "http://museum.example/b", "another server"),  # where anyone may read along
        ("http://own.example/a", "https://museum.example/b", "another server"),
        (MUSEUM, "file:///etc/hosts", "not on the web"),
    ],
)
def test_a_redirection_that_leaves_what_is_safe_is_refused(
    url: str, location: str, reason: str
) -> None:
    with pytest.raises(PictureError, match=reason):
        moved_from(url, location, OWN)
