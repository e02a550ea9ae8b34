"""How this project asks other people's servers: under which name, where, and which are its own."""

import ipaddress
from collections.abc import Collection
from importlib.metadata import version
from urllib.parse import urlsplit

ROBOT = "retrievals"  # as robots.txt files name it
USER_AGENT = f"{ROBOT}/{version('retrievals')} (semantic search over open collections)"
PAUSE = 30.0  # seconds, for which a search does not ask again for what it did not get


def user_agent(contact: str | None) -> str:
    """Return the user agent, with the address of whoever runs this where it is known."""
    return USER_AGENT if contact is None else f"{USER_AGENT[:-1]}; +{contact})"


def is_own(url: str, own_hosts: Collection[str]) -> bool:
    """Tell whether `url` is on this machine or on one of `own_hosts`."""
    return is_loopback(url) or (urlsplit(url).hostname or "") in own_hosts


def is_loopback(url: str) -> bool:
    """Tell whether `url` is on this machine, which no proxy of the environment can reach."""
    return is_loopback_host(urlsplit(url).hostname or "")


def is_loopback_host(host: str) -> bool:
    """Tell whether `host` is this machine: what listens on it, no other machine reaches."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def mirrored(url: str, mirror: str | None) -> str:
    """Return `url` with the host and prefix before its IIIF identifier replaced by `mirror`.

    An image request ends in five segments: identifier, region, size, rotation, file.
    Source: IIIF Image API 2.1, section 2.1.
    """
    if mirror is None:
        return url
    return "/".join([mirror, *url.split("/")[-5:]])
