"""Settings that are well formed and still unsafe, or in vain, together: no server starts so."""

from retrievals_serving.errors import SettingsError
from retrievals_serving.http_client import is_loopback_host
from retrievals_serving.settings import Settings

MIN_SECRET = 32  # characters: 128 bits even where each is a hex digit
MAKE_SECRET = "python -c 'import secrets; print(secrets.token_urlsafe(32))'"  # noqa: S105


def require_safe(settings: Settings, *, host: str | None = None) -> None:
    """Refuse unsafe settings of a server.

    Args:
        settings: What it is to serve with.
        host: On what it is to listen, where that is known.

    Raises:
        SettingsError: Some are; names each with its remedy.
    """
    if problems := unsafe(settings, host=host):
        raise SettingsError(" ".join(problems))


def unsafe(settings: Settings, *, host: str | None = None) -> list[str]:
    """Return what is unsafe or in vain, a sentence each with its remedy; see `require_safe`."""
    problems = []
    secret = settings.secret.get_secret_value() if settings.secret else None
    if secret is not None and len(secret) < MIN_SECRET:
        problems.append(
            f"RETRIEVALS_SECRET has {len(secret)} characters and can be guessed: make one of at "
            f"least {MIN_SECRET}, as {MAKE_SECRET} prints."
        )
    if secret is None and host is not None and not is_loopback_host(host):
        problems.append(
            f"RETRIEVALS_SECRET is not set, and --host {host} answers other machines: cursors and "
            "visitors' cookies would end with every restart, and no replica would know those of "
            f"another. Set it to what {MAKE_SECRET} prints."
        )
    if "*" in settings.origins and settings.key_digests:
        problems.append(
            "RETRIEVALS_CORS_ORIGINS is * while RETRIEVALS_API_KEYS is set: every site could ask "
            "with a key that it got hold of; name the sites that hold one."
        )
    if settings.warm_queries is not None and settings.cache_ttl == 0:
        problems.append(
            "RETRIEVALS_WARM_QUERIES is set while RETRIEVALS_CACHE_TTL is 0: no answer to them "
            "would be kept; set it to some seconds, or leave the queries out."
        )
    return problems
