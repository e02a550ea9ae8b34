"""How this project presents itself to other people's servers, and which are its own."""

import ipaddress
from importlib.metadata import version
from urllib.parse import urlsplit

USER_AGENT = f"retrievals/{version('retrievals')} (semantic search over open collections)"


def is_loopback(url: str) -> bool:
    """Tell whether `url` is on this machine, which no proxy of the environment can reach."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
