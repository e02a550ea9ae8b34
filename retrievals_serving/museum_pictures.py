"""One picture from a museum's server, with a bound on everything: bytes, seconds, redirections."""

from collections.abc import Collection
from time import monotonic

import httpx
from PIL import Image

from retrievals_serving.decoding import MAX_BYTES, decode_picture
from retrievals_serving.errors import PictureError, SourceUnavailable
from retrievals_serving.http_client import PAUSE, is_own, user_agent
from retrievals_serving.retry_after import retry_after

MAX_REDIRECTS = 3
IN_TROUBLE = frozenset({408, 425, 429})  # and all from 500 on: of the server, not of the picture
ASKED_LESS = frozenset({429, 503})  # a wish to be left alone, even where no time is named
# As it is stored, so that the bytes that count are those that come.
HEADERS = {"Accept": "image/jpeg, image/*;q=0.5, */*;q=0.1", "Accept-Encoding": "identity"}
# No proxy of the environment can reach what is on this machine.
HERE = ("all://localhost", "all://127.0.0.1", "all://[::1]")


class MuseumPictures:
    """Asks for pictures over connections that are kept. Safe to use from several threads."""

    def __init__(self, *, own_hosts: Collection[str], contact: str | None) -> None:
        """Ask with `own_hosts` and `contact`, which are those of the settings."""
        self._own_hosts = own_hosts
        self._client = httpx.Client(
            headers={**HEADERS, "User-Agent": user_agent(contact)},
            mounts=dict.fromkeys(HERE),
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def fetch(self, url: str, deadline: float) -> Image.Image:
        """Return the picture at `url` as RGB, no side over 2,048 px.

        Args:
            url: Address at the museum, or its mirror.
            deadline: On the clock `time.monotonic`, s. Connecting, or a piece of an answer, that is
                waited for then may take as long again as there was at its beginning.

        Raises:
            PictureError: There is none that can be used.
            SourceUnavailable: The server cannot be reached, is in trouble, or was not done in time;
                with its wish to be left alone, where it has one.
        """
        try:
            return decode_picture(self._content(url, deadline))
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise PictureError(str(error)) from error
        except httpx.TransportError as error:
            raise SourceUnavailable(f"{type(error).__name__}: {error}") from error

    def _content(self, url: str, deadline: float) -> bytes:
        """Return what `url`, or where it is moved to, has."""
        for _ in range(MAX_REDIRECTS + 1):
            left = deadline - monotonic()
            if left <= 0:
                raise SourceUnavailable("the time was over")
            with self._client.stream("GET", url, timeout=left) as response:
                if not response.has_redirect_location:
                    return _body(response, deadline)
                url = moved_from(url, response.headers["Location"], self._own_hosts)
        raise PictureError(f"more than {MAX_REDIRECTS} redirections")


def moved_from(url: str, location: str, own_hosts: Collection[str]) -> str:
    """Return the address that `url` is moved to by a header `Location`.

    A redirection is followed within a server, and from http to https there; and between hosts of
    one's own. What another name leads to cannot be told from it: a stranger must not reach through
    us what only we can.

    Raises:
        PictureError: It leads elsewhere.
    """
    here = httpx.URL(url)
    there = here.join(location)
    if there.scheme not in ("http", "https"):
        raise PictureError(f"moved to {there}, which is not on the web")
    is_within = all(is_own(str(each), own_hosts) for each in (here, there))
    if not is_within and _server(there) not in (_server(here), ("https", here.host, None)):
        raise PictureError(f"moved to {there}, which is another server than {here.host}")
    return str(there)


def _server(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _body(response: httpx.Response, deadline: float) -> bytes:
    """Read an answer, as far as the bounds allow."""
    code = response.status_code
    if code in IN_TROUBLE or code >= httpx.codes.INTERNAL_SERVER_ERROR:
        wish = retry_after(response.headers)
        if wish is None and code in ASKED_LESS:
            wish = PAUSE
        raise SourceUnavailable(f"HTTP {code} {response.reason_phrase}", wish=wish or 0.0)
    if code != httpx.codes.OK:
        raise PictureError(f"HTTP {code} {response.reason_phrase}")
    content = bytearray()
    for piece in response.iter_raw():
        content += piece
        if len(content) > MAX_BYTES:
            raise PictureError(f"over {MAX_BYTES >> 20} MB")
        if monotonic() > deadline:
            raise SourceUnavailable("not whole when the time was over")
    return bytes(content)
